//! Decisions against a margin: pass, degraded, fail, inconclusive.
//!
//! A margin is policy and is declared beforehand; it is never derived from the data it judges. A change that is "not
//! significant" is never a pass: a pass must be shown, by a bound inside the margin (Schuirmann 1987).
//!
//! Over cells, "all pass" is an intersection-union test and needs no correction (Berger 1982); "some cell fails" is a
//! union and needs simultaneous bounds. [`gate`] takes both and does not let them be swapped.

use super::dist;
use super::interval::Interval;

/// A margin: how large a change is tolerated, in metric units. Positive and finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Margin(f64);

/// A number that is not a margin.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a margin: it must be positive and finite, in metric units")]
pub struct MarginError(pub f64);

impl Margin {
    /// Checks `0 < margin < ∞`.
    ///
    /// # Errors
    /// [`MarginError`] for anything else.
    pub fn new(margin: f64) -> Result<Self, MarginError> {
        if margin > 0.0 && margin.is_finite() { Ok(Self(margin)) } else { Err(MarginError(margin)) }
    }

    /// The margin in metric units.
    pub fn value(self) -> f64 {
        self.0
    }
}

/// Which change of a metric is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worse {
    /// A higher value.
    Increase,
    /// A lower value.
    Decrease,
    /// Any change.
    Either,
}

/// What could be shown about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// The change is inside the margin.
    Pass,
    /// There is a change for the worse, and it is inside the margin.
    Degraded,
    /// The change is beyond the margin.
    Fail,
    /// None of these.
    Inconclusive,
}

/// Decides one cell. The limits of `bounds` are one-sided bounds: for one-sided α = 0.05 pass a 90 % interval. Interval
/// inclusion (Schuirmann 1987; Berger & Hsu 1996): pass where the bound towards worse is short of the margin, fail
/// where the other is beyond it. Not for margins that were derived from the same data, and "not significant" is never a
/// pass.
pub fn decide(bounds: &Interval, margin: Margin, worse: Worse) -> Decision {
    let (lower, upper) = match worse {
        Worse::Increase | Worse::Either => (bounds.lower, bounds.upper),
        Worse::Decrease => (-bounds.upper, -bounds.lower),
    };
    let delta = margin.value();
    let (inside, beyond, real) = match worse {
        Worse::Either => (lower > -delta && upper < delta, lower > delta || upper < -delta, lower > 0.0 || upper < 0.0),
        Worse::Increase | Worse::Decrease => (upper < delta, lower > delta, lower > 0.0),
    };
    match (beyond, inside, real) {
        (true, ..) => Decision::Fail,
        (false, true, true) => Decision::Degraded,
        (false, true, false) => Decision::Pass,
        (false, false, _) => Decision::Inconclusive,
    }
}

/// Two one-sided tests: p-value of "the change is at least as large as the margin", `max(p_L, p_U)` by t. `None` where
/// `se` is not positive. Schuirmann (1987). Not a test of "no change", and not where the standard error rests on fewer
/// than six changed clusters.
pub fn tost(delta: f64, se: f64, df: f64, margin: Margin) -> Option<f64> {
    (se > 0.0).then(|| {
        let below = dist::t_tail((delta + margin.value()) / se, df);
        let above = dist::t_tail((margin.value() - delta) / se, df);
        below.max(above)
    })
}

/// p-value of non-inferiority: of "the change towards worse is at least the margin". For [`Worse::Either`] this is
/// [`tost`]. `None` where `se` is not positive. One-sided t test of `change = ±margin` (Berger & Hsu 1996). Not for
/// distances from an ideal, whose error is another: [`super::away`].
pub fn non_inferiority(delta: f64, se: f64, df: f64, margin: Margin, worse: Worse) -> Option<f64> {
    let towards = match worse {
        Worse::Increase => delta,
        Worse::Decrease => -delta,
        Worse::Either => return tost(delta, se, df, margin),
    };
    (se > 0.0).then(|| dist::t_tail((margin.value() - towards) / se, df))
}

/// One cell of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateCell {
    /// Decision by its own bounds.
    pub own: Decision,
    /// Decision by bounds that hold for all cells together.
    pub simultaneous: Decision,
}

/// Combines cells: fails where some cell fails by simultaneous bounds; passes (or is degraded, where some cell is
/// degraded by its own bounds) where every cell passes by its own; is inconclusive otherwise and for no cells.
///
/// "Degraded" is the careful side of "pass", so it is granted without correction. "All pass" is an intersection-union
/// test and needs no correction, "some fail" a union that does (Berger 1982): not to be exchanged.
pub fn gate(cells: &[GateCell]) -> Decision {
    if cells.iter().any(|cell| cell.simultaneous == Decision::Fail) {
        return Decision::Fail;
    }
    let inside = |cell: &GateCell| matches!(cell.own, Decision::Pass | Decision::Degraded);
    if cells.is_empty() || !cells.iter().all(inside) {
        return Decision::Inconclusive;
    }
    if cells.iter().any(|cell| cell.own == Decision::Degraded) { Decision::Degraded } else { Decision::Pass }
}
