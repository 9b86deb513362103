//! The cluster bootstrap, with one matrix of weights per benchmark.
//!
//! Row `b` of the matrix is Multinomial(G_h; 1/G_h, …) within each stratum: whole clusters are drawn with replacement.
//! The same row is used for every setting, subgroup and metric. That is what makes contrasts paired, and what gives the
//! joint distribution that simultaneous bands need. With totals per cluster, `T* = W·T` is exactly what drawing the rows
//! of items again would give (Davison & Hinkley 1997, §3.8).
//!
//! Subgroups are domains: a subgroup's number of clusters is random under the benchmark's weights. A replicate in which
//! the metric is undefined stays undefined.
//!
//! Layout: replicates in blocks of 256 (64 for very many clusters), a block in stretches of 64; within a stretch cluster by
//! cluster, one byte per replicate. A cell reads only the clusters that it touches ([`super::weigh`]).

use super::cluster::Cell;
use super::counts;
use super::design::Design;
use super::functional::Functional;
use super::interval::Replicates;
use super::stream::{Fast, Stream};
use super::weigh::{Counts, Group, STRETCH, Scratch};
use rayon::prelude::*;
use std::borrow::Cow;

/// Replicates per block, and the same for more than [`MANY_CLUSTERS`], where a block would leave the cache.
const BLOCK: usize = 256;
const SMALL_BLOCK: usize = 64;

/// Clusters above which blocks are small.
const MANY_CLUSTERS: usize = 1 << 13;

/// Replicates that are drawn together before they are turned over.
const TILE: usize = 32;

/// Above this many bytes weights are drawn again, block by block, whenever they are needed.
const STORED_BYTES: usize = 1 << 28;

/// Replicates that [`Weights::resample`] holds at a time where weights are not stored, in bytes.
const SHARED_BYTES: usize = 1 << 27;

/// Bootstrap weights of a benchmark: how often replicate `b` draws cluster `g`.
///
/// # Example
/// All 6⁶ resamples of six numbers; SciPy's `bootstrap` gives the same limits for their mean.
/// ```
/// use quantbias::stats::functional::Ratio;
/// use quantbias::stats::interval::percentile;
/// use quantbias::stats::{Design, Level, Totals, Weights};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let contributions = [-1.0, 0.0, 0.0, 1.0, 1.0, 3.0].map(|x| [x, 1.0]).concat();
/// let totals = Totals::from_items(2, &[0, 1, 2, 3, 4, 5], &contributions)?;
/// let weights = Weights::enumerate(&Design::simple(6)).ok_or("too many resamples")?;
/// let found = percentile(&weights.replicates(&totals, &Ratio), Level::P95)?.interval;
/// assert!((found.lower + 1.0 / 6.0).abs() < 1e-12 && (found.upper - 5.0 / 3.0).abs() < 1e-12);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Weights {
    design: Design,
    stream: Stream,
    replicates: usize,
    /// Replicates per block.
    lanes: usize,
    /// Blocks of stretches × clusters × 64, or empty where drawn when needed.
    stored: Vec<Vec<u8>>,
}

impl Weights {
    /// Draws weights for `replicates` replicates. Replicate `b` depends on `stream`, `b` and the design only.
    pub fn draw(design: &Design, replicates: usize, stream: &Stream) -> Self {
        let lanes = if design.clusters() > MANY_CLUSTERS { SMALL_BLOCK } else { BLOCK };
        let (design, stream) = (design.clone(), stream.clone());
        let mut weights = Self { design, stream, replicates, lanes, stored: Vec::new() };
        let block_bytes = weights.design.clusters() * lanes;
        let bytes = replicates.div_ceil(lanes).saturating_mul(block_bytes);
        if block_bytes > 0 && bytes <= STORED_BYTES {
            weights.stored = (0..replicates.div_ceil(lanes)).into_par_iter().map(|k| weights.fill(k)).collect();
        }
        weights
    }

    /// All `Π G_h^{G_h}` ways to draw the clusters, each once: the exact bootstrap distribution, for designs of up to
    /// about six clusters (at most 100,000 ways; `None` above). To check the rest with, not to publish from.
    pub fn enumerate(design: &Design) -> Option<Self> {
        let sizes: Vec<usize> = design.members().iter().flat_map(|m| vec![m.len(); m.len()]).collect();
        let ways = sizes.iter().try_fold(1_usize, |ways, size| ways.checked_mul(*size).filter(|w| *w <= 100_000))?;
        let mut stored = vec![vec![0; design.clusters() * BLOCK]; ways.div_ceil(BLOCK)];
        for b in 0..ways {
            let mut digits = b;
            for members in design.members() {
                for _ in members {
                    let cluster = members[digits % members.len()] as usize;
                    digits /= members.len();
                    stored[b / BLOCK][place(design.clusters(), cluster, b % BLOCK)] += 1;
                }
            }
        }
        Some(Self { design: design.clone(), stream: Stream::root(0), replicates: ways, lanes: BLOCK, stored })
    }

