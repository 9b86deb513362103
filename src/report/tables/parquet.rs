//! A table as Parquet: nullable means absent.

use super::{Fields, Sheet, failed};
use crate::findings::FORMAT;
use crate::report::ReportError;
use polars::prelude::*;

/// Encodes a table; equal tables give equal bytes. The file's metadata names the findings' format.
pub(super) fn encode(sheet: &Sheet) -> Result<Vec<u8>, ReportError> {
    let column = |(name, fields): &(String, Fields)| {
        let name = PlSmallStr::from_str(name);
        match fields {
            Fields::Text(all) => Column::new(name, all),
            Fields::Number(all) => Column::new(name, all),
            Fields::Count(all) => Column::new(name, all),
            Fields::Flag(all) => Column::new(name, all),
        }
    };
    let mut frame = DataFrame::new(sheet.height, sheet.columns.iter().map(column).collect()).map_err(failed)?;
    let mut bytes = Vec::new();
    let metadata = KeyValueMetadata::from_static(vec![("quantbias.findings".to_owned(), FORMAT.to_owned())]);
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_key_value_metadata(Some(metadata))
        .set_parallel(false)
        .finish(&mut frame)
        .map_err(failed)?;
    Ok(bytes)
}
