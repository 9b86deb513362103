//! How many workers with how many threads: one thread each while the models are small, fewer and wider ones when
//! memory says so.
//!
//! Measured on models of 5 million weights: four single-threaded workers do five times what one engine with four
//! threads does. A model of which four copies do not fit has products large enough for threads. How much a worker takes is
//! an estimate from the model's files; where it was too low and memory runs out, the run goes on with fewer workers. A
//! served model takes none here, so that the number of workers is the number of connections.

use super::event::Event;
use super::protocol::EngineChoice;
use super::{RunOptions, RunPlan};
use crate::benchmark::Ask;
use crate::engine::ModelFiles;
use crate::engine::safetensors::TensorInfo;
use crate::spec::ModelSource;
use std::path::{Path, PathBuf};

/// Bytes that a worker takes beside its model: program, runtime, tokenizer, activations (measured: 45 MiB).
const WORKER_BYTES: u64 = 64 << 20;
/// A worker holds its weights as f32, and while loading some of them twice.
const LOAD_FACTOR: f64 = 1.5;
/// Bytes of text that are at least one token, cautiously.
const BYTES_PER_TOKEN: u64 = 3;
/// Copies of a prompt's logits at once: the engine's, and the rows that are read.
const LOGITS_COPIES: u64 = 2;
/// Share of the machine's free memory that is taken when the user names no limit.
const FREE_SHARE: f64 = 0.8;

/// Workers and their threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Worker processes at once; at least 1.
    pub workers: usize,
    /// Threads of each; at least 1.
    pub threads: u32,
    /// Whether one worker alone takes more than there may be.
    pub tight: Option<Tight>,
}

/// Too little memory for one worker, by the estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tight {
    /// Bytes that one worker takes.
    pub needed: u64,
    /// Bytes that all of them may take.
    pub allowed: u64,
    /// Whether the user said so.
    pub by_user: bool,
}

impl Tight {
    pub(super) fn event(self) -> Event {
        let Self { needed, allowed, by_user } = self;
        Event::Tight { needed_mib: needed.div_ceil(1 << 20), allowed_mib: allowed >> 20, by_user }
    }
}

impl Capacity {
    /// For a plan on this machine.
    #[must_use]
    pub fn of(plan: &RunPlan) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let bytes = match plan.options.engine {
            EngineChoice::Mistral => {
                let logits = longest_prompt(plan) / BYTES_PER_TOKEN;
                plan.settings.iter().filter_map(|s| bytes(&s.source, logits)).max()
            }
            EngineChoice::Scripted(_) => None,
        };
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
        let tight = |(needed, allowed)| Tight { needed, allowed, by_user: options.limits.memory_mib.is_some() };
        let tight = bytes.zip(budget).filter(|(needed, allowed)| needed > allowed).map(tight);
        Self { workers, threads: u32::try_from((cores / workers).max(1)).unwrap_or(1), tight }
    }
}

/// Bytes of a worker with this model and prompts of so many tokens; `None` for a served model, of which the server has the
/// memory, and where nothing is known.
fn bytes(source: &ModelSource, tokens: u64) -> Option<u64> {
    let files = ModelFiles::inspect(&directory(source)?).ok()?;
    let held = match source {
        // Blocks stay as they are in the file; embeddings become f32. All else may be f32 while it is loaded.
        ModelSource::Gguf { file, .. } => {
            let embeddings = files.number("vocab_size").unwrap_or(0) * files.number("hidden_size").unwrap_or(0);
            std::fs::metadata(file).ok()?.len() + 4 * embeddings
        }
        _ => 4 * files.tensors.iter().map(TensorInfo::elements).sum::<u64>(),
    };
    let logits = tokens * files.number("vocab_size").unwrap_or(0) * 4 * LOGITS_COPIES;
    Some(WORKER_BYTES + (held as f64 * LOAD_FACTOR) as u64 + logits)
}

