//! Intervals of a single rate `k/n`, with an effective size where items come in clusters.
//!
//! Pass `n / deff` as size (Korn & Graubard 1998) and the cluster degrees of freedom, or to intervals without them the size
//! of [`fewer`]; at 0 % and 100 %, where a design
//! effect cannot be estimated, pass the number of clusters as size to [`clopper_pearson`]. Not for paired changes.

use super::cluster::{Cell, Totals};
use super::design::Design;
use super::dist::beta_quantile;
use super::functional::Ratio;
use super::interval::Interval;
use super::jackknife::jackknife;
use super::level::Level;

/// Wilson's score interval (Wilson 1927), with t in place of z where `df` is finite.
///
/// `rate` in \[0, 1\], `size` > 0 the (effective) number of items. `None` outside of that. Not at 0 % and 100 %, where
/// the design effect cannot be estimated: [`clopper_pearson`] over clusters there.
pub fn wilson(rate: f64, size: f64, df: f64, level: Level) -> Option<Interval> {
    if !valid(rate, size) {
        return None;
    }
    let z = level.t(df);
    let z2 = z * z;
    let centre = (rate + z2 / (2.0 * size)) / (1.0 + z2 / size);
    let reach = z / (1.0 + z2 / size) * (rate * (1.0 - rate) / size + z2 / (4.0 * size * size)).sqrt();
    let lower = if rate == 0.0 { 0.0 } else { (centre - reach).max(0.0) };
    let upper = if rate == 1.0 { 1.0 } else { (centre + reach).min(1.0) };
    Some(Interval { lower, upper, level })
}

/// The exact interval of Clopper & Pearson (1934): conservative, and right at 0 % and 100 %. `size` may be fractional.
/// `B(α/2; k, n − k + 1)` to `B(1 − α/2; k + 1, n − k)`, quantiles of the beta distribution. Not inside (0, 1), where
/// [`wilson`] is closer to its level.
pub fn clopper_pearson(rate: f64, size: f64, level: Level) -> Option<Interval> {
    if !valid(rate, size) {
        return None;
    }
    let (k, half) = (rate * size, level.alpha() / 2.0);
    let lower = if rate == 0.0 { 0.0 } else { beta_quantile(half, k, size - k + 1.0) };
    let upper = if rate == 1.0 { 1.0 } else { 1.0 - beta_quantile(half, size - k, k + 1.0) };
    Some(Interval { lower, upper, level })
}

/// Jeffreys' equal-tailed interval, Beta(k + ½, n − k + ½) (Brown, Cai & DasGupta 2001), without their change of the
/// limits at 0 % and 100 %. For comparison with other software: not a default, since its coverage dips near 0 and 1.
pub fn jeffreys(rate: f64, size: f64, level: Level) -> Option<Interval> {
    if !valid(rate, size) {
        return None;
    }
    let (a, b, half) = (rate * size + 0.5, (1.0 - rate) * size + 0.5, level.alpha() / 2.0);
    Some(Interval { lower: beta_quantile(half, a, b), upper: 1.0 - beta_quantile(half, b, a), level })
}

/// The interval of a rate over clusters, from totals `(events, items)`: [`wilson`] with `n/deff` in place of `n` and
/// the jackknife's degrees of freedom, where `deff` is the jackknife variance over `p(1 − p)/n`; at 0 and 1, where no
/// design effect can be estimated, [`clopper_pearson`] with the number of clusters. `None` with fewer than 6 clusters.
/// Effective size `n/deff` with t (Korn & Graubard 1998). Not for changes between settings: use the paired interval.
pub fn of_clusters(design: &Design, totals: &Totals, level: Level) -> Option<Interval> {
    let (rate, size, df) = effective(design, totals)?;
    if rate <= 0.0 || rate >= 1.0 {
        return clopper_pearson(rate, size, level);
    }
    wilson(rate, size, df, level)
}

/// An interval of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// [`wilson`].
    Wilson,
    /// [`clopper_pearson`].
    ClopperPearson,
    /// [`jeffreys`].
    Jeffreys,
}

/// As [`of_clusters`], by one method throughout, also at 0 and 1 (with the number of clusters as size, and z in place of
/// t). Those without t have it in their size ([`fewer`]). For comparison with other software: not a default. `None` with fewer than 6 clusters.
pub fn of_clusters_by(method: Method, design: &Design, totals: &Totals, level: Level) -> Option<Interval> {
    let (rate, size, df) = effective(design, totals)?;
    match method {
        Method::Wilson => wilson(rate, size, df, level),
        Method::ClopperPearson => clopper_pearson(rate, fewer(size, df, level), level),
        Method::Jeffreys => jeffreys(rate, fewer(size, df, level), level),
    }
}

/// An effective size for a variance known with `df` degrees of freedom only: `size·(z/t)²`, both at `level` two-sided (Korn &
/// Graubard 1998). For intervals of a rate that have no t in them; never more than `size`, and not for [`wilson`].
#[must_use]
pub fn fewer(size: f64, df: f64, level: Level) -> f64 {
    size * (level.z() / level.t(df)).powi(2)
}

/// Rate, effective size, and degrees of freedom: the number of clusters, and infinity, at 0 and 1.
fn effective(design: &Design, totals: &Totals) -> Option<(f64, f64, f64)> {
    let jackknifed = jackknife(design, totals, &Ratio).ok()?;
    let rate = jackknifed.estimate;
    if rate <= 0.0 || rate >= 1.0 {
        return Some((rate, totals.clusters() as f64, f64::INFINITY));
    }
    // Never more than the items that there are: a design effect below 1 may be luck.
    let size = (rate * (1.0 - rate) / (jackknifed.se * jackknifed.se)).min(totals.sum()[1]);
    Some((rate, size, jackknifed.df))
}

/// Upper bound `1 − α^{1/G}` on a rate of which none was seen among `clusters` independent clusters ("rule of three":
/// about 3/G at level 0.95). One-sided, at `level`. Hanley & Lippman-Hand (1983). Not where an event was seen:
/// [`clopper_pearson`] there.
pub fn none_seen(clusters: usize, level: Level) -> f64 {
    if clusters == 0 {
        return 1.0;
    }
    -(level.alpha().ln() / clusters as f64).exp_m1()
}

fn valid(rate: f64, size: f64) -> bool {
    (0.0..=1.0).contains(&rate) && size > 0.0 && size.is_finite()
}
