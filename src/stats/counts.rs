//! How often each of many clusters is drawn, for many replicates at once.
//!
//! With many clusters, counting single draws is slow: every draw is a random write. Here a replicate's counts come from
//! the other end. `G` independent Poisson(λ) counts are, given their sum `M`, Multinomial(M; 1/G, …); adding `G − M`
//! single draws makes them Multinomial(G; 1/G, …), whatever `M` is. Where `M > G` the replicate is drawn singly from the
//! start: which replicates these are depends on `M` alone, so the law of the others stays what it was. λ lies a little
//! below 1, so that this is rare and few single draws are left over.
//!
//! A Poisson count comes from a uniform 16-bit number in two steps (Marsaglia 1963): `⌊2¹⁶·P(X = j)⌋` of its values stand
//! for `j` up to [`RARE`], told apart by comparisons alone; the few values that are left over stand for what rounding down
//! left of these and for larger counts, and a 32-bit number decides among them. Rounding moves a probability by less than
//! 2⁻⁴⁰.
//!
//! Not for few clusters, where single draws are as fast.

use super::stream::{Fast, Lanes, Stream, WIDTH};
use rand_chacha::ChaCha8Rng;

/// Clusters in a stratum from which counts are drawn in this way.
pub(crate) const MANY: usize = 512;

/// Counts below this are told apart by comparisons alone; one number in about 1,500 is left over.
const RARE: usize = 6;

/// Largest Poisson count; one more has a probability below 2⁻³³.
const TOP: usize = 12;

/// Standard deviations of the sum that λ leaves below `G`: about 1 replicate in 400 is drawn singly.
const BELOW: f64 = 2.8;

/// Clusters whose counts are drawn together, and those whose counts are summed in 16 bits.
const TOGETHER: usize = 8;
const SUMMED: usize = 2048;

/// A Poisson distribution on uniform numbers.
struct Law {
    /// A 16-bit number at or above the `j`-th has a count above `j`; at or above the last it is left over.
    cuts: [u16; RARE],
    /// The same for 32-bit numbers and what is left over.
    rest: [u32; TOP],
}

impl Law {
    fn poisson(lambda: f64) -> Self {
        let mut mass = (-lambda).exp() * 65_536.0;
        let (mut cuts, mut rest, mut cut, mut left) = ([0; RARE], [0.0; TOP], 0.0, 0.0);
        for j in 0..=TOP {
            let whole = if j < RARE { mass.floor() } else { 0.0 };
            cut += whole;
            left += mass - whole;
            if j < RARE {
                cuts[j] = cut as u16;
            }
            if j < TOP {
                rest[j] = left;
            }
            mass *= lambda / (j as f64 + 1.0);
        }
        let share = |below: f64| (below / left * 2.0_f64.powi(32)).round().min(f64::from(u32::MAX)) as u32;
        Self { cuts, rest: rest.map(share) }
    }

    /// The count that a left-over number stands for.
    fn rare(&self, rng: &mut Fast) -> u8 {
        let uniform = rng.word();
        self.rest.iter().filter(|cut| uniform >= **cut).count() as u8
    }
}

/// Draws the counts of one stratum in one block, stretch after stretch. They depend on the stream alone: give one per block
/// and stratum.
pub(crate) struct Drawing<'a> {
    law: Law,
    members: &'a [u32],
    keys: ChaCha8Rng,
}

impl<'a> Drawing<'a> {
    /// `members` are cluster indices, at least [`MANY`].
    pub(crate) fn new(stream: &Stream, members: &'a [u32]) -> Self {
        let law = Law::poisson(1.0 - BELOW / (members.len() as f64).sqrt());
        Self { law, members, keys: stream.replicate(0) }
    }

    /// Writes the counts of the next [`WIDTH`] replicates into the members' rows, of one per cluster.
    pub(crate) fn stretch(&mut self, rows: &mut [[u8; WIDTH]]) {
        let (mut lanes, mut single) = (Lanes::new(&mut self.keys), Fast::new(&mut self.keys));
        let sums = poisson(&self.law, self.members, &mut lanes, &mut single, rows);
        complete(self.members, &sums, &mut single, rows);
    }
}

