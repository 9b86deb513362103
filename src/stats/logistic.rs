//! How fast do odds rise along one predictor? Logistic regression of a binary event, with a standard error for clusters.
//!
//! `ln(p/(1 − p)) = a + b·x` by maximum likelihood (Newton's method, which is iteratively reweighted least squares;
//! McCullagh & Nelder 1989, §2.5). The variance is the cluster-robust sandwich `G/(G−1)·A⁻¹ (Σ_g s_g s_gᵀ) A⁻¹` with
//! `A` the information and `s_g` the sum of the scores `(y − p)(1, x)` of cluster `g` (Liang & Zeger 1986; Cameron &
//! Miller 2015, §II), and degrees of freedom are `min(G − 1, G_eff − 1)`.
//!
//! Refuses to give a number where the likelihood has no maximum: separated data, or events of one kind only.
//! Not for small numbers of events, where the estimate is biased away from 0, and not a claim that the logit is straight:
//! the area under the ROC curve ([`super::uncertainty::auroc_clustered`]) and rates by thirds need no such shape.

use super::refusal::Refusal;

/// Newton steps, at most; data that are not separated take about ten.
const STEPS: usize = 100;

/// A logistic regression on one predictor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logistic {
    /// Log-odds of the event at `x = 0`.
    pub intercept: f64,
    /// Change of the log-odds per unit of the predictor.
    pub slope: f64,
    /// Cluster-robust standard error of the slope, ≥ 0.
    pub se: f64,
    /// Degrees of freedom, `max(1, min(G − 1, G_eff − 1))` with `G_eff = n²/Σ n_g²`.
    pub df: f64,
    /// Clusters, `G`.
    pub clusters: usize,
}

/// One item, its predictor centred and scaled.
#[derive(Clone, Copy)]
struct Point {
    cluster: u32,
    x: f64,
    event: f64,
}

/// Fits the regression to items with a predictor, an event, and a cluster each. Use it for "do items that the baseline
/// was unsure of flip more often"; not beside predictors that items of one cluster share entirely, where the effective
/// number of observations is that of clusters. The order of items changes no bit. Formula and reference (McCullagh &
/// Nelder 1989; Liang & Zeger 1986) stand with the module.
///
/// # Errors
/// [`Refusal::Undefined`] for lists of different lengths, a predictor that is not finite or does not vary,
/// [`Refusal::TooFewClusters`] below two clusters, [`Refusal::Separated`] where the likelihood has no maximum.
///
/// # Example
/// Two values of the predictor: the slope is the logarithm of the odds ratio.
/// ```
/// use quantbias::stats::logistic::logistic;
///
/// // At 0 one item in four has the event, at 1 three in four: odds 1/3 and 3.
/// let x = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
/// let event = [true, false, false, false, true, true, true, false];
/// let found = logistic(&x, &event, &[0, 1, 2, 3, 4, 5, 6, 7]).map_err(|refusal| refusal.to_string())?;
/// assert!((found.slope - 9.0_f64.ln()).abs() < 1e-12);
/// # Ok::<(), String>(())
/// ```
pub fn logistic(predictor: &[f64], event: &[bool], cluster: &[u32]) -> Result<Logistic, Refusal> {
    let n = predictor.len();
    if event.len() != n || cluster.len() != n || n == 0 || predictor.iter().any(|x| !x.is_finite()) {
        return Err(Refusal::Undefined);
    }
    separation(predictor, event)?;
    let mut points: Vec<Point> =
        (0..n).map(|i| Point { cluster: cluster[i], x: predictor[i], event: f64::from(u8::from(event[i])) }).collect();
    points
        .sort_unstable_by(|a, b| a.cluster.cmp(&b.cluster).then(a.x.total_cmp(&b.x)).then(a.event.total_cmp(&b.event)));
    let centre = points.iter().map(|p| p.x).sum::<f64>() / n as f64;
    let scale = (points.iter().map(|p| (p.x - centre).powi(2)).sum::<f64>() / n as f64).sqrt();
    if !(scale > 0.0 && scale.is_finite()) {
        return Err(Refusal::Undefined);
    }
    for point in &mut points {
        point.x = (point.x - centre) / scale;
    }
    let [a, b] = maximum(&points)?;
    let (variance, clusters, df) = sandwich(&points, [a, b])?;
    Ok(Logistic { intercept: a - b * centre / scale, slope: b / scale, se: variance.sqrt() / scale, df, clusters })
}

