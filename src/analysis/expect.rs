//! What planned items can show: the minimum detectable effect of every gated cell, from stated assumptions or a pilot.

use super::cells::{ALL, Part, clusters, groups};
use super::policy::implied_margin;
use crate::benchmark::BenchmarkData;
use crate::findings::{ContrastRow, Findings};
use crate::metric::{Emission, Metric, Outcome, Reading, default_margin, functional, metrics_of};
use crate::spec::Plan;
use crate::stats::level::{Level, LevelError};
use crate::stats::power::{detectable, detectable_binary, items_for, items_needed_binary};
use crate::stats::refusal::MIN_CLUSTERS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is assumed where there is no pilot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Assumptions {
    /// Share of items whose answer flips, either way, in (0, 1].
    pub discordance: f64,
    /// Correlation of flips within a cluster, 0..=1; the design effect is `1 + (m − 1)·icc` with `m` items per cluster.
    pub icc: f64,
}

impl Default for Assumptions {
    /// Six of a hundred answers flip, as between an unquantized model and four bits (Miettinen's ρ_d in the planning
    /// form), and flips of one template are correlated by 0.2.
    fn default() -> Self {
        Self { discordance: 0.06, icc: 0.2 }
    }
}

/// What one cell can show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// Benchmark.
    pub benchmark: String,
    /// Metric id.
    pub metric: String,
    /// Axis, or `all`.
    pub axis: String,
    /// Subgroup, or `all`.
    pub subgroup: String,
    /// Items in the cell.
    pub items: u64,
    /// Clusters among them.
    pub clusters: u64,
    /// Margin of the gate on this metric, in metric units.
    pub margin: f64,
    /// Minimum detectable effect at the plan's level and power, in metric units; absent if it cannot be known.
    pub mde: Option<f64>,
    /// Items that the cell would need so that the margin becomes detectable.
    pub needed: Option<u64>,
    /// Where the number comes from, or why there is none.
    pub basis: String,
}

/// What the planned items can show in every cell of the gated metrics.
///
/// # Errors
/// [`LevelError`] where the plan's level is none.
pub fn expected(
    data: &BenchmarkData,
    plan: &Plan,
    assumed: Assumptions,
    pilot: Option<&Findings>,
) -> Result<Vec<Expected>, LevelError> {
    let level = Level::new(plan.level)?;
    let mut rows = Vec::new();
    for (metric, margin) in gated(data, plan) {
        for group in groups(data, metric.scope()) {
            let Some(size) = size(metric, data, &group.parts) else { continue };
            let row = Expected {
                benchmark: data.name.clone(),
                metric: metric.info().id,
                axis: group.axis,
                subgroup: group.subgroup,
                items: size.items,
                clusters: size.clusters,
                margin,
                mde: None,
                needed: None,
                basis: String::new(),
            };
            rows.push(match pilot.map(|p| pilot_rows(p, &row)) {
                Some(found) if !found.is_empty() => from_pilot(row, &found, plan, level),
                _ => from_assumptions(row, &size, metric, (plan, level), assumed),
            });
        }
    }
    Ok(rows)
}

