//! Paired changes: one row per metric, subgroup, and pair of settings.

use super::flags;
use super::model_benchmark::{Facts, ModelBenchmark, Pair};
use crate::findings::{Cell, ContrastRow, Flips, Interval, IntervalMethod, OtherInterval, TestResult};
use crate::spec::OtherMethod;
use crate::stats::bca::{basic, bca, studentized};
use crate::stats::cluster::{Cell as _, PairedTotals};
use crate::stats::functional::Functional;
use crate::stats::interval::{self, Replicates, expanded_percentile, percentile};
use crate::stats::jackknife::{ItemMoments, Jackknife, jackknife};
use crate::stats::level::Level;
use crate::stats::permutation::{Null, SignFlip};
use crate::stats::power::detectable;
use crate::stats::rare::Rare;
use crate::stats::refusal::{FEW_CLUSTERS, MIN_CLUSTERS, Refusal, admit_bootstrap, admit_interval};
use crate::table::sums::PairedSums;

/// Share of lost items above which a row is flagged.
const MANY_LOST: f64 = 0.01;

/// A row with what its family and its gate need.
pub(super) struct Contrast {
    pub(super) row: ContrastRow,
    pub(super) pair: Pair,
    pub(super) totals: PairedTotals,
    pub(super) functional: &'static dyn Functional,
    /// Largest difference that two values of the metric can have.
    pub(super) range: Option<f64>,
    /// Items without an answer, or without a value, under one of the two settings or both.
    pub(super) unsettled: f64,
    pub(super) jackknife: Option<Jackknife>,
    /// The interval that the gate reads: the wider of bootstrap and jackknife at the gate's level.
    pub(super) gate: Option<interval::Interval>,
    /// Whether replicates are needed.
    pub(super) wants: bool,
    /// Whether its replicates are part of its family's critical value; without, a band would claim too much.
    pub(super) banded: bool,
    /// Whether they are part of the critical value that gates read.
    pub(super) gated: bool,
    /// Whether the two settings share no item.
    pub(super) unpaired: bool,
}

/// What the replicates of a row give.
pub(super) struct Drawn {
    shown: Result<interval::BootstrapInterval, Refusal>,
    gate: Option<interval::Interval>,
    others: Vec<OtherInterval>,
    replicates: Option<Replicates>,
}

/// One row with its test, up to its replicates.
pub(super) fn contrast(
    at: &ModelBenchmark<'_>,
    cell: Cell,
    pair: &Pair,
    (sums, tested): (PairedSums, Result<SignFlip, Refusal>),
    facts: Facts,
) -> Contrast {
    let PairedSums { totals, moments, lost, unsettled, flips } = sums;
    let Facts { functional, range, .. } = facts;
    let mut row = empty_row(cell, pair, &totals, lost, flips);
    if row.items > 0 {
        row.baseline_value = totals.base_totals().estimate(functional);
        row.setting_value = totals.setting_totals().estimate(functional);
        row.delta = totals.estimate(functional);
    }
    let mut contrast = Contrast {
        row,
        pair: pair.clone(),
        totals,
        functional,
        range,
        // Items that neither side gave a value are open on both.
        unsettled: unsettled.max(lost as f64),
        jackknife: None,
        gate: None,
        wants: false,
        banded: false,
        gated: false,
        unpaired: false,
    };
    if contrast.row.delta.is_none() {
        contrast.row.note = Some(undefined(&contrast.row));
        return contrast;
    }
    if lost as f64 > MANY_LOST * (lost + contrast.row.items) as f64 {
        contrast.row.flags.push(flags::MANY_LOST.to_owned());
    }
    let refused = |method: &OtherMethod| OtherInterval {
        method: method.name().to_owned(),
        limits: None,
        note: Some("no bootstrap interval is made of this row".to_owned()),
    };
    contrast.row.other_intervals = at.method.plan.intervals.iter().filter(|m| !m.is_of_shares()).map(refused).collect();
    errors(at, &mut contrast, moments.as_ref());
    test(&mut contrast, tested);
    if (contrast.row.changed_clusters as usize) < MIN_CLUSTERS {
        rare_change(at, &mut contrast);
    } else {
        intervals(at, &mut contrast);
    }
    contrast
}

