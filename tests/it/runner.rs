//! The runner with scripted engines: what dies, hangs, refuses, or is interrupted leaves no trace in the records.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod disk;
mod exit;
mod failed;
mod gated;
mod kills;
mod loading;
mod memory;
mod parts;
mod rows;
mod said;
mod served;
mod speed;

use quantbias::benchmark::{
    Ask, BenchmarkData, Candidate, ClusterId, DataFile, Item, ItemId, Key, Measure, Role, Subgroup,
};
use quantbias::engine::scripted::{self, Fault, FaultKind, Rule, Script};
use quantbias::engine::{Engine, LoadSetting, MistralEngine, Mode};
use quantbias::records::{
    BenchmarkIdentity, EngineIdentity, Identity, ModelIdentity, Record, Run, RunDir, SettingIdentity, run_dir,
};
use quantbias::runner::event::What;
use quantbias::runner::{EngineChoice, Event, PlannedBenchmark, RunError, RunOptions, RunPlan, RunSummary, run};
use quantbias::spec::{Dtype, ModelSource, QuantScheme, RunnerOptions, Setting};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn worker_exe() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_quantbias"))
}

fn item(id: String, ask: Ask) -> Item {
    Item {
        cluster: ClusterId::new(id.clone()),
        id: ItemId::new(id),
        stratum: String::new(),
        subgroups: vec![Subgroup { axis: "gender".into(), name: "female".into() }],
        condition: None,
        ask,
        key: Key { roles: vec![Role::Stereotype, Role::AntiStereotype], ..Key::default() },
    }
}

fn candidate(text: String) -> Candidate {
    Candidate { context: String::new(), text }
}

fn benchmark(name: &str, items: Vec<Item>) -> PlannedBenchmark {
    let data = BenchmarkData {
        name: name.into(),
        title: name.into(),
        measure: Measure::PairPreference,
        licence: "CC0".into(),
        citation: "none".into(),
        caveats: vec![],
        cluster_unit: "item".into(),
        reference: BTreeMap::new(),
        files: vec![DataFile { name: "x".into(), sha256: "0".into(), rows: items.len() as u64 }],
        items,
    };
    PlannedBenchmark { data: Arc::new(data), models: vec!["toy".into()] }
}

fn pairs(count: usize) -> PlannedBenchmark {
    let ask = |i| Ask::Likelihood { candidates: vec![candidate(format!("she <{i}>")), candidate(format!("he <{i}>"))] };
    benchmark("pairs", (0..count).map(|i| item(format!("p{i:04}"), ask(i))).collect())
}

fn choices(count: usize) -> PlannedBenchmark {
    let ask = |i| Ask::generate(format!("choose <{i}>"), vec!["a".into(), "b".into()], 8, true);
    benchmark("choices", (0..count).map(|i| item(format!("c{i:04}"), ask(i))).collect())
}

fn setting(scheme: QuantScheme, aa: bool) -> Setting {
    Setting {
        id: Setting::id("toy", scheme.name(), aa),
        model: "toy".into(),
        source: ModelSource::Directory("toy".into()),
        scheme,
        guide: None,
        dtype: Dtype::F32,
        device: "cpu".into(),
        baseline: scheme == QuantScheme::None && !aa,
        aa,
    }
}

fn plan(script: Script, workers: usize, benchmarks: Vec<PlannedBenchmark>) -> RunPlan {
    RunPlan {
        settings: vec![
            setting(QuantScheme::None, false),
            setting(QuantScheme::None, true),
            setting(QuantScheme::Q4K, false),
        ],
        benchmarks,
        options: RunOptions {
            limits: RunnerOptions {
                workers: Some(workers),
                memory_mib: None,
                item_timeout: Duration::from_secs(20),
                load_timeout: Duration::from_secs(20),
                max_failed: 0.01,
                part: None,
            },
            worker_exe: worker_exe(),
            engine: EngineChoice::Scripted(script),
            flush: Duration::from_millis(50),
        },
    }
}

fn identity(plan: &RunPlan) -> Identity {
    Identity {
        name: "toy".into(),
        quantbias: "0".into(),
        engine: EngineIdentity { name: "scripted".into(), version: "0".into(), features: vec![] },
        models: vec![ModelIdentity {
            id: "toy".into(),
            source: "toy".into(),
            architecture: "none".into(),
            parameters: None,
            files: BTreeMap::new(),
        }],
        settings: plan
            .settings
            .iter()
            .map(|s| SettingIdentity {
                id: s.id.clone(),
                model: s.model.clone(),
                requested: s.scheme,
                baseline: s.baseline,
                aa: s.aa,
                files: BTreeMap::new(),
                realised: scripted::realised(),
            })
            .collect(),
        benchmarks: plan
            .benchmarks
            .iter()
            .map(|b| BenchmarkIdentity {
                name: b.data.name.clone(),
                measure: b.data.measure,
                models: b.models.clone(),
                items: b.data.items.len() as u64,
                clusters: b.data.items.len() as u64,
                items_sha256: run_dir::items_sha256(&b.data).unwrap(),
                files: BTreeMap::new(),
            })
            .collect(),
    }
}

