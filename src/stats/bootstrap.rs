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
//! cluster, one byte per replicate. A cell reads only the clusters that it touches.

use super::cluster::Cell;
use super::counts::{self, Drawing};
use super::design::Design;
use super::functional::Functional;
use super::group::Group;
use super::interval::Replicates;
use super::stream::{Fast, Stream};
use super::weigh::{Counts, STRETCH, Scratch, Sums};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::OnceLock;

/// Replicates per block, and the same for more than [`MANY_CLUSTERS`], where a block would leave the cache.
const BLOCK: usize = 256;
const SMALL_BLOCK: usize = 64;

/// Clusters above which blocks are small.
const MANY_CLUSTERS: usize = 1 << 13;

/// Replicates that are drawn together before they are turned over.
const TILE: usize = 32;

/// Above this many bytes weights are drawn again, block by block, whenever they are needed.
const STORED_BYTES: usize = 1 << 28;

/// Sums that [`Weights::resample`] holds at a time, in bytes.
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
    /// Blocks of stretches × clusters × 64 once they were asked for, or empty where they are too many to be kept.
    stored: Vec<OnceLock<Vec<u8>>>,
}

impl Weights {
    /// Weights of `replicates` replicates, drawn when they are needed. Replicate `b` depends on `stream`, `b` and the
    /// design only.
    pub fn draw(design: &Design, replicates: usize, stream: &Stream) -> Self {
        let lanes = if design.clusters() > MANY_CLUSTERS { SMALL_BLOCK } else { BLOCK };
        let blocks = replicates.div_ceil(lanes);
        let fits = blocks.saturating_mul(design.clusters() * lanes) <= STORED_BYTES;
        let stored = if fits { vec![OnceLock::new(); blocks] } else { Vec::new() };
        Self { design: design.clone(), stream: stream.clone(), replicates, lanes, stored }
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
        let stored = stored.into_iter().map(OnceLock::from).collect();
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
    ///
    /// Weights that are not too many are kept for the next call.
    pub fn replicates_of(&self, cells: &[(&dyn Cell, &dyn Functional)]) -> Vec<Replicates> {
        let groups = self.groups(cells);
        let sums = self.sums(&groups.iter().collect::<Vec<_>>(), true);
        let values = groups.par_iter().zip(sums).map(|(group, sums)| self.values(group, &sums));
        values.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    /// Resamples groups of cells, such as all settings of a subgroup, and hands the replicates of each group to `finish`,
    /// which may run on several groups at once. Results come in the order of the groups.
    ///
    /// A stretch of weights is summed for one group after the other while it is in the cache, and is not kept. Of every
    /// group the sums are, of as many groups at a time as fit into [`SHARED_BYTES`].
    pub fn resample<R: Send>(
        &self,
        groups: &[Vec<(&dyn Cell, &dyn Functional)>],
        finish: impl Fn(usize, Vec<Replicates>) -> R + Sync,
    ) -> Vec<R> {
        let parts: Vec<Vec<Group>> = groups.par_iter().map(|cells| self.groups(cells)).collect();
        let bytes = |parts: &[Group]| parts.iter().map(|part| part.rows().bytes()).sum::<usize>() * self.replicates;
        let mut results = Vec::with_capacity(groups.len());
        while results.len() < groups.len() {
            let from = results.len();
            let mut held = 0;
            let fits = parts[from..].iter().take_while(|parts| {
                held += bytes(parts);
                held <= SHARED_BYTES
            });
            let to = from + fits.count().max(1);
            let own: Vec<&Group> = parts[from..to].iter().flatten().collect();
            let mut sums = self.sums(&own, false).into_iter();
            let each: Vec<Vec<Vec<Sums>>> =
                parts[from..to].iter().map(|parts| sums.by_ref().take(parts.len()).collect()).collect();
            let done = each.into_par_iter().with_max_len(1).enumerate().map(|(i, sums)| {
                let own = parts[from + i].iter().zip(sums);
                finish(from + i, own.flat_map(|(part, sums)| self.values(part, &sums)).collect())
            });
            results.extend(done.collect::<Vec<R>>());
        }
        results
    }

    fn groups<'a, 'c>(&self, cells: &'a [(&'c dyn Cell, &'c dyn Functional)]) -> Vec<Group<'a, 'c>> {
        let alike = cells.chunk_by(|a, b| a.0.cluster_indices() == b.0.cluster_indices());
        alike.map(|cells| Group::new(cells, self.design.clusters())).collect()
    }

    /// Sums of each group, block by block.
    fn sums(&self, groups: &[&Group], keep: bool) -> Vec<Vec<Sums>> {
        let blocks: Vec<Vec<Sums>> = (0..self.replicates.div_ceil(self.lanes))
            .into_par_iter()
            .map_init(Default::default, |(stretch, scratch): &mut (Vec<u8>, Scratch), k| {
                let mut sums: Vec<Sums> = groups.iter().map(|group| group.rows().room(self.lanes)).collect();
                self.each_stretch(k, keep, stretch, |i, counts| {
                    for (group, sums) in groups.iter().zip(&mut sums) {
                        group.rows().weigh(counts, self.lanes, i * STRETCH, scratch, sums);
                    }
                });
                sums
            })
            .collect();
        let mut of_groups: Vec<Vec<Sums>> = groups.iter().map(|_| Vec::with_capacity(blocks.len())).collect();
        for block in blocks {
            for (sums, of_group) in block.into_iter().zip(&mut of_groups) {
                of_group.push(sums);
            }
        }
        of_groups
    }

    fn values(&self, group: &Group, sums: &[Sums]) -> Vec<Replicates> {
        let values = group.values(sums, self.lanes, self.replicates);
        values.into_iter().map(Replicates::from_raw).collect()
    }

    /// Hands the stretches of a block on that have replicates, one after the other.
    fn each_stretch(&self, k: usize, keep: bool, memory: &mut Vec<u8>, mut take: impl FnMut(usize, &Counts)) {
        let length = self.design.clusters() * STRETCH;
        let here = self.lanes.min(self.replicates - k * self.lanes).div_ceil(STRETCH);
        if length == 0 {
            return;
        }
        let kept = match self.stored.get(k) {
            Some(block) if keep => Some(block.get_or_init(|| self.fill(k))),
            Some(block) => block.get(),
            None => None,
        };
        if let Some(block) = kept {
            for (i, stretch) in block.chunks_exact(length).take(here).enumerate() {
                take(i, stretch.as_chunks().0);
            }
            return;
        }
        let mut drawing = self.drawing(k);
        for i in 0..here {
            memory.resize(length, 0);
            self.draw_stretch(k, i, &mut drawing, memory);
            take(i, memory.as_chunks().0);
        }
    }

    fn block(&self, k: usize) -> Cow<'_, [u8]> {
        match self.stored.get(k) {
            Some(block) => Cow::Borrowed(block.get_or_init(|| self.fill(k))),
            None => Cow::Owned(self.fill(k)),
        }
    }

    fn fill(&self, k: usize) -> Vec<u8> {
        let mut block = vec![0; self.design.clusters() * self.lanes];
        let mut drawing = self.drawing(k);
        for (i, stretch) in block.chunks_exact_mut((self.design.clusters() * STRETCH).max(1)).enumerate() {
            self.draw_stretch(k, i, &mut drawing, stretch);
        }
        block
    }

    /// What draws the large strata of a block.
    fn drawing(&self, k: usize) -> Vec<Drawing<'_>> {
        let large = self.design.members().iter().enumerate().filter(|(_, members)| members.len() >= counts::MANY);
        large.map(|(i, members)| Drawing::new(&self.stream.child(&format!("counts/{i}/{k}")), members)).collect()
    }

