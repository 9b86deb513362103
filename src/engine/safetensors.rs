//! Reads the header of a safetensors file: names, types, and shapes of its tensors.
//!
//! Layout: 8 bytes little-endian length of the header, the header as JSON, then the tensors' bytes. It reads no
//! tensor, and refuses a file whose length is not what its header says.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// One tensor as the header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name, such as `model.layers.0.mlp.up_proj.weight`.
    pub name: String,
    /// Stored type: `BF16`, `F32` …
    pub dtype: String,
    /// Dimensions, outermost first.
    pub shape: Vec<u64>,
}

impl TensorInfo {
    /// How many numbers it holds.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.shape.iter().product()
    }

    /// How many bytes it takes, by its type; types of less than a byte are not stored as such.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let each = match self.dtype.as_str() {
            "F64" | "I64" | "U64" => 8,
            "F32" | "I32" | "U32" => 4,
            "F16" | "BF16" | "I16" | "U16" => 2,
            _ => 1,
        };
        self.elements() * each
    }
}

/// What is wrong with a safetensors file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(String),
    /// It is cut short, or has bytes too many.
    #[error("it has {found} bytes where its header asks for {expected}")]
    Length {
        /// Bytes that header and tensors take.
        expected: u64,
        /// Bytes of the file.
        found: u64,
    },
    /// The header is not what the format says.
    #[error("its header is not readable: {0}")]
    Header(String),
}

/// The largest header that the format allows, in bytes.
const LARGEST_HEADER: u64 = 100_000_000;

#[derive(serde::Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// Reads and checks the header of one file; tensors come sorted by name.
///
/// # Errors
/// [`HeaderError`].
pub fn read_header(path: &Path) -> Result<Vec<TensorInfo>, HeaderError> {
    Ok(read_places(path)?.into_iter().map(|(tensor, _)| tensor).collect())
}

/// The same with the place of each tensor's first byte in the file.
///
/// # Errors
/// [`HeaderError`].
pub fn read_places(path: &Path) -> Result<Vec<(TensorInfo, u64)>, HeaderError> {
    let read = |e: std::io::Error| HeaderError::Read(e.kind().to_string());
    let mut file = std::fs::File::open(path).map_err(read)?;
    let found = file.metadata().map_err(read)?.len();
    if found < 8 {
        return Err(HeaderError::Length { expected: 8, found });
    }
    let mut length = [0_u8; 8];
    file.read_exact(&mut length).map_err(read)?;
    let length = u64::from_le_bytes(length);
    if length > LARGEST_HEADER {
        return Err(HeaderError::Header(format!("it claims {length} bytes")));
    }
    if found < 8 + length {
        return Err(HeaderError::Length { expected: 8 + length, found });
    }
    let mut json = vec![0_u8; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact(&mut json).map_err(read)?;
    let (tensors, data) = parse(&json)?;
    let expected = 8 + length + data;
    if found != expected {
        return Err(HeaderError::Length { expected, found });
    }
    Ok(tensors.into_iter().map(|(tensor, at)| (tensor, 8 + length + at)).collect())
}

/// Tensors with their place in the data, and the length of the data in bytes.
fn parse(json: &[u8]) -> Result<(Vec<(TensorInfo, u64)>, u64), HeaderError> {
    let wrong = |e: serde_json::Error| HeaderError::Header(e.to_string());
    let mut entries: BTreeMap<String, serde_json::Value> = serde_json::from_slice(json).map_err(wrong)?;
    entries.remove("__metadata__");
    let mut tensors = Vec::with_capacity(entries.len());
    let mut data = 0;
    for (name, entry) in entries {
        let entry: Entry = serde_json::from_value(entry).map_err(wrong)?;
        data = data.max(entry.data_offsets.1);
        tensors.push((TensorInfo { name, dtype: entry.dtype, shape: entry.shape }, entry.data_offsets.0));
    }
    Ok((tensors, data))
}
