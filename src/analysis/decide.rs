//! One cell of a gate: what its bounds show about the margin.
//!
//! A cell without an interval is inconclusive: what cannot be shown has not been shown. Nor does a cell pass or fail
//! whose verdict hangs on items that were not answered under both settings.

use super::contrast::Contrast;
use super::flags::direction;
use super::model_benchmark::ModelBenchmark;
use super::policy::Resolved;
use crate::findings::Worse;
use crate::stats::away::{Components, decide_away, sum};
use crate::stats::cluster::Cell as _;
use crate::stats::equivalence::{Decision, GateCell, decide};
use crate::stats::interval::Interval;
use crate::stats::jackknife::Jackknife;
use crate::stats::level::Level;

/// Share of unsettled items beyond which a metric without a bounded range passes no gate.
const MANY_UNSETTLED: f64 = 0.01;

/// A decided cell.
pub(super) struct Decided {
    pub(super) cell: GateCell,
    /// Whether the cell is inconclusive, and would not be if no answer were missing.
    pub(super) missing: bool,
}

/// What one kind of bounds shows as they are, and widened by what answers are missing.
#[derive(Clone, Copy)]
struct Shown {
    at_hand: Decision,
    widened: Decision,
}

impl Decided {
    /// From what both kinds of bounds show. Answers leave a cell open only where the decision that counts hangs on them.
    fn of(own: Shown, simultaneous: Shown) -> Self {
        let cell = GateCell { own: own.widened, simultaneous: simultaneous.widened };
        let without = GateCell { own: own.at_hand, simultaneous: simultaneous.at_hand };
        let missing = counted(cell) == Decision::Inconclusive && counted(without) != Decision::Inconclusive;
        Self { cell, missing }
    }
}

/// The decision that a cell is counted by: failed where it fails by simultaneous bounds; failing by its own alone proves
/// nothing.
pub(super) fn counted(cell: GateCell) -> Decision {
    match cell {
        GateCell { simultaneous: Decision::Fail, .. } => Decision::Fail,
        GateCell { own: Decision::Fail, .. } => Decision::Inconclusive,
        GateCell { own, .. } => own,
    }
}

/// The bounds of one cell at one level.
#[derive(Clone, Copy)]
enum Bounds {
    /// Of the change.
    Signed(Interval),
    /// Of change and sum, and at half α.
    Away(Components, Option<Components>),
}

/// Decides one cell of a gate that has `cells` of them over all settings. `simultaneous` are the bounds over the
/// family of the metric, where it is in one.
pub(super) fn decide_cell(
    at: &ModelBenchmark<'_>,
    contrast: &Contrast,
    simultaneous: Option<&Interval>,
    gate: &Resolved<'_>,
    cells: usize,
) -> Decided {
    let reach = reach(contrast);
    let none = Shown { at_hand: Decision::Inconclusive, widened: Decision::Inconclusive };
    let shown = |bounds: Option<Bounds>| {
        let Some(bounds) = bounds else { return none };
        let at_hand = judge(&bounds, gate);
        let open = judge(&bounds.widened(reach), gate) == Decision::Inconclusive;
        Shown { at_hand, widened: if open { Decision::Inconclusive } else { at_hand } }
    };
    match (gate.worse, gate.ideal) {
        (Worse::AwayFromIdeal, Some(ideal)) => {
            Decided::of(shown(away(at, contrast, ideal, 1)), shown(away(at, contrast, ideal, cells)))
        }
        (Worse::AwayFromIdeal, None) => Decided::of(none, none),
        _ => {
            let together = simultaneous.copied().or_else(|| bonferroni(at, contrast, cells));
            Decided::of(shown(contrast.gate.map(Bounds::Signed)), shown(together.map(Bounds::Signed)))
        }
    }
}

/// How far the items without an answer under one of the settings or both could move the change: each could have
/// contributed anything in the metric's range (of several replies, what its unusable ones leave open), and weighs as much as an item of the smallest denominator, since all of
/// them may belong to it. In a gap an item moves one of the two means: half of the range.
fn reach(contrast: &Contrast) -> f64 {
    let (items, open) = (contrast.row.items as f64, contrast.unsettled);
    let unsettled = if open == 0.0 { 0.0 } else { open / (items + contrast.row.lost as f64).max(1.0) };
    match contrast.range {
        Some(range) => {
            could_move(range, contrast.functional.dim(), open, contrast.totals.support(contrast.functional).min(items))
        }
        None if unsettled > MANY_UNSETTLED => f64::INFINITY,
        None => 0.0,
    }
}

/// How far `open` items could move a metric of this range and number of totals, `support` being its smallest denominator.
fn could_move(range: f64, dim: usize, open: f64, support: f64) -> f64 {
    let width = if dim == 4 { range / 2.0 } else { range };
    (width * open / support.max(1.0)).min(range)
}