/// All stretches of a block, `clusters` rows each.
#[cfg(test)]
pub(crate) fn draw(stream: &Stream, members: &[u32], clusters: usize, stretches: &mut [u8]) {
    let mut drawing = Drawing::new(stream, members);
    for stretch in stretches.chunks_exact_mut(clusters * WIDTH) {
        drawing.stretch(stretch.as_chunks_mut().0);
    }
}

/// Independent Poisson counts, and their sums.
fn poisson(law: &Law, members: &[u32], lanes: &mut Lanes, single: &mut Fast, rows: &mut [[u8; WIDTH]]) -> [u32; WIDTH] {
    let mut sums = [0_u32; WIDTH];
    let mut drawn = [[0_u8; WIDTH]; TOGETHER];
    for members in members.chunks(SUMMED) {
        let mut part = [0_u16; WIDTH];
        for members in members.chunks(TOGETHER) {
            let left_over = count(lanes, &law.cuts, &mut drawn);
            if left_over != 0 {
                decide(law, single, left_over, &mut drawn);
            }
            if members.len() < TOGETHER {
                drawn[members.len()..].fill([0; WIDTH]);
            }
            sum(&drawn, &mut part);
            for i in 0..members.len() {
                rows[members[i] as usize] = drawn[i];
            }
        }
        for lane in 0..WIDTH {
            sums[lane] += u32::from(part[lane]);
        }
    }
    sums
}

/// Counts from 16-bit numbers, and a bit for every lane in which one of them is left over.
#[inline(never)]
#[expect(
    clippy::needless_range_loop,
    reason = "a loop over indices stays one loop over vectors whether or not iterators are inlined"
)]
fn count(lanes: &mut Lanes, cuts: &[u16; RARE], drawn: &mut [[u8; WIDTH]; TOGETHER]) -> u64 {
    let mut largest = [0_u8; WIDTH];
    for two in 0..TOGETHER / 2 {
        let uniform = lanes.next();
        for one in 0..2 {
            for lane in 0..WIDTH {
                let u = uniform[one * WIDTH + lane];
                let mut n = 0_u16;
                for j in 0..RARE {
                    n += u16::from(u >= cuts[j]);
                }
                drawn[2 * two + one][lane] = n as u8;
                largest[lane] = largest[lane].max(n as u8);
            }
        }
    }
    let mut left_over = 0;
    for lane in 0..WIDTH {
        left_over |= u64::from(largest[lane] >= RARE as u8) << lane;
    }
    left_over
}

/// Decides what left-over numbers stand for, cluster after cluster.
fn decide(law: &Law, single: &mut Fast, left_over: u64, drawn: &mut [[u8; WIDTH]; TOGETHER]) {
    for drawn in drawn {
        let mut lanes = left_over;
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize % WIDTH;
            if drawn[lane] >= RARE as u8 {
                drawn[lane] = law.rare(single);
            }
            lanes &= lanes - 1;
        }
    }
}

/// Adds counts, of which [`TOGETHER`] stay below 256.
#[inline]
#[expect(
    clippy::needless_range_loop,
    reason = "a loop over indices stays one loop over vectors whether or not iterators are inlined"
)]
fn sum(drawn: &[[u8; WIDTH]; TOGETHER], sums: &mut [u16; WIDTH]) {
    for lane in 0..WIDTH {
        let mut sum = 0;
        for i in 0..TOGETHER {
            sum += drawn[i][lane];
        }
        sums[lane] += u16::from(sum);
    }
}

