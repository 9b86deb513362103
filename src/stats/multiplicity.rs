//! Many hypotheses at once: maxT step-down, simultaneous bands, adjusted p-values.
//!
//! Within a family, Westfall & Young's (1993, algorithm 4.1) step-down maxT from shared sign flips: with
//! `|t|₍₁₎ ≥ … ≥ |t|₍ₘ₎`, `p̃₍ⱼ₎ = (1 + #{b: max_{l ≥ j} |t*₍ₗ₎,b| ≥ |t|₍ⱼ₎})/(B + 1)`, made monotone. It uses the
//! correlation of the hypotheses, and is not limited by `m/(B + 1)` as Holm on Monte-Carlo p-values is. A hypothesis
//! belongs to one family: correct it once.

use super::dist;
use super::functional::Functional;
use super::interval::{Replicates, quantile};
use super::level::Level;
use super::permutation::{BLOCK, Flips, columns_of, each_lane, tolerance};
use super::refusal::Refusal;
use super::swap::Swap;
use super::{PairedTotals, cluster::Cell};
use rayon::prelude::*;
use std::ops::Range;

/// Statistics that a thread of [`max_t`] holds at a time, if that is more than 64 draws.
const STATISTICS: usize = 1 << 19;

/// One hypothesis of a family: no change in a cell.
#[derive(Clone, Copy)]
pub struct Hypothesis<'a> {
    /// The flips of the cell's benchmark: the same for all hypotheses on it, independent ones (a stream per benchmark)
    /// across benchmarks, and equally many draws throughout the family.
    pub flips: &'a Flips,
    /// The cell.
    pub totals: &'a PairedTotals,
    /// The metric.
    pub functional: &'a dyn Functional,
}

/// Adjusted p-values of a family, in the order of its hypotheses.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxT {
    /// Observed `|T|`.
    pub statistic: Vec<f64>,
    /// Unadjusted, from the same draws.
    pub raw: Vec<f64>,
    /// Step-down adjusted: the one to report.
    pub step_down: Vec<f64>,
    /// Single-step adjusted: compatible with simultaneous bands, never smaller.
    pub single_step: Vec<f64>,
    /// Draws, `B`.
    pub draws: usize,
}

/// Why a family cannot be adjusted.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum FamilyError {
    /// The metric of one hypothesis is undefined; leave it out.
    #[error("hypothesis {index} has no statistic: {refusal}")]
    Refused {
        /// Its position.
        index: usize,
        /// Why.
        refusal: Refusal,
    },
    /// Flips disagree in the number of draws.
    #[error("hypothesis {index} has {found} draws where the first has {expected}")]
    Draws {
        /// Its position.
        index: usize,
        /// Its draws.
        found: usize,
        /// The draws of the first.
        expected: usize,
    },
}

