//! Why a number is not published: too few clusters, too little support, degenerate data.
//!
//! A refusal is an answer, not an error: it stands in the place of the number and says what was missing.

use super::cluster::Cell;
use super::functional::Functional;

/// Clusters, and changed clusters, below which there is neither interval nor p-value.
///
/// With fewer than 6 changed clusters no two-sided sign-flip p-value can be below 2/2⁵ = 0.0625.
pub const MIN_CLUSTERS: usize = 6;
/// Clusters below which there is no bootstrap interval.
pub const MIN_CLUSTERS_BOOTSTRAP: usize = 15;
/// Clusters below which intervals carry a warning.
pub const FEW_CLUSTERS: usize = 30;
/// Items below which intervals of ratio metrics are refused.
pub const MIN_ITEMS: u64 = 30;
/// Denominators below which intervals of ratio metrics are refused.
pub const MIN_SUPPORT: f64 = 10.0;
/// Share of undefined replicates above which there is no bootstrap interval.
pub const MAX_UNDEFINED: f64 = 0.01;
/// Distinct replicate values below which the bootstrap distribution is called discrete.
pub const MIN_DISTINCT: usize = 50;

/// Why a number is not published.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The metric has no value here.
    #[error("the metric is undefined on these totals (a denominator is zero)")]
    Undefined,
    /// Too few clusters for this method.
    #[error("{clusters} clusters; this needs at least {needed}")]
    TooFewClusters {
        /// Clusters in the cell.
        clusters: usize,
        /// Clusters needed.
        needed: usize,
    },
    /// Too few clusters in which anything changed.
    #[error("only {changed} clusters changed; below {needed} no p-value can reach 0.05")]
    TooFewChanged {
        /// Clusters whose totals differ between setting and baseline.
        changed: usize,
        /// Changed clusters needed.
        needed: usize,
    },
    /// Too few items.
    #[error("{items} items; this needs at least {needed}")]
    TooFewItems {
        /// Items in the cell.
        items: u64,
        /// Items needed.
        needed: u64,
    },
    /// A denominator is too small.
    #[error("a denominator is {support}; this needs at least {needed}")]
    SmallDenominator {
        /// The smallest denominator.
        support: f64,
        /// What is needed.
        needed: f64,
    },
    /// The metric was undefined in too many replicates.
    #[error("the metric is undefined in {undefined} of {replicates} replicates")]
    UndefinedReplicates {
        /// Undefined replicates.
        undefined: usize,
        /// All replicates.
        replicates: usize,
    },
    /// The standard error is 0 or not finite.
    #[error("the standard error is zero: every cluster shows the same change")]
    ZeroError,
    /// Replicates take too few values.
    #[error("replicates take only {distinct} distinct values; this needs at least {needed}")]
    Discrete {
        /// Distinct values.
        distinct: usize,
        /// Distinct values needed.
        needed: usize,
    },
    /// The method needs a smooth metric.
    #[error("the metric has a kink, and this method needs a smooth one")]
    NotSmooth,
    /// A likelihood without a maximum.
    #[error(
        "the predictor separates the events from the rest, or all items are of one kind: the likelihood has no maximum"
    )]
    Separated,
    /// A BCa constant is outside the range where the interval can be trusted.
    #[error("BCa constants out of range: bias z0 = {z0:.3}, acceleration a = {acceleration:.3}")]
    Skewed {
        /// Bias correction.
        z0: f64,
        /// Acceleration.
        acceleration: f64,
    },
}

/// Refuses an interval where clusters, items or denominators are too few.
///
/// `changed` is the number of clusters whose totals differ (give `cell.clusters()` for absolute values). Rules of thumb
/// of the design (no p-value below 2/2⁵ with five clusters; at least 30 items and 10 in each denominator; Cochran 1977,
/// §2.15 on normality). Not for the bound where hardly anything changed ([`super::rare`]).
///
/// # Errors
/// The first [`Refusal`] that applies, in the order clusters, changed clusters, items, denominators.
pub fn admit_interval<C: Cell>(cell: &C, changed: usize, functional: &dyn Functional) -> Result<(), Refusal> {
    let clusters = cell.clusters();
    if clusters < MIN_CLUSTERS {
        return Err(Refusal::TooFewClusters { clusters, needed: MIN_CLUSTERS });
    }
    if changed < MIN_CLUSTERS {
        return Err(Refusal::TooFewChanged { changed, needed: MIN_CLUSTERS });
    }
    let items = cell.items_total();
    if items < MIN_ITEMS {
        return Err(Refusal::TooFewItems { items, needed: MIN_ITEMS });
    }
    let support = cell.support(functional);
    if support < MIN_SUPPORT {
        return Err(Refusal::SmallDenominator { support, needed: MIN_SUPPORT });
    }
    Ok(())
}

/// As [`admit_interval`], and also refuses a bootstrap interval below [`MIN_CLUSTERS_BOOTSTRAP`] clusters, and for metrics
/// with a kink: at the kink of ICAT a percentile interval covers about 0.7, jackknife-t about 0.94.
///
/// # Errors
/// The first [`Refusal`] that applies.
pub fn admit_bootstrap<C: Cell>(cell: &C, changed: usize, functional: &dyn Functional) -> Result<(), Refusal> {
    admit_interval(cell, changed, functional)?;
    let clusters = cell.clusters();
    if clusters < MIN_CLUSTERS_BOOTSTRAP {
        return Err(Refusal::TooFewClusters { clusters, needed: MIN_CLUSTERS_BOOTSTRAP });
    }
    if !functional.smooth() {
        return Err(Refusal::NotSmooth);
    }
    Ok(())
}