/// With one predictor the likelihood has a maximum exactly where the two kinds overlap (Albert & Anderson 1984).
fn separation(predictor: &[f64], event: &[bool]) -> Result<(), Refusal> {
    let ends = |kind: bool| {
        let own = predictor.iter().zip(event).filter(|(_, e)| **e == kind).map(|(x, _)| *x);
        own.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
    };
    let (with, without) = (ends(true), ends(false));
    let varies = with.0.min(without.0) < with.1.max(without.1);
    if with.0 < without.1 && without.0 < with.1 {
        Ok(())
    } else if varies || with.0 > with.1 || without.0 > without.1 {
        Err(Refusal::Separated)
    } else {
        Err(Refusal::Undefined)
    }
}

/// `1/(1 + e^−η)`.
fn expit(eta: f64) -> f64 {
    if eta >= 0.0 { 1.0 / (1.0 + (-eta).exp()) } else { eta.exp() / (1.0 + eta.exp()) }
}

/// `Σ ln(1 + e^η) − y η`, the negative log-likelihood.
fn loss(points: &[Point], [a, b]: [f64; 2]) -> f64 {
    let of = |p: &Point| {
        let eta = a + b * p.x;
        eta.max(0.0) + (-eta.abs()).exp().ln_1p() - p.event * eta
    };
    points.iter().map(of).sum()
}

/// Scores and information at a place.
struct Slope {
    score: [f64; 2],
    /// `[Σ w, Σ w x, Σ w x²]`.
    information: [f64; 3],
}

fn slope(points: &[Point], [a, b]: [f64; 2]) -> Slope {
    let mut found = Slope { score: [0.0; 2], information: [0.0; 3] };
    for point in points {
        let p = expit(a + b * point.x);
        let (residual, weight) = (point.event - p, p * (1.0 - p));
        found.score[0] += residual;
        found.score[1] += residual * point.x;
        found.information[0] += weight;
        found.information[1] += weight * point.x;
        found.information[2] += weight * point.x * point.x;
    }
    found
}

/// `A⁻¹ v`; `None` where `A` is singular.
fn solve([aa, ab, bb]: [f64; 3], [u, v]: [f64; 2]) -> Option<[f64; 2]> {
    let determinant = aa * bb - ab * ab;
    (determinant > 0.0).then(|| [(bb * u - ab * v) / determinant, (aa * v - ab * u) / determinant])
}

/// Newton's method with halved steps where a step overshoots.
fn maximum(points: &[Point]) -> Result<[f64; 2], Refusal> {
    let mut at = [0.0, 0.0];
    let mut now = loss(points, at);
    for _ in 0..STEPS {
        let here = slope(points, at);
        let step = solve(here.information, here.score).ok_or(Refusal::Separated)?;
        let length = step[0].abs().max(step[1].abs());
        let mut share = 1.0;
        let mut next = [at[0] + step[0], at[1] + step[1]];
        let mut then = loss(points, next);
        while then > now + 1e-12 * now.abs() && share > 1e-10 {
            share *= 0.5;
            next = [at[0] + share * step[0], at[1] + share * step[1]];
            then = loss(points, next);
        }
        (at, now) = (next, then);
        if length <= 1e-13 * (1.0 + at[0].abs().max(at[1].abs())) {
            return Ok(at);
        }
    }
    // A step that no longer shrinks is rounding once the scores are; otherwise the maximum is out of reach.
    let scores = slope(points, at).score;
    let settled = scores.iter().all(|s| s.abs() <= 1e-9 * points.len() as f64);
    settled.then_some(at).ok_or(Refusal::Separated)
}

/// Cluster-robust variance of the (scaled) slope, clusters, degrees of freedom. Points are sorted by cluster.
fn sandwich(points: &[Point], at: [f64; 2]) -> Result<(f64, usize, f64), Refusal> {
    let information = slope(points, at).information;
    let row = solve(information, [0.0, 1.0]).ok_or(Refusal::Separated)?;
    let (mut variance, mut clusters, mut sizes) = (0.0, 0, 0.0);
    for own in points.chunk_by(|a, b| a.cluster == b.cluster) {
        let score = slope(own, at).score;
        variance += (row[0] * score[0] + row[1] * score[1]).powi(2);
        clusters += 1;
        sizes += (own.len() as f64).powi(2);
    }
    if clusters < 2 {
        return Err(Refusal::TooFewClusters { clusters, needed: 2 });
    }
    let g = clusters as f64;
    let effective = (points.len() as f64).powi(2) / sizes;
    Ok((g / (g - 1.0) * variance, clusters, (g - 1.0).min(effective - 1.0).max(1.0)))
}
