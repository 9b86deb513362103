//! Benchmarks without a common item: the difference of two samples, by Welch's t over clusters.

use super::assemble::setting_id;
use super::identity::Pair;
use crate::analysis::{AnalysisError, analyze_scored};
use crate::findings::{Cell, Compared, ContrastRow, EstimateRow, Findings, Interval, IntervalMethod, TestResult};
use crate::records::Run;
use crate::scorer::Scores;
use crate::spec::Plan;
use crate::stats::level::Level;
use crate::stats::power::detectable;
use crate::stats::unpaired::Unpaired;

/// Flag of a row whose two values come from different items.
const UNPAIRED: &str = "unpaired";

/// Adds the rows of benchmarks that could not be paired.
pub(super) fn add(
    findings: &mut Findings,
    [(a, scores_a), (b, scores_b)]: [(&Run, &Scores); 2],
    pairs: &[Pair],
    compared: &Compared,
    plan: &Plan,
) -> Result<(), AnalysisError> {
    let unpaired: Vec<&str> = compared.benchmarks.iter().filter(|c| !c.paired).map(|c| c.benchmark.as_str()).collect();
    if unpaired.is_empty() {
        return Ok(());
    }
    let bare =
        Plan { margins: std::collections::BTreeMap::new(), gates: Vec::new(), contrasts: Vec::new(), ..plan.clone() };
    let (of_a, of_b) = (analyze_scored(a, &bare, scores_a.clone())?, analyze_scored(b, &bare, scores_b.clone())?);
    let level = Level::new(plan.level).map_err(|_| AnalysisError::Level { what: "level", value: plan.level })?;
    for benchmark in unpaired {
        for pair in pairs {
            let rows = of_a.estimates.iter().filter(|e| e.cell.benchmark == benchmark && e.setting == pair.a);
            for first in rows {
                let same = |e: &&EstimateRow| {
                    e.setting == pair.b
                        && (&e.cell.benchmark, &e.cell.metric, &e.cell.axis, &e.cell.subgroup)
                            == (&first.cell.benchmark, &first.cell.metric, &first.cell.axis, &first.cell.subgroup)
                };
                let Some(second) = of_b.estimates.iter().find(same) else { continue };
                let cell = Cell { model: pair.id.clone(), ..first.cell.clone() };
                for (row, second_side) in [(first, false), (second, true)] {
                    let setting = setting_id(pair, second_side);
                    findings.estimates.push(EstimateRow { cell: cell.clone(), setting, ..row.clone() });
                }
                findings.contrasts.push(difference(cell, pair, first, second, level, plan.power));
            }
        }
        let described = |f: &Findings| f.audit.benchmarks.iter().find(|i| i.name == benchmark).cloned();
        findings.audit.benchmarks.extend(described(&of_b).map(|mut info| {
            info.models = pairs.iter().map(|p| p.id.clone()).collect();
            info
        }));
    }
    for metric in of_a.metrics {
        if !findings.metrics.iter().any(|m| m.id == metric.id) {
            findings.metrics.push(metric);
        }
    }
    Ok(())
}

/// `θ_B − θ_A` of two independent samples of clusters ([`Unpaired`]); the row of neither side is repeated.
fn difference(cell: Cell, pair: &Pair, a: &EstimateRow, b: &EstimateRow, level: Level, power: f64) -> ContrastRow {
    let delta = a.value.zip(b.value).map(|(a, b)| b - a);
    let side = |row: &EstimateRow| {
        let se = row.se.filter(|_| row.clusters > 1)?;
        Some((se * se, row.clusters as f64 - 1.0))
    };
    let known = delta.zip(side(a).zip(side(b))).and_then(|(delta, (a, b))| Unpaired::new(delta, a, b));
    let interval = known.map(|u| published(u.interval(level)));
    let test = known.map(|u| {
        let p = u.p.max(f64::MIN_POSITIVE);
        TestResult {
            p,
            p_mid: p,
            method: "Welch's t over clusters, unpaired".to_owned(),
            smallest_p: f64::MIN_POSITIVE,
        }
    });
    ContrastRow {
        cell,
        setting: setting_id(pair, true),
        against: setting_id(pair, false),
        aa: false,
        baseline_value: a.value,
        setting_value: b.value,
        delta,
        se: known.map(|u| u.se),
        df: known.map(|u| u.df),
        interval,
        jackknife: interval,
        simultaneous: None,
        test,
        p_adjusted: None,
        other_adjusted: Vec::new(),
        family: None,
        significant: false,
        dz: None,
        flips: None,
        items: a.items.min(b.items),
        lost: 0,
        clusters: a.clusters.min(b.clusters),
        changed_clusters: 0,
        clusters_effective: a.clusters.min(b.clusters) as f64,
        deff: None,
        mde: known.and_then(|u| detectable(u.se, u.df, level, power)),
        limit_errors: None,
        other_intervals: Vec::new(),
        p_margin: None,
        items_needed: None,
        verdict: None,
        flags: vec![UNPAIRED.to_owned()],
        note: Some("unpaired: the two values come from different items".to_owned()),
    }
}

fn published(interval: crate::stats::Interval) -> Interval {
    let crate::stats::Interval { lower, upper, level } = interval;
    Interval { lower, upper, level: level.value(), method: IntervalMethod::TwoSample }
}