    /// Number of replicates, `B`.
    pub fn len(&self) -> usize {
        self.replicates
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.replicates == 0
    }

    /// The weights of one replicate, one per cluster.
    pub fn row(&self, b: usize) -> Vec<u8> {
        let block = self.block(b / self.lanes);
        let clusters = self.design.clusters();
        (0..clusters).map(|g| block[place(clusters, g, b % self.lanes)]).collect()
    }

    /// The statistic of a cell in every replicate: `f(T*)`, or `f(T*_q) − f(T*_0)` for paired totals.
    ///
    /// The cell's clusters must exist in the design ([`Design::admits`]).
    pub fn replicates(&self, cell: &dyn Cell, functional: &dyn Functional) -> Replicates {
        self.replicates_of(&[(cell, functional)]).pop().unwrap_or_else(|| Replicates::from_raw(Vec::new()))
    }

    /// The same for several cells. Neighbours that touch the same clusters (all settings of one subgroup) share the sums
    /// that they have in common, such as those of the baseline: several times faster than one by one, to the same bits.
    pub fn replicates_of(&self, cells: &[(&dyn Cell, &dyn Functional)]) -> Vec<Replicates> {
        let groups = self.groups(cells);
        let blocks: Vec<Vec<f64>> = (0..self.replicates.div_ceil(self.lanes))
            .into_par_iter()
            .map(|k| {
                let weights = self.block(k);
                let mut out = vec![f64::NAN; cells.len() * self.lanes];
                let mut rest: Vec<&mut [f64]> = out.chunks_exact_mut(self.lanes).collect();
                let mut scratch = Scratch::default();
                for group in &groups {
                    let others = rest.split_off(group.len());
                    group.evaluate(self.stretches(&weights), self.lanes, &mut scratch, &mut rest);
                    rest = others;
                }
                out
            })
            .collect();
        let one = |cell: usize| {
            let mut values = Vec::with_capacity(blocks.len() * self.lanes);
            for block in &blocks {
                values.extend_from_slice(&block[cell * self.lanes..(cell + 1) * self.lanes]);
            }
            values.truncate(self.replicates);
            Replicates::from_raw(values)
        };
        (0..cells.len()).into_par_iter().map(one).collect()
    }

    /// The same on one thread, block after block.
    fn replicates_in_turn(&self, cells: &[(&dyn Cell, &dyn Functional)]) -> Vec<Replicates> {
        let groups = self.groups(cells);
        let mut values: Vec<Vec<f64>> = cells.iter().map(|_| vec![f64::NAN; self.padded()]).collect();
        let mut scratch = Scratch::default();
        for k in 0..self.replicates.div_ceil(self.lanes) {
            let weights = self.block(k);
            let mut rest: Vec<&mut [f64]> =
                values.iter_mut().map(|v| &mut v[k * self.lanes..(k + 1) * self.lanes]).collect();
            for group in &groups {
                let others = rest.split_off(group.len());
                group.evaluate(self.stretches(&weights), self.lanes, &mut scratch, &mut rest);
                rest = others;
            }
        }
        for values in &mut values {
            values.truncate(self.replicates);
        }
        values.into_iter().map(Replicates::from_raw).collect()
    }

    fn groups<'a, 'c>(&self, cells: &'a [(&'c dyn Cell, &'c dyn Functional)]) -> Vec<Group<'a, 'c>> {
        let alike = cells.chunk_by(|a, b| a.0.cluster_indices() == b.0.cluster_indices());
        alike.map(|cells| Group::new(cells, self.design.clusters())).collect()
    }

    /// Replicates in whole blocks.
    fn padded(&self) -> usize {
        self.replicates.div_ceil(self.lanes) * self.lanes
    }

