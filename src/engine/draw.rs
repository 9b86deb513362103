//! Drawing one token from a row of logits: filters in a fixed order, then inversion of the distribution in f64.
//!
//! A draw depends on the row, the [`Sampling`], and one number in [0, 1), and on nothing else. The numbers come from the
//! stream that an item's [`Draws`] name. It refuses nothing: a row without a finite logit is the caller's to notice.

use crate::benchmark::{Dice, Draws, Sampling};
use crate::stats::stream::Stream;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// The numbers that decide one reply, in the order of its tokens.
pub struct Numbers(ChaCha8Rng);

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Numbers(…)")
    }
}

impl Numbers {
    /// The numbers of an item under a setting: stream `seed / sampled text / benchmark / item (/ setting)`, replicate
    /// `repeat`. The setting is in the name only where it has dice of its own.
    #[must_use]
    pub fn of(draws: &Draws, setting: &str) -> Self {
        let stream = Stream::root(draws.seed).child("sampled text").child(&draws.benchmark).child(&draws.item);
        let stream = match draws.sampling.dice {
            Dice::Shared => stream,
            Dice::Own => stream.child(setting),
        };
        Self(stream.replicate(u64::from(draws.repeat)))
    }

    /// The next number, uniform on [0, 1) in steps of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A seed for a server that draws for itself, 0 to 2³¹ − 1: all that servers understand.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64() >> 33
    }
}

/// The token that a number `u` in [0, 1) draws from a row of logits, by [`Sampling`]'s filters.
///
/// With weights w₁ ≥ w₂ ≥ … of the tokens that stay (ties by token id) and W their sum, it is the first token j with
/// w₁ + … + wⱼ > u·W: inversion of the cumulative distribution. `row` is not empty.
#[must_use]
pub fn draw(row: &[f32], sampling: &Sampling, u: f64) -> usize {
    let kept = kept(row, sampling);
    let total: f64 = kept.iter().map(|(_, w)| w).sum();
    let mut sum = 0.0;
    let drawn = kept.iter().find(|(_, w)| {
        sum += w;
        sum > u * total
    });
    drawn.or(kept.last()).map_or(0, |(token, _)| *token)
}

/// Tokens that the filters leave with their weights, falling; at least one.
///
/// Weights are relative to the most probable token's, 1; their sum is no probability.
#[must_use]
pub fn kept(row: &[f32], sampling: &Sampling) -> Vec<(usize, f64)> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    let falling = |a: &usize, b: &usize| row[*b].total_cmp(&row[*a]).then(a.cmp(b));
    let most = sampling.top_k.map_or(usize::MAX, |k| k as usize).clamp(1, row.len());
    if most < order.len() {
        order.select_nth_unstable_by(most - 1, falling);
        order.truncate(most);
    }
    order.sort_unstable_by(falling);
    let largest = order.first().map_or(0.0, |&token| f64::from(row[token]));
    let weight = |token: usize| ((f64::from(row[token]) - largest) / sampling.temperature).exp();
    let mut kept: Vec<(usize, f64)> = order.into_iter().map(|token| (token, weight(token))).collect();
    if let Some(share) = sampling.top_p {
        let needed = share * kept.iter().map(|(_, w)| w).sum::<f64>();
        let mut sum = 0.0;
        let enough = kept.iter().position(|(_, w)| {
            sum += w;
            sum >= needed
        });
        kept.truncate(enough.map_or(kept.len(), |at| at + 1));
    }
    if let Some(least) = sampling.min_p {
        kept.retain(|(_, w)| *w >= least);
    }
    kept
}
