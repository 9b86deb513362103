//! Cells over the same clusters: their distinct columns side by side, and their statistics from the sums of these.
//!
//! Settings of a subgroup share the baseline's columns, and the number of items, and what is computed from these: each is
//! summed and computed once.
//!
//! Draws nothing, and knows nothing of intervals.

use super::cluster::Cell;
use super::functional::Functional;
use super::weigh::{Rows, Sums};
use std::collections::BTreeMap;

/// Columns of a metric that are handed on without allocation.
const FEW: usize = 16;

/// Cells over the same clusters.
pub(crate) struct Group<'a, 'c> {
    cells: &'a [(&'c dyn Cell, &'c dyn Functional)],
    /// For each cell, which distinct column each number of its rows is.
    columns: Vec<Vec<usize>>,
    rows: Rows,
    /// Values of halves of cells, each a function of some columns: those of the baseline are computed once.
    halves: Vec<(&'c dyn Functional, Vec<usize>)>,
    /// For each cell, its half, and the one that is subtracted. Absent where a cell is no difference of halves.
    of_cell: Vec<Option<(usize, Option<usize>)>>,
}

impl<'a, 'c> Group<'a, 'c> {
    /// `cells` share their clusters, of `clusters` in the design.
    pub(crate) fn new(cells: &'a [(&'c dyn Cell, &'c dyn Functional)], clusters: usize) -> Self {
        let own = cells.first().map_or(&[][..], |(cell, _)| cell.cluster_indices());
        let (columns, distinct) = distinct_columns(cells);
        let rows = Rows::new(own, distinct, clusters);
        let mut group = Self { cells, columns, rows, halves: Vec::new(), of_cell: Vec::new() };
        group.share_halves();
        group
    }

    /// The rows of its clusters.
    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
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

