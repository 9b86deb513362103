//! Three settings or more on the same items: is there any difference, and is there a trend over bit widths?
//!
//! The same items are asked at every width, so tests for independent groups (Cochran–Armitage, Jonckheere–Terpstra) are
//! the wrong design; [`cochran_armitage`] is here for imports without item ids only. Formats of one nominal width are
//! not ordered: order by measured bits per weight, or test within a method.
//!
//! Tables are row-major, one row per item or cluster, one column per setting in the order of the trend.

use super::dist::{chi2_tail, normal_cdf};
use super::paired::ChiSquared;
use super::permutation::{Counts, Null};
use super::refusal::{MIN_CLUSTERS, Refusal};
use super::stream::{Fast, Stream, below};
use rayon::prelude::*;

/// Cochran's Q: do `k` settings have the same rate of a binary outcome? One item per row (Cochran 1950). χ² with `k − 1`
/// degrees of freedom; for templated items use [`permute_settings`]. `None` where every item answers alike throughout.
pub fn cochran_q(outcomes: &[f64], k: usize) -> Option<ChiSquared> {
    if k < 2 {
        return None;
    }
    let settings = k as f64;
    let columns = column_sums(outcomes, k);
    let total: f64 = columns.iter().sum();
    let rows: f64 = outcomes.chunks_exact(k).map(|row| row.iter().sum::<f64>().powi(2)).sum();
    let denominator = settings * total - rows;
    let squares: f64 = columns.iter().map(|c| c * c).sum();
    (denominator > 0.0).then(|| {
        let statistic = (settings - 1.0) * (settings * squares - total * total) / denominator;
        ChiSquared { statistic, df: settings - 1.0, p: chi2_tail(statistic, settings - 1.0) }
    })
}

/// Friedman's test on ranks within items, corrected for ties (Friedman 1937; Conover 1999, §5.8). `(k − 1)·(Σ R_j²/n −
/// C)/(Σ r² − C)·n` in midranks with `C = n k (k + 1)²/4`. Not for templated items: [`permute_settings`] there.
pub fn friedman(scores: &[f64], k: usize) -> Option<ChiSquared> {
    let n = (scores.len() / k.max(1)) as f64;
    let settings = k as f64;
    let ranks: Vec<f64> = scores.chunks_exact(k.max(1)).flat_map(midranks).collect();
    let squares: f64 = ranks.iter().map(|r| r * r).sum();
    let correction = n * settings * (settings + 1.0).powi(2) / 4.0;
    let between: f64 = column_sums(&ranks, k).iter().map(|r| r * r).sum::<f64>() / n;
    (k >= 2 && squares > correction).then(|| {
        let statistic = (settings - 1.0) * n * (between - correction) / (squares - correction);
        ChiSquared { statistic, df: settings - 1.0, p: chi2_tail(statistic, settings - 1.0) }
    })
}

/// Page's test of an increasing order of `k` settings (Page 1963).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Page {
    /// `L = Σ_j j·R_j`, with `R_j` the sum of ranks of setting `j = 1..k`.
    pub l: f64,
    /// Exact one-sided p, `P(L* ≥ L)`; absent with ties within an item, for `k > 7` or beyond 500 items (by
    /// then the normal approximation is as good).
    pub p_exact: Option<f64>,
    /// Normal approximation, one-sided.
    pub p_normal: f64,
}

/// Page's L on continuous scores, one item per row, columns in the hypothesised increasing order. Page (1963); formula:
/// [`Page`]. Not for templated items, unless a row is a cluster.
pub fn page(scores: &[f64], k: usize) -> Option<Page> {
    if k < 2 || scores.is_empty() || !scores.len().is_multiple_of(k) {
        return None;
    }
    let n = scores.len() / k;
    let rows: Vec<Vec<f64>> = scores.chunks_exact(k).map(midranks).collect();
    let l: f64 = rows.iter().flat_map(|row| row.iter().enumerate().map(|(j, r)| (j + 1) as f64 * r)).sum();
    let (items, settings) = (n as f64, k as f64);
    let mean = items * settings * (settings + 1.0).powi(2) / 4.0;
    let variance = items * settings.powi(2) * (settings + 1.0) * (settings.powi(2) - 1.0) / 144.0;
    let ties = rows.iter().flatten().any(|r| r.fract() != 0.0) || rows.iter().any(|row| repeated(row));
    let p_exact = (!ties && k <= 7 && n <= 500).then(|| page_tail(l.round() as usize, n, k));
    Some(Page { l, p_exact, p_normal: normal_cdf((mean - l) / variance.sqrt()) })
}

