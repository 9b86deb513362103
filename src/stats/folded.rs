//! Folded metrics: absolute deviations, ranges and maxima over subgroups (demographic-parity difference, equalised-odds
//! difference, |stereotype score − ½|).
//!
//! They are biased upwards (the range of ten subgroups of 100 with one true rate of .3 averages .14), and percentile and
//! BCa intervals are invalid where the truth is 0. So: gate on the signed components; report the folded value with
//! [`range_interval`], which comes from simultaneous bands of the signed differences, with the debiased spread of
//! [`super::shrinkage::debiased_variance`], and with a maxT p-value of the signed components
//! ([`super::multiplicity::max_t`], the smallest single-step p). For a paired change of a folded value report the
//! jackknife-t interval and say so where [`near_kink`].

use super::functional::Functional;
use super::interval::{Interval, Replicates};
use super::level::Level;
use super::multiplicity::MaxDeviation;

/// `|T0/T1 − centre|`, such as the distance of a stereotype score from ½.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    /// The value without bias.
    pub centre: f64,
}

impl Functional for Distance {
    fn dim(&self) -> usize {
        2
    }

    fn value(&self, t: &[f64]) -> Option<f64> {
        let value = (t[0] / t[1] - self.centre).abs();
        (t[1] > 0.0 && value.is_finite()).then_some(value)
    }

    fn gradient(&self, t: &[f64], out: &mut [f64]) -> bool {
        if t[1] <= 0.0 {
            return false;
        }
        let rate = t[0] / t[1];
        let side = (rate - self.centre).signum();
        out[0] = side / t[1];
        out[1] = -side * rate / t[1];
        rate != self.centre
    }

    fn smooth(&self) -> bool {
        false
    }

    fn support(&self, t: &[f64]) -> f64 {
        t[1]
    }
}

/// Whether a signed estimate lies within two standard errors of its kink, where folding it is misleading. `|estimate| <
/// 2·se`, the rule of thumb of the design. Not a test.
pub fn near_kink(signed: f64, kink: f64, se: f64) -> bool {
    (signed - kink).abs() < 2.0 * se
}

/// A confidence interval for the range over subgroups, by inverting simultaneous bands of all pairwise differences:
/// `[max (|d| − c·se)₊, max (|d| + c·se)]` with `c` the `1 − α` quantile of `max |d* − d|/se` over shared replicates.
/// Conservative. `clusters` and `strata` are those of the subgroups together.
///
/// `None` with fewer than two subgroups, or where no pair has a standard error or the quantile is infinite (too many
/// undefined replicates). Simultaneous bands by the bootstrap (Davison & Hinkley 1997; Romano & Wolf 2005),
/// inverted. Not to be read against 0, which a range exceeds by chance alone: see [`super::labels`] for what chance
/// gives.
pub fn range_interval(
    estimates: &[f64],
    replicates: &[&Replicates],
    clusters: usize,
    strata: usize,
    level: Level,
) -> Option<Interval> {
    if estimates.len() != replicates.len() || clusters <= strata {
        return None;
    }
    let df = (clusters - strata) as f64;
    let scale = (clusters as f64 / df).sqrt();
    let mut deviation = MaxDeviation::new(replicates.first()?.len());
    let mut pairs = Vec::new();
    for a in 0..estimates.len() {
        for b in a + 1..estimates.len() {
            let values = replicates[a].iter().zip(replicates[b].iter()).map(|(x, y)| Some(x? - y?));
            let differences = Replicates::new(values);
            let difference = estimates[a] - estimates[b];
            let se = differences.standard_error()? * scale;
            deviation.join(difference, se, clusters, strata, &differences);
            pairs.push((difference.abs(), se));
        }
    }
    let c = deviation.critical(level)?.with_df(df);
    let lower = pairs.iter().map(|(d, se)| d - c * se).fold(0.0, f64::max);
    let upper = pairs.iter().map(|(d, se)| d + c * se).fold(0.0, f64::max);
    Some(Interval { lower, upper, level })
}
