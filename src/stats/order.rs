//! Order statistics of many replicates without sorting them all.
//!
//! Intervals need two tails of a few hundred out of ten thousand values. A cut is guessed from a sample, the values beyond
//! it are gathered, and only those around the quantile are sorted; where the guess was wrong, everything is.
//!
//! Values are sorted as integers in the same order ([`key`]), which compare in one step.

use super::refusal::MIN_DISTINCT;

/// Values below which everything is sorted.
const SMALL: usize = 2048;

/// Values that are compared together.
const COMPARED: usize = 64;

/// Smallest values among which distinct ones are counted first.
const SMALLEST: usize = 64;

/// Both tails of a list of finite values, as keys. Of the lower, the last `sorted` are increasing and what stands before
/// is not larger; of the upper, the first `sorted`, and what follows is not smaller.
#[derive(Debug)]
pub(crate) struct Order {
    n: usize,
    low: Vec<i64>,
    high: Vec<i64>,
    sorted: usize,
    distinct: usize,
}

impl Order {
    /// Tails that hold the quantiles up to `share` (in \[0, ½\]) from either end, with room for their Monte-Carlo error.
    pub(crate) fn tails(values: &[f64], share: f64) -> Self {
        Self::guess(values, share).unwrap_or_else(|| Self::all(values))
    }

    /// `None` where the list is short or the guess was wrong.
    fn guess(values: &[f64], share: f64) -> Option<Self> {
        let n = values.len();
        let depth = (n as f64 * share + (n as f64 * share).sqrt()).ceil() as usize + 3;
        if n < SMALL || depth > n / 4 {
            return None;
        }
        let mut sample: Vec<i64> = values.iter().step_by(n / 512).map(|x| key(*x)).collect();
        let expected = (depth * sample.len()) as f64 / n as f64;
        let rank = (expected + 3.0 * expected.sqrt()).ceil() as usize + 2;
        if 2 * rank >= sample.len() {
            return None;
        }
        let low_cut = *sample.select_nth_unstable(rank).1;
        let other = sample.len() - 1 - rank;
        let high_cut = *sample.select_nth_unstable(other).1;
        let (mut low, mut high) = beyond(values, value(low_cut), value(high_cut));
        if low.len() < depth || high.len() < depth || low.len() + high.len() > n {
            return None;
        }
        low.select_nth_unstable(depth - 1);
        low.truncate(depth);
        let surplus = high.len() - depth;
        high.select_nth_unstable(surplus);
        high.drain(..surplus);
        // The quantile and its Monte-Carlo error lie within twice that error of the end.
        let sorted = (2 * (n as f64 * share).sqrt().ceil() as usize + 8).min(depth);
        Self { n, low, high, sorted, distinct: 0 }.in_part()
    }

    /// Sorts what is wanted sorted and counts distinct values; `None` where these are too few to be told from the tails.
    fn in_part(mut self) -> Option<Self> {
        let depth = self.low.len();
        let rest = depth - self.sorted;
        if rest > 0 {
            self.low.select_nth_unstable(rest);
            self.high.select_nth_unstable(self.sorted - 1);
        }
        self.low[rest..].sort_unstable();
        self.high[..self.sorted].sort_unstable();
        let largest = value(*self.high.iter().max()?);
        if rest > SMALLEST {
            self.low[..rest].select_nth_unstable(SMALLEST);
            self.low[..SMALLEST].sort_unstable();
            self.distinct = count_distinct(self.low[..SMALLEST].iter(), largest);
        }
        if self.distinct < MIN_DISTINCT {
            self.low.sort_unstable();
            self.high.sort_unstable();
            self.sorted = depth;
            self.distinct = count_distinct(self.low.iter().chain(&self.high), largest);
        }
        (self.distinct >= MIN_DISTINCT).then_some(self)
    }

    /// Everything.
    pub(crate) fn all(values: &[f64]) -> Self {
        let mut keys: Vec<i64> = values.iter().map(|x| key(*x)).collect();
        keys.sort_unstable();
        let distinct = keys.last().map_or(0, |largest| count_distinct(keys.iter(), value(*largest)));
        Self { n: keys.len(), distinct, sorted: keys.len(), low: keys, high: Vec::new() }
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.n
    }

    /// Distinct values, counted up to [`MIN_DISTINCT`].
    pub(crate) fn distinct(&self) -> usize {
        self.distinct
    }

