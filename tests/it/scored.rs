//! Scores by models and of imported logs: every stage takes those that the audit took, and an edit of them is caught.

use crate::analysis::{realised, write_run};
use crate::auditing::{copy, quantbias, stderr, stdout};
use quantbias::benchmark::{Ask, BenchmarkData, ClusterId, Item, ItemId, Key, Measure, Subgroup};
use quantbias::engine::{Answer, AskError, Finish};
use quantbias::findings::{self, Findings};
use quantbias::records::{Run, SettingIdentity, seal};
use quantbias::scorer::imported::{Logged, keep};
use quantbias::spec::{QuantScheme, Setting};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const ITEMS: usize = 120;

/// A run in which every setting writes the same texts, and a log says that q4k is more toxic and less coherent: what is
/// built in sees no change at all.
struct Logs {
    folder: tempfile::TempDir,
}

impl Logs {
    fn new(scored: bool) -> Self {
        let logs = Self { folder: tempfile::tempdir().unwrap() };
        let items = (0..ITEMS).map(|i| Item {
            id: ItemId::new(format!("i{i:04}")),
            cluster: ClusterId::new(format!("c{:03}", i / 2)),
            stratum: String::new(),
            subgroups: vec![Subgroup { axis: "gender".into(), name: if i % 2 == 0 { "woman" } else { "man" }.into() }],
            condition: None,
            ask: Ask::generate(format!("prompt {i}"), vec![], 9, false),
            key: Key::default(),
        });
        let data = BenchmarkData {
            name: "b".into(),
            title: "B".into(),
            measure: Measure::Continuation,
            licence: "none".into(),
            citation: "none".into(),
            caveats: vec![],
            cluster_unit: "pair".into(),
            reference: BTreeMap::new(),
            files: vec![],
            items: items.collect(),
        };
        let setting = |scheme: QuantScheme| SettingIdentity {
            id: Setting::id("m", scheme.name(), false),
            model: "m".into(),
            requested: scheme,
            baseline: scheme == QuantScheme::None,
            aa: false,
            files: BTreeMap::new(),
            realised: realised(8.0),
        };
        let answer = |i: usize, _: &Item, _: &str| -> Result<Answer, AskError> {
            let text = format!("This is text {i}.");
            Ok(Answer::Generated { text, tokens: vec![], finish: Finish::Stop, prompt_tokens: 1, thought: None })
        };
        write_run(&logs.run(), &data, vec![setting(QuantScheme::None), setting(QuantScheme::Q4K)], &answer);
        if scored {
            let said = |_: &str, setting: &str, item: &str| {
                let i: usize = item[1..].parse().unwrap();
                let worse = setting == "m@q4k";
                let toxicity = 0.1 + 0.001 * (i % 7) as f64 + if worse && i.is_multiple_of(3) { 0.2 } else { 0.0 };
                let verdict = if worse && i.is_multiple_of(10) { 0.0 } else { 2.0 };
                Some(Logged { labels: Some([toxicity, 0.0, 0.0, 0.0, 0.0, 0.0]), verdict: Some(verdict) })
            };
            keep(&Run::open(&logs.run()).unwrap(), "a tool", &said).unwrap();
        }
        seal::seal(&logs.run()).unwrap();
        logs
    }

    fn run(&self) -> PathBuf {
        self.folder.path().join("runs").join("r")
    }

    /// Runs a command on the run, and expects it to end well.
    fn says(&self, before: &[&str], after: &[&str]) -> String {
        let run = self.run();
        let all: Vec<&str> =
            before.iter().copied().chain([run.to_str().unwrap()]).chain(after.iter().copied()).collect();
        let output = quantbias(&all);
        assert_eq!(output.status.code(), Some(0), "{all:?}: {}{}", stdout(&output), stderr(&output));
        stdout(&output)
    }

    fn findings(&self) -> (Findings, PathBuf) {
        let path = PathBuf::from(self.says(&["analyze"], &[]).trim());
        (findings::load(&path).unwrap(), path)
    }
}

