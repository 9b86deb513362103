//! Paired binary outcomes: flips, McNemar, and the clustered companion.
//!
//! McNemar is for one item per cluster. On templated items its size at nominal 5 % was .32 in simulation: use the
//! cluster sign-flip test of [`super::permutation`] there, with [`durkalski`] as asymptotic companion.

use super::dist;

/// Counts of a binary outcome ("biased") under baseline and setting, on the same items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flips {
    /// Biased in neither.
    pub n00: u64,
    /// Biased under the setting only: became biased.
    pub n01: u64,
    /// Biased under the baseline only: ceased to be.
    pub n10: u64,
    /// Biased in both.
    pub n11: u64,
}

impl Flips {
    /// Counts pairs `(baseline, setting)`.
    pub fn count(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut flips = Self::default();
        for pair in pairs {
            match pair {
                (false, false) => flips.n00 += 1,
                (false, true) => flips.n01 += 1,
                (true, false) => flips.n10 += 1,
                (true, true) => flips.n11 += 1,
            }
        }
        flips
    }

    /// All items.
    pub fn items(&self) -> u64 {
        self.n00 + self.n01 + self.n10 + self.n11
    }

    /// Share of items that flipped either way, `F = (n01 + n10)/n`.
    pub fn rate(&self) -> Option<f64> {
        share(self.n01 + self.n10, self.items())
    }

    /// Net change `(n01 − n10)/n`.
    pub fn net(&self) -> Option<f64> {
        (self.items() > 0).then(|| (self.n01 as f64 - self.n10 as f64) / self.items() as f64)
    }

    /// Share of flips that cancel in the net change, `1 − |net|/F`, in \[0, 1\]; `None` without flips.
    pub fn masked(&self) -> Option<f64> {
        let flipped = self.n01 + self.n10;
        (flipped > 0).then(|| 1.0 - self.n01.abs_diff(self.n10) as f64 / flipped as f64)
    }

    /// Of the items unbiased under the baseline, the share that became biased, `n01/(n00 + n01)`.
    ///
    /// Never print it without [`Flips::ceased`]: noise alone moves both (regression to the mean).
    pub fn became(&self) -> Option<f64> {
        share(self.n01, self.n00 + self.n01)
    }

    /// Of the items biased under the baseline, the share that ceased to be, `n10/(n10 + n11)`.
    pub fn ceased(&self) -> Option<f64> {
        share(self.n10, self.n10 + self.n11)
    }

    /// Odds ratio of the two flips, `n01/n10`; `None` where nothing ceased.
    pub fn odds(&self) -> Option<f64> {
        share(self.n01, self.n10)
    }

    /// McNemar's test on the flips; see [`mcnemar`].
    pub fn mcnemar(&self) -> McNemar {
        mcnemar(self.n01, self.n10)
    }

    /// Variance of the net change with items independent, `(F − net²)/(n − 1)`: the denominator of a design effect.
    pub fn item_variance(&self) -> Option<f64> {
        let (rate, net) = (self.rate()?, self.net()?);
        (self.items() > 1).then(|| (rate - net * net) / (self.items() as f64 - 1.0))
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// McNemar's test of equal flips both ways (McNemar 1947).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// Exact two-sided p: `2·P(Bin(b + c, ½) ≤ min(b, c))`, at most 1; 1 without flips.
    pub p_exact: f64,
    /// Mid-p: the exact p less the probability of the observed split (Fagerland et al. 2013).
    pub p_mid: f64,
    /// `(b − c)²/(b + c)`; 0 without flips.
    pub chi2: f64,
    /// Its p-value with 1 degree of freedom.
    pub p_chi2: f64,
    /// p-value with Edwards' continuity correction.
    pub p_edwards: f64,
}

/// McNemar's test on `b` flips one way and `c` the other. Formulas and references: [`McNemar`] (McNemar 1947; Fagerland
/// et al. 2013). Not for templated items: [`durkalski`] or the sign-flip test there.
pub fn mcnemar(b: u64, c: u64) -> McNemar {
    let (n, k) = (b + c, b.min(c));
    if n == 0 {
        return McNemar { p_exact: 1.0, p_mid: 1.0, chi2: 0.0, p_chi2: 1.0, p_edwards: 1.0 };
    }
    let (tail, point) = binomial_half_tail(k, n);
    let difference = b.abs_diff(c) as f64;
    let chi2 = difference.powi(2) / n as f64;
    let edwards = (difference - 1.0).max(0.0).powi(2) / n as f64;
    McNemar {
        p_exact: (2.0 * tail).min(1.0),
        p_mid: (2.0 * tail).min(1.0) - point,
        chi2,
        p_chi2: dist::chi2_tail(chi2, 1.0),
        p_edwards: dist::chi2_tail(edwards, 1.0),
    }
}

/// `P(Bin(n, ½) ≤ k)` and `P(= k)`, by a sum of terms going down from `k` ≤ n/2.
fn binomial_half_tail(k: u64, n: u64) -> (f64, f64) {
    let point = dist::ln_binomial_half(k, n).exp();
    let (mut term, mut tail) = (point, point);
    for j in (0..k).rev() {
        term *= (j + 1) as f64 / (n - j) as f64;
        tail += term;
        if term < tail * 1e-18 {
            break;
        }
    }
    (tail, point)
}

/// A χ² statistic and its p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquared {
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// Upper tail probability.
    pub p: f64,
}

/// Durkalski's test for clustered pairs, `(Σ D_g)²/Σ D_g²` with 1 degree of freedom, from the net change `D_g` (a
/// count) of each cluster (Durkalski et al. 2003). `None` where no cluster changed. Asymptotic in the number of
/// clusters: not below about 20 changed ones, where the sign-flip test is exact.
pub fn durkalski(net: &[f64]) -> Option<ChiSquared> {
    let (sum, squares) = net.iter().fold((0.0, 0.0), |(s, q), d| (s + d, q + d * d));
    (squares > 0.0).then(|| {
        let statistic = sum * sum / squares;
        ChiSquared { statistic, df: 1.0, p: dist::chi2_tail(statistic, 1.0) }
    })
}

/// Wilcoxon's signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// The smaller of the two rank sums.
    pub statistic: f64,
    /// Two-sided p by the normal approximation with tie correction, without continuity correction.
    pub p: f64,
}

/// Wilcoxon's (1945) signed-rank test of paired differences, one per cluster; zeros are left out. `None` where all are 0.
///
/// It tests symmetry about 0, not a mean of 0, and is for continuous outcomes with one item per cluster.
pub fn signed_rank(differences: &[f64]) -> Option<SignedRank> {
    let moved: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    let sizes: Vec<f64> = moved.iter().map(|d| d.abs()).collect();
    let ranks = super::trend::midranks(&sizes);
    let n = moved.len() as f64;
    let (up, down) = moved.iter().zip(&ranks).fold(
        (0.0, 0.0),
        |(up, down), (d, r)| {
            if *d > 0.0 { (up + r, down) } else { (up, down + r) }
        },
    );
    // n(n+1)(2n+1)/24 less Σ(t³ − t)/48 over ties is a quarter of the sum of squared midranks.
    let variance = ranks.iter().map(|r| r * r).sum::<f64>() / 4.0;
    let statistic = f64::min(up, down);
    let z = (statistic - n * (n + 1.0) / 4.0) / variance.sqrt();
    (n > 0.0).then(|| SignedRank { statistic, p: (2.0 * dist::normal_cdf(z)).min(1.0) })
}