/// `P(L* ≥ l)` by convolution of one row's distribution, in shifted units.
fn page_tail(l: usize, n: usize, k: usize) -> f64 {
    let mut one = Vec::new();
    let mut order: Vec<usize> = (1..=k).collect();
    permutations(&mut order, k, &mut |row| {
        let value: usize = row.iter().enumerate().map(|(j, r)| (j + 1) * r).sum();
        if one.len() <= value {
            one.resize(value + 1, 0.0);
        }
        one[value] += 1.0;
    });
    let ways: f64 = one.iter().sum();
    let least = one.iter().position(|x| *x > 0.0).unwrap_or(0);
    let one: Vec<f64> = one[least..].iter().map(|x| x / ways).collect();
    let mut all = vec![1.0];
    for _ in 0..n {
        let mut next = vec![0.0; all.len() + one.len() - 1];
        for (i, a) in all.iter().enumerate().filter(|(_, a)| **a > 0.0) {
            for (j, b) in one.iter().enumerate() {
                next[i + j] += a * b;
            }
        }
        all = next;
    }
    // From the small end, so that small tails keep their digits.
    all.iter().skip(l.saturating_sub(least * n)).rev().sum()
}

fn permutations(order: &mut [usize], k: usize, visit: &mut impl FnMut(&[usize])) {
    if k == 1 {
        visit(order);
        return;
    }
    for i in 0..k {
        permutations(order, k - 1, visit);
        order.swap(if k.is_multiple_of(2) { i } else { 0 }, k - 1);
    }
}

/// Scores of settings for a trend: their ranks by bits, centred. Equal bits share a rank. Conover (1999) on midranks. Not for measured distances between widths: [`log_scores`] or [`step_scores`].
pub fn rank_scores(bits: &[f64]) -> Vec<f64> {
    centred(&midranks(bits))
}

/// log₂ bits, centred. `log₂ b − mean` (Armitage 1955 on scores). Not for bits of 0 or less.
pub fn log_scores(bits: &[f64]) -> Vec<f64> {
    centred(&bits.iter().map(|b| b.log2()).collect::<Vec<_>>())
}

/// The quantization step 2^−bits, centred: a sensitivity analysis that gives low widths most of the weight. `2^−b −
/// mean`: uniform quantization noise has this scale (Widrow & Kollár 2008). Not as the only score: it is nearly
/// the contrast of the lowest width with the rest.
pub fn step_scores(bits: &[f64]) -> Vec<f64> {
    centred(&bits.iter().map(|b| (-b).exp2()).collect::<Vec<_>>())
}

/// The contrast "settings at or below `cut` bits against the rest": a change point, for a cliff rather than a slope. A
/// two-sample contrast per cut, corrected over cuts by maxT (Hothorn & Lausen 2003). Not for a slope.
pub fn cliff_scores(bits: &[f64], cut: f64) -> Vec<f64> {
    centred(&bits.iter().map(|b| f64::from(u8::from(*b > cut))).collect::<Vec<_>>())
}

fn centred(scores: &[f64]) -> Vec<f64> {
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    scores.iter().map(|x| x - mean).collect()
}

/// What [`permute_settings`] compares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Question<'a> {
    /// Any difference: `Σ_q (C_q − C̄)²` of the settings' totals, which orders permutations as Cochran's Q does.
    Any,
    /// A trend: `|Σ L_g| / √Σ(L_g − L̄ n_g)²` with `L_g = Σ_q c_q y_gq` and these centred scores `c`.
    Trend(&'a [f64]),
}

/// The result of [`permute_settings`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SettingsTest {
    /// The statistic (signed for a trend).
    pub statistic: f64,
    /// p-value, in (0, 1\].
    pub p: f64,
    /// Where it comes from.
    pub null: Null,
    /// Clusters in which settings differ.
    pub changed: usize,
}