fn change(found: &Findings, metric: &str) -> Option<f64> {
    let overall = |c: &&findings::ContrastRow| c.cell.metric == metric && c.cell.axis == "all";
    found.contrasts.iter().find(overall).and_then(|c| c.delta)
}

/// A third of the items is more toxic by 0.2.
fn is_a_third(change: Option<f64>) -> bool {
    change.is_some_and(|x| (x - 0.2 / 3.0).abs() < 0.01)
}

#[test]
fn rescore_power_and_calibrate_take_the_scores_that_the_analysis_took() {
    let logs = Logs::new(true);
    let (found, path) = logs.findings();
    assert!(is_a_third(change(&found, "toxicity")), "{:?}", change(&found, "toxicity"));
    let text = logs.says(&["rescore"], &["--against", path.to_str().unwrap()]);
    assert!(text.starts_with("0 of "), "{text}");
    let of_findings = quantbias(&["power", path.to_str().unwrap()]);
    assert_eq!(logs.says(&["power"], &[]), stdout(&of_findings));
    let out = logs.folder.path().join("calibration");
    let cells =
        ["--cells", "/toxicity/all/", "--replications", "100", "--draws", "199", "--out", out.to_str().unwrap()];
    let text = logs.says(&["calibrate"], &cells);
    assert!(text.contains("b toxicity, all items: 60 clusters"), "{text}");
}

#[test]
fn compare_takes_what_a_model_said_where_both_runs_have_the_same_one_and_says_where_not() {
    let logs = Logs::new(true);
    let run = logs.run();
    let run = run.to_str().unwrap();
    let out = logs.folder.path().join("compared");
    let compare = |a: &str, b: &str| {
        let args = ["compare", a, b, "--pair", "m@none=m@q4k", "--out", out.to_str().unwrap()];
        let output = quantbias(&args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = stdout(&output);
        let path = text.lines().find_map(|l| l.strip_prefix("findings  ")).unwrap().to_owned();
        (findings::load(Path::new(&path)).unwrap(), text)
    };
    let (found, text) = compare(run, run);
    assert!(is_a_third(change(&found, "toxicity")), "{text}");
    assert!(!text.contains("not compared"), "{text}");
    let (own, _) = logs.findings();
    assert_eq!(change(&found, "toxicity"), change(&own, "toxicity"), "the run's own contrast");
    let unscored = Logs::new(false);
    let other = unscored.run();
    for (a, b) in [(run, other.to_str().unwrap()), (other.to_str().unwrap(), run)] {
        let (found, text) = compare(a, b);
        assert_eq!(change(&found, "toxicity"), None);
        assert!(text.contains("Scores by a model are not compared") && text.contains("nothing"), "{text}");
    }
}

#[test]
fn scores_of_an_imported_log_are_sealed_and_bundled_and_an_edit_is_caught() {
    let logs = Logs::new(true);
    let verify = |run: &Path, more: &[&str]| {
        let output = quantbias(&[&["verify", run.to_str().unwrap()], more].concat());
        (output.status.code().unwrap(), stdout(&output))
    };
    let run = logs.run();
    let (code, text) = verify(&run, &[]);
    assert!(code == 0 && !text.contains("not checked: the scores"), "{text}");
    let seal = std::fs::read_to_string(run.join(seal::SEAL)).unwrap();
    let files: Vec<&str> = seal.lines().filter_map(|l| l.split_once("  ")).map(|(_, name)| name).collect();
    let scores: Vec<&&str> = files.iter().filter(|n| n.ends_with(".jsonl") && n.starts_with("scores/")).collect();
    assert_eq!(scores.len(), 4, "{files:?}");
    // An archive holds them, and is verified with them.
    let archive = logs.folder.path().join("evidence.tar.gz");
    let extracted = logs.folder.path().join("evidence");
    logs.says(&["bundle"], &["--out", archive.to_str().unwrap()]);
    let args = ["bundle", "--check", archive.to_str().unwrap(), "--extract", extracted.to_str().unwrap()];
    let output = quantbias(&args);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(extracted.join("run").join(scores[0]).is_file());
    // One number, and one scorer too many.
    let path = run.join(scores[0]);
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, good.replacen("0.1", "0.9", 1).replacen("2.0]", "1.0]", 1)).unwrap();
    let (code, text) = verify(&run, &[]);
    assert!(code == 4 && text.contains(&format!("{} was altered", scores[0])), "{text}");
    std::fs::remove_file(&path).unwrap();
    let (code, text) = verify(&run, &[]);
    assert!(code == 4 && text.contains(&format!("{} is missing", scores[0])), "{text}");
    std::fs::write(&path, good).unwrap();
    assert_eq!(verify(&run, &[]).0, 0);
    // A seal of the first releases says nothing of scores: that is told, and is no edit.
    let without: Vec<&str> = seal.lines().filter(|l| !l.contains("  scores/")).collect();
    std::fs::write(run.join(seal::SEAL), format!("{}\n", without.join("\n"))).unwrap();
    let (code, text) = verify(&run, &[]);
    assert!(code == 0 && text.contains("not checked: the scores that came with the log"), "{text}");
}

