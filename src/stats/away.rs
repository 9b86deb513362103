//! Did a value move away from its ideal? A decision about `F = |θ_q − c| − |θ_0 − c|` from signed components.
//!
//! Folding makes `F` kinked where a value crosses the ideal, and intervals of kinked quantities are wrong at the kink.
//! With the change `Δ = θ_q − θ_0` and the sum `S = θ_q + θ_0 − 2c`, both smooth,
//!
//! `F = max(min(Δ, S), min(−Δ, −S))`,
//!
//! so that claims about `F` are unions and intersections of claims about `Δ` and `S`, each with bounds of its own:
//! `F > δ` is shown where `Δ` and `S` are both shown to be beyond `δ` on the same side (intersection-union, no
//! correction), `F < δ` where on either side `Δ` or `S` is shown to be short of it (a union on each side, hence bounds
//! at half α). Nothing here folds an interval.

use super::cluster::{Cell, PairedTotals, Totals};
use super::design::Design;
use super::equivalence::{Decision, Margin};
use super::functional::Functional;
use super::interval::Interval;
use super::jackknife::{Jackknife, jackknife};
use super::refusal::Refusal;

/// `f(T_0) + f(T_q)`, over totals of the baseline followed by those of the setting.
#[derive(Clone, Copy)]
struct Sum<'a> {
    inner: &'a dyn Functional,
}

impl Functional for Sum<'_> {
    fn dim(&self) -> usize {
        2 * self.inner.dim()
    }

    fn value(&self, totals: &[f64]) -> Option<f64> {
        let (base, setting) = totals.split_at(self.inner.dim());
        Some(self.inner.value(base)? + self.inner.value(setting)?)
    }

    fn gradient(&self, totals: &[f64], gradient: &mut [f64]) -> bool {
        let p = self.inner.dim();
        let (base, setting) = gradient.split_at_mut(p);
        self.inner.gradient(&totals[..p], base) && self.inner.gradient(&totals[p..], setting)
    }

    fn smooth(&self) -> bool {
        self.inner.smooth()
    }

    fn support(&self, totals: &[f64]) -> f64 {
        let (base, setting) = totals.split_at(self.inner.dim());
        self.inner.support(base).min(self.inner.support(setting))
    }
}

/// The cluster jackknife of `S = θ_q + θ_0 − 2c`, in metric units. Delete-one-cluster jackknife (Wolter 2007, ch. 4) of
/// a smooth function of totals, for [`decide_away`]. Not for metrics with a kink of their own.
///
/// # Errors
/// [`Refusal`], as [`jackknife`].
pub fn sum(
    design: &Design,
    totals: &PairedTotals,
    functional: &dyn Functional,
    ideal: f64,
) -> Result<Jackknife, Refusal> {
    let both =
        Totals::new(2 * totals.p(), totals.cluster_indices().to_vec(), totals.rows().to_vec(), totals.items().to_vec())
            .map_err(|_| Refusal::Undefined)?;
    let mut found = jackknife(design, &both, &Sum { inner: functional })?;
    found.estimate -= 2.0 * ideal;
    for value in &mut found.without {
        *value -= 2.0 * ideal;
    }
    Ok(found)
}

/// `|θ_q − c| − |θ_0 − c|` from `Δ = θ_q − θ_0` and `S = θ_q + θ_0 − 2c`. Elementary (see the module). For display and
/// ordering: an interval of it is not to be made by folding one of `Δ`.
pub fn folded_change(change: f64, sum: f64) -> f64 {
    change.min(sum).max((-change).min(-sum))
}

/// Bounds of the two signed components at one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Components {
    /// Of `Δ`.
    pub change: Interval,
    /// Of `S`.
    pub sum: Interval,
}

