//! Which items are still to be asked, cut into shards (what a file holds) and chunks (what a worker takes at once).
//!
//! Shards are fixed ranges of a benchmark's items, so that files do not depend on who asked what. Chunks are small,
//! so that no worker is idle while another has a whole shard left.

use super::RunPlan;
use crate::benchmark::{Ask, BenchmarkData};
use crate::engine::Mode;
use crate::records::{Record, RecordsError, RunDir, Shard, ShardKey};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Items in a shard by mode: what an interruption at the worst moment can cost.
const SHARD: [(Mode, usize); 2] = [(Mode::Score, 256), (Mode::Generate, 64)];
/// Items in a chunk by mode.
const CHUNK: [(Mode, usize); 2] = [(Mode::Score, 32), (Mode::Generate, 8)];

/// A worker is loaded for one setting (by its index in the plan) in one mode.
pub(super) type LoadKey = (usize, Mode);

/// Items for one worker, in the order in which they are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) load: LoadKey,
    /// Index of the shard in [`Work::shards`].
    pub(super) shard: usize,
    /// Indices into the benchmark's items.
    pub(super) items: Vec<usize>,
    cost: u64,
}

/// A shard on its way to a file.
#[derive(Debug)]
pub(super) struct ShardWork {
    pub(super) key: ShardKey,
    pub(super) data: Arc<BenchmarkData>,
    pub(super) range: Range<usize>,
    /// One place per item of the range.
    pub(super) records: Vec<Option<Record>>,
    /// Milliseconds by place, for the log.
    pub(super) millis: Vec<u64>,
    /// Whether records came in since it was written last.
    pub(super) dirty: bool,
    /// Whether it is in its file; then `records` and `millis` are empty.
    pub(super) done: bool,
}

impl ShardWork {
    pub(super) fn is_complete(&self) -> bool {
        self.done || self.records.iter().all(Option::is_some)
    }

    /// The records that are there, in the order of items.
    pub(super) fn present(&self) -> Vec<Record> {
        self.records.iter().flatten().cloned().collect()
    }
}

/// Everything that is planned, against what is on disk.
#[derive(Debug)]
pub(super) struct Work {
    /// Shards without a complete file.
    pub(super) shards: Vec<ShardWork>,
    /// Items of the whole plan.
    pub(super) planned: u64,
    /// Items with a record on disk.
    pub(super) present: u64,
    /// Failed records on disk.
    pub(super) failed: u64,
    /// Settings with records on disk.
    pub(super) seen: BTreeSet<usize>,
    pub(super) schedule: Schedule,
}

impl Work {
    /// Compares the plan with the run directory.
    pub(super) fn of(plan: &RunPlan, dir: &RunDir) -> Result<Self, RecordsError> {
        let mut work = Self {
            shards: Vec::new(),
            planned: 0,
            present: 0,
            failed: 0,
            seen: BTreeSet::new(),
            schedule: Schedule::default(),
        };
        let all = planned(plan);
        let share = match plan.options.limits.part {
            Some(part) => part.share(&all.iter().map(Planned::cost).collect::<Vec<_>>()),
            None => 0..all.len(),
        };
        for shard in &all[share] {
            work.add(shard, plan.settings[shard.setting].aa, dir)?;
        }
        Ok(work)
    }

