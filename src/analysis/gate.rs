//! The gates: each setting against their margins, over all their cells.
//!
//! "All cells pass" needs no correction (intersection-union); "some cell fails" does (union), and reads simultaneous
//! bounds. Which gates there are stands in [`super::policy`], how one cell is decided in [`super::decide`].

use super::AnalysisError;
use super::contrast::Contrast;
use super::decide::{Decided, counted, decide_cell};
use super::flags::{MISSINGNESS, verdict};
use super::model_benchmark::{ModelBenchmark, Pair};
use super::policy::{Resolved, gates_of};
use crate::findings::{ContrastRow, Findings, GateCellRow, Verdict, VerdictCounts, VerdictRow, Worse};
use crate::stats::away::folded_change;
use crate::stats::equivalence::{Decision, GateCell, gate};
use crate::stats::interval::Interval;

/// Adds the rows of one model and benchmark to the findings, with verdicts.
pub(super) fn add(
    findings: &mut Findings,
    at: &ModelBenchmark<'_>,
    mut contrasts: Vec<Contrast>,
    bounds: &[Option<Interval>],
) -> Result<(), AnalysisError> {
    for gate in gates_of(at, &findings.metrics)? {
        // Every setting that was asked has its verdict, also where no subgroup of the metric has a row.
        for pair in at.gated().filter(|pair| gate.gates(&at.model, pair)) {
            findings.verdicts.push(decide(at, &gate, pair, &mut contrasts, bounds));
        }
    }
    findings.contrasts.extend(contrasts.into_iter().map(|c| c.row));
    Ok(())
}

/// The verdict of one gate at one setting.
fn decide(
    at: &ModelBenchmark<'_>,
    resolved: &Resolved<'_>,
    pair: &Pair,
    contrasts: &mut [Contrast],
    bounds: &[Option<Interval>],
) -> VerdictRow {
    let metric = &resolved.metric;
    let member = |c: &Contrast| c.row.cell.metric == *metric && !c.pair.named && resolved.covers(&c.row.cell);
    // The family of the claim "some cell fails": all cells at all settings of the gate.
    let family = contrasts.iter().filter(|c| member(c) && !c.pair.aa && resolved.gates(&at.model, &c.pair)).count();
    let (mut row, mut cells) = (empty(at, resolved, pair), Vec::new());
    let mut worst = f64::NEG_INFINITY;
    for (contrast, simultaneous) in contrasts.iter_mut().zip(bounds) {
        if !member(contrast) || contrast.row.setting != pair.setting || contrast.row.against != pair.against {
            continue;
        }
        let Decided { cell, missing } = decide_cell(at, contrast, simultaneous.as_ref(), resolved, family.max(1));
        if missing && !contrast.row.flags.iter().any(|f| f == MISSINGNESS) {
            contrast.row.flags.push(MISSINGNESS.to_owned());
        }
        if !pair.aa {
            contrast.row.verdict = Some(severer(contrast.row.verdict, verdict(cell.own)));
        }
        row.decided.push(decided(contrast, cell, missing));
        count(&mut row, &contrast.row, cell, missing);
        if contrast.row.delta.is_some() && badness(&contrast.row, resolved) > worst {
            worst = badness(&contrast.row, resolved);
            note_worst(&mut row, &contrast.row);
        }
        cells.push(cell);
    }
    row.verdict = row.verdict.map(|_| verdict(gate(&cells)));
    row
}

/// The severer of what two gates say about one cell.
fn severer(first: Option<Verdict>, second: Verdict) -> Verdict {
    first.filter(|f| f.severity() > second.severity()).unwrap_or(second)
}

fn decided(contrast: &Contrast, cell: GateCell, missing: bool) -> GateCellRow {
    GateCellRow {
        axis: contrast.row.cell.axis.clone(),
        subgroup: contrast.row.cell.subgroup.clone(),
        own: verdict(cell.own),
        simultaneous: verdict(cell.simultaneous),
        lower: contrast.gate.map(|i| i.lower),
        upper: contrast.gate.map(|i| i.upper),
        missing,
    }
}

/// A row without cells yet; its verdict is set for gated rows and absent for the A/A row.
fn empty(at: &ModelBenchmark<'_>, resolved: &Resolved<'_>, pair: &Pair) -> VerdictRow {
    VerdictRow {
        gate: resolved.id.clone(),
        model: at.model.clone(),
        benchmark: at.name.clone(),
        setting: pair.setting.clone(),
        metric: resolved.metric.clone(),
        margin: resolved.margin.value(),
        verdict: (!pair.aa).then_some(Verdict::Inconclusive),
        cells: VerdictCounts::default(),
        worse: resolved.declared_direction(),
        on_inconclusive: resolved.on_inconclusive,
        ..VerdictRow::default()
    }
}

fn count(row: &mut VerdictRow, contrast: &ContrastRow, cell: GateCell, missing: bool) {
    match counted(cell) {
        Decision::Pass => row.cells.pass += 1,
        Decision::Degraded => row.cells.degraded += 1,
        Decision::Fail => row.cells.fail += 1,
        Decision::Inconclusive => {
            row.cells.inconclusive += 1;
            // More items would not decide what missing answers leave open.
            if let Some(mde) = contrast.mde.filter(|_| !missing) {
                row.mde = Some(row.mde.map_or(mde, |m| m.max(mde)));
            }
        }
    }
}

fn note_worst(row: &mut VerdictRow, contrast: &ContrastRow) {
    row.worst_delta = contrast.delta;
    row.worst_interval = contrast.interval;
    row.worst_cell = Some(if contrast.cell.axis == super::cells::ALL {
        contrast.cell.subgroup.clone()
    } else {
        format!("{}: {}", contrast.cell.axis, contrast.cell.subgroup)
    });
}

/// How far a change goes towards worse, in metric units.
fn badness(contrast: &ContrastRow, resolved: &Resolved<'_>) -> f64 {
    let delta = contrast.delta.unwrap_or(0.0);
    match (resolved.worse, resolved.ideal, contrast.baseline_value, contrast.setting_value) {
        (Worse::Increase, ..) => delta,
        (Worse::Decrease, ..) => -delta,
        (Worse::AwayFromIdeal, Some(ideal), Some(base), Some(setting)) => {
            folded_change(setting - base, setting + base - 2.0 * ideal)
        }
        (Worse::Either | Worse::AwayFromIdeal, ..) => delta.abs(),
    }
}
