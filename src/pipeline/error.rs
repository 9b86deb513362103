//! Every way in which a command can end, and its exit code.

use crate::analysis::AnalysisError;
use crate::findings::format::FindingsError;
use crate::records::{RecordsError, Refused};
use crate::spec::SpecError;

/// Exit codes, documented and tested: scripts depend on them.
pub mod exit {
    /// Done; with `audit`: every gate passed.
    pub const DONE: u8 = 0;
    /// A bug, or anything not below.
    pub const BUG: u8 = 1;
    /// The command line is wrong.
    pub const USAGE: u8 = 2;
    /// The spec is wrong.
    pub const SPEC: u8 = 3;
    /// Data, records, or findings are missing, altered, or of an unreadable version.
    pub const DATA: u8 = 4;
    /// The model cannot be loaded, or the engine died.
    pub const MODEL: u8 = 5;
    /// More items failed than the spec tolerates; records are kept.
    pub const FAILED_ITEMS: u8 = 6;
    /// Cannot write.
    pub const WRITE: u8 = 7;
    /// `audit`: a gate failed.
    pub const GATE_FAILED: u8 = 10;
    /// `audit`: inconclusive.
    pub const INCONCLUSIVE: u8 = 11;
    /// Interrupted; the open shard was written first.
    pub const INTERRUPTED: u8 = 130;
}

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The audit file is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A data set cannot be loaded.
    #[error("benchmark {id}: {source}")]
    Benchmark {
        /// Its id in the audit.
        id: String,
        /// Why.
        source: crate::benchmark::LoadError,
    },
    /// A data set cannot be downloaded.
    #[error(transparent)]
    Fetch(#[from] crate::fetch::FetchError),
    /// A model cannot be loaded.
    #[error("model {id}: {why}")]
    Model {
        /// Its id in the audit.
        id: String,
        /// Why.
        why: String,
    },
    /// Every benchmark is refused for every setting.
    #[error(
        "nothing is left to ask:{}\nhelp: choose benchmarks that can be asked, or run the model from its files (`path` or `hub`)",
        in_lines(refused)
    )]
    NothingToAsk {
        /// Settings and benchmarks that were refused, each with its reason.
        refused: Vec<Refused>,
    },
    /// The run directory.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The run.
    #[error(transparent)]
    Run(#[from] crate::runner::RunError),
    /// The scoring of continuations.
    #[error(transparent)]
    Scorer(#[from] crate::scorer::ScorerError),
    /// The import of another tool's logs.
    #[error(transparent)]
    Import(#[from] crate::import::ImportError),
    /// A table or a file of totals.
    #[error(transparent)]
    Table(#[from] crate::table::TableError),
    /// The analysis.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// The findings file.
    #[error(transparent)]
    Findings(#[from] FindingsError),
    /// The report.
    #[error(transparent)]
    Report(#[from] crate::report::ReportError),
    /// The running program cannot be found, so no worker can be started.
    #[error("cannot start workers: {0}")]
    Program(std::io::Error),
    /// Parts that do not belong together: a bundle cannot be made, or numbers cannot be laid side by side.
    #[error("{0}")]
    Bundle(String),
    /// Two runs cannot be compared.
    #[error(transparent)]
    Compare(#[from] crate::compare::CompareError),
    /// Writing outside a run directory failed.
    #[error("cannot write: {0}\nhelp: free space, or write to another place")]
    Write(std::io::Error),
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        use crate::compare::CompareError;
        use crate::report::ReportError;
        match self {
            Self::Analysis(AnalysisError::NoCells { .. })
            | Self::Report(ReportError::NoFont { .. } | ReportError::FontFile { .. }) => exit::USAGE,
            Self::Compare(CompareError::Analysis(_))
            | Self::Spec(_)
            | Self::Analysis(_)
            | Self::Report(ReportError::Template { .. } | ReportError::UnknownTemplate { .. }) => exit::SPEC,
            Self::Findings(FindingsError::Io(error)) if error.kind() != std::io::ErrorKind::NotFound => exit::WRITE,
            Self::Fetch(crate::fetch::FetchError::Write { .. }) | Self::Report(ReportError::Io(_)) | Self::Write(_) => {
                exit::WRITE
            }
            Self::Benchmark { .. }
            | Self::Table(_)
            | Self::Findings(_)
            | Self::Fetch(_)
            | Self::Bundle(_)
            | Self::Report(ReportError::Templates(_))
            | Self::Compare(_) => exit::DATA,
            Self::Model { .. } | Self::NothingToAsk { .. } => exit::MODEL,
            Self::Records(error) => records_code(error),
            Self::Run(error) => run_code(error),
            Self::Scorer(error) => scorer_code(error),
            Self::Import(error) => import_code(error),
            Self::Report(_) | Self::Program(_) => exit::BUG,
        }
    }
}

/// Refusals that a message has room for.
const REFUSALS: usize = 5;

fn in_lines(refused: &[Refused]) -> String {
    let mut lines: Vec<String> =
        refused.iter().take(REFUSALS).map(|r| format!("\n  {}: {}", r.setting, r.reason)).collect();
    if refused.len() > REFUSALS {
        lines.push(format!("\n  and {} more", refused.len() - REFUSALS));
    }
    lines.concat()
}

fn records_code(error: &RecordsError) -> u8 {
    match error {
        RecordsError::Write(_) | RecordsError::Locked { .. } | RecordsError::NotARun { .. } => exit::WRITE,
        RecordsError::Read(_)
        | RecordsError::Malformed { .. }
        | RecordsError::Version { .. }
        | RecordsError::OtherIdentity { .. }
        | RecordsError::Unfinished { .. }
        | RecordsError::NoManifest { .. }
        | RecordsError::Altered { .. }
        | RecordsError::Inventory { .. }
        | RecordsError::Incomplete { .. } => exit::DATA,
    }
}

fn import_code(error: &crate::import::ImportError) -> u8 {
    use crate::import::ImportError;
    match error {
        ImportError::Records(error) => records_code(error),
        ImportError::Scores(error) => scorer_code(error),
        ImportError::NoMapping | ImportError::Name { .. } => exit::USAGE,
        ImportError::Mapping(_) => exit::SPEC,
        ImportError::Read(_)
        | ImportError::Nothing { .. }
        | ImportError::Malformed { .. }
        | ImportError::Differs { .. }
        | ImportError::Twice { .. } => exit::DATA,
    }
}

fn scorer_code(error: &crate::scorer::ScorerError) -> u8 {
    use crate::scorer::ScorerError;
    match error {
        ScorerError::Records(error) => records_code(error),
        ScorerError::Replies(error) => run_code(error),
        ScorerError::Classifier { .. } | ScorerError::Judge { .. } => exit::MODEL,
    }
}

fn run_code(error: &crate::runner::RunError) -> u8 {
    use crate::runner::RunError;
    match error {
        RunError::Records(error) => records_code(error),
        RunError::Interrupted { .. } => exit::INTERRUPTED,
        RunError::TooManyFailed { .. } => exit::FAILED_ITEMS,
        _ => exit::MODEL,
    }
}
