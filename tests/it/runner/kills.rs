//! Workers and supervisors killed with signal 9 at random moments, two supervisors on one directory, and a clock that
//! runs backwards.

use super::*;
use std::process::{Child, Stdio};

const KILLS: usize = 50;

/// Random enough to land anywhere; the records must not care.
fn jitter(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

fn kill(pid: u32) {
    Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
}

/// Kills one of the workers in `alive` every few milliseconds until `done` or all kills are spent; gives the kills.
fn kill_now_and_then(alive: &Mutex<Vec<u32>>, done: &AtomicBool, state: &mut u64, most: usize) -> usize {
    let mut kills = 0;
    while kills < most && !done.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(5 + jitter(state, 20)));
        let victim = {
            let mut alive = alive.lock().unwrap();
            let count = alive.len() as u64;
            (count > 0).then(|| alive.swap_remove(jitter(state, count) as usize))
        };
        if let Some(pid) = victim.filter(|&p| is_alive(p)) {
            kill(pid);
            kills += 1;
        }
    }
    kills
}

#[test]
fn workers_killed_fifty_times_leave_the_records_of_an_undisturbed_run() {
    let folder = tempfile::tempdir().unwrap();
    let script =
        Script { rule: Rule::Coin { seed: 1, first: 0.5 }, delay_ms: 4, load_delay_ms: 10, ..Script::default() };
    let plan = plan(script, 4, vec![pairs(600), choices(80)]);
    let calm = folder.path().join("calm");
    go(&plan, &calm, false).unwrap();
    let (mut state, mut kills, mut runs, mut sessions, mut loading) = (42_u64, 0, 0, 0, 0);
    let mut wild = PathBuf::new();
    let mut resume = false;
    while kills < KILLS || resume {
        if !resume {
            runs += 1;
            wild = folder.path().join(format!("wild-{runs}"));
        }
        sessions += 1;
        let (alive, done, mut deaths) = (Mutex::<Vec<u32>>::default(), AtomicBool::new(false), 0);
        let before = kills;
        std::thread::scope(|scope| {
            let killer = scope.spawn(|| kill_now_and_then(&alive, &done, &mut state, KILLS - before));
            let result = go_watched(&plan, &wild, resume, &AtomicBool::new(false), &mut |event| {
                if let Event::Worker { what, .. } = event {
                    match what {
                        // From its first moment on.
                        What::Loading { pid } => alive.lock().unwrap().push(*pid),
                        What::Died { item, .. } => {
                            deaths += 1;
                            loading += usize::from(item.is_none());
                        }
                        What::Ready { .. } | What::LastWords { .. } => {}
                    }
                }
            });
            done.store(true, Ordering::SeqCst);
            kills += killer.join().unwrap();
            // Five kills in a row while one setting loads end the run, which is gone on with.
            resume = matches!(result, Err(RunError::Lost { .. }));
            if !resume {
                assert_eq!(result.unwrap().failed, 0);
            }
        });
        // A worker that is killed after its last answer is missed by nobody.
        assert!(deaths + 8 >= kills - before, "{deaths} of {} were noticed", kills - before);
        if !resume {
            assert_eq!(record_files(&calm), record_files(&wild));
        }
    }
    println!("{kills} kills, {loading} of them while loading, in {runs} runs of {sessions} sessions");
    assert!(runs < 10 && loading > 0, "{runs} runs, {loading} while loading");
}

/// Body of the supervisor process of the tests below; a test by name only.
#[test]
fn a_supervisor_process_for_the_tests_below_runs_when_asked_by_environment() {
    let Ok(path) = std::env::var("QUANTBIAS_TEST_SUPERVISOR") else { return };
    let plan = long_plan();
    let data: Vec<&BenchmarkData> = plan.benchmarks.iter().map(|b| &*b.data).collect();
    // Exit codes that the parent reads: 3 if another run has the directory.
    match RunDir::create(Path::new(&path), identity(&plan), &data, true) {
        Ok(mut dir) => drop(run(&plan, &mut dir, &AtomicBool::new(false), &mut |_| {}).unwrap()),
        Err(quantbias::records::RecordsError::Locked { .. }) => std::process::exit(3),
        Err(other) => panic!("{other}"),
    }
}

fn long_plan() -> RunPlan {
    let script = Script { rule: Rule::Coin { seed: 9, first: 0.5 }, delay_ms: 3, ..Script::default() };
    plan(script, 3, vec![pairs(500)])
}

fn supervisor(path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "runner::kills::a_supervisor_process_for_the_tests_below_runs_when_asked_by_environment"])
        .env("QUANTBIAS_TEST_SUPERVISOR", path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn log(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path.join("log.jsonl")).unwrap_or_default();
    text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()
}