fn open(plan: &RunPlan, path: &Path, resume: bool) -> RunDir {
    let data: Vec<&BenchmarkData> = plan.benchmarks.iter().map(|b| &*b.data).collect();
    RunDir::create(path, identity(plan), &data, resume).unwrap()
}

fn go(plan: &RunPlan, path: &Path, resume: bool) -> Result<RunSummary, RunError> {
    go_watched(plan, path, resume, &AtomicBool::new(false), &mut |_| {})
}

fn go_watched(
    plan: &RunPlan,
    path: &Path,
    resume: bool,
    stop: &AtomicBool,
    events: &mut dyn FnMut(&Event),
) -> Result<RunSummary, RunError> {
    let mut pids = Vec::new();
    let result = run(plan, &mut open(plan, path, resume), stop, &mut |event| {
        if let Event::Worker { what: What::Loading { pid }, .. } = event {
            pids.push(*pid);
        }
        events(event);
    });
    assert!(gone_within(&pids, Duration::from_secs(5)), "a worker outlived its run");
    result
}

/// Every file under `records/` by relative path.
fn record_files(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![path.join("records")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap().path();
            if entry.is_dir() {
                folders.push(entry);
            } else {
                files.insert(entry.strip_prefix(path).unwrap().to_owned(), std::fs::read(&entry).unwrap());
            }
        }
    }
    files
}

fn records(path: &Path, benchmark: &str, setting: &str) -> Vec<Record> {
    Run::open(path).unwrap().records(benchmark, setting).unwrap().to_vec()
}

fn fault(when: &str, what: FaultKind) -> Script {
    Script { faults: vec![Fault { when: when.into(), what, once: None }], ..Script::default() }
}

fn is_alive(pid: u32) -> bool {
    // A zombie has no command line.
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

fn gone_within(pids: &[u32], patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if !pids.iter().any(|&p| is_alive(p)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

#[test]
fn the_number_of_workers_changes_no_byte_of_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script { rule: Rule::Coin { seed: 3, first: 0.6 }, ..Script::default() };
    let mut seen = BTreeSet::new();
    for workers in [1, 2, 5] {
        let path = folder.path().join(workers.to_string());
        let summary = go(&plan(script.clone(), workers, vec![pairs(300), choices(70)]), &path, false).unwrap();
        assert_eq!((summary.items, summary.failed), (3 * 370, 0));
        seen.insert(record_files(&path));
    }
    assert_eq!(seen.len(), 1);
    let files = seen.pop_first().unwrap();
    assert_eq!(files.len(), 3 * (2 + 2), "shards of 256 scored and 64 generated items");
    let names: Vec<_> =
        records(&folder.path().join("2"), "pairs", "toy@q4k").iter().map(|r| r.item.to_string()).collect();
    assert!(names.is_sorted() && names.len() == 300);
}

#[test]
fn the_repeat_of_the_baseline_asks_in_reverse_order_and_stores_in_item_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let plan = plan(Script::default(), 1, vec![pairs(300)]);
    go_watched(&plan, folder.path(), false, &AtomicBool::new(false), &mut |event| {
        if let Event::Item { setting, item, .. } = event {
            asked.entry(setting.clone()).or_default().push(item.clone());
        }
    })
    .unwrap();
    let forward = &asked["toy@none"];
    let backward: Vec<String> = asked["toy@none+aa"].iter().rev().cloned().collect();
    assert!(forward.is_sorted());
    assert_eq!(*forward, backward);
    assert_eq!(records(folder.path(), "pairs", "toy@none"), records(folder.path(), "pairs", "toy@none+aa"));
}

#[test]
fn a_raised_stop_flag_keeps_what_is_answered_and_resuming_asks_only_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script { delay_ms: 2, rule: Rule::Coin { seed: 5, first: 0.5 }, ..Script::default() };
    let plan = plan(script, 3, vec![pairs(400), choices(40)]);
    let calm = folder.path().join("calm");
    go(&plan, &calm, false).unwrap();

    let path = folder.path().join("stopped");
    let stop = AtomicBool::new(false);
    let mut first = Vec::new();
    let result = go_watched(&plan, &path, false, &stop, &mut |event| {
        if let Event::Item { setting, item, .. } = event {
            first.push((setting.clone(), item.clone()));
            stop.store(first.len() >= 300, Ordering::SeqCst);
        }
    });
    let Err(RunError::Interrupted { present, planned }) = result else { panic!("{result:?}") };
    assert_eq!((present, planned), (first.len() as u64, 3 * 440));
    // Beyond the 300 only what was under way, or answered before this thread had its turn on a busy machine.
    assert!(first.len() < 1000, "it went on for {} items", first.len());

    let mut second = Vec::new();
    go_watched(&plan, &path, true, &AtomicBool::new(false), &mut |event| {
        if let Event::Item { setting, item, .. } = event {
            second.push((setting.clone(), item.clone()));
        }
    })
    .unwrap();
    let all: BTreeSet<_> = first.iter().chain(&second).collect();
    assert_eq!((all.len(), first.len() + second.len()), (3 * 440, 3 * 440), "an item was asked twice");
    assert_eq!(record_files(&calm), record_files(&path));
}

