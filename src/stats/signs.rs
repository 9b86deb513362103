//! Signed sums `Σ ±x_g` of many columns in many draws at once.
//!
//! Clusters are taken eight at a time. For each eight, the sums of all 256 sign patterns are written down once (Arlazarov
//! et al. 1970, the "four Russians"), one row of neighbouring columns per pattern; a draw then looks up one row per eight
//! clusters, whose index is a byte of the flips. All settings of a subgroup go through together. Integers are added as
//! `i32` where no sum can overflow, other numbers as `f64` in one fixed order: any number of threads and any vector width
//! give the same bits, and opposite patterns give exactly opposite sums.
//!
//! Knows nothing of statistics: columns in, sums out.

use super::flips::{BLOCK, Flips};
use std::borrow::Cow;
use std::ops::{Add, Range, Sub};

/// One number per draw of a block.
pub(crate) type Lane = [f64; BLOCK];

/// Clusters that are looked up together.
pub(crate) const EIGHT: usize = 8;

/// Columns that are added side by side: 64 bytes.
const WHOLE: usize = 16;
const REAL: usize = 8;

/// A column: distinct clusters, increasing, and one number for each.
pub(crate) struct Column {
    pub(crate) clusters: Vec<u32>,
    pub(crate) values: Vec<f64>,
}

/// Columns, made ready.
pub(crate) struct Columns {
    /// Eights of clusters in which a column has a number.
    eights: Vec<u32>,
    whole: Vec<Part<i32, WHOLE>>,
    real: Vec<Part<f64, REAL>>,
    /// Where each column is.
    places: Vec<Place>,
}

#[derive(Clone, Copy)]
enum Place {
    Whole(usize),
    Real(usize),
}

/// Up to `W` columns: for each eight of clusters its rows.
type Part<T, const W: usize> = Vec<[[T; W]; EIGHT]>;

/// Sums of every column in a range of draws.
pub(crate) struct Sums {
    whole: Vec<Vec<[i32; WHOLE]>>,
    real: Vec<Vec<[f64; REAL]>>,
}

impl Columns {
    /// `columns` in the order in which [`Columns::lane`] numbers them.
    pub(crate) fn new(columns: &[Column]) -> Self {
        let mut eights: Vec<u32> = columns.iter().flat_map(|c| c.clusters.iter().map(|g| g / EIGHT as u32)).collect();
        eights.sort_unstable();
        eights.dedup();
        let mut made = Self { eights, whole: Vec::new(), real: Vec::new(), places: Vec::new() };
        let (mut wholes, mut reals) = (0, 0);
        for column in columns {
            let is_whole = column.values.iter().all(|x| x.fract() == 0.0)
                && column.values.iter().map(|x| x.abs()).sum::<f64>() < f64::from(i32::MAX);
            let place = if is_whole {
                put(&mut made.whole, &made.eights, column, wholes, |x| x as i32);
                wholes += 1;
                Place::Whole(wholes - 1)
            } else {
                put(&mut made.real, &made.eights, column, reals, |x| x);
                reals += 1;
                Place::Real(reals - 1)
            };
            made.places.push(place);
        }
        made
    }

    /// Sums of the draws in `blocks` of the flips.
    pub(crate) fn sums(&self, flips: &Flips, blocks: Range<usize>) -> Sums {
        let bytes: Vec<Cow<'_, [u8]>> = blocks.map(|k| flips.bytes(k)).collect();
        Sums {
            whole: self.whole.iter().map(|part| add_up(part, &self.eights, &bytes)).collect(),
            real: self.real.iter().map(|part| add_up(part, &self.eights, &bytes)).collect(),
        }
    }

    /// The sums of one column in the `k`-th block of the range.
    pub(crate) fn lane(&self, sums: &Sums, column: usize, k: usize, out: &mut Lane) {
        match self.places[column] {
            Place::Whole(at) => take(&sums.whole[at / WHOLE], at % WHOLE, k, out),
            Place::Real(at) => take(&sums.real[at / REAL], at % REAL, k, out),
        }
    }
}

/// Writes a column as the `at`-th of its kind.
fn put<T: Copy + Default, const W: usize>(
    parts: &mut Vec<Part<T, W>>,
    eights: &[u32],
    column: &Column,
    at: usize,
    number: impl Fn(f64) -> T,
) {
    if at.is_multiple_of(W) {
        parts.push(vec![[[T::default(); W]; EIGHT]; eights.len()]);
    }
    let part = &mut parts[at / W];
    let mut eight = 0;
    for (cluster, x) in column.clusters.iter().zip(&column.values) {
        while eights[eight] < cluster / EIGHT as u32 {
            eight += 1;
        }
        part[eight][*cluster as usize % EIGHT][at % W] = number(*x);
    }
}