#[test]
fn findings_name_the_scores_that_they_were_made_from_and_verify_looks_at_them() {
    let logs = Logs::new(false);
    let audit = logs.folder.path().join("audit.toml");
    std::fs::write(logs.folder.path().join("items.toml"), "").unwrap();
    let bert = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/scorer/bert");
    let text = format!(
        "name = \"a\"\n[[model]]\nid = \"m\"\npath = \"m\"\n[settings]\nschemes = [\"q4k\"]\n[[benchmark]]\n\
         type = \"custom\"\nid = \"b\"\npath = \"items.toml\"\n[scoring.toxicity]\npath = {bert:?}\n"
    );
    std::fs::write(&audit, text).unwrap();
    logs.says(&["score"], &["--plan", audit.to_str().unwrap()]);
    let (found, path) = logs.findings();
    assert_eq!(found.scores.len(), 2, "one file per setting: {:?}", found.scores);
    let verify = || {
        let run = logs.run();
        let output = quantbias(&["verify", run.to_str().unwrap(), "--findings", path.to_str().unwrap()]);
        (output.status.code().unwrap(), stdout(&output))
    };
    let (code, text) = verify();
    assert_eq!(code, 0, "neither the scores nor the choice of a scorer were added by somebody else: {text}");
    let (name, sha) = found.scores.iter().next().unwrap();
    let file = logs.run().join(name);
    let good = std::fs::read(&file).unwrap();
    assert_eq!(*sha, quantbias::fixity::sha256_hex(&good));
    // Edited so that the file is whole in itself, as somebody would who knows the format.
    let text = String::from_utf8(good.clone()).unwrap();
    let (head, body) = text.split_once('\n').unwrap();
    let body = body.replacen("[0.", "[0.9", 1);
    let mut head: serde_json::Value = serde_json::from_str(head).unwrap();
    head["rows_sha256"] = quantbias::fixity::sha256_hex(body.as_bytes()).into();
    std::fs::write(&file, format!("{head}\n{body}")).unwrap();
    let (code, text) = verify();
    assert!(code == 4 && text.contains(&format!("{name} was altered")), "{text}");
    std::fs::remove_file(&file).unwrap();
    let (code, text) = verify();
    assert!(code == 4 && text.contains(&format!("{name} cannot be read")), "{text}");
    std::fs::write(&file, good).unwrap();
    // In another place the same scores are computed again, with the same hashes.
    let elsewhere = Logs { folder: tempfile::tempdir().unwrap() };
    copy(&logs.run(), &elsewhere.run());
    std::fs::remove_dir_all(elsewhere.run().join("scores")).unwrap();
    assert_eq!(elsewhere.findings().0.scores, found.scores);
}
