//! More than two answer categories: did the distribution of answers move between baseline and setting?
//!
//! A square table counts items by answer under the baseline (row) and under the setting (column). Stuart–Maxwell asks
//! whether the two margins are equal, which is the question here; Bowker asks whether the table is symmetric, which is
//! stronger. Both are for one item per cluster. With templated items use [`marginal_flip`], which turns whole clusters.

use super::design::Design;
use super::dist::chi2_tail;
use super::paired::ChiSquared;
use super::permutation::{Counts, EXACT_CLUSTERS, Flips, Null};
use super::refusal::{MIN_CLUSTERS, Refusal};
use rayon::prelude::*;

/// A `k × k` table of counts, row-major: rows baseline, columns setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SquareTable {
    k: usize,
    counts: Vec<u64>,
}

impl SquareTable {
    /// Checks that there are `k·k` counts.
    pub fn new(k: usize, counts: Vec<u64>) -> Option<Self> {
        (k >= 2 && counts.len() == k * k).then_some(Self { k, counts })
    }

    /// Counts pairs of categories `(baseline, setting)`, each below `k`; pairs outside are left out.
    pub fn count(k: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut counts = vec![0; k * k];
        for (row, column) in pairs.into_iter().filter(|(r, c)| *r < k && *c < k) {
            counts[row * k + column] += 1;
        }
        Self { k, counts }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.counts[row * self.k + column] as f64
    }

    /// Stuart–Maxwell test of equal margins, `dᵀ V⁻ d` with `d_i = n_i· − n_·i` (Stuart 1955; Maxwell 1970). Degrees of
    /// freedom are the rank of `V`, so that categories nobody entered or left drop out. `None` where nothing moved.
    pub fn stuart_maxwell(&self) -> Option<ChiSquared> {
        let k = self.k;
        let margin =
            |i: usize| (0..k).map(|j| (self.at(i, j), self.at(j, i))).fold((0.0, 0.0), |s, x| (s.0 + x.0, s.1 + x.1));
        let d: Vec<f64> = (0..k).map(|i| margin(i).0 - margin(i).1).collect();
        let mut v = vec![0.0; k * k];
        for i in 0..k {
            for j in 0..k {
                v[i * k + j] = if i == j {
                    margin(i).0 + margin(i).1 - 2.0 * self.at(i, i)
                } else {
                    -(self.at(i, j) + self.at(j, i))
                };
            }
        }
        let form = Form::new(k, v);
        (form.rank > 0).then(|| {
            let (statistic, df) = (form.value(&d), form.rank as f64);
            ChiSquared { statistic, df, p: chi2_tail(statistic, df) }
        })
    }

    /// Bhapkar's test of equal margins: the same question with the variance not restricted to the null hypothesis,
    /// `W/(1 − W/n)` from Stuart–Maxwell's `W` (Bhapkar 1966; Keefe 1982).
    pub fn bhapkar(&self) -> Option<ChiSquared> {
        let w = self.stuart_maxwell()?;
        let n = self.counts.iter().sum::<u64>() as f64;
        let statistic = w.statistic / (1.0 - w.statistic / n);
        (w.statistic < n).then(|| ChiSquared { statistic, df: w.df, p: chi2_tail(statistic, w.df) })
    }

    /// Bowker's test of symmetry, `Σ_{i<j} (n_ij − n_ji)²/(n_ij + n_ji)` (Bowker 1948). Pairs of categories between which
    /// nothing moved do not count as degrees of freedom. `None` where nothing moved.
    pub fn bowker(&self) -> Option<ChiSquared> {
        let pairs = (0..self.k).flat_map(|i| (i + 1..self.k).map(move |j| (i, j)));
        let (mut statistic, mut df) = (0.0, 0.0);
        for (i, j) in pairs {
            let (there, back) = (self.at(i, j), self.at(j, i));
            if there + back > 0.0 {
                statistic += (there - back).powi(2) / (there + back);
                df += 1.0;
            }
        }
        (df > 0.0).then(|| ChiSquared { statistic, df, p: chi2_tail(statistic, df) })
    }
}

/// The result of [`marginal_flip`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarginalFlip {
    /// `dᵀ V⁻ d`.
    pub statistic: f64,
    /// Rank of `V`.
    pub rank: usize,
    /// p-value, in (0, 1\].
    pub p: f64,
    /// Where it comes from.
    pub null: Null,
    /// Clusters with a movement.
    pub changed: usize,
}

