//! `quantbias show`.

use super::say;
use crate::findings::{self, Verdict};
use crate::pipeline::{Failure, exit};
use crate::report::terminal::{Pick, Screen, show};
use clap::{Args, ValueEnum};
use std::io::IsTerminal as _;
use std::path::PathBuf;

/// Show findings in the terminal: verdicts and the largest changes, or the changes that the options pick.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  quantbias show findings.json\n  quantbias show findings.json --setting q4k --subgroup religion\n  quantbias show findings.json --verdict fail"
)]
pub(super) struct Show {
    /// A findings.json.
    findings: PathBuf,
    /// Only benchmarks whose name or title has this in it.
    #[arg(long)]
    benchmark: Option<String>,
    /// Only this model.
    #[arg(long)]
    model: Option<String>,
    /// Only settings whose id or label has this in it.
    #[arg(long)]
    setting: Option<String>,
    /// Only subgroups that have this in their axis or name; `all items` for changes over all items.
    #[arg(long)]
    subgroup: Option<String>,
    /// Only changes with this verdict.
    #[arg(long, value_enum)]
    verdict: Option<Word>,
    /// Changes of metrics that have this in their id or title, instead of the headline metrics.
    #[arg(long)]
    metric: Option<String>,
    /// Columns; default: those of the terminal, or 80.
    #[arg(long, value_parser = clap::value_parser!(u16).range(20..))]
    width: Option<u16>,
}

/// A verdict on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Word {
    Pass,
    Degraded,
    Fail,
    Inconclusive,
}

pub(super) fn run(args: &Show) -> Result<u8, Failure> {
    let found = findings::load(&args.findings)?;
    let pick = Pick {
        benchmark: args.benchmark.clone(),
        subgroup: args.subgroup.clone(),
        setting: args.setting.clone(),
        model: args.model.clone(),
        metric: args.metric.clone(),
        verdict: args.verdict.map(|word| match word {
            Word::Pass => Verdict::Pass,
            Word::Degraded => Verdict::Degraded,
            Word::Fail => Verdict::Fail,
            Word::Inconclusive => Verdict::Inconclusive,
        }),
    };
    for line in show(&found, &pick, screen(args.width)) {
        say!("{line}");
    }
    Ok(exit::DONE)
}

/// The room there is. Colour only in a terminal, and not where `NO_COLOR` is set (<https://no-color.org>).
pub(super) fn screen(width: Option<u16>) -> Screen {
    let terminal = std::io::stdout().is_terminal();
    let (rows, columns) = if terminal { size() } else { (24, 80) };
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let dumb = std::env::var("TERM").is_ok_and(|t| t == "dumb");
    Screen {
        width: usize::from(width.unwrap_or(columns)),
        height: usize::from(rows),
        colour: terminal && !set("NO_COLOR") && !dumb,
    }
}

/// Rows and columns: of `LINES` and `COLUMNS` where they are set, else of the terminal as `stty` tells, else 24 and 80.
fn size() -> (u16, u16) {
    let told = || {
        let terminal = std::fs::File::open("/dev/tty").ok()?;
        let output = std::process::Command::new("stty").arg("size").stdin(terminal).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (rows, columns) = text.trim().split_once(' ')?;
        Some((rows.parse().ok()?, columns.parse().ok()?))
    };
    let (rows, columns) = told().unwrap_or((24, 80));
    let named = |name: &str| std::env::var(name).ok().and_then(|v| v.parse().ok());
    let at_least = |n: u16| if n < 20 { 20 } else { n };
    (at_least(named("LINES").unwrap_or(rows)), at_least(named("COLUMNS").unwrap_or(columns)))
}
