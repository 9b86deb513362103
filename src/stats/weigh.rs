//! Sums of many columns under many resamples at once: a group of cells, its distinct columns side by side, and counts of
//! 64 replicates at a time.
//!
//! Clusters with equal rows of integers (of items that are their own clusters, most) are one class: their counts are added
//! before anything is multiplied. Every replicate adds in one fixed order, and integers exactly, so any number of threads and any
//! vector width give the same bits.
//!
//! Loops run over arrays whose length is known, by index: adapters of iterators are not always inlined across the parts
//! that a crate is compiled in, and here that costs half of the speed.
//!
//! Draws nothing, and knows nothing of intervals.

use super::cluster::Cell;
use super::functional::Functional;
use std::collections::BTreeMap;

/// Replicates that are summed together.
pub(crate) const STRETCH: usize = 64;

/// Clusters or classes whose rows are added in one go.
const TOGETHER: usize = 4;

/// Clusters of a class whose counts (of one byte) are added in 16 bits.
const ADDED: usize = 256;

/// Columns of a metric that are handed on without allocation.
const FEW: usize = 16;

/// Counts of a stretch: one row per cluster of the design.
pub(crate) type Counts = [[u8; STRETCH]];

/// Cells over the same clusters, their distinct columns side by side.
pub(crate) struct Group<'a, 'c> {
    cells: &'a [(&'c dyn Cell, &'c dyn Functional)],
    /// For each cell, which distinct column each number of its rows is.
    columns: Vec<Vec<usize>>,
    width: usize,
    units: Units,
    table: Table,
    /// Values of halves of cells, each a function of some columns: those of the baseline are computed once.
    halves: Vec<(&'c dyn Functional, Vec<usize>)>,
    /// For each cell, its half, and the one that is subtracted. Absent where a cell is no difference of halves.
    of_cell: Vec<Option<(usize, Option<usize>)>>,
}

/// What has a row.
enum Units {
    /// Each cluster.
    Clusters(Vec<u32>),
    /// Clusters with equal rows: all clusters, class by class, and where each class ends.
    Classes { clusters: Vec<u32>, ends: Vec<usize> },
}

/// Rows of distinct columns, as [`weigh`] wants them. Integers whose weighted sums stay within 2²⁴ are exact in `f32`, at
/// twice the speed.
enum Table {
    Single(Vec<[f32; TOGETHER]>),
    Double(Vec<[f64; TOGETHER]>),
}

/// Memory that blocks use again.
#[derive(Default)]
pub(crate) struct Scratch {
    sums: Vec<f64>,
    halves: Vec<f64>,
}

impl<'a, 'c> Group<'a, 'c> {
    /// `cells` share their clusters, of `clusters` in the design.
    pub(crate) fn new(cells: &'a [(&'c dyn Cell, &'c dyn Functional)], clusters: usize) -> Self {
        let mut known: BTreeMap<Vec<u64>, usize> = BTreeMap::new();
        let columns: Vec<Vec<usize>> = cells
            .iter()
            .map(|(cell, _)| {
                let column = |k| cell.rows().iter().skip(k).step_by(cell.width()).map(|x| x.to_bits()).collect();
                (0..cell.width())
                    .map(|k| {
                        let next = known.len();
                        *known.entry(column(k)).or_insert(next)
                    })
                    .collect()
            })
            .collect();
        let (width, own) = (known.len(), cells.first().map_or(&[][..], |(cell, _)| cell.cluster_indices()));
        let mut rows = vec![0.0; width * own.len()];
        for (bits, k) in &known {
            for (i, x) in bits.iter().enumerate() {
                rows[i * width + k] = f64::from_bits(*x);
            }
        }
        let largest = rows.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let exact = rows.iter().all(|x| x.fract() == 0.0) && largest * clusters as f64 <= f64::from(1 << 24);
        // Sums of other numbers depend on their order, which must not depend on the columns beside them.
        let (units, rows) = if exact { Units::of(own, rows, width) } else { (Units::Clusters(own.to_vec()), rows) };
        let table = if exact {
            Table::Single(together(&rows.iter().map(|x| *x as f32).collect::<Vec<_>>(), width))
        } else {
            Table::Double(together(&rows, width))
        };
        let mut group = Self { cells, columns, width, units, table, halves: Vec::new(), of_cell: Vec::new() };
        group.share_halves();
        group
    }

