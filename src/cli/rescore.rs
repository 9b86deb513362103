//! `quantbias rescore`.

use super::analyze::plan_of;
use super::{above, say};
use crate::findings;
use crate::pipeline::{Failure, Layout, exit, rescore, rescored_csv, rescored_lines};
use crate::spec;
use clap::Args;
use std::path::PathBuf;

/// Lines that the screen shows.
const SHOWN: usize = 40;

/// Read and score the answers of a run again, and lay the new numbers beside the old ones.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is asked again: a changed parser, scorer, metric, or plan works on the raw answers.\n\n\
Examples:\n  quantbias rescore RUN --against FINDINGS/findings.json\n  \
quantbias rescore RUN --against FINDINGS/findings.json --plan audit.toml"
)]
pub(super) struct Rescore {
    /// A run directory.
    run: PathBuf,
    /// The earlier findings of this run.
    #[arg(long)]
    against: PathBuf,
    /// Take plan and scoring from this audit file instead of the plan in the run directory.
    #[arg(long)]
    plan: Option<PathBuf>,
    /// Folder for the new findings and the table; default: beside the other findings of the run.
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Rescore) -> Result<u8, Failure> {
    let old = findings::load(&args.against)?;
    let (plan, waivers) = plan_of(Some(&args.run), args.plan.as_deref())?;
    let chosen = args.plan.as_deref().map(spec::load).transpose()?.map(|checked| checked.scoring);
    let (new, rows) = rescore(&args.run, &plan, &waivers, chosen.as_ref(), &old)?;
    let layout = Layout::new(args.out.clone().unwrap_or_else(|| above(&args.run, 2)));
    let beside = layout.findings(&new.audit.name, &format!("{}-rescored", new.analysis_id));
    let folder = above(&beside, 1);
    fs_err::create_dir_all(&folder).map_err(Failure::Write)?;
    findings::save(&new, &beside)?;
    fs_err::write(folder.join("rescored.csv"), rescored_csv(&rows)).map_err(Failure::Write)?;
    let text = serde_json::to_string_pretty(&rows).map_err(crate::analysis::AnalysisError::Plan)?;
    fs_err::write(folder.join("rescored.json"), format!("{text}\n")).map_err(Failure::Write)?;
    if old.quantbias != new.quantbias {
        say!("quantbias {} → {}", old.quantbias, new.quantbias);
    }
    if old.plan.sha256 != new.plan.sha256 {
        say!("plan {} → {}", &old.plan.sha256[..12.min(old.plan.sha256.len())], &new.plan.sha256[..12]);
    }
    for line in rescored_lines(&rows, SHOWN) {
        say!("{line}");
    }
    say!();
    say!("findings  {}", beside.display());
    say!("table     {}", folder.join("rescored.csv").display());
    Ok(exit::DONE)
}
