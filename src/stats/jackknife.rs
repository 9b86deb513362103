//! Delete-one-cluster jackknife: standard error, degrees of freedom, t interval, design effect.
//!
//! `SE² = Σ_h (G_h − 1)/G_h · Σ_{g∈h} (θ₍₋g₎ − mean_h)²` with `θ₍₋g₎ = f(T − T_h + (T_h − u_g)·G_h/(G_h − 1))`: without
//! cluster `g`, the others of its stratum stand for it (JKn; Rust & Rao 1996; Wolter 2007, §4.5). In one stratum that is
//! `f(T − u_g)`, since metrics do not change where all totals grow alike; in several, leaving the others as they are would
//! make `SE²` too small by `((G_h − 1)/G_h)²`. O(G·p), exact, nothing drawn. It equals the CR3 cluster-robust estimator up
//! to order 1/G (Bell & McCaffrey 2002; Cameron & Miller 2015, §VI.B).
//! Degrees of freedom are `min(G − H, G_eff − 1)` with `G_eff = (Σ n_g)²/Σ n_g²`, because CR1 with `G − 1` rejects too
//! often when sizes are very unequal (Carter, Schnepel & Steigerwald 2017).
//!
//! Clusters that a cell does not touch are not deleted: `G_h` counts touched clusters. A stratum in which a cell touches
//! one cluster only has no variance of its own; all such strata are taken together, and a single one left over joins the
//! largest stratum (collapsed strata, which errs towards a larger SE; Cochran 1977, §5A.12).
//!
//! Not for kinked metrics at their kink, and not where leaving one cluster out makes the metric undefined: that is a
//! [`Refusal`].

use super::cluster::Cell;
use super::design::Design;
use super::dist;
use super::functional::Functional;
use super::interval::Interval;
use super::level::Level;
use super::refusal::{MIN_CLUSTERS, Refusal};
use std::collections::BTreeMap;

/// A standard error below this share of the statistic is rounding: it is taken as exactly 0.
const ROUNDING: f64 = 1e-13;

/// A jackknife over clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Jackknife {
    /// The statistic on all clusters.
    pub estimate: f64,
    /// Standard error, ≥ 0.
    pub se: f64,
    /// Degrees of freedom, `max(1, min(G − H, G_eff − 1))`.
    pub df: f64,
    /// Touched clusters, `G`.
    pub clusters: usize,
    /// Touched strata after collapsing, `H`.
    pub strata: usize,
    /// `(Σ n_g)²/Σ n_g²`.
    pub clusters_effective: f64,
    /// `f(T − u_g)` per touched cluster, in cluster order: what each cluster's absence would make of the estimate.
    pub without: Vec<f64>,
}

impl Jackknife {
    /// `estimate ± t·SE`. `None` where SE is 0: a t interval of width 0 would claim certainty.
    pub fn interval(&self, level: Level) -> Option<Interval> {
        let reach = level.t(self.df) * self.se;
        (self.se > 0.0).then_some(Interval { lower: self.estimate - reach, upper: self.estimate + reach, level })
    }

    /// Two-sided p-value of `estimate = null` by t. `None` where SE is 0.
    pub fn p_value(&self, null: f64) -> Option<f64> {
        (self.se > 0.0).then(|| dist::t_two_sided((self.estimate - null) / self.se, self.df))
    }

    /// Design effect: this variance over `item_variance`, the one that treats items as independent.
    pub fn design_effect(&self, item_variance: f64) -> Option<f64> {
        let deff = self.se * self.se / item_variance;
        (item_variance > 0.0 && deff.is_finite()).then_some(deff)
    }

    /// Acceleration `a = Σ d³ / (6 (Σ d²)^{3/2})` with `d = mean(θ₍₋g₎) − θ₍₋g₎`, for BCa (Efron 1987, eq. 6.6).
    pub fn acceleration(&self) -> f64 {
        let mean = self.without.iter().sum::<f64>() / self.without.len() as f64;
        let (squares, cubes) = self.without.iter().fold((0.0, 0.0), |(s, c), x| {
            let d = mean - x;
            (s + d * d, c + d * d * d)
        });
        if squares > 0.0 { cubes / (6.0 * squares * squares.sqrt()) } else { 0.0 }
    }
}