/// The sums of one part, draw after draw. Eights go in pairs, so that a draw's sums are fetched half as often.
fn add_up<T, const W: usize>(part: &Part<T, W>, eights: &[u32], bytes: &[Cow<'_, [u8]>]) -> Vec<[T; W]>
where
    T: Copy + Default + Add<Output = T> + Sub<Output = T>,
{
    let mut sums = vec![[T::default(); W]; bytes.len() * BLOCK];
    let mut tables = [vec![[T::default(); W]; 256], vec![[T::default(); W]; 256]];
    let mut from = 0;
    // Which eights are a pair depends on the design alone, so that no other column changes the order of sums.
    for eights in eights.chunk_by(|a, b| a / 2 == b / 2) {
        let rows = &part[from..from + eights.len()];
        from += eights.len();
        for (table, rows) in tables.iter_mut().zip(rows) {
            tabulate(rows, table);
        }
        let [first, second] = &tables;
        for (bytes, sums) in bytes.iter().zip(sums.chunks_exact_mut(BLOCK)) {
            let of = |eight: u32| bytes[eight as usize * BLOCK..].first_chunk::<BLOCK>();
            let Some(sums) = sums.first_chunk_mut::<BLOCK>() else { continue };
            match (of(eights[0]), eights.get(1).and_then(|e| of(*e))) {
                (Some(a), Some(b)) => look_up_two(first, second, a, b, sums),
                (Some(a), None) => look_up(first, a, sums),
                _ => {}
            }
        }
    }
    sums
}

/// Signed sums of all patterns of eight rows: bit `i` of the pattern turns the sign of row `i`.
#[inline(never)]
fn tabulate<T, const W: usize>(rows: &[[T; W]], table: &mut [[T; W]])
where
    T: Copy + Default + Add<Output = T> + Sub<Output = T>,
{
    let (mut low, mut high) = ([[T::default(); W]; 16], [[T::default(); W]; 16]);
    let (first, second) = rows.split_at(EIGHT / 2);
    patterns(first, &mut low);
    patterns(second, &mut high);
    for (sixteen, high) in table.chunks_exact_mut(16).zip(&high) {
        for i in 0..sixteen.len() {
            let mut sum = low[i];
            for w in 0..W {
                sum[w] = sum[w] + high[w];
            }
            sixteen[i] = sum;
        }
    }
}

/// The same of fewer rows; `sums` begins with zeros and holds two to the power of their number.
#[inline(never)]
fn patterns<T, const W: usize>(rows: &[[T; W]], sums: &mut [[T; W]])
where
    T: Copy + Add<Output = T> + Sub<Output = T>,
{
    for i in 0..rows.len() {
        let row = rows[i];
        for pattern in 0..1 << i {
            let (mut plus, mut minus) = (sums[pattern], sums[pattern]);
            for w in 0..W {
                plus[w] = plus[w] + row[w];
                minus[w] = minus[w] - row[w];
            }
            sums[pattern] = plus;
            sums[pattern | 1 << i] = minus;
        }
    }
}

/// Not for inlining, and with tables whose length is not known: a compiler that sees more vectorizes over draws, with
/// gathers, which is several times slower than adding a row at a time.
#[inline(never)]
fn look_up_two<T, const W: usize>(
    first: &[[T; W]],
    second: &[[T; W]],
    a: &[u8; BLOCK],
    b: &[u8; BLOCK],
    sums: &mut [[T; W]; BLOCK],
) where
    T: Copy + Add<Output = T>,
{
    for draw in 0..BLOCK {
        let (x, y) = (first[a[draw] as usize], second[b[draw] as usize]);
        let mut sum = sums[draw];
        for w in 0..W {
            sum[w] = sum[w] + (x[w] + y[w]);
        }
        sums[draw] = sum;
    }
}

#[inline(never)]
fn look_up<T, const W: usize>(table: &[[T; W]], a: &[u8; BLOCK], sums: &mut [[T; W]; BLOCK])
where
    T: Copy + Add<Output = T>,
{
    for draw in 0..BLOCK {
        let x = table[a[draw] as usize];
        let mut sum = sums[draw];
        for w in 0..W {
            sum[w] = sum[w] + x[w];
        }
        sums[draw] = sum;
    }
}

fn take<T: Copy + Into<f64>, const W: usize>(sums: &[[T; W]], at: usize, k: usize, out: &mut Lane) {
    if let Some(rows) = sums[k * BLOCK..].first_chunk::<BLOCK>() {
        for draw in 0..BLOCK {
            out[draw] = rows[draw][at].into();
        }
    }
}

/// Turns eight words (cluster by cluster, one bit per draw) into bytes (draw by draw, one bit per cluster), and back.
#[expect(
    clippy::needless_range_loop,
    reason = "a loop over indices stays one loop over vectors whether or not iterators are inlined"
)]
pub(crate) fn turned(words: &[u64; EIGHT]) -> [u8; BLOCK] {
    let mut bytes = [0; BLOCK];
    for (q, out) in bytes.chunks_exact_mut(EIGHT).enumerate() {
        let mut rows = 0;
        for i in 0..EIGHT {
            rows |= (words[i] >> (EIGHT * q) & 0xFF) << (EIGHT * i);
        }
        out.copy_from_slice(&transposed(rows).to_le_bytes());
    }
    bytes
}

