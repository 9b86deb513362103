//! Intervals from bootstrap replicates.
//!
//! The headline is the **expanded percentile** interval (Hesterberg 2015, §4.3): a percentile interval at levels
//! `Φ(−√(G/(G−H))·t_{G−H, 1−α/2})` and its complement, which undoes the two ways in which a percentile interval is too
//! narrow with few clusters (a variance with divisor G, and z where t belongs). For G = 25 a nominal 95 % percentile
//! interval covers about 93 %, the expanded one about 95 %.
//!
//! Nothing is repaired silently: undefined replicates beyond 1 % refuse the interval, few distinct values are flagged.

use super::dist;
use super::level::Level;
use super::order::Order;
use super::refusal::{MAX_UNDEFINED, MIN_DISTINCT, Refusal};
use std::cell::Cell;

/// A two-sided confidence interval. Its two limits are one-sided bounds at level `1 − α/2`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
    /// Two-sided level.
    pub level: Level,
}

impl Interval {
    /// `upper − lower`.
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }

    /// Whether the interval contains `x`, limits included.
    pub fn contains(&self, x: f64) -> bool {
        self.lower <= x && x <= self.upper
    }

    /// The wider of two intervals; the first where they are equally wide. Gates use it.
    #[must_use]
    pub fn wider(self, other: Self) -> Self {
        if other.width() > self.width() { other } else { self }
    }

    /// Whether two intervals for one quantity differ, at either limit, by more than a quarter of the wider width.
    pub fn disagrees(&self, other: &Self) -> bool {
        let apart = (self.lower - other.lower).abs().max((self.upper - other.upper).abs());
        apart > 0.25 * self.width().max(other.width())
    }
}

/// Replicates of a statistic, undefined ones kept: replicate `b` of one cell belongs with replicate `b` of every other
/// cell that was drawn with the same weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Replicates {
    /// NaN where undefined.
    values: Vec<f64>,
}

impl Replicates {
    /// Replicates in the order of their numbers.
    pub fn new(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        Self { values: values.into_iter().map(|x| x.filter(|x| x.is_finite()).unwrap_or(f64::NAN)).collect() }
    }

    /// From numbers in which NaN and infinities mean undefined.
    pub(crate) fn from_raw(values: Vec<f64>) -> Self {
        Self { values }
    }

    /// Number of replicates, undefined ones included.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Replicate `b`, `None` where undefined.
    pub fn get(&self, b: usize) -> Option<f64> {
        self.values.get(b).copied().filter(|x| x.is_finite())
    }

    /// All replicates in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        self.values.iter().map(|x| x.is_finite().then_some(*x))
    }

    /// How many are undefined.
    pub fn undefined(&self) -> usize {
        self.values.iter().filter(|x| !x.is_finite()).count()
    }

    /// The defined ones, increasing.
    pub fn sorted(&self) -> Vec<f64> {
        let mut values: Vec<f64> = self.values.iter().copied().filter(|x| x.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    }

    /// Standard deviation of the defined ones (divisor: their number minus 1); `None` with fewer than two.
    pub fn standard_error(&self) -> Option<f64> {
        let defined = || self.values.iter().copied().filter(|x| x.is_finite());
        let n = defined().count();
        if n < 2 {
            return None;
        }
        let mean = defined().sum::<f64>() / n as f64;
        Some((defined().map(|x| (x - mean).powi(2)).sum::<f64>() / (n as f64 - 1.0)).sqrt())
    }
}

/// An interval from replicates, with what is needed to judge it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapInterval {
    /// The interval.
    pub interval: Interval,
    /// Monte-Carlo standard error of the lower limit: half the distance of the replicates one binomial standard
    /// deviation of ranks to either side.
    pub lower_error: f64,
    /// The same of the upper limit.
    pub upper_error: f64,
    /// Distinct replicate values, counted up to [`MIN_DISTINCT`].
    pub distinct: usize,
    /// Undefined replicates (at most 1 %; they are left out of the quantiles).
    pub undefined: usize,
}

impl BootstrapInterval {
    /// Whether replicates take so few values that limits sit on a coarse grid.
    pub fn discrete(&self) -> bool {
        self.distinct < MIN_DISTINCT
    }
}