/// Single draws until every replicate has as many as there are members.
fn complete(members: &[u32], sums: &[u32; WIDTH], single: &mut Fast, rows: &mut [[u8; WIDTH]]) {
    let size = members.len();
    let (first, last) = (members[0] as usize, members[size - 1] as usize);
    for lane in 0..WIDTH {
        let left = size.checked_sub(sums[lane] as usize).unwrap_or_else(|| {
            for cluster in members {
                rows[*cluster as usize][lane] = 0;
            }
            size
        });
        if last - first + 1 == size {
            let rows = &mut rows[first..=last];
            single.try_each_below(size as u32, left, |k, hit| rows[k][lane] = rows[k][lane].saturating_add(hit));
        } else {
            single.try_each_below(size as u32, left, |k, hit| {
                let drawn = &mut rows[members[k] as usize][lane];
                *drawn = drawn.saturating_add(hit);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fast, Law, RARE, Stream, TOP, WIDTH, draw};

    #[test]
    fn the_law_is_poisson() {
        // scipy.stats.poisson.pmf(range(9), 0.95)
        let expected = [
            3.867_410e-1,
            3.674_040e-1,
            1.745_169e-1,
            5.526_368e-2,
            1.312_512e-2,
            2.493_774e-3,
            3.948_475e-4,
            5.358_644e-5,
            6.363_390e-6,
        ];
        let law = Law::poisson(0.95);
        let cuts: Vec<f64> = law.cuts.iter().map(|c| f64::from(*c)).collect();
        let left = 65_536.0 - cuts[RARE - 1];
        let of = |cuts: &[f64], j: usize| cuts[j] - if j == 0 { 0.0 } else { cuts[j - 1] };
        let rest: Vec<f64> = law.rest.iter().map(|c| f64::from(*c) / 2.0_f64.powi(32)).collect();
        for (j, expected) in expected.iter().enumerate() {
            let common = if j < RARE { of(&cuts, j) } else { 0.0 };
            let found = (common + left * of(&rest, j)) / 65_536.0;
            assert!((found / expected - 1.0).abs() < 1e-6, "{j}: {found} for {expected}");
        }
        assert!(law.rare(&mut Fast::new(&mut Stream::root(1).replicate(0))) <= TOP as u8);
    }

    #[test]
    fn counts_are_multinomial() {
        let (size, replicates) = (600_usize, 4096_usize);
        let members: Vec<u32> = (0..size as u32).collect();
        let mut block = vec![0; size * replicates];
        draw(&Stream::root(2), &members, size, &mut block);
        let (mut seen, mut half) = ([0.0; 8], vec![0.0; replicates]);
        for (s, stretch) in block.chunks_exact(size * WIDTH).enumerate() {
            let mut all = [0_usize; WIDTH];
            for (cluster, row) in stretch.as_chunks::<WIDTH>().0.iter().enumerate() {
                for (lane, n) in row.iter().enumerate() {
                    seen[usize::from(*n).min(7)] += 1.0;
                    all[lane] += usize::from(*n);
                    half[s * WIDTH + lane] += if cluster < size / 2 { f64::from(*n) } else { 0.0 };
                }
            }
            assert_eq!(all, [size; WIDTH], "every replicate draws as many clusters as there are");
        }
        // scipy.stats.binom.pmf(range(7), 600, 1/600), and what is left.
        let law = [
            3.675_726_618_996_935e-1,
            3.681_863_057_425_981e-1,
            1.840_931_528_712_989e-1,
            6.126_193_957_542_397e-2,
            1.526_434_804_946_913e-2,
            3.037_579_778_792_532e-3,
            5.028_825_732_836_824e-4,
            8.112_950_943_980_757e-5,
        ];
        let all = (size * replicates) as f64;
        // Counts of one replicate hang together a little: χ² is then at most that of independent ones.
        let chi2: f64 = seen.iter().zip(law).map(|(n, p)| (n - all * p).powi(2) / (all * p)).sum();
        assert!(chi2 < 24.0, "{chi2} on 7 degrees of freedom: {seen:?}");
        // Half of the clusters get Binomial(600, ½) of the draws: mean 300, variance 150.
        let mean = half.iter().sum::<f64>() / replicates as f64;
        let variance = half.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (replicates as f64 - 1.0);
        assert!((mean - 300.0).abs() < 4.0 * (150.0 / replicates as f64).sqrt(), "{mean}");
        assert!((variance / 150.0 - 1.0).abs() < 4.0 * (2.0 / replicates as f64).sqrt(), "{variance}");
    }
}
