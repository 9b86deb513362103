//! Shrinking subgroup estimates towards each other, for display only, and the probability of being largest.
//!
//! `Δ_s | δ_s ~ N(δ_s, se_s²)`, `δ_s ~ N(μ, τ²)`: the shrunk value `μ + τ²/(τ² + se_s²)·(Δ_s − μ)` is drawn hollow next to
//! the raw estimate. It never enters a gate or a test. At least two estimates with positive SE are needed.

use super::interval::Replicates;

/// A random-effects summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrinkage {
    /// Mean over subgroups, weighted by `1/(τ² + se²)`.
    pub mean: f64,
    /// Variance between subgroups, ≥ 0.
    pub tau2: f64,
    /// Cochran's heterogeneity statistic `Q = Σ (Δ_s − Δ̄)²/se_s²` with fixed-effect weights; χ² with `S − 1` degrees of
    /// freedom only where subgroups share no clusters.
    pub q: f64,
    /// Shrunk estimates, in the order of the input.
    pub shrunk: Vec<f64>,
}

/// By Paule & Mandel's (1982) τ², which solves `Σ (Δ_s − μ(τ²))²/(τ² + se_s²) = S − 1`. `μ + τ²/(τ² + se²)·(Δ − μ)`.
/// For display: never for a test or gate, and not for dependent effects.
pub fn paule_mandel(estimates: &[f64], errors: &[f64]) -> Option<Shrinkage> {
    let freedom = degrees(estimates, errors)?;
    let excess = |tau2: f64| weighted(estimates, errors, tau2).1 - freedom;
    let mut tau2 = 0.0;
    if excess(0.0) > 0.0 {
        let (mut low, mut high) = (0.0, errors.iter().fold(0.0_f64, |m, se| m.max(se * se)));
        while excess(high) > 0.0 {
            high *= 2.0;
        }
        for _ in 0..200 {
            tau2 = f64::midpoint(low, high);
            if tau2 == low || tau2 == high {
                break;
            }
            if excess(tau2) > 0.0 {
                low = tau2;
            } else {
                high = tau2;
            }
        }
    }
    Some(shrink(estimates, errors, tau2))
}

/// By DerSimonian & Laird's (1986) moment estimate of τ², a check on [`paule_mandel`]. `τ² = max(0, (Q − (S − 1))/(Σw −
/// Σw²/Σw))`. Not a default: too small with few subgroups.
pub fn dersimonian_laird(estimates: &[f64], errors: &[f64]) -> Option<Shrinkage> {
    let freedom = degrees(estimates, errors)?;
    let weights: Vec<f64> = errors.iter().map(|se| 1.0 / (se * se)).collect();
    let (sum, squares) = weights.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
    let q = weighted(estimates, errors, 0.0).1;
    let tau2 = ((q - freedom) / (sum - squares / sum)).max(0.0);
    Some(shrink(estimates, errors, tau2))
}

/// Debiased spread between subgroups, `max(0, Var_s(θ_s) − mean_s se_s²)`: the square of what a range would show
/// without its upward bias (method of moments; variance with divisor S − 1). The moment estimator of Hedges & Olkin (1985) without weights. Not a test of "all alike".
pub fn debiased_variance(estimates: &[f64], errors: &[f64]) -> Option<f64> {
    let freedom = degrees(estimates, errors)?;
    let n = estimates.len() as f64;
    let mean = estimates.iter().sum::<f64>() / n;
    let variance = estimates.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / freedom;
    Some((variance - errors.iter().map(|se| se * se).sum::<f64>() / n).max(0.0))
}

/// Probability that each cell is the largest, over replicates drawn with shared weights: printed instead of a ranking.
/// Ties share; replicates in which a cell is undefined are left out. `None` where none is left.
pub fn largest(cells: &[&Replicates]) -> Option<Vec<f64>> {
    let replicates = cells.iter().map(|cell| cell.len()).min()?;
    let mut share = vec![0.0; cells.len()];
    let mut used = 0.0;
    for b in 0..replicates {
        let Some(row) = cells.iter().map(|cell| cell.get(b)).collect::<Option<Vec<f64>>>() else { continue };
        let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let tied = row.iter().filter(|x| **x == top).count() as f64;
        for (s, x) in share.iter_mut().zip(&row) {
            *s += if *x == top { 1.0 / tied } else { 0.0 };
        }
        used += 1.0;
    }
    (used > 0.0).then(|| share.iter().map(|s| s / used).collect())
}

fn degrees(estimates: &[f64], errors: &[f64]) -> Option<f64> {
    let valid = estimates.len() == errors.len()
        && estimates.len() >= 2
        && estimates.iter().all(|x| x.is_finite())
        && errors.iter().all(|se| *se > 0.0 && se.is_finite());
    valid.then_some(estimates.len() as f64 - 1.0)
}

/// Weighted mean and `Σ (Δ_s − mean)²/(τ² + se_s²)`.
fn weighted(estimates: &[f64], errors: &[f64], tau2: f64) -> (f64, f64) {
    let weights: Vec<f64> = errors.iter().map(|se| 1.0 / (tau2 + se * se)).collect();
    let total: f64 = weights.iter().sum();
    let mean = weights.iter().zip(estimates).map(|(w, x)| w * x).sum::<f64>() / total;
    (mean, weights.iter().zip(estimates).map(|(w, x)| w * (x - mean).powi(2)).sum())
}

fn shrink(estimates: &[f64], errors: &[f64], tau2: f64) -> Shrinkage {
    let mean = weighted(estimates, errors, tau2).0;
    let q = weighted(estimates, errors, 0.0).1;
    let shrunk = estimates.iter().zip(errors).map(|(x, se)| mean + tau2 / (tau2 + se * se) * (x - mean)).collect();
    Shrinkage { mean, tau2, q, shrunk }
}