/// Quantile of increasing `sorted` values at `p` in \[0, 1\], Hyndman & Fan's type 7 (NumPy, SciPy, R default). `None`
/// for no values. `x₍k₎ + (h − k)(x₍k+1₎ − x₍k₎)` with `h = (n − 1)p` counted from 0 (Hyndman & Fan 1996). Not for
/// extreme tails of few values, where it stays inside the largest.
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = (last as f64 * p.clamp(0.0, 1.0)).clamp(0.0, last as f64);
    let below = at.floor() as usize;
    let above = (below + 1).min(last);
    let (low, high) = (sorted[below], sorted[above]);
    Some(low + (at - below as f64) * (high - low))
}

/// The expanded percentile interval. `clusters` is `G`, `strata` is `H`, of the cell (touched ones). Levels as in the
/// module (Hesterberg 2015, §4.3). Not below 15 clusters, where jackknife-t stands alone
/// ([`super::refusal::admit_bootstrap`]), and not for metrics at a kink.
///
/// # Errors
/// [`Refusal::UndefinedReplicates`] beyond 1 %, [`Refusal::TooFewClusters`] where `G ≤ H`.
pub fn expanded_percentile(
    replicates: &Replicates,
    level: Level,
    clusters: usize,
    strata: usize,
) -> Result<BootstrapInterval, Refusal> {
    if clusters <= strata {
        return Err(Refusal::TooFewClusters { clusters, needed: strata + 1 });
    }
    let lower = expanded_share(level, clusters, strata);
    let order = admit(replicates, lower)?;
    limits(&order, replicates, level, lower, 1.0 - lower)
}

/// What [`expanded_share`] was asked for last, and its answer.
type LastShare = Cell<Option<((Level, usize, usize), f64)>>;

/// `Φ(−√(G/(G−H))·t_{G−H, 1−α/2})`. Settings of a subgroup ask for the same one after the other, and a quantile of t with
/// many degrees of freedom takes as long as the replicates' own: the last is kept.
fn expanded_share(level: Level, clusters: usize, strata: usize) -> f64 {
    thread_local!(static LAST: LastShare = const { Cell::new(None) });
    let asked = (level, clusters, strata);
    if let Some((last, share)) = LAST.get()
        && last == asked
    {
        return share;
    }
    let df = (clusters - strata) as f64;
    let share = dist::normal_cdf(-(clusters as f64 / df).sqrt() * level.t(df));
    LAST.set(Some((asked, share)));
    share
}

/// The plain percentile interval, at levels α/2 and 1 − α/2 (Efron 1979): too narrow below about 60 clusters.
/// [`expanded_percentile`] corrects that.
///
/// # Errors
/// [`Refusal::UndefinedReplicates`] beyond 1 %.
pub fn percentile(replicates: &Replicates, level: Level) -> Result<BootstrapInterval, Refusal> {
    let order = admit(replicates, level.alpha() / 2.0)?;
    limits(&order, replicates, level, level.alpha() / 2.0, 1.0 - level.alpha() / 2.0)
}

/// Refuses where too many replicates are undefined, and otherwise orders the defined ones, as far as quantiles up to
/// `share` from either end need it.
pub(crate) fn admit(replicates: &Replicates, share: f64) -> Result<Order, Refusal> {
    let undefined = replicates.undefined();
    let defined = replicates.len() - undefined;
    if defined < 2 || undefined as f64 > MAX_UNDEFINED * replicates.len() as f64 {
        return Err(Refusal::UndefinedReplicates { undefined, replicates: replicates.len() });
    }
    if undefined == 0 {
        return Ok(Order::tails(&replicates.values, share));
    }
    let values: Vec<f64> = replicates.iter().flatten().collect();
    Ok(Order::tails(&values, share))
}

pub(crate) fn limits(
    order: &Order,
    replicates: &Replicates,
    level: Level,
    lower: f64,
    upper: f64,
) -> Result<BootstrapInterval, Refusal> {
    let at = |p| order.quantile(p).ok_or(Refusal::Undefined);
    Ok(BootstrapInterval {
        interval: Interval { lower: at(lower)?, upper: at(upper)?, level },
        lower_error: limit_error(order, lower),
        upper_error: limit_error(order, upper),
        distinct: order.distinct(),
        undefined: replicates.len() - order.len(),
    })
}

fn limit_error(order: &Order, p: f64) -> f64 {
    let spread = (p * (1.0 - p) / order.len() as f64).sqrt();
    match (order.quantile(p - spread), order.quantile(p + spread)) {
        (Some(low), Some(high)) => (high - low) / 2.0,
        _ => f64::NAN,
    }
}
