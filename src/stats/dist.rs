//! Quantiles and tail probabilities, to about 1e-13 relative in the tails that tests live in.
//!
//! `statrs` 0.19 gives Φ to about 5e-11 and the incomplete beta function to a few 1e-3 relative in far tails (checked
//! against SciPy), so both are written out here from series and continued fractions; its gamma functions are used as
//! they are. Quantiles are found by Newton steps on the tail itself. Ask for lower tails where there is a choice, so
//! that nothing is lost in 1 − p.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use statrs::function::gamma::ln_gamma;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Terms after which a series or continued fraction is given up (never reached for sizes below 10⁸).
const TERMS: usize = 100_000;

/// Φ(x). Abramowitz & Stegun (1964), §26.2, through the complementary error function; accurate in the lower tail, so
/// take `Φ(−x)` for upper ones.
pub fn normal_cdf(x: f64) -> f64 {
    if x > 0.0 { 1.0 - normal_cdf(-x) } else { 0.5 * erfc(-x * FRAC_1_SQRT_2) }
}

/// erfc(x) for x ≥ 0: the series of erf below 1.5 (DLMF 7.6.2, all terms positive), a continued fraction above (7.9.1).
fn erfc(x: f64) -> f64 {
    let scale = (-x * x).exp() / PI.sqrt();
    if x < 1.5 {
        let (mut term, mut sum) = (2.0 * x, 2.0 * x);
        for n in 1..TERMS {
            term *= 2.0 * x * x / (2 * n + 1) as f64;
            sum += term;
            if term <= sum * 1e-17 {
                break;
            }
        }
        return 1.0 - scale * sum;
    }
    // x + ½/(x + 1/(x + (3/2)/(x + …))), evaluated from the far end.
    let depth = 20 + (250.0 / (x * x)) as usize;
    let tail = (1..=depth).rev().fold(x, |tail, k| x + k as f64 / 2.0 / tail);
    scale / tail
}

/// Φ⁻¹(p) for p in \[0, 1\]; ±∞ at the ends. Inverse of [`normal_cdf`] (Abramowitz & Stegun 1964, §26.2). Not for few
/// clusters, where [`t_quantile`] belongs.
pub fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p == 0.5 {
        return 0.0;
    }
    // A start good to 5e-4 (Abramowitz & Stegun 26.2.23), then Newton steps on ln Φ, which is concave: no overshoot.
    let t = (-2.0 * p.ln()).sqrt();
    let start =
        (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    newton(start - t, p, normal_cdf, |x| (-0.5 * x * x).exp() / (2.0 * PI).sqrt())
}

/// P(T ≤ x) for Student's t with `df` > 0 degrees of freedom (infinite: normal). Abramowitz & Stegun (1964), §26.7. Not
/// for upper tails: [`t_tail`] keeps their digits.
pub fn t_cdf(x: f64, df: f64) -> f64 {
    t_tail(-x, df)
}

/// P(T > x), exact in the far tail where 1 − cdf is not. Abramowitz & Stegun (1964), eq. 26.7.1, by [`beta_cdf`].
pub fn t_tail(x: f64, df: f64) -> f64 {
    if x.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if x < 0.0 {
        return 1.0 - t_tail(-x, df);
    }
    if x.is_infinite() {
        return 0.0;
    }
    if df > 1e10 {
        return normal_cdf(-x);
    }
    0.5 * beta_tail_half(df, x)
}

/// `I_{df/(df+x²)}(df/2, ½)` for x ≥ 0.
fn beta_tail_half(df: f64, x: f64) -> f64 {
    let (a, b, square) = (df / 2.0, 0.5, x * x);
    if square == 0.0 {
        return 1.0;
    }
    let below = df / (df + square);
    let above = square / (df + square);
    let ln_front = -a * (square / df).ln_1p() + b * above.ln() - ln_beta_half(a);
    if below < (a + 1.0) / (a + b + 2.0) {
        (ln_front - a.ln()).exp() * beta_fraction(a, b, below)
    } else {
        1.0 - (ln_front - b.ln()).exp() * beta_fraction(b, a, above)
    }
}

/// ln B(a, ½) from the asymptotic series of Γ(a + ½)/Γ(a) at large `a`, where a difference of ln Γ loses digits; small
/// `a` is brought there by Γ(a + ½)/Γ(a) = Γ(a + 3/2)/Γ(a + 1) · a/(a + ½).
fn ln_beta_half(a: f64) -> f64 {
    let (mut large, mut shift) = (a, 1.0);
    while large <= 30.0 {
        shift *= large / (large + 0.5);
        large += 1.0;
    }
    let r = 1.0 / large;
    let r2 = r * r;
    let ln_ratio = 0.5 * large.ln() - r * (0.125 - r2 * (1.0 / 192.0 - r2 * (1.0 / 640.0 - r2 * 17.0 / 14336.0)));
    0.5 * PI.ln() - ln_ratio - shift.ln()
}

/// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let guard = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..TERMS {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for term in [even, odd] {
            d = 1.0 / guard(1.0 + term * d);
            c = guard(1.0 + term / c);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// The regularized incomplete beta function `I_x(a, b)`: P(X ≤ x) for Beta(a, b), a, b > 0. Abramowitz & Stegun (1964),
/// §26.5. Not for the upper tail near 1, which is `I_{1−x}(b, a)`.
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let ln_front = a * x.ln() + b * (-x).ln_1p() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    if x < (a + 1.0) / (a + b + 2.0) {
        (ln_front - a.ln()).exp() * beta_fraction(a, b, x)
    } else {
        1.0 - (ln_front - b.ln()).exp() * beta_fraction(b, a, 1.0 - x)
    }
}

/// Two-sided p-value of a t statistic with `df` degrees of freedom. `2·P(T > |t|)` (Student 1908). Not for statistics
/// whose standard error rests on hardly any change.
pub fn t_two_sided(t: f64, df: f64) -> f64 {
    (2.0 * t_tail(t.abs(), df)).min(1.0)
}

/// Quantile of Student's t for p in \[0, 1\] and `df` > 0 (infinite: normal). Inverse of [`t_cdf`] (Abramowitz & Stegun
/// 1964, §26.7).
pub fn t_quantile(p: f64, df: f64) -> f64 {
    if p.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if p > 0.5 {
        return -t_quantile(1.0 - p, df);
    }
    if df > 1e10 || p <= 0.0 || p == 0.5 {
        return normal_quantile(p);
    }
    // The tail is at least that of the normal and about c·|x|^−df far out: start from whichever lies further out.
    let ln_constant = -ln_beta_half(df / 2.0) + (df / 2.0 - 1.0) * df.ln();
    let far = -((ln_constant - p.ln()) / df).exp();
    let near = normal_quantile(p);
    let start = if df < 3.0 && far < near { far } else { near };
    let density = |x: f64| (-0.5 * (df + 1.0) * (x * x / df).ln_1p() - ln_beta_half(df / 2.0) - 0.5 * df.ln()).exp();
    newton(start, p, |x| t_tail(-x, df), density)
}

/// Solves `tail(x) = p` for a lower tail, by Newton steps on its logarithm.
fn newton(start: f64, p: f64, tail: impl Fn(f64) -> f64, density: impl Fn(f64) -> f64) -> f64 {
    let mut x = start;
    for _ in 0..100 {
        let here = tail(x);
        let step = (here / p).ln() * here / density(x);
        if !step.is_finite() {
            break;
        }
        x -= step;
        if step.abs() <= 1e-15 * x.abs() {
            break;
        }
    }
    x
}

/// P(X > x) for χ² with `df` > 0 degrees of freedom. `1 − P(df/2, x/2)` with the regularized gamma function (Abramowitz
/// & Stegun 1964, §26.4). Not for sparse tables, where the exact or permutation p-value stands beside it.
pub fn chi2_tail(x: f64, df: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    ChiSquared::new(df).map_or(f64::NAN, |d| d.sf(x))
}

/// Quantile of Beta(a, b) for p in \[0, 1\] and a, b > 0, by bracketed Newton steps. Inverse of [`beta_cdf`]
/// (Abramowitz & Stegun 1964, §26.5).
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let ln_beta = ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    let (mut low, mut high, mut x) = (0.0, 1.0, a / (a + b));
    for _ in 0..400 {
        let miss = beta_cdf(x, a, b) - p;
        if miss == 0.0 {
            break;
        }
        if miss > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let density = ((a - 1.0) * x.ln() + (b - 1.0) * (-x).ln_1p() - ln_beta).exp();
        let newton = x - miss / density;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        let step = (next - x).abs();
        x = next;
        if step <= 1e-16 * x {
            break;
        }
    }
    x
}

/// ln of the probability that a Binomial(n, ½) variable equals `k`. `ln C(n, k) − n ln 2`; on the log scale, because
/// the probability itself underflows from about n = 1,075 on.
pub fn ln_binomial_half(k: u64, n: u64) -> f64 {
    ln_choose(n, k) - n as f64 * std::f64::consts::LN_2
}

/// ln of the binomial coefficient; −∞ where it is 0. `ln Γ(n + 1) − ln Γ(k + 1) − ln Γ(n − k + 1)` (Abramowitz & Stegun
/// 1964, §6.1). Not for exact integers.
pub fn ln_choose(n: u64, k: u64) -> f64 {
    if k > n {
        return f64::NEG_INFINITY;
    }
    ln_gamma(n as f64 + 1.0) - ln_gamma(k as f64 + 1.0) - ln_gamma((n - k) as f64 + 1.0)
}
