//! What a range over subgroups looks like where subgroups do not matter: labels are permuted.
//!
//! The range over `K` subgroups is positive by construction (ten subgroups of 100 items with one true rate of .3 average
//! .14), so it is read against its own null distribution. Labels move as whole blocks, a block being the items of one
//! subgroup in one cluster: within clusters that hold several subgroups (a template that was filled with each of them),
//! and between clusters of one stratum that hold one subgroup only. So the dependence within clusters stays as it is.
//!
//! Exact where blocks that change places are exchangeable (equally large, from one population); approximate where their
//! sizes differ. Items in several subgroups of one axis belong to several blocks.

use super::functional::Functional;
use super::interval::quantile;
use super::level::Level;
use super::permutation::tolerance;
use super::stream::{Fast, Stream};
use rayon::prelude::*;

/// The items of one subgroup in one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Cluster.
    pub cluster: u32,
    /// Stratum of the cluster.
    pub stratum: u32,
    /// Subgroup, `0..K`.
    pub subgroup: u32,
    /// Totals of every setting side by side: settings × p.
    pub totals: Vec<f64>,
}

/// The null distribution of one setting's range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeNull {
    /// The observed range.
    pub observed: f64,
    /// Mean of the null draws.
    pub mean: f64,
    /// Quantile at α/2.
    pub lower: f64,
    /// Quantile at 1 − α/2.
    pub upper: f64,
    /// `(1 + #{R* ≥ R})/(B + 1)`: one-sided, because only large ranges speak against the null.
    pub p: f64,
    /// Draws, `B`.
    pub draws: usize,
}

/// Permutes labels `draws` times and gives the null distribution of the range for each setting; `None` for a setting
/// where the range is undefined, or undefined in more than 1 % of the draws (those that are count as extreme).
///
/// Blocks must be sorted by cluster. Draw `b` depends on `stream` and `b` only. Permutation of labels within clusters
/// (Good 2005). Not an interval of the range, and not for crossed memberships.
pub fn range_null(
    blocks: &[Block],
    subgroups: usize,
    inner: &dyn Functional,
    (draws, level): (usize, Level),
    stream: &Stream,
) -> Vec<Option<RangeNull>> {
    let (p, width) = (inner.dim(), blocks.first().map_or(0, |b| b.totals.len()));
    let settings = width.checked_div(p).unwrap_or(0);
    let exchange = exchangeable(blocks);
    let ranges = |labels: &[u32]| {
        let mut sums = vec![0.0; subgroups * width];
        for (block, label) in blocks.iter().zip(labels) {
            let own = &mut sums[*label as usize * width..(*label as usize + 1) * width];
            for (sum, x) in own.iter_mut().zip(&block.totals) {
                *sum += x;
            }
        }
        (0..settings).map(|q| range(&sums, (subgroups, width), inner, q)).collect::<Vec<f64>>()
    };
    let labels: Vec<u32> = blocks.iter().map(|b| b.subgroup).collect();
    let observed = ranges(&labels);
    let null: Vec<Vec<f64>> = (0..draws)
        .into_par_iter()
        .map(|b| {
            let mut rng = Fast::new(&mut stream.replicate(b as u64));
            let mut drawn = labels.clone();
            for places in &exchange {
                for i in (1..places.len()).rev() {
                    drawn.swap(places[i], places[rng.below(i as u32 + 1) as usize]);
                }
            }
            ranges(&drawn)
        })
        .collect();
    observed.iter().enumerate().map(|(q, value)| summary(*value, null.iter().map(|n| n[q]), level)).collect()
}

/// Largest less smallest value over subgroups in setting `q`; NaN where one is undefined.
fn range(sums: &[f64], (subgroups, width): (usize, usize), inner: &dyn Functional, q: usize) -> f64 {
    let p = inner.dim();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for s in 0..subgroups {
        let from = s * width + q * p;
        let Some(value) = inner.value(&sums[from..from + p]) else { return f64::NAN };
        low = low.min(value);
        high = high.max(value);
    }
    high - low
}

/// Positions of blocks whose labels may change places.
fn exchangeable(blocks: &[Block]) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = Vec::new();
    let mut single: std::collections::BTreeMap<u32, Vec<usize>> = std::collections::BTreeMap::new();
    let mut from = 0;
    for run in blocks.chunk_by(|a, b| a.cluster == b.cluster) {
        let places: Vec<usize> = (from..from + run.len()).collect();
        from += run.len();
        if run.len() > 1 {
            sets.push(places);
        } else {
            single.entry(run[0].stratum).or_default().extend(places);
        }
    }
    sets.extend(single.into_values());
    sets
}

fn summary(observed: f64, null: impl Iterator<Item = f64>, level: Level) -> Option<RangeNull> {
    let null: Vec<f64> = null.collect();
    let mut defined: Vec<f64> = null.iter().copied().filter(|x| x.is_finite()).collect();
    if !observed.is_finite() || defined.is_empty() || (null.len() - defined.len()) * 100 > null.len() {
        return None;
    }
    defined.sort_unstable_by(f64::total_cmp);
    let bar = observed - tolerance(observed);
    let above = null.iter().filter(|x| x.is_nan() || **x >= bar).count();
    Some(RangeNull {
        observed,
        mean: defined.iter().sum::<f64>() / defined.len() as f64,
        lower: quantile(&defined, level.alpha() / 2.0)?,
        upper: quantile(&defined, 1.0 - level.alpha() / 2.0)?,
        p: (1 + above) as f64 / (null.len() + 1) as f64,
        draws: null.len(),
    })
}
