//! `quantbias analyze`.

use super::tables::Tables;
use super::{above, note, say};
use crate::pipeline::{Failure, Layout, analyze_run, exit, scoring, stages, today};
use crate::spec::{self, Plan, Waiver};
use clap::Args;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "Examples:
  quantbias analyze quantbias-demo/runs/demo-1a2b3c4d5e6f
  quantbias analyze RUN --plan audit.toml --day 2026-11-22     an audit's findings again, its waivers judged as then
  quantbias analyze --table answers.parquet --map item=id,cluster=template,subgroup=group,setting=quant,value=correct
  quantbias analyze --table a.csv --map item=id,setting=scheme,subgroup=age,subgroup=gender \\
      --metric ratio:stereotyped/answered --metric toxicity --baseline bf16 --margin 0.02
  quantbias analyze --totals-sql > totals.sql
  quantbias analyze --totals day1.parquet day2.parquet --name nightly";

/// Compute findings from a run directory, a long table, or files of totals.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Analyze {
    /// A run directory.
    #[arg(conflicts_with_all = ["table", "totals"])]
    run: Option<PathBuf>,
    /// Take the plan from this audit file instead of the one in the run directory.
    #[arg(long)]
    plan: Option<PathBuf>,
    /// Judge waivers as of this day; default: today. With `--plan`, an audit's findings are made again to the byte, under
    /// the same id: its day stands in them with each waiver.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "plan", value_parser = day)]
    day: Option<String>,
    /// Folder for findings; default: the folder that holds the run's `runs` folder, and the current one for tables.
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    tables: Tables,
}

pub(super) fn run(Analyze { run, plan: file, day, out, tables }: &Analyze) -> Result<u8, Failure> {
    if tables.totals_sql {
        say!("{}", crate::table::TOTALS_SQL.trim_end());
        return Ok(exit::DONE);
    }
    if run.is_none() && tables.is_empty() {
        complain();
        return Ok(exit::USAGE);
    }
    let (plan, waivers) = plan_of(run.as_deref(), file.as_deref())?;
    let day = day.clone().unwrap_or_else(today);
    let waivers = (&waivers[..], day.as_str());
    let path = if let Some(run) = run {
        if let Some(file) = file {
            scoring::store(run, &spec::load(file)?.scoring)?;
        }
        let layout = Layout::new(out.clone().unwrap_or_else(|| above(run, 2)));
        analyze_run(run, &plan, waivers, &layout)?.1
    } else {
        let layout = Layout::new(out.clone().unwrap_or_else(|| PathBuf::from(".")));
        stages::analyze_tabled(tables.read()?, &tables.plan(plan), waivers, &layout)?.1
    };
    say!("{}", path.display());
    Ok(exit::DONE)
}

/// A day of the calendar.
fn day(text: &str) -> Result<String, String> {
    let date: toml::value::Datetime =
        text.parse().map_err(|_| format!("{text:?} is no day; write it as 2027-01-31"))?;
    match (date.date, date.time, date.offset) {
        (Some(day), None, None) => Ok(day.to_string()),
        _ => Err(format!("{text:?} is no day; write it as 2027-01-31")),
    }
}

fn complain() {
    note!(
        "error: there is nothing to analyze\nhelp: name a run directory, or give --table FILE… with --map, or --totals FILE…; \
         see `quantbias analyze --help`"
    );
}

/// The plan and the waivers of an audit file, or the plan in a run directory, or the default one.
pub(super) fn plan_of(run: Option<&Path>, file: Option<&Path>) -> Result<(Plan, Vec<Waiver>), Failure> {
    match (file, run) {
        (Some(file), _) => {
            let checked = spec::load(file)?;
            Ok((checked.plan, checked.waivers))
        }
        (None, Some(run)) => Ok((stages::stored_plan(run)?, Vec::new())),
        (None, None) => Ok((Plan::default(), Vec::new())),
    }
}