/// The jackknife of a cell: of `f(T)` for [`super::Totals`], of the paired change for [`super::PairedTotals`]. Formulas
/// and references (Bell & McCaffrey 2002; Rust & Rao 1996) stand with the module. Not for metrics at a kink, and not
/// for fixed-benchmark claims, which have no sampling error.
///
/// # Errors
/// [`Refusal::TooFewClusters`] below [`MIN_CLUSTERS`] touched clusters, [`Refusal::Undefined`] where the metric has no
/// value on all clusters, [`Refusal::UndefinedReplicates`] where it has none without one of them.
///
/// # Example
/// One item per cluster and a mean: the standard error is `s/√n`.
/// ```
/// use quantbias::stats::functional::Ratio;
/// use quantbias::stats::jackknife::jackknife;
/// use quantbias::stats::{Design, Totals};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let contributions = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(|x| [x, 1.0]).concat();
/// let totals = Totals::from_items(2, &[0, 1, 2, 3, 4, 5], &contributions)?;
/// let found = jackknife(&Design::simple(6), &totals, &Ratio)?;
/// assert!((found.estimate - 3.5).abs() < 1e-12);
/// assert!((found.se - (3.5_f64 / 6.0).sqrt()).abs() < 1e-12);
/// assert!((found.df - 5.0).abs() < 1e-12);
/// # Ok(()) }
/// ```
pub fn jackknife<C: Cell>(design: &Design, cell: &C, functional: &dyn Functional) -> Result<Jackknife, Refusal> {
    let clusters = cell.clusters();
    let sum = cell.sum();
    let estimate = cell.statistic(functional, &sum).ok_or(Refusal::Undefined)?;
    if clusters < MIN_CLUSTERS {
        return Err(Refusal::TooFewClusters { clusters, needed: MIN_CLUSTERS });
    }
    let mut rest = sum.clone();
    let mut without = Vec::with_capacity(clusters);
    for i in 0..clusters {
        for ((r, total), x) in rest.iter_mut().zip(&sum).zip(cell.row(i)) {
            *r = total - x;
        }
        without.extend(cell.statistic(functional, &rest));
    }
    if without.len() < clusters {
        return Err(Refusal::UndefinedReplicates { undefined: clusters - without.len(), replicates: clusters });
    }
    let strata = touched_strata(design, cell.cluster_indices());
    let stood_for = if strata.len() > 1 { stood_for(cell, functional, &sum, &strata) } else { Ok(without.clone()) }?;
    let variance: f64 = strata.iter().map(|members| stratum_variance(members, &stood_for)).sum();
    let clusters_effective = cell.effective_clusters();
    let df = ((clusters - strata.len()) as f64).min(clusters_effective - 1.0).max(1.0);
    let scale = without.iter().fold(estimate.abs(), |scale, x| scale.max(x.abs()));
    let se = if variance.sqrt() <= ROUNDING * scale { 0.0 } else { variance.sqrt() };
    Ok(Jackknife { estimate, se, df, clusters, strata: strata.len(), clusters_effective, without })
}

