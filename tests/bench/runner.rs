//! Items and tokens per second of the runner, by scheme, and the share of the time that is ours.
//!
//! `cargo bench --bench runner -- [--model DIR] [--data DIR] [--schemes a,b] [--size N] [--peer PYTHON]`
//!
//! Four tasks, each an audit of its own run by the program itself: sentence pairs (CrowS-Pairs), choice by the first
//! token of the reply, choice by the likelihood of the options, and greedy generation of 32 tokens (all BBQ). Once on
//! one core with one worker, once on all cores. What is printed stands in the run's `log.jsonl`. **Ours** is the part of
//! the loaded workers' time that is not between handing a request to the engine and having its answer (waiting for
//! questions, reading them, tokenization, log-probabilities, writing replies), as a share of the workers' time, plus the
//! supervisor's processor time over the same. Loading is a column of its own.
//!
//! On 5 million weights (`models/base`) and a quiet machine of 4 cores, with `--size 3 --schemes none --peer …` and with
//! `--size 1 --schemes none,q8_0,q4k --peer …`. **Ours** 1 to 5.5 % of a task, most for unquantized pairs, where the
//! log-probabilities of whole rows weigh most (6 to 7 % with the supervisor's start in a run of four seconds). **Ours ÷
//! theirs**, unquantized, two runs:
//!
//! | task | one core | all cores |
//! |---|---|---|
//! | pair | 0.33, 0.41 | 0.77, 0.67 |
//! | first | 0.58, 0.65 | 1.02, 1.17 |
//! | option | 0.65, 0.67 | 0.94, 0.91 |
//! | generate | 0.59, 0.59 | 0.89, 0.89 |
//!
//! Log-likelihoods within 5.2e-5, all texts equal. The limit is the engine: it packs the weights anew for
//! every request (a quarter of the time), takes one step more after each raw answer (about 0.7 of 7 ms), and scores one
//! sequence at a time. Tried and dropped: larger malloc thresholds (no gain); noting the last row of a prompt with a
//! processor of logits that ends the request with an error (a fifth faster for first tokens, but about one run in four the
//! rows were not those that were asked for). Calling the pipeline beside the scheduler, with a batch of our own, is not
//! possible: the type of its inputs is private to the crate.
//!
//! `--peer` names a Python with torch and `lm_eval`; `harness.py` then answers the same items of the unquantized model
//! with lm-evaluation-harness, on the same cores, straight after ours, and prints the ratio either way.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that cannot go on stops")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Name, benchmark, folder of it, its options beside the number of clusters, and clusters per unit of size.
const TASKS: &[(&str, &str, &str, u32)] = &[
    ("pair", "crows_pairs", "", 100),
    ("first", "bbq", "ask = \"first_token\", categories = [\"Religion\"],", 1),
    ("option", "bbq", "ask = \"likelihood\", categories = [\"Religion\"],", 1),
    ("generate", "bbq", "ask = \"generate\", max_tokens = 32, categories = [\"Religion\"],", 1),
];

const SCHEMES: &str = "none,q8_0,q4k,q2k,hqq4,f8e4m3,f8q8,afq4";

struct Options {
    model: PathBuf,
    data: PathBuf,
    schemes: Vec<String>,
    size: u32,
    peer: Option<String>,
}

impl Options {
    fn of(arguments: &[String]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let after = |name: &str| arguments.iter().skip_while(|a| *a != name).nth(1).cloned();
        let shared = |name: &str| root.join("../shared").join(name);
        Self {
            model: after("--model").map_or_else(|| shared("models/base"), PathBuf::from),
            data: after("--data").map_or_else(|| shared("data"), PathBuf::from),
            schemes: after("--schemes").unwrap_or_else(|| SCHEMES.into()).split(',').map(str::to_owned).collect(),
            size: after("--size").map_or(2, |n| n.parse().unwrap()),
            peer: after("--peer"),
        }
    }

