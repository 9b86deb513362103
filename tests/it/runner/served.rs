//! Runs through a server: one that goes away, one that comes back as another, and what it says of itself.

use super::*;
use crate::auditing::{only, quantbias, stderr};
use crate::openai::{endpoint, toy};
use crate::server::{Act, Server};
use quantbias::pipeline::{Failure, Request, prepare};
use quantbias::spec::Endpoint;
use serde_json::{Value, json};
use std::sync::atomic::AtomicUsize;

/// What a server can be told while it runs.
struct Told {
    /// So many texts are scored; then everything is met with `away`.
    left: AtomicUsize,
    away: Box<dyn Fn() -> Act + Send + Sync>,
    /// Beside the id of the model in its list.
    entry: Mutex<Value>,
    fingerprints: Mutex<Vec<&'static str>>,
}

fn server(away: impl Fn() -> Act + Send + Sync + 'static) -> (Server, Arc<Told>) {
    let told = Arc::new(Told {
        left: AtomicUsize::new(usize::MAX),
        away: Box::new(away),
        entry: Mutex::new(json!({"id": "toy"})),
        fingerprints: Mutex::default(),
    });
    let heard = Arc::clone(&told);
    let server = Server::start(move |path, body| {
        let sent: Value = serde_json::from_str(body).unwrap_or_default();
        // Not one of the probe's.
        let real = sent["echo"] == true && !sent["prompt"].as_str().is_some_and(|p| p.starts_with("A café"));
        let enough = |left: usize| if real { left.checked_sub(1) } else { (left > 0).then_some(left) };
        if heard.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, enough).is_err() {
            return (heard.away)();
        }
        let mut reply = toy(path, &sent, false, true);
        if path.ends_with("models") {
            reply["data"][0] = heard.entry.lock().unwrap().clone();
        }
        let mut fingerprints = heard.fingerprints.lock().unwrap();
        if !fingerprints.is_empty() {
            fingerprints.rotate_left(1);
            reply["system_fingerprint"] = json!(fingerprints[0]);
        }
        let headers = "Server: toy/1\r\n".to_owned();
        Act::Reply(200, headers, reply.to_string())
    });
    (server, told)
}

fn gone() -> Act {
    Act::status(503, "no upstream")
}

/// A plan whose settings are all that server's.
fn served(endpoint: &Endpoint, benchmark: PlannedBenchmark) -> RunPlan {
    let mut plan = plan(Script::default(), 2, vec![benchmark]);
    plan.options.engine = EngineChoice::Mistral;
    plan.options.limits.item_timeout = Duration::from_secs(8);
    for setting in &mut plan.settings {
        setting.source = ModelSource::Endpoint(endpoint.clone());
    }
    plan
}

const AUDIT: &str = r#"
name = "served"
[[model]]
id = "toy"
[model.endpoint]
url = "URL"
model = "toy"
weights = "bf16"
activations = "none"
[[benchmark]]
id = "pairs"
type = "custom"
path = "pairs.toml"
options = { max_clusters = 8 }
[runner]
item_timeout_s = 8
"#;

