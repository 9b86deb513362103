//! The seal of a closed run: `SHA256SUMS`, in the form that `sha256sum -c` reads.
//!
//! The manifest hashes records and items, because results depend on them; the seal hashes every file, so that an edit of
//! anything shows: the plan, the log, the manifest itself. Scores that came with an imported log are part of what was
//! imported, and sealed; scores that are computed later, and which models compute them (`scoring.json`), are not: findings
//! name the files that they were made from, with their SHA-256. Nothing here is a signature: whoever can write the folder can write a new seal, so keep the seal's own hash
//! somewhere else.

use super::digest::{canonical_json, sha256_file};
use super::error::RecordsError;
use super::run_dir::write_atomic;
use crate::fixity::sha256_hex;
use fs_err as fs;
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the file.
pub const SEAL: &str = "SHA256SUMS";

/// Top-level folders and files that change after the run is closed.
const UNSEALED: &[&str] = &[SEAL, "run.lock", "scores", "scoring.json"];

/// Names the scorers of an imported log; their files lie beside it.
const IMPORTED: &str = "scores/imported.json";

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, relative to the folder, or what it is.
    pub file: String,
    /// What is wrong, in words that follow the name.
    pub what: String,
}

/// Every file under a folder that a seal covers, relative to it with `/`, sorted.
///
/// # Errors
/// [`RecordsError::Read`].
pub fn files(folder: &Path) -> Result<Vec<String>, RecordsError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    for name in imported(folder)? {
        let path = folder.join(&name);
        if path.is_dir() { folders.push(path) } else { found.push(name) }
    }
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).map_err(RecordsError::Read)? {
            let path = entry.map_err(RecordsError::Read)?.path();
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            if UNSEALED.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What came with an imported log: the list of its scorers, and a folder for each, named by the start of its SHA-256.
fn imported(folder: &Path) -> Result<Vec<String>, RecordsError> {
    let path = folder.join(IMPORTED);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path).map_err(RecordsError::Read)?;
    let mut names = vec![IMPORTED.to_owned()];
    // A list that cannot be read is a file that was altered: the seal says so.
    for scorer in serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap_or_default() {
        let sha256 = canonical_json(&scorer).map(|text| sha256_hex(text.as_bytes())).unwrap_or_default();
        names.extend(sha256.get(..12).map(|start| format!("scores/{start}")));
    }
    names.retain(|name| folder.join(name).exists());
    Ok(names)
}

/// Whether a seal of an imported run is one of the first releases, which left its scores out.
#[must_use]
pub fn lacks_imported(folder: &Path) -> bool {
    let listed = |text: String| parse(&text).is_some_and(|sums| sums.contains_key(IMPORTED));
    folder.join(IMPORTED).exists() && !fs::read_to_string(folder.join(SEAL)).is_ok_and(listed)
}

/// Hashes every file of a folder and writes the seal.
///
/// # Errors
/// Reading or writing failed.
pub fn seal(folder: &Path) -> Result<(), RecordsError> {
    let mut sums = BTreeMap::new();
    for name in files(folder)? {
        let sum = sha256_file(&folder.join(&name)).map_err(RecordsError::Read)?;
        sums.insert(name, sum);
    }
    write_atomic(&folder.join(SEAL), lines(&sums).as_bytes())
}

/// Sums by file name as lines of `sha256sum`.
#[must_use]
pub fn lines(sums: &BTreeMap<String, String>) -> String {
    sums.iter().flat_map(|(name, sum)| [sum, "  ", name, "\n"]).collect()
}

/// Reads lines of `sha256sum`; `None` where a line is none, a name leaves the folder, or one comes twice.
#[must_use]
pub fn parse(text: &str) -> Option<BTreeMap<String, String>> {
    let mut sums = BTreeMap::new();
    for line in text.lines() {
        let (sum, name) = line.split_once("  ")?;
        let hexadecimal = sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let inside = !name.is_empty() && !name.starts_with('/') && !name.split('/').any(|part| part == "..");
        if !hexadecimal || !inside || sums.insert(name.to_owned(), sum.to_owned()).is_some() {
            return None;
        }
    }
    Some(sums)
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Files that were hashed.
    pub files: usize,
    /// SHA-256 of the seal itself; absent where there is none.
    pub seal_sha256: Option<String>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Hashes every file again and compares with the seal.
///
/// # Errors
/// [`RecordsError::Read`] where a file that is there cannot be read.
pub fn check(folder: &Path) -> Result<Checked, RecordsError> {
    let present = files(folder)?;
    let path = folder.join(SEAL);
    if !path.exists() {
        return Ok(Checked { files: 0, seal_sha256: None, problems: Vec::new() });
    }
    let bytes = fs::read(&path).map_err(RecordsError::Read)?;
    let seal_sha256 = Some(sha256_hex(&bytes));
    let problem = |file: &str, what: &str| Problem { file: file.to_owned(), what: what.to_owned() };
    let Some(sums) = std::str::from_utf8(&bytes).ok().and_then(parse) else {
        return Ok(Checked { files: 0, seal_sha256, problems: vec![problem(SEAL, "is not a list of SHA-256 sums")] });
    };
    let mut problems = Vec::new();
    for (name, expected) in &sums {
        if !folder.join(name).is_file() {
            problems.push(problem(name, "is missing"));
            continue;
        }
        let found = sha256_file(&folder.join(name)).map_err(RecordsError::Read)?;
        if found != *expected {
            problems.push(problem(name, &format!("was altered: SHA-256 is {found}, the seal says {expected}")));
        }
    }
    let old = lacks_imported(folder);
    let added = |name: &&String| !(sums.contains_key(*name) || old && name.starts_with("scores/"));
    for name in present.iter().filter(added) {
        problems.push(problem(name, "was added after the run was closed"));
    }
    Ok(Checked { files: sums.len(), seal_sha256, problems })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_sums_is_read_back_and_a_name_outside_the_folder_is_not() {
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let sums = BTreeMap::from([("a b".to_owned(), sum.to_owned()), ("c/d".to_owned(), sum.to_owned())]);
        assert_eq!(lines(&sums), format!("{sum}  a b\n{sum}  c/d\n"));
        assert_eq!(parse(&lines(&sums)), Some(sums));
        for wrong in ["../a", "/a", "a/../b", ""] {
            assert_eq!(parse(&format!("{sum}  {wrong}\n")), None, "{wrong}");
        }
        assert_eq!(parse(&format!("{}  a\n", sum.to_uppercase())), None);
        assert_eq!(parse(&format!("{sum}  a\n{sum}  a\n")), None);
    }
}
