//! `quantbias check`.

use super::running::{left_out, look_at, verdict, warn};
use super::say;
use crate::analysis::{check_margins, check_plan, gates_in_force};
use crate::findings::OnInconclusive;
use crate::pipeline::{Cost, Failure, Request, exit, today};
use crate::spec::{self, Checked, Gate};
use clap::Args;
use std::path::PathBuf;

/// Say what an audit file would do, without running anything.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  quantbias check audit.toml")]
pub(super) struct Check {
    /// The audit file.
    file: PathBuf,
}

pub(super) fn run(Check { file }: &Check) -> Result<u8, Failure> {
    let checked = spec::load(file)?;
    let request = Request::load(&checked)?;
    check_plan(request.benchmarks.iter().map(|(b, _)| &**b), &checked.plan)?;
    check_margins(&request.benchmarks.iter().map(|(b, _)| &**b), &checked.plan)?;
    let prepared = look_at(&request)?;
    say!("{}", verdict(file, &left_out(&prepared)));
    say!();
    let costs = prepared.costs();
    say!("{:<24} {:>8} {:>9} {:>9} {:>10}", "benchmark", "items", "clusters", "settings", "requests");
    for Cost { benchmark, items, clusters, settings, requests } in &costs {
        say!("{benchmark:<24} {items:>8} {clusters:>9} {settings:>9} {requests:>10}");
    }
    let total: usize = costs.iter().map(|c| c.requests).sum();
    say!("{:<24} {:>8} {:>9} {:>9} {total:>10}", "total", "", "", "");
    say!();
    for setting in &prepared.identity.settings {
        let realised = &setting.realised;
        say!(
            "{:<24} {:>6} bits per weight, activations: {}",
            setting.id,
            realised.bits_per_weight.map_or_else(|| "?".to_owned(), |bits| format!("{bits:.3}")),
            realised.activations
        );
        for deviation in &realised.deviations {
            say!("{:<24} note: {deviation}", "");
        }
    }
    say!();
    let example = checked.plan.gates.is_empty() && checked.plan.margins.is_empty();
    for gate in gates_in_force(request.benchmarks.iter().map(|(b, _)| &**b), &checked.plan) {
        let line = gate_line(&gate, checked.plan.inconclusive);
        say!("{line}{}", if example { "; an example margin: declare your own" } else { "" });
    }
    warn(expired(&checked, &today()));
    Ok(exit::DONE)
}

/// A gate with its margin, where it holds, and what it does when inconclusive.
fn gate_line(gate: &Gate, rule: OnInconclusive) -> String {
    let only = |names: &Option<Vec<String>>, what: &str| {
        names.as_ref().map_or_else(String::new, |n| format!(", {what} {}", n.join(" ")))
    };
    let settings =
        gate.schemes.as_ref().map_or_else(|| "all settings".to_owned(), |s| format!("settings {}", s.join(" ")));
    let inconclusive = match gate.inconclusive.unwrap_or(rule) {
        OnInconclusive::Fail => "exit code 11",
        OnInconclusive::Warn => "a warning",
        OnInconclusive::PassWithNote => "a note in the report",
    };
    format!(
        "gate {}: {} of {}, margin {}, {settings}{}{}{}; when inconclusive: {inconclusive}",
        gate.id,
        gate.metric.as_deref().unwrap_or("headline metric"),
        gate.benchmark,
        gate.margin,
        only(&gate.models, "models"),
        only(&gate.axes, "axes"),
        only(&gate.subgroups, "subgroups"),
    )
}

/// Waivers that no longer count.
fn expired(checked: &Checked, today: &str) -> Vec<String> {
    let gone = checked.waivers.iter().filter(|w| w.expires.as_str() < today);
    gone.map(|w| format!("the waiver of gate {} expired on {} and does not count", w.gate, w.expires)).collect()
}
