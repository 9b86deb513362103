//! Exhausted memory: fewer workers, then on; and a budget that the workers keep.

use super::*;
use std::os::unix::fs::PermissionsExt;

/// A program that prepares itself by `line` and then becomes the worker.
fn worker_after(folder: &Path, line: &str) -> PathBuf {
    let path = folder.join("worker.sh");
    let text = format!("#!/bin/sh\n{line}\nexec '{}' \"$@\"\n", worker_exe().display());
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Runs, and gives the numbers of workers that were gone on with, beside the result.
fn go_noting_fewer(plan: &RunPlan, path: &Path) -> (Result<RunSummary, RunError>, Vec<usize>) {
    let mut fewer = Vec::new();
    let result = go_watched(plan, path, false, &AtomicBool::new(false), &mut |event| {
        if let Event::Fewer { workers, .. } = event {
            fewer.push(*workers);
        }
    });
    (result, fewer)
}

/// How far it falls at once depends on who is still at work.
fn falls_to_one(fewer: &[usize]) -> bool {
    fewer.is_sorted_by(|a, b| a > b) && fewer.last() == Some(&1) && fewer[0] <= 2
}

/// A control group with so many MiB of memory; gone with the value.
struct Group(PathBuf);

impl Group {
    /// `None` where this user may not make one.
    fn of(mib: u64) -> Option<Self> {
        let name = format!("quantbias-test-{}", std::process::id());
        for (parent, limit) in [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")] {
            let group = Self(Path::new(parent).join(&name));
            if std::fs::create_dir(&group.0).is_ok() && std::fs::write(group.0.join(limit), format!("{mib}M")).is_ok() {
                let _ = std::fs::write(group.0.join("memory.swap.max"), "0");
                return Some(group);
            }
        }
        println!("skipped: making a control group needs root");
        None
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while std::fs::remove_dir(&self.0).is_err() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn workers_that_the_kernel_kills_for_want_of_memory_are_fewer_afterwards_and_every_item_is_answered() {
    let Some(group) = Group::of(400) else { return };
    let folder = tempfile::tempdir().unwrap();
    // One worker with 250 MiB fits, two do not.
    let hungry = fault("3>", FaultKind::Exhaust(250));
    let mut plan = plan(hungry, 4, vec![pairs(40)]);
    plan.options.worker_exe = worker_after(folder.path(), &format!("echo $$ > {}/cgroup.procs", group.0.display()));
    let (result, fewer) = go_noting_fewer(&plan, &folder.path().join("hungry"));
    assert_eq!(result.unwrap().failed, 0);
    assert!(falls_to_one(&fewer), "{fewer:?}");
    plan.options.engine = EngineChoice::Scripted(Script::default());
    go(&plan, &folder.path().join("calm"), false).unwrap();
    assert_eq!(record_files(&folder.path().join("hungry")), record_files(&folder.path().join("calm")));
}

#[test]
fn an_item_that_one_worker_alone_has_no_memory_for_fails_with_the_reason_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(fault("<17>", FaultKind::Exhaust(6 << 10)), 4, vec![pairs(120)]);
    // Address space of 4 GiB: the allocation is refused, and the allocator ends the process.
    plan.options.worker_exe = worker_after(folder.path(), "ulimit -v 4194304");
    let (result, fewer) = go_noting_fewer(&plan, &folder.path().join("run"));
    assert_eq!(result.unwrap().failed, 3);
    assert!(falls_to_one(&fewer), "{fewer:?}");
    for setting in ["toy@none", "toy@none+aa", "toy@q4k"] {
        for record in records(&folder.path().join("run"), "pairs", setting) {
            match record.item.as_str() {
                "p0017" => {
                    let reason = "engine: out of memory, its process ended: killed by signal 6";
                    assert_eq!(record.answer, Err(reason.into()));
                }
                other => assert!(record.answer.is_ok(), "{other}"),
            }
        }
    }
}

#[test]
fn an_engine_that_says_out_of_memory_is_asked_again_until_one_worker_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let device = "CUDA_ERROR_OUT_OF_MEMORY";
    let mut plan = plan(fault("<17>", FaultKind::Fail(device.into())), 4, vec![pairs(120)]);
    plan.options.limits.max_failed = 0.1;
    let (result, fewer) = go_noting_fewer(&plan, &folder.path().join("run"));
    assert_eq!(result.unwrap().failed, 3);
    assert!(falls_to_one(&fewer), "{fewer:?}");
    let failed = records(&folder.path().join("run"), "pairs", "toy@q4k").swap_remove(17);
    assert_eq!(failed.answer, Err(format!("engine: {device}")));
}

/// Memory that belongs to a process alone or in its share, in MiB.
fn proportional_mib(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("Pss:"));
    line.and_then(|l| l.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).unwrap_or(0) >> 10
}

#[test]
fn workers_of_a_real_run_keep_the_memory_that_the_user_allows() {
    const BUDGET: u64 = 256;
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(Script::default(), 4, vec![pairs(60), choices(6)]);
    plan.options.engine = EngineChoice::Mistral;
    plan.options.limits.memory_mib = Some(BUDGET);
    for setting in &mut plan.settings {
        setting.source = ModelSource::Directory(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models/chat"));
    }
    let (alive, done) = (Mutex::<Vec<u32>>::default(), AtomicBool::new(false));
    let (mut workers, mut peak, mut looks) = (0, 0, 0);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut peak, mut looks) = (0, 0);
            while !done.load(Ordering::SeqCst) {
                let sum = alive.lock().unwrap().iter().map(|&pid| proportional_mib(pid)).sum::<u64>();
                peak = peak.max(sum);
                looks += usize::from(sum > 0);
                std::thread::sleep(Duration::from_millis(10));
            }
            (peak, looks)
        });
        go_watched(&plan, folder.path(), false, &AtomicBool::new(false), &mut |event| match event {
            Event::Planned { workers: planned, .. } => workers = *planned,
            Event::Worker { what: What::Ready { pid, .. }, .. } => alive.lock().unwrap().push(*pid),
            _ => {}
        })
        .unwrap();
        done.store(true, Ordering::SeqCst);
        (peak, looks) = watcher.join().unwrap();
    });
    assert_eq!(workers, 2, "two workers of about 100 MiB fit in {BUDGET} MiB, four do not");
    assert!(peak <= BUDGET, "{peak} MiB");
    assert!(peak >= 40 && looks >= 5, "{peak} MiB in {looks} looks: nothing was measured");
}
