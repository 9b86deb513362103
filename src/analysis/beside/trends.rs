//! Trends over bits per weight, on the items that every setting of the model answered: slope and permutation test for
//! three kinds of scores, Page's test, and change points.
//!
//! Settings are ordered by the bits that were measured, never by their names, and once more within each family of schemes.
//! Metrics whose denominators differ between settings have no linear contrast and are left out, with a note.

use super::Rows;
use super::sample::{Measured, Sample, tested};
use crate::analysis::cells::{Group, Part, groups};
use crate::analysis::flags::publish;
use crate::findings::{ChangePoint, IntervalMethod, PageRow, SettingInfo, TrendRow};
use crate::metric::{Emission, Form, functional};
use crate::stats::cluster::Totals;
use crate::stats::functional::Functional;
use crate::stats::jackknife::{Jackknife, jackknife};
use crate::stats::multiplicity::max_t_from;
use crate::stats::refusal::Refusal;
use crate::stats::trend::{Trends, cliff_scores, log_scores, page, permute_trends, rank_scores, step_scores};
use std::collections::{BTreeMap, BTreeSet};

/// Permutations of settings.
const DRAWS: usize = 1999;

type Scores = fn(&[f64]) -> Vec<f64>;

/// Kinds of scores of settings by their bits.
pub(super) const SCORES: [(&str, Scores); 3] = [("rank", rank_scores), ("log2", log_scores), ("step", step_scores)];

/// Settings from few bits to many.
struct Order<'a> {
    family: String,
    settings: Vec<&'a SettingInfo>,
}

pub(super) fn add(rows: &mut Rows, sample: &Sample<'_>, measured: &Measured<'_>, settings: &[SettingInfo]) {
    let orders = orders(sample, settings);
    if !sample.at.apart.is_empty() {
        return super::trends_apart::add(rows, sample, measured, orders.first().map_or(&[], |o| &o.settings[..]));
    }
    for group in groups(sample.data, measured.metric.scope()) {
        for (n, order) in orders.iter().enumerate() {
            // Families of schemes are shown over all items; every subgroup has the order over all settings.
            if n == 0 || group.axis == crate::analysis::cells::ALL {
                rows.trends.extend(of_group(sample, measured, &group, order));
            }
        }
    }
}

fn orders<'a>(sample: &Sample<'_>, settings: &'a [SettingInfo]) -> Vec<Order<'a>> {
    // A setting of unknown bits has no place in an order by bits.
    let placed = |s: &&SettingInfo| !s.aa && s.bits_per_weight.is_some() && sample.at.settings.contains(&s.id);
    let mut own: Vec<&SettingInfo> = settings.iter().filter(placed).collect();
    own.sort_by(|a, b| bits(a).total_cmp(&bits(b)).then_with(|| a.id.cmp(&b.id)));
    let families: BTreeSet<&str> = own.iter().filter(|s| !s.baseline).map(|s| s.scheme_family.as_str()).collect();
    let several = families.len() > 1;
    let of_family = families.into_iter().filter(|_| several).map(|family| Order {
        family: family.to_owned(),
        settings: own.iter().copied().filter(|s| s.baseline || s.scheme_family == family).collect(),
    });
    let families: Vec<Order<'_>> = of_family.collect();
    let all = Order { family: "all".to_owned(), settings: own.clone() };
    std::iter::once(all).chain(families).filter(|o| o.settings.len() >= 3).collect()
}

/// Contributions of the common items: for each item its cluster, part, weight, and one number per setting.
struct Common {
    k: usize,
    cluster: Vec<u32>,
    comparison: Vec<bool>,
    weight: Vec<f64>,
    /// Items × settings.
    values: Vec<f64>,
}

impl Common {
    /// `None` where an item's denominator is not the same under every setting.
    fn new(sample: &Sample<'_>, measured: &Measured<'_>, group: &Group, order: &Order<'_>) -> Option<Self> {
        let k = order.settings.len();
        let mut common =
            Self { k, cluster: Vec::new(), comparison: Vec::new(), weight: Vec::new(), values: Vec::new() };
        if measured.metric.form() != Form::Ratio {
            return None;
        }
        for (i, part) in group.parts.iter().enumerate().filter(|(_, part)| **part != Part::Out) {
            let emitted = order.settings.iter().map(|s| match measured.emission(&s.id, i as u32) {
                Emission::Totals(t) => Some(t),
                Emission::Missing | Emission::NotApplicable => None,
            });
            let Some(emitted) = emitted.collect::<Option<Vec<[f64; 2]>>>() else { continue };
            if emitted.iter().any(|t| t[1].to_bits() != emitted[0][1].to_bits()) {
                return None;
            }
            common.cluster.push(sample.of_item[i]);
            common.comparison.push(*part == Part::Comparison);
            common.weight.push(emitted[0][1]);
            common.values.extend(emitted.iter().map(|t| t[0]));
        }
        Some(common)
    }

