//! Items of a long table are added up by cluster, subgroup, and setting.

use super::sums::{GroupSums, Lead, Pair, PairedSums, Sums};
use super::{About, DEFAULT_MARGIN, MetricSpec, TableError};
use crate::findings::{Cell, CoverageRow, Flips, MetricInfo, Unit};
use crate::stats::cluster::{Design, PairedTotals, Totals, TotalsError};
use crate::stats::functional::Ratio;
use crate::stats::jackknife::ItemMoments;
use rayon::prelude::*;

/// The label of the cell over all items, on its axis and as subgroup.
pub(super) const ALL: &str = "all";

/// Items with everything that is known of them. Settings: the baseline first.
pub(super) struct Source<'a> {
    pub(super) clusters: usize,
    pub(super) cluster: Vec<u32>,
    pub(super) stratum: Option<Vec<u32>>,
    pub(super) axes: Vec<Axis>,
    pub(super) settings: Vec<String>,
    /// Setting × column × item, NaN where there is none.
    pub(super) values: Vec<Vec<&'a [f64]>>,
}

/// A column of subgroups.
pub(super) struct Axis {
    pub(super) name: String,
    /// Increasing.
    pub(super) subgroups: Vec<String>,
    pub(super) of_item: Vec<u32>,
}

/// What a table comes to.
pub(super) struct Added {
    pub(super) sums: Sums,
    pub(super) metrics: Vec<MetricInfo>,
    pub(super) items: u64,
    pub(super) clusters: u64,
}

/// A metric with what its values showed.
pub(super) struct Measured {
    pub(super) id: String,
    /// Whether every value is 0 or 1: then a change of the value is a flip.
    pub(super) binary: bool,
}

/// How totals are added: columns of a metric, and whether all are integers.
struct Columns {
    numerator: usize,
    denominator: Option<usize>,
    exact: bool,
}

impl Columns {
    /// What an item adds under a setting.
    fn of(&self, setting: &[&[f64]], item: usize) -> Option<[f64; 2]> {
        let numerator = setting[self.numerator][item];
        let denominator = self.denominator.map_or(1.0, |d| setting[d][item]);
        (!numerator.is_nan() && !denominator.is_nan()).then_some([numerator, denominator])
    }
}

/// Adds up every metric in every subgroup.
pub(super) fn add(
    source: &Source<'_>,
    metrics: &[MetricSpec],
    columns: &[String],
    about: &About,
) -> Result<Added, TableError> {
    let place = |name: &String| columns.iter().position(|c| c == name).unwrap_or(0);
    let integer: Vec<bool> =
        (0..columns.len()).into_par_iter().map(|c| every(source, c, |x| x.fract() == 0.0)).collect();
    let measured: Vec<(Measured, Columns)> = metrics
        .iter()
        .map(|spec| {
            let (numerator, denominator) = match spec {
                MetricSpec::Mean(column) => (place(column), None),
                MetricSpec::Ratio { numerator, denominator } => (place(numerator), Some(place(denominator))),
            };
            let binary = denominator.is_none() && every(source, numerator, |x| x == 0.0 || x == 1.0);
            let exact = integer[numerator] && denominator.is_none_or(|d| integer[d]);
            (Measured { id: spec.id(), binary }, Columns { numerator, denominator, exact })
        })
        .collect();
    let lead = lead(measured.iter().map(|(m, _)| m.id.as_str()), about)?;
    let mut order: Vec<&(Measured, Columns)> = measured.iter().collect();
    order.sort_by_key(|(m, _)| (m.id != lead.headline, m.id.clone()));
    let lists = lists(source);
    let wanted: Vec<_> = order.iter().flat_map(|m| lists.iter().map(move |list| (m, list))).collect();
    let groups: Result<Vec<GroupSums>, TableError> = wanted
        .into_par_iter()
        .map(|((metric, columns), list)| group(source, metric, columns, list, &about.name))
        .collect();
    let sums = Sums {
        benchmark: about.name.clone(),
        model: about.name.clone(),
        design: design(source),
        settings: source.settings.clone(),
        pairs: pairs(&source.settings),
        lead,
        groups: groups?,
        coverage: coverage(source, &order[0].1, &lists, &about.name),
    };
    let metrics = order.iter().map(|(m, _)| info(m, about)).collect();
    Ok(Added { sums, metrics, items: source.cluster.len() as u64, clusters: source.clusters as u64 })
}