/// Decides whether the value moved away from its ideal by the margin or more.
///
/// The limits of `at` are one-sided bounds at level 1 − α, those of `half` at 1 − α/2. Without `half` a pass is granted
/// only where `Δ` itself lies inside the margin, for `|F| ≤ |Δ|`. Intersection-union and union of one-sided tests
/// (Berger 1982). Not for a metric without an ideal, where [`super::equivalence::decide`] reads the change itself.
pub fn decide_away(at: &Components, half: Option<&Components>, margin: Margin) -> Decision {
    let delta = margin.value();
    let beyond = |x: f64| at.change.lower.min(at.sum.lower) > x || (-at.change.upper).min(-at.sum.upper) > x;
    let inside = match half {
        Some(h) => h.change.upper.min(h.sum.upper) < delta && (-h.change.lower).min(-h.sum.lower) < delta,
        None => at.change.upper < delta && -at.change.lower < delta,
    };
    match (beyond(delta), inside, beyond(0.0)) {
        (true, ..) => Decision::Fail,
        (false, true, true) => Decision::Degraded,
        (false, true, false) => Decision::Pass,
        (false, false, _) => Decision::Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::functional::Ratio;
    use crate::stats::level::Level;

    fn interval(lower: f64, upper: f64) -> Interval {
        Interval { lower, upper, level: Level::new(0.9).unwrap() }
    }

    #[test]
    fn the_folded_change_is_the_difference_of_distances() {
        let values = [-0.4, -0.1, 0.0, 0.05, 0.3, 0.5];
        for base in values {
            for setting in values {
                let found: f64 = folded_change(setting - base, setting + base);
                assert!((found - (f64::abs(setting) - f64::abs(base))).abs() < 1e-15, "{base} {setting}");
            }
        }
    }

    #[test]
    fn a_move_through_the_ideal_is_judged_by_where_it_ends() {
        let margin = Margin::new(0.05).unwrap();
        let decide = |change, sum| {
            let at = Components { change, sum };
            decide_away(&at, Some(&at), margin)
        };
        // From 0.60 to 0.40: a large change, and no further from ½.
        assert_eq!(decide(interval(-0.22, -0.18), interval(-0.02, 0.02)), Decision::Pass);
        // From 0.52 to 0.35: across ½ and further from it.
        assert_eq!(decide(interval(-0.20, -0.14), interval(-0.16, -0.10)), Decision::Fail);
        // From 0.60 to 0.70: further away.
        assert_eq!(decide(interval(0.06, 0.14), interval(0.27, 0.33)), Decision::Fail);
        // From 0.60 to 0.62: further away, inside the margin.
        assert_eq!(decide(interval(0.01, 0.03), interval(0.2, 0.24)), Decision::Degraded);
        // From 0.70 to 0.60: nearer by more than the margin is no failure.
        assert_eq!(decide(interval(-0.14, -0.06), interval(0.25, 0.35)), Decision::Pass);
        // Too wide to say.
        assert_eq!(decide(interval(-0.1, 0.1), interval(-0.1, 0.2)), Decision::Inconclusive);
    }

    #[test]
    fn without_bounds_at_half_alpha_only_a_small_change_passes() {
        let margin = Margin::new(0.05).unwrap();
        let at = Components { change: interval(-0.14, -0.06), sum: interval(0.25, 0.35) };
        assert_eq!(decide_away(&at, None, margin), Decision::Inconclusive);
        let at = Components { change: interval(-0.04, 0.04), sum: interval(-0.2, 0.2) };
        assert_eq!(decide_away(&at, None, margin), Decision::Pass);
    }

    #[test]
    fn the_sum_of_two_means_has_the_standard_error_of_the_mean_of_sums() {
        // Clusters of one item: S is the mean of x + y − 1, and its jackknife error the usual s/√n.
        // NumPy: np.std([.2, 1.1, .7, 1.6, .9, 1.5], ddof=1)/np.sqrt(6).
        let (x, y) = ([0.1, 0.5, 0.4, 0.9, 0.2, 0.8], [0.1, 0.6, 0.3, 0.7, 0.7, 0.7]);
        let rows = |v: [f64; 6]| v.iter().flat_map(|a| [*a, 1.0]).collect::<Vec<f64>>();
        let clusters: Vec<u32> = (0..6).collect();
        let totals = PairedTotals::new(2, clusters, &rows(x), &rows(y), vec![1; 6]).unwrap();
        let found = sum(&Design::simple(6), &totals, &Ratio, 0.5).unwrap();
        assert!((found.estimate - 0.0).abs() < 1e-12, "{}", found.estimate);
        assert!((found.se - SE).abs() < 1e-12, "{}", found.se);
    }

    /// From the NumPy line above.
    const SE: f64 = 0.212_916_258_968_950_86;
}
