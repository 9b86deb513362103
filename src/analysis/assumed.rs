//! What could be found with data that do not exist yet: a power curve from assumptions.
//!
//! From assumptions only; a run's own standard errors are better where there are any.

use crate::findings::{Cell, PowerPoint, PowerRow};
use crate::stats::level::Level;
use crate::stats::power::{detectable, items_for};

/// Sizes of a curve, as multiples of the assumed one.
const TIMES: [f64; 9] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 8.0, 16.0];

/// Stands for model, benchmark, and settings of a row from assumptions.
pub const ASSUMED: &str = "assumed";

/// What is assumed of a paired comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assumptions {
    /// Items, at least 2.
    pub items: u64,
    /// Clusters of items, 2 to the number of items; every item on its own where absent.
    pub clusters: Option<u64>,
    /// Share of items whose binary outcome flips either way, in (0, 1].
    pub discordance: Option<f64>,
    /// Standard deviation of one item's change, > 0; instead of `discordance`.
    pub sd: Option<f64>,
    /// Design effect, > 0.
    pub deff: f64,
    /// Confidence level, in (0.5, 1).
    pub level: f64,
    /// Probability of finding the change, in (0.5, 1).
    pub power: f64,
    /// A change that is to be detectable, > 0.
    pub margin: Option<f64>,
}

/// The row and curve of assumptions: `(t_{1−α/2, G−1} + z_power)·√(deff·ρ/n)` with `ρ` the discordance or the variance of
/// a change (Miettinen 1968).
///
/// # Errors
/// Which assumption is out of its range, in words.
pub fn power_of(given: &Assumptions) -> Result<PowerRow, String> {
    let items = Some(given.items).filter(|n| *n >= 2).ok_or("--items must be at least 2")?;
    let clusters = given.clusters.unwrap_or(items);
    let level = Level::new(given.level).map_err(|e| format!("--level: {e}"))?;
    if !(2..=items).contains(&clusters) {
        return Err(format!("--clusters must lie between 2 and the number of items, {items}"));
    }
    let variance = variance(given)?;
    if !(given.deff > 0.0 && given.deff.is_finite() && given.power > 0.5 && given.power < 1.0) {
        return Err("--deff must be positive, and --power lie between 0.5 and 1".to_owned());
    }
    if given.margin.is_some_and(|m| !(m > 0.0 && m.is_finite())) {
        return Err("--margin must be positive".to_owned());
    }
    let at = |times: f64| {
        let se = (given.deff * variance / (items as f64 * times)).sqrt();
        let mde = detectable(se, (clusters as f64 * times - 1.0).max(1.0), level, given.power)?;
        let grown = |n: u64| (n as f64 * times).ceil() as u64;
        Some(PowerPoint { items: grown(items), clusters: grown(clusters), mde })
    };
    let now = at(1.0).ok_or("these assumptions give no finite effect")?;
    let effect = |times: f64| at(times).map(|point| point.mde);
    let metric = if given.sd.is_some() { "mean" } else { "share" };
    let [model, benchmark, setting, against] = [(); 4].map(|()| ASSUMED.to_owned());
    Ok(PowerRow {
        cell: Cell { model, benchmark, metric: metric.to_owned(), axis: "all".to_owned(), subgroup: "all".to_owned() },
        setting,
        against,
        items,
        clusters,
        se: (given.deff * variance / items as f64).sqrt(),
        deff: Some(given.deff),
        discordance: given.discordance,
        power: given.power,
        mde: now.mde,
        margin: given.margin,
        items_for_margin: given.margin.and_then(|m| items_for(m, items, clusters, &effect)),
        items_for_equivalence: None,
        curve: curve(TIMES.into_iter().filter_map(at)),
    })
}

/// Points of a curve: fewer than two items or clusters have no standard error, and the same size stands once.
fn curve(points: impl Iterator<Item = PowerPoint>) -> Vec<PowerPoint> {
    let mut kept: Vec<PowerPoint> = points.filter(|p| p.items >= 2 && p.clusters >= 2).collect();
    kept.dedup_by_key(|p| (p.items, p.clusters));
    kept
}

fn variance(given: &Assumptions) -> Result<f64, String> {
    match (given.discordance, given.sd) {
        (Some(share), None) if share > 0.0 && share <= 1.0 => Ok(share),
        (None, Some(sd)) if sd > 0.0 && sd.is_finite() => Ok(sd * sd),
        (None, None) => Err("give --discordance (binary outcomes) or --sd (continuous ones)".to_owned()),
        _ => Err("--discordance must lie in (0, 1], and --sd be positive".to_owned()),
    }
}
