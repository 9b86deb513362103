//! `quantbias calibrate`.

use super::{above, say};
use crate::analysis::calibrate::{Calibration, Counted, Request, calibrate};
use crate::pipeline::{Failure, exit, scoring, stages};
use crate::records;
use clap::Args;
use fs_err as fs;
use std::path::PathBuf;

/// Simulate from a run's own clusters, and show whether intervals cover and tests keep their error rates.
#[derive(Debug, Args)]
#[command(
    after_help = "Draws clusters of the run with replacement. Intervals are tried on clusters as they are, where the truth \
                  is the observed change; tests on data in which nothing changed: recentred (the observed change taken \
                  off every cluster; where the metric allows it), and with the two settings of each cluster exchanged at \
                  random, which makes the sign flip exact. A stated effect is added to each. Coverage should be near the \
                  level, rejections near 1 − level where the effect is 0.\n\nExamples:\n  quantbias calibrate quantbias-out/runs/my-model-0123456789ab\n  \
                  quantbias calibrate RUN --effect 0.02 --replications 4000 --cells bbq/bias_ambiguous/all"
)]
pub(super) struct Calibrate {
    /// A run directory.
    run: PathBuf,
    /// Change added to the simulated data, in metric units (0.02 is 2 points of a share).
    #[arg(long, default_value_t = 0.0, allow_hyphen_values = true, value_parser = finite)]
    effect: f64,
    /// Simulated data sets per cell.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    replications: u32,
    /// Only cells whose model/benchmark/metric/axis/subgroup/setting contains this text (at most 60).
    #[arg(long)]
    cells: Option<String>,
    /// Bootstrap replicates and null draws within each data set.
    #[arg(long, default_value_t = 1999, value_parser = clap::value_parser!(u32).range(199..=100_000))]
    draws: u32,
    /// Folder for calibration.json and calibration.csv; default: `calibration/<run>` beside the folder of runs.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn finite(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(|| format!("{text:?} is no finite number"))
}

pub(super) fn run(args: &Calibrate) -> Result<u8, Failure> {
    let plan = stages::stored_plan(&args.run)?;
    let opened = records::Run::open(&args.run)?;
    let request =
        Request { effect: args.effect, replications: args.replications, cells: args.cells.clone(), draws: args.draws };
    let found = calibrate(&opened, &plan, &scoring::scores_of(&opened)?, &request)?;
    show(&found);
    let name = args.run.file_name().map_or_else(|| "run".into(), |n| n.to_string_lossy().into_owned());
    let folder = args.out.clone().unwrap_or_else(|| above(&args.run, 2).join("calibration").join(name));
    fs::create_dir_all(&folder).map_err(Failure::Write)?;
    let json = serde_json::to_string_pretty(&found).map_err(crate::analysis::AnalysisError::Plan)?;
    fs::write(folder.join("calibration.json"), format!("{json}\n")).map_err(Failure::Write)?;
    fs::write(folder.join("calibration.csv"), found.csv()).map_err(Failure::Write)?;
    say!("{}", folder.join("calibration.json").display());
    Ok(exit::DONE)
}

fn show(found: &Calibration) {
    let (mut heading, mut assumes) = (String::new(), "");
    for row in &found.rows {
        let cell = &row.cell;
        let what = if row.counted == Counted::FamilyError {
            format!("{} {} {}: family of {} hypotheses", cell.model, cell.benchmark, cell.metric, row.size)
        } else {
            let place =
                if cell.axis == "all" { "all items".to_owned() } else { format!("{} {}", cell.axis, cell.subgroup) };
            format!("{} {} {}, {place}: {} clusters", row.setting, cell.benchmark, cell.metric, row.size)
        };
        if what != heading {
            say!("\n{what}");
            (heading, assumes) = (what, "");
        }
        if row.assumes != assumes {
            say!(" {}:", row.assumes);
            assumes = &row.assumes;
        }
        let counted = match (row.counted, found.effect == 0.0) {
            (Counted::Coverage, _) => "coverage",
            (Counted::Rejection, true) => "size",
            (Counted::Rejection, false) => "power",
            (Counted::FamilyError, _) => "family-wise error",
        };
        let number = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.3}"));
        let nominal = row.nominal.map_or_else(String::new, |n| format!("  (nominal {n:.2})"));
        let refused = if row.refused > 0 { format!("  refused {}", row.refused) } else { String::new() };
        say!("  {counted:<18} {:<30} {} ± {}{nominal}{refused}", row.method, number(row.rate), number(row.error));
    }
    for left in &found.left_out {
        let cell = &left.cell;
        let place = format!("{}/{}/{}/{}", cell.benchmark, cell.metric, cell.axis, cell.subgroup);
        say!("\n{} {place}: {}", left.setting, left.why);
    }
    if found.rows.is_empty() && found.left_out.is_empty() {
        say!("no cell to simulate: nothing changed anywhere");
    }
}