    fn missing(&self) -> Option<PathBuf> {
        let needed = TASKS.iter().map(|(_, benchmark, ..)| self.data.join(benchmark));
        needed.chain([self.model.join("config.json")]).find(|p| !p.exists())
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` runs every bench once; this one is for whoever asks.
    if !arguments.iter().any(|a| a == "--bench") {
        return;
    }
    let options = Options::of(&arguments);
    if let Some(missing) = options.missing() {
        println!(
            "skipped: {} is not there; --model and --data name a model directory and the data sets",
            missing.display()
        );
        return;
    }
    let folder = std::env::temp_dir().join(format!("quantbias-bench-{}", std::process::id()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for (title, cpus) in [("one core, one worker".to_owned(), 1), (format!("{cores} cores, {cores} workers"), cores)] {
        let place = folder.join(cpus.to_string());
        println!("\n## {title}\n");
        println!("| task | scheme | items/s | tokens/s | ours | loading s |\n|---|---|---|---|---|---|");
        for task in TASKS {
            let run = run(&options, task, cpus, &place.join(task.0));
            report(task.0, cpus, &run);
        }
        if let Some(python) = &options.peer {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/harness.py");
            let mut command = on_cores(python, cpus);
            command.arg(script).arg("--runs").arg(&place).arg("--model").arg(&options.model);
            assert!(command.arg("--threads").arg(cpus.to_string()).status().unwrap().success());
        }
    }
    fs::remove_dir_all(folder).unwrap();
}

/// A command that sees only the first `cpus` cores, so that worker and thread counts follow.
fn on_cores(program: &str, cpus: usize) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &format!("0-{}", cpus - 1), program]);
    command
}

/// Runs one task in a fresh folder and gives the lines of its log.
fn run(options: &Options, task: &(&str, &str, &str, u32), cpus: usize, place: &Path) -> Vec<Value> {
    let (name, benchmark, more, clusters) = task;
    let quoted: Vec<String> = options.schemes.iter().filter(|s| *s != "none").map(|s| format!("\"{s}\"")).collect();
    fs::create_dir_all(place).unwrap();
    let audit = format!(
        "name = \"bench\"\n[[model]]\nid = \"m\"\npath = \"{model}\"\n[settings]\nschemes = [{schemes}]\naa = false\n\
         [[benchmark]]\nid = \"{name}\"\ntype = \"{benchmark}\"\npath = \"{data}\"\n\
         options = {{ {more} max_clusters = {clusters} }}\n",
        model = fs::canonicalize(&options.model).unwrap().display(),
        schemes = quoted.join(", "),
        data = fs::canonicalize(options.data.join(benchmark)).unwrap().display(),
        clusters = clusters * options.size,
    );
    let file = place.join("audit.toml");
    fs::write(&file, audit).unwrap();
    let mut command = on_cores(env!("CARGO_BIN_EXE_quantbias"), cpus);
    command.arg("run").arg(&file).arg("--out").arg(place.join("out")).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let runs = fs::read_dir(place.join("out/runs")).unwrap().next().unwrap().unwrap().path();
    let log = fs::read_to_string(runs.join("log.jsonl")).unwrap();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn report(task: &str, cpus: usize, log: &[Value]) {
    let speeds = || log.iter().filter(|e| e["event"] == "speed");
    let seconds =
        |speed: &Value, parts: &[&str]| -> f64 { parts.iter().map(|p| speed[p].as_f64().unwrap() * 1e-6).sum() };
    let all = ["engine", "around", "waiting"];
    let total: f64 = speeds().map(|e| seconds(&e["speed"], &all)).sum();
    for event in speeds() {
        let speed = &event["speed"];
        let time = seconds(speed, &all);
        let per_second = |what: f64| what * cpus as f64 / time;
        let tokens = speed["fed"].as_f64().unwrap() + speed["generated"].as_f64().unwrap();
        println!(
            "| {task} | {} | {:.1} | {:.0} | {:.1} % | {:.2} |",
            event["setting"].as_str().unwrap().trim_start_matches("m@"),
            per_second(speed["items"].as_f64().unwrap()),
            per_second(tokens),
            100.0 * seconds(speed, &["around", "waiting"]) / time,
            seconds(speed, &["loading"]),
        );
    }
    let ended = log.iter().find(|e| e["event"] == "ended").unwrap();
    let (wall, own) = (ended["millis"].as_f64().unwrap() / 1e3, ended["own_cpu"].as_f64().unwrap_or(0.0) / 1e3);
    let ours: f64 = speeds().map(|e| seconds(&e["speed"], &["around", "waiting"])).sum::<f64>() + own;
    let loading: f64 = speeds().map(|e| seconds(&e["speed"], &["loading"])).sum();
    println!(
        "| {task} | all, with the supervisor | | | **{:.1} %** | {loading:.2} |  \nworkers {total:.1} s, \
         supervisor {own:.2} s of processor, from start to end {wall:.1} s",
        100.0 * ours / (total + own),
    );
}