/// Marginal homogeneity with clusters: `d_g` is the vector of net movements into each of `k` categories in cluster `g`
/// (setting count − baseline count), and the statistic `dᵀ V⁻ d` with `d = Σ d_g`, `V = Σ d_g d_gᵀ` is compared with its
/// values under sign flips of whole clusters. `clusters` are indices into `design`, `movements` is `clusters × k`.
///
/// For `k = 1` it is the square of Durkalski's statistic with its sign-flip null. Stuart (1955), Maxwell (1970), with
/// the null by cluster sign flips (Canay, Romano & Shaikh 2017). Not a test of symmetry, which is [`bowker`].
///
/// # Errors
/// [`Refusal::TooFewChanged`] where 1 to 5 clusters have a movement, [`Refusal::Undefined`] for malformed input.
pub fn marginal_flip(
    design: &Design,
    flips: &Flips,
    clusters: &[u32],
    movements: &[f64],
    k: usize,
) -> Result<MarginalFlip, Refusal> {
    let known = clusters.iter().all(|g| (*g as usize) < design.clusters());
    if k == 0 || movements.len() != clusters.len() * k || !known || movements.iter().any(|x| !x.is_finite()) {
        return Err(Refusal::Undefined);
    }
    let moved: Vec<(u32, &[f64])> = clusters
        .iter()
        .copied()
        .zip(movements.chunks_exact(k))
        .filter(|(_, row)| row.iter().any(|x| *x != 0.0))
        .collect();
    let changed = moved.len();
    if changed == 0 {
        return Ok(MarginalFlip { statistic: 0.0, rank: 0, p: 1.0, null: Null::NoChange, changed });
    }
    if changed < MIN_CLUSTERS {
        return Err(Refusal::TooFewChanged { changed, needed: MIN_CLUSTERS });
    }
    let mut v = vec![0.0; k * k];
    for (_, row) in &moved {
        for i in 0..k {
            for j in 0..k {
                v[i * k + j] += row[i] * row[j];
            }
        }
    }
    let form = Form::new(k, v);
    let value = |turned: &dyn Fn(usize) -> bool| {
        let mut sum = vec![0.0; k];
        for (i, (_, row)) in moved.iter().enumerate() {
            for (s, x) in sum.iter_mut().zip(*row) {
                *s += if turned(i) { -x } else { *x };
            }
        }
        form.value(&sum)
    };
    let statistic = value(&|_| false);
    let mut counts = Counts::default();
    let null = if changed <= EXACT_CLUSTERS {
        // A pattern and its opposite give the same value, so the last cluster stays.
        for pattern in 0..1_u32 << (changed - 1) {
            counts.add(value(&|i| pattern >> i & 1 == 1), statistic, 2);
        }
        Null::Exact { patterns: 1 << changed }
    } else {
        let draws: Vec<Vec<f64>> = (0..flips.blocks())
            .into_par_iter()
            .map(|block| {
                let words = flips.block(block);
                let turned = |i: usize, b: usize| words[moved[i].0 as usize] >> b & 1 == 1;
                (0..flips.block_len(block)).map(|b| value(&|i| turned(i, b))).collect()
            })
            .collect();
        counts.add(statistic, statistic, 1);
        for x in draws.into_iter().flatten() {
            counts.add(x, statistic, 1);
        }
        Null::MonteCarlo { draws: flips.draws() }
    };
    let p = (counts.above + counts.tied) as f64 / counts.total as f64;
    Ok(MarginalFlip { statistic, rank: form.rank, p, null, changed })
}

/// A quadratic form `dᵀ V⁻ d` of a positive semidefinite matrix, by pivoted Cholesky factorisation. For `d` in the range
/// of `V` the value does not depend on which generalised inverse is taken.
struct Form {
    k: usize,
    rank: usize,
    /// Rows in pivot order; `rank` columns of the factor.
    pivots: Vec<usize>,
    factor: Vec<f64>,
}

impl Form {
    fn new(k: usize, mut v: Vec<f64>) -> Self {
        let largest = (0..k).map(|i| v[i * k + i]).fold(0.0, f64::max);
        let mut pivots: Vec<usize> = (0..k).collect();
        let mut factor = vec![0.0; k * k];
        let mut rank = 0;
        while rank < k {
            let best =
                (rank..k).max_by(|a, b| v[pivots[*a] * k + pivots[*a]].total_cmp(&v[pivots[*b] * k + pivots[*b]]));
            let Some(best) = best else { break };
            pivots.swap(rank, best);
            let pivot = pivots[rank];
            let diagonal = v[pivot * k + pivot];
            if diagonal <= 1e-10 * largest || diagonal <= 0.0 {
                break;
            }
            let root = diagonal.sqrt();
            let column: Vec<f64> = (0..k).map(|i| v[i * k + pivot] / root).collect();
            for &i in &pivots[rank + 1..] {
                for &j in &pivots[rank + 1..] {
                    v[i * k + j] -= column[i] * column[j];
                }
            }
            for &i in &pivots[rank..] {
                factor[i * k + rank] = column[i];
            }
            rank += 1;
        }
        Self { k, rank, pivots, factor }
    }

    /// `‖L⁻¹ d‖²` over the first `rank` pivots.
    fn value(&self, d: &[f64]) -> f64 {
        let mut solved = Vec::with_capacity(self.rank);
        for r in 0..self.rank {
            let i = self.pivots[r];
            let known: f64 = solved.iter().enumerate().map(|(c, y)| self.factor[i * self.k + c] * y).sum();
            solved.push((d[i] - known) / self.factor[i * self.k + r]);
        }
        solved.iter().map(|y| y * y).sum()
    }
}