    /// Totals of `Σ_q c_q y_q` for the metric's own functional.
    fn contrast(&self, functional: &dyn Functional, scores: &[f64]) -> Option<Totals> {
        let p = functional.dim();
        let mut rows = vec![0.0; self.cluster.len() * p];
        for (i, row) in rows.chunks_exact_mut(p).enumerate() {
            let at = if self.comparison[i] { 2 } else { 0 };
            let values = &self.values[i * self.k..(i + 1) * self.k];
            row[at] = values.iter().zip(scores).map(|(y, c)| y * c).sum();
            row[at + 1] = self.weight[i];
        }
        Totals::from_items(p, &self.cluster, &rows).ok()
    }

    /// Clusters × settings, in units of the value: summed over clusters they give the metric under each setting.
    fn table(&self) -> (Vec<f64>, Vec<f64>) {
        let sum = |comparison: bool| -> f64 {
            self.weight.iter().zip(&self.comparison).filter(|(_, c)| **c == comparison).map(|(w, _)| w).sum()
        };
        let (own, other) = (sum(false), sum(true));
        let mut by_cluster: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (i, cluster) in self.cluster.iter().enumerate() {
            by_cluster.entry(*cluster).or_default().push(i);
        }
        // Numbers are added in increasing order, so that the order of items changes nothing.
        let added = |mut numbers: Vec<f64>| -> f64 {
            numbers.sort_unstable_by(f64::total_cmp);
            numbers.iter().sum()
        };
        let scale = |i: &usize| if self.comparison[*i] { -1.0 / other } else { 1.0 / own };
        let (mut table, mut weights) = (Vec::new(), Vec::new());
        for items in by_cluster.values() {
            let column = |q: usize| items.iter().map(|i| self.values[i * self.k + q] * scale(i)).collect();
            table.extend((0..self.k).map(|q| added(column(q))));
            // A difference of two means has no one mean to spread over.
            let own = items.iter().map(|i| if other > 0.0 { 0.0 } else { self.weight[*i] });
            weights.push(added(own.collect()));
        }
        (table, weights)
    }

    fn clusters(&self) -> usize {
        self.cluster.iter().collect::<BTreeSet<_>>().len()
    }
}

/// Bits per weight of a setting that has a place in an order.
fn bits(setting: &SettingInfo) -> f64 {
    setting.bits_per_weight.unwrap_or(f64::INFINITY)
}

/// A row that says nothing yet, over all families.
pub(super) fn unfilled(
    sample: &Sample<'_>,
    measured: &Measured<'_>,
    group: &Group,
    settings: &[&SettingInfo],
) -> TrendRow {
    TrendRow {
        cell: sample.cell(&measured.info.id, &group.axis, &group.subgroup),
        scheme_family: "all".to_owned(),
        scores: "rank".to_owned(),
        settings: settings.iter().map(|s| s.id.clone()).collect(),
        bits: settings.iter().map(|s| bits(s)).collect(),
        values: vec![None; settings.len()],
        slope: None,
        se: None,
        interval: None,
        test: None,
        page: None,
        change_points: Vec::new(),
        items: 0,
        clusters: 0,
        note: None,
    }
}

fn of_group(sample: &Sample<'_>, measured: &Measured<'_>, group: &Group, order: &Order<'_>) -> Vec<TrendRow> {
    let mut empty = unfilled(sample, measured, group, &order.settings);
    empty.scheme_family.clone_from(&order.family);
    let bits = empty.bits.clone();
    let Some(common) = Common::new(sample, measured, group, order) else {
        empty.note = Some("the metric's denominator differs between settings: no linear contrast".to_owned());
        return vec![empty];
    };
    let functional = functional(measured.metric);
    (empty.items, empty.clusters) = (common.cluster.len() as u64, common.clusters() as u64);
    for q in 0..bits.len() {
        let one: Vec<f64> = (0..bits.len()).map(|j| f64::from(u8::from(j == q))).collect();
        empty.values[q] =
            common.contrast(functional, &one).and_then(|t| crate::stats::cluster::Cell::estimate(&t, functional));
    }
    let cuts: Vec<f64> = {
        let mut cuts = bits.clone();
        cuts.dedup();
        cuts.pop();
        cuts
    };
    let mut scores: Vec<Vec<f64>> = SCORES.iter().map(|(_, make)| make(&bits)).collect();
    scores.extend(cuts.iter().map(|cut| cliff_scores(&bits, *cut)));
    let (table, weights) = common.table();
    let draws = sample.affordable(DRAWS, table.len() * (scores.len() + 4));
    let cell = &empty.cell;
    let stream = sample.stream.child("trend").child(&order.family).child(&cell.axis).child(&cell.subgroup);
    let found = permute_trends(&table, &weights, bits.len(), &scores, draws, &stream);
    let mut rows = Vec::new();
    for (j, (name, _)) in SCORES.iter().enumerate() {
        let mut row = empty.clone();
        (*name).clone_into(&mut row.scores);
        slope(&mut row, sample, &common, functional, &scores[j]);
        test(&mut row, &found, j, draws);
        if j == 0 {
            row.page = pages(&table, &weights, bits.len());
            row.change_points = cliffs(sample, &common, functional, (&bits, &cuts), found.as_ref().ok());
        }
        rows.push(row);
    }
    rows
}