/// Permutes settings within clusters: all items of a cluster change places together, every cluster on its own. Under
/// the null hypothesis the settings are exchangeable within a cluster. `totals` is `clusters × k` (sums of the
/// outcome), `items` per cluster. Permutation `b` depends on `stream` and `b` only. Within-cluster permutation (Good 2005; Cochran 1950 for Q). Not where settings share no item.
///
/// # Errors
/// [`Refusal::TooFewChanged`] where settings differ in 1 to 5 clusters, [`Refusal::Undefined`] for malformed input.
pub fn permute_settings(
    totals: &[f64],
    items: &[u32],
    k: usize,
    question: Question<'_>,
    draws: usize,
    stream: &Stream,
) -> Result<SettingsTest, Refusal> {
    let fits = match question {
        Question::Any => true,
        Question::Trend(scores) => scores.len() == k,
    };
    if k < 2 || totals.len() != items.len() * k || !fits || totals.iter().any(|x| !x.is_finite()) {
        return Err(Refusal::Undefined);
    }
    let changed = totals.chunks_exact(k).filter(|row| row.iter().any(|x| *x != row[0])).count();
    if changed == 0 {
        return Ok(SettingsTest { statistic: 0.0, p: 1.0, null: Null::NoChange, changed });
    }
    if changed < MIN_CLUSTERS {
        return Err(Refusal::TooFewChanged { changed, needed: MIN_CLUSTERS });
    }
    let statistic = settings_statistic(totals, items, k, question);
    let null: Vec<f64> = (0..draws)
        .into_par_iter()
        .map(|b| {
            let mut rng = stream.replicate(b as u64);
            let mut permuted = totals.to_vec();
            for row in permuted.chunks_exact_mut(k) {
                for i in (1..k).rev() {
                    row.swap(i, below(&mut rng, i as u32 + 1) as usize);
                }
            }
            settings_statistic(&permuted, items, k, question).abs()
        })
        .collect();
    let mut counts = Counts::default();
    counts.add(statistic.abs(), statistic.abs(), 1);
    for x in null {
        counts.add(x, statistic.abs(), 1);
    }
    let p = (counts.above + counts.tied) as f64 / counts.total as f64;
    Ok(SettingsTest { statistic, p, null: Null::MonteCarlo { draws }, changed })
}

/// Several trends of one table under the same permutations: statistics and null draws of each row of scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Trends {
    /// Signed statistic per row of scores, and the spread of the settings' totals at the end.
    pub statistic: Vec<f64>,
    /// p-values in the same order.
    pub p: Vec<f64>,
    /// `|T*|` by draw, in the same order: what a maxT adjustment among some of them needs.
    pub null: Vec<Vec<f64>>,
    /// Clusters in which settings differ.
    pub changed: usize,
}

/// [`permute_settings`] for several rows of centred scores and, last, for [`Question::Any`], from one set of
/// permutations. Contributions may be weighted: `weights` (one per cluster) are what the mean contrast is spread over
/// within the standard error, numbers of items for a mean, all 0 for a difference of two means. Where nothing changed
/// every p is 1. Reference and limits as there.
///
/// # Errors
/// As [`permute_settings`].
pub fn permute_trends(
    totals: &[f64],
    weights: &[f64],
    k: usize,
    scores: &[Vec<f64>],
    draws: usize,
    stream: &Stream,
) -> Result<Trends, Refusal> {
    let fits = k >= 2 && totals.len() == weights.len() * k && scores.iter().all(|s| s.len() == k);
    if !fits || totals.iter().any(|x| !x.is_finite()) {
        return Err(Refusal::Undefined);
    }
    let moving = |row: &[f64]| row.iter().any(|x| *x != row[0]);
    let changed = totals.chunks_exact(k).filter(|row| moving(row)).count();
    if changed == 0 {
        let all = scores.len() + 1;
        return Ok(Trends { statistic: vec![0.0; all], p: vec![1.0; all], null: Vec::new(), changed });
    }
    if changed < MIN_CLUSTERS {
        return Err(Refusal::TooFewChanged { changed, needed: MIN_CLUSTERS });
    }
    let statistic = trend_statistics(totals, weights, k, scores);
    let null: Vec<Vec<f64>> = (0..draws)
        .into_par_iter()
        .map(|b| {
            let mut rng = Fast::new(&mut stream.replicate(b as u64));
            let mut permuted = totals.to_vec();
            for row in permuted.chunks_exact_mut(k).filter(|row| moving(row)) {
                for i in (1..k).rev() {
                    row.swap(i, rng.below(i as u32 + 1) as usize);
                }
            }
            trend_statistics(&permuted, weights, k, scores).into_iter().map(f64::abs).collect()
        })
        .collect();
    let p = (0..statistic.len())
        .map(|j| {
            let mut counts = Counts::default();
            counts.add(statistic[j].abs(), statistic[j].abs(), 1);
            for draw in &null {
                counts.add(draw[j], statistic[j].abs(), 1);
            }
            (counts.above + counts.tied) as f64 / counts.total as f64
        })
        .collect();
    Ok(Trends { statistic, p, null, changed })
}

