//! Scorers against their references, and the cache of what they say.

use crate::analysis::{realised, write_run};
use quantbias::analysis::{analyze, analyze_scored};
use quantbias::benchmark::{Ask, BenchmarkData, ClusterId, Item, ItemId, Key, Measure, Subgroup, prompt as prompts};
use quantbias::engine::scripted::{Rule, Script, ask_key};
use quantbias::engine::{Answer, AskError, Finish};
use quantbias::records::{Run, SettingIdentity};
use quantbias::runner::{EngineChoice, RunOptions};
use quantbias::scorer::classifier::Classifier;
use quantbias::scorer::words::Words;
use quantbias::scorer::{ScorerError, Scores, Toxicity, Verdict, Workers, builtin, fill, judge, label};
use quantbias::spec::{JudgeChoice, ModelSource, Plan, QuantScheme, RunnerOptions, Scoring, Setting};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/scorer").join(name)
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[derive(Deserialize)]
struct Vader {
    texts: Vec<(String, f64)>,
}

#[test]
fn sentiment_equals_that_of_the_python_package_on_every_frozen_text() {
    // tests/reference/scorer/make_vader.py, vaderSentiment 3.3.2.
    let vectors: Vader = read(&reference("vader.json"));
    assert!(vectors.texts.len() >= 300);
    let words = Words::default();
    for (text, expected) in vectors.texts {
        assert_eq!(words.compound(&text), expected, "{text:?}");
    }
}

#[derive(Deserialize)]
struct Published {
    vader: Vec<(String, f64, i8)>,
    toxicity: Vec<PublishedToxicity>,
}

#[derive(Deserialize)]
struct PublishedToxicity {
    labels: Vec<PublishedLabel>,
    score: f64,
    toxic: u8,
}

#[derive(Deserialize)]
struct PublishedLabel {
    score: f64,
}

#[test]
fn sentiment_labels_and_the_toxicity_rule_equal_those_of_the_published_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/paper/expected/scorers.json");
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return;
    }
    let published: Published = read(&path);
    let words = Words::default();
    for (text, compound, expected) in &published.vader {
        assert_eq!(words.compound(text), *compound, "{text:?}");
        assert_eq!(label(*compound), *expected, "{text:?}");
    }
    for case in &published.toxicity {
        let labels: Vec<f64> = case.labels.iter().map(|l| l.score).collect();
        let toxicity = Toxicity { labels: labels.try_into().unwrap() };
        assert_eq!(toxicity.max(), case.score);
        assert_eq!(u8::from(toxicity.is_toxic()), case.toxic);
    }
}

#[derive(Deserialize)]
struct Bert {
    labels: Vec<String>,
    texts: Vec<BertText>,
}

#[derive(Deserialize)]
struct BertText {
    text: String,
    tokens: usize,
    logits_f64: [f64; 6],
    scores: [f64; 6],
}

fn bert() -> ModelSource {
    ModelSource::Directory(reference("bert"))
}

/// Ten times what single precision costs PyTorch itself on these texts (its f32 and f64 logits differ by up to 9.3e-6).
const LOGIT_TOLERANCE: f64 = 1e-4;

#[test]
fn the_classifier_gives_the_logits_of_pytorch() {
    // tests/reference/scorer/make_bert.py, torch 2.15.0, transformers 5.23.0.
    let expected: Bert = read(&reference("bert.json"));
    assert!(expected.texts.iter().any(|t| t.tokens == 512), "a text is cut to 512 tokens");
    let mut classifier = Classifier::open(&bert()).unwrap();
    let texts: Vec<&str> = expected.texts.iter().map(|t| t.text.as_str()).collect();
    let logits = classifier.logits(&texts).unwrap();
    for (found, row) in logits.iter().zip(&expected.texts) {
        for (found, expected) in found.iter().zip(row.logits_f64) {
            assert!((f64::from(*found) - expected).abs() < LOGIT_TOLERANCE, "{found} {expected} {:?}", row.text);
        }
    }
    let run = continuations(&texts);
    let scores = fill_with(&run.run, &Scoring { toxicity: Some(bert()), judge: None }, Script::default()).unwrap();
    assert_eq!(scores.scorers[1].columns, expected.labels);
    let mut compared = 0;
    for (score, row) in scores.of("b", "m@none").iter().zip(&expected.texts) {
        // A text without letters ("!") is not scored.
        let Some(score) = score else { continue };
        for (found, expected) in score.toxicity.unwrap().labels.iter().zip(row.scores) {
            assert!((found - expected).abs() < LOGIT_TOLERANCE, "{found} {expected} {:?}", row.text);
        }
        compared += 1;
    }
    assert_eq!(compared, texts.len() - 1);
}

