//! How many workers with how many threads: one thread each while the models are small, fewer and wider ones when
//! memory says so.
//!
//! Measured on models of 5 million weights: four single-threaded workers do five times what one engine with four
//! threads does. A model of which four copies do not fit has products large enough for threads.

use super::protocol::EngineChoice;
use super::{RunOptions, RunPlan};
use crate::engine::ModelFiles;
use crate::engine::safetensors::TensorInfo;
use crate::spec::ModelSource;

/// Bytes that a worker takes beside its model: program, runtime, tokenizer, activations (measured: 45 MiB).
const WORKER_BYTES: u64 = 64 << 20;
/// A worker holds its weights as f32, and while loading some of them twice.
const LOAD_FACTOR: f64 = 1.5;
/// Share of the machine's free memory that is taken when the user names no limit.
const FREE_SHARE: f64 = 0.8;

/// Workers and their threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Worker processes at once; at least 1.
    pub workers: usize,
    /// Threads of each; at least 1.
    pub threads: u32,
}

impl Capacity {
    /// For a plan on this machine.
    #[must_use]
    pub fn of(plan: &RunPlan) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let worker = match plan.options.engine {
            EngineChoice::Mistral => plan.settings.iter().filter_map(|s| weights(&s.source)).max(),
            EngineChoice::Scripted(_) => None,
        };
        let bytes = worker.map(|w| WORKER_BYTES + (w as f64 * 4.0 * LOAD_FACTOR) as u64);
        Self::fit(cores, bytes, &plan.options, free_memory())
    }

    /// `bytes`: what one worker takes, where known; `free`: free memory of the machine in bytes, where known.
    fn fit(cores: usize, bytes: Option<u64>, options: &RunOptions, free: Option<u64>) -> Self {
        let budget = match options.limits.memory_mib {
            Some(mib) => Some(mib << 20),
            None => free.map(|f| (f as f64 * FREE_SHARE) as u64),
        };
        let fitting = match (bytes, budget) {
            (Some(bytes), Some(budget)) => usize::try_from(budget / bytes.max(1)).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let workers = options.limits.workers.unwrap_or(cores).min(fitting).max(1);
        Self { workers, threads: u32::try_from((cores / workers).max(1)).unwrap_or(1) }
    }
}

fn weights(source: &ModelSource) -> Option<u64> {
    let ModelSource::Directory(path) = source.files() else { return None };
    Some(ModelFiles::inspect(path).ok()?.tensors.iter().map(TensorInfo::elements).sum())
}

/// Bytes that new processes can use without swapping (Linux).
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}
