//! Cells: which items a row is about, and their totals per cluster.

use super::AnalysisError;
use crate::benchmark::{BenchmarkData, ClusterId, Item, Subgroup};
use crate::findings::Flips;
use crate::metric::{Emission, Metric, Reading, Scope};
use crate::stats::cluster::{Design, PairedTotals, Totals, TotalsError};
use crate::stats::jackknife::ItemMoments;
use crate::table::sums::PairedSums;
use std::collections::{BTreeMap, BTreeSet};

/// The label of the cell over all items, on its axis and as subgroup.
pub(super) const ALL: &str = "all";

/// Part of an item in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Not in the cell.
    Out,
    /// In the subgroup.
    Member,
    /// In the group that the subgroup is compared with.
    Comparison,
}

/// Which items a row is about.
pub(super) struct Group {
    pub(super) axis: String,
    pub(super) subgroup: String,
    pub(super) parts: Vec<Part>,
}

/// The clusters of a benchmark: index per item, and the design.
pub(super) struct Clusters {
    pub(super) of_item: Vec<u32>,
    pub(super) design: Design,
    /// Strata of a single cluster, which were taken together with others.
    pub(super) collapsed: usize,
}

/// Numbers the clusters in the order of their names, so that the order of items changes nothing.
pub(super) fn clusters(data: &BenchmarkData) -> Clusters {
    let mut strata: BTreeMap<&ClusterId, &str> = BTreeMap::new();
    for item in &data.items {
        strata.insert(&item.cluster, &item.stratum);
    }
    let labels: BTreeSet<&str> = strata.values().copied().collect();
    let label = |s: &str| labels.iter().position(|l| *l == s).unwrap_or(0) as u32;
    let index: BTreeMap<&ClusterId, u32> = strata.keys().enumerate().map(|(i, c)| (*c, i as u32)).collect();
    let stratum: Vec<u32> = strata.values().map(|s| label(s)).collect();
    // A caveat says so where strata were taken together.
    let (design, collapsed) = Design::collapsing(&stratum);
    Clusters { collapsed, of_item: data.items.iter().map(|i| index[&i.cluster]).collect(), design }
}

/// Whether an item belongs to the group that a subgroup is compared with.
type Compared<'a> = Option<Box<dyn Fn(&Item) -> bool + 'a>>;

/// All rows of a metric on a benchmark.
pub(super) fn groups(data: &BenchmarkData, scope: Scope) -> Vec<Group> {
    if scope == Scope::Named {
        return named_groups(data);
    }
    let mut by_axis: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for subgroup in data.items.iter().flat_map(|i| &i.subgroups) {
        by_axis.entry(&subgroup.axis).or_default().insert(&subgroup.name);
    }
    let mut groups = Vec::new();
    let every = |part: &dyn Fn(&Item) -> Part| Group {
        axis: ALL.to_owned(),
        subgroup: ALL.to_owned(),
        parts: data.items.iter().map(part).collect(),
    };
    match scope {
        Scope::Each => groups.push(every(&|_| Part::Member)),
        Scope::BetweenConditions { first, second } => groups.push(every(&|item| by_condition(item, first, second))),
        Scope::AgainstReference | Scope::AgainstRest | Scope::Named => {}
    }
    for (axis, names) in &by_axis {
        let reference = data.reference.get(*axis).map(String::as_str);
        for name in names {
            let comparison: Compared<'_> = match scope {
                Scope::Each | Scope::BetweenConditions { .. } | Scope::Named => None,
                Scope::AgainstReference => match reference {
                    Some(r) if r != *name => Some(Box::new(move |i: &Item| on(i, axis, r))),
                    _ => continue,
                },
                Scope::AgainstRest if names.len() > 1 => {
                    Some(Box::new(move |i: &Item| i.subgroups.iter().any(|s| s.axis == **axis)))
                }
                Scope::AgainstRest => continue,
            };
            let part = |item: &Item| {
                if on(item, axis, name) {
                    match scope {
                        Scope::BetweenConditions { first, second } => by_condition(item, first, second),
                        _ => Part::Member,
                    }
                } else if comparison.as_ref().is_some_and(|c| c(item)) {
                    Part::Comparison
                } else {
                    Part::Out
                }
            };
            groups.push(Group {
                axis: (*axis).to_owned(),
                subgroup: (*name).to_owned(),
                parts: data.items.iter().map(part).collect(),
            });
        }
    }
    groups
}

/// One row per subgroup that options name, over the items with such an option.
fn named_groups(data: &BenchmarkData) -> Vec<Group> {
    let named: BTreeSet<_> = data.items.iter().flat_map(|i| i.key.names.iter().flatten()).collect();
    let part = |item: &Item, s: &Subgroup| {
        if item.key.names.iter().flatten().any(|n| n == s) { Part::Member } else { Part::Out }
    };
    let group = |s: &Subgroup| Group {
        axis: s.axis.clone(),
        subgroup: s.name.clone(),
        parts: data.items.iter().map(|item| part(item, s)).collect(),
    };
    named.into_iter().map(group).collect()
}

fn by_condition(item: &Item, first: &str, second: &str) -> Part {
    match item.condition.as_deref() {
        Some(c) if c == first => Part::Member,
        Some(c) if c == second => Part::Comparison,
        _ => Part::Out,
    }
}

fn on(item: &Item, axis: &str, name: &str) -> bool {
    item.subgroups.iter().any(|s| s.axis == axis && s.name == name)
}

