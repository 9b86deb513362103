//! Machine-readable flags of a row, and conversions between the statistics' types and those of findings.

use crate::findings::{Interval, IntervalMethod, Verdict, Worse};
use crate::stats::equivalence::Decision;
use crate::stats::{equivalence, interval};

/// Fewer than 30 clusters: intervals are approximate.
pub(super) const FEW_CLUSTERS: &str = "few_clusters";
/// Bootstrap and jackknife intervals differ by more than a quarter of their width.
pub(super) const INTERVALS_DISAGREE: &str = "intervals_disagree";
/// The bootstrap distribution has few distinct values.
pub(super) const DISCRETE: &str = "discrete";
/// Some replicates were undefined (at most 1 %).
pub(super) const UNDEFINED_REPLICATES: &str = "undefined_replicates";
/// The p-value is the smallest that the draws allow.
pub(super) const RESOLUTION_LIMITED: &str = "resolution_limited";
/// More than 1 % of the paired items lack an answer on one side.
pub(super) const MANY_LOST: &str = "many_lost";
/// Too few clusters changed for the p-value to reach the usual levels.
pub(super) const INSUFFICIENT: &str = "insufficient_clusters";
/// The verdict hangs on items that were answered under one of the two settings only.
pub(super) const MISSINGNESS: &str = "missingness";
/// The two settings share no item: the change is the difference of two samples.
pub(super) const UNPAIRED: &str = "unpaired";
/// Nothing changed at all.
pub(super) const NO_CHANGE: &str = "no_change";

/// An interval with the name of its method.
pub(super) fn publish(interval: interval::Interval, method: IntervalMethod) -> Interval {
    Interval { lower: interval.lower, upper: interval.upper, level: interval.level.value(), method }
}

/// The direction in the statistics' words.
pub(super) fn direction(worse: Worse) -> equivalence::Worse {
    match worse {
        Worse::Increase => equivalence::Worse::Increase,
        Worse::Decrease => equivalence::Worse::Decrease,
        // A change of a distance is decided from its signed components, and never comes here.
        Worse::Either | Worse::AwayFromIdeal => equivalence::Worse::Either,
    }
}

/// A decision in the words of findings.
pub(super) fn verdict(decision: Decision) -> Verdict {
    match decision {
        Decision::Pass => Verdict::Pass,
        Decision::Degraded => Verdict::Degraded,
        Decision::Fail => Verdict::Fail,
        Decision::Inconclusive => Verdict::Inconclusive,
    }
}
