//! Scores on disk, beside the records: `scores/<scorer>/<benchmark>/<setting>.jsonl`.
//!
//! The folder is the start of the scorer's SHA-256, so another scorer writes elsewhere. The first line of a file says
//! what the rows are of (scorer, texts, their number, SHA-256 of the rows); then one row a line: item id and numbers.
//! A file in which anything of that does not hold is not read: its texts are scored again, and it is replaced.

use super::error::ScorerError;
use super::identity::ScorerIdentity;
use super::passage::{Batch, Row};
use crate::fixity::{readable, sha256_hex};
use crate::records::RecordsError;
use crate::records::run_dir::write_atomic;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Format version of score files. Changelog:
///
/// * `1.0` — first format.
pub const FORMAT: &str = "1.0";

/// The first line of a score file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    format: String,
    scorer_sha256: String,
    columns: Vec<String>,
    texts_sha256: String,
    rows: usize,
    rows_sha256: String,
}

/// The scores of one scorer beside a run's records.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    identity: ScorerIdentity,
    sha256: String,
}

impl Cache {
    /// The place of a scorer in a run directory; nothing is read or written.
    #[must_use]
    pub fn new(run: &Path, identity: &ScorerIdentity) -> Self {
        let sha256 = identity.sha256();
        Self { folder: run.join("scores").join(&sha256[..12]), identity: identity.clone(), sha256 }
    }

    /// The folder of this scorer.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a batch.
    #[must_use]
    pub fn path(&self, batch: &Batch<'_>) -> PathBuf {
        self.folder.join(batch.benchmark).join(format!("{}.jsonl", batch.setting))
    }

    /// The rows of a batch and the SHA-256 of their file, if they are there, whole, and of just these texts.
    #[must_use]
    pub fn load(&self, batch: &Batch<'_>) -> Option<(Vec<Row>, String)> {
        let text = std::fs::read_to_string(self.path(batch)).ok()?;
        let sha256 = sha256_hex(text.as_bytes());
        let (head, body) = text.split_once('\n')?;
        let head: Head = serde_json::from_str(head).ok()?;
        let same = readable(&head.format, FORMAT)
            && head.scorer_sha256 == self.sha256
            && head.rows == batch.passages.len()
            && head.rows_sha256 == sha256_hex(body.as_bytes())
            && head.texts_sha256 == batch.sha256();
        if !same {
            return None;
        }
        let rows: Vec<Row> = body
            .lines()
            .map(|line| serde_json::from_str::<(Option<String>, Row)>(line).map(|(_, row)| row))
            .collect::<Result<_, _>>()
            .ok()?;
        let fits = |row: &Row| row.as_ref().is_none_or(|r| r.len() == self.identity.columns.len());
        (rows.len() == batch.passages.len() && rows.iter().all(fits)).then_some((rows, sha256))
    }

    /// Writes the rows of a batch, and who the scorer is.
    ///
    /// # Errors
    /// [`RecordsError::Write`].
    pub fn save(&self, batch: &Batch<'_>, rows: &[Row]) -> Result<(), ScorerError> {
        let text = self.text(batch, rows)?;
        let path = self.path(batch);
        let who = serde_json::to_string_pretty(&self.identity).map_err(|e| malformed(&path, &e))?;
        write_atomic(&self.folder.join("scorer.json"), format!("{who}\n").as_bytes())?;
        Ok(write_atomic(&path, text.as_bytes())?)
    }

    /// The file of a batch's rows, as it is written.
    ///
    /// # Errors
    /// The rows are no JSON.
    pub fn text(&self, batch: &Batch<'_>, rows: &[Row]) -> Result<String, ScorerError> {
        let path = self.path(batch);
        let json = |e: serde_json::Error| malformed(&path, &e);
        let mut body = String::new();
        for (passage, row) in batch.passages.iter().zip(rows) {
            body.push_str(&serde_json::to_string(&(passage.map(|p| p.item), row)).map_err(json)?);
            body.push('\n');
        }
        let head = Head {
            format: FORMAT.to_owned(),
            scorer_sha256: self.sha256.clone(),
            columns: self.identity.columns.clone(),
            texts_sha256: batch.sha256(),
            rows: rows.len(),
            rows_sha256: sha256_hex(body.as_bytes()),
        };
        let head = serde_json::to_string(&head).map_err(json)?;
        Ok(format!("{head}\n{body}"))
    }
}

fn malformed(path: &Path, error: &serde_json::Error) -> ScorerError {
    let (path, why) = (path.to_owned(), error.to_string());
    ScorerError::Records(RecordsError::Malformed { path, what: "scores to write", why })
}
