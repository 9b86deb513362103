//! Did subgroups change differently? Cochran's Q over the changes of the subgroups of one axis, with a null from the
//! shared sign flips, so that clusters which several subgroups have in common are accounted for.
//!
//! `Q = Σ_s (Δ_s − Δ̄)²/se_s²` with `Δ̄` weighted by `1/se_s²`. Each cluster's linearised contribution to `Δ_s`, taken
//! under the null hypothesis that all subgroups changed by `Δ̄`, is
//! `z_gs = ∇f(T_qs)·u_gqs − ∇f(T_0s)·u_g0s + (Δ_s − Δ̄)·n_gs/N_s`; over clusters it sums to `Δ_s − Δ̄`. Turning the signs
//! of whole clusters gives null draws of the vector, and the identity gives Q itself (a wild cluster test with the null
//! imposed; Cameron, Gelbach & Miller 2008). χ² with `S − 1` degrees of freedom would take subgroups as independent.
//!
//! Not for "significant in one subgroup and not in the other", which is no evidence of a difference (Gelman & Stern
//! 2006), and not for metrics with a kink.

use super::cluster::{Cell, PairedTotals};
use super::functional::Functional;
use super::permutation::{BLOCK, Counts, EXACT_CLUSTERS, Flips, Null};
use super::refusal::{MIN_CLUSTERS, Refusal};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The result of [`heterogeneity`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heterogeneity {
    /// `Q`.
    pub q: f64,
    /// `Δ̄`, weighted by `1/se²`.
    pub mean: f64,
    /// p-value, in (0, 1\].
    pub p: f64,
    /// The same with ties at half weight.
    pub p_mid: f64,
    /// Where p comes from.
    pub null: Null,
    /// Clusters with a contribution.
    pub clusters: usize,
}

/// Tests equal changes over `cells`, the paired totals of two or more subgroups, with standard errors `errors` (> 0).
/// Formula and reference (Cochran 1954; Cameron, Gelbach & Miller 2008) stand with the module. Not with fewer than six
/// contributing clusters, and not for kinked metrics.
///
/// # Errors
/// [`Refusal::Undefined`] where a change or gradient is undefined or an error is not positive,
/// [`Refusal::TooFewClusters`] below 6 clusters.
pub fn heterogeneity(
    flips: &Flips,
    cells: &[&PairedTotals],
    functional: &dyn Functional,
    errors: &[f64],
) -> Result<Heterogeneity, Refusal> {
    let valid = cells.len() >= 2 && cells.len() == errors.len() && errors.iter().all(|e| *e > 0.0 && e.is_finite());
    if !valid {
        return Err(Refusal::Undefined);
    }
    let changes: Vec<f64> =
        cells.iter().map(|c| c.estimate(functional)).collect::<Option<_>>().ok_or(Refusal::Undefined)?;
    let weights: Vec<f64> = errors.iter().map(|e| 1.0 / (e * e)).collect();
    let mean = weighted_mean(&changes, &weights);
    let rows = contributions(cells, functional, &changes, mean).ok_or(Refusal::Undefined)?;
    if rows.len() < MIN_CLUSTERS {
        return Err(Refusal::TooFewClusters { clusters: rows.len(), needed: MIN_CLUSTERS });
    }
    let scale: f64 = rows.values().flat_map(|row| row.iter().zip(&weights).map(|(z, w)| w * z * z)).sum();
    // Equal changes give a Q of rounding, which is 0: every pattern is then at least as large.
    let q = Some(statistic(&changes, &weights)).filter(|q| *q > 1e-12 * scale).unwrap_or(0.0);
    let mut counts = Counts::default();
    let null = if rows.len() <= EXACT_CLUSTERS {
        let contributions: Vec<&Vec<f64>> = rows.values().collect();
        // A pattern and its opposite give the same Q, so the last cluster stays.
        for pattern in 0..1_u32 << (rows.len() - 1) {
            let mut sum = vec![0.0; cells.len()];
            for (i, row) in contributions.iter().enumerate() {
                add(&mut sum, row, pattern >> i & 1 == 1);
            }
            counts.add(statistic(&sum, &weights), q, 2);
        }
        Null::Exact { patterns: 1 << rows.len() }
    } else {
        counts.add(q, q, 1);
        for value in drawn(flips, &rows, &weights) {
            counts.add(value, q, 1);
        }
        Null::MonteCarlo { draws: flips.draws() }
    };
    let all = counts.total as f64;
    let p = (counts.above + counts.tied) as f64 / all;
    let p_mid = (counts.above as f64 + 0.5 * counts.tied as f64) / all;
    Ok(Heterogeneity { q, mean, p, p_mid, null, clusters: rows.len() })
}

/// Q of every draw of the shared flips.
fn drawn(flips: &Flips, rows: &BTreeMap<u32, Vec<f64>>, weights: &[f64]) -> Vec<f64> {
    let s = weights.len();
    let blocks: Vec<Vec<f64>> = (0..flips.blocks())
        .into_par_iter()
        .map(|k| {
            let words = flips.block(k);
            let mut sums = vec![0.0; s * BLOCK];
            for (cluster, row) in rows {
                let word = words[*cluster as usize];
                for (x, lane) in row.iter().zip(sums.chunks_exact_mut(BLOCK)) {
                    if *x != 0.0 {
                        for (b, sum) in lane.iter_mut().enumerate() {
                            *sum += f64::from_bits(x.to_bits() ^ ((word >> b & 1) << 63));
                        }
                    }
                }
            }
            let column = |b: usize| (0..s).map(|i| sums[i * BLOCK + b]).collect::<Vec<f64>>();
            (0..flips.block_len(k)).map(|b| statistic(&column(b), weights)).collect()
        })
        .collect();
    blocks.into_iter().flatten().collect()
}

/// Contribution of each cluster to each subgroup's change under equal changes.
fn contributions(
    cells: &[&PairedTotals],
    functional: &dyn Functional,
    changes: &[f64],
    mean: f64,
) -> Option<BTreeMap<u32, Vec<f64>>> {
    let mut rows: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (s, (cell, change)) in cells.iter().zip(changes).enumerate() {
        let mut gradient = vec![0.0; cell.width()];
        if !functional.smooth() || !cell.statistic_gradient(functional, &cell.sum(), &mut gradient) {
            return None;
        }
        let items = cell.items_total() as f64;
        for (i, cluster) in cell.cluster_indices().iter().enumerate() {
            let own: f64 = cell.row(i).iter().zip(&gradient).map(|(u, g)| u * g).sum();
            let share = f64::from(cell.items()[i]) / items;
            rows.entry(*cluster).or_insert_with(|| vec![0.0; cells.len()])[s] = own + (change - mean) * share;
        }
    }
    Some(rows)
}

fn add(sum: &mut [f64], row: &[f64], turned: bool) {
    for (s, x) in sum.iter_mut().zip(row) {
        *s += if turned { -x } else { *x };
    }
}

fn weighted_mean(values: &[f64], weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    values.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() / total
}

fn statistic(values: &[f64], weights: &[f64]) -> f64 {
    let mean = weighted_mean(values, weights);
    values.iter().zip(weights).map(|(x, w)| w * (x - mean).powi(2)).sum()
}
