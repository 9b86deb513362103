//! `quantbias merge`.

use super::running::warn;
use super::say;
use crate::pipeline::{Failure, exit};
use crate::records;
use crate::report::number::counted;
use clap::Args;
use std::path::PathBuf;

/// Join the parts of a run that `run --shard` made, on however many machines.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  quantbias run audit.toml --shard 1/2      # on one machine\n  quantbias run audit.toml --shard 2/2      # on another\n  quantbias merge quantbias-out/runs/my-model-*.part-* --out quantbias-out/runs/my-model"
)]
pub(super) struct Merge {
    /// Run directories of the parts.
    #[arg(required = true)]
    parts: Vec<PathBuf>,
    /// The run directory to make, or to complete with further parts.
    #[arg(long)]
    out: PathBuf,
}

pub(super) fn run(Merge { parts, out }: &Merge) -> Result<u8, Failure> {
    records::merge(parts, out)?;
    // Each part was held to the tolerance by itself, so that parts which passed cannot exceed it together.
    let failed: u64 = records::Run::open(out)?.manifest.provenance.counts.values().map(|c| c.failed).sum();
    warn((failed > 0).then(|| {
        format!("{} failed; a part with more than `max_failed` ended with exit code 6", counted(failed, "item"))
    }));
    say!("{}", out.display());
    Ok(exit::DONE)
}