fn empty_row(cell: Cell, pair: &Pair, totals: &PairedTotals, lost: u64, flips: Option<Flips>) -> ContrastRow {
    ContrastRow {
        cell,
        setting: pair.setting.clone(),
        against: pair.against.clone(),
        aa: pair.aa,
        baseline_value: None,
        setting_value: None,
        delta: None,
        se: None,
        df: None,
        interval: None,
        jackknife: None,
        simultaneous: None,
        test: None,
        p_adjusted: None,
        other_adjusted: Vec::new(),
        family: None,
        significant: false,
        dz: None,
        flips,
        items: totals.items_total(),
        lost,
        clusters: totals.clusters() as u64,
        changed_clusters: totals.changed() as u64,
        clusters_effective: totals.effective_clusters(),
        deff: None,
        mde: None,
        limit_errors: None,
        other_intervals: Vec::new(),
        p_margin: None,
        items_needed: None,
        verdict: None,
        flags: Vec::new(),
        note: None,
    }
}

fn undefined(row: &ContrastRow) -> String {
    match (row.items, row.baseline_value, row.setting_value) {
        (0, ..) => "no item has a usable answer under both settings".to_owned(),
        (_, None, None) => "undefined under both settings: a denominator is zero".to_owned(),
        (_, None, _) => format!("undefined under {}: a denominator is zero", row.against),
        _ => format!("undefined under {}: a denominator is zero", row.setting),
    }
}

/// Standard error and what follows from it.
fn errors(at: &ModelBenchmark<'_>, contrast: &mut Contrast, moments: Option<&ItemMoments>) {
    let Ok(jackknifed) = jackknife(&at.design, &contrast.totals, contrast.functional) else { return };
    let row = &mut contrast.row;
    row.se = Some(jackknifed.se);
    row.df = Some(jackknifed.df);
    row.mde = detectable(jackknifed.se, jackknifed.df, at.method.level, at.method.plan.power);
    let independent = moments.and_then(|m| m.variance(&contrast.totals, contrast.functional));
    row.deff = independent.and_then(|v| jackknifed.design_effect(v));
    row.dz = (jackknifed.se > 0.0).then(|| jackknifed.estimate / (jackknifed.se * (jackknifed.clusters as f64).sqrt()));
    if jackknifed.clusters < FEW_CLUSTERS {
        row.flags.push(flags::FEW_CLUSTERS.to_owned());
    }
    contrast.jackknife = Some(jackknifed);
}

fn test(contrast: &mut Contrast, tested: Result<SignFlip, Refusal>) {
    match tested {
        Ok(found) => {
            let kind = if found.studentized { "studentized " } else { "" };
            let method = match found.null {
                Null::Exact { patterns } => format!("{kind}cluster sign-flip, exact ({patterns} patterns)"),
                Null::MonteCarlo { draws } => format!("{kind}cluster sign-flip, Monte Carlo ({draws} draws)"),
                Null::NoChange => "nothing changed".to_owned(),
            };
            if matches!(found.null, Null::MonteCarlo { .. }) && found.p <= found.smallest_p * 1.000_001 {
                contrast.row.flags.push(flags::RESOLUTION_LIMITED.to_owned());
            }
            contrast.row.test =
                Some(TestResult { p: found.p, p_mid: found.p_mid, method, smallest_p: found.smallest_p });
        }
        Err(refusal) => contrast.row.note = Some(refusal.to_string()),
    }
}

/// Hardly any cluster changed (0 to 5): the interval is Gaffke's bound from what the clusters do not show. Each
/// cluster's value is its part of the change (jackknife pseudo-value), at most the metric's range times G times the
/// largest share of the value that one cluster holds ([`largest_share`]).
fn rare_change(at: &ModelBenchmark<'_>, contrast: &mut Contrast) {
    let (changed, clusters) = (contrast.row.changed_clusters, contrast.row.clusters);
    let what = if changed == 0 {
        contrast.row.flags.push(flags::NO_CHANGE.to_owned());
        "no change observed".to_owned()
    } else {
        contrast.row.flags.push(flags::INSUFFICIENT.to_owned());
        format!("only {changed} of {clusters} clusters changed")
    };
    let Some(jackknifed) = contrast.jackknife.clone() else {
        contrast.row.note = Some(format!("{what}; {clusters} clusters are too few for an interval"));
        return;
    };
    let Some(range) = contrast.range else {
        contrast.row.mde = None;
        contrast.row.note = Some(format!("{what}, and the metric has no bounded range to bound a change by"));
        return;
    };
    let open = gaffke(at, contrast, &jackknifed, range);
    let bound = |level: Level, alpha: f64| {
        let (rare, rest) = open.as_ref()?;
        let found = rare.bounds(alpha)?;
        let (lower, upper) = ((found.lower + rest).max(-range), (found.upper + rest).min(range));
        Some(interval::Interval { lower, upper, level })
    };
    // Two sides share α, except where nothing changed: then only one of them can miss.
    let sides = if changed == 0 { 1.0 } else { 2.0 };
    let shown = bound(at.method.level, at.method.level.alpha() / sides);
    let gate = bound(at.method.gate_level, at.method.gate_level.alpha());
    contrast.row.interval = shown.map(|i| flags::publish(i, IntervalMethod::RareChange));
    // What could have been missed is what the bound leaves open, not what the few observed changes suggest.
    contrast.row.mde = shown.map(|i| i.lower.abs().max(i.upper.abs()));
    contrast.gate = gate;
    contrast.row.note = Some(format!("{what}; the interval is a bound on what could have been missed"));
}