/// What every item emits under one setting, in the order of the items.
pub(super) fn emissions(metric: &dyn Metric, data: &BenchmarkData, readings: &[Reading]) -> Vec<Emission> {
    metric.emit_all(&data.items, readings)
}

/// What every item emits in a row about a subgroup that options name.
pub(super) fn named(metric: &dyn Metric, data: &BenchmarkData, group: &Group, readings: &[Reading]) -> Vec<Emission> {
    let emit = |(item, reading)| metric.emit_named(item, reading, &group.axis, &group.subgroup);
    data.items.iter().zip(readings).map(emit).collect()
}

/// Width of the totals of a metric's rows.
pub(super) fn width(metric: &dyn Metric) -> usize {
    crate::metric::functional(metric).dim()
}

/// Puts two totals at the place of the item's part.
fn place(row: &mut [f64], part: Part, totals: [f64; 2]) {
    let at = if part == Part::Comparison { 2 } else { 0 };
    row[at..at + 2].copy_from_slice(&totals);
}

/// Adds up one cell under one setting.
pub(super) fn setting_cell(
    width: usize,
    of_item: &[u32],
    group: &Group,
    emissions: &[Emission],
) -> Result<Totals, TotalsError> {
    let (mut cluster, mut rows) = (Vec::new(), Vec::new());
    for (i, part) in group.parts.iter().enumerate() {
        match (part, emissions[i]) {
            // What is missing is counted in the coverage rows and, where it is paired, in the contrast.
            (Part::Out, _) | (_, Emission::NotApplicable | Emission::Missing) => {}
            (part, Emission::Totals(totals)) => {
                cluster.push(of_item[i]);
                let start = rows.len();
                rows.resize(start + width, 0.0);
                place(&mut rows[start..], *part, totals);
            }
        }
    }
    Totals::from_items(width, &cluster, &rows)
}

/// Adds up one cell under baseline and setting.
pub(super) fn paired_cell(
    width: usize,
    of_item: &[u32],
    group: &Group,
    baseline: &[Emission],
    setting: &[Emission],
) -> Result<PairedSums, TotalsError> {
    let (mut cluster, mut base_rows, mut setting_rows, mut lost) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut moments = ItemMoments::new(2 * width);
    let mut joint = vec![0.0; 2 * width];
    for (i, part) in group.parts.iter().enumerate() {
        let (base, other) = match (part, baseline[i], setting[i]) {
            (Part::Out, ..) | (_, Emission::NotApplicable, _) | (_, _, Emission::NotApplicable) => continue,
            (_, Emission::Totals(base), Emission::Totals(other)) => (base, other),
            (_, Emission::Missing, _) | (_, _, Emission::Missing) => {
                lost += 1;
                continue;
            }
        };
        joint.fill(0.0);
        place(&mut joint[..width], *part, base);
        place(&mut joint[width..], *part, other);
        moments.add(&joint);
        cluster.push(of_item[i]);
        base_rows.extend_from_slice(&joint[..width]);
        setting_rows.extend_from_slice(&joint[width..]);
    }
    let totals = PairedTotals::from_items(width, &cluster, &base_rows, &setting_rows)?;
    Ok(PairedSums { totals, moments: Some(moments), lost, unsettled: 0.0, flips: None })
}

/// Items of a cell, as far as the metric applies to them, without a usable answer under one of two settings or both. Where an
/// item's value is made from several replies it counts by the part of the metric's range that the unusable ones among
/// them could move it by under both settings together, at most 1.
pub(super) fn unsettled(group: &Group, emissions: (&[Emission], &[Emission]), open: (&[f64], &[f64])) -> f64 {
    let applies = |i: usize| {
        group.parts[i] != Part::Out
            && emissions.0[i] != Emission::NotApplicable
            && emissions.1[i] != Emission::NotApplicable
    };
    let worth = |i: usize| (open.0[i] + open.1[i]).min(1.0);
    (0..group.parts.len()).filter(|i| applies(*i)).map(worth).sum()
}

/// Flips of the metric's binary event among the members of a cell; `None` where no item has one under both settings.
pub(super) fn flips(
    metric: &dyn Metric,
    data: &BenchmarkData,
    group: &Group,
    baseline: &[Reading],
    setting: &[Reading],
) -> Option<Flips> {
    let mut flips = Flips { n00: 0, n01: 0, n10: 0, n11: 0 };
    for (i, item) in data.items.iter().enumerate() {
        if group.parts[i] != Part::Member {
            continue;
        }
        match (metric.event(item, &baseline[i]), metric.event(item, &setting[i])) {
            (Some(false), Some(false)) => flips.n00 += 1,
            (Some(false), Some(true)) => flips.n01 += 1,
            (Some(true), Some(false)) => flips.n10 += 1,
            (Some(true), Some(true)) => flips.n11 += 1,
            _ => {}
        }
    }
    (flips != Flips { n00: 0, n01: 0, n10: 0, n11: 0 }).then_some(flips)
}

/// A totals error with its place.
pub(super) fn at(data: &BenchmarkData, metric: &dyn Metric) -> impl Fn(TotalsError) -> AnalysisError {
    let (benchmark, metric) = (data.name.clone(), metric.info().id);
    move |source| AnalysisError::Totals { benchmark: benchmark.clone(), metric: metric.clone(), source }
}