/// The metrics that gates read, with their margins.
fn gated(data: &BenchmarkData, plan: &Plan) -> Vec<(&'static dyn Metric, f64)> {
    let all = metrics_of(data.measure);
    if let Some(margin) = implied_margin(plan, &data.name, default_margin(data.measure)) {
        return vec![(all[0], margin)];
    }
    let mut found: Vec<(&'static dyn Metric, f64)> = Vec::new();
    for gate in plan.gates.iter().filter(|g| g.benchmark == data.name) {
        let id = gate.metric.clone().unwrap_or_else(|| all[0].info().id);
        let Some(metric) = all.iter().find(|m| m.info().id == id) else { continue };
        match found.iter_mut().find(|(m, _)| m.info().id == id) {
            Some((_, margin)) => *margin = margin.min(gate.margin),
            None => found.push((*metric, gate.margin)),
        }
    }
    found
}

/// How large a cell is.
struct Size {
    items: u64,
    clusters: u64,
    /// Items that a plain mean with the same variance would have: `1/(1/n₁ + 1/n₂)` for a difference of two groups.
    effective: f64,
}

/// `None` where the metric is about none of the cell's items.
fn size(metric: &dyn Metric, data: &BenchmarkData, parts: &[Part]) -> Option<Size> {
    let unread = Reading { outcome: Outcome::Unparsed, said: None, thinking_tokens: None };
    let of = clusters(data).of_item;
    let (mut members, mut comparison, mut touched) = (0_u64, 0_u64, BTreeSet::new());
    for (i, (item, part)) in data.items.iter().zip(parts).enumerate() {
        if *part == Part::Out || metric.emit(item, &unread) == Emission::NotApplicable {
            continue;
        }
        *(if *part == Part::Member { &mut members } else { &mut comparison }) += 1;
        touched.insert(of[i]);
    }
    let two = functional(metric).dim() == 4;
    if members == 0 || (two && comparison == 0) {
        return None;
    }
    let (n1, n2) = (members as f64, comparison as f64);
    let effective = if two { 1.0 / (1.0 / n1 + 1.0 / n2) } else { n1 };
    Some(Size { items: members + comparison, clusters: touched.len() as u64, effective })
}

fn pilot_rows<'a>(pilot: &'a Findings, row: &Expected) -> Vec<&'a ContrastRow> {
    let same = |c: &&ContrastRow| {
        let cell = &c.cell;
        !c.aa
            && (&cell.benchmark, &cell.metric, &cell.axis, &cell.subgroup)
                == (&row.benchmark, &row.metric, &row.axis, &row.subgroup)
    };
    pilot.contrasts.iter().filter(same).collect()
}

/// The largest error over the pilot's settings, scaled by the square root of the clusters.
fn from_pilot(mut row: Expected, found: &[&ContrastRow], plan: &Plan, level: Level) -> Expected {
    let df = (row.clusters as f64 - 1.0).max(1.0);
    let scaled = |c: &&ContrastRow| Some(c.se? * (c.clusters as f64 / row.clusters as f64).sqrt());
    let se = found.iter().filter_map(scaled).reduce(f64::max);
    let at = |times: f64| detectable(se? / times.sqrt(), ((df + 1.0) * times - 1.0).max(1.0), level, plan.power);
    row.needed = items_for(row.margin, row.items, row.clusters, &at).filter(|_| se.is_some());
    row.mde = at(1.0);
    row.basis = if row.mde.is_some() {
        "pilot: the largest standard error over its settings".to_owned()
    } else {
        "the pilot saw no change, and gives no standard error".to_owned()
    };
    row
}

fn from_assumptions(
    mut row: Expected,
    size: &Size,
    metric: &dyn Metric,
    (plan, level): (&Plan, Level),
    assumed: Assumptions,
) -> Expected {
    let Some(range) = metric.range() else {
        "the metric is unbounded: only a pilot run can tell (--pilot)".clone_into(&mut row.basis);
        return row;
    };
    let per_cluster = row.items as f64 / row.clusters.max(1) as f64;
    let deff = 1.0 + (per_cluster - 1.0).max(0.0) * assumed.icc;
    // A flip moves an item by the metric's range at most.
    let items = size.effective.max(1.0) as u64;
    row.mde = detectable_binary(items, assumed.discordance, deff, level, plan.power).map(|m| (m * range).min(range));
    row.needed = items_needed_binary(row.margin / range, assumed.discordance, deff, level, plan.power)
        .map(|n| (n as f64 * row.items as f64 / size.effective).ceil() as u64)
        // No fewer clusters give an interval.
        .map(|n| n.max((per_cluster * MIN_CLUSTERS as f64).ceil() as u64));
    row.basis = format!("assumed: {} of items flip, design effect {deff:.2}", assumed.discordance);
    row
}

/// Whether a cell is over all items.
#[must_use]
pub fn is_overall(row: &Expected) -> bool {
    row.axis == ALL
}
