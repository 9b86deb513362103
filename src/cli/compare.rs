//! `quantbias compare`.

use super::analyze::plan_of;
use super::{above, say};
use crate::compare::compare;
use crate::pipeline::{Failure, Layout, exit, report_findings, save_findings, scoring};
use crate::records::Run;
use crate::report::{Templates, summary_lines};
use clap::Args;
use std::path::PathBuf;

/// Hold a run against another: what differs in their identity, then what changed from the first to the second.
#[derive(Debug, Args)]
#[command(after_help = "Items that are the same in both runs are paired; a benchmark without any is marked unpaired. \
Settings match by model and scheme; name others with --pair.\n\n\
Examples:\n  quantbias compare runs/before-0123456789ab runs/after-ba9876543210\n  \
quantbias compare RUN_A RUN_B --pair old@q4k=new@q4k --plan audit.toml")]
pub(super) struct Compare {
    /// The run that changes are counted from.
    run_a: PathBuf,
    /// The run that changes are counted to.
    run_b: PathBuf,
    /// Settings that belong together; may be given more than once.
    #[arg(long = "pair", value_name = "A_SETTING=B_SETTING", value_parser = pair)]
    pairs: Vec<(String, String)>,
    /// Take margins and gates from this audit file instead of the plan in RUN_B.
    #[arg(long)]
    plan: Option<PathBuf>,
    /// Folder for findings and report; default: the folder that holds RUN_B's `runs` folder.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (a, b) = text.split_once('=').ok_or("write it as A_SETTING=B_SETTING")?;
    Ok((a.to_owned(), b.to_owned()))
}

pub(super) fn run(args: &Compare) -> Result<u8, Failure> {
    let (plan, _) = plan_of(Some(&args.run_b), args.plan.as_deref())?;
    let (a, b) = (Run::open(&args.run_a)?, Run::open(&args.run_b)?);
    let scores = [scoring::scores_of(&a)?, scoring::scores_of(&b)?];
    let found = compare(&a, &b, &args.pairs, &plan, scores)?;
    for caveat in found.caveats.iter().filter(|c| c.about == "identity") {
        if let Some(subject) = &caveat.subject { say!("{subject}: {}", caveat.text) } else { say!("{}", caveat.text) }
    }
    say!();
    let layout = Layout::new(args.out.clone().unwrap_or_else(|| above(&args.run_b, 2)));
    let (found, path) = save_findings(found, &layout)?;
    let folder = layout.report(&found.audit.name, &found.analysis_id);
    report_findings(&found, None, &folder, &Templates::default())?;
    for line in summary_lines(&found) {
        say!("{line}");
    }
    say!();
    say!("findings  {}", path.display());
    say!("report    {}", folder.join("report.html").display());
    Ok(exit::DONE)
}