fn every(source: &Source<'_>, column: usize, holds: impl Fn(f64) -> bool + Sync) -> bool {
    source.values.par_iter().all(|setting| setting[column].iter().all(|x| x.is_nan() || holds(*x)))
}

/// The headline and its margin.
pub(super) fn lead<'a>(ids: impl Iterator<Item = &'a str> + Clone, about: &About) -> Result<Lead, TableError> {
    let first = ids.clone().next().unwrap_or_default();
    let headline = about.headline.as_deref().unwrap_or(first).to_owned();
    if !ids.clone().any(|id| id == headline) {
        let known = ids.map(|id| format!("{id:?}")).collect::<Vec<_>>().join(", ");
        return Err(TableError::Headline { asked: headline, known });
    }
    Ok(Lead { overall: headline.clone(), headline, worse: about.worse, default_margin: DEFAULT_MARGIN })
}

/// Every setting against the first.
pub(super) fn pairs(settings: &[String]) -> Vec<Pair> {
    let (Some(against), rest) = (settings.first(), settings.iter().skip(1)) else { return Vec::new() };
    rest.map(|s| Pair { setting: s.clone(), against: against.clone(), aa: false, named: false }).collect()
}

/// A metric for readers.
pub(super) fn info(metric: &Measured, about: &About) -> MetricInfo {
    MetricInfo {
        id: metric.id.clone(),
        title: metric.id.replace('_', " "),
        formula: "sum of numerators over sum of denominators (a mean where each denominator is 1)".to_owned(),
        reference: "column of the table".to_owned(),
        unit: if metric.binary { Unit::Share } else { Unit::Plain },
        ideal: None,
        worse: about.worse,
    }
}

fn design(source: &Source<'_>) -> Design {
    let Some(of_item) = &source.stratum else { return Design::simple(source.clusters) };
    let mut stratum = vec![0; source.clusters];
    for (cluster, label) in source.cluster.iter().zip(of_item) {
        stratum[*cluster as usize] = *label;
    }
    // A stratum of one cluster has no variance of its own: then strata are not used at all.
    Design::stratified(&stratum).unwrap_or_else(|_| Design::simple(source.clusters))
}

/// Items of one cell, by cluster.
struct List {
    axis: String,
    subgroup: String,
    items: Vec<u32>,
}

fn lists(source: &Source<'_>) -> Vec<List> {
    let mut items: Vec<u32> = (0..source.cluster.len() as u32).collect();
    items.sort_by_key(|item| source.cluster[*item as usize]);
    let mut lists = Vec::new();
    for axis in &source.axes {
        let mut by_subgroup: Vec<Vec<u32>> = vec![Vec::new(); axis.subgroups.len()];
        for item in &items {
            if let Some(list) = by_subgroup.get_mut(axis.of_item[*item as usize] as usize) {
                list.push(*item);
            }
        }
        let named = axis.subgroups.iter().zip(by_subgroup);
        lists.extend(named.map(|(s, items)| List { axis: axis.name.clone(), subgroup: s.clone(), items }));
    }
    lists.insert(0, List { axis: ALL.to_owned(), subgroup: ALL.to_owned(), items });
    lists
}

fn group(
    source: &Source<'_>,
    metric: &Measured,
    columns: &Columns,
    list: &List,
    name: &str,
) -> Result<GroupSums, TableError> {
    let totals = |source| TableError::Totals { metric: metric.id.clone(), subgroup: list.subgroup.clone(), source };
    let settings = source.values.iter().map(|setting| {
        let added = added::<2>(source, &list.items, columns.exact, |item| columns.of(setting, item));
        Totals::new(2, added.clusters, added.rows, added.items)
    });
    let settings: Result<Vec<Totals>, TotalsError> = settings.collect();
    let pairs = source.values.iter().skip(1).map(|setting| pair(source, metric, columns, list, setting));
    let pairs: Result<Vec<PairedSums>, TotalsError> = pairs.collect();
    Ok(GroupSums {
        cell: cell(name, &metric.id, &list.axis, &list.subgroup),
        functional: &Ratio,
        range: metric.binary.then_some(1.0),
        share: metric.binary,
        settings: settings.map_err(totals)?,
        pairs: pairs.map_err(totals)?,
    })
}

/// Where a row is: model and benchmark have the name of the table.
pub(super) fn cell(name: &str, metric: &str, axis: &str, subgroup: &str) -> Cell {
    Cell {
        model: name.to_owned(),
        benchmark: name.to_owned(),
        metric: metric.to_owned(),
        axis: axis.to_owned(),
        subgroup: subgroup.to_owned(),
    }
}

