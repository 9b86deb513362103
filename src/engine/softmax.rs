//! Log-probabilities from raw logits, in f64.
//!
//! The exponential is our own (argument reduction and a polynomial), so that the same logits give the same bits
//! on every machine and the loop is vectorized. It refuses rows that hold a non-finite logit.

/// Sums run over this many lanes, so that their order does not depend on the machine's vector width.
const LANES: usize = 8;

/// Natural-log probabilities of the chosen tokens of one row of logits.
///
/// `row` holds one logit per vocabulary entry; `tokens` are indices into it. Formula:
/// log p(t) = x_t − m − ln Σ exp(x_i − m) with m = max x.
///
/// # Errors
/// The index of the first non-finite logit, or of a token beyond the vocabulary.
pub fn log_probabilities(row: &[f32], tokens: &[u32]) -> Result<Vec<f64>, usize> {
    let maximum = finite_maximum(row)?;
    let normaliser = f64::from(maximum) + sum_exp(row, f64::from(maximum)).ln();
    tokens.iter().map(|&t| row.get(t as usize).map(|&x| f64::from(x) - normaliser).ok_or(t as usize)).collect()
}

/// The largest logit, or the index of the first that is not finite.
fn finite_maximum(row: &[f32]) -> Result<f32, usize> {
    let mut lanes = [f32::NEG_INFINITY; 2 * LANES];
    // Exponent bits are all ones for NaN and the infinities only.
    let mut exponents = [0_u32; 2 * LANES];
    let (chunks, rest) = row.as_chunks::<{ 2 * LANES }>();
    for chunk in chunks {
        for lane in 0..2 * LANES {
            let x = chunk[lane];
            lanes[lane] = if x > lanes[lane] { x } else { lanes[lane] };
            exponents[lane] = exponents[lane].max(x.to_bits() & f32::INFINITY.to_bits());
        }
    }
    if rest.iter().any(|x| !x.is_finite()) || exponents.contains(&f32::INFINITY.to_bits()) {
        return Err(row.iter().position(|x| !x.is_finite()).unwrap_or(row.len()));
    }
    Ok(lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max))
}

/// Σ exp(x − maximum), every x at most `maximum`.
fn sum_exp(row: &[f32], maximum: f64) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let mut chunks = row.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += exp_of_non_positive(f64::from(x) - maximum);
        }
    }
    let tail: f64 = chunks.remainder().iter().map(|&x| exp_of_non_positive(f64::from(x) - maximum)).sum();
    let [a, b, c, d, e, f, g, h] = lanes;
    (((a + b) + (c + d)) + ((e + f) + (g + h))) + tail
}

/// e^x for x ≤ 0, relative error below 1e-14; below −708 it is 0 (the sum holds a 1, so nothing is lost).
///
/// x = k ln 2 + r with |r| ≤ ln 2 / 2, e^x = 2^k · Σ r^i / i! (i ≤ 13). ln 2 is split in two (Cody and Waite 1980)
/// so that k ln 2 is exact.
#[inline]
fn exp_of_non_positive(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    /// Adding 1.5·2^52 rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let clamped = if x < -708.0 { -708.0 } else { x };
    let shifted = clamped * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (clamped - k * LN2_HIGH) - k * LN2_LOW;
    let mut p = 1.0 / 6_227_020_800.0;
    for inverse_factorial in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        p = p * r + inverse_factorial;
    }
    let power = f64::from_bits((shifted.to_bits().wrapping_shl(52)).wrapping_add(1.0_f64.to_bits()));
    if x < -708.0 { 0.0 } else { p * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_agrees_with_the_standard_library_to_1e_14() {
        for i in 0..70_000 {
            let x = -f64::from(i) * 0.0101;
            let (ours, theirs) = (exp_of_non_positive(x), x.exp());
            assert!((ours - theirs).abs() <= 1e-14 * theirs, "exp({x}): {ours} against {theirs}");
        }
        assert_eq!(exp_of_non_positive(0.0), 1.0);
        assert_eq!(exp_of_non_positive(-1.0e9), 0.0);
    }

    #[test]
    fn equal_logits_share_the_probability() {
        for n in [1_usize, 7, 8, 9, 4096] {
            let row = vec![3.5_f32; n];
            let p = log_probabilities(&row, &[0]).unwrap()[0];
            assert!((p + (n as f64).ln()).abs() < 1e-12, "{n}: {p}");
        }
    }

    #[test]
    fn a_non_finite_logit_is_reported_and_a_token_beyond_the_vocabulary_too() {
        assert_eq!(log_probabilities(&[0.0, f32::NAN, 1.0], &[0]), Err(1));
        for (at, bad) in [(3, f32::NAN), (16, f32::INFINITY), (38, f32::NEG_INFINITY)] {
            let mut row = [-1.0_f32; 40];
            row[at] = bad;
            assert_eq!(log_probabilities(&row, &[0]), Err(at));
        }
        assert_eq!(log_probabilities(&[0.0, 1.0], &[2]), Err(2));
    }

    #[test]
    fn probabilities_sum_to_one() {
        let row: Vec<f32> = (0_i16..1000).map(|i| f32::from(i % 37) * 0.7 - 9.0).collect();
        let all: Vec<u32> = (0..1000).collect();
        let sum: f64 = log_probabilities(&row, &all).unwrap().iter().map(|l| l.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }
}
