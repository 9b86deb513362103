//! Metrics made of metrics: the range over groups, the difference between two, the ratio of two rates on the log scale.
//!
//! Totals of the groups stand side by side: `p` numbers for each. A range has a kink wherever the largest or smallest
//! group changes, so it is never smooth; see [`super::folded`] for how to report it.

use super::functional::Functional;

/// Largest less smallest value of `inner` over `groups` groups, each with its own totals: over rates, the
/// demographic-parity difference or a component of equalised odds. Undefined where any group is: a subgroup without answers
/// must not make a model look fair.
#[derive(Clone, Copy)]
pub struct RangeOf<'a> {
    /// The metric of one group.
    pub inner: &'a dyn Functional,
    /// Number of groups, at least 1.
    pub groups: usize,
}

impl Functional for RangeOf<'_> {
    fn dim(&self) -> usize {
        self.inner.dim() * self.groups
    }

    fn value(&self, t: &[f64]) -> Option<f64> {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for own in t.chunks_exact(self.inner.dim()) {
            let value = self.inner.value(own)?;
            low = low.min(value);
            high = high.max(value);
        }
        Some(high - low).filter(|range| range.is_finite())
    }

    fn gradient(&self, _: &[f64], _: &mut [f64]) -> bool {
        false
    }

    fn smooth(&self) -> bool {
        false
    }

    fn support(&self, t: &[f64]) -> f64 {
        t.chunks_exact(self.inner.dim()).map(|own| self.inner.support(own)).fold(f64::INFINITY, f64::min)
    }
}

/// `f(first totals) − f(second totals)`: a subgroup against the rest of its axis.
#[derive(Clone, Copy)]
pub struct DifferenceOf<'a> {
    /// The metric of either.
    pub inner: &'a dyn Functional,
}

impl Functional for DifferenceOf<'_> {
    fn dim(&self) -> usize {
        2 * self.inner.dim()
    }

    fn value(&self, t: &[f64]) -> Option<f64> {
        let (first, second) = t.split_at(self.inner.dim());
        Some(self.inner.value(first)? - self.inner.value(second)?)
    }

    fn gradient(&self, t: &[f64], out: &mut [f64]) -> bool {
        let p = self.inner.dim();
        let (first, second) = out.split_at_mut(p);
        if !self.inner.gradient(&t[..p], first) || !self.inner.gradient(&t[p..], second) {
            return false;
        }
        for x in second {
            *x = -*x;
        }
        true
    }

    fn smooth(&self) -> bool {
        self.inner.smooth()
    }

    fn support(&self, t: &[f64]) -> f64 {
        let (first, second) = t.split_at(self.inner.dim());
        self.inner.support(first).min(self.inner.support(second))
    }
}

/// `ln(T0/T1) − ln(T2/T3)`: the logarithm of a risk ratio, on whose scale an interval is symmetric (Katz et al. 1978).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRiskRatio;

impl Functional for LogRiskRatio {
    fn dim(&self) -> usize {
        4
    }

    fn value(&self, t: &[f64]) -> Option<f64> {
        if t.iter().any(|x| *x <= 0.0) {
            return None;
        }
        Some((t[0] / t[1]).ln() - (t[2] / t[3]).ln())
    }

    fn gradient(&self, t: &[f64], out: &mut [f64]) -> bool {
        out.copy_from_slice(&[1.0 / t[0], -1.0 / t[1], -1.0 / t[2], 1.0 / t[3]]);
        t.iter().all(|x| *x > 0.0)
    }

    fn support(&self, t: &[f64]) -> f64 {
        t[1].min(t[3])
    }
}