    /// How many cells.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Plain ratios are computed once for all cells that they are part of.
    fn share_halves(&mut self) {
        let mut known: BTreeMap<&[usize], usize> = BTreeMap::new();
        for ((cell, functional), columns) in self.cells.iter().zip(&self.columns) {
            let mut half = |columns| {
                *known.entry(columns).or_insert_with(|| {
                    self.halves.push((*functional, <[usize]>::to_vec(columns)));
                    self.halves.len() - 1
                })
            };
            self.of_cell.push(match functional.is_ratio().then(|| cell.halves()) {
                Some(1) => Some((half(columns), None)),
                Some(2) => Some((half(&columns[2..]), Some(half(&columns[..2])))),
                _ => None,
            });
        }
    }

    /// Statistics of one block, cell by cell: `stretches` are its counts, stretch after stretch.
    pub(crate) fn evaluate<'w>(
        &self,
        stretches: impl Iterator<Item = &'w Counts>,
        lanes: usize,
        scratch: &mut Scratch,
        out: &mut [&mut [f64]],
    ) {
        scratch.sums.resize(self.width * lanes, 0.0);
        for (i, counts) in stretches.enumerate() {
            let sums = &mut scratch.sums[..];
            match &self.table {
                Table::Single(rows) => self.weigh(counts, rows, lanes, i * STRETCH, sums),
                Table::Double(rows) => self.weigh(counts, rows, lanes, i * STRETCH, sums),
            }
        }
        scratch.halves.resize(self.halves.len() * lanes, 0.0);
        for (i, (functional, columns)) in self.halves.iter().enumerate() {
            let values = &mut scratch.halves[i * lanes..(i + 1) * lanes];
            with_columns(&scratch.sums, lanes, columns, |columns| functional.values(columns, values));
        }
        let half = |k: usize| &scratch.halves[k * lanes..(k + 1) * lanes];
        for (i, out) in out.iter_mut().enumerate() {
            match self.of_cell[i] {
                Some((value, None)) => out.copy_from_slice(half(value)),
                Some((value, Some(base))) => subtract(half(value), half(base), out),
                None => {
                    let (cell, functional) = self.cells[i];
                    with_columns(&scratch.sums, lanes, &self.columns[i], |columns| {
                        cell.statistics(functional, columns, out);
                    });
                }
            }
        }
    }

    /// Weighted sums of every column in one stretch, into `width × lanes` numbers, `from` lanes on.
    fn weigh<T: Weighed>(&self, counts: &Counts, rows: &[[T; TOGETHER]], lanes: usize, from: usize, out: &mut [f64]) {
        let mut sums = vec![[T::default(); STRETCH]; self.width];
        let mut weights = [[T::default(); STRETCH]; TOGETHER];
        for (i, rows) in rows.chunks_exact(self.width.max(1)).enumerate() {
            for (one, weights) in weights.iter_mut().enumerate() {
                self.units.counts(counts, TOGETHER * i + one, weights);
            }
            for k in 0..rows.len() {
                T::add(&rows[k], &weights, &mut sums[k]);
            }
        }
        for k in 0..sums.len() {
            if let Some(out) = out[k * lanes + from..].first_chunk_mut::<STRETCH>() {
                T::write(&sums[k], out);
            }
        }
    }
}

impl Units {
    /// The units of `clusters` with `rows` of `width` numbers, and their rows.
    fn of(clusters: &[u32], rows: Vec<f64>, width: usize) -> (Self, Vec<f64>) {
        let alike = |i: usize| rows[i * width..(i + 1) * width].iter().map(|x| x.to_bits());
        let mut order: Vec<usize> = (0..clusters.len()).collect();
        order.sort_by(|a, b| alike(*a).cmp(alike(*b)));
        let classes: Vec<&[usize]> = order.chunk_by(|a, b| alike(*a).eq(alike(*b))).collect();
        if 3 * classes.len() > clusters.len() {
            return (Self::Clusters(clusters.to_vec()), rows);
        }
        let mut end = 0;
        let ends = classes.iter().map(|class| {
            end += class.len();
            end
        });
        let units = Self::Classes { ends: ends.collect(), clusters: order.iter().map(|i| clusters[*i]).collect() };
        let rows = classes.iter().flat_map(|class| rows[class[0] * width..(class[0] + 1) * width].to_vec()).collect();
        (units, rows)
    }

