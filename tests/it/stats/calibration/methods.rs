//! Every interval and test on one drawn data set, counted: the defaults, and for comparison what others use.

use super::world::Drawn;
use quantbias::stats::adjust::holm;
use quantbias::stats::bca::{basic, bca, bca_unchecked, studentized};
use quantbias::stats::bootstrap::Weights;
use quantbias::stats::cluster::Cell;
use quantbias::stats::functional::{Functional, Ratio};
use quantbias::stats::interval::{Replicates, expanded_percentile, percentile};
use quantbias::stats::jackknife::{Jackknife, jackknife};
use quantbias::stats::multiplicity::{Hypothesis, MaxDeviation, max_t};
use quantbias::stats::paired::{durkalski, mcnemar};
use quantbias::stats::permutation::{exact_integer, sign_flip};
use quantbias::stats::rare::Rare;
use quantbias::stats::refusal::{MIN_CLUSTERS, admit_bootstrap, admit_interval};
use quantbias::stats::{Design, Flips, Interval, Level, PairedTotals, Stream};
use std::collections::BTreeMap;

/// Replicates of each bootstrap, and draws of each null.
pub(super) const REPLICATES: usize = 1999;

/// Events counted over repetitions, by name: (happened, possible).
pub(super) type Tally = BTreeMap<&'static str, (u64, u64)>;

pub(super) fn count(tally: &mut Tally, name: &'static str, happened: bool) {
    let entry = tally.entry(name).or_default();
    entry.0 += u64::from(happened);
    entry.1 += 1;
}

/// What is asserted of the defaults: intervals and bands.
pub(super) const COVERAGES: [&str; 4] = [
    "coverage of the interval in the row",
    "coverage of jackknife-t",
    "coverage of the wider of the two (gate)",
    "simultaneous coverage of bands",
];
/// What is asserted of the defaults: error rates at .05.
pub(super) const ERRORS: [&str; 4] = [
    "size of the sign-flip test at .05",
    "gate error of the upper bound at .05",
    "gate error of the lower bound at .05",
    "family-wise error of maxT step-down at .05",
];

/// A cell with its truth and what was computed of it once.
struct Study<'a, C> {
    design: &'a Design,
    cell: &'a C,
    functional: &'a dyn Functional,
    truth: f64,
    changed: usize,
    found: Option<Jackknife>,
    replicates: Replicates,
}

impl<C: Cell> Study<'_, C> {
    fn expanded(&self, level: Level) -> Option<Interval> {
        let strata = self.found.as_ref().map_or(1, |j| j.strata);
        expanded_percentile(&self.replicates, level, self.cell.clusters(), strata).ok().map(|b| b.interval)
    }

    fn t(&self, level: Level) -> Option<Interval> {
        self.found.as_ref().and_then(|j| j.interval(level))
    }

    /// As a row shows it: the expanded percentile interval, or jackknife-t where the bootstrap is refused.
    fn shown(&self, level: Level) -> Option<Interval> {
        admit_interval(self.cell, self.changed, self.functional).ok()?;
        let drawable = admit_bootstrap(self.cell, self.changed, self.functional).is_ok();
        if drawable { self.expanded(level).or_else(|| self.t(level)) } else { self.t(level) }
    }

    /// As a gate reads it: the wider of the two.
    fn gate(&self, level: Level) -> Option<Interval> {
        let (shown, t) = (self.shown(level)?, self.t(level)?);
        Some(t.wider(shown))
    }

    fn intervals(&self, tally: &mut Tally, weights: &Weights) {
        let level = Level::P95;
        let mut covers = |name, interval: Option<Interval>| {
            if let Some(interval) = interval {
                count(tally, name, interval.contains(self.truth));
            }
        };
        let admitted = admit_interval(self.cell, self.changed, self.functional).is_ok();
        covers(COVERAGES[1], self.t(level).filter(|_| admitted));
        covers(COVERAGES[2], self.gate(level));
        covers("coverage of expanded percentile", self.expanded(level).filter(|_| admitted));
        covers("coverage of percentile", percentile(&self.replicates, level).ok().map(|b| b.interval));
        let Some(found) = &self.found else { return };
        covers("coverage of basic", basic(&self.replicates, found.estimate, level).ok().map(|b| b.interval));
        let unchecked = bca_unchecked(&self.replicates, found.estimate, found.acceleration(), level);
        covers("coverage of BCa without its rules", unchecked.ok().map(|b| b.found.interval));
        let by_rules = bca(&self.replicates, found, self.functional, level);
        covers("coverage of BCa where its rules admit it", by_rules.ok().map(|b| b.found.interval));
        if self.design.strata() == 1 {
            let interval = studentized(weights, self.cell, self.functional, level);
            covers("coverage of studentized", interval.ok().map(|b| b.interval));
        }
    }
}