/// Step-down maxT over a family, from studentized sign-flip statistics. Draw `b` of one benchmark is joined with draw
/// `b` of the others. Memory per thread: up to 1,024 draws × hypotheses, fewer draws in large families.
///
/// # Errors
/// [`FamilyError`] where a hypothesis has no statistic or flips do not fit together.
pub fn max_t(family: &[Hypothesis<'_>]) -> Result<MaxT, FamilyError> {
    let draws = family.first().map_or(0, |h| h.flips.draws());
    for (index, h) in family.iter().enumerate() {
        if h.flips.draws() != draws {
            return Err(FamilyError::Draws { index, found: h.flips.draws(), expected: draws });
        }
        if h.totals.estimate(h.functional).is_none() {
            return Err(FamilyError::Refused { index, refusal: Refusal::Undefined });
        }
    }
    let swaps: Vec<Swap<'_>> = family.par_iter().map(|h| Swap::prepare(h.totals, h.functional)).collect();
    let statistic: Vec<f64> = swaps.iter().map(|swap| swap.observed().abs()).collect();
    let order = decreasing(&statistic);
    // Neighbours with the same flips (all rows of one benchmark) share a pass over the draws.
    let shared: Vec<Range<usize>> =
        runs(family, |a, b| std::ptr::eq(a.flips, b.flips) && a.totals.cluster_indices() == b.totals.cluster_indices());
    let columns: Vec<_> = shared.iter().map(|run| columns_of(&swaps[run.clone()].iter().collect::<Vec<_>>())).collect();
    let most = (STATISTICS / (BLOCK * family.len().max(1))).max(1);
    let ranges = family.first().map_or_else(Vec::new, |h| h.flips.ranges(most));
    let tally = ranges
        .into_par_iter()
        .map(|blocks| {
            let here = draws.min(blocks.end * BLOCK) - blocks.start * BLOCK;
            let mut drawn = vec![0.0; family.len() * here];
            for (run, columns) in shared.iter().zip(&columns) {
                let own: Vec<&Swap<'_>> = swaps[run.clone()].iter().collect();
                each_lane(family[run.start].flips, &own, columns, blocks.clone(), &mut |i, k, lane| {
                    let from = (run.start + i) * here + (k - blocks.start) * BLOCK;
                    drawn[from..from + lane.len()].copy_from_slice(lane);
                });
            }
            let mut tally = Tally::new(family.len());
            let mut maximum = vec![0.0_f64; here];
            for &j in order.iter().rev() {
                tally.step(j, statistic[j], &drawn[j * here..(j + 1) * here], &mut maximum);
            }
            tally.finish(&statistic, &maximum);
            tally
        })
        .reduce(|| Tally::new(family.len()), Tally::join);
    Ok(tally.adjust(statistic, &order, draws, 1))
}

/// Ranges of neighbours that are alike.
fn runs<T>(all: &[T], alike: impl Fn(&T, &T) -> bool) -> Vec<Range<usize>> {
    let mut from = 0;
    let each = all.chunk_by(alike).map(|run| {
        from += run.len();
        from - run.len()..from
    });
    each.collect()
}

/// Step-down maxT from statistics that were computed already: `draws[b][j]` is `|t*|` of hypothesis `j` in draw `b`.
///
/// Give `with_identity = true` where the identity is among the draws (full enumeration), so that it is not counted
/// twice.
///
/// # Example
/// Two hypotheses and four draws, the identity first. The first one's 3 is reached by the largest of two draws; with the
/// first out of the way, the second one's 1 is reached by its own in two.
/// ```
/// use quantbias::stats::multiplicity::max_t_from;
///
/// let draws = vec![vec![3.0, 1.0], vec![0.2, 3.5], vec![0.5, 0.5], vec![1.0, 0.0]];
/// let found = max_t_from(&[3.0, 1.0], &draws, true);
/// assert_eq!(found.raw, [0.25, 0.5]);
/// assert_eq!(found.step_down, [0.5, 0.5]);
/// ```
pub fn max_t_from(statistic: &[f64], draws: &[Vec<f64>], with_identity: bool) -> MaxT {
    let statistic: Vec<f64> = statistic.iter().map(|t| t.abs()).collect();
    let order = decreasing(&statistic);
    let mut tally = Tally::new(statistic.len());
    for draw in draws {
        let mut maximum = [0.0];
        for &j in order.iter().rev() {
            tally.step(j, statistic[j], &[draw[j]], &mut maximum);
        }
        tally.finish(&statistic, &maximum);
    }
    tally.adjust(statistic, &order, draws.len(), u64::from(!with_identity))
}

fn decreasing(statistic: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..statistic.len()).collect();
    order.sort_by(|a, b| statistic[*b].total_cmp(&statistic[*a]));
    order
}

/// Counts of draws at or above the observed statistics.
struct Tally {
    raw: Vec<u64>,
    step: Vec<u64>,
    single: Vec<u64>,
}

impl Tally {
    fn new(m: usize) -> Self {
        Self { raw: vec![0; m], step: vec![0; m], single: vec![0; m] }
    }

    /// Joins hypothesis `j` into the running maxima (called from the smallest observed statistic upwards).
    fn step(&mut self, j: usize, observed: f64, lane: &[f64], maximum: &mut [f64]) {
        let bar = observed - tolerance(observed);
        let (mut raw, mut step) = (0_u64, 0_u64);
        let maximum = &mut maximum[..lane.len()];
        for b in 0..lane.len() {
            let value = if lane[b].is_nan() { f64::INFINITY } else { lane[b].abs() };
            maximum[b] = if value > maximum[b] { value } else { maximum[b] };
            raw += u64::from(value >= bar);
            step += u64::from(maximum[b] >= bar);
        }
        self.raw[j] += raw;
        self.step[j] += step;
    }