    fn add(&mut self, shard: &Planned<'_>, reverse: bool, dir: &RunDir) -> Result<(), RecordsError> {
        let Planned { key, setting, mode, range, data } = shard;
        let (setting, mode) = (*setting, *mode);
        self.planned += range.len() as u64;
        let mut records: Vec<Option<Record>> = vec![None; range.len()];
        match dir.shard(key)? {
            Shard::Complete => {
                self.present += range.len() as u64;
                self.failed += dir.failed(key)?;
                self.seen.insert(setting);
                return Ok(());
            }
            Shard::Open(open) => {
                let by_id: BTreeMap<_, _> = open.into_iter().map(|r| (r.item.clone(), r)).collect();
                for (place, item) in data.items[range.clone()].iter().enumerate() {
                    records[place] = by_id.get(&item.id).cloned();
                }
                self.failed += records.iter().flatten().filter(|r| r.answer.is_err()).count() as u64;
            }
            Shard::Missing => {}
        }
        let present = records.iter().flatten().count();
        self.present += present as u64;
        if present > 0 {
            self.seen.insert(setting);
        }
        let mut open: Vec<usize> = range.clone().zip(&records).filter(|(_, r)| r.is_none()).map(|(i, _)| i).collect();
        if reverse {
            open.reverse();
        }
        let shard = self.shards.len();
        let chunks = open.chunks(size(&CHUNK, mode)).map(|items| {
            let cost = items.iter().map(|&i| cost(&data.items[i].ask)).sum();
            Chunk { load: (setting, mode), shard, items: items.to_vec(), cost }
        });
        if reverse {
            // The last shard's highest items come first.
            chunks.rev().for_each(|chunk| self.schedule.add_first(chunk));
        } else {
            chunks.for_each(|chunk| self.schedule.add_last(chunk));
        }
        let millis = vec![0; range.len()];
        self.shards.push(ShardWork {
            key: key.clone(),
            data: Arc::clone(data),
            range: range.clone(),
            records,
            millis,
            dirty: false,
            done: false,
        });
        Ok(())
    }
}

/// A shard of the plan.
struct Planned<'a> {
    key: ShardKey,
    setting: usize,
    mode: Mode,
    range: Range<usize>,
    data: &'a Arc<BenchmarkData>,
}

impl Planned<'_> {
    fn cost(&self) -> u64 {
        self.data.items[self.range.clone()].iter().map(|item| cost(&item.ask)).sum()
    }
}

/// Every shard of the plan: settings in order, for each its benchmarks.
fn planned(plan: &RunPlan) -> Vec<Planned<'_>> {
    let mut all = Vec::new();
    for (setting, s) in plan.settings.iter().enumerate() {
        for benchmark in plan.benchmarks.iter().filter(|b| b.models.contains(&s.model)) {
            for (index, (mode, range)) in shards(&benchmark.data).into_iter().enumerate() {
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                let key = ShardKey { benchmark: benchmark.data.name.clone(), setting: s.id.clone(), index };
                all.push(Planned { key, setting, mode, range, data: &benchmark.data });
            }
        }
    }
    all
}

/// Cuts a benchmark into shards: runs of items of one mode, at most so long.
fn shards(data: &BenchmarkData) -> Vec<(Mode, Range<usize>)> {
    let mut shards: Vec<(Mode, Range<usize>)> = Vec::new();
    for (index, item) in data.items.iter().enumerate() {
        let mode = Mode::of(&item.ask);
        match shards.last_mut() {
            Some((last, range)) if *last == mode && range.len() < size(&SHARD, mode) => range.end = index + 1,
            _ => shards.push((mode, index..index + 1)),
        }
    }
    shards
}

fn size(table: &[(Mode, usize)], mode: Mode) -> usize {
    table.iter().find(|(m, _)| *m == mode).map_or(1, |(_, size)| *size)
}

/// Bytes of text that take as long as what every request costs, and as one generated token; measured on the demo models,
/// where half of the replies end before their limit.
const REQUEST: u64 = 40;
const TOKEN: u64 = 14;

/// What an ask takes, in bytes of text fed: the time of a request grows with its length.
pub(super) fn cost(ask: &Ask) -> u64 {
    match ask {
        Ask::Likelihood { candidates } => {
            candidates.iter().map(|c| REQUEST + (c.context.len() + c.text.len()) as u64).sum()
        }
        Ask::FirstToken { prompt, framing, .. } => REQUEST + (prompt.len() + framing.len()) as u64,
        Ask::Generate { prompt, framing, max_tokens, .. } => {
            REQUEST + (prompt.len() + framing.len()) as u64 + TOKEN * u64::from(*max_tokens)
        }
    }
}

/// Open chunks by what must be loaded for them.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    open: BTreeMap<LoadKey, VecDeque<Chunk>>,
    slots: BTreeMap<LoadKey, u64>,
    refused: BTreeSet<usize>,
    loaded: BTreeSet<usize>,
    /// Slots at work.
    live: usize,
    /// How many may be.
    limit: usize,
    lowered: Option<Instant>,
}

/// What follows when memory was exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// From now on there are at most so many slots at work.
    Lowered(usize),
    /// It was asked for before the number was lowered last, so that is to show first.
    Lately,
    /// Nobody else was at work.
    Alone,
}