    /// Quantile at `p` by type 7; `None` outside of what was kept.
    pub(crate) fn quantile(&self, p: f64) -> Option<f64> {
        let last = self.n.checked_sub(1)?;
        let at = (last as f64 * p.clamp(0.0, 1.0)).clamp(0.0, last as f64);
        let below = at.floor() as usize;
        let (low, high) = (self.at(below)?, self.at((below + 1).min(last))?);
        Some(low + (at - below as f64) * (high - low))
    }

    fn at(&self, rank: usize) -> Option<f64> {
        let (tail, rank, unsorted) = match rank.checked_sub(self.n - self.high.len()) {
            Some(rank) if !self.high.is_empty() => (&self.high, rank, rank >= self.sorted),
            _ => (&self.low, rank, rank + self.sorted < self.low.len()),
        };
        if unsorted && rank < tail.len() {
            return Some(value(*tail.clone().select_nth_unstable(rank).1));
        }
        tail.get(rank).map(|key| value(*key))
    }
}

/// An integer for a number: larger for larger ones, and −0 before 0, as [`f64::total_cmp`] has it.
#[inline]
fn key(x: f64) -> i64 {
    turn(x.to_bits().cast_signed())
}

/// The number of a key.
#[inline]
fn value(key: i64) -> f64 {
    f64::from_bits(turn(key).cast_unsigned())
}

/// Turns the bits below the sign over where it is on.
#[inline]
fn turn(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// The values at or below `low`, and those at or above `high`, as keys.
#[expect(
    clippy::needless_range_loop,
    reason = "a loop over indices stays one loop over vectors whether or not iterators are inlined"
)]
fn beyond(values: &[f64], low: f64, high: f64) -> (Vec<i64>, Vec<i64>) {
    let (mut below, mut above) = (Vec::with_capacity(values.len() / 8), Vec::with_capacity(values.len() / 8));
    let (chunks, rest) = values.as_chunks::<COMPARED>();
    for values in chunks {
        // One bit per value; the loop has no branch, so that a compiler can use vector instructions.
        let (mut under, mut over) = (0_u64, 0_u64);
        for i in 0..COMPARED {
            under |= u64::from(values[i] <= low) << i;
            over |= u64::from(values[i] >= high) << i;
        }
        take(values, under, &mut below);
        take(values, over, &mut above);
    }
    below.extend(rest.iter().filter(|x| **x <= low).map(|x| key(*x)));
    above.extend(rest.iter().filter(|x| **x >= high).map(|x| key(*x)));
    (below, above)
}

/// Adds the values whose bits are on.
#[inline]
fn take(values: &[f64; COMPARED], mut bits: u64, to: &mut Vec<i64>) {
    while bits != 0 {
        to.push(key(values[bits.trailing_zeros() as usize % COMPARED]));
        bits &= bits - 1;
    }
}

/// Distinct values up to [`MIN_DISTINCT`] of increasing keys, of which that of `largest` is the last or would be; values
/// closer than 1e-12 of the range are one (rounding).
fn count_distinct<'a>(mut sorted: impl Iterator<Item = &'a i64>, largest: f64) -> usize {
    let Some(first) = sorted.next().map(|key| value(*key)) else { return 0 };
    let apart = (largest - first) * 1e-12;
    let mut distinct = 1;
    let mut previous = first;
    for x in sorted.map(|key| value(*key)) {
        if x - previous > apart {
            distinct += 1;
            previous = x;
            if distinct >= MIN_DISTINCT {
                break;
            }
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::Order;

    #[test]
    fn tails_have_the_quantiles_of_the_sorted_list() {
        let lists: [Vec<f64>; 5] = [
            (0..10_000).map(|i| if i % 20 == 0 { f64::from(i % 7919) - 4000.0 } else { 1.0 }).collect(),
            (0..10_000_u64).map(|i| (i.wrapping_mul(2_654_435_761) % 1_000_003) as f64 / 7.0).collect(),
            (0..10_000).map(|i| f64::from(i % 7)).collect(),
            (0..10_000).map(f64::from).collect(),
            (0..100).map(|i| f64::from(i * i % 37)).collect(),
        ];
        for values in lists {
            let all = Order::all(&values);
            let tails = Order::tails(&values, 0.03);
            for p in [0.0, 0.001, 0.0123, 0.025, 0.03, 0.97, 0.975, 0.999, 1.0] {
                assert_eq!(tails.quantile(p), all.quantile(p), "at {p}");
            }
            assert_eq!(tails.distinct(), all.distinct());
        }
    }
}