fn pids_in_log(path: &Path) -> Vec<u32> {
    log(path).iter().filter_map(|e| e["what"]["loading"]["pid"].as_u64()).map(|p| p as u32).collect()
}

fn calm(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    go(&long_plan(), &folder.join("calm"), false).unwrap();
    record_files(&folder.join("calm"))
}

/// Whether it ended by itself within so many milliseconds.
fn ends_within(child: &mut Child, millis: u64) -> bool {
    let deadline = Instant::now() + Duration::from_millis(millis);
    loop {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn supervisors_killed_fifty_times_leave_no_orphans_and_resuming_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let undisturbed = calm(folder.path());
    let (mut state, mut killed, mut runs) = (7_u64, 0, 0);
    while killed < KILLS {
        runs += 1;
        let wild = folder.path().join(format!("wild-{runs}"));
        loop {
            let mut supervisor = supervisor(&wild).spawn().unwrap();
            let complete = killed >= KILLS || ends_within(&mut supervisor, 30 + jitter(&mut state, 170));
            if complete {
                assert!(supervisor.wait().unwrap().success());
                break;
            }
            supervisor.kill().unwrap();
            supervisor.wait().unwrap();
            killed += 1;
            assert!(gone_within(&pids_in_log(&wild), Duration::from_secs(5)), "orphans");
        }
        assert_eq!(record_files(&wild), undisturbed);
    }
    assert!(runs < 25, "{runs} runs");
}

#[test]
fn of_two_runs_at_once_on_one_directory_one_is_refused_and_the_other_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let (undisturbed, path) = (calm(folder.path()), folder.path().join("both"));
    let mut both = [(); 2].map(|()| supervisor(&path).spawn().unwrap());
    let mut codes = both.each_mut().map(|s| s.wait().unwrap().code());
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(3)]);
    assert_eq!(record_files(&path), undisturbed);
    assert_eq!(log(&path).iter().filter(|e| e["event"] == "planned").count(), 1);
    assert!(gone_within(&pids_in_log(&path), Duration::from_secs(5)), "orphans");
}

/// Makes the wall clock of a process go back by an hour with every look at it.
const BACKWARDS: &str = r"
#define _GNU_SOURCE
#include <time.h>
#include <stdatomic.h>
#include <unistd.h>
#include <sys/syscall.h>
static atomic_long looks;
int clock_gettime(clockid_t clock, struct timespec *at) {
    int result = (int) syscall(SYS_clock_gettime, clock, at);
    if (result == 0 && clock == CLOCK_REALTIME) at->tv_sec -= 3600 * atomic_fetch_add(&looks, 1);
    return result;
}
";

#[test]
fn a_clock_that_is_set_back_all_the_time_changes_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("backwards.c"), folder.path().join("backwards.so"));
    std::fs::write(&source, BACKWARDS).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    if !cfg!(target_os = "linux") || !built.is_ok_and(|s| s.success()) {
        println!("skipped: no C compiler to make a clock that runs backwards");
        return;
    }
    let (undisturbed, path) = (calm(folder.path()), folder.path().join("backwards"));
    let mut running = supervisor(&path).env("LD_PRELOAD", &library).spawn().unwrap();
    assert!(running.wait().unwrap().success());
    assert_eq!(record_files(&path), undisturbed);
    let stamps: Vec<String> = log(&path).iter().map(|e| e["at"].as_str().unwrap().to_owned()).collect();
    assert!(stamps.windows(2).filter(|w| w[1] < w[0]).count() > stamps.len() / 2, "the clock did run backwards");
    assert!(gone_within(&pids_in_log(&path), Duration::from_secs(5)), "orphans");
}

#[test]
fn a_directory_whose_making_was_cut_off_is_taken_up_and_a_foreign_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(Script::default(), 2, vec![pairs(20)]);
    let data: Vec<&BenchmarkData> = plan.benchmarks.iter().map(|b| &*b.data).collect();
    let cut = folder.path().join("cut");
    drop(open(&plan, &cut, false));
    std::fs::remove_file(cut.join("manifest.json")).unwrap();
    go(&plan, &cut, true).unwrap();
    assert!(Run::open(&cut).is_ok());
    let foreign = folder.path().join("foreign");
    std::fs::create_dir_all(foreign.join("items")).unwrap();
    let refused = RunDir::create(&foreign, identity(&plan), &data, true);
    assert!(matches!(refused, Err(quantbias::records::RecordsError::NotARun { .. })), "{refused:?}");
    assert!(!foreign.join("run.lock").exists());
}