#[test]
fn the_score_of_a_text_does_not_depend_on_its_neighbours() {
    let expected: Bert = read(&reference("bert.json"));
    let mut texts: Vec<&str> = expected.texts.iter().map(|t| t.text.as_str()).collect();
    texts.extend(["a good day", "a bad night", "the cruel man", "hate and love", "she is a friend"]);
    let mut classifier = Classifier::open(&bert()).unwrap();
    let together = classifier.logits(&texts).unwrap();
    for (text, row) in texts.iter().zip(together) {
        let alone = classifier.logits(&[text]).unwrap()[0];
        assert_eq!(alone.map(f32::to_bits), row.map(f32::to_bits), "{text:?}");
    }
}

#[test]
fn a_model_of_another_shape_is_refused_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let source = ModelSource::Directory(folder.path().to_owned());
    let message = |source: &ModelSource| match Classifier::open(source) {
        Err(e @ ScorerError::Classifier { .. }) => e.to_string(),
        Err(e) => panic!("{e}"),
        Ok(_) => panic!("it was taken"),
    };
    assert!(message(&source).contains("it has no config.json"));
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(reference("bert").join(name), folder.path().join(name)).unwrap();
    }
    assert!(Classifier::open(&source).is_ok());
    let config = std::fs::read_to_string(folder.path().join("config.json")).unwrap();
    let replace = |from: &str, to: &str| {
        assert!(config.contains(from));
        std::fs::write(folder.path().join("config.json"), config.replace(from, to)).unwrap();
    };
    replace("BertForSequenceClassification", "RobertaForSequenceClassification");
    assert!(message(&source).contains("RobertaForSequenceClassification"));
    replace(",\n    \"5\": \"identity_hate\"\n  },", "\n  },");
    assert!(message(&source).contains("5 labels"), "{}", message(&source));
    replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 5");
    assert!(message(&source).contains("num_attention_heads"));
    replace("\"hidden_size\": 48", "\"hidden_size\": 96");
    let error = Classifier::open(&source).unwrap().logits(&["a"]).unwrap_err().to_string();
    assert!(error.contains("model.safetensors"), "{error}");
}

struct Written {
    _folder: tempfile::TempDir,
    run: Run,
}

fn data(texts: usize) -> BenchmarkData {
    let items = (0..texts).map(|i| Item {
        id: ItemId::new(format!("i{i:04}")),
        cluster: ClusterId::new(format!("c{:03}", i / 2)),
        stratum: String::new(),
        subgroups: vec![Subgroup { axis: "gender".into(), name: if i % 2 == 0 { "woman" } else { "man" }.into() }],
        condition: None,
        ask: Ask::generate(format!("prompt {i}"), vec![], 9, false),
        key: Key::default(),
    });
    BenchmarkData {
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
    }
}

fn setting(scheme: QuantScheme) -> SettingIdentity {
    SettingIdentity {
        id: Setting::id("m", scheme.name(), false),
        model: "m".into(),
        requested: scheme,
        baseline: scheme == QuantScheme::None,
        aa: false,
        files: BTreeMap::new(),
        realised: realised(8.0),
    }
}

/// A run in which the baseline wrote `texts`, and the other setting the first two words of each.
fn continuations(texts: &[&str]) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs").join("r");
    let answer = |i: usize, _: &Item, setting: &str| -> Result<Answer, AskError> {
        let text = if setting == "m@none" {
            texts[i].to_owned()
        } else {
            texts[i].split_whitespace().take(2).collect::<Vec<_>>().join(" ")
        };
        Ok(Answer::Generated { text, tokens: vec![], finish: Finish::Stop, prompt_tokens: 1, thought: None })
    };
    write_run(&path, &data(texts.len()), vec![setting(QuantScheme::None), setting(QuantScheme::Q4K)], &answer);
    let run = Run::open(&path).unwrap();
    Written { _folder: folder, run }
}

fn fill_with(run: &Run, scoring: &Scoring, script: Script) -> Result<Scores, ScorerError> {
    let limits = RunnerOptions { workers: Some(1), ..RunnerOptions::default() };
    let options = RunOptions {
        worker_exe: PathBuf::from(env!("CARGO_BIN_EXE_quantbias")),
        engine: EngineChoice::Scripted(script),
        ..RunOptions::new(limits).unwrap()
    };
    fill(run, scoring, &mut Workers { options, stop: &AtomicBool::new(false), events: &mut |_| () })
}

const TEXTS: [&str; 4] =
    ["She is kind. He is cruel and stupid!", "Good morning, everybody.", "12 …", "A horrible, horrible night."];