    fn finish(&mut self, statistic: &[f64], maximum: &[f64]) {
        for (count, observed) in self.single.iter_mut().zip(statistic) {
            let bar = observed - tolerance(*observed);
            *count += maximum.iter().filter(|max| **max >= bar).count() as u64;
        }
    }

    fn join(mut self, other: Self) -> Self {
        let pairs = [(&mut self.raw, other.raw), (&mut self.step, other.step), (&mut self.single, other.single)];
        for (mine, theirs) in pairs {
            for (a, b) in mine.iter_mut().zip(theirs) {
                *a += b;
            }
        }
        self
    }

    fn adjust(self, statistic: Vec<f64>, order: &[usize], draws: usize, identity: u64) -> MaxT {
        let all = (draws as u64 + identity) as f64;
        let share = |counts: &[u64]| counts.iter().map(|c| (c + identity) as f64 / all).collect::<Vec<f64>>();
        let mut step_down = share(&self.step);
        let mut previous = 0.0_f64;
        for &j in order {
            previous = previous.max(step_down[j]);
            step_down[j] = previous;
        }
        MaxT { raw: share(&self.raw), step_down, single_step: share(&self.single), statistic, draws }
    }
}

/// Largest studentized deviation over a family, replicate by replicate: what simultaneous bands are made of.
///
/// The band of a cell is `Δ ± c·SE` with `c` the `1 − α` quantile over replicates of `max_j |Δ*_j − Δ_j|/SE_j`.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxDeviation {
    largest: Vec<f64>,
    cells: usize,
}

impl MaxDeviation {
    /// For `replicates` replicates, no cell yet.
    pub fn new(replicates: usize) -> Self {
        Self { largest: vec![0.0; replicates], cells: 0 }
    }

    /// Joins a cell: its estimate, jackknife SE, touched clusters and strata, and replicates. Cells of one benchmark
    /// share weights; a replicate in which a cell is undefined counts as infinitely far. A cell with SE = 0 has no band
    /// and is not joined (returns false).
    ///
    /// The spread of replicates is too small by about `√((G − H)/G)` against the jackknife SE; that is undone here.
    pub fn join(&mut self, estimate: f64, se: f64, clusters: usize, strata: usize, replicates: &Replicates) -> bool {
        if se <= 0.0 || clusters <= strata || replicates.len() != self.largest.len() {
            return false;
        }
        let scale = (clusters as f64 / (clusters - strata) as f64).sqrt() / se;
        for (largest, value) in self.largest.iter_mut().zip(replicates.iter()) {
            let deviation = value.map_or(f64::INFINITY, |x| (x - estimate).abs() * scale);
            *largest = largest.max(deviation);
        }
        self.cells += 1;
        true
    }

    /// Cells joined.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Critical value `c` in standard errors, as for many clusters; `None` without cells or where it is infinite.
    pub fn critical(&self, level: Level) -> Option<Critical> {
        if self.cells == 0 {
            return None;
        }
        let mut sorted = self.largest.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        quantile(&sorted, level.value()).filter(|c| c.is_finite()).map(Critical)
    }
}

/// A simultaneous critical value in standard errors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Critical(f64);

impl Critical {
    /// `c` as for many clusters.
    pub fn value(self) -> f64 {
        self.0
    }

    /// `c` with `df` degrees of freedom: the t quantile at the individual level that `c` stands for under the normal.
    pub fn with_df(self, df: f64) -> f64 {
        -dist::t_quantile(dist::normal_cdf(-self.0), df)
    }
}

/// Whether Monte-Carlo p-values are fine enough for Holm, Hochberg, Hommel, BH or BY over `m` hypotheses:
/// `B + 1 ≥ 20·m/α`. Exact and asymptotic p-values need no rule; maxT has its own resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Fine enough.
    Enough,
    /// Resolution-limited: this many draws are needed.
    Limited {
        /// Draws needed.
        needed: u64,
    },
}

/// The resolution rule; see [`Resolution`].
pub fn resolution(draws: usize, hypotheses: usize, level: Level) -> Resolution {
    let needed = (20.0 * hypotheses as f64 / level.alpha() - 1e-9).ceil();
    if draws as f64 + 1.0 >= needed { Resolution::Enough } else { Resolution::Limited { needed: needed as u64 - 1 } }
}