#[test]
fn a_panic_on_one_item_fails_that_item_with_the_reason_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(fault("<17>", FaultKind::Panic("index out of range".into())), 2, vec![pairs(300)]);
    let summary = go(&plan, folder.path(), false).unwrap();
    assert_eq!((summary.items, summary.failed), (900, 3));
    for setting in ["toy@none", "toy@none+aa", "toy@q4k"] {
        for record in records(folder.path(), "pairs", setting) {
            match record.item.as_str() {
                "p0017" => assert_eq!(record.answer, Err("engine: it broke: index out of range".into())),
                other => assert!(record.answer.is_ok(), "{other}"),
            }
        }
    }
}

#[test]
fn an_engine_that_vanishes_or_hangs_on_an_item_fails_that_item_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(fault("<3>", FaultKind::Abort), 2, vec![choices(100)]);
    go(&plan, &folder.path().join("abort"), false).unwrap();
    plan.options.engine = EngineChoice::Scripted(fault("<3>", FaultKind::Hang));
    plan.options.limits.item_timeout = Duration::from_millis(300);
    go(&plan, &folder.path().join("hang"), false).unwrap();
    for (kind, reason) in
        [("abort", "engine: its process ended: killed by signal 6"), ("hang", "engine: no answer within 0.3 s")]
    {
        let records = records(&folder.path().join(kind), "choices", "toy@q4k");
        let failed: Vec<_> = records.iter().filter(|r| r.answer.is_err()).collect();
        assert_eq!(failed.len(), 1, "{kind}");
        assert_eq!((failed[0].item.as_str(), failed[0].answer.clone().unwrap_err().as_str()), ("c0003", reason));
    }
}

#[test]
fn an_item_that_kills_its_worker_once_is_asked_again_and_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut script = fault("<5>", FaultKind::Abort);
    script.faults[0].once = Some(folder.path().join("mark"));
    let mut deaths = 0;
    let path = folder.path().join("run");
    let summary = go_watched(&plan(script, 1, vec![pairs(40)]), &path, false, &AtomicBool::new(false), &mut |event| {
        deaths += usize::from(matches!(event, Event::Worker { what: What::Died { .. }, .. }));
    })
    .unwrap();
    assert_eq!((summary.failed, deaths), (0, 1));
}

#[test]
fn a_refused_setting_is_named_with_its_reason_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut script = Script::default();
    script.refuse.insert("toy@q4k".into(), "this device has no such kernel".into());
    let summary =
        go(&plan(script.clone(), 3, vec![pairs(100), choices(20)]), &folder.path().join("one"), false).unwrap();
    assert_eq!(summary.items, 240);
    let refused: Vec<_> = summary.refused.iter().map(|r| (r.setting.as_str(), r.reason.as_str())).collect();
    assert_eq!(refused, [("toy@q4k", "this device has no such kernel")]);
    let run = Run::open(&folder.path().join("one")).unwrap();
    assert!(run.records("pairs", "toy@q4k").is_none() && run.records("pairs", "toy@none").is_some());

    let mut without = Script::default();
    without.refuse.insert("toy@none".into(), "no".into());
    let result = go(&plan(without, 3, vec![pairs(100)]), &folder.path().join("baseline"), false);
    assert!(matches!(&result, Err(RunError::NoBaseline { refused }) if refused.len() == 1), "{result:?}");

    script.refuse.insert("toy@none".into(), "no".into());
    script.refuse.insert("toy@none+aa".into(), "no".into());
    let result = go(&plan(script, 3, vec![pairs(100)]), &folder.path().join("all"), false);
    assert!(matches!(&result, Err(RunError::AllRefused { refused }) if refused.len() == 3), "{result:?}");
}

