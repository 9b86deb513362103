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
//! Subgroups are domains, as in the bootstrap: which clusters of a stratum they touch is random. `G_h` is the design's, and
//! a cluster of a touched stratum that the cell does not touch is a row of zeros, whose absence lets the others grow by
//! `G_h/(G_h − 1)`; without it the variance of the strata's shares in the cell would be missing (Cochran 1977, §5A.14).
//! In a design of one stratum such clusters change nothing, and `G` counts touched ones. Degrees of freedom count touched
//! clusters; there, strata in which a cell touches one cluster only are taken together, and a single one left over joins
//! the largest stratum.
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
    /// Sums over strata of squared and cubed deviations, for the acceleration.
    moments: [f64; 2],
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

    /// Acceleration `a = Σ d³ / (6 (Σ d²)^{3/2})` for BCa (Efron 1987, eq. 6.6), with `d = mean − θ₍₋g₎`; in strata
    /// `d = (G_h − 1)/G_h · (mean_h − θ₍₋g₎)`, around each stratum's own mean (Davison & Hinkley 1997, §5.3.2).
    pub fn acceleration(&self) -> f64 {
        let [squares, cubes] = self.moments;
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
    let strata = counted_strata(design, cell.cluster_indices());
    let deleted = if design.strata() > 1 {
        stood_for(design, cell, functional, &sum)?
    } else {
        vec![Deleted { values: without.clone(), untouched: 0, of_untouched: estimate }]
    };
    let variance: f64 = deleted.iter().map(Deleted::variance).sum();
    let moments = deleted.iter().map(Deleted::moments).fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
    let clusters_effective = cell.effective_clusters();
    let df = ((clusters - strata) as f64).min(clusters_effective - 1.0).max(1.0);
    let scale = without.iter().fold(estimate.abs(), |scale, x| scale.max(x.abs()));
    let se = if variance.sqrt() <= ROUNDING * scale { 0.0 } else { variance.sqrt() };
    Ok(Jackknife { estimate, se, df, clusters, strata, clusters_effective, without, moments })
}

/// What the absence of each cluster of one stratum makes of the statistic.
struct Deleted {
    /// Without each touched cluster.
    values: Vec<f64>,
    /// Number of clusters that the cell does not touch, and the statistic without one of them.
    untouched: usize,
    of_untouched: f64,
}

impl Deleted {
    /// `G_h`.
    fn clusters(&self) -> f64 {
        (self.values.len() + self.untouched) as f64
    }

    /// Deviations from the mean with how often each occurs. Taken from the first value, so that equal values give exactly 0.
    fn deviations(&self) -> impl Iterator<Item = (f64, f64)> {
        let origin = self.values.first().copied().unwrap_or(self.of_untouched);
        let (rest, often) = (self.of_untouched - origin, self.untouched as f64);
        let mean = (self.values.iter().map(|x| x - origin).sum::<f64>() + often * rest) / self.clusters();
        let touched = self.values.iter().map(move |x| (x - origin - mean, 1.0));
        touched.chain((self.untouched > 0).then_some((rest - mean, often)))
    }

    fn variance(&self) -> f64 {
        let g = self.clusters();
        (g - 1.0) / g * self.deviations().map(|(d, often)| often * d * d).sum::<f64>()
    }

    /// Sums of `d²` and `d³` for the acceleration.
    fn moments(&self) -> [f64; 2] {
        let share = (self.clusters() - 1.0) / self.clusters();
        self.deviations().fold([0.0; 2], |[squares, cubes], (deviation, often)| {
            let d = -share * deviation;
            [squares + often * d * d, cubes + often * d * d * d]
        })
    }
}

/// `f(T − T_h + (T_h − u_g)·G_h/(G_h − 1))` of every cluster of the strata that a cell touches: the others of its stratum
/// stand for it. Where the cell does not touch cluster `g`, `u_g` is 0.
fn stood_for<C: Cell>(
    design: &Design,
    cell: &C,
    functional: &dyn Functional,
    sum: &[f64],
) -> Result<Vec<Deleted>, Refusal> {
    let mut rest = sum.to_vec();
    let (mut undefined, mut replicates) = (0, 0);
    let mut all = Vec::new();
    for (stratum, members) in by_stratum(design, cell.cluster_indices()) {
        let mut own = vec![0.0; sum.len()];
        for i in &members {
            for (total, x) in own.iter_mut().zip(cell.row(*i)) {
                *total += x;
            }
        }
        let size = design.members()[stratum as usize].len();
        let grown = size as f64 / (size as f64 - 1.0);
        let mut lacking = |row: Option<&[f64]>| {
            for (j, r) in rest.iter_mut().enumerate() {
                *r = sum[j] - own[j] + grown * (own[j] - row.map_or(0.0, |row| row[j]));
            }
            cell.statistic(functional, &rest).filter(|x| x.is_finite())
        };
        let values: Vec<f64> = members.iter().filter_map(|i| lacking(Some(cell.row(*i)))).collect();
        let untouched = size - members.len();
        let of_untouched = if untouched > 0 { lacking(None) } else { Some(0.0) };
        replicates += size;
        undefined += members.len() - values.len() + if of_untouched.is_none() { untouched } else { 0 };
        all.push(Deleted { values, untouched, of_untouched: of_untouched.unwrap_or(f64::NAN) });
    }
    if undefined > 0 { Err(Refusal::UndefinedReplicates { undefined, replicates }) } else { Ok(all) }
}

/// Positions of touched clusters by stratum.
fn by_stratum(design: &Design, clusters: &[u32]) -> BTreeMap<u32, Vec<usize>> {
    let mut by_stratum: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (position, cluster) in clusters.iter().enumerate() {
        by_stratum.entry(design.stratum(*cluster)).or_default().push(position);
    }
    by_stratum
}

/// Touched strata for degrees of freedom: those with a single touched cluster are taken together, or join another.
fn counted_strata(design: &Design, clusters: &[u32]) -> usize {
    if design.strata() == 1 {
        return 1;
    }
    let by_stratum = by_stratum(design, clusters);
    let lonely = by_stratum.values().filter(|members| members.len() < 2).count();
    (by_stratum.len() - lonely + usize::from(lonely > 1)).max(1)
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