/// A cell of absolute values.
pub(super) fn absolute<C: Cell>(stream: &Stream, cell: &C, functional: &dyn Functional, truth: f64, tally: &mut Tally) {
    let design = Design::simple(cell.clusters());
    let weights = Weights::draw(&design, REPLICATES, &stream.child("weights"));
    let replicates = weights.replicates(cell, functional);
    let found = jackknife(&design, cell, functional).ok();
    let study = Study { design: &design, cell, functional, truth, changed: cell.clusters(), found, replicates };
    study.intervals(tally, &weights);
    if let Some(shown) = study.shown(Level::P95) {
        count(tally, COVERAGES[0], shown.contains(truth));
    }
}

/// A paired cell in which nothing changed in the population.
pub(super) fn paired(stream: &Stream, design: &Design, drawn: &Drawn, functional: &dyn Functional, tally: &mut Tally) {
    let cell = &drawn.cell;
    let weights = Weights::draw(design, REPLICATES, &stream.child("weights"));
    let replicates = weights.replicates(cell, functional);
    let found = jackknife(design, cell, functional).ok();
    let changed = cell.changed();
    let study = Study { design, cell, functional, truth: 0.0, changed, found, replicates };
    let rare = changed < MIN_CLUSTERS;
    count(tally, "fewer than six clusters changed", rare);
    let bound = |alpha, level| rare_bound(&study, stream, alpha, level);
    let (shown, gate) = if rare {
        (bound(if changed == 0 { 0.05 } else { 0.025 }, Level::P95), bound(0.05, Level::P90))
    } else {
        study.intervals(tally, &weights);
        if let (Some(a), Some(b)) = (study.expanded(Level::P95), study.t(Level::P95)) {
            count(tally, "intervals disagree", a.disagrees(&b));
        }
        (study.shown(Level::P95), study.gate(Level::P90))
    };
    if let Some(shown) = shown {
        count(tally, COVERAGES[0], shown.contains(0.0));
    }
    if let Some(gate) = gate {
        count(tally, ERRORS[1], gate.upper < 0.0);
        count(tally, ERRORS[2], gate.lower > 0.0);
    }
    tests(stream, &study, drawn, tally);
}

/// Gaffke's bound as a row uses it; here every cluster is one item, or the cell has none.
fn rare_bound(study: &Study<'_, PairedTotals>, stream: &Stream, alpha: f64, level: Level) -> Option<Interval> {
    let (cell, found) = (study.cell, study.found.as_ref()?);
    let g = cell.clusters();
    if study.cell.items().iter().any(|n| *n != 1) {
        return None;
    }
    let pseudo = |i: usize| g as f64 * found.estimate - (g as f64 - 1.0) * found.without[i];
    let changed: Vec<f64> = (0..g).filter(|i| cell.base(*i) != cell.setting(*i)).map(pseudo).collect();
    let extreme = changed.iter().fold(1.0_f64, |extreme, x| extreme.max(x.abs()));
    let rest = found.estimate - changed.iter().sum::<f64>() / g as f64;
    let bounds = Rare::new(&changed, g - changed.len(), extreme, &stream.child("rare"))?.bounds(alpha)?;
    Some(Interval { lower: bounds.lower + rest, upper: bounds.upper + rest, level })
}

