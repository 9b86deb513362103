//! Every row of the findings as tables for programs: CSV, JSON, and Parquet, with the same columns.
//!
//! A column is named once, in [`columns`] or [`further`], with how it is read from a row; the three forms are written
//! from that. Every number stands in full, undefined is absent (an empty field in CSV, `null` elsewhere) with its reason
//! in `note`.

mod columns;
mod further;
mod parquet;
mod sheet;

use super::escape;
use super::{Pages, ReportError};
use crate::findings::Findings;
use sheet::{Fields, Sheet};

/// Every table of the report in every form.
pub(super) fn all(findings: &Findings) -> Result<Pages, ReportError> {
    let mut pages = Pages::new();
    for sheet in columns::sheets(findings).into_iter().chain(further::sheets(findings)) {
        let name = sheet.name;
        pages.insert(format!("tables/{name}.csv"), csv(&sheet)?);
        pages.insert(format!("tables/{name}.json"), json(&sheet)?);
        pages.insert(format!("tables/{name}.parquet"), parquet::encode(&sheet)?);
    }
    Ok(pages)
}

fn failed(error: impl std::fmt::Display) -> ReportError {
    ReportError::Table(error.to_string())
}

/// CSV: a header and rows; foreign text so that a spreadsheet does not take it for a formula.
fn csv(sheet: &Sheet) -> Result<Vec<u8>, ReportError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(sheet.names()).map_err(failed)?;
    for i in 0..sheet.height {
        let row = sheet.columns.iter().map(|(_, fields)| match fields {
            Fields::Text(all) => all[i].as_deref().map_or_else(String::new, escape::csv),
            // The shortest text that reads back to the same value.
            Fields::Number(all) => all[i].map_or_else(String::new, |x| x.to_string()),
            Fields::Count(all) => all[i].map_or_else(String::new, |n| n.to_string()),
            Fields::Flag(all) => all[i].to_string(),
        });
        writer.write_record(row).map_err(failed)?;
    }
    writer.into_inner().map_err(failed)
}

/// JSON: `columns`, and `data` with one array per row (pandas calls this orientation `split`).
fn json(sheet: &Sheet) -> Result<Vec<u8>, ReportError> {
    use serde_json::{Value, to_string};
    let names: Vec<&str> = sheet.names().collect();
    let mut out = format!("{{\"columns\":{},\"data\":[", to_string(&names).map_err(failed)?);
    for i in 0..sheet.height {
        let row = sheet.columns.iter().map(|(_, fields)| match fields {
            Fields::Text(all) => all[i].as_deref().map_or(Value::Null, Value::from),
            Fields::Number(all) => all[i].map_or(Value::Null, Value::from),
            Fields::Count(all) => all[i].map_or(Value::Null, Value::from),
            Fields::Flag(all) => all[i].into(),
        });
        out.push_str(if i == 0 { "\n" } else { ",\n" });
        out.push_str(&to_string(&row.collect::<Vec<Value>>()).map_err(failed)?);
    }
    out.push_str("\n]}\n");
    Ok(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_hold_the_same_fields_and_undefined_is_absent_in_each() {
        let sheet = sheet::Rows::of("t", &[Some(0.1), None])
            .text("name", |_| Some("=a\u{202e}".to_owned()))
            .number("x", |x| *x)
            .done();
        assert_eq!(String::from_utf8(csv(&sheet).unwrap()).unwrap(), "name,x\n'=a⟨U+202E⟩,0.1\n'=a⟨U+202E⟩,\n");
        let json = String::from_utf8(json(&sheet).unwrap()).unwrap();
        assert_eq!(
            json,
            "{\"columns\":[\"name\",\"x\"],\"data\":[\n[\"=a⟨U+202E⟩\",0.1],\n[\"=a⟨U+202E⟩\",null]\n]}\n"
        );
        let parquet = parquet::encode(&sheet).unwrap();
        assert_eq!(&parquet[..4], b"PAR1");
        assert_eq!(parquet, parquet::encode(&sheet).unwrap());
    }
}