/// The folder of a model's files. A hub model has been fetched when its run was prepared.
fn directory(source: &ModelSource) -> Option<PathBuf> {
    match source.files() {
        ModelSource::Directory(path) => Some(path.clone()),
        #[cfg(feature = "engine")]
        ModelSource::Hub { id, revision } => crate::engine::hub::resolve(id, revision.as_deref()).ok(),
        _ => None,
    }
}

/// Bytes of the longest text that is scored; only there is a row of logits held for every token.
fn longest_prompt(plan: &RunPlan) -> u64 {
    let items = plan.benchmarks.iter().flat_map(|b| &b.data.items);
    let longest = items.filter_map(|item| match &item.ask {
        Ask::Likelihood { candidates } => candidates.iter().map(|c| c.context.len() + c.text.len()).max(),
        Ask::FirstToken { .. } | Ask::Generate { .. } => None,
    });
    longest.max().unwrap_or(0) as u64
}

/// Bytes that new processes can use without swapping (Linux): of the machine, or of the control group where that has less.
fn free_memory() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = free_of_groups(Path::new("/sys/fs/cgroup"), &groups);
    free_of_machine().into_iter().chain(group).min()
}

fn free_of_machine() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// Bytes that the tightest control group leaves, of this process's and all above them; `None` without a limit. `root`: where
/// the hierarchies are mounted; `own`: `/proc/self/cgroup`.
///
/// A cache of files that nobody reads any more counts as free, as it does in `MemAvailable`.
fn free_of_groups(root: &Path, own: &str) -> Option<u64> {
    let of_line = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?.trim_start_matches('/').to_owned());
        let [limit, used, cache] = match controllers {
            "" => ["memory.max", "memory.current", "inactive_file "],
            _ if controllers.split(',').any(|c| c == "memory") => {
                ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "]
            }
            _ => return None,
        };
        let mount = if controllers.is_empty() { root.to_owned() } else { root.join("memory") };
        let left = |group: &Path| {
            let read = |name: &str| std::fs::read_to_string(mount.join(group).join(name)).ok();
            let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
            let stat = read("memory.stat").unwrap_or_default();
            let cached = stat.lines().find_map(|l| l.strip_prefix(cache)?.trim().parse::<u64>().ok()).unwrap_or(0);
            Some(number(limit)?.saturating_sub(number(used)?.saturating_sub(cached)))
        };
        Path::new(&path).ancestors().filter_map(left).min()
    };
    own.lines().filter_map(of_line).min()
}

#[cfg(test)]
mod tests {
    use super::free_of_groups;
    use std::path::Path;

    #[test]
    fn the_tightest_control_group_above_the_process_says_what_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let put = |group: &str, files: &[(&str, &str)]| {
            let group = folder.path().join(group);
            std::fs::create_dir_all(&group).unwrap();
            for (name, text) in files {
                std::fs::write(group.join(name), text).unwrap();
            }
        };
        let free = |own: &str| free_of_groups(folder.path(), own);
        put("a/b", &[("memory.max", "max\n"), ("memory.current", "700\n")]);
        assert_eq!(free("0::/a/b\n"), None, "no limit anywhere");
        put(
            "a",
            &[("memory.max", "1000\n"), ("memory.current", "800\n"), ("memory.stat", "file 9\ninactive_file 50\n")],
        );
        assert_eq!(free("0::/a/b\n"), Some(250), "the limit of the group above");
        put("a/b", &[("memory.max", "600\n")]);
        assert_eq!(free("0::/a/b\n"), Some(0), "more in use than allowed");
        // The first version; the group's path is the host's and is not there in a container.
        let first = [("memory.limit_in_bytes", "5000"), ("memory.usage_in_bytes", "4000")];
        put("memory", &first);
        put("memory", &[("memory.stat", "inactive_file 1\ntotal_inactive_file 300\n")]);
        assert_eq!(free("11:cpu:/x\n5:memory:/docker/abc\n0::/none\n"), Some(1300));
        assert_eq!(free_of_groups(Path::new("no/such/folder"), "0::/\n"), None);
    }
}
