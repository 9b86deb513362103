//! `quantbias score`.

use super::progress::Progress;
use super::say;
use crate::pipeline::{Failure, exit, scoring};
use crate::records::Run;
use crate::spec::{self, RunnerOptions};
use clap::Args;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Score the continuations of a run, and keep the scores beside its records.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  quantbias score quantbias-out/runs/my-audit-0123456789ab\n  quantbias score quantbias-out/runs/my-audit-0123456789ab --plan audit.toml"
)]
pub(super) struct Score {
    /// A run directory.
    run: PathBuf,
    /// Take `[scoring]` from this audit file, and keep it in the run directory for later analyses.
    #[arg(long)]
    plan: Option<PathBuf>,
}

pub(super) fn run(Score { run: folder, plan }: &Score) -> Result<u8, Failure> {
    let run = Run::open(folder)?;
    let mut limits = RunnerOptions::default();
    if let Some(file) = plan {
        let checked = spec::load(file)?;
        scoring::store(folder, &checked.scoring)?;
        limits = checked.runner;
    }
    let chosen = scoring::stored(folder)?;
    let mut progress = Progress::new();
    let stop = AtomicBool::new(false);
    let scores = scoring::score(&run, &chosen, &limits, &stop, &mut |event| progress.show(event));
    progress.finish();
    let scores = scores?;
    for scorer in &scores.scorers {
        say!("{}  {}", &scorer.sha256()[..12], scorer.sentence());
    }
    say!("{} files of scores computed, {} taken from the cache", scores.computed, scores.reused);
    Ok(exit::DONE)
}
