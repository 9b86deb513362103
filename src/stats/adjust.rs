//! Adjustments of a list of p-values. They know nothing of how hypotheses depend on each other; prefer
//! [`super::multiplicity::max_t`] where draws can be shared.
//!
//! All return adjusted p-values in the order of the input, at most 1.

/// Bonferroni: `m·p`. Any dependence. Dunn (1961). Not where [`holm`] can be had, which is never larger.
pub fn bonferroni(p: &[f64]) -> Vec<f64> {
    let m = p.len() as f64;
    p.iter().map(|p| (m * p).min(1.0)).collect()
}

/// Holm's step-down (1979), `max_{i ≤ j} (m − i + 1)·p₍ᵢ₎`. Family-wise error, any dependence. Not for Monte-Carlo
/// p-values whose smallest, `1/(B + 1)`, is above `α/m`: it then rejects nothing, whatever the data; see
/// [`super::multiplicity::resolution`].
pub fn holm(p: &[f64]) -> Vec<f64> {
    let m = p.len();
    let mut adjusted = vec![0.0; m];
    let mut previous = 0.0_f64;
    for (i, j) in increasing(p).into_iter().enumerate() {
        previous = previous.max(((m - i) as f64 * p[j]).min(1.0));
        adjusted[j] = previous;
    }
    adjusted
}

/// Hochberg's step-up (1988), `min_{i ≥ j} (m − i + 1)·p₍ᵢ₎`. Family-wise error, under positive dependence. Not for
/// negatively dependent hypotheses, such as subgroups that are complements: [`holm`] there.
pub fn hochberg(p: &[f64]) -> Vec<f64> {
    let m = p.len() as f64;
    step_up(p, |rank| m - rank + 1.0)
}

/// Benjamini & Hochberg (1995), `min_{i ≥ j} (m/i)·p₍ᵢ₎`. False discovery rate, under positive dependence. Not for
/// claims about every single row (it lets a share of the discoveries be false), nor under negative dependence:
/// [`benjamini_yekutieli`] there.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let m = p.len() as f64;
    step_up(p, |rank| m / rank)
}

/// Benjamini & Yekutieli (2001): [`benjamini_hochberg`] times `Σ 1/i`. False discovery rate, any dependence; for
/// subgroups that are complements of each other. Not where positive dependence is plausible: [`benjamini_hochberg`] is
/// sharper there.
pub fn benjamini_yekutieli(p: &[f64]) -> Vec<f64> {
    let m = p.len() as f64;
    let harmonic: f64 = (1..=p.len()).map(|i| 1.0 / i as f64).sum();
    step_up(p, |rank| harmonic * m / rank)
}

/// Hommel (1988), by the closure of Simes' test (Wright 1992). Family-wise error, under positive dependence; never
/// larger than [`hochberg`]. Not for negatively dependent hypotheses: [`holm`] there.
pub fn hommel(p: &[f64]) -> Vec<f64> {
    let m = p.len();
    let order = increasing(p);
    let sorted: Vec<f64> = order.iter().map(|j| p[*j]).collect();
    let mut adjusted = sorted.clone();
    for k in (2..=m).rev() {
        let split = m - k + 1;
        let simes = (2..=k).map(|i| k as f64 * sorted[split + i - 2] / i as f64).fold(f64::INFINITY, f64::min);
        for i in 0..m {
            let bound = if i < split { simes.min(k as f64 * sorted[i]) } else { simes };
            adjusted[i] = adjusted[i].max(bound);
        }
    }
    let mut out = vec![0.0; m];
    for (position, j) in order.into_iter().enumerate() {
        out[j] = adjusted[position].max(sorted[position]).min(1.0);
    }
    out
}

fn step_up(p: &[f64], factor: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    let mut previous = 1.0_f64;
    for (i, j) in increasing(p).into_iter().enumerate().rev() {
        previous = previous.min(factor(i as f64 + 1.0) * p[j]);
        adjusted[j] = previous;
    }
    adjusted
}

fn increasing(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}