#[test]
fn more_failed_items_than_tolerated_is_an_error_that_keeps_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(fault("<1", FaultKind::Fail("odd".into())), 2, vec![pairs(100)]);
    plan.options.limits.max_failed = 0.05;
    let result = go(&plan, folder.path(), false);
    let Err(RunError::TooManyFailed { failed, planned, tolerated, .. }) = result else { panic!("{result:?}") };
    assert_eq!((failed, planned, tolerated), (33, 300, 15), "<1> and <10> to <19>, in three settings");
    assert_eq!(records(folder.path(), "pairs", "toy@none").len(), 100);
    plan.options.limits.max_failed = 0.2;
    assert_eq!(go(&plan, folder.path(), true).unwrap().failed, 33);
}

#[test]
fn items_that_cost_a_worker_each_end_the_run_once_there_are_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(fault("<", FaultKind::Abort), 2, vec![pairs(300)]);
    let began = Instant::now();
    let result = go(&plan, folder.path(), false);
    assert!(matches!(result, Err(RunError::TooManyFailed { .. })), "{result:?}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_program_that_is_no_worker_is_an_error_and_not_a_hang() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(Script::default(), 2, vec![pairs(10)]);
    plan.options.worker_exe = folder.path().join("no-such-program");
    let result = go(&plan, &folder.path().join("missing"), false);
    assert!(matches!(result, Err(RunError::Program { .. })), "{result:?}");
    plan.options.worker_exe = PathBuf::from("/bin/true");
    let result = go(&plan, &folder.path().join("true"), false);
    assert!(matches!(result, Err(RunError::AllRefused { .. })), "{result:?}");
}

#[test]
fn a_complete_run_is_not_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(Script::default(), 2, vec![pairs(50)]);
    go(&plan, folder.path(), false).unwrap();
    let before = record_files(folder.path());
    let mut workers = 0;
    let summary = go_watched(&plan, folder.path(), true, &AtomicBool::new(false), &mut |event| {
        workers += usize::from(matches!(event, Event::Worker { .. }));
    })
    .unwrap();
    assert_eq!((summary.items, workers), (150, 0));
    assert_eq!(before, record_files(folder.path()));
}

#[test]
fn workers_with_real_models_answer_with_the_bits_of_an_engine_in_this_process() {
    let folder = tempfile::tempdir().unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models/chat");
    let mut plan = plan(Script::default(), 2, vec![pairs(6), choices(4)]);
    plan.options.engine = EngineChoice::Mistral;
    for setting in &mut plan.settings {
        setting.source = ModelSource::Directory(model.clone());
    }
    let mut realised = Vec::new();
    let summary = go_watched(&plan, folder.path(), false, &AtomicBool::new(false), &mut |event| {
        if let Event::Worker { what: What::Ready { realised: r, .. }, .. } = event {
            realised.push(r.bits_per_weight);
        }
    })
    .unwrap();
    assert_eq!((summary.items, summary.failed), (30, 0));
    assert!(realised.contains(&Some(4.5)) && realised.contains(&Some(32.0)));
    for (setting, benchmark) in plan.settings.iter().flat_map(|s| plan.benchmarks.iter().map(move |b| (s, b))) {
        let mode = Mode::of(&benchmark.data.items[0].ask);
        let mut engine = MistralEngine::load(&LoadSetting::of(setting, mode, 1)).unwrap();
        let there = records(folder.path(), &benchmark.data.name, &setting.id);
        let here = benchmark.data.items.iter().map(|i| engine.answer(&i.ask).unwrap());
        assert!(there.iter().map(|r| r.answer.clone().unwrap()).eq(here), "{} {}", setting.id, benchmark.data.name);
    }
}

#[test]
fn a_scheme_that_the_model_cannot_take_is_refused_and_the_rest_of_a_real_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(Script::default(), 2, vec![pairs(4)]);
    plan.options.engine = EngineChoice::Mistral;
    for setting in &mut plan.settings {
        setting.source = ModelSource::Directory(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models/base"));
    }
    plan.settings[2].device = "cuda:0".into();
    let summary = go(&plan, folder.path(), false).unwrap();
    assert_eq!(summary.items, 8);
    assert!(summary.refused[0].reason.contains("CPU back end only"), "{:?}", summary.refused);
}
