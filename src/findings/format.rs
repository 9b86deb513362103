//! Reading and writing `findings.json`.

use super::Findings;
use crate::fixity::{readable, sha256_hex};
use fs_err as fs;
use std::path::Path;

/// Format version, `major.minor`. Changelog:
///
/// * `1.0` — first format.
/// * `1.1` — rows beside the contrasts: ranges, heterogeneity, shrunken changes, flips, uncertainty, distributions,
///   outcomes, omnibus tests, trends, missing answers, sensitivity, power; in contrasts, Monte-Carlo errors of the limits,
///   the p-value against the margin, and the items needed.
/// * `1.2` — interval methods `cluster_robust` and `two_sample` (the latter in rows flagged `unpaired`); the logistic slope
///   of flips over uncertainty; other intervals that the plan asks for; why a treatment of missing answers is not
///   there; which gate cells missing answers leave open; other intervals of shares and other adjustments that the plan asks
///   for; the exact test of net flips over clusters; settings of a name of their own; no number of items where it is unknown;
///   hashes of the score files.
pub const FORMAT: &str = "1.2";

/// Why findings cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FindingsError {
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The file cannot be read.
    #[error("cannot read {path}: {source}\nhelp: name a findings.json")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A folder was named.
    #[error("{path} is a folder\nhelp: name findings.json in it")]
    Folder {
        /// The folder.
        path: String,
    },
    /// Not JSON of this shape.
    #[error("{path} is not a findings file: {source}\nhelp: make it again with `quantbias analyze`")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The text is not what was written.
    #[error(
        "{path} was altered after it was written: its content does not have the SHA-256 at its end\nhelp: make it again with `quantbias analyze`"
    )]
    Altered {
        /// The file.
        path: String,
    },
    /// Two files that lie together do not belong together.
    #[error(
        "{path} belongs to analysis {found}, and the findings beside it to {wanted}\nhelp: make both again with `quantbias analyze`, or take the file away"
    )]
    OtherAnalysis {
        /// The file.
        path: String,
        /// Its analysis.
        found: String,
        /// The analysis of the findings.
        wanted: String,
    },
    /// Another major version, or a later minor one.
    #[error(
        "{path} has format {found}, and this release reads {FORMAT}\nhelp: use the release of quantbias that wrote it, or make it again with `quantbias analyze`"
    )]
    Version {
        /// The file.
        path: String,
        /// Its version.
        found: String,
    },
}

/// What stands before the digest that ends a file.
const DIGEST: &str = ",\n  \"content_sha256\": \"";

/// Writes findings as pretty JSON with a final newline; equal findings give equal bytes. The last key is the SHA-256
/// of the text without that key, so that an edit is noticed.
///
/// # Errors
/// [`FindingsError::Io`].
pub fn save(findings: &Findings, path: &Path) -> Result<(), FindingsError> {
    let mut text = serde_json::to_string_pretty(findings)
        .map_err(|source| FindingsError::Malformed { path: path.display().to_string(), source })?;
    text.push('\n');
    let end = format!("{DIGEST}{}\"\n}}\n", sha256_hex(text.as_bytes()));
    text.truncate(text.len() - "\n}\n".len());
    text.push_str(&end);
    fs::write(path, text)?;
    Ok(())
}

/// Reads findings of this format.
///
/// # Errors
/// [`FindingsError`].
pub fn load(path: &Path) -> Result<Findings, FindingsError> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: String,
    }
    let name = path.display().to_string();
    if path.is_dir() {
        return Err(FindingsError::Folder { path: name });
    }
    let text = std::fs::read_to_string(path).map_err(|source| FindingsError::Read { path: name.clone(), source })?;
    let malformed = |source| FindingsError::Malformed { path: name.clone(), source };
    let head: Head = serde_json::from_str(&text).map_err(malformed)?;
    if !readable(&head.format, FORMAT) {
        return Err(FindingsError::Version { path: name, found: head.format });
    }
    let found = serde_json::from_str(&text).map_err(malformed)?;
    if intact(&text) { Ok(found) } else { Err(FindingsError::Altered { path: name }) }
}

/// Whether a file ends with the digest of what stands before it.
fn intact(text: &str) -> bool {
    let digest = text.rsplit_once(DIGEST).and_then(|(body, end)| Some((body, end.strip_suffix("\"\n}\n")?)));
    digest.is_some_and(|(body, said)| sha256_hex(format!("{body}\n}}\n").as_bytes()) == said)
}