/// What the clusters leave open, and the part of the change that comes from their unevenness: pseudo-values of unchanged
/// clusters are 0 up to that, and it is added back.
fn gaffke(at: &ModelBenchmark<'_>, contrast: &Contrast, jackknifed: &Jackknife, range: f64) -> Option<(Rare, f64)> {
    let totals = &contrast.totals;
    let g = totals.clusters();
    let changed: Vec<f64> = (0..g)
        .filter(|i| totals.base(*i) != totals.setting(*i))
        .map(|i| g as f64 * jackknifed.estimate - (g as f64 - 1.0) * jackknifed.without[i])
        .collect();
    let possible = range * g as f64 * largest_share(totals, contrast.functional);
    // A ratio is not linear: a pseudo-value may lie a little beyond what its share says.
    let extreme = changed.iter().fold(possible, |extreme, x| extreme.max(x.abs()));
    let stream = at.method.root.child(&at.name).child("rare change");
    let rest = jackknifed.estimate - changed.iter().sum::<f64>() / g as f64;
    Some((Rare::new(&changed, g - changed.len(), extreme, &stream)?, rest))
}

/// The largest share of the metric's value that one cluster holds, in (0, 1] where totals are counts of items.
///
/// For a mean it is the cluster's share of the items. For a difference of two means (four totals) it is half the sum of
/// its shares of both: a small subgroup is not diluted by a large reference. A score over few of the items (biased and
/// anti-biased answers only) is moved by a cluster's items as a share of these few.
fn largest_share(totals: &PairedTotals, functional: &dyn Functional) -> f64 {
    if functional.dim() == 4 {
        let sum = totals.sum();
        let (base, setting) = sum.split_at(4);
        let rows = (0..totals.clusters()).flat_map(|i| [(totals.base(i), base), (totals.setting(i), setting)]);
        return rows.map(|(row, all)| 0.5 * (row[1] / all[1] + row[3] / all[3])).fold(0.0, f64::max);
    }
    let largest = totals.items().iter().copied().max().unwrap_or(0);
    f64::from(largest) / totals.support(functional).min(totals.items_total() as f64)
}

/// The two-sided level whose limits are one-sided bounds at the gate's level.
fn gate_level(at: &ModelBenchmark<'_>) -> Option<Level> {
    at.method.gate_level.two_sided_of_one_sided().ok()
}

/// The jackknife's interval, and whether the bootstrap is to have its say.
fn intervals(at: &ModelBenchmark<'_>, contrast: &mut Contrast) {
    let changed = contrast.row.changed_clusters as usize;
    if let Err(refusal) = admit_interval(&contrast.totals, changed, contrast.functional) {
        contrast.row.note = Some(refusal.to_string());
        return;
    }
    let Some(jackknifed) = &contrast.jackknife else { return };
    if jackknifed.se == 0.0 {
        contrast.row.note = Some(Refusal::ZeroError.to_string());
        return;
    }
    let by_jackknife = jackknifed.interval(at.method.level);
    contrast.row.jackknife = by_jackknife.map(|i| flags::publish(i, IntervalMethod::JackknifeT));
    contrast.gate = gate_level(at).and_then(|l| jackknifed.interval(l));
    match admit_bootstrap(&contrast.totals, changed, contrast.functional) {
        Ok(()) => contrast.wants = true,
        Err(refusal) => contrast.refuse(&refusal),
    }
}