    /// Draws the `i`-th stretch of block `k`, after those before it.
    fn draw_stretch(&self, k: usize, i: usize, drawing: &mut [Drawing], stretch: &mut [u8]) {
        let rows = stretch.as_chunks_mut::<STRETCH>().0;
        for large in &mut *drawing {
            large.stretch(rows);
        }
        if drawing.len() == self.design.members().len() {
            return;
        }
        let small = || self.design.members().iter().filter(|members| members.len() < counts::MANY);
        for cluster in small().flatten() {
            rows[*cluster as usize] = [0; STRETCH];
        }
        let clusters = self.design.clusters();
        let from = k * self.lanes + i * STRETCH;
        let here = STRETCH.min(self.replicates.saturating_sub(from));
        // Replicates are drawn row by row, which stays in the first-level cache, and then turned over in tiles.
        let mut drawn = vec![0_u8; TILE * clusters];
        for tile in (0..here).step_by(TILE) {
            drawn.fill(0);
            for (b, row) in drawn.chunks_exact_mut(clusters).take(here - tile).enumerate() {
                self.draw_row(from + tile + b, row);
            }
            for cluster in 0..clusters {
                if let Some(counts) = rows[cluster][tile..].first_chunk_mut::<TILE>() {
                    for b in 0..TILE {
                        counts[b] += drawn[b * clusters + cluster];
                    }
                }
            }
        }
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
