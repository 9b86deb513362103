//! Random sign flips of clusters, drawn once per benchmark and shared by all its hypotheses.
//!
//! Drawn cluster by cluster and kept draw by draw, eight clusters to a byte, as [`super::signs`] looks them up.

use super::design::Design;
use super::signs::{EIGHT, turned, turned_back};
use super::stream::Stream;
use rand_chacha::rand_core::Rng;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// Draws per block.
pub(crate) const BLOCK: usize = 64;

/// Above this many bytes flips are drawn again, block by block, whenever they are needed.
const STORED_BYTES: usize = 1 << 28;

/// Blocks that are worked on together, and the bytes of flips that they may need.
const TOGETHER: usize = 16;
const TOGETHER_BYTES: usize = 1 << 24;

/// Random sign flips of a benchmark's clusters, shared by all its hypotheses.
#[derive(Debug, Clone)]
pub struct Flips {
    clusters: usize,
    draws: usize,
    stream: Stream,
    /// Blocks × eights of clusters × 64 draws; bit `i` of a byte says whether the draw exchanges the eight's cluster `i`.
    stored: Vec<u8>,
}

impl Flips {
    /// Draws `draws` patterns. A block of 64 draws depends on `stream`, its number and the number of clusters only.
    pub fn draw(design: &Design, draws: usize, stream: &Stream) -> Self {
        let mut flips = Self { clusters: design.clusters(), draws, stream: stream.clone(), stored: Vec::new() };
        let size = flips.block_bytes();
        let bytes = draws.div_ceil(BLOCK).saturating_mul(size);
        if size > 0 && bytes <= STORED_BYTES {
            let mut stored = vec![0; bytes];
            stored.par_chunks_mut(size).enumerate().for_each(|(k, block)| flips.fill(k, block));
            flips.stored = stored;
        }
        flips
    }

    /// Number of draws, `B`, without the identity.
    pub fn draws(&self) -> usize {
        self.draws
    }

    /// Whether draw `b` exchanges cluster `g`.
    pub fn exchanges(&self, b: usize, g: usize) -> bool {
        self.bytes(b / BLOCK)[g / EIGHT * BLOCK + b % BLOCK] >> (g % EIGHT) & 1 == 1
    }

    /// Number of blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.draws.div_ceil(BLOCK)
    }

    /// Draws in block `k`: 64, fewer in the last.
    pub(crate) fn block_len(&self, k: usize) -> usize {
        BLOCK.min(self.draws - k * BLOCK)
    }

    /// Block `k` cluster by cluster; bit `b` of a word says whether draw `b` of the block exchanges the cluster.
    pub(crate) fn block(&self, k: usize) -> Vec<u64> {
        let bytes = self.bytes(k);
        let words = bytes.as_chunks::<BLOCK>().0.iter().flat_map(turned_back);
        words.take(self.clusters).collect()
    }

    /// Block `k` draw by draw: for each eight of clusters 64 bytes.
    pub(crate) fn bytes(&self, k: usize) -> Cow<'_, [u8]> {
        let size = self.block_bytes();
        if self.stored.is_empty() {
            let mut block = vec![0; size];
            self.fill(k, &mut block);
            Cow::Owned(block)
        } else {
            Cow::Borrowed(&self.stored[k * size..(k + 1) * size])
        }
    }

    /// Ranges of blocks that are worked on together, fewer at a time where `most` is less.
    pub(crate) fn ranges(&self, most: usize) -> Vec<Range<usize>> {
        let fit = TOGETHER_BYTES / self.block_bytes().max(1);
        let step = TOGETHER.min(most).min(if self.stored.is_empty() { fit } else { TOGETHER }).max(1);
        (0..self.blocks()).step_by(step).map(|from| from..(from + step).min(self.blocks())).collect()
    }

    fn block_bytes(&self) -> usize {
        self.clusters.div_ceil(EIGHT) * BLOCK
    }

    fn fill(&self, k: usize, block: &mut [u8]) {
        let mut rng = self.stream.replicate(k as u64);
        let mut left = self.clusters;
        for bytes in block.chunks_exact_mut(BLOCK) {
            let mut words = [0; EIGHT];
            for word in words.iter_mut().take(left) {
                *word = rng.next_u64();
            }
            left = left.saturating_sub(EIGHT);
            bytes.copy_from_slice(&turned(&words));
        }
    }
}