fn pair(
    source: &Source<'_>,
    metric: &Measured,
    columns: &Columns,
    list: &List,
    setting: &[&[f64]],
) -> Result<PairedSums, TotalsError> {
    let base = &source.values[0];
    let mut moments = ItemMoments::new(4);
    let (mut unsettled, mut table) = (0, [0_u64; 4]);
    let added = added::<4>(source, &list.items, columns.exact, |item| {
        match (columns.of(base, item), columns.of(setting, item)) {
            (Some([b0, b1]), Some([s0, s1])) => {
                moments.add(&[b0, b1, s0, s1]);
                table[usize::from(b0 > 0.5) * 2 + usize::from(s0 > 0.5)] += 1;
                Some([b0, b1, s0, s1])
            }
            (None, None) => None,
            _ => {
                unsettled += 1;
                None
            }
        }
    });
    let [n00, n01, n10, n11] = table;
    let flips = (metric.binary && table != [0; 4]).then_some(Flips { n00, n01, n10, n11 });
    let lost = (list.items.len() - added.items.iter().sum::<u32>() as usize) as u64;
    let totals = paired(added.clusters, &added.rows, added.items)?;
    Ok(PairedSums { totals, moments: Some(moments), lost, unsettled, flips })
}

/// Totals from rows of baseline and setting, two numbers each.
pub(super) fn paired(clusters: Vec<u32>, rows: &[f64], items: Vec<u32>) -> Result<PairedTotals, TotalsError> {
    let half = |from: usize| rows.chunks_exact(4).flat_map(|row| row[from..from + 2].to_vec()).collect::<Vec<f64>>();
    PairedTotals::new(2, clusters, &half(0), &half(2), items)
}

struct Rows {
    clusters: Vec<u32>,
    rows: Vec<f64>,
    items: Vec<u32>,
}

/// Sums by cluster. Numbers that are no integers are added in increasing order, so that the order of items changes no
/// bit.
fn added<const P: usize>(
    source: &Source<'_>,
    items: &[u32],
    exact: bool,
    mut value: impl FnMut(usize) -> Option<[f64; P]>,
) -> Rows {
    let mut out = Rows { clusters: Vec::new(), rows: Vec::new(), items: Vec::new() };
    let mut kept: Vec<[f64; P]> = Vec::new();
    let mut column = Vec::new();
    for run in items.chunk_by(|a, b| source.cluster[*a as usize] == source.cluster[*b as usize]) {
        kept.clear();
        kept.extend(run.iter().filter_map(|item| value(*item as usize)));
        if kept.is_empty() {
            continue;
        }
        out.clusters.push(source.cluster[run[0] as usize]);
        out.items.push(kept.len() as u32);
        for k in 0..P {
            if exact {
                out.rows.push(kept.iter().map(|row| row[k]).sum());
            } else {
                column.clear();
                column.extend(kept.iter().map(|row| row[k]));
                column.sort_unstable_by(f64::total_cmp);
                out.rows.push(column.iter().sum());
            }
        }
    }
    out
}

/// Items with and without a value of the headline.
fn coverage(source: &Source<'_>, columns: &Columns, lists: &[List], name: &str) -> Vec<CoverageRow> {
    let has = |values: &[&[f64]], item: u32| columns.of(values, item as usize).is_some();
    let shared = |item: u32| source.values.iter().filter(|values| has(values, item)).count() > 1;
    // Where no item has a value under two settings, none was meant to have one.
    let apart = source.values.len() > 1 && !(0..source.cluster.len() as u32).any(shared);
    let row = |setting: &String, values: &[&[f64]], list: &List| {
        let answered = list.items.iter().filter(|item| has(values, **item)).count() as u64;
        let items = if apart { answered } else { list.items.len() as u64 };
        covered(name, setting, &list.axis, &list.subgroup, answered, items)
    };
    let settings = source.settings.iter().zip(&source.values);
    settings.flat_map(|(id, values)| lists.iter().map(move |list| row(id, values, list))).collect()
}

/// A coverage row: what is not answered has failed.
pub(super) fn covered(name: &str, setting: &str, axis: &str, subgroup: &str, answered: u64, items: u64) -> CoverageRow {
    CoverageRow {
        model: name.to_owned(),
        benchmark: name.to_owned(),
        setting: setting.to_owned(),
        axis: axis.to_owned(),
        subgroup: subgroup.to_owned(),
        items,
        answered,
        refused: 0,
        unparsed: 0,
        truncated: 0,
        failed: items - answered,
    }
}