fn trend_statistics(totals: &[f64], weights: &[f64], k: usize, scores: &[Vec<f64>]) -> Vec<f64> {
    let all: f64 = weights.iter().sum();
    let squares_of_weights: f64 = weights.iter().map(|w| w * w).sum();
    let mut found = Vec::with_capacity(scores.len() + 1);
    for row_scores in scores {
        let (mut sum, mut squares, mut cross) = (0.0, 0.0, 0.0);
        for (row, weight) in totals.chunks_exact(k).zip(weights) {
            let slope: f64 = row.iter().zip(row_scores).map(|(y, c)| y * c).sum();
            sum += slope;
            squares += slope * slope;
            cross += slope * weight;
        }
        // Σ (L − m w)² with m = ΣL/Σw.
        let mean = if all > 0.0 { sum / all } else { 0.0 };
        let spread = squares - 2.0 * mean * cross + mean * mean * squares_of_weights;
        let rounding = 1e-12 * squares;
        found.push(if spread > rounding {
            sum / spread.sqrt()
        } else if sum * sum <= rounding {
            0.0
        } else {
            f64::INFINITY.copysign(sum)
        });
    }
    let columns = column_sums(totals, k);
    let mean = columns.iter().sum::<f64>() / k as f64;
    found.push(columns.iter().map(|c| (c - mean).powi(2)).sum());
    found
}

fn settings_statistic(totals: &[f64], items: &[u32], k: usize, question: Question<'_>) -> f64 {
    match question {
        Question::Any => {
            let columns = column_sums(totals, k);
            let mean = columns.iter().sum::<f64>() / k as f64;
            columns.iter().map(|c| (c - mean).powi(2)).sum()
        }
        Question::Trend(scores) => {
            let slopes: Vec<f64> =
                totals.chunks_exact(k).map(|row| row.iter().zip(scores).map(|(y, c)| y * c).sum()).collect();
            let sum: f64 = slopes.iter().sum();
            let mean = sum / items.iter().map(|n| f64::from(*n)).sum::<f64>();
            let squares: f64 = slopes.iter().zip(items).map(|(l, n)| (l - mean * f64::from(*n)).powi(2)).sum();
            if squares > 0.0 { sum / squares.sqrt() } else { f64::INFINITY.copysign(sum) }
        }
    }
}

/// Cochran–Armitage z for a trend of a rate over **independent** groups, `counts[i]` of `sizes[i]` with `scores[i]`
/// (Armitage 1955), with the binomial variance (N, not N − 1). Not for settings that share items.
pub fn cochran_armitage(counts: &[f64], sizes: &[f64], scores: &[f64]) -> Option<f64> {
    if counts.len() != sizes.len() || counts.len() != scores.len() {
        return None;
    }
    let n: f64 = sizes.iter().sum();
    let p = counts.iter().sum::<f64>() / n;
    let (mut slope, mut first, mut second) = (0.0, 0.0, 0.0);
    for ((count, size), score) in counts.iter().zip(sizes).zip(scores) {
        slope += score * (count - size * p);
        first += score * size;
        second += score * score * size;
    }
    let variance = p * (1.0 - p) * (second - first * first / n);
    (variance > 0.0).then(|| slope / variance.sqrt())
}

fn column_sums(table: &[f64], k: usize) -> Vec<f64> {
    (0..k).map(|j| table.iter().skip(j).step_by(k).sum()).collect()
}

/// Ranks from 1, ties at their mean.
pub(crate) fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for run in order.chunk_by(|a, b| values[*a] == values[*b]) {
        for i in run {
            ranks[*i] = start as f64 + f64::midpoint(run.len() as f64, 1.0);
        }
        start += run.len();
    }
    ranks
}

fn repeated(ranks: &[f64]) -> bool {
    let mut sorted = ranks.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.windows(2).any(|w| w[0] == w[1])
}