    /// Statistics of `replicates`, cell by cell, from sums block by block, `lanes` in each.
    pub(crate) fn values(&self, blocks: &[Sums], lanes: usize, replicates: usize) -> Vec<Vec<f64>> {
        let mut values: Vec<Vec<f64>> = self.cells.iter().map(|_| Vec::with_capacity(replicates)).collect();
        let (mut sums, mut halves, mut one) = (Vec::new(), vec![0.0; self.halves.len() * lanes], vec![0.0; lanes]);
        for (k, block) in blocks.iter().enumerate() {
            block.widen(&mut sums);
            for (i, (functional, columns)) in self.halves.iter().enumerate() {
                let values = &mut halves[i * lanes..(i + 1) * lanes];
                with_columns(&sums, lanes, columns, |columns| functional.values(columns, values));
            }
            let here = lanes.min(replicates - k * lanes);
            let half = |k: usize| &halves[k * lanes..][..here];
            for (i, values) in values.iter_mut().enumerate() {
                match self.of_cell[i] {
                    Some((value, None)) => values.extend_from_slice(half(value)),
                    Some((value, Some(base))) => values.extend(half(value).iter().zip(half(base)).map(|(a, b)| a - b)),
                    None => {
                        let (cell, functional) = self.cells[i];
                        with_columns(&sums, lanes, &self.columns[i], |columns| {
                            cell.statistics(functional, columns, &mut one);
                        });
                        values.extend_from_slice(&one[..here]);
                    }
                }
            }
        }
        values
    }
}

/// For each cell, which distinct column each number of its rows is, and these columns.
fn distinct_columns(cells: &[(&dyn Cell, &dyn Functional)]) -> (Vec<Vec<usize>>, Vec<Vec<f64>>) {
    // Columns are told apart by a number made from theirs first.
    let mut known: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut distinct: Vec<Vec<f64>> = Vec::new();
    let mut of_cells = Vec::with_capacity(cells.len());
    for (cell, _) in cells {
        let (rows, width) = (cell.rows(), cell.width());
        let mut own = Vec::with_capacity(width);
        for k in 0..width {
            let column: Vec<f64> = rows.iter().skip(k).step_by(width).copied().collect();
            let alike = known.entry(mix(&column)).or_default();
            let same = |a: &[f64]| a.iter().zip(&column).all(|(a, b)| a.to_bits() == b.to_bits());
            own.push(alike.iter().copied().find(|k| same(&distinct[*k])).unwrap_or_else(|| {
                alike.push(distinct.len());
                distinct.push(column);
                distinct.len() - 1
            }));
        }
        of_cells.push(own);
    }
    (of_cells, distinct)
}

/// A number that differs for nearly all columns that differ.
fn mix(column: &[f64]) -> u64 {
    let (mut sum, mut factor) = (0_u64, 0x9e37_79b9_7f4a_7c15_u64);
    for x in column {
        sum = sum.wrapping_add((x.to_bits() ^ x.to_bits() >> 29).wrapping_mul(factor));
        factor = factor.wrapping_add(0xbf58_476d_1ce4_e5b8);
    }
    sum
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

#[cfg(test)]
mod tests {
    use crate::stats::cluster::{Cell, PairedTotals, Totals};
    use crate::stats::functional::{Functional, Ratio, RatioDifference};
    use crate::stats::interval::Replicates;
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

    #[test]
    fn sums_that_leave_16_bits_are_exact() {
        // Three draws of the one cluster are 81,000; about one replicate in twelve has them.
        let design = Design::simple(600);
        let one = Totals::new(2, vec![3], vec![27_000.0, 1.0], vec![1]).unwrap();
        let some = Totals::new(2, vec![3, 7, 8], vec![9_000.0, 1.0, 0.0, 1.0, 5.0, 2.0], vec![1; 3]).unwrap();
        check(&design, &[(&one, &Ratio), (&some, &Ratio)], false);
        let weights = Weights::draw(&design, 300, &Stream::root(5));
        assert!((0..300).any(|b| weights.row(b)[3] > 2), "some replicate has them");
        let sum = weights.replicates(&one, &First);
        let rows: Vec<f64> = (0..300).map(|b| 27_000.0 * f64::from(weights.row(b)[3])).collect();
        assert_eq!(sum.iter().map(Option::unwrap).collect::<Vec<_>>(), rows);
    }

    /// The first total itself.
    struct First;

    impl Functional for First {
        fn dim(&self) -> usize {
            2
        }

        fn value(&self, t: &[f64]) -> Option<f64> {
            Some(t[0])
        }

        fn gradient(&self, _: &[f64], _: &mut [f64]) -> bool {
            false
        }

        fn support(&self, _: &[f64]) -> f64 {
            f64::INFINITY
        }
    }

    #[test]
    fn groups_that_are_resampled_together_have_the_replicates_that_each_has_alone() {
        let design = Design::simple(900);
        let (own, rows) = made_up(900, |x| f64::from(x % 50) / 7.0);
        let four = Totals::new(4, own.clone(), rows.clone(), vec![1; own.len()]).unwrap();
        let whole: Vec<f64> = rows.iter().map(|x| x.round()).collect();
        let rounded = Totals::new(4, own.clone(), whole, vec![1; own.len()]).unwrap();
        let few = Totals::new(2, vec![5, 9], vec![1.0, 2.0, 3.0, 4.0], vec![1; 2]).unwrap();
        let groups: Vec<Vec<(&dyn Cell, &dyn Functional)>> = vec![
            vec![(&four, &RatioDifference), (&few, &Ratio)],
            Vec::new(),
            vec![(&few, &Ratio), (&few, &Ratio), (&rounded, &RatioDifference)],
        ];
        let weights = Weights::draw(&design, 500, &Stream::root(8));
        let all = |replicates: Vec<Replicates>| -> Vec<Vec<Option<f64>>> {
            replicates.iter().map(|replicates| replicates.iter().collect()).collect()
        };
        let together = weights.resample(&groups, |i, replicates| (i, all(replicates)));
        for (i, group) in groups.iter().enumerate() {
            let alone = group.iter().map(|(cell, functional)| weights.replicates(*cell, *functional)).collect();
            assert!(together[i] == (i, all(alone)), "group {i}");
        }
        // Once weights were kept, they are read instead of drawn.
        assert!(weights.resample(&groups, |i, replicates| (i, all(replicates))) == together);
    }

    #[test]
    fn a_design_without_clusters_has_empty_rows() {
        assert!(Weights::draw(&Design::simple(0), 3, &Stream::root(5)).row(2).is_empty());
    }
}
