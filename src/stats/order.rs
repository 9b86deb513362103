//! Order statistics of many replicates without sorting them all.
//!
//! Intervals need two tails of a few hundred out of ten thousand values. A cut is guessed from a sample, the values beyond
//! it are gathered without branching, and only those are sorted; where the guess was wrong, everything is.

use super::refusal::MIN_DISTINCT;

/// Values below which everything is sorted.
const SMALL: usize = 2048;

/// Values that are gathered on the stack.
const GATHERED: usize = 256;

/// Both tails of a list of finite values, increasing.
#[derive(Debug)]
pub(crate) struct Order {
    n: usize,
    low: Vec<f64>,
    high: Vec<f64>,
    distinct: usize,
}

impl Order {
    /// Tails that hold the quantiles up to `share` (in \[0, ½\]) from either end, with room for their Monte-Carlo error.
    pub(crate) fn tails(values: &[f64], share: f64) -> Self {
        let n = values.len();
        let depth = (n as f64 * share + (n as f64 * share).sqrt()).ceil() as usize + 3;
        if n < SMALL || depth > n / 4 {
            return Self::all(values.to_vec());
        }
        let mut sample: Vec<f64> = values.iter().step_by(n / 512).copied().collect();
        let expected = (depth * sample.len()) as f64 / n as f64;
        let rank = (expected + 3.0 * expected.sqrt()).ceil() as usize + 2;
        if 2 * rank >= sample.len() {
            return Self::all(values.to_vec());
        }
        let low_cut = *sample.select_nth_unstable_by(rank, f64::total_cmp).1;
        let other = sample.len() - 1 - rank;
        let high_cut = *sample.select_nth_unstable_by(other, f64::total_cmp).1;
        let (mut low, mut high) = beyond(values, low_cut, high_cut);
        if low.len() < depth || high.len() < depth || low.len() + high.len() > n {
            return Self::all(values.to_vec());
        }
        // Only what lies within the depth has to be in order.
        low.select_nth_unstable_by(depth - 1, f64::total_cmp);
        low.truncate(depth);
        low.sort_unstable_by(f64::total_cmp);
        let surplus = high.len() - depth;
        high.select_nth_unstable_by(surplus, f64::total_cmp);
        high.drain(..surplus);
        high.sort_unstable_by(f64::total_cmp);
        let distinct = count_distinct(low.iter().chain(&high).copied());
        if distinct < MIN_DISTINCT {
            return Self::all(values.to_vec());
        }
        Self { n, low, high, distinct }
    }

    /// Everything.
    pub(crate) fn all(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Self { n: values.len(), distinct: count_distinct(values.iter().copied()), low: values, high: Vec::new() }
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
        match rank.checked_sub(self.n - self.high.len()) {
            Some(rank) if !self.high.is_empty() => self.high.get(rank).copied(),
            _ => self.low.get(rank).copied(),
        }
    }
}

/// The values at or below `low`, and those at or above `high`.
fn beyond(values: &[f64], low: f64, high: f64) -> (Vec<f64>, Vec<f64>) {
    let (mut below, mut above) = (Vec::with_capacity(values.len() / 8), Vec::with_capacity(values.len() / 8));
    for values in values.chunks(GATHERED) {
        let (mut under, mut over) = ([0.0; GATHERED], [0.0; GATHERED]);
        let (mut n, mut m) = (0, 0);
        for x in values {
            under[n % GATHERED] = *x;
            over[m % GATHERED] = *x;
            n += usize::from(*x <= low);
            m += usize::from(*x >= high);
        }
        below.extend_from_slice(&under[..n]);
        above.extend_from_slice(&over[..m]);
    }
    (below, above)
}

/// Distinct values up to [`MIN_DISTINCT`]; values closer than 1e-12 of the range are one (rounding).
fn count_distinct(sorted: impl DoubleEndedIterator<Item = f64> + Clone) -> usize {
    let (Some(first), Some(last)) = (sorted.clone().next(), sorted.clone().next_back()) else { return 0 };
    let apart = (last - first) * 1e-12;
    let mut distinct = 1;
    let mut previous = first;
    for x in sorted {
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
            let all = Order::all(values.clone());
            let tails = Order::tails(&values, 0.03);
            for p in [0.0, 0.001, 0.0123, 0.025, 0.03, 0.97, 0.975, 0.999, 1.0] {
                assert_eq!(tails.quantile(p), all.quantile(p), "at {p}");
            }
            assert_eq!(tails.distinct(), all.distinct());
        }
    }
}
