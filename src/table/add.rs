//! Items of a long table are added up by cluster, subgroup, and setting.

use super::sums::{GroupSums, Lead, Pair, PairedSums, Sums, lonely_strata};
use super::totals::square;
use super::{About, DEFAULT_MARGIN, MetricSpec, TableError};
use crate::findings::{Caveat, Cell, CoverageRow, Flips, MetricInfo, Unit};
use crate::stats::cluster::{Design, PairedTotals, Totals, TotalsError};
use crate::stats::functional::Ratio;
use crate::stats::jackknife::ItemMoments;
use rayon::prelude::*;

/// The label of the cell over all items, on its axis and as subgroup.
pub(super) const ALL: &str = "all";

/// Items with everything that is known of them. Settings: the baseline first.
pub(super) struct Source<'a> {
    /// Whether items have ids; without, every row is one of its own.
    pub(super) ids: bool,
    pub(super) clusters: usize,
    pub(super) cluster: Vec<u32>,
    /// By cluster.
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
    /// Absent where items have no ids.
    pub(super) items: Option<u64>,
    pub(super) clusters: u64,
    /// What has to be said of them.
    pub(super) caveats: Vec<Caveat>,
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
    /// The values of one setting.
    fn side<'a>(&self, setting: &[&'a [f64]]) -> Side<'a> {
        Side { numerator: setting[self.numerator], denominator: self.denominator.map(|d| setting[d]) }
    }
}

/// A metric's values under one setting, by item.
#[derive(Clone, Copy)]
struct Side<'a> {
    numerator: &'a [f64],
    denominator: Option<&'a [f64]>,
}

