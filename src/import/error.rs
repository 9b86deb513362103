//! Why a log cannot be imported.

use crate::records::RecordsError;
use std::path::PathBuf;

/// Why a log cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Reading failed.
    #[error(
        "cannot read what is to be imported: {0}\nhelp: name logs that are there, as LABEL=PATH, and with --map a mapping"
    )]
    Read(std::io::Error),
    /// Nothing of the tool's is there.
    #[error("{path} holds no {what}\nhelp: name the folder that the tool wrote, as LABEL=PATH", path = path.display())]
    Nothing {
        /// Where it was looked for.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// A file is not what the tool writes.
    #[error("{path}: {why}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the row.
        why: String,
    },
    /// An item differs between settings.
    #[error(
        "benchmark {benchmark}, item {item}: setting {setting} was asked something else than the settings before\nhelp: import only logs of the same items, in the same order where the tool gives no ids"
    )]
    Differs {
        /// Benchmark.
        benchmark: String,
        /// Item.
        item: String,
        /// Setting.
        setting: String,
    },
    /// An item occurs twice under one setting.
    #[error(
        "benchmark {benchmark}, item {item} occurs twice under setting {setting}\nhelp: name one run of the tool per label, or a mapping whose `id` tells the rows apart"
    )]
    Twice {
        /// Benchmark.
        benchmark: String,
        /// Item.
        item: String,
        /// Setting.
        setting: String,
    },
    /// A table needs a mapping.
    #[error(
        "a table needs a mapping\nhelp: say with --map FILE which column holds what; `quantbias import --help` shows one"
    )]
    NoMapping,
    /// The mapping is wrong.
    #[error("the mapping {0}\nhelp: `quantbias import --help` shows one")]
    Mapping(String),
    /// A label cannot name files.
    #[error("{what} cannot be {name:?}\nhelp: use 1 to 64 lower-case letters, digits, `-`, `_`, `.`; it names files")]
    Name {
        /// What is named.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The run directory.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// Scores that came with the log.
    #[error(transparent)]
    Scores(#[from] crate::scorer::ScorerError),
}
