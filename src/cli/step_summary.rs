//! The summary of a job on GitHub: appended to the file that `GITHUB_STEP_SUMMARY` names, where it is set.

use super::note;
use crate::report::Pages;
use std::io::Write as _;
use std::path::Path;

/// The most bytes that GitHub takes per step.
const MOST: u64 = 1024 * 1024;

/// Appends the short form of the report, if the variable is set and there is room. A summary that cannot be written is
/// told and is no failure: the report lies on disk.
pub(super) fn append(pages: &Pages) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|p| !p.is_empty()) else { return };
    let Some(text) = pages.get("comment.md") else { return };
    if let Err(error) = append_to(Path::new(&path), text) {
        note!("warning: the step summary could not be written: {error}");
    }
}

fn append_to(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    if file.metadata()?.len() + text.len() as u64 + 1 > MOST {
        return Err(std::io::Error::other("it would be longer than the 1 MiB that GitHub takes"));
    }
    file.write_all(text)?;
    file.write_all(b"\n")
}
