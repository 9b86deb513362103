//! Asks every item under every setting and keeps each raw answer.
//!
//! Each setting runs in worker processes under a supervisor ([`run`]), so that an engine may die. What is written
//! does not depend on how many workers there are, who asked what, or how often the run was interrupted. Nothing
//! here reads an answer, and nothing prints: whoever calls gets [`Event`]s.

pub mod capacity;
mod death;
pub mod event;
mod memory;
mod process;
pub mod protocol;
mod schedule;
mod slot;
pub mod speed;
mod supervisor;
pub mod worker;

pub use event::Event;
pub use protocol::EngineChoice;
pub use speed::{Speed, Speeds};

use crate::benchmark::BenchmarkData;
use crate::records::{FailureReason, RecordsError, Refused, RunDir, failures};
use crate::spec::{RunnerOptions, Setting};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What to run.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// Settings.
    pub settings: Vec<Setting>,
    /// Benchmarks, each with the models that are asked.
    pub benchmarks: Vec<PlannedBenchmark>,
    /// How to run; nothing in it changes an answer.
    pub options: RunOptions,
}

/// A benchmark and who is asked.
#[derive(Debug, Clone)]
pub struct PlannedBenchmark {
    /// The benchmark.
    pub data: Arc<BenchmarkData>,
    /// Model ids.
    pub models: Vec<String>,
}

/// How to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The user's limits.
    pub limits: RunnerOptions,
    /// The program whose subcommand `worker` is [`worker::main`].
    pub worker_exe: PathBuf,
    /// Which engine workers run.
    pub engine: EngineChoice,
    /// Open shards are written at least this often.
    pub flush: Duration,
}

impl RunOptions {
    /// mistral.rs in workers of the running program, open shards written every minute.
    ///
    /// # Errors
    /// The running program's path is not known.
    pub fn new(limits: RunnerOptions) -> std::io::Result<Self> {
        let worker_exe = std::env::current_exe()?;
        Ok(Self { limits, worker_exe, engine: EngineChoice::Mistral, flush: Duration::from_secs(60) })
    }
}

/// How a complete run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// Records in the run directory.
    pub items: u64,
    /// Of which failed.
    pub failed: u64,
    /// Settings that could not be loaded, in the order of the plan.
    pub refused: Vec<Refused>,
    /// Time of this session.
    pub elapsed: Duration,
    /// Processor time of this process, where the system tells it.
    pub own_cpu: Option<Duration>,
    /// Where the workers' time went.
    pub speeds: Speeds,
}

/// Why a run did not end well. Records that were made are on disk in every case.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The run directory.
    #[error(transparent)]
    Records(RecordsError),
    /// The stop flag was raised.
    #[error("interrupted with {present} of {planned} items done; go on with --resume")]
    Interrupted {
        /// Items with a record.
        present: u64,
        /// Items of the plan.
        planned: u64,
    },
    /// More items failed than the spec tolerates.
    #[error(
        "{failed} of {planned} items failed, and the spec tolerates {tolerated}{}\nhelp: the records are kept, each with its reason in \
         the column `reason` of records/*/*/part-*.parquet; `max_failed` of [runner] says what is tolerated",
        in_lines(reasons)
    )]
    TooManyFailed {
        /// Failed items.
        failed: u64,
        /// Items of the plan, without those of refused settings.
        planned: u64,
        /// How many may fail.
        tolerated: u64,
        /// Why, most frequent first.
        reasons: Vec<FailureReason>,
    },
    /// No setting could be loaded.
    #[error("no setting could be loaded; {}", first(refused))]
    AllRefused {
        /// Every setting with its reason.
        refused: Vec<Refused>,
    },
    /// Settings were loaded, but the baseline of no model.
    #[error("no baseline could be loaded, so that nothing can be compared; {}", first(refused))]
    NoBaseline {
        /// Every refused setting with its reason.
        refused: Vec<Refused>,
    },
    /// A setting that was loaded before cannot be loaded any more, its server is gone, or its loading was cut off from
    /// outside; nothing is recorded for what it was asked.
    #[error("setting {setting} is lost: {reason}; go on with --resume when that is mended")]
    Lost {
        /// Setting id.
        setting: String,
        /// Why.
        reason: String,
    },
    /// Workers cannot be started.
    #[error("cannot start a worker with {}: {error}", path.display())]
    Program {
        /// The program.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
}

fn first(refused: &[Refused]) -> String {
    refused.first().map_or_else(String::new, |r| format!("{}: {}", r.setting, r.reason))
}

/// Reasons that a message has room for.
const REASONS: usize = 3;

fn in_lines(reasons: &[FailureReason]) -> String {
    let mut text = if reasons.is_empty() { String::new() } else { ":".to_owned() };
    for FailureReason { text: why, items, benchmark, setting, item } in reasons.iter().take(REASONS) {
        let first = if *items == 1 { String::new() } else { "first ".to_owned() };
        let _ = write!(text, "\n  {items} × {why} ({first}{item} of {benchmark} under {setting})");
    }
    let rest: u64 = reasons.iter().skip(REASONS).map(|r| r.items).sum();
    if rest > 0 {
        let _ = write!(text, "\n  {rest} × other reasons");
    }
    text
}

/// How many of `planned` items may fail at a share of `max_failed` (0..=1).
fn tolerated(max_failed: f64, planned: u64) -> u64 {
    // 0.29 · 100 is a little less than 29 in binary.
    (max_failed * planned as f64 + 1e-9).floor() as u64
}

/// Whether no more items failed than `max_failed` (0..=1) of those that were planned. Items of a refused setting are not
/// planned: nobody could have asked them.
fn within(dir: &RunDir, failed: u64, planned: u64, max_failed: f64) -> Result<(), RunError> {
    let tolerated = tolerated(max_failed, planned);
    if failed <= tolerated {
        return Ok(());
    }
    // That too many failed is worth saying even where a file cannot be read.
    let reasons = failures(dir.path()).unwrap_or_default();
    Err(RunError::TooManyFailed { failed, planned, tolerated, reasons })
}

/// The same of a closed run.
///
/// # Errors
/// [`RunError::TooManyFailed`].
pub fn check_failed(dir: &RunDir, max_failed: f64) -> Result<(), RunError> {
    let counts = dir.manifest().provenance.counts.values();
    let (failed, planned) = counts.fold((0, 0), |(f, p), c| (f + c.failed, p + c.answered + c.failed));
    within(dir, failed, planned, max_failed)
}

/// Asks what is missing in the run directory, and completes it.
///
/// Shards are written as they fill; `stop` ends the run after writing what there is. Results depend on neither the
/// number of workers nor the moment of an interruption.
///
/// # Errors
/// [`RunError`]; everything answered so far is on disk.
pub fn run(
    plan: &RunPlan,
    dir: &mut RunDir,
    stop: &AtomicBool,
    events: &mut dyn FnMut(&Event),
) -> Result<RunSummary, RunError> {
    supervisor::Supervisor::run(plan, dir, stop, events)
}