impl Contrast {
    /// Intervals from replicates, which are `kept` where the row's family needs them. Changes nothing yet, so that rows
    /// can be computed side by side.
    pub(super) fn draw(&self, at: &ModelBenchmark<'_>, replicates: Replicates, kept: bool) -> Drawn {
        let (clusters, strata) = self.jackknife.as_ref().map_or((0, 0), |j| (j.clusters, j.strata));
        let at_level = |level| expanded_percentile(&replicates, level, clusters, strata);
        let shown = at_level(at.method.level);
        let gate = gate_level(at).filter(|_| shown.is_ok()).and_then(|l| at_level(l).ok()).map(|b| b.interval);
        let others = self.others(at, &replicates);
        Drawn { replicates: Some(replicates).filter(|_| kept && shown.is_ok()), shown, gate, others }
    }

    /// The intervals that the plan asks for beside the headline one.
    fn others(&self, at: &ModelBenchmark<'_>, replicates: &Replicates) -> Vec<OtherInterval> {
        let (Some(jackknifed), level) = (&self.jackknife, at.method.level) else { return Vec::new() };
        let of = |method: &OtherMethod| {
            let found = match method {
                OtherMethod::Wilson | OtherMethod::ClopperPearson | OtherMethod::Jeffreys => return None,
                OtherMethod::Percentile => percentile(replicates, level).map_err(|r| r.to_string()),
                OtherMethod::Basic => basic(replicates, jackknifed.estimate, level).map_err(|r| r.to_string()),
                OtherMethod::Studentized if at.design.strata() > 1 => Err("defined for one stratum only".to_owned()),
                OtherMethod::Studentized => {
                    studentized(&at.weights, &self.totals, self.functional, level).map_err(|r| r.to_string())
                }
                OtherMethod::Bca => {
                    bca(replicates, jackknifed, self.functional, level).map(|b| b.found).map_err(|r| r.to_string())
                }
            };
            let limits = found.as_ref().ok().map(|b| [b.interval.lower, b.interval.upper]);
            Some(OtherInterval { method: method.name().to_owned(), limits, note: found.err() })
        };
        at.method.plan.intervals.iter().filter_map(of).collect()
    }

    /// Writes what was drawn into the row. Gives back the replicates where they were kept.
    pub(super) fn settle(&mut self, drawn: Drawn) -> Option<Replicates> {
        let found = match drawn.shown {
            Ok(found) => found,
            Err(refusal) => {
                self.refuse(&refusal);
                return None;
            }
        };
        let row = &mut self.row;
        row.other_intervals = drawn.others;
        row.interval = Some(flags::publish(found.interval, IntervalMethod::ExpandedPercentile));
        row.limit_errors = Some([found.lower_error, found.upper_error]);
        if found.discrete() {
            row.flags.push(flags::DISCRETE.to_owned());
        }
        if found.undefined > 0 {
            row.flags.push(flags::UNDEFINED_REPLICATES.to_owned());
        }
        let by_jackknife = self.jackknife.as_ref().and_then(|j| j.interval(found.interval.level));
        if by_jackknife.is_some_and(|i| i.disagrees(&found.interval)) {
            row.flags.push(flags::INTERVALS_DISAGREE.to_owned());
        }
        self.gate = match (self.gate, drawn.gate) {
            (Some(a), Some(b)) => Some(a.wider(b)),
            (a, b) => a.or(b),
        };
        drawn.replicates
    }

    /// Jackknife-t stands in where the bootstrap is refused.
    fn refuse(&mut self, refusal: &Refusal) {
        self.row.interval = self.row.jackknife;
        self.row.note = Some(match refusal {
            Refusal::TooFewClusters { .. } => {
                "too few clusters for a bootstrap interval: jackknife-t instead".to_owned()
            }
            refusal => format!("no bootstrap interval: {refusal}; jackknife-t instead"),
        });
    }
}

/// The simultaneous interval `Δ ± c·SE` of a row.
pub(super) fn band(contrast: &Contrast, reach: f64, level: Level) -> Option<(Interval, interval::Interval)> {
    let jackknifed = contrast.jackknife.as_ref().filter(|j| j.se > 0.0)?;
    let delta = contrast.row.delta?;
    let reach = reach * jackknifed.se;
    let band = interval::Interval { lower: delta - reach, upper: delta + reach, level };
    Some((flags::publish(band, IntervalMethod::Simultaneous), band))
}
