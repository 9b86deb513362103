//! Importance matrices in llama.cpp's first format, read before the engine does: it stops where one is cut short or
//! lacks a layer.
//!
//! Layout, little-endian: number of entries (i32); for each the length of its name (i32), the name, calls (i32), number
//! of values (i32), values (f32). It reads no value.

use super::family::{Pass, divide, layer_of};
use super::load::{LoadError, ModelFiles};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Our names of the projections that importance matrices name, and llama.cpp's (`imatrix_names` of the models in
/// mistralrs-core 0.8.1).
const NAMES: &[(&str, &str)] = &[
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];

/// The longest name that is believed, in bytes.
const LONGEST: i32 = 512;

/// Checks that a matrix has an entry of the right width for every layer. mistral.rs' own collected matrices
/// (`.cimatrix`) have no names and are not looked into.
///
/// # Errors
/// [`LoadError::Config`]: not readable, another format, cut short, or not of this model.
pub fn check(path: &Path, files: &ModelFiles) -> Result<(), LoadError> {
    let wrong = |why: String| LoadError::Config { path: path.to_owned(), why };
    if path.extension().is_some_and(|e| e == "cimatrix") && path.exists() {
        return Ok(());
    }
    let widths = widths(path).map_err(&wrong)?;
    for tensor in divide(files, Pass::Afterwards).linear {
        let Some(layer) = layer_of(&tensor.name) else { continue };
        let Some((_, theirs)) = NAMES.iter().find(|(ours, _)| tensor.name.ends_with(&format!("{ours}.weight"))) else {
            continue;
        };
        let name = format!("blk.{layer}.{theirs}.weight");
        let columns = tensor.shape.last().copied().unwrap_or(0);
        match widths.get(&name) {
            Some(width) if *width == columns => {}
            Some(width) => {
                return Err(wrong(format!("{name} has {width} values where the model has {columns} columns")));
            }
            None => return Err(wrong(format!("has no entry {name}; collect it with this very model"))),
        }
    }
    Ok(())
}

/// Number of values by entry.
fn widths(path: &Path) -> Result<BTreeMap<String, u64>, String> {
    let file = File::open(path).map_err(|e| format!("cannot be read: {}", e.kind()))?;
    let length = file.metadata().map_err(|e| e.kind().to_string())?.len();
    let mut reader = BufReader::new(file);
    let number = |reader: &mut BufReader<File>| {
        let mut bytes = [0; 4];
        reader.read_exact(&mut bytes).map(|()| i32::from_le_bytes(bytes)).map_err(|_| CUT.to_owned())
    };
    let entries = number(&mut reader)?;
    if entries.to_le_bytes() == *b"GGUF" {
        return Err(
            "is an importance matrix in GGUF, which mistral.rs 0.8.1 does not read; write it anew with llama-imatrix \
             --output-format dat"
                .to_owned(),
        );
    }
    let mut found = BTreeMap::new();
    let mut at = 4;
    for _ in 0..entries.max(0) {
        let size = number(&mut reader)?;
        if !(1..=LONGEST).contains(&size) {
            return Err(format!("is no importance matrix: a name of {size} bytes"));
        }
        let mut name = vec![0; size as usize];
        reader.read_exact(&mut name).map_err(|_| CUT.to_owned())?;
        let name = String::from_utf8(name).map_err(|_| "is no importance matrix: a name is not text".to_owned())?;
        let (_calls, values) = (number(&mut reader)?, number(&mut reader)?);
        let values = u64::try_from(values).ok().filter(|v| *v > 0).ok_or(format!("has no values for {name}"))?;
        at += 12 + size as u64 + 4 * values;
        if at > length {
            return Err(CUT.to_owned());
        }
        reader.seek(SeekFrom::Start(at)).map_err(|e| e.kind().to_string())?;
        found.insert(name, values);
    }
    if found.is_empty() { Err("is no importance matrix: it has no entries".to_owned()) } else { Ok(found) }
}

const CUT: &str = "is cut short, or no importance matrix";
