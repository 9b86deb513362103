//! The studentized cluster sign-flip (swap) test of no change.
//!
//! Under the null hypothesis baseline and setting are exchangeable within a cluster, so exchanging the two rows of
//! totals of any set of clusters gives an equally likely data set. The statistic of such a data set is
//! `T* = (f(T*_q) − f(T*_0)) / SE*` with the linearised cluster standard error recomputed every time,
//! `SE*² = G/(G−1)·Σ_g (∇f(T*_q)·u*_gq − ∇f(T*_0)·u*_g0)²`. For a mean this is
//! `|Σ D_g| / √Σ(D_g − d̄ n_g)²`, the one-sample sign-flip test. It is exact under exchangeability, and studentizing
//! makes it asymptotically valid for `Δ = 0` alone (Janssen 1997; Canay, Romano & Shaikh 2017).
//!
//! * `p = (1 + #{|T*| ≥ |T| − ε})/(B + 1)` with the identity counted, or the exact share of all 2^G′ patterns where at
//!   most [`EXACT_CLUSTERS`] clusters changed. Never 0.
//! * Clusters whose two rows are equal cannot be told from their exchange; they enter the standard error only.
//! * All rows equal: `p = 1`. Fewer than 6 changed clusters: refused, no p could reach 0.05.
//! * Every cluster shows the same change (SE = 0), or the metric has a kink: `|f(T*_q) − f(T*_0)|` unstudentized.
//! * A pattern in which the metric is undefined counts as extreme: it can only raise p.
//!
//! Not a test of `Δ = margin`: use the intervals for that. With few flips p is conservative because of ties; `p_mid` is
//! for estimation, `p` for claims.

use super::cluster::{Cell, PairedTotals};
pub(crate) use super::flips::BLOCK;
pub use super::flips::Flips;
use super::functional::Functional;
use super::refusal::{MIN_CLUSTERS, Refusal};
use super::signs::{Columns, Lane};
use super::swap::Swap;
use rayon::prelude::*;
use std::ops::Range;

/// Changed clusters up to which all sign patterns are enumerated.
pub const EXACT_CLUSTERS: usize = 16;

/// Relative tolerance within which `T*` ties with `T`. The quadratic form of the standard error loses up to about
/// 1e-12 to rounding where totals are not integers; a tie taken for one too many can only raise p.
pub(crate) const TIE: f64 = 1e-10;

/// How a null distribution was got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Null {
    /// All `patterns` sign patterns.
    Exact {
        /// 2^G′.
        patterns: u64,
    },
    /// `draws` random patterns and the identity.
    MonteCarlo {
        /// `B`.
        draws: usize,
    },
    /// Nothing changed, so there was nothing to draw.
    NoChange,
}

/// The result of a sign-flip test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignFlip {
    /// The change `f(T_q) − f(T_0)`.
    pub delta: f64,
    /// The signed statistic: studentized `T`, or the change itself where `studentized` is false.
    pub statistic: f64,
    /// Whether the statistic is studentized.
    pub studentized: bool,
    /// Two-sided p-value, in (0, 1\].
    pub p: f64,
    /// The same with ties at half weight.
    pub p_mid: f64,
    /// Where p comes from.
    pub null: Null,
    /// The smallest p that this test could have given: 2/2^G′, and 1/(B+1) with draws.
    pub smallest_p: f64,
    /// Changed clusters, G′.
    pub changed: usize,
    /// Patterns in which the metric was undefined (counted as extreme).
    pub undefined: usize,
}