#[test]
fn each_way_of_sentiment_looks_at_what_it_says() {
    let written = continuations(&TEXTS);
    let scores = builtin(&written.run);
    let words = Words::default();
    let base = scores.of("b", "m@none");
    let first = base[0].unwrap();
    assert_eq!(first.compound, words.compound(TEXTS[0]));
    let by_sentence = [words.compound("She is kind."), words.compound("He is cruel and stupid!")];
    assert_eq!(first.compound_sentences, by_sentence.iter().sum::<f64>() / 2.0);
    // The other setting wrote two words.
    assert_eq!(first.compound_matched, words.compound("She is"));
    assert_eq!(scores.of("b", "m@q4k")[0].unwrap().compound_matched, words.compound("She is"));
    assert!(first.insulting && !base[1].unwrap().insulting);
    assert_eq!(base[2], None, "nothing to judge");
    assert!(base[3].unwrap().compound_matched < 0.0);
    assert!(scores.of("b", "m@q8_0").is_empty() && scores.of("c", "m@none").is_empty());
}

#[test]
fn scores_are_read_from_the_cache_and_a_damaged_one_is_made_anew() {
    let written = continuations(&TEXTS);
    let scoring = Scoring { toxicity: Some(bert()), judge: None };
    let script = Script::default;
    let first = fill_with(&written.run, &scoring, script()).unwrap();
    assert_eq!((first.computed, first.reused), (4, 0));
    let second = fill_with(&written.run, &scoring, script()).unwrap();
    assert_eq!((second.computed, second.reused), (0, 4));
    let same = |scores: &Scores| {
        for setting in ["m@none", "m@q4k"] {
            assert_eq!(scores.of("b", setting), first.of("b", setting));
        }
    };
    same(&second);
    let toxicity = written.run.path().join("scores").join(&first.scorers[1].sha256()[..12]);
    let file = toxicity.join("b").join("m@none.jsonl");
    let whole = std::fs::read_to_string(&file).unwrap();
    let damages = [
        whole.replacen("0.", "1.", 1),
        whole[..whole.len() - 5].to_owned(),
        whole.replace("\"rows\":4", "\"rows\":3"),
        whole.replace("\"format\":\"1.0\"", "\"format\":\"2.0\""),
        String::new(),
        "{}".to_owned(),
    ];
    for damaged in damages {
        assert_ne!(damaged, whole);
        std::fs::write(&file, damaged).unwrap();
        let again = fill_with(&written.run, &scoring, script()).unwrap();
        assert_eq!((again.computed, again.reused), (1, 3));
        same(&again);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), whole);
    }
    // The run itself stays whole.
    Run::open(written.run.path()).unwrap();
}

#[test]
fn another_classifier_keeps_its_scores_elsewhere_and_the_findings_name_it() {
    let written = continuations(&TEXTS.map(|_| "She is a kind and good friend of the plumber."));
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other-bert");
    std::fs::create_dir(&other).unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(reference("bert").join(name), other.join(name)).unwrap();
    }
    let mut weights = std::fs::read(other.join("model.safetensors")).unwrap();
    let at = weights.len() - 3;
    weights[at] ^= 1;
    std::fs::write(other.join("model.safetensors"), weights).unwrap();
    let plan = Plan { replicates: 1000, draws: 999, ..Plan::default() };
    let mut seen = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for source in [bert(), ModelSource::Directory(other)] {
        let scores =
            fill_with(&written.run, &Scoring { toxicity: Some(source), judge: None }, Script::default()).unwrap();
        let sha = scores.scorers[1].sha256();
        let name = scores.scorers[1].model.clone();
        let found = analyze_scored(&written.run, &plan, scores).unwrap();
        let caveat = found.caveats.iter().find(|c| c.about == "scoring").unwrap();
        assert!(caveat.text.contains(&sha[..12]) && caveat.text.contains(&name), "{}", caveat.text);
        seen.insert(sha);
        ids.insert(found.analysis_id);
    }
    assert_eq!(seen.len(), 2);
    ids.insert(analyze(&written.run, &plan).unwrap().analysis_id);
    assert_eq!(ids.len(), 3, "an analysis is named by its scorers too");
    let folders = std::fs::read_dir(written.run.path().join("scores")).unwrap().count();
    assert_eq!(folders, 3, "words and two classifiers");
}

fn judge_choice(prompt: Option<&str>) -> JudgeChoice {
    JudgeChoice {
        source: ModelSource::Directory("a-judge".into()),
        prompt: prompt.map(str::to_owned),
        chat: true,
        max_tokens: 16,
    }
}

/// A script that replies to the judge's question about each text.
fn judging(replies: &[(usize, &str, &str)]) -> Script {
    let table = replies.iter().map(|(i, text, reply)| {
        let variables = BTreeMap::from([("prompt", format!("prompt {i}")), ("text", (*text).to_owned())]);
        let prompt = prompts::environment().render_str(judge::PROMPT, variables).unwrap();
        let ask = Ask::generate(prompt, vec![], 16, true);
        let text = (*reply).to_owned();
        (
            ask_key(&ask),
            Answer::Generated { text, tokens: vec![], finish: Finish::Stop, prompt_tokens: 1, thought: None },
        )
    });
    Script { rule: Rule::Table(table.collect()), ..Script::default() }
}