    /// How often each replicate draws the `i`-th unit; nothing is written beyond the last.
    #[inline]
    fn counts<T: Weighed>(&self, counts: &Counts, i: usize, out: &mut [T; STRETCH]) {
        match self {
            Self::Clusters(clusters) => {
                if let Some(cluster) = clusters.get(i) {
                    T::widen(&counts[*cluster as usize], out);
                }
            }
            Self::Classes { clusters, ends } => {
                if let Some(end) = ends.get(i) {
                    let from = if i == 0 { 0 } else { ends[i - 1] };
                    T::widen_sums(&sum_of(counts, &clusters[from..*end]), out);
                }
            }
        }
    }
}

/// Counts of a class.
#[inline]
fn sum_of(counts: &Counts, clusters: &[u32]) -> [u32; STRETCH] {
    let mut all = [0_u32; STRETCH];
    for clusters in clusters.chunks(ADDED) {
        let mut part = [0_u16; STRETCH];
        for cluster in clusters {
            let counts = &counts[*cluster as usize];
            for lane in 0..STRETCH {
                part[lane] += u16::from(counts[lane]);
            }
        }
        for lane in 0..STRETCH {
            all[lane] += u32::from(part[lane]);
        }
    }
    all
}

/// Hands the columns on that a metric wants.
fn with_columns(sums: &[f64], lanes: usize, wanted: &[usize], take: impl FnOnce(&[&[f64]])) {
    let column = |k: usize| &sums[k * lanes..(k + 1) * lanes];
    if wanted.len() <= FEW {
        let mut columns: [&[f64]; FEW] = [&[]; FEW];
        for (i, k) in wanted.iter().enumerate() {
            columns[i] = column(*k);
        }
        take(&columns[..wanted.len()]);
    } else {
        take(&wanted.iter().map(|k| column(*k)).collect::<Vec<_>>());
    }
}

fn subtract(value: &[f64], base: &[f64], out: &mut [f64]) {
    let n = out.len();
    let (value, base) = (&value[..n], &base[..n]);
    for b in 0..n {
        out[b] = value[b] - base[b];
    }
}

/// A number that weights are multiplied with.
trait Weighed: Copy + Default {
    /// Adds `x` times `counts`, cluster after cluster, to `sums`.
    fn add(x: &[Self; TOGETHER], counts: &[[Self; STRETCH]; TOGETHER], sums: &mut [Self; STRETCH]);

    /// The counts of a cluster as numbers.
    fn widen(counts: &[u8; STRETCH], out: &mut [Self; STRETCH]);

    /// The counts of a class as numbers.
    fn widen_sums(counts: &[u32; STRETCH], out: &mut [Self; STRETCH]);

    /// Sums as they go out.
    fn write(sums: &[Self; STRETCH], out: &mut [f64; STRETCH]);
}

macro_rules! weighed {
    ($($number:ty),*) => {$(
        impl Weighed for $number {
            #[inline]
            fn add(x: &[Self; TOGETHER], counts: &[[Self; STRETCH]; TOGETHER], sums: &mut [Self; STRETCH]) {
                let ([x0, x1, x2, x3], [c0, c1, c2, c3]) = (*x, counts);
                // Zeros add nothing.
                if x0 == 0.0 && x1 == 0.0 && x2 == 0.0 && x3 == 0.0 {
                    return;
                }
                for lane in 0..STRETCH {
                    sums[lane] = sums[lane] + x0 * c0[lane] + x1 * c1[lane] + x2 * c2[lane] + x3 * c3[lane];
                }
            }

            #[inline]
            fn widen(counts: &[u8; STRETCH], out: &mut [Self; STRETCH]) {
                for lane in 0..STRETCH {
                    out[lane] = Self::from(counts[lane]);
                }
            }

            #[inline]
            fn widen_sums(counts: &[u32; STRETCH], out: &mut [Self; STRETCH]) {
                for lane in 0..STRETCH {
                    out[lane] = f64::from(counts[lane]) as Self;
                }
            }

            #[inline]
            fn write(sums: &[Self; STRETCH], out: &mut [f64; STRETCH]) {
                for lane in 0..STRETCH {
                    out[lane] = f64::from(sums[lane]);
                }
            }
        }
    )*};
}
weighed!(f32, f64);

