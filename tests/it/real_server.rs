//! The demo through llama.cpp's own server, held against mistral.rs in this program: one model in f32, the same tokens.
//!
//! Not run by itself, because it needs Python with `llama-cpp-python[server]`, `gguf`, and `numpy` (PyPI):
//!
//! ```sh
//! QUANTBIAS_LLAMA_PYTHON=venv/bin/python cargo test --release --test it real_server -- --ignored --nocapture
//! ```

use crate::auditing::{only, quantbias, stderr};
use quantbias::engine::openai::{Client, Patience};
use quantbias::engine::{Answer, Part};
use quantbias::records::Run;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Largest difference of a token's log-probability: the server keeps keys and values as f16, mistral.rs as f32. Measured
/// 3.0e-3 on this model and 6.0e-3 on the one that chats; twice that would be another arithmetic.
const PER_TOKEN: f64 = 1.2e-2;

/// Benchmarks by model: what is scored of the one that goes on with texts, what is generated of the one that chats.
const SCORED: &str = r#"
[[benchmark]]
id = "choice"
type = "custom"
path = "DEMO/choice.toml"

[[benchmark]]
id = "decision"
type = "custom"
path = "DEMO/decision.toml"
options = { max_clusters = 12 }

[[benchmark]]
id = "pairs"
type = "custom"
path = "DEMO/pairs.toml"
"#;

const GENERATED: &str = r#"
[[benchmark]]
id = "generated"
type = "custom"
path = "DEMO/choice_generated.toml"
options = { max_clusters = 6 }
"#;

/// A word beyond the likeliest twenty that a server names fails its item.
const REST: &str = "[settings]\naa = false\n[runner]\nworkers = 2\nmax_failed = 1.0\n";

/// llama.cpp's server; gone with the value.
struct Llama {
    process: Child,
    url: String,
}

