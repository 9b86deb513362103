//! Why items failed: the reasons in a run's records, counted.
//!
//! Reasons that differ in numbers only count as one. A reason may quote a model or a server: it is shortened, and put on one
//! line.

use super::error::RecordsError;
use super::parquet;
use fs_err as fs;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most characters of a reason that are quoted.
const QUOTED: usize = 200;

/// A reason for which items failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureReason {
    /// In the words of the first such item.
    pub text: String,
    /// How many items.
    pub items: u64,
    /// The first item's benchmark, in the order of names.
    pub benchmark: String,
    /// Its setting.
    pub setting: String,
    /// Its id.
    pub item: String,
}

/// Counts the reasons in all records of a run directory, finished or not; the most frequent first.
///
/// # Errors
/// Reading failed, or a file is damaged.
pub fn failures(run: &Path) -> Result<Vec<FailureReason>, RecordsError> {
    let mut found: BTreeMap<String, FailureReason> = BTreeMap::new();
    for benchmark in entries(&run.join("records"))? {
        for setting in entries(&benchmark)? {
            for file in entries(&setting)?.into_iter().filter(|f| name(f).starts_with("part-")) {
                for record in parquet::decode(fs::read(&file).map_err(RecordsError::Read)?, &file)? {
                    let Err(why) = record.answer else { continue };
                    let kind = why.chars().filter(|c| !c.is_ascii_digit()).collect();
                    let first = || FailureReason {
                        text: on_one_line(&why),
                        items: 0,
                        benchmark: name(&benchmark),
                        setting: name(&setting),
                        item: record.item.to_string(),
                    };
                    found.entry(kind).or_insert_with(first).items += 1;
                }
            }
        }
    }
    let mut reasons: Vec<FailureReason> = found.into_values().collect();
    reasons.sort_by(|a, b| b.items.cmp(&a.items).then_with(|| a.text.cmp(&b.text)));
    Ok(reasons)
}

fn on_one_line(text: &str) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > QUOTED { words.chars().take(QUOTED).chain(['…']).collect() } else { words }
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What is in a folder, sorted; nothing if it is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, RecordsError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let read = fs::read_dir(folder).map_err(RecordsError::Read)?;
    let mut found =
        read.map(|e| Ok(e.map_err(RecordsError::Read)?.path())).collect::<Result<Vec<_>, RecordsError>>()?;
    found.sort();
    Ok(found)
}
