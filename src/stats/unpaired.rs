//! Two settings, or a trend, without item ids: the answers cannot be paired, so these tests take the samples as
//! independent.
//!
//! For imports of results that carry no ids only, and marked unpaired wherever they are shown: on the same items a paired
//! test is far sharper. Clusters still count: pass cluster totals where there are any. Where both samples have the same
//! clusters (the same templates with other items) the tests are conservative, since what the clusters have in common is
//! not taken out.

use super::cluster::Totals;
use super::dist::{normal_cdf, t_quantile, t_two_sided};
use super::functional::Functional;
use super::interval::Interval;
use super::jackknife::jackknife;
use super::level::Level;
use super::{design::Design, refusal::Refusal};

/// A difference of two independent samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unpaired {
    /// Second less first.
    pub difference: f64,
    /// Standard error.
    pub se: f64,
    /// Degrees of freedom (Satterthwaite).
    pub df: f64,
    /// Two-sided p-value by t.
    pub p: f64,
}

impl Unpaired {
    /// A difference with the variance and degrees of freedom of each side's mean. `None` where neither varies.
    pub fn new(difference: f64, (a, df_a): (f64, f64), (b, df_b): (f64, f64)) -> Option<Self> {
        let variance = a + b;
        let df = variance * variance / (a * a / df_a + b * b / df_b);
        let se = variance.sqrt();
        (se > 0.0 && df.is_finite()).then(|| Self { difference, se, df, p: t_two_sided(difference / se, df) })
    }

    /// `difference ± t·SE`.
    pub fn interval(&self, level: Level) -> Interval {
        let reach = -t_quantile(level.alpha() / 2.0, self.df) * self.se;
        Interval { lower: self.difference - reach, upper: self.difference + reach, level }
    }
}

/// Welch's t test of `second − first` (Welch 1947), one item per cluster. `None` with fewer than two values on a side
/// or where neither side varies. `(x̄₂ − x̄₁)/√(s₁²/n₁ + s₂²/n₂)`. Not for the same items twice, and not for templated
/// ones: [`clusters`].
pub fn welch(first: &[f64], second: &[f64]) -> Option<Unpaired> {
    let moments = |x: &[f64]| {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (x.len() > 1).then_some((mean, variance / n, n - 1.0))
    };
    let ((mean_a, a, df_a), (mean_b, b, df_b)) = (moments(first)?, moments(second)?);
    Unpaired::new(mean_b - mean_a, (a, df_a), (b, df_b))
}

/// Two independent samples of clusters: `f` of the second less `f` of the first, with jackknife variances of each and
/// Satterthwaite's degrees of freedom from `min(G − H, G_eff − 1)` of each (Welch 1947, with cluster errors for those of
/// items). Not for metrics at a kink.
///
/// # Errors
/// A [`Refusal`] of either jackknife, [`Refusal::ZeroError`] where neither varies.
pub fn clusters(
    design: &Design,
    first: &Totals,
    second: &Totals,
    functional: &dyn Functional,
) -> Result<Unpaired, Refusal> {
    let (a, b) = (jackknife(design, first, functional)?, jackknife(design, second, functional)?);
    Unpaired::new(b.estimate - a.estimate, (a.se * a.se, a.df), (b.se * b.se, b.df)).ok_or(Refusal::ZeroError)
}

/// A linear contrast `Σ c_q θ_q` of independent samples, such as the slope of a metric over settings that share no item:
/// variances add up as `Σ c_q² SE_q²`, degrees of freedom by Satterthwaite (1946). `sides` are estimate, standard error,
/// and degrees of freedom. `None` for lists of different lengths or where nothing varies. Not for settings that share
/// items: use a within-cluster contrast there.
pub fn linear(sides: &[(f64, f64, f64)], scores: &[f64]) -> Option<Unpaired> {
    if sides.len() != scores.len() {
        return None;
    }
    let (mut difference, mut variance, mut squares) = (0.0, 0.0, 0.0);
    for ((estimate, se, df), c) in sides.iter().zip(scores) {
        let own = c * c * se * se;
        difference += c * estimate;
        variance += own;
        squares += own * own / df;
    }
    let (se, df) = (variance.sqrt(), variance * variance / squares);
    (se > 0.0 && df.is_finite()).then(|| Unpaired { difference, se, df, p: t_two_sided(difference / se, df) })
}

/// The result of [`jonckheere_terpstra`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jonckheere {
    /// `J = Σ_{i<j} U_ij`, pairs of groups in the hypothesised order, ties at one half.
    pub j: f64,
    /// Its standard normal value, corrected for ties.
    pub z: f64,
    /// Two-sided p-value by the normal approximation.
    pub p: f64,
}

/// Jonckheere–Terpstra test of an ordered alternative over independent groups (Jonckheere 1954; Hollander & Wolfe 1999,
/// §6.2, with the variance for ties of their eq. 6.19). `None` with fewer than two groups or where all values are
/// equal. Not for settings that share items: [`super::trend::page`] or a within-cluster contrast there.
pub fn jonckheere_terpstra(groups: &[&[f64]]) -> Option<Jonckheere> {
    if groups.len() < 2 || groups.iter().any(|g| g.iter().any(|x| !x.is_finite())) {
        return None;
    }
    let mut j = 0.0;
    for (i, lower) in groups.iter().enumerate() {
        let mut sorted = lower.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        for x in groups[i + 1..].iter().flat_map(|g| g.iter()) {
            let below = sorted.partition_point(|y| y < x);
            let upto = sorted.partition_point(|y| y <= x);
            j += below as f64 + 0.5 * (upto - below) as f64;
        }
    }
    let mut all: Vec<f64> = groups.iter().flat_map(|g| g.iter().copied()).collect();
    all.sort_unstable_by(f64::total_cmp);
    let n = all.len() as f64;
    let ties: Vec<f64> = all.chunk_by(|a, b| a == b).map(|run| run.len() as f64).collect();
    let sizes: Vec<f64> = groups.iter().map(|g| g.len() as f64).collect();
    let mean = (n * n - sizes.iter().map(|s| s * s).sum::<f64>()) / 4.0;
    let sum = |values: &[f64], f: fn(f64) -> f64| values.iter().map(|v| f(*v)).sum::<f64>();
    let first = |v: f64| v * (v - 1.0) * (2.0 * v + 5.0);
    let second = |v: f64| v * (v - 1.0) * (v - 2.0);
    let third = |v: f64| v * (v - 1.0);
    let mut variance = (first(n) - sum(&sizes, first) - sum(&ties, first)) / 72.0;
    if n > 2.0 {
        variance += sum(&sizes, second) * sum(&ties, second) / (36.0 * second(n));
    }
    variance += sum(&sizes, third) * sum(&ties, third) / (8.0 * third(n));
    (variance > 0.0).then(|| {
        let z = (j - mean) / variance.sqrt();
        Jonckheere { j, z, p: (2.0 * normal_cdf(-z.abs())).min(1.0) }
    })
}