#[test]
fn the_judge_is_asked_in_workers_and_its_replies_become_verdicts() {
    let texts = ["one two", "three four", "five six", "seven eight", "nine ten"];
    let written = continuations(&texts);
    let replies = [
        (0, texts[0], "COHERENT"),
        (1, texts[1], "It is a refusal."),
        (2, texts[2], "NONSENSE"),
        (3, texts[3], "coherent? refusal?"),
    ];
    let scoring = Scoring { toxicity: None, judge: Some(judge_choice(None)) };
    let scores = fill_with(&written.run, &scoring, judging(&replies)).unwrap();
    let verdicts = |scores: &Scores, setting: &str| -> Vec<Option<Verdict>> {
        scores.of("b", setting).iter().map(|s| s.unwrap().verdict).collect()
    };
    let expected = vec![Some(Verdict::Coherent), Some(Verdict::Refusal), Some(Verdict::Nonsense), None, None];
    // Both settings wrote the same two words.
    assert_eq!(verdicts(&scores, "m@none"), expected);
    assert_eq!(verdicts(&scores, "m@q4k"), expected);
    let folder = written.run.path().join("scores").join(&scores.scorers[1].sha256()[..12]);
    let replies_run = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.file_name().unwrap().to_string_lossy().starts_with("replies-"))
        .unwrap();
    let asked = Run::open(&replies_run).unwrap();
    assert_eq!(asked.benchmarks[0].items.len(), 5, "one ask per distinct text");
    let again = fill_with(&written.run, &scoring, judging(&replies)).unwrap();
    assert_eq!((again.computed, again.reused), (0, 4));
    assert_eq!(verdicts(&again, "m@none"), expected);
}

#[test]
fn another_prompt_is_another_judge() {
    let written = continuations(&["one two", "three four"]);
    let fill = |prompt: Option<&str>| {
        let scoring = Scoring { toxicity: None, judge: Some(judge_choice(prompt)) };
        fill_with(&written.run, &scoring, Script::default())
    };
    let own = fill(None).unwrap();
    let other = fill(Some("{{ prompt }} / {{ text }}: coherent?")).unwrap();
    assert_ne!(own.scorers[1].sha256(), other.scorers[1].sha256());
    assert_eq!((other.computed, other.reused), (2, 2), "the words are known, the verdicts are not");
    let error = fill(Some("{{ subgroup }}")).unwrap_err().to_string();
    assert!(error.contains("template"), "{error}");
}

#[test]
fn score_fills_the_cache_alone_and_analyze_takes_it_from_there() {
    let written = continuations(&TEXTS);
    let folder = tempfile::tempdir().unwrap();
    let audit = folder.path().join("audit.toml");
    let own = folder.path().join("items.toml");
    std::fs::write(&own, "").unwrap();
    let text = format!(
        "name = \"a\"\n[[model]]\nid = \"m\"\npath = \"m\"\n[settings]\nschemes = [\"q4k\"]\n[[benchmark]]\ntype = \"custom\"\nid = \"b\"\npath = \"items.toml\"\n[scoring.toxicity]\npath = {:?}\n",
        reference("bert")
    );
    std::fs::write(&audit, text).unwrap();
    let quantbias = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_quantbias")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let run = written.run.path().to_str().unwrap();
    let said = quantbias(&["score", run, "--plan", audit.to_str().unwrap()]);
    assert!(said.contains("toxicity model bert"), "{said}");
    assert!(said.contains("4 files of scores computed, 0 taken from the cache"), "{said}");
    let said = quantbias(&["score", run]);
    assert!(said.contains("0 files of scores computed, 4 taken from the cache"), "{said}");
    let files = || {
        let mut all = BTreeMap::new();
        for scorer in std::fs::read_dir(written.run.path().join("scores")).unwrap() {
            for name in ["m@none.jsonl", "m@q4k.jsonl"] {
                let path = scorer.as_ref().unwrap().path().join("b").join(name);
                all.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
        all
    };
    let first = files();
    assert_eq!(first.len(), 4);
    std::fs::remove_dir_all(written.run.path().join("scores")).unwrap();
    let one_thread = Command::new(env!("CARGO_BIN_EXE_quantbias"))
        .args(["score", run])
        .env("RAYON_NUM_THREADS", "1")
        .status()
        .unwrap();
    assert!(one_thread.success());
    assert_eq!(files(), first, "the number of threads changes no bit");
    let findings = quantbias(&["analyze", run]);
    let findings = std::fs::read_to_string(findings.trim()).unwrap();
    assert!(findings.contains("toxicity model bert"));
}
