//! Absolute values: one row per metric, subgroup, and setting.
//!
//! Shares of events have intervals of a rate ([`rate::of_clusters`]), which keep their level where the share is small; other
//! values have bootstrap intervals.

use super::flags::publish;
use super::model_benchmark::{Facts, ModelBenchmark};
use crate::findings::{Cell, EstimateRow, IntervalMethod, OtherInterval};
use crate::spec::OtherMethod;
use crate::stats::cluster::{Cell as _, Totals};
use crate::stats::functional::{Functional, Ratio};
use crate::stats::interval::{BootstrapInterval, Interval, Replicates, expanded_percentile};
use crate::stats::jackknife::jackknife;
use crate::stats::rate;
use crate::stats::refusal::{Refusal, admit_bootstrap, admit_interval};

/// A row that may still want replicates.
pub(super) struct Estimate {
    row: EstimateRow,
    pub(super) totals: Totals,
    pub(super) functional: &'static dyn Functional,
    /// Whether replicates are needed.
    pub(super) wants: bool,
    strata: usize,
    by_jackknife: Option<Interval>,
}

/// One row, up to its replicates.
pub(super) fn estimate(at: &ModelBenchmark<'_>, cell: Cell, setting: &str, totals: Totals, facts: Facts) -> Estimate {
    let functional = facts.functional;
    let row = EstimateRow {
        cell,
        setting: setting.to_owned(),
        value: None,
        interval: None,
        se: None,
        items: totals.items_total(),
        clusters: totals.clusters() as u64,
        other_intervals: Vec::new(),
        note: None,
    };
    let mut estimate = Estimate { row, totals, functional, wants: false, strata: 1, by_jackknife: None };
    let row = &mut estimate.row;
    row.value = if row.items == 0 { None } else { estimate.totals.estimate(functional) };
    if row.value.is_none() {
        let why = if row.items == 0 { "no item has a usable answer" } else { "a denominator is zero" };
        row.note = Some(why.to_owned());
        return estimate;
    }
    if let Ok(jackknifed) = jackknife(&at.design, &estimate.totals, functional) {
        row.se = Some(jackknifed.se);
        estimate.strata = jackknifed.strata;
        estimate.by_jackknife = jackknifed.interval(at.method.level);
    }
    if facts.share && functional.is_ratio() && counts(&estimate.totals) {
        row.other_intervals = others(at, &estimate.totals);
    }
    if row.se == Some(0.0) {
        // No resampling sees more than the one value that all clusters have.
        let end = matches!(row.value, Some(0.0 | 1.0)) && facts.share;
        row.interval = of_share(at, &estimate.totals).filter(|_| end);
        if row.interval.is_none() {
            row.note = Some("every cluster has the same value: no interval".to_owned());
        }
        return estimate;
    }
    let admitted = admit_interval(&estimate.totals, estimate.totals.clusters(), functional).is_ok();
    if facts.share && functional.is_ratio() && admitted && counts(&estimate.totals) {
        row.interval = of_share(at, &estimate.totals);
        if row.interval.is_some() {
            return estimate;
        }
    }
    match admit_bootstrap(&estimate.totals, estimate.totals.clusters(), functional) {
        Ok(()) => estimate.wants = true,
        Err(refusal) => estimate.refuse(&refusal),
    }
    estimate
}

impl Estimate {
    /// The interval from replicates.
    pub(super) fn draw(&self, at: &ModelBenchmark<'_>, replicates: &Replicates) -> Result<BootstrapInterval, Refusal> {
        expanded_percentile(replicates, at.method.level, self.totals.clusters(), self.strata)
    }

    /// The finished row.
    pub(super) fn settle(mut self, drawn: Option<Result<BootstrapInterval, Refusal>>) -> EstimateRow {
        match drawn {
            Some(Ok(found)) => self.row.interval = Some(publish(found.interval, IntervalMethod::ExpandedPercentile)),
            Some(Err(refusal)) => self.refuse(&refusal),
            None => {}
        }
        self.row
    }

    fn refuse(&mut self, refusal: &Refusal) {
        let why = match refusal {
            Refusal::TooFewClusters { .. } => "too few clusters for a bootstrap interval: jackknife-t instead",
            Refusal::NotSmooth => {
                "the metric has a kink, where a bootstrap interval covers too little: jackknife-t instead"
            }
            _ => {
                self.row.note = Some(refusal.to_string());
                return;
            }
        };
        if self.row.se.is_some() {
            self.row.interval = self.by_jackknife.map(|i| publish(i, IntervalMethod::JackknifeT));
            self.row.note = Some(why.to_owned());
        } else {
            self.row.note = Some(refusal.to_string());
        }
    }
}

/// Whether a share counts events: every item is one, is none, or (a tie) is half of one.
fn counts(totals: &Totals) -> bool {
    (0..totals.clusters()).all(|i| (2.0 * totals.row(i)[0]).fract() == 0.0)
}

/// The intervals of a share that the plan asks for beside the headline one.
fn others(at: &ModelBenchmark<'_>, totals: &Totals) -> Vec<OtherInterval> {
    let refused = admit_interval(totals, totals.clusters(), &Ratio).err().map(|refusal| refusal.to_string());
    let by = |method: &OtherMethod| {
        let of = match method {
            OtherMethod::Wilson => rate::Method::Wilson,
            OtherMethod::ClopperPearson => rate::Method::ClopperPearson,
            OtherMethod::Jeffreys => rate::Method::Jeffreys,
            // Of changes, and not of shares.
            OtherMethod::Percentile | OtherMethod::Basic | OtherMethod::Studentized | OtherMethod::Bca => return None,
        };
        let found = rate::of_clusters_by(of, &at.design, totals, at.method.level).filter(|_| refused.is_none());
        Some(OtherInterval {
            method: method.name().to_owned(),
            limits: found.map(|i| [i.lower, i.upper]),
            note: refused.clone(),
        })
    };
    at.method.plan.intervals.iter().filter_map(by).collect()
}

fn of_share(at: &ModelBenchmark<'_>, totals: &Totals) -> Option<crate::findings::Interval> {
    rate::of_clusters(&at.design, totals, at.method.level).map(|i| publish(i, IntervalMethod::Rate))
}