impl Llama {
    fn start(python: &Path, model: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(python)
            .args(["-m", "llama_cpp.server", "--model_alias", "demo", "--host", "127.0.0.1", "--port"])
            .arg(port.to_string())
            .args(["--n_ctx", "1024", "--logits_all", "true", "--n_threads", "2", "--model"])
            .arg(model)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}/v1");
        let patience = Patience { call: Duration::from_secs(10), total: Duration::from_secs(120), tries: 40 };
        let server = Self { process, url };
        Client::new(&server.url, "QUANTBIAS_TEST_KEY_THAT_IS_NOT_SET", patience).get("models").unwrap();
        server
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs an audit of some of the demo's benchmarks with this `[[model]]`.
fn run(folder: &Path, name: &str, model: &str, benchmarks: &str) -> Run {
    let (file, out) = (folder.join(format!("{name}.toml")), folder.join(name));
    let benchmarks = benchmarks.replace("DEMO", &format!("{ROOT}/data/demo"));
    std::fs::write(&file, format!("name = \"{name}\"\n[[model]]\nid = \"demo\"\n{model}\n{benchmarks}\n{REST}"))
        .unwrap();
    let output = quantbias(&["run", file.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    Run::open(&only(&out.join("runs"))).unwrap()
}

/// Runs benchmarks on a model behind the server, and on the same model here.
fn both(python: &str, model: &str, benchmarks: &str) -> [Run; 2] {
    let folder = tempfile::tempdir().unwrap();
    let (directory, gguf) = (PathBuf::from(format!("{ROOT}/data/models/{model}")), folder.path().join("demo.gguf"));
    let maker = format!("{ROOT}/tests/reference/engine/make_gguf.py");
    let made = Command::new(python).arg(maker).arg(&directory).arg(&gguf).arg("F32").status().unwrap();
    assert!(made.success());
    let llama = Llama::start(Path::new(python), &gguf);
    let endpoint =
        format!("endpoint = {{ url = {:?}, model = \"demo\", weights = \"f32\", activations = \"none\" }}", llama.url);
    let local = format!("path = {:?}", directory.display().to_string());
    [("served", endpoint), ("local", local)].map(|(name, from)| run(folder.path(), name, &from, benchmarks))
}

/// Items, and the answers of those that the server and we have both answered.
fn answers([served, local]: &[Run; 2], benchmark: &str) -> (usize, Vec<(Answer, Answer)>) {
    let theirs = served.records(benchmark, "demo@served").unwrap();
    let ours = local.records(benchmark, "demo@none").unwrap();
    assert!(ours.iter().all(|r| r.answer.is_ok()));
    let both = theirs.iter().zip(ours).filter_map(|(t, o)| Some((t.answer.clone().ok()?, o.answer.clone().ok()?)));
    (ours.len(), both.collect())
}

fn parts(answer: &Answer) -> &[Part] {
    match answer {
        Answer::Scored { parts, .. } => parts,
        generated @ Answer::Generated { .. } => panic!("{generated:?}"),
    }
}

fn best(parts: &[Part]) -> usize {
    let sums: Vec<f64> = parts.iter().map(|p| p.logprobs.iter().sum()).collect();
    (0..sums.len()).max_by(|a, b| sums[*a].total_cmp(&sums[*b])).unwrap()
}

#[test]
#[ignore = "needs llama-cpp-python[server] and gguf from PyPI: QUANTBIAS_LLAMA_PYTHON names the Python that has them"]
fn llama_cpp_s_server_and_mistral_rs_agree_on_the_demo_to_what_their_arithmetic_allows() {
    let python = std::env::var("QUANTBIAS_LLAMA_PYTHON").expect("QUANTBIAS_LLAMA_PYTHON=path/to/python");
    let scored = both(&python, "base", SCORED);
    println!("the server says: {:?}", scored[0].manifest.identity.settings[0].realised.server);
    for refused in &scored[0].manifest.provenance.refused {
        println!("refused: {}", refused.reason);
    }
    assert!(scored[0].records("pairs", "demo@served").is_none(), "their first words have no log-probability there");

    let (items, choice) = answers(&scored, "choice");
    assert_eq!(choice.len(), items, "the server answers every item");
    let (mut token, mut text, mut square, mut tokens, mut same) = (0.0_f64, 0.0_f64, 0.0, 0, 0);
    for (theirs, ours) in &choice {
        for (t, o) in parts(theirs).iter().zip(parts(ours)) {
            assert_eq!(t.logprobs.len(), o.logprobs.len(), "the same tokens are scored");
            let differences: Vec<f64> = t.logprobs.iter().zip(&o.logprobs).map(|(a, b)| a - b).collect();
            token = differences.iter().fold(token, |m, d| m.max(d.abs()));
            text = text.max(differences.iter().sum::<f64>().abs());
            square += differences.iter().map(|d| d * d).sum::<f64>();
            tokens += differences.len();
        }
        same += usize::from(best(parts(theirs)) == best(parts(ours)));
    }
    let typical = (square / tokens as f64).sqrt();
    println!(
        "log-likelihood of {} texts, {tokens} tokens: at most {token:.1e} per token, {text:.1e} per text",
        items * 3
    );
    println!("root mean square {typical:.1e} per token; the same option preferred in {same} of {items} items");
    assert!(token > 0.0 && token < PER_TOKEN, "{token:e}");

    let (items, decision) = answers(&scored, "decision");
    println!(
        "first token: {} of {items} items answered, the others' words are not among the likeliest 20",
        decision.len()
    );
    // 105 of 108 when measured.
    assert!(decision.len() * 10 >= items * 9, "{} of {items}", decision.len());
    let (items, generated) = answers(&both(&python, "chat", GENERATED), "generated");
    let said = |a: &Answer| match a {
        Answer::Generated { text, .. } => text.clone(),
        scored @ Answer::Scored { .. } => panic!("{scored:?}"),
    };
    let equal = generated.iter().filter(|(t, o)| said(t) == said(o)).count();
    println!("generated: {equal} of {items} greedy texts are equal");
    assert!(generated.len() == items && equal * 10 >= items * 9, "{equal} of {items}");
}
