//! Tango's score interval for the difference of two paired rates: for independent pairs with few flips (below 25), where
//! a normal interval is too short. Not for templated items: use the jackknife there.

use super::interval::Interval;
use super::level::Level;
use super::paired::Flips;

/// Flips below which this interval is preferred for independent pairs.
pub const FEW_FLIPS: u64 = 25;

/// The interval of the net change `(n01 − n10)/n` (Tango 1998): all `δ` with `|n01 − n10 − nδ| ≤ z·√(n(2q + δ(1 −
/// δ)))`, where `q` is the likelihood estimate of the rate of `n10` given `δ`. `None` without items. Not for templated
/// items, whose pairs are not independent.
pub fn tango(flips: &Flips, level: Level) -> Option<Interval> {
    let n = flips.items() as f64;
    let net = flips.net()?;
    let z = level.z();
    let outside = |delta: f64| score(flips, n, delta).abs() > z;
    let limit = |end: f64| {
        if !outside(end) {
            return end;
        }
        let (mut inside, mut beyond) = (net, end);
        for _ in 0..200 {
            let middle = f64::midpoint(inside, beyond);
            if middle == inside || middle == beyond {
                break;
            }
            if outside(middle) {
                beyond = middle;
            } else {
                inside = middle;
            }
        }
        inside
    };
    Some(Interval { lower: limit(-1.0), upper: limit(1.0), level })
}

/// The score statistic at `delta`; 0 at the estimate, infinite where the variance is 0 elsewhere.
fn score(flips: &Flips, n: f64, delta: f64) -> f64 {
    let (gained, lost) = (flips.n01 as f64, flips.n10 as f64);
    let a = 2.0 * n;
    let b = -gained - lost + (2.0 * n - gained + lost) * delta;
    let c = -lost * delta * (1.0 - delta);
    let q = ((b * b - 4.0 * a * c).max(0.0).sqrt() - b) / (2.0 * a);
    let variance = n * (2.0 * q + delta * (1.0 - delta));
    let distance = gained - lost - n * delta;
    if distance == 0.0 {
        0.0
    } else if variance <= 0.0 {
        f64::INFINITY
    } else {
        distance / variance.sqrt()
    }
}