/// `f(T − T_h + (T_h − u_g)·G_h/(G_h − 1))` of every cluster: the others of its stratum stand for it.
fn stood_for<C: Cell>(
    cell: &C,
    functional: &dyn Functional,
    sum: &[f64],
    strata: &[Vec<usize>],
) -> Result<Vec<f64>, Refusal> {
    let clusters = cell.clusters();
    let mut values = vec![f64::NAN; clusters];
    let mut rest = sum.to_vec();
    for members in strata {
        let mut own = vec![0.0; sum.len()];
        for i in members {
            for (total, x) in own.iter_mut().zip(cell.row(*i)) {
                *total += x;
            }
        }
        let grown = members.len() as f64 / (members.len() as f64 - 1.0);
        for i in members {
            for (((r, all), of_stratum), x) in rest.iter_mut().zip(sum).zip(&own).zip(cell.row(*i)) {
                *r = all - of_stratum + grown * (of_stratum - x);
            }
            values[*i] = cell.statistic(functional, &rest).unwrap_or(f64::NAN);
        }
    }
    let undefined = values.iter().filter(|x| !x.is_finite()).count();
    if undefined > 0 { Err(Refusal::UndefinedReplicates { undefined, replicates: clusters }) } else { Ok(values) }
}

fn stratum_variance(members: &[usize], without: &[f64]) -> f64 {
    let g = members.len() as f64;
    // Deviations from the first value, so that equal values give exactly 0.
    let origin = without[members[0]];
    let mean = members.iter().map(|i| without[*i] - origin).sum::<f64>() / g;
    let squares: f64 = members.iter().map(|i| (without[*i] - origin - mean).powi(2)).sum();
    (g - 1.0) / g * squares
}

/// Positions of touched clusters by stratum, strata with a single touched cluster collapsed.
pub(crate) fn touched_strata(design: &Design, clusters: &[u32]) -> Vec<Vec<usize>> {
    if design.strata() == 1 {
        return vec![(0..clusters.len()).collect()];
    }
    let mut by_stratum: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (position, cluster) in clusters.iter().enumerate() {
        by_stratum.entry(design.stratum(*cluster)).or_default().push(position);
    }
    let (lonely, mut strata): (Vec<_>, Vec<_>) = by_stratum.into_values().partition(|members| members.len() < 2);
    let lonely: Vec<usize> = lonely.into_iter().flatten().collect();
    if lonely.len() > 1 || strata.is_empty() {
        strata.push(lonely);
    } else if let Some(largest) = strata.iter_mut().max_by_key(|members| members.len()) {
        largest.extend(lonely);
    }
    strata
}

/// Second moments of contributions, `Σ_i v_i v_iᵀ`, and the variance that a metric would have if items were
/// independent: the denominator of the design effect.
///
/// For a contrast `v_i` is the item's contribution under the baseline followed by that under the setting (`2p` numbers).
#[derive(Debug, Clone, PartialEq)]
pub struct ItemMoments {
    width: usize,
    items: u64,
    products: Vec<f64>,
}

impl ItemMoments {
    /// Moments of rows of `width` numbers.
    pub fn new(width: usize) -> Self {
        Self { width, items: 0, products: vec![0.0; width * width] }
    }

    /// Moments that were added up before: the matrix of sums of products, row-major, of `items` rows.
    pub fn from_products(items: u64, products: &[f64]) -> Self {
        Self { width: products.len().isqrt(), items, products: products.to_vec() }
    }

    /// Adds one item's row.
    pub fn add(&mut self, row: &[f64]) {
        self.items += 1;
        for (i, x) in row.iter().enumerate() {
            for (j, y) in row.iter().enumerate() {
                self.products[i * self.width + j] += x * y;
            }
        }
    }

    /// Linearised variance `n/(n−1) · Σ_i (∇·v_i)²` at the cell's totals. `None` where the gradient does not exist or
    /// there are fewer than two items.
    pub fn variance<C: Cell>(&self, cell: &C, functional: &dyn Functional) -> Option<f64> {
        let mut gradient = vec![0.0; self.width];
        if cell.width() != self.width
            || self.items < 2
            || !cell.statistic_gradient(functional, &cell.sum(), &mut gradient)
        {
            return None;
        }
        let form: f64 = (0..self.width)
            .flat_map(|i| (0..self.width).map(move |j| (i, j)))
            .map(|(i, j)| gradient[i] * gradient[j] * self.products[i * self.width + j])
            .sum();
        let n = self.items as f64;
        Some(n / (n - 1.0) * form.max(0.0))
    }
}