fn tests(stream: &Stream, study: &Study<'_, PairedTotals>, drawn: &Drawn, tally: &mut Tally) {
    let cell = study.cell;
    let flips = Flips::draw(study.design, REPLICATES, &stream.child("flips"));
    let test = sign_flip(&flips, cell, study.functional);
    // A refused test rejects nothing.
    let rejects = |p: Option<f64>, alpha: f64| p.is_some_and(|p| p <= alpha);
    let p = test.as_ref().ok().map(|t| t.p);
    count(tally, ERRORS[0], rejects(p, 0.05));
    count(tally, "size of the sign-flip test at .01", rejects(p, 0.01));
    count(tally, "size of the mid-p sign-flip test at .05", rejects(test.as_ref().ok().map(|t| t.p_mid), 0.05));
    let t = study.found.as_ref().and_then(|j| j.p_value(0.0));
    count(tally, "size of the jackknife t test at .05", rejects(t, 0.05));
    let sorted = study.replicates.sorted();
    let share = |keep: &dyn Fn(f64) -> bool| sorted.iter().filter(|x| keep(**x)).count() as f64 / sorted.len() as f64;
    let sign = 2.0 * share(&|x| x <= 0.0).min(share(&|x| x >= 0.0));
    count(tally, "size of the bootstrap sign test at .05", sign <= 0.05);
    if let Some(delta) = cell.estimate(study.functional) {
        let shifted = 2.0 * share(&|x| (x - delta) * delta.signum() >= delta.abs());
        count(tally, "size of the shifted bootstrap test at .05", shifted <= 0.05);
    }
    let Some((became, ceased)) = drawn.flips else { return };
    let net: Vec<f64> = (0..cell.clusters()).map(|i| cell.setting(i)[0] - cell.base(i)[0]).collect();
    let whole: Vec<i64> = net.iter().map(|d| *d as i64).collect();
    let plain = exact_integer(&whole).map(|found| found.p);
    count(tally, "size of the sign-flip test without studentizing at .05", rejects(plain, 0.05));
    count(tally, "size of Durkalski's test at .05", rejects(durkalski(&net).map(|d| d.p), 0.05));
    count(tally, "size of McNemar's exact test of items at .05", mcnemar(became, ceased).p_exact <= 0.05);
    count(tally, "size of McNemar's mid-p test of items at .05", mcnemar(became, ceased).p_mid <= 0.05);
}

/// Correlated hypotheses, none of which is wrong.
pub(super) fn family(stream: &Stream, clusters: usize, cells: &[PairedTotals], tally: &mut Tally) {
    let design = Design::simple(clusters);
    let flips = Flips::draw(&design, REPLICATES, &stream.child("flips"));
    let weights = Weights::draw(&design, REPLICATES, &stream.child("weights"));
    let family: Vec<_> = cells.iter().map(|totals| Hypothesis { flips: &flips, totals, functional: &Ratio }).collect();
    let adjusted = max_t(&family).expect("defined");
    let any = |p: &[f64]| p.iter().any(|p| *p <= 0.05);
    count(tally, ERRORS[3], any(&adjusted.step_down));
    count(tally, "family-wise error uncorrected at .05", any(&adjusted.raw));
    count(tally, "family-wise error of Holm on 1999 draws at .05", any(&holm(&adjusted.raw)));
    let mut deviation = MaxDeviation::new(REPLICATES);
    let errors: Vec<_> = cells.iter().map(|cell| jackknife(&design, cell, &Ratio).expect("defined")).collect();
    for (cell, j) in cells.iter().zip(&errors) {
        deviation.join(j.estimate, j.se, j.clusters, j.strata, &weights.replicates(cell, &Ratio));
    }
    let critical = deviation.critical(Level::P95).expect("finite");
    let reach = |j: &Jackknife| critical.with_df(j.df).max(Level::P95.t(j.df)) * j.se;
    count(tally, COVERAGES[3], errors.iter().all(|j| j.estimate.abs() <= reach(j)));
}
