//! Other tools' per-item logs → a run directory that everything downstream accepts.
//!
//! A reader per tool turns rows of its log into items and raw answers; [`log`] puts the settings side by side and writes
//! the run. Nothing is scored, repaired, or guessed here: what a log does not say (hashes of the model, tokens, the
//! realised scheme) is absent, and said so as a caveat. An item means the same under every setting or the import stops.
//!
//! | kind | reads |
//! |---|---|
//! | `paper` | `final_result.json` of the code of Marcuzzi et al. 2026; items are paired by the order of rows |
//! | `lm-eval` | `samples_<task>_<date>.jsonl` and `results_<date>.json` of lm-evaluation-harness (`--log_samples`) |
//! | `lighteval` | `details_<task>_<date>.parquet` of lighteval |
//! | `helm` | `scenario_state.json` of HELM, which holds every instance with its request and result |
//! | `ptbb` | the JSON lists of PostTrainingBiasBenchmark; closed questions need a mapping |
//! | `table` | CSV, JSON Lines, JSON lists, or Parquet, through a mapping |

pub mod error;
pub mod files;
mod helm;
mod lighteval;
mod lm_eval;
pub mod log;
pub mod mapping;
mod paper;
mod parquet;
mod ptbb;
pub mod row;

pub use error::ImportError;
pub use log::{Log, Summary, file_name};
pub use mapping::Mapping;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Whose logs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The code of Marcuzzi et al. 2026.
    Paper,
    /// lm-evaluation-harness.
    LmEval,
    /// lighteval.
    Lighteval,
    /// HELM.
    Helm,
    /// PostTrainingBiasBenchmark.
    Ptbb,
    /// Any long table.
    Table,
}

impl Kind {
    /// Every kind with its name on the command line.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("paper", Self::Paper),
        ("lm-eval", Self::LmEval),
        ("lighteval", Self::Lighteval),
        ("helm", Self::Helm),
        ("ptbb", Self::Ptbb),
        ("table", Self::Table),
    ];

    /// The tool in words, for the manifest.
    #[must_use]
    pub fn tool(self) -> &'static str {
        match self {
            Self::Paper => "the code of Marcuzzi et al. 2026",
            Self::LmEval => "lm-evaluation-harness",
            Self::Lighteval => "lighteval",
            Self::Helm => "HELM",
            Self::Ptbb => "PostTrainingBiasBenchmark",
            Self::Table => "a table",
        }
    }
}

/// One setting's logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What the setting is called: `bf16`, `awq-w4` …
    pub label: String,
    /// A file, or a folder that is searched for the tool's files.
    pub path: PathBuf,
}

/// What to import.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whose logs.
    pub kind: Kind,
    /// Settings in order; the first is the baseline. Several sources may have one label.
    pub sources: Vec<Source>,
    /// Name of the audit.
    pub name: String,
    /// Id of the model.
    pub model: String,
    /// Bits per weight by label, where they are known.
    pub bits: BTreeMap<String, f64>,
    /// How rows are read; needed for tables, and replaces a tool's own reading.
    pub mapping: Option<Mapping>,
}

/// Reads the logs and writes a run directory.
///
/// # Errors
/// [`ImportError`]: a file is missing or not what the tool writes, settings do not hold the same items, or the folder
/// cannot be written.
pub fn import(request: &Request, out: &Path) -> Result<Summary, ImportError> {
    let mut log = Log::new(request);
    for source in &request.sources {
        match (&request.mapping, request.kind) {
            (Some(mapping), kind) => mapping.read(kind, source, &mut log)?,
            (None, Kind::Paper) => paper::read(source, &mut log)?,
            (None, Kind::LmEval) => lm_eval::read(source, &mut log)?,
            (None, Kind::Lighteval) => lighteval::read(source, &mut log)?,
            (None, Kind::Helm) => helm::read(source, &mut log)?,
            (None, Kind::Ptbb) => ptbb::read(source, &mut log)?,
            (None, Kind::Table) => return Err(ImportError::NoMapping),
        }
    }
    log.write(out).map_err(|error| match (error, request.sources.first()) {
        (ImportError::Nothing { what, .. }, Some(source)) => ImportError::Nothing { path: source.path.clone(), what },
        (error, _) => error,
    })
}