    /// Resamples groups of cells, such as all settings of a subgroup, and hands the replicates of each group to `finish`,
    /// which may run on several groups at once. Results come in the order of the groups.
    ///
    /// Stored weights serve one group after the other, so that its replicates are still in the cache when they are
    /// used. Weights that are drawn when needed serve as many groups as fit into [`SHARED_BYTES`] at a time.
    pub fn resample<R: Send>(
        &self,
        groups: &[Vec<(&dyn Cell, &dyn Functional)>],
        finish: impl Fn(usize, Vec<Replicates>) -> R + Sync,
    ) -> Vec<R> {
        if !self.stored.is_empty() {
            return self.resample_in_turn(groups, &finish);
        }
        let mut results = Vec::with_capacity(groups.len());
        while results.len() < groups.len() {
            let from = results.len();
            let mut cells = 0;
            let fits = groups[from..].iter().take_while(|group| {
                cells += group.len();
                cells * self.replicates * 8 <= SHARED_BYTES
            });
            let to = from + fits.count().max(1);
            let flat: Vec<(&dyn Cell, &dyn Functional)> = groups[from..to].iter().flatten().copied().collect();
            let mut replicates = self.replicates_of(&flat).into_iter();
            let each: Vec<Vec<Replicates>> =
                groups[from..to].iter().map(|group| replicates.by_ref().take(group.len()).collect()).collect();
            let done: Vec<R> = each.into_par_iter().enumerate().map(|(i, r)| finish(from + i, r)).collect();
            results.extend(done);
        }
        results
    }

    /// Largest groups first, and these with all threads.
    fn resample_in_turn<R: Send>(
        &self,
        groups: &[Vec<(&dyn Cell, &dyn Functional)>],
        finish: &(impl Fn(usize, Vec<Replicates>) -> R + Sync),
    ) -> Vec<R> {
        let work = |i: &usize| groups[*i].first().map_or(0, |(cell, _)| cell.clusters()) * groups[*i].len();
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(work(i)));
        let share = order.iter().map(work).sum::<usize>() / (4 * rayon::current_num_threads());
        let mut done: Vec<(usize, R)> = order
            .into_par_iter()
            .with_max_len(1)
            .map(|i| {
                let alone = work(&i) <= share || rayon::current_num_threads() == 1;
                let replicates =
                    if alone { self.replicates_in_turn(&groups[i]) } else { self.replicates_of(&groups[i]) };
                (i, finish(i, replicates))
            })
            .collect();
        done.sort_by_key(|(i, _)| *i);
        done.into_iter().map(|(_, result)| result).collect()
    }

    /// The stretches of a block.
    fn stretches<'w>(&self, block: &'w [u8]) -> impl Iterator<Item = &'w Counts> {
        block.chunks_exact((self.design.clusters() * STRETCH).max(1)).map(|stretch| stretch.as_chunks::<STRETCH>().0)
    }

    fn block(&self, k: usize) -> Cow<'_, [u8]> {
        match self.stored.get(k) {
            Some(block) => Cow::Borrowed(block),
            None => Cow::Owned(self.fill(k)),
        }
    }

    fn fill(&self, k: usize) -> Vec<u8> {
        let clusters = self.design.clusters();
        let mut block = vec![0; clusters * self.lanes];
        let from = k * self.lanes;
        let here = self.lanes.min(self.replicates - from);
        for (stratum, members) in self.design.members().iter().enumerate() {
            if members.len() >= counts::MANY {
                let stream = self.stream.child(&format!("counts/{stratum}/{k}"));
                counts::draw(&stream, members, clusters, &mut block);
            }
        }
        if self.design.members().iter().all(|members| members.len() >= counts::MANY) {
            return block;
        }
        // Replicates are drawn row by row, which stays in the first-level cache, and then turned over in tiles.
        let mut rows = vec![0_u8; TILE * clusters];
        for tile in (0..here).step_by(TILE) {
            rows.fill(0);
            for (b, row) in rows.chunks_exact_mut(clusters).take(here - tile).enumerate() {
                self.draw_row(from + tile + b, row);
            }
            for cluster in 0..clusters {
                let at = place(clusters, cluster, tile);
                if let Some(counts) = block[at..].first_chunk_mut::<TILE>() {
                    for b in 0..TILE {
                        counts[b] += rows[b * clusters + cluster];
                    }
                }
            }
        }
        block
    }

    fn draw_row(&self, b: usize, row: &mut [u8]) {
        let mut rng = Fast::new(&mut self.stream.replicate(b as u64));
        // A count of 256 has a probability below 1/256!, about 10⁻⁵⁰⁷.
        for members in self.design.members().iter().filter(|members| members.len() < counts::MANY) {
            let size = members.len();
            match (members.first(), members.last()) {
                (Some(first), Some(last)) if (last - first) as usize + 1 == size => {
                    let row = &mut row[*first as usize..=*last as usize];
                    rng.each_below(size as u32, size, |k| row[k] = row[k].saturating_add(1));
                }
                _ => rng.each_below(size as u32, size, |k| {
                    let count = &mut row[members[k] as usize];
                    *count = count.saturating_add(1);
                }),
            }
        }
    }
}

/// Where a block has the count of `cluster` in its replicate `lane`.
#[inline]
fn place(clusters: usize, cluster: usize, lane: usize) -> usize {
    (lane / STRETCH * clusters + cluster) * STRETCH + lane % STRETCH
}