#[test]
fn a_run_whose_server_goes_away_ends_with_exit_code_5_and_goes_on_to_the_same_records_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/demo");
    for name in ["pairs.toml", "pairs.jsonl"] {
        std::fs::copy(demo.join(name), at(name)).unwrap();
    }
    for (way, away) in [("503", gone as fn() -> Act), ("cut", || Act::Cut)] {
        let (server, told) = server(away);
        std::fs::write(at("audit.toml"), AUDIT.replace("URL", &format!("http://{}/v1", server.address))).unwrap();
        let run = |out: &Path, more: &[&str]| {
            let (file, out) = (at("audit.toml"), out.to_owned());
            let mut args = vec!["run", file.to_str().unwrap(), "--workers", "2", "--out", out.to_str().unwrap()];
            args.extend(more);
            let output = quantbias(&args);
            (output.status.code().unwrap(), stderr(&output))
        };
        let (calm, wild) = (at(&format!("calm-{way}")), at(&format!("wild-{way}")));
        let (code, words) = run(&calm, &[]);
        assert_eq!(code, 0, "{words}");
        let undisturbed = record_files(&only(&calm.join("runs")));

        // Of some hundred texts.
        told.left.store(21, Ordering::SeqCst);
        let (code, words) = run(&wild, &[]);
        assert_eq!(code, 5, "{words}");
        // Whether a worker asks or is still loading when it meets this is chance.
        assert!(words.contains("is lost: the server is gone: "), "{words}");
        assert!(words.contains("no answer after"), "{words}");
        assert!(words.contains("go on with --resume"), "{words}");
        let path = only(&wild.join("runs"));
        let kept = record_files(&path);
        assert!(!kept.is_empty() && kept != undisturbed, "some records were kept: {kept:?}");

        // The first session was another day's, on another machine.
        let environment = |text: Option<&Value>| -> Value {
            let file = path.join("environment.json");
            if let Some(text) = text {
                std::fs::write(&file, text.to_string()).unwrap();
            }
            serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap()
        };
        let mut yesterday = environment(None);
        assert_eq!(yesterday["sessions"].as_array().unwrap().len(), 1);
        assert_eq!(yesterday["sessions"][0]["servers"]["toy@served"], "toy/1");
        yesterday["sessions"][0]["started"] = json!("2020-02-29T12:00:00Z");
        yesterday["sessions"][0]["cores"] = json!(999);
        environment(Some(&yesterday));

        let (code, words) = run(&wild, &["--resume"]);
        assert_eq!(code, 5, "it is still away: {words}");
        assert!(words.contains("model toy: toy@served: http://"), "{words}");
        assert_eq!(
            (only(&wild.join("runs")), environment(None)),
            (path.clone(), yesterday.clone()),
            "no other run began"
        );

        told.left.store(usize::MAX, Ordering::SeqCst);
        let (code, words) = run(&wild, &["--resume"]);
        assert_eq!(code, 0, "{words}");
        assert_eq!(record_files(&path), undisturbed, "{way}");
        assert_eq!(path.file_name(), only(&calm.join("runs")).file_name(), "one identity");
        let both = environment(None);
        assert_eq!(both["sessions"].as_array().unwrap().len(), 2);
        assert_eq!(both["sessions"][0], yesterday["sessions"][0]);
        assert!(both["sessions"][1]["cores"] != 999 && both["sessions"][1]["started"] != "2020-02-29T12:00:00Z");
        assert!(Run::open(&path).is_ok());
    }
}

#[test]
fn the_environment_of_an_earlier_release_becomes_the_first_session() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(Script::default(), 1, vec![pairs(2)]);
    let dir = open(&plan, folder.path(), false);
    let read = || -> Value {
        serde_json::from_slice(&std::fs::read(folder.path().join("environment.json")).unwrap()).unwrap()
    };
    dir.write_environment(&json!({"os": "old", "cores": 2})).unwrap();
    dir.add_environment(json!({"os": "new"})).unwrap();
    assert_eq!(read(), json!({"sessions": [{"os": "old", "cores": 2}, {"os": "new"}]}));
    std::fs::write(folder.path().join("environment.json"), "cut off {").unwrap();
    dir.add_environment(json!({"os": "new"})).unwrap();
    assert_eq!(read(), json!({"sessions": [{"os": "new"}]}));
}

#[test]
fn a_session_that_is_lost_in_an_open_shard_keeps_what_was_asked_and_the_next_asks_only_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let (server, told) = server(gone);
    let plan = served(&endpoint(&server), pairs(300));
    let calm = folder.path().join("calm");
    go(&plan, &calm, false).unwrap();

    // Beyond the first file of a setting, and into the second, whoever asks what.
    told.left.store(2 * 2 * 280, Ordering::SeqCst);
    let path = folder.path().join("run");
    let mut asked: [BTreeSet<(String, String)>; 2] = Default::default();
    for (session, resume) in [false, true].into_iter().enumerate() {
        let result = go_watched(&plan, &path, resume, &AtomicBool::new(false), &mut |event| {
            if let Event::Item { setting, item, failed, .. } = event {
                assert_eq!(*failed, None, "nothing fails because the server is gone");
                assert!(asked[session].insert((setting.clone(), item.clone())));
            }
        });
        if session == 0 {
            assert!(matches!(result, Err(RunError::Lost { .. })), "{result:?}");
            let files: Vec<String> = record_files(&path).keys().map(|p| p.display().to_string()).collect();
            let open = files.iter().filter(|f| f.ends_with(".open.parquet")).count();
            assert!(open > 0 && open < files.len(), "{files:?}");
        } else {
            assert_eq!(result.unwrap().items, 900);
        }
        told.left.store(usize::MAX, Ordering::SeqCst);
    }
    assert!(asked[0].len() >= 500, "{}", asked[0].len());
    assert!(asked[0].is_disjoint(&asked[1]), "an item with a record was asked again");
    assert_eq!(asked[0].len() + asked[1].len(), 900);
    assert_eq!(record_files(&path), record_files(&calm));
}

#[test]
fn a_server_that_is_gone_before_its_first_worker_is_loaded_does_not_refuse_its_settings_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let (server, told) = server(gone);
    let mut plan = served(&endpoint(&server), pairs(20));
    plan.options.limits.item_timeout = Duration::from_secs(2);
    told.left.store(0, Ordering::SeqCst);
    let result = go(&plan, folder.path(), false);
    assert!(matches!(&result, Err(RunError::Lost { reason, .. }) if reason.contains("no upstream")), "{result:?}");
    told.left.store(usize::MAX, Ordering::SeqCst);
    assert!(go(&plan, folder.path(), true).unwrap().refused.is_empty());
}