fn jackknifed(sample: &Sample<'_>, common: &Common, functional: &dyn Functional, scores: &[f64]) -> Option<Jackknife> {
    jackknife(&sample.at.design, &common.contrast(functional, scores)?, functional).ok()
}

/// Least squares: `Σ c v / Σ c²` with centred scores.
fn slope(row: &mut TrendRow, sample: &Sample<'_>, common: &Common, functional: &dyn Functional, scores: &[f64]) {
    let squares: f64 = scores.iter().map(|c| c * c).sum();
    if squares <= 0.0 {
        row.note = Some("all settings have the same bits".to_owned());
        return;
    }
    let scaled: Vec<f64> = scores.iter().map(|c| c / squares).collect();
    row.slope =
        common.contrast(functional, &scaled).and_then(|t| crate::stats::cluster::Cell::estimate(&t, functional));
    let Some(found) = jackknifed(sample, common, functional, &scaled) else { return };
    row.se = Some(found.se);
    row.interval = found.interval(sample.level()).map(|i| publish(i, IntervalMethod::JackknifeT));
}

fn test(row: &mut TrendRow, found: &Result<Trends, Refusal>, j: usize, draws: usize) {
    match found {
        Ok(found) => {
            let smallest = if found.changed == 0 { 1.0 } else { 1.0 / (draws as f64 + 1.0) };
            let method = format!("within-cluster permutation of settings ({draws} draws)");
            row.test = Some(tested(found.p[j], None, smallest, method));
            if found.changed == 0 {
                // Every setting has the same totals in every cluster: what is left of the slope is rounding, and there is
                // nothing to make an interval from.
                (row.slope, row.se, row.interval) = (Some(0.0), Some(0.0), None);
            }
        }
        Err(refusal) => {
            row.interval = None;
            row.note = Some(refusal.to_string());
        }
    }
}

/// Page's test both ways, on clusters' means. Only for means: a gap's clusters have no ranks of their own.
fn pages(table: &[f64], weights: &[f64], k: usize) -> Option<PageRow> {
    if weights.iter().any(|w| *w <= 0.0) {
        return None;
    }
    let up = page(table, k)?;
    let turned: Vec<f64> = table.iter().map(|x| -x).collect();
    let down = page(&turned, k)?;
    let (exact, p) = match (up.p_exact, down.p_exact) {
        (Some(a), Some(b)) => (true, a.min(b)),
        _ => (false, up.p_normal.min(down.p_normal)),
    };
    Some(PageRow { l: up.l, p: (2.0 * p).min(1.0), exact })
}

fn cliffs(
    sample: &Sample<'_>,
    common: &Common,
    functional: &dyn Functional,
    (bits, cuts): (&[f64], &[f64]),
    found: Option<&Trends>,
) -> Vec<ChangePoint> {
    let Some(found) = found.filter(|f| f.changed > 0) else { return Vec::new() };
    let from = SCORES.len();
    let statistic = &found.statistic[from..from + cuts.len()];
    let draws: Vec<Vec<f64>> = found.null.iter().map(|d| d[from..from + cuts.len()].to_vec()).collect();
    let adjusted = max_t_from(statistic, &draws, false);
    let mut points = Vec::new();
    for (j, cut) in cuts.iter().enumerate() {
        let below = bits.iter().filter(|b| *b <= cut).count() as f64;
        let above = bits.len() as f64 - below;
        let weight = |b: &f64| if b <= cut { 1.0 / below } else { -1.0 / above };
        let scores: Vec<f64> = bits.iter().map(weight).collect();
        let Some(totals) = common.contrast(functional, &scores) else { continue };
        let Some(difference) = crate::stats::cluster::Cell::estimate(&totals, functional) else { continue };
        let jackknifed = jackknife(&sample.at.design, &totals, functional).ok();
        let interval = jackknifed.as_ref().and_then(|j| j.interval(sample.level()));
        points.push(ChangePoint {
            at_most: *cut,
            difference,
            se: jackknifed.map(|j| j.se),
            interval: interval.map(|i| publish(i, IntervalMethod::JackknifeT)),
            p: found.p[from + j],
            p_adjusted: adjusted.step_down[j],
        });
    }
    points
}
