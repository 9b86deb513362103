//! `quantbias power`.

use super::{note, say};
use crate::analysis;
use crate::analysis::assumed::{ASSUMED, Assumptions, power_of};
use crate::findings::{self, PowerRow};
use crate::pipeline::{Failure, exit, scoring, stages};
use crate::records;
use clap::Args;
use fs_err as fs;
use std::path::{Path, PathBuf};

/// Show which change could be found with how many items, from a run, from findings, or from assumptions.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  quantbias power quantbias-out/runs/my-model-0123456789ab\n  quantbias power \
                  quantbias-out/findings/my-model-0123456789ab/findings.json\n  quantbias power --items 2000 --clusters 250 \
                  --discordance 0.06 --deff 2.5 --margin 0.02")]
pub(super) struct Power {
    /// A run directory or a findings.json; leave it out to plan from assumptions.
    #[arg(conflicts_with_all = ["items", "clusters", "discordance", "sd", "deff", "level", "power", "margin"])]
    from: Option<PathBuf>,
    /// Items.
    #[arg(long, required_unless_present = "from")]
    items: Option<u64>,
    /// Clusters of items; default: every item on its own.
    #[arg(long)]
    clusters: Option<u64>,
    /// Share of items whose binary outcome flips either way.
    #[arg(long, conflicts_with = "sd", allow_negative_numbers = true)]
    discordance: Option<f64>,
    /// Standard deviation of one item's change, for continuous metrics.
    #[arg(long, allow_negative_numbers = true)]
    sd: Option<f64>,
    /// Design effect: variance with clusters over variance without.
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    deff: f64,
    /// Confidence level.
    #[arg(long, default_value_t = 0.95, allow_negative_numbers = true)]
    level: f64,
    /// Probability of finding the change.
    #[arg(long, default_value_t = 0.8, allow_negative_numbers = true)]
    power: f64,
    /// A change that is to be detectable: shows how many items that takes. Only with assumptions: of a run or findings the
    /// margins are those of its plan.
    #[arg(long, allow_negative_numbers = true)]
    margin: Option<f64>,
    /// Write the rows as JSON to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

pub(super) fn run(args: &Power) -> Result<u8, Failure> {
    let rows = match &args.from {
        Some(path) => of_path(path)?,
        None => match assumed(args) {
            Ok(row) => vec![row],
            Err(wrong) => {
                complain(&wrong);
                return Ok(exit::USAGE);
            }
        },
    };
    show(&rows);
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&rows).map_err(analysis::AnalysisError::Plan)?;
        fs::write(path, format!("{json}\n")).map_err(Failure::Write)?;
    }
    Ok(exit::DONE)
}

fn complain(wrong: &str) {
    note!("error: {wrong}\nhelp: see `quantbias power --help`");
}

fn of_path(path: &Path) -> Result<Vec<PowerRow>, Failure> {
    if path.is_dir() {
        let plan = stages::stored_plan(path)?;
        let run = records::Run::open(path)?;
        return Ok(analysis::analyze_scored(&run, &plan, scoring::scores_of(&run)?)?.power);
    }
    Ok(findings::load(path)?.power)
}

/// A row from assumptions.
fn assumed(args: &Power) -> Result<PowerRow, String> {
    let assumptions = Assumptions {
        items: args.items.unwrap_or_default(),
        clusters: args.clusters,
        discordance: args.discordance,
        sd: args.sd,
        deff: args.deff,
        level: args.level,
        power: args.power,
        margin: args.margin,
    };
    power_of(&assumptions)
}

fn show(rows: &[PowerRow]) {
    for row in rows {
        let cell = &row.cell;
        let place =
            if cell.axis == "all" { "all items".to_owned() } else { format!("{} {}", cell.axis, cell.subgroup) };
        let what = if row.setting == ASSUMED {
            format!("a {}, from assumptions", cell.metric)
        } else {
            format!("{} {} {}, {place}", row.setting, cell.benchmark, cell.metric)
        };
        say!(
            "{what}: detectable change {:.4} with {} items in {} clusters (power {})",
            row.mde,
            row.items,
            row.clusters,
            row.power
        );
        if let (Some(margin), Some(items)) = (row.margin, row.items_for_margin) {
            let equivalence =
                row.items_for_equivalence.map_or_else(String::new, |n| format!("; to show equivalence within it, {n}"));
            say!("  items needed to detect the margin of {margin}: {items}{equivalence}");
        }
        say!("  {:>10} {:>10} {:>12}", "items", "clusters", "detectable");
        for point in &row.curve {
            say!("  {:>10} {:>10} {:>12.4}", point.items, point.clusters, point.mde);
        }
    }
    if rows.is_empty() {
        say!("no cell has a standard error: nothing changed, or there are too few clusters");
    }
}