fn request(plan: &RunPlan) -> Request {
    Request {
        item_timeout: Duration::from_secs(300),
        name: "toy".into(),
        settings: plan.settings.clone(),
        benchmarks: plan.benchmarks.iter().map(|b| (b.data.clone(), b.models.clone())).collect(),
    }
}

#[test]
fn what_a_server_says_of_its_software_is_part_of_the_identity_and_what_changes_at_every_start_is_not() {
    let (server, told) = server(gone);
    let plan = served(&endpoint(&server), pairs(20));
    let identity = || prepare(&request(&plan)).unwrap().identity;
    let says = |identity: &Identity| identity.settings[0].realised.server.clone();
    let silent = identity();
    assert!(says(&silent).is_empty());
    assert!(!serde_json::to_string(&silent).unwrap().contains("\"server\":{"), "as in manifests of before");

    // In the manner of llama.cpp and of vLLM.
    let entry = |created: u64| {
        json!({
            "id": "toy", "object": "model", "created": created, "owned_by": "llama\u{7}cpp", "max_model_len": 1024,
            "permission": [{"id": format!("modelperm-{created}")}], "root": "org/toy", "parent": null,
            "meta": {"n_params": 5_000_000, "size": 20_000_000, "n_vocab": 4096}
        })
    };
    *told.entry.lock().unwrap() = entry(1);
    *told.fingerprints.lock().unwrap() = vec!["b4000-abc"];
    let first = identity();
    let expected = [
        ("max_model_len", "1024"),
        ("n_params", "5000000"),
        ("n_vocab", "4096"),
        ("owned_by", "llama cpp"),
        ("root", "org/toy"),
        ("size", "20000000"),
        ("system_fingerprint", "b4000-abc"),
    ];
    assert_eq!(says(&first), expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    let told_so = first.settings[0].realised.deviations.iter().any(|d| d.contains("system_fingerprint \"b4000-abc\""));
    assert!(told_so, "{:?}", first.settings[0].realised.deviations);
    *told.entry.lock().unwrap() = entry(2);
    assert_eq!(identity(), first, "started at another time");

    *told.fingerprints.lock().unwrap() = vec!["b4001-def"];
    assert_ne!(identity().sha256().unwrap(), first.sha256().unwrap(), "other software");
    *told.fingerprints.lock().unwrap() = vec!["one", "two"];
    assert_eq!(says(&identity()).get("system_fingerprint"), None, "one that varies names nothing");
    let prepared = prepare(&request(&plan)).unwrap();
    assert_eq!(prepared.servers.get("toy@q4k").map(String::as_str), Some("toy/1"), "kept beside the identity");
}

#[test]
fn a_server_that_comes_back_as_another_one_ends_the_run_before_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (server, told) = server(gone);
    *told.fingerprints.lock().unwrap() = vec!["b1"];
    let plan = served(&endpoint(&server), pairs(20));
    let data: Vec<&BenchmarkData> = plan.benchmarks.iter().map(|b| &*b.data).collect();
    let mut now = identity(&plan);
    for setting in &mut now.settings {
        setting.realised.server = BTreeMap::from([("system_fingerprint".to_owned(), "b1".to_owned())]);
    }
    let go = || {
        let mut dir = RunDir::create(folder.path(), now.clone(), &data, true).unwrap();
        run(&plan, &mut dir, &AtomicBool::new(false), &mut |_| {})
    };
    *told.fingerprints.lock().unwrap() = vec!["b2"];
    let error = go().unwrap_err().to_string();
    let words = "the server is not the one that the run began with: its system_fingerprint was \"b1\" and is \"b2\"";
    assert!(error.contains(words), "{error}");
    assert!(!folder.path().join("records").exists(), "nothing was asked");
    // One that no longer says it may be the same.
    *told.fingerprints.lock().unwrap() = vec![];
    assert_eq!(go().unwrap().items, 60);
}