impl Bounds {
    fn widened(self, reach: f64) -> Self {
        let wide = |i: Interval| Interval { lower: i.lower - reach, upper: i.upper + reach, ..i };
        let both = |c: Components| Components { change: wide(c.change), sum: wide(c.sum) };
        match self {
            Self::Signed(i) => Self::Signed(wide(i)),
            Self::Away(at, half) => Self::Away(both(at), half.map(both)),
        }
    }
}

fn judge(bounds: &Bounds, gate: &Resolved<'_>) -> Decision {
    match bounds {
        Bounds::Signed(bounds) => decide(bounds, gate.margin, direction(gate.worse)),
        Bounds::Away(at, half) => decide_away(at, half.as_ref(), gate.margin),
    }
}

/// The two-sided level whose limits are one-sided bounds at the gate's level, α divided by `parts`.
fn level(at: &ModelBenchmark<'_>, parts: f64) -> Option<Level> {
    Level::new(1.0 - 2.0 * at.method.gate_level.alpha() / parts).ok()
}

/// Bounds `Δ ± t·SE` that hold for all cells of a gate together: α is divided by their number. For metrics that are in
/// no family with bands of its own; wider than those, and valid under any dependence.
fn bonferroni(at: &ModelBenchmark<'_>, contrast: &Contrast, cells: usize) -> Option<Interval> {
    // One cell needs no correction; where hardly any cluster changed the standard error says too little.
    if cells <= 1 {
        return contrast.gate;
    }
    trusted(contrast)?.interval(level(at, cells as f64)?).map(|b| at_least(b, contrast.gate))
}

/// The jackknife of a row whose interval comes from it or from the bootstrap.
fn trusted(contrast: &Contrast) -> Option<&Jackknife> {
    contrast.jackknife.as_ref().filter(|_| contrast.row.jackknife.is_some())
}

/// The hull of two intervals.
fn at_least(bounds: Interval, own: Option<Interval>) -> Interval {
    own.map_or(bounds, |o| Interval { lower: bounds.lower.min(o.lower), upper: bounds.upper.max(o.upper), ..bounds })
}

/// Bounds of change and sum for a gate on the distance from the ideal.
fn away(at: &ModelBenchmark<'_>, contrast: &Contrast, ideal: f64, cells: usize) -> Option<Bounds> {
    let sum = sum(&at.design, &contrast.totals, contrast.functional, ideal).ok()?;
    let parts = cells as f64;
    let components = |parts: f64| {
        let level = level(at, parts)?;
        let change = trusted(contrast)?.interval(level)?;
        Some(Components { change: at_least(change, contrast.gate), sum: sum.interval(level)? })
    };
    if trusted(contrast).is_some() {
        return Some(Bounds::Away(components(parts)?, components(2.0 * parts)));
    }
    // Hardly any cluster changed: the bound on the change is Gaffke's, at one level only.
    let change = contrast.gate.filter(|_| cells == 1)?;
    Some(Bounds::Away(Components { change, sum: sum.interval(level(at, parts)?)? }, None))
}

#[cfg(test)]
mod tests {
    use super::{Decided, Decision, Shown, could_move};

    #[test]
    fn missing_answers_are_named_only_where_the_decision_that_counts_hangs_on_them() {
        use Decision::{Fail, Inconclusive, Pass};
        let shown = |at_hand, widened| Shown { at_hand, widened };
        for (own, simultaneous, missing) in [
            // It passes whatever they are; that the wider bounds say nothing then is no matter.
            (shown(Pass, Pass), shown(Pass, Inconclusive), false),
            (shown(Pass, Inconclusive), shown(Pass, Inconclusive), true),
            (shown(Fail, Inconclusive), shown(Fail, Inconclusive), true),
            (shown(Fail, Fail), shown(Fail, Inconclusive), true),
            // Inconclusive without them too: by its own bounds alone it would not have failed.
            (shown(Fail, Inconclusive), shown(Inconclusive, Inconclusive), false),
            (shown(Fail, Fail), shown(Fail, Fail), false),
            (shown(Inconclusive, Inconclusive), shown(Inconclusive, Inconclusive), false),
        ] {
            assert_eq!(Decided::of(own, simultaneous).missing, missing);
        }
    }

    #[test]
    fn open_items_weigh_as_much_as_an_item_of_the_smallest_group() {
        // 15 open items beside a subgroup of 30: its mean can move by a half, however large the reference is.
        assert!((could_move(2.0, 4, 15.0, 30.0) - 0.5).abs() < 1e-15);
        assert!((could_move(1.0, 2, 10.0, 100.0) - 0.1).abs() < 1e-15);
        // (b - a)/(b + a) with one item left can go from one end to the other, and no further.
        assert!((could_move(2.0, 2, 3.0, 1.0) - 2.0).abs() < 1e-15);
        assert!(could_move(2.0, 4, 0.0, 0.0).abs() < 1e-15);
    }
}