/// Tests no change in one cell: exactly where few clusters changed, with the shared `flips` otherwise.
///
/// # Errors
/// [`Refusal::Undefined`] where the metric has no value in baseline or setting, [`Refusal::TooFewChanged`] where 1 to 5
/// clusters changed.
///
/// # Example
/// Six clusters, all of which rose: of 64 sign patterns two are as extreme, all plus and all minus.
/// ```
/// use quantbias::stats::functional::Ratio;
/// use quantbias::stats::permutation::sign_flip;
/// use quantbias::stats::{Design, Flips, PairedTotals, Stream};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cluster = [0, 1, 2, 3, 4, 5];
/// let base = [0.0; 6].map(|x| [x, 1.0]).concat();
/// let setting = [0.1, 0.2, 0.3, 0.1, 0.2, 0.4].map(|x| [x, 1.0]).concat();
/// let totals = PairedTotals::from_items(2, &cluster, &base, &setting)?;
/// let flips = Flips::draw(&Design::simple(6), 999, &Stream::root(1).child("example"));
/// let found = sign_flip(&flips, &totals, &Ratio)?;
/// assert!((found.p - 2.0 / 64.0).abs() < 1e-12);
/// # Ok(()) }
/// ```
pub fn sign_flip(flips: &Flips, cell: &PairedTotals, functional: &dyn Functional) -> Result<SignFlip, Refusal> {
    let changed = cell.changed();
    if (1..MIN_CLUSTERS).contains(&changed) {
        cell.estimate(functional).ok_or(Refusal::Undefined)?;
        return Err(Refusal::TooFewChanged { changed, needed: MIN_CLUSTERS });
    }
    sign_flip_of_any(flips, cell, functional)
}

/// As [`sign_flip`], and also gives the exact p-value where 1 to 5 clusters changed. It is valid and cannot reach 0.05
/// (see `smallest_p`): for tables in which every row is to have its p-value, never for a verdict.
///
/// # Errors
/// [`Refusal::Undefined`].
pub fn sign_flip_of_any(flips: &Flips, cell: &PairedTotals, functional: &dyn Functional) -> Result<SignFlip, Refusal> {
    sign_flips_of_any(flips, &[cell], functional).pop().unwrap_or(Err(Refusal::Undefined))
}