/// The inverse of [`turned`].
pub(crate) fn turned_back(bytes: &[u8; BLOCK]) -> [u64; EIGHT] {
    let mut words = [0; EIGHT];
    for (q, eight) in bytes.as_chunks::<EIGHT>().0.iter().enumerate() {
        let rows = transposed(u64::from_le_bytes(*eight)).to_le_bytes();
        for (word, row) in words.iter_mut().zip(rows) {
            *word |= u64::from(row) << (EIGHT * q);
        }
    }
    words
}

/// An 8 × 8 matrix of bits, transposed in three exchanges (Warren 2013, §7-3).
#[inline]
fn transposed(mut x: u64) -> u64 {
    for (shift, mask) in [(7, 0x00AA_00AA_00AA_00AA), (14, 0x0000_CCCC_0000_CCCC), (28, 0x0000_0000_F0F0_F0F0)] {
        let t = (x ^ (x >> shift)) & mask;
        x ^= t ^ (t << shift);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Column, Columns, EIGHT, Lane, turned, turned_back};
    use crate::stats::{Design, Flips, Stream};
    use rand_chacha::rand_core::Rng;

    #[test]
    fn bytes_hold_the_bits_of_the_words_and_turn_back() {
        let mut rng = Stream::root(1).replicate(0);
        let words: [u64; EIGHT] = std::array::from_fn(|_| rng.next_u64());
        let bytes = turned(&words);
        for (b, byte) in bytes.iter().enumerate() {
            for (i, word) in words.iter().enumerate() {
                assert_eq!(u64::from(byte >> i & 1), word >> b & 1);
            }
        }
        assert_eq!(turned_back(&bytes), words);
    }

    /// The signed sum of one draw, number after number, in the order that is promised: two eights together, each as two
    /// fours.
    fn scalar(column: &Column, turned: impl Fn(u32) -> bool, touched: &[u32]) -> f64 {
        let signed = |g: u32| match column.clusters.binary_search(&g) {
            Ok(i) if turned(g) => -column.values[i],
            Ok(i) => column.values[i],
            Err(_) => 0.0,
        };
        let four = |from: u32| (from..from + 4).fold(0.0, |sum, g| sum + signed(g));
        let eight = |eight: &u32| four(8 * eight) + four(8 * eight + 4);
        let pairs = touched.chunk_by(|a, b| a / 2 == b / 2).map(|pair| match pair {
            [a, b] => eight(a) + eight(b),
            rest => eight(&rest[0]),
        });
        pairs.fold(0.0, |sum, pair| sum + pair)
    }

    #[test]
    fn sums_are_those_of_adding_every_cluster_with_its_sign_to_the_bit() {
        let (clusters, draws) = (101_u32, 200);
        let flips = Flips::draw(&Design::simple(clusters as usize), draws, &Stream::root(3));
        let mut rng = Stream::root(4).replicate(0);
        let columns: Vec<Column> = (0..40)
            .map(|c| {
                let own: Vec<u32> = (0..clusters).filter(|g| c == 0 || (g * 7 + c) % 3 != 0).collect();
                let whole = |x: u32| f64::from(x % 41) - 20.0;
                let real = |x: u32| f64::from(x) / 7e8 - 3.0;
                let number = |x| if c % 2 == 0 { whole(x) } else { real(x) };
                let values = own.iter().map(|_| number(rng.next_u32())).collect();
                Column { clusters: own, values }
            })
            .collect();
        let ready = Columns::new(&columns);
        let sums = ready.sums(&flips, 0..flips.blocks());
        let mut lane: Lane = [0.0; BLOCK];
        for (c, column) in columns.iter().enumerate() {
            for b in 0..draws {
                ready.lane(&sums, c, b / BLOCK, &mut lane);
                let expected = scalar(column, |g| flips.exchanges(b, g as usize), &ready.eights);
                // A sum of nothing is 0, whatever its sign.
                assert_eq!((lane[b % BLOCK] + 0.0).to_bits(), (expected + 0.0).to_bits(), "column {c}, draw {b}");
            }
        }
    }
}