impl Schedule {
    fn add_last(&mut self, chunk: Chunk) {
        self.open.entry(chunk.load).or_default().push_back(chunk);
    }

    fn add_first(&mut self, chunk: Chunk) {
        self.open.entry(chunk.load).or_default().push_front(chunk);
    }

    /// The next chunk for a slot: of what it has loaded, else of what has most left to do per slot at work.
    pub(super) fn next(&mut self, loaded: Option<LoadKey>) -> Option<Chunk> {
        if let Some(key) = loaded {
            if let Some(chunk) = self.open.get_mut(&key).and_then(VecDeque::pop_front) {
                return Some(chunk);
            }
            self.leave(key);
        }
        let share = |key: &LoadKey, queue: &VecDeque<Chunk>| {
            let left: u64 = queue.iter().map(|c| c.cost).sum();
            left / (1 + self.slots.get(key).copied().unwrap_or(0))
        };
        // The first of the largest, in the order of settings.
        let key = self
            .open
            .iter()
            .filter(|(_, queue)| !queue.is_empty())
            .max_by_key(|(key, queue)| (share(key, queue), std::cmp::Reverse(**key)))
            .map(|(key, _)| *key)?;
        *self.slots.entry(key).or_default() += 1;
        self.open.get_mut(&key).and_then(VecDeque::pop_front)
    }

    /// So many slots begin.
    pub(super) fn begin(&mut self, slots: usize) {
        (self.live, self.limit) = (slots, slots);
    }

    /// A slot ends for want of work. It must not be told of any after that.
    pub(super) fn end(&mut self) {
        self.live = self.live.saturating_sub(1);
    }

    /// Whether a slot with this load must end because too many are at work; if so, it has ended.
    pub(super) fn gives_way(&mut self, loaded: Option<LoadKey>) -> bool {
        let too_many = self.is_crowded();
        if too_many {
            self.live -= 1;
            if let Some(key) = loaded {
                self.leave(key);
            }
        }
        too_many
    }

    /// Whether more slots are at work than may be.
    pub(super) fn is_crowded(&self) -> bool {
        self.live > self.limit
    }

    /// Whether one slot is at work.
    pub(super) fn is_alone(&self) -> bool {
        self.live <= 1
    }

    /// Memory was exhausted by work that began at `since`: halves the number of slots.
    pub(super) fn make_room(&mut self, since: Instant) -> Room {
        if self.live <= 1 {
            return Room::Alone;
        }
        if self.lowered.is_some_and(|at| at > since) {
            return Room::Lately;
        }
        self.limit = (self.live / 2).max(1);
        self.lowered = Some(Instant::now());
        Room::Lowered(self.limit)
    }

    /// As [`Schedule::gives_way`], handing back what is left of a chunk: whoever comes next gets it.
    pub(super) fn gives_way_with(&mut self, chunk: &Chunk, left: &VecDeque<usize>) -> bool {
        let gives_way = self.gives_way(Some(chunk.load));
        if gives_way {
            let cost = chunk.cost * left.len() as u64 / chunk.items.len().max(1) as u64;
            self.add_first(Chunk { items: left.iter().copied().collect(), cost, ..chunk.clone() });
        }
        gives_way
    }

    fn leave(&mut self, key: LoadKey) {
        if let Some(slots) = self.slots.get_mut(&key) {
            *slots = slots.saturating_sub(1);
        }
    }

    /// A worker of this setting has been loaded.
    pub(super) fn note_loaded(&mut self, setting: usize) {
        self.loaded.insert(setting);
    }

    /// Whether one ever has.
    pub(super) fn was_loaded(&self, setting: usize) -> bool {
        self.loaded.contains(&setting)
    }

    /// Drops all work of a setting; true the first time.
    pub(super) fn refuse(&mut self, setting: usize) -> bool {
        for (_, queue) in self.open.iter_mut().filter(|((s, _), _)| *s == setting) {
            queue.clear();
        }
        self.refused.insert(setting)
    }

    /// Chunks that nobody has taken.
    pub(super) fn open(&self) -> usize {
        self.open.values().map(VecDeque::len).sum()
    }
}