/// [`sign_flip_of_any`] for several cells of one metric at once, such as all settings of a subgroup: many times faster
/// than one by one, to the same bits where totals are integers.
///
/// # Errors
/// Of each cell [`Refusal::Undefined`] where it has no value.
pub fn sign_flips_of_any(
    flips: &Flips,
    cells: &[&PairedTotals],
    functional: &dyn Functional,
) -> Vec<Result<SignFlip, Refusal>> {
    let begun: Vec<Option<(f64, usize, Swap<'_>)>> = cells
        .par_iter()
        .map(|cell| {
            let swap = || Swap::prepare(cell, functional).studentized_where_possible();
            Some((cell.estimate(functional)?, cell.changed(), swap()))
        })
        .collect();
    let many: Vec<&Swap<'_>> =
        begun.iter().flatten().filter(|(_, changed, _)| *changed > EXACT_CLUSTERS).map(|(_, _, swap)| swap).collect();
    let mut simulated = simulate(flips, &many).into_iter();
    let counted = begun.iter().map(|begun| match begun {
        Some((_, changed, _)) if *changed > EXACT_CLUSTERS => simulated.next(),
        _ => None,
    });
    let counted: Vec<Option<Counts>> = counted.collect();
    let finish = |(begun, counts): (Option<(f64, usize, Swap<'_>)>, Option<Counts>)| {
        let (delta, changed, swap) = begun.ok_or(Refusal::Undefined)?;
        Ok(if changed == 0 { unchanged(delta) } else { tested(flips, delta, changed, &swap, counts) })
    };
    begun.into_par_iter().zip(counted).map(finish).collect()
}

/// The result where no cluster changed.
fn unchanged(delta: f64) -> SignFlip {
    SignFlip {
        delta,
        statistic: 0.0,
        studentized: false,
        p: 1.0,
        p_mid: 1.0,
        null: Null::NoChange,
        smallest_p: 1.0,
        changed: 0,
        undefined: 0,
    }
}

/// The result from the counts of random patterns, or of all patterns where there are none.
fn tested(flips: &Flips, delta: f64, changed: usize, swap: &Swap<'_>, counts: Option<Counts>) -> SignFlip {
    let (counts, null) = match counts {
        Some(counts) => (counts, Null::MonteCarlo { draws: flips.draws() }),
        None => (swap.enumerate(), Null::Exact { patterns: 1 << changed }),
    };
    let smallest_exact = 2.0 * (-(changed as f64)).exp2();
    let smallest_p = match null {
        Null::MonteCarlo { draws } => smallest_exact.max(1.0 / (draws as f64 + 1.0)),
        Null::Exact { .. } | Null::NoChange => smallest_exact,
    };
    let all = counts.total as f64;
    SignFlip {
        delta,
        statistic: swap.observed(),
        studentized: swap.studentized(),
        p: (counts.above + counts.tied) as f64 / all,
        p_mid: (counts.above as f64 + 0.5 * counts.tied as f64) / all,
        null,
        smallest_p,
        changed,
        undefined: counts.undefined as usize,
    }
}

/// `|T*|` of every draw under the shared flips, studentized (infinite where the metric is undefined or SE\* is 0), and
/// the observed `|T|`: the input of a maxT adjustment. For large families use
/// [`super::multiplicity::max_t`], which keeps a block of draws at a time.
///
/// # Errors
/// [`Refusal::Undefined`] where the metric has no value.
pub fn null_statistics(
    flips: &Flips,
    cell: &PairedTotals,
    functional: &dyn Functional,
) -> Result<NullStatistics, Refusal> {
    cell.estimate(functional).ok_or(Refusal::Undefined)?;
    let swaps = [&Swap::prepare(cell, functional)];
    let columns = columns_of(&swaps);
    let draws = flips.ranges(usize::MAX).into_par_iter().flat_map_iter(|blocks| {
        let mut found = vec![0.0; blocks.clone().map(|k| flips.block_len(k)).sum()];
        each_lane(flips, &swaps, &columns, blocks.clone(), &mut |_, k, lane| {
            let out = &mut found[(k - blocks.start) * BLOCK..];
            for (value, x) in out.iter_mut().zip(lane) {
                *value = x.abs();
            }
        });
        found
    });
    Ok(NullStatistics { observed: swaps[0].observed().abs(), draws: draws.collect() })
}

/// Observed and null statistics of one hypothesis.
#[derive(Debug, Clone, PartialEq)]
pub struct NullStatistics {
    /// `|T|`, infinite where every cluster shows the same change.
    pub observed: f64,
    /// `|T*|` per draw.
    pub draws: Vec<f64>,
}

/// How many patterns lie above, and how many tie with, an observed statistic. The identity is among them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) above: u64,
    pub(crate) tied: u64,
    pub(crate) undefined: u64,
    pub(crate) total: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, statistic: f64, observed: f64, weight: u64) {
        let tolerance = tolerance(observed);
        self.total += weight;
        if statistic.is_nan() {
            self.undefined += weight;
            self.above += weight;
        } else if statistic > observed + tolerance {
            self.above += weight;
        } else if statistic >= observed - tolerance {
            self.tied += weight;
        }
    }

    /// Adds the statistics of a block, each once.
    pub(crate) fn add_all(&mut self, statistics: &[f64], observed: f64) {
        let tolerance = tolerance(observed);
        let (high, low) = (observed + tolerance, observed - tolerance);
        let (mut above, mut reached, mut undefined) = (0, 0, 0);
        for statistic in statistics {
            above += u32::from(*statistic > high);
            reached += u32::from(*statistic >= low);
            undefined += u32::from(statistic.is_nan());
        }
        self.total += statistics.len() as u64;
        self.undefined += u64::from(undefined);
        self.above += u64::from(above + undefined);
        self.tied += u64::from(reached - above);
    }

    fn join(self, other: Self) -> Self {
        Self {
            above: self.above + other.above,
            tied: self.tied + other.tied,
            undefined: self.undefined + other.undefined,
            total: self.total + other.total,
        }
    }
}

/// ε of the tie rule; 0 for an infinite statistic.
pub(crate) fn tolerance(observed: f64) -> f64 {
    if observed.is_finite() { TIE * observed.abs().max(f64::MIN_POSITIVE) } else { 0.0 }
}