impl Side<'_> {
    /// What an item adds, with a NaN where it has no value.
    #[inline]
    fn of(&self, item: u32) -> [f64; 2] {
        let denominator = match self.denominator {
            Some(denominator) => denominator[item as usize],
            None => 1.0,
        };
        [self.numerator[item as usize], denominator]
    }

    /// Whether an item has a value.
    #[inline]
    fn has(&self, item: u32) -> bool {
        let [numerator, denominator] = self.of(item);
        !(numerator.is_nan() || denominator.is_nan())
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
        .with_max_len(1)
        .map(|((metric, columns), list)| group(source, metric, columns, list, &about.name))
        .collect();
    let (design, collapsed) = design(source);
    let sums = Sums {
        benchmark: about.name.clone(),
        model: about.name.clone(),
        design,
        settings: source.settings.clone(),
        pairs: pairs(&source.settings),
        lead,
        groups: groups?,
        coverage: coverage(source, &order[0].1, &lists, &about.name),
    };
    let metrics = order.iter().map(|(m, _)| info(m, about)).collect();
    let items = source.ids.then_some(source.cluster.len() as u64);
    let caveats = lonely_strata(&about.name, collapsed).into_iter().collect();
    Ok(Added { sums, metrics, items, clusters: source.clusters as u64, caveats })
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

/// The design, and how many strata of a single cluster were taken together with others.
fn design(source: &Source<'_>) -> (Design, usize) {
    match &source.stratum {
        Some(strata) => Design::collapsing(strata),
        None => (Design::simple(source.clusters), 0),
    }
}

/// Items of one cell, by cluster.
struct List {
    axis: String,
    subgroup: String,
    items: Vec<u32>,
    /// Each cluster, and where its items end.
    clusters: Vec<(u32, usize)>,
}

impl List {
    fn new(source: &Source<'_>, axis: &str, subgroup: &str, items: Vec<u32>) -> Self {
        let mut clusters: Vec<(u32, usize)> = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let cluster = source.cluster[*item as usize];
            match clusters.last_mut().filter(|last| last.0 == cluster) {
                Some(last) => last.1 = i + 1,
                None => clusters.push((cluster, i + 1)),
            }
        }
        Self { axis: axis.to_owned(), subgroup: subgroup.to_owned(), items, clusters }
    }

    /// Clusters with their items.
    fn runs(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let mut from = 0;
        self.clusters.iter().map(move |(cluster, end)| {
            let run = &self.items[from..*end];
            from = *end;
            (*cluster, run)
        })
    }
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
        lists.extend(named.map(|(subgroup, items)| List::new(source, &axis.name, subgroup, items)));
    }
    lists.insert(0, List::new(source, ALL, ALL, items));
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
    let sides: Vec<Side<'_>> = source.values.iter().map(|setting| columns.side(setting)).collect();
    let rows: Vec<Rows> = sides.par_iter().map(|side| single(side, list, columns.exact)).collect();
    let begun: Vec<_> = sides.iter().zip(&rows).collect();
    let (base, others) = begun.split_first().map_or((None, &[][..]), |(base, others)| (Some(base), others));
    let pairs: Result<Vec<PairedSums>, TotalsError> = others
        .par_iter()
        .filter_map(|setting| Some(pair(list, *base?, *setting, columns.exact, metric.binary)))
        .collect();
    let pairs = pairs.map_err(totals)?;
    let settings: Result<Vec<Totals>, TotalsError> =
        rows.into_iter().map(|rows| Totals::new(2, rows.clusters, rows.rows, rows.items)).collect();
    Ok(GroupSums {
        cell: cell(name, &metric.id, &list.axis, &list.subgroup),
        functional: &Ratio,
        range: metric.binary.then_some(1.0),
        share: metric.binary,
        settings: settings.map_err(totals)?,
        pairs,
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

/// Baseline and setting on the items that have a value under both. Where all have, the sums are those of each alone.
fn pair(
    list: &List,
    (base, base_rows): (&Side<'_>, &Rows),
    (setting, setting_rows): (&Side<'_>, &Rows),
    exact: bool,
    binary: bool,
) -> Result<PairedSums, TotalsError> {
    let all = list.items.len() as u64;
    let mut seen = Seen::default();
    let totals = if base_rows.count() == all && setting_rows.count() == all {
        for item in &list.items {
            seen.add(base.of(*item), setting.of(*item));
        }
        let (clusters, items) = (base_rows.clusters.clone(), base_rows.items.clone());
        PairedTotals::new(2, clusters, &base_rows.rows, &setting_rows.rows, items)?
    } else {
        let rows = added(list, exact, |item| match (base.has(item), setting.has(item)) {
            (true, true) => {
                let (b, s) = (base.of(item), setting.of(item));
                seen.add(b, s);
                Some([b[0], b[1], s[0], s[1]])
            }
            (false, false) => None,
            _ => {
                seen.unsettled += 1;
                None
            }
        });
        paired(rows.clusters, &rows.rows, rows.items)?
    };
    let Seen { products, table, unsettled, items } = seen;
    let [n00, n01, n10, n11] = table;
    Ok(PairedSums {
        totals,
        moments: Some(ItemMoments::from_products(items, &square(&products))),
        lost: all - items,
        unsettled: unsettled as f64,
        flips: (binary && items > 0).then_some(Flips { n00, n01, n10, n11 }),
    })
}

/// What is counted of pairs of items.
#[derive(Default)]
struct Seen {
    /// Sums of the products of (b0, b1, s0, s1), the upper triangle by rows.
    products: [f64; 10],
    /// Pairs by whether the values are above ½.
    table: [u64; 4],
    unsettled: u64,
    items: u64,
}

impl Seen {
    #[inline]
    #[expect(
        clippy::needless_range_loop,
        reason = "a loop over indices stays one loop over vectors whether or not iterators are inlined"
    )]
    fn add(&mut self, [b0, b1]: [f64; 2], [s0, s1]: [f64; 2]) {
        let products = [b0 * b0, b0 * b1, b0 * s0, b0 * s1, b1 * b1, b1 * s0, b1 * s1, s0 * s0, s0 * s1, s1 * s1];
        for i in 0..10 {
            self.products[i] += products[i];
        }
        self.table[usize::from(b0 > 0.5) * 2 + usize::from(s0 > 0.5)] += 1;
        self.items += 1;
    }
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

impl Rows {
    /// Items in all clusters.
    fn count(&self) -> u64 {
        self.items.iter().map(|n| u64::from(*n)).sum()
    }
}

/// Sums of one setting by cluster.
fn single(side: &Side<'_>, list: &List, exact: bool) -> Rows {
    if !exact {
        return added(list, exact, |item| side.has(item).then(|| side.of(item)));
    }
    let mut out = Rows { clusters: Vec::new(), rows: Vec::new(), items: Vec::new() };
    for (cluster, run) in list.runs() {
        let (mut n, mut sums) = (0, [0.0; 2]);
        for item in run {
            if side.has(*item) {
                let [numerator, denominator] = side.of(*item);
                n += 1;
                sums[0] += numerator;
                sums[1] += denominator;
            }
        }
        if n > 0 {
            out.clusters.push(cluster);
            out.items.push(n);
            out.rows.extend_from_slice(&sums);
        }
    }
    out
}

/// Sums by cluster. Numbers that are no integers are added in increasing order, so that the order of items changes no
/// bit.
fn added<const P: usize>(list: &List, exact: bool, mut value: impl FnMut(u32) -> Option<[f64; P]>) -> Rows {
    let mut out = Rows { clusters: Vec::new(), rows: Vec::new(), items: Vec::new() };
    let mut kept: Vec<[f64; P]> = Vec::new();
    let mut column = Vec::new();
    for (cluster, run) in list.runs() {
        kept.clear();
        for item in run {
            if let Some(row) = value(*item) {
                kept.push(row);
            }
        }
        if kept.is_empty() {
            continue;
        }
        out.clusters.push(cluster);
        out.items.push(kept.len() as u32);
        for k in 0..P {
            column.clear();
            for row in &kept {
                column.push(row[k]);
            }
            if !exact && column.iter().any(|x| *x != column[0]) {
                column.sort_unstable_by(f64::total_cmp);
            }
            let mut sum = 0.0;
            for x in &column {
                sum += x;
            }
            out.rows.push(sum);
        }
    }
    out
}

/// Items with and without a value of the headline.
fn coverage(source: &Source<'_>, columns: &Columns, lists: &[List], name: &str) -> Vec<CoverageRow> {
    let sides: Vec<Side<'_>> = source.values.iter().map(|values| columns.side(values)).collect();
    let shared = |item: u32| sides.iter().filter(|side| side.has(item)).count() > 1;
    // Where no item has a value under two settings, none was meant to have one.
    let apart = sides.len() > 1 && !(0..source.cluster.len() as u32).into_par_iter().any(shared);
    let row = |setting: &String, side: &Side<'_>, list: &List| {
        let answered = list.items.iter().filter(|item| side.has(**item)).count() as u64;
        let items = if apart { answered } else { list.items.len() as u64 };
        covered(name, setting, &list.axis, &list.subgroup, answered, items)
    };
    let of = |(setting, side): (&String, &Side<'_>)| -> Vec<CoverageRow> {
        lists.iter().map(|list| row(setting, side, list)).collect()
    };
    source.settings.par_iter().zip(&sides).flat_map_iter(of).collect()
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
