//! Does uncertainty predict flips, and how far did an answer distribution move?
//!
//! Divergences are never negative, so noise alone makes them positive: compare them with the A/A repeat, never with 0.

use super::trend::midranks;

/// Area under the ROC curve of `score` for `event`: the probability that a random item with the event scores above a
/// random one without, ties at one half (Mann–Whitney). `None` where either kind is missing or a score is not finite.
///
/// For "small margin predicts a flip" pass the negated margin. `(R − m(m + 1)/2)/(m n)` with `R` the midranks of the
/// events (Hanley & McNeil 1982). Not an interval: [`auroc_clustered`].
pub fn auroc(score: &[f64], event: &[bool]) -> Option<f64> {
    if score.len() != event.len() || score.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let with = event.iter().filter(|e| **e).count() as f64;
    let without = event.len() as f64 - with;
    let ranks: f64 = midranks(score).iter().zip(event).filter(|(_, e)| **e).map(|(r, _)| r).sum();
    (with > 0.0 && without > 0.0).then(|| (ranks - with * (with + 1.0) / 2.0) / (with * without))
}

/// [`auroc`] with a standard error for clustered items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredAuroc {
    /// The area, in \[0, 1\].
    pub area: f64,
    /// Standard error over clusters.
    pub se: f64,
    /// Degrees of freedom, `max(1, min(G − 1, G_eff − 1))`.
    pub df: f64,
}

/// The area under the ROC curve with the standard error of Obuchowski (1997): with `V` the placement of an item among
/// those of the other kind (DeLong et al. 1988), a cluster contributes `Σ (V − A)/m` over its events and `Σ (V − A)/n`
/// over its other items, and the variance is `G/(G−1)` times the sum of their squares. `None` where [`auroc`] is. Not
/// below six clusters or six events.
pub fn auroc_clustered(score: &[f64], event: &[bool], cluster: &[u32]) -> Option<ClusteredAuroc> {
    let area = auroc(score, event)?;
    let with = event.iter().filter(|e| **e).count() as f64;
    let without = event.len() as f64 - with;
    if cluster.len() != score.len() {
        return None;
    }
    // The placement of an item is its rank among all less its rank among its own kind.
    let all = midranks(score);
    let mut own = vec![0.0; score.len()];
    for kind in [true, false] {
        let places: Vec<usize> = (0..score.len()).filter(|i| event[*i] == kind).collect();
        let ranks = midranks(&places.iter().map(|i| score[*i]).collect::<Vec<f64>>());
        for (i, rank) in places.iter().zip(ranks) {
            own[*i] = rank;
        }
    }
    let mut influences: Vec<(u32, f64)> = Vec::with_capacity(score.len());
    for i in 0..score.len() {
        let others_below = all[i] - own[i];
        let influence = if event[i] {
            (others_below / without - area) / with
        } else {
            ((with - others_below) / with - area) / without
        };
        influences.push((cluster[i], influence));
    }
    // Added in increasing order within a cluster, so that the order of items changes nothing.
    influences.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (mut g, mut squares, mut sizes) = (0.0, 0.0, 0.0);
    for own in influences.chunk_by(|a, b| a.0 == b.0) {
        g += 1.0;
        squares += own.iter().map(|(_, z)| z).sum::<f64>().powi(2);
        sizes += (own.len() as f64).powi(2);
    }
    let effective = (score.len() as f64).powi(2) / sizes;
    (g > 1.0).then(|| ClusteredAuroc {
        area,
        se: (g / (g - 1.0) * squares).sqrt(),
        df: (g - 1.0).min(effective - 1.0).max(1.0),
    })
}

/// Normalised entropy `−Σ p ln p / ln K` of a distribution over `K ≥ 2` options, in \[0, 1\]. Shannon (1948), over the
/// largest possible. Not comparable between different numbers of options without the divisor.
pub fn normalised_entropy(p: &[f64]) -> Option<f64> {
    let entropy: f64 = p.iter().filter(|x| **x > 0.0).map(|x| -x * x.ln()).sum();
    (p.len() >= 2 && is_distribution(p)).then(|| (entropy / (p.len() as f64).ln()).clamp(0.0, 1.0))
}

/// Total variation `½ Σ |p − q|`, in \[0, 1\]. Levin & Peres (2017), §4.1. Never negative: compare with the A/A repeat,
/// not with 0.
pub fn total_variation(p: &[f64], q: &[f64]) -> Option<f64> {
    let comparable = p.len() == q.len() && is_distribution(p) && is_distribution(q);
    comparable.then(|| p.iter().zip(q).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0)
}

/// Kullback–Leibler divergence `Σ p ln(p/q)` in nats, ≥ 0; `None` where `q` is 0 and `p` is not (it is infinite).
/// Kullback & Leibler (1951). Not symmetric, and never negative: compare with the A/A repeat, not with 0.
pub fn divergence(p: &[f64], q: &[f64]) -> Option<f64> {
    if p.len() != q.len() || !is_distribution(p) || !is_distribution(q) {
        return None;
    }
    let sum: f64 = p.iter().zip(q).filter(|(a, _)| **a > 0.0).map(|(a, b)| a * (a / b).ln()).sum();
    sum.is_finite().then_some(sum.max(0.0))
}

fn is_distribution(p: &[f64]) -> bool {
    p.iter().all(|x| *x >= 0.0) && (p.iter().sum::<f64>() - 1.0).abs() < 1e-6
}

/// The third, 0 to 2, that each value falls in, with cuts at the 1/3 and 2/3 quantiles (type 7) of the values
/// themselves; equal values share a third. `None` for no values or one that is not finite. Cut as by Hyndman & Fan
/// (1996), type 7. Not equal in size where values are tied.
pub fn terciles(values: &[f64]) -> Option<Vec<u8>> {
    if values.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let cut = |p| super::interval::quantile(&sorted, p);
    let (low, high) = (cut(1.0 / 3.0)?, cut(2.0 / 3.0)?);
    Some(values.iter().map(|x| u8::from(*x > low) + u8::from(*x > high)).collect())
}
