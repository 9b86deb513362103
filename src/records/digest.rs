//! SHA-256 of files and of logical rows, and canonical JSON.

use super::record::Record;
use crate::engine::{Answer, Finish, Thought};
use crate::fixity::hex;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;

/// Lower-case hexadecimal SHA-256 of a file's bytes, read in blocks.
///
/// # Errors
/// Reading failed.
pub fn sha256_file(path: &Path) -> std::io::Result<String> {
    let mut file = fs_err::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0_u8; 1 << 16];
    loop {
        let n = file.read(&mut block)?;
        if n == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&block[..n]);
    }
}

/// JSON without spaces and with sorted keys: equal values give equal bytes.
///
/// # Errors
/// The value cannot be JSON.
pub fn canonical_json<T: Serialize>(value: &T) -> serde_json::Result<String> {
    // serde_json's map is a BTreeMap unless `preserve_order` is on; sort explicitly, so that no feature of a
    // dependency can change an identity.
    let mut value = serde_json::to_value(value)?;
    sort_keys(&mut value);
    serde_json::to_string(&value)
}

fn sort_keys(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            let mut entries: Vec<_> = std::mem::take(map).into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            for (key, mut inner) in entries {
                sort_keys(&mut inner);
                map.insert(key, inner);
            }
        }
        serde_json::Value::Array(array) => array.iter_mut().for_each(sort_keys),
        _ => {}
    }
}

/// Digest of records as values, independent of how Parquet lays them out.
///
/// Every field is fed with its length in front; rows must come in the order benchmark, setting, item.
#[derive(Default)]
pub struct RowDigest {
    hasher: Sha256,
}

impl RowDigest {
    /// Feeds the rows of one benchmark under one setting, sorted by item id.
    pub fn feed(&mut self, benchmark: &str, setting: &str, records: &[Record]) {
        let mut order: Vec<&Record> = records.iter().collect();
        order.sort_by(|a, b| a.item.cmp(&b.item));
        for record in order {
            self.text(benchmark);
            self.text(setting);
            self.text(record.item.as_str());
            self.answer(record);
        }
    }

    /// The digest as lower-case hexadecimal.
    #[must_use]
    pub fn finish(self) -> String {
        hex(&self.hasher.finalize())
    }

    fn answer(&mut self, record: &Record) {
        match &record.answer {
            Err(reason) => {
                self.hasher.update([0]);
                self.text(reason);
            }
            Ok(Answer::Scored { parts, prompt_tokens }) => {
                self.hasher.update([1]);
                self.number(u64::from(*prompt_tokens));
                self.number(parts.len() as u64);
                for part in parts {
                    self.text(&part.label);
                    self.tokens(&part.tokens);
                    part.logprobs.iter().for_each(|x| self.hasher.update(x.to_bits().to_le_bytes()));
                }
            }
            Ok(Answer::Generated { text, tokens, finish, prompt_tokens, thought }) => {
                // An answer without a thinking part is fed as it was before there were any.
                let kind = if thought.is_some() { 3 } else { 2 };
                self.hasher.update([kind, u8::from(*finish == Finish::Length)]);
                self.number(u64::from(*prompt_tokens));
                self.text(text);
                self.tokens(tokens);
                if let Some(Thought { text, tokens }) = thought {
                    self.text(text);
                    self.hasher.update([u8::from(tokens.is_some())]);
                    self.number(u64::from(tokens.unwrap_or_default()));
                }
            }
        }
    }

    fn number(&mut self, n: u64) {
        self.hasher.update(n.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.hasher.update(text.as_bytes());
    }

    fn tokens(&mut self, tokens: &[u32]) {
        self.number(tokens.len() as u64);
        for token in tokens {
            self.hasher.update(token.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_json_sorts_keys_at_every_depth() {
        let value: serde_json::Value = serde_json::from_str(r#"{"b":[{"y":1,"x":0.1}],"a":null}"#).unwrap();
        assert_eq!(canonical_json(&value).unwrap(), r#"{"a":null,"b":[{"x":0.1,"y":1}]}"#);
    }
}