/// Rows (units × width) in groups of [`TOGETHER`] units, column by column, the last filled up with zeros.
fn together<T: Weighed>(rows: &[T], width: usize) -> Vec<[T; TOGETHER]> {
    let mut turned = Vec::with_capacity(rows.len() / TOGETHER + width);
    for rows in rows.chunks(TOGETHER * width.max(1)) {
        for column in 0..width {
            turned.push(std::array::from_fn(|i| rows.get(i * width + column).copied().unwrap_or_default()));
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use crate::stats::cluster::{Cell, PairedTotals, Totals};
    use crate::stats::functional::{Functional, Ratio, RatioDifference};
    use crate::stats::{Design, Stream, Weights};
    use rand_chacha::rand_core::Rng;
    use std::collections::BTreeMap;

    /// The statistic of one replicate, cluster after cluster and number after number. With `by_row`, clusters with equal
    /// rows are counted first.
    fn scalar(weights: &[u8], cell: &dyn Cell, functional: &dyn Functional, by_row: bool) -> Option<f64> {
        let mut units: BTreeMap<Vec<u64>, f64> = BTreeMap::new();
        for (i, cluster) in cell.cluster_indices().iter().enumerate() {
            let bits = cell.row(i).iter().map(|x| x.to_bits());
            let own = (!by_row).then_some(u64::from(*cluster));
            *units.entry(own.into_iter().chain(bits).collect()).or_default() += f64::from(weights[*cluster as usize]);
        }
        let mut sum = vec![0.0; cell.width()];
        for (key, count) in units {
            let row = &key[key.len() - cell.width()..];
            for (total, x) in sum.iter_mut().zip(row) {
                *total += f64::from_bits(*x) * count;
            }
        }
        cell.statistic(functional, &sum)
    }

    fn check(design: &Design, cells: &[(&dyn Cell, &dyn Functional)], by_row: bool) {
        let weights = Weights::draw(design, 300, &Stream::root(5));
        for (replicates, (cell, functional)) in weights.replicates_of(cells).iter().zip(cells) {
            for b in 0..300 {
                let expected = scalar(&weights.row(b), *cell, *functional, by_row);
                assert_eq!(replicates.get(b).map(f64::to_bits), expected.map(f64::to_bits), "replicate {b}");
            }
        }
    }

    /// Four columns over two thirds of the clusters.
    fn made_up(clusters: u32, mut number: impl FnMut(u32) -> f64) -> (Vec<u32>, Vec<f64>) {
        let own: Vec<u32> = (0..clusters).filter(|g| g % 3 != 1).collect();
        let mut rng = Stream::root(6).replicate(0);
        let rows = own.iter().flat_map(|_| (0..4).map(|_| rng.next_u32()).collect::<Vec<_>>());
        let rows = rows.map(&mut number).collect();
        (own, rows)
    }

    #[test]
    fn every_replicate_is_that_of_adding_numbers_one_by_one_to_the_bit() {
        for clusters in [40, 700, 9000] {
            let design = Design::simple(clusters as usize);
            for whole in [true, false] {
                let number = |x: u32| if whole { f64::from(x % 50) } else { f64::from(x) / 3e7 };
                let (own, rows) = made_up(clusters, number);
                let n = own.len();
                let half =
                    |from: usize| rows.chunks_exact(4).flat_map(|r| r[from..from + 2].to_vec()).collect::<Vec<_>>();
                let pair = PairedTotals::new(2, own.clone(), &half(0), &half(2), vec![1; n]).unwrap();
                let four = Totals::new(4, own, rows, vec![1; n]).unwrap();
                check(&design, &[(&pair, &Ratio), (&four, &RatioDifference)], false);
            }
        }
    }

    #[test]
    fn clusters_with_equal_rows_of_integers_are_counted_before_they_are_weighed_to_the_bit() {
        for clusters in [100, 2000] {
            let design = Design::simple(clusters as usize);
            for (scale, by_row) in [(1.0, true), (0.1, false)] {
                let (own, rows) = made_up(clusters, |x| f64::from(x % 2) * scale + scale);
                let n = own.len();
                let four = Totals::new(4, own, rows, vec![1; n]).unwrap();
                check(&design, &[(&four, &RatioDifference)], by_row);
            }
        }
    }
}
