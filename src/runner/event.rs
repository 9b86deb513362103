//! What a run tells while it goes on: for the screen and for `log.jsonl`, never for results.

use super::speed::Speed;
use crate::engine::{Mode, Realised};
use serde::Serialize;

/// Something happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The plan against what is on disk; first of all events.
    Planned {
        /// Items of all settings.
        items: u64,
        /// Items that have a record already.
        present: u64,
        /// Cost of what is left, in bytes of text.
        cost: u64,
        /// Worker processes.
        workers: usize,
        /// Threads of each.
        threads: u32,
    },
    /// A worker's life.
    Worker {
        /// Slot, from 0.
        slot: usize,
        /// Setting id.
        setting: Option<String>,
        /// Mode.
        mode: Option<Mode>,
        /// What happened.
        what: What,
    },
    /// One worker alone is estimated to take more memory than there may be; the run goes on with one. Follows `planned`.
    Tight {
        /// MiB that a worker takes.
        needed_mib: u64,
        /// MiB that all of them may take.
        allowed_mib: u64,
        /// Whether the user said so; else it is what the machine has free.
        by_user: bool,
    },
    /// Memory was exhausted: fewer workers go on, and the item is asked again.
    Fewer {
        /// Workers from now on.
        workers: usize,
        /// What showed it.
        reason: String,
    },
    /// An item has its record. Not logged one by one.
    Item {
        /// Benchmark name.
        benchmark: String,
        /// Setting id.
        setting: String,
        /// Item id.
        item: String,
        /// Why it failed, if it did.
        failed: Option<String>,
        /// Milliseconds in the engine.
        millis: u64,
        /// Cost, in bytes of text.
        cost: u64,
        /// Tokens fed and generated for it.
        tokens: u64,
    },
    /// A shard is on disk.
    Shard {
        /// Benchmark name.
        benchmark: String,
        /// Setting id.
        setting: String,
        /// Number.
        index: u32,
        /// Records in it.
        records: usize,
        /// Of which failed.
        failed: usize,
        /// Milliseconds in the engine by item; 0 for items of an earlier session.
        millis: Vec<u64>,
    },
    /// A setting cannot be loaded; the rest goes on.
    Refused {
        /// Setting id.
        setting: String,
        /// Why.
        reason: String,
    },
    /// What the workers of a setting did in this session; before the end.
    Speed {
        /// Setting id.
        setting: String,
        /// Mode.
        mode: Mode,
        /// Where the time went.
        speed: Speed,
    },
    /// The end, however it came.
    Ended {
        /// Items with a record.
        present: u64,
        /// Of which failed.
        failed: u64,
        /// Milliseconds since the start.
        millis: u64,
        /// Milliseconds of this process' own processor time, where the system tells it.
        own_cpu: Option<u64>,
    },
}

/// What happened to a worker.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was started, and is loading.
    Loading {
        /// Process id.
        pid: u32,
    },
    /// It is loaded.
    Ready {
        /// Process id.
        pid: u32,
        /// Milliseconds that loading took.
        millis: u64,
        /// What it loaded.
        realised: Box<Realised>,
    },
    /// It died; another one follows.
    Died {
        /// The item that it was working on.
        item: Option<String>,
        /// How.
        reason: String,
    },
    /// What it wrote to stderr last.
    LastWords {
        /// At most 40 lines.
        stderr: String,
    },
}