/// The signed sums that several cells need.
pub(crate) fn columns_of(swaps: &[&Swap<'_>]) -> Columns {
    Columns::new(&swaps.iter().flat_map(|swap| swap.columns()).collect::<Vec<_>>())
}

/// Hands on the statistics of every cell in every block of a range: cell, block, and one number per draw. `columns` are
/// those of the same cells.
pub(crate) fn each_lane(
    flips: &Flips,
    swaps: &[&Swap<'_>],
    columns: &Columns,
    blocks: Range<usize>,
    take: &mut dyn FnMut(usize, usize, &[f64]),
) {
    let sums = columns.sums(flips, blocks.clone());
    let mut lanes: Vec<Lane> = Vec::new();
    let mut out: Lane = [0.0; BLOCK];
    let mut from = 0;
    for (i, swap) in swaps.iter().enumerate() {
        lanes.resize(swap.width(), [0.0; BLOCK]);
        for k in blocks.clone() {
            for (c, lane) in lanes.iter_mut().enumerate() {
                columns.lane(&sums, from + c, k - blocks.start, lane);
            }
            swap.statistics(&lanes, &mut out);
            take(i, k, &out[..flips.block_len(k)]);
        }
        from += swap.width();
    }
}

/// Counts of the random patterns and of the identity, for each cell.
fn simulate(flips: &Flips, swaps: &[&Swap<'_>]) -> Vec<Counts> {
    let observed: Vec<f64> = swaps.iter().map(|swap| swap.observed().abs()).collect();
    let columns = columns_of(swaps);
    let none = || vec![Counts::default(); swaps.len()];
    let drawn = flips
        .ranges(usize::MAX)
        .into_par_iter()
        .map(|blocks| {
            let mut counts = none();
            let mut sizes: Lane = [0.0; BLOCK];
            each_lane(flips, swaps, &columns, blocks, &mut |i, _, lane| {
                for (size, x) in sizes.iter_mut().zip(lane) {
                    *size = x.abs();
                }
                counts[i].add_all(&sizes[..lane.len()], observed[i]);
            });
            counts
        })
        .reduce(none, |a, b| a.into_iter().zip(b).map(|(a, b)| a.join(b)).collect());
    let with_identity = |(mut counts, observed): (Counts, &f64)| {
        counts.add(*observed, *observed, 1);
        counts
    };
    drawn.into_iter().zip(&observed).map(with_identity).collect()
}

/// Exact two-sided sign-flip test of `|Σ ±D_g|` for integer differences, by convolution: O(G′·Σ|D_g|), no draws. It is
/// not studentized; McNemar's exact test is its special case `D_g ∈ {−1, 0, 1}`. A p below `f64::MIN_POSITIVE` (some 1,022
/// clusters, all to one side) is given as that, for no p is 0. `None` where `Σ|D_g|` exceeds 10⁷
/// (draw then).
pub fn exact_integer(differences: &[i64]) -> Option<ExactSum> {
    let reach: u64 = differences.iter().map(|d| d.unsigned_abs()).sum();
    if reach > 10_000_000 {
        return None;
    }
    let observed = differences.iter().sum::<i64>().unsigned_abs();
    // Σ ±D_g = reach − 2·(the sum of those that turned): the distribution of that sum is a convolution of coins.
    let mut mass = vec![0.0; reach as usize + 1];
    mass[0] = 1.0;
    let mut top = 0;
    for d in differences.iter().map(|d| d.unsigned_abs() as usize).filter(|d| *d > 0) {
        for at in (0..=top).rev() {
            mass[at] *= 0.5;
            mass[at + d] += mass[at];
        }
        top += d;
    }
    let (mut above, mut tied) = (0.0, 0.0);
    for (turned, mass) in mass.iter().enumerate() {
        match reach.abs_diff(2 * turned as u64).cmp(&observed) {
            std::cmp::Ordering::Greater => above += mass,
            std::cmp::Ordering::Equal => tied += mass,
            std::cmp::Ordering::Less => {}
        }
    }
    let p = f64::min(above + tied, 1.0).max(f64::MIN_POSITIVE);
    Some(ExactSum { p, p_mid: (above + 0.5 * tied).max(f64::MIN_POSITIVE) })
}

/// The result of [`exact_integer`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExactSum {
    /// Two-sided exact p.
    pub p: f64,
    /// With ties at half weight.
    pub p_mid: f64,
}
