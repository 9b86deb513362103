//! `quantbias plan`.

use super::running::{left_out, load, look_at, preset, verdict};
use super::say;
use crate::analysis::{Assumptions, Expected, check_margins, check_plan, expected, is_overall};
use crate::findings;
use crate::pipeline::{Failure, Prepared, Probe, Request, exit, freeze, probe, save_frozen};
use crate::report::number::counted;
use crate::spec::Preset;
use clap::Args;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Freeze what will be run and how it will be judged; say what it can show, and what it costs.
#[derive(Debug, Args)]
#[command(
    after_help = "The frozen plan holds models, settings, benchmarks by the hash of their items, margins, gates, level, power, \
and seed under one SHA-256. Give it to the audit; a later change is told in the report.\n\n\
Examples:\n  quantbias plan audit.toml --out plan.json && quantbias audit audit.toml --plan plan.json\n  \
quantbias plan audit.toml --no-probe --discordance 0.1\n  \
quantbias plan audit.toml --pilot quantbias-out/findings/pilot-0123456789ab/findings.json"
)]
pub(super) struct Plan {
    /// The audit file.
    file: PathBuf,
    /// Where the frozen plan goes; default: plan.json beside the audit file.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Instead of what the file says: quick, standard, or paper.
    #[arg(long, value_parser = preset)]
    preset: Option<Preset>,
    /// Ask the engine nothing: then the time is not known.
    #[arg(long)]
    no_probe: bool,
    /// Findings of a pilot run, from which the errors are taken.
    #[arg(long)]
    pilot: Option<PathBuf>,
    /// Assumed share of items whose answer flips, where there is no pilot.
    #[arg(long, default_value_t = Assumptions::default().discordance, value_parser = share)]
    discordance: f64,
    /// Assumed correlation of flips within a cluster, where there is no pilot.
    #[arg(long, default_value_t = Assumptions::default().icc, value_parser = share)]
    icc: f64,
}

fn share(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number")?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err("a share lies between 0 and 1".to_owned()) }
}

pub(super) fn run(args: &Plan) -> Result<u8, Failure> {
    let checked = load(&args.file, args.preset)?;
    let request = Request::load(&checked)?;
    check_plan(request.benchmarks.iter().map(|(b, _)| &**b), &checked.plan)?;
    check_margins(&request.benchmarks.iter().map(|(b, _)| &**b), &checked.plan)?;
    let prepared = look_at(&request)?;
    let pilot = args.pilot.as_ref().map(|path| findings::load(path)).transpose()?;
    let assumed = Assumptions { discordance: args.discordance, icc: args.icc };
    let mut rows = Vec::new();
    for (data, _) in prepared.benchmarks.iter().filter(|(_, models)| !models.is_empty()) {
        let level = |_| crate::analysis::AnalysisError::Level { what: "level", value: checked.plan.level };
        rows.extend(expected(data, &checked.plan, assumed, pilot.as_ref()).map_err(level)?);
    }
    let cost = if args.no_probe { None } else { Some(probe(&prepared, &checked.runner, &AtomicBool::new(false))?) };
    let without = left_out(&prepared);
    if !without.is_empty() {
        say!("{}", verdict(&args.file, &without));
        say!();
    }
    show(&rows, checked.plan.level, checked.plan.power);
    show_cost(&prepared, cost.as_ref());
    let frozen = freeze(&prepared, &checked.plan, rows, cost)?;
    let out = args.out.clone().unwrap_or_else(|| args.file.with_file_name("plan.json"));
    save_frozen(&frozen, &out)?;
    say!();
    say!("{}  {}", frozen.sha256, out.display());
    say!("keep the hash; then: quantbias audit {} --plan {}", args.file.display(), out.display());
    Ok(exit::DONE)
}

/// Cells with their minimum detectable effect.
fn show(rows: &[Expected], level: f64, power: f64) {
    say!("What the planned items can show, at level {level} and power {power} (MDE: minimum detectable effect):");
    say!();
    say!(
        "{:<20} {:<20} {:<26} {:>7} {:>8} {:>8} {:>8} {:>8}",
        "benchmark",
        "metric",
        "cell",
        "items",
        "clusters",
        "MDE",
        "margin",
        "needed"
    );
    for row in rows {
        let cell = if is_overall(row) { "all items".to_owned() } else { format!("{}: {}", row.axis, row.subgroup) };
        let mde = row.mde.map_or_else(|| "?".to_owned(), |m| format!("{m:.4}"));
        let enough = row.mde.is_some_and(|m| m <= row.margin);
        let needed = match row.needed {
            Some(n) if !enough => n.to_string(),
            _ => String::new(),
        };
        let short = |text: &str, n: usize| text.chars().take(n).collect::<String>();
        say!(
            "{:<20} {:<20} {:<26} {:>7} {:>8} {:>8} {:>8} {:>8}",
            short(&row.benchmark, 20),
            short(&row.metric, 20),
            short(&cell, 26),
            row.items,
            row.clusters,
            mde,
            row.margin,
            needed
        );
    }
    say!();
    let mut bases: Vec<&str> = rows.iter().map(|r| r.basis.as_str()).collect();
    bases.sort_unstable();
    bases.dedup();
    for basis in bases {
        say!("basis: {basis}");
    }
    say!("needed: items for which the margin would be detectable; empty where it is.");
}

fn show_cost(prepared: &Prepared, cost: Option<&Probe>) {
    let requests: usize = prepared.costs().iter().map(|c| c.requests).sum();
    say!();
    if let Some(probe) = cost {
        say!(
            "Cost: {} model calls for {} items over all settings; about {} with {} ({} items were asked to find out, \
         loading takes {:.1} s).",
            probe.requests,
            probe.items,
            duration(probe.seconds),
            counted(probe.workers, "worker"),
            probe.asked,
            probe.load_seconds
        );
    } else {
        say!("Cost: {requests} model calls; the time is not known without a probe.");
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{:.0} s", s.max(1.0)),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
