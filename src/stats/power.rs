//! What could have been found: minimum detectable effect, and the sizes needed.
//!
//! Print it in every cell that is not significant or not decided. It is computed from the standard error, never from
//! the observed effect: "observed power" says nothing that the p-value does not (Hoenig & Heisey 2001).

use super::dist;
use super::level::Level;
use super::refusal::MIN_CLUSTERS;

/// Minimum detectable effect `(t_{1−α/2, df} + z_{power})·SE`, in the units of `se`: the change that a two-sided test
/// at `level` finds with probability `power` (in (0, 1), such as 0.8). `None` where `se` is not positive. Planning
/// formula (Lachin 1981). Not with the observed change in place of an error: "observed power" says nothing that p does
/// not (Hoenig & Heisey 2001).
pub fn detectable(se: f64, df: f64, level: Level, power: f64) -> Option<f64> {
    let effect = (level.t(df) + dist::normal_quantile(power)) * se;
    (se > 0.0 && power > 0.0 && power < 1.0 && effect.is_finite()).then_some(effect)
}

/// Items needed so that an effect comes down to `target`, where there are `items` in `clusters` now: items of the
/// fewest clusters, at least [`MIN_CLUSTERS`], at which `effect` is at most `target`. `effect` takes how many times as
/// many clusters there are, and falls with it; degrees of freedom are its business. `None` where no size is enough.
/// Bisection on sizes; from [`detectable`] (Lachin 1981). Not for standard errors from fewer than six changed clusters.
pub fn items_for(target: f64, items: u64, clusters: u64, effect: &dyn Fn(f64) -> Option<f64>) -> Option<u64> {
    const MOST: u64 = 1 << 40;
    let enough = |n: u64| effect(n as f64 / clusters as f64).is_some_and(|e| e <= target);
    let mut high = MIN_CLUSTERS as u64;
    if clusters == 0 || target.is_nan() || target <= 0.0 {
        return None;
    }
    while !enough(high) {
        high = Some(high * 2).filter(|n| *n <= MOST)?;
    }
    let mut low = MIN_CLUSTERS as u64;
    while low < high {
        let middle = u64::midpoint(low, high);
        (low, high) = if enough(middle) { (low, middle) } else { (middle + 1, high) };
    }
    Some(items.saturating_mul(low).div_ceil(clusters))
}

/// Planning form for paired binary outcomes: `(z_{1−α/2} + z_power)·√(deff·ρ_d/n)` with `discordance` `ρ_d` in (0, 1\]
/// the share of items that flip either way (Miettinen 1968) and `deff` ≥ 0 the design effect. In shares (0.043 is 4.3
/// points). Not for few clusters: it has z where [`detectable`] has t.
pub fn detectable_binary(items: u64, discordance: f64, deff: f64, level: Level, power: f64) -> Option<f64> {
    let se = (deff * discordance / items as f64).sqrt();
    detectable(se, f64::INFINITY, level, power)
}

/// Items needed for [`detectable_binary`] to reach `target`. `⌈deff·ρ_d·((z_{1−α/2} + z_power)/target)²⌉` (Miettinen
/// 1968). Not for few clusters, as there.
pub fn items_needed_binary(target: f64, discordance: f64, deff: f64, level: Level, power: f64) -> Option<u64> {
    let z = level.z() + dist::normal_quantile(power);
    let n = deff * discordance * (z / target).powi(2);
    (target > 0.0 && n.is_finite()).then(|| n.ceil() as u64)
}