#[test]
fn a_setting_whose_server_does_not_answer_at_the_start_is_an_error_and_not_left_out() {
    let (server, _) = server(gone);
    let mut plan = served(&endpoint(&server), pairs(20));
    let nobody = Endpoint { url: "http://127.0.0.1:9/v1".to_owned(), ..endpoint(&server) };
    plan.settings[2].source = ModelSource::Endpoint(nobody);
    let error = prepare(&request(&plan)).unwrap_err();
    assert!(error.to_string().contains("toy@q4k: http://127.0.0.1:9/v1: no answer after"), "{error}");
    assert_eq!(error.code(), 5);
    let other = Endpoint { model: "llama".to_owned(), ..endpoint(&server) };
    plan.settings[2].source = ModelSource::Endpoint(other.clone());
    let prepared = prepare(&request(&plan)).unwrap();
    assert!(prepared.refused[0].reason.contains("no model \"llama\""), "{:?}", prepared.refused);
    plan.settings[0].source = ModelSource::Endpoint(other);
    assert!(matches!(prepare(&request(&plan)), Err(Failure::Model { .. })), "a baseline is not refused");
}

/// An audit file that asks sentence pairs of a baseline and one setting, each behind its server.
fn audit(folder: &Path, baseline: &Server, setting: &Server, rest: &str) -> PathBuf {
    for name in ["pairs.toml", "pairs.jsonl"] {
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/demo").join(name), folder.join(name)).unwrap();
    }
    let endpoint = |server: &Server| {
        let url = format!("http://{}/v1", server.address);
        format!("endpoint = {{ url = {url:?}, model = \"toy\", weights = \"bf16\", activations = \"none\" }}\n")
    };
    let text = format!(
        "name = \"served\"\n[[model]]\nid = \"toy\"\n{}[settings]\naa = false\n[[setting]]\nname = \"awq\"\n{}\
         [[benchmark]]\nid = \"pairs\"\ntype = \"custom\"\npath = \"pairs.toml\"\noptions = {{ max_clusters = 2 }}\n{rest}",
        endpoint(baseline),
        endpoint(setting)
    );
    let file = folder.join("audit.toml");
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn a_run_that_could_ask_nothing_is_an_error_with_the_reason_and_leaves_no_folder() {
    let mute = || {
        Server::start(|path, body| {
            let sent: Value = serde_json::from_str(body).unwrap_or_default();
            let refused = r#"{"error": {"message": "echo is not supported"}}"#;
            if sent["echo"] == true { Act::status(400, refused) } else { Act::json(&toy(path, &sent, false, true)) }
        })
    };
    let (fine, _) = server(gone);
    // Without the baseline, or without the only setting, nothing could be compared.
    for (baseline, setting, named) in
        [(&mute(), &mute(), "toy@served"), (&mute(), &fine, "toy@served"), (&fine, &mute(), "toy@awq")]
    {
        let folder = tempfile::tempdir().unwrap();
        let file = audit(folder.path(), baseline, setting, "");
        for command in ["check", "run", "audit"] {
            let mut args = vec![command, file.to_str().unwrap()];
            let out = folder.path().join("out");
            if command != "check" {
                args.extend(["--out", out.to_str().unwrap()]);
            }
            let output = quantbias(&args);
            let words = stderr(&output);
            assert_eq!(output.status.code(), Some(5), "{command}: {words}");
            let reason =
                format!("{named}: benchmark pairs is not asked of model toy: the server gives no prompt log-prob");
            assert!(words.contains("nothing is left to ask:") && words.contains(&reason), "{command}: {words}");
            assert!(!out.exists(), "{command}");
        }
    }
}

#[test]
fn a_server_that_hangs_at_the_start_is_named_within_the_time_that_an_item_may_take() {
    let folder = tempfile::tempdir().unwrap();
    let hangs = Server::start(|_, _| Act::Slow(Duration::from_secs(120)));
    let file = audit(folder.path(), &hangs, &hangs, "[runner]\nitem_timeout_s = 2\n");
    let began = Instant::now();
    let output = quantbias(&["run", file.to_str().unwrap()]);
    let words = stderr(&output);
    assert_eq!(output.status.code(), Some(5), "{words}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(words.starts_with(&format!("asking the server at http://{}/v1 what it can do", hangs.address)), "{words}");
    assert!(words.contains("no answer after 1 try: no whole answer within 2 s; start the server"), "{words}");
}

#[test]
fn an_address_behind_which_another_server_is_up_is_said_to_be_the_wrong_one() {
    let page = || Act::text("<!doctype html><title>Welcome</title>");
    let moved = || Act::Reply(302, "Location: http://127.0.0.1:9/login\r\n".to_owned(), String::new());
    for (server, said) in [
        (Server::start(move |_, _| page()), "the answer is not JSON"),
        (Server::start(move |_, _| moved()), "the server answered 302: it redirects to http://127.0.0.1:9/login"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = audit(folder.path(), &server, &server, "");
        let output = quantbias(&["run", file.to_str().unwrap()]);
        let words = stderr(&output);
        assert_eq!(output.status.code(), Some(5), "{words}");
        assert!(words.contains(said) && words.contains("`url`"), "{words}");
        assert!(!words.contains("start the server"), "it is up: {words}");
    }
}
