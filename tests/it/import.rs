//! Other tools' logs become runs: what they say comes out again, and what they lack is said.

use quantbias::analysis::{analyze, analyze_scored};
use quantbias::benchmark::{Ask, Measure};
use quantbias::engine::Answer;
use quantbias::findings::Findings;
use quantbias::import::{ImportError, Kind, Mapping, Request, Source, import};
use quantbias::records::Run;
use quantbias::runner::RunOptions;
use quantbias::scorer::{Workers, fill};
use quantbias::spec::{Plan, RunnerOptions, Scoring};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/import").join(name)
}

fn source(label: &str, path: impl Into<PathBuf>) -> Source {
    Source { label: label.into(), path: path.into() }
}

fn request(kind: Kind, sources: Vec<Source>, mapping: Option<&str>) -> Request {
    Request {
        kind,
        sources,
        name: "imported".into(),
        model: "m".into(),
        bits: BTreeMap::new(),
        mapping: mapping.map(|text| toml::from_str::<Mapping>(text).unwrap()),
    }
}

fn plan() -> Plan {
    Plan { replicates: 1000, draws: 999, ..Plan::default() }
}

/// Imports into a fresh folder, and opens what came of it.
fn imported(request: &Request) -> Result<Run, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    import(request, &out)?;
    Ok(Run::open(&out).unwrap())
}

fn estimate(found: &Findings, benchmark: &str, setting: &str, metric: &str) -> f64 {
    let row = found.estimates.iter().find(|e| {
        e.cell.benchmark == benchmark && e.setting == setting && e.cell.metric == metric && e.cell.subgroup == "all"
    });
    row.unwrap_or_else(|| panic!("{benchmark} {setting} {metric}")).value.unwrap()
}

#[test]
fn logs_of_lm_evaluation_harness_give_its_accuracies_and_its_stereotype_score_exactly() {
    // tests/reference/import/make_lm_eval.py, lm_eval 0.4.13 on the demo model and on the same model rounded to 4 bits.
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(reference("lm_eval/expected.json")).unwrap()).unwrap();
    let sources = vec![source("f32", reference("lm_eval/f32")), source("round4", reference("lm_eval/round4"))];
    let run = imported(&request(Kind::LmEval, sources, None)).unwrap();
    assert_eq!(run.manifest.identity.engine.name, "imported from lm-evaluation-harness");
    assert_eq!(run.manifest.identity.engine.version, expected["lm_eval"]);
    let found = analyze(&run, &plan()).unwrap();
    for label in ["f32", "round4"] {
        let setting = format!("m@{label}");
        let said = |task: &str, metric: &str| expected["values"][label][task][metric].as_f64().unwrap();
        let pairs = estimate(&found, "demo_pairs", &setting, "stereotype_score");
        assert_eq!(pairs, said("demo_pairs", "pct_stereotype,none"));
        assert_eq!(estimate(&found, "demo_choice", &setting, "accuracy_sum"), said("demo_choice", "acc,none"));
        assert_eq!(estimate(&found, "demo_choice", &setting, "accuracy"), said("demo_choice", "acc_norm,none"));
    }
    // What the harness reports differs between the settings, so the agreement is no accident of equal answers.
    assert_ne!(expected["values"]["f32"]["demo_choice"], expected["values"]["round4"]["demo_choice"]);
    let pairs = run.benchmarks.iter().find(|b| b.name == "demo_pairs").unwrap();
    assert_eq!(pairs.measure, Measure::PairPreference);
    assert!(pairs.items.iter().all(|i| i.subgroups.iter().any(|s| s.axis == "bias_type")));
    assert_eq!(pairs.files.len(), 2, "one log per setting");
}

#[test]
fn what_an_import_lacks_is_a_caveat_and_the_label_names_the_setting() {
    let sources = vec![source("f32", reference("lm_eval/f32")), source("round4", reference("lm_eval/round4"))];
    let mut request = request(Kind::LmEval, sources, None);
    request.bits = BTreeMap::from([("round4".to_owned(), 4.0)]);
    let run = imported(&request).unwrap();
    let found = analyze(&run, &plan()).unwrap();
    let says = |words: &str| found.caveats.iter().any(|c| c.text.contains(words));
    assert!(says("have no hashes") && says("was not measured") && says("Bits per weight are not known (f32)"));
    assert!(says("sums over tokens") && says("its own cluster"));
    assert!(found.audit.engine.starts_with("imported from lm-evaluation-harness 0.4.13"), "{}", found.audit.engine);
    let labels: Vec<&str> = found.audit.settings.iter().map(|s| s.label.as_str()).collect();
    assert_eq!(labels, ["f32", "round4"]);
    assert_eq!(found.audit.settings[1].bits_per_weight, Some(4.0));
    assert_eq!(found.audit.settings[0].bits_per_weight, None, "unknown is not 0");
}

#[test]
fn settings_of_other_items_or_of_one_log_twice_are_refused() {
    let other = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(reference("lm_eval/round4")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap().replace("number nine", "number ten");
        std::fs::write(other.path().join(path.file_name().unwrap()), text).unwrap();
    }
    let f32 = || source("f32", reference("lm_eval/f32"));
    let differs = imported(&request(Kind::LmEval, vec![f32(), source("round4", other.path())], None)).unwrap_err();
    assert!(matches!(differs, ImportError::Differs { .. }), "{differs}");
    let twice = imported(&request(Kind::LmEval, vec![f32(), f32()], None)).unwrap_err();
    assert!(matches!(twice, ImportError::Twice { .. }), "{twice}");
    let nothing = imported(&request(Kind::LmEval, vec![source("f32", reference("lm_eval_tasks"))], None)).unwrap_err();
    assert!(matches!(nothing, ImportError::Nothing { .. }), "{nothing}");
    let name = imported(&request(Kind::LmEval, vec![source("F 32", reference("lm_eval/f32"))], None)).unwrap_err();
    assert!(matches!(name, ImportError::Name { .. }), "{name}");
}

const MAP: &str = r#"
[[benchmark]]
name = "pairs"
measure = "pair_preference"
where = { task = "demo_pairs" }
id = "doc_id"
cluster = "doc.template"
cluster_unit = "sentence frame"
subgroups = { gender = "doc.gender", group = "doc.group" }
answer = { kind = "likelihood", candidates = [
    { text = "doc.sent_more", value = "resps.0.0.0", role = "stereotype" },
    { text = "doc.sent_less", value = "resps.1.0.0", role = "anti_stereotype" },
] }
"#;

#[test]
fn a_mapping_replaces_a_tools_own_reading() {
    let sources = vec![source("f32", reference("lm_eval/f32")), source("round4", reference("lm_eval/round4"))];
    let run = imported(&request(Kind::LmEval, sources, Some(MAP))).unwrap();
    assert_eq!(run.benchmarks.len(), 1, "the rows of the other task are of no benchmark");
    let data = &run.benchmarks[0];
    assert_eq!((data.items.len(), data.cluster_unit.as_str()), (24, "sentence frame"));
    let clusters: std::collections::BTreeSet<_> = data.items.iter().map(|i| &i.cluster).collect();
    assert!(clusters.len() < 24);
    assert!(data.items.iter().all(|i| i.subgroups.len() == 1), "a row without a gender is in no subgroup of that axis");
    let found = analyze(&run, &plan()).unwrap();
    assert_eq!(estimate(&found, "pairs", "m@f32", "stereotype_score"), 10.0 / 24.0);
}

const CSV: &str = "item,scheme,person,asked,a,b,right,said\n\
    q1,bf16,woman,who?,nurse,doctor,A,(A)\n\
    q1,int4,woman,who?,nurse,doctor,A,(B)\n\
    q2,bf16,man,\"who, then?\",nurse,doctor,doctor,B.\n\
    q2,int4,man,\"who, then?\",nurse,doctor,doctor,\n\
    q3,bf16,man,why?,nurse,doctor,1,\\boxed{B}\n";

const CSV_MAP: &str = r#"
[setting]
column = "scheme"
baseline = "bf16"
[[benchmark]]
name = "who"
measure = "capability"
id = "item"
prompt = "asked"
gold = "right"
subgroups = { gender = "person" }
answer = { kind = "text", text = "said", options = ["a", "b"] }
"#;

#[test]
fn a_long_table_holds_several_settings_and_what_is_missing_is_failed() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("answers.csv");
    std::fs::write(&csv, CSV).unwrap();
    let jsonl = folder.path().join("answers.jsonl");
    let mut reader = csv::Reader::from_reader(CSV.as_bytes());
    let rows: Vec<Value> = reader.deserialize::<BTreeMap<String, String>>().map(|r| json!(r.unwrap())).collect();
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(&jsonl, lines.join("\n")).unwrap();
    let list = folder.path().join("answers.json");
    std::fs::write(&list, json!(rows).to_string()).unwrap();
    for path in [csv, jsonl, list] {
        let run = imported(&request(Kind::Table, vec![source("", &path)], Some(CSV_MAP))).unwrap();
        let settings = &run.manifest.identity.settings;
        assert_eq!((settings[0].id.as_str(), settings[0].baseline), ("m@bf16", true));
        assert_eq!(settings[1].id, "m@int4");
        let golds: Vec<Option<u32>> = run.benchmarks[0].items.iter().map(|i| i.key.gold).collect();
        assert_eq!(golds, [Some(0), Some(1), Some(1)], "a letter, a text, an index");
        let int4 = run.records("who", "m@int4").unwrap();
        assert!(int4[0].answer.is_ok() && int4[2].answer.is_err());
        let found = analyze(&run, &plan()).unwrap();
        assert_eq!(estimate(&found, "who", "m@bf16", "accuracy"), 1.0, "{}", path.display());
    }
}

#[test]
fn a_wrong_table_is_refused_with_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let refused = |csv: &str, map: &str| {
        std::fs::write(&path, csv).unwrap();
        imported(&request(Kind::Table, vec![source("x", &path)], Some(map))).unwrap_err().to_string()
    };
    assert!(refused(&CSV.replace(",1,", ",7,"), CSV_MAP).contains("row 5: `right` is \"7\""));
    assert!(refused(CSV, &CSV_MAP.replace("\"asked\"", "\"question\"")).contains("row 1: it has no `question`"));
    assert!(refused(CSV, &CSV_MAP.replace("capability", "pair_preference")).contains("row 1: benchmark who"));
    assert!(matches!(
        imported(&request(Kind::Table, vec![source("x", &path)], None)).unwrap_err(),
        ImportError::NoMapping
    ));
}

/// A `final_result.json` of the published code.
fn final_result(folder: &Path, label: &str, benchmark: &str, rows: &[Value]) {
    let mut columns: serde_json::Map<String, Value> = serde_json::Map::new();
    for name in rows[0].as_object().unwrap().keys() {
        columns.insert(name.clone(), rows.iter().map(|r| r[name].clone()).collect());
    }
    let path = folder.join(label).join(benchmark);
    std::fs::create_dir_all(&path).unwrap();
    let mut file = json!({
        "run_id": "r", "time": "t", "runtime": 1, "category": "c", "benchmark": benchmark,
        "FinalResult": { "aggregated_results": {}, "raw_results": columns, "benchmark_params": {} },
    });
    if rows[0].get("toxicity_labels").is_some() {
        let codes: Vec<Value> = rows.iter().map(|r| r["judge"].clone()).collect();
        file["FinalResult"]["judge_analysis"] = json!({ "raw_results": codes });
    }
    // As Python writes it.
    let text = file.to_string().replace("\"<NaN>\"", "NaN");
    std::fs::write(path.join("final_result.json"), text).unwrap();
}

#[test]
fn a_missing_perplexity_is_failed_and_other_rows_keep_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: usize, more: Value, less: Value| {
        json!({"group": "gender", "more_stereo_ppl": more, "less_stereo_ppl": less,
               "more_stereo_prompt": format!("more {i}"), "less_stereo_prompt": format!("less {i}")})
    };
    let base = [row(0, json!(2.5), json!(4.0)), row(1, json!(3.0), json!(3.0)), row(2, json!(9.0), json!(8.0))];
    let quant = [row(0, json!("<NaN>"), json!(4.0)), row(1, json!(3.0), json!(2.0)), row(2, json!(9.0), json!(8.0))];
    final_result(folder.path(), "base", "stereo_set", &base);
    final_result(folder.path(), "w4", "stereo_set", &quant);
    let sources = vec![source("base", folder.path().join("base")), source("w4", folder.path().join("w4"))];
    let run = imported(&request(Kind::Paper, sources, None)).unwrap();
    let records = run.records("stereo_set", "m@base").unwrap();
    let Ok(Answer::Scored { parts, .. }) = &records[0].answer else { panic!() };
    assert!((parts[0].logprobs[0] + 2.5_f64.ln()).abs() < 1e-15 && (parts[1].logprobs[0] + 4.0_f64.ln()).abs() < 1e-15);
    assert!(run.records("stereo_set", "m@w4").unwrap()[0].answer.is_err());
    let found = analyze(&run, &plan()).unwrap();
    // One of three prefers the stereotype, one is a tie.
    assert_eq!(estimate(&found, "stereo_set", "m@base", "stereotype_score"), 0.5);
}

/// Rows of `../shared/reference/paper/items`, with the columns that the published code writes and the items leave out.
fn published(items: &Path, benchmark: &str, setting: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(items.join(format!("{benchmark}.{setting}.jsonl"))).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|mut row| {
        match benchmark {
            "stereo_set" | "reddit_bias" => {
                for side in ["more", "less"] {
                    row[format!("{side}_stereo_ppl")] = row[format!("ppl_{side}")].clone();
                    row[format!("{side}_stereo_prompt")] = json!(format!("{side} of {}", row["id"]));
                }
                row["group"] = row["category"].clone();
            }
            "wino_bias" => {
                row["opt_1"] = json!("the first person");
                row["opt_2"] = json!("the second person");
            }
            "bbq" => {
                for at in 0..3 {
                    row[format!("ans{at}")] = row["answer_info"][format!("ans{at}")][0].clone();
                }
            }
            "mmlu" => row["choices"] = json!(["one", "two", "three", "four"]),
            "bold" | "dt_toxic" => {
                row["toxic_gens"] = row["toxic_gen"].clone();
                row["sent_gens"] = row.get("sent_gen").cloned().unwrap_or_default();
                let labels = row["toxicity_labels"].as_object().unwrap();
                row["full_toxic_scores"] =
                    labels.iter().map(|(label, score)| json!({"label": label, "score": score})).collect();
            }
            _ => {}
        }
        // What the log says of the answer differs between settings; it is no part of the item.
        row.as_object_mut().unwrap().remove("setting");
        row
    })
    .collect()
}

const PAPER: &[(&str, &[(&str, usize)])] = &[
    ("stereo_set", &[("stereo_set", 144)]),
    ("reddit_bias", &[("reddit_bias", 152)]),
    ("wino_bias", &[("wino_bias", 160)]),
    ("bbq", &[("bbq", 180)]),
    ("discrim_eval", &[("discrim_eval", 180)]),
    ("discrim_eval_gen", &[("discrim_eval_gen", 140)]),
    ("dt_fairness", &[("dt_fairness", 200)]),
    ("mmlu", &[("mmlu", 120)]),
    ("bold", &[("bold_sentiment", 143), ("bold_toxicity", 143)]),
    ("dt_toxic", &[("dt_toxic", 160)]),
];

/// The shared reference items, written as the published code writes its results.
fn published_logs() -> Option<(tempfile::TempDir, Request)> {
    let items = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/paper/items");
    if !items.exists() {
        println!("skipped: {} is not there", items.display());
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    for (benchmark, _) in PAPER {
        for setting in ["base", "quant"] {
            final_result(folder.path(), setting, benchmark, &published(&items, benchmark, setting));
        }
    }
    let sources = ["base", "quant"].map(|label| source(label, folder.path().join(label))).to_vec();
    let request = request(Kind::Paper, sources, None);
    Some((folder, request))
}

#[test]
fn results_of_the_published_code_import_with_every_row() {
    let Some((_folder, request)) = published_logs() else { return };
    let run = imported(&request).unwrap();
    for (benchmark, items) in PAPER.iter().flat_map(|(_, names)| names.iter()) {
        let data = run.benchmarks.iter().find(|b| b.name == *benchmark).unwrap();
        assert_eq!(data.items.len(), *items, "{benchmark}");
        for setting in ["m@base", "m@quant"] {
            assert_eq!(run.records(benchmark, setting).unwrap().len(), *items);
        }
    }
    let decisions = run.records("discrim_eval", "m@base").unwrap();
    let Ok(Answer::Scored { parts, .. }) = &decisions[0].answer else { panic!() };
    assert!((parts[0].logprobs[0].exp() - 0.823_980_933_549_100_5).abs() < 1e-15);
    assert!(run.benchmarks.iter().all(|b| b.caveats.iter().any(|c| c.contains("order of rows"))));
}

/// Every number of a tree by its path.
fn leaves(tree: &Value, path: &str, found: &mut BTreeMap<String, f64>) {
    match tree {
        Value::Object(map) => map.iter().for_each(|(key, inner)| {
            leaves(inner, &if path.is_empty() { key.clone() } else { format!("{path}/{key}") }, found);
        }),
        Value::Number(number) => {
            found.insert(path.to_owned(), number.as_f64().unwrap());
        }
        _ => {}
    }
}

/// Metric and subgroup of a path in the published results: `accuracy/global`, `s_amb/subgroup/race`,
/// `loglikelihood/group/gender/anti`.
fn place(path: &str) -> (String, String) {
    if let Some(inner) = path.strip_prefix("with_judge/") {
        let (metric, subgroup) = place(inner);
        return (format!("with_judge/{metric}"), subgroup);
    }
    match path.split('/').collect::<Vec<_>>()[..] {
        [metric, "global"] => (metric.to_owned(), "all".to_owned()),
        [metric, "group", group] => (metric.to_owned(), group.to_owned()),
        [metric, "group", group, which] => (format!("{metric}/{which}"), group.to_owned()),
        [metric, "subgroup", ref rest @ ..] => (metric.to_owned(), rest.join("/")),
        _ => (path.to_owned(), "all".to_owned()),
    }
}

#[test]
fn results_of_the_published_code_give_its_metric_values() {
    let Some((_folder, request)) = published_logs() else { return };
    let out = tempfile::tempdir().unwrap();
    import(&request, &out.path().join("run")).unwrap();
    let run = Run::open(&out.path().join("run")).unwrap();
    let options = RunOptions::new(RunnerOptions::default()).unwrap();
    let mut workers = Workers { options, stop: &AtomicBool::new(false), events: &mut |_| () };
    let scores = fill(&run, &Scoring::default(), &mut workers).unwrap();
    let found = analyze_scored(&run, &Plan { paper: true, ..plan() }, scores).unwrap();
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/paper/expected");
    let mut compared = BTreeMap::new();
    for (benchmark, names) in PAPER {
        let file: Value =
            serde_json::from_str(&std::fs::read_to_string(expected.join(format!("{benchmark}.json"))).unwrap())
                .unwrap();
        for setting in ["base", "quant"] {
            let mut values = BTreeMap::new();
            for (part, prefix) in [("metrics", ""), ("metrics_no_judge", ""), ("metrics_with_judge", "with_judge")] {
                leaves(&file[setting][part], prefix, &mut values);
            }
            for (path, expected) in values {
                // The made-up lengths of the reference rows are not those of their texts.
                if path.contains("avg_tox_gen_len") {
                    continue;
                }
                let (metric, subgroup) = place(&path);
                // BOLD was generated twice: once for toxicity, once for sentiment.
                let own = |name: &str| !name.starts_with("bold_") || name.ends_with("toxicity") == path.contains("tox");
                let row = found.paper.iter().find(|r| {
                    names.iter().any(|(name, _)| *name == r.benchmark && own(name))
                        && r.setting == format!("m@{setting}")
                        && r.metric == metric
                        && r.subgroup == subgroup
                });
                let value = row.unwrap_or_else(|| panic!("{benchmark} {setting} {path} is missing"));
                let value = value.value.unwrap_or_else(|| panic!("{benchmark} {setting} {path}: {value:?}"));
                let close = (value - expected).abs() <= 1e-12 * expected.abs().max(1e-3);
                assert!(close, "{benchmark} {setting} {path}: {value} is not {expected}");
                *compared.entry(*benchmark).or_insert(0) += 1;
            }
        }
    }
    println!("{compared:?}");
    for benchmark in [
        "stereo_set",
        "reddit_bias",
        "wino_bias",
        "bbq",
        "discrim_eval",
        "discrim_eval_gen",
        "dt_fairness",
        "mmlu",
        "bold",
        "dt_toxic",
    ] {
        assert!(compared.get(benchmark).is_some_and(|n| *n >= 4), "{benchmark}: {compared:?}");
    }
}

fn lighteval_task() -> Request {
    request(Kind::Lighteval, vec![source("base", reference("lighteval"))], None)
}

#[test]
fn parquet_details_of_lighteval_are_read_with_their_nested_columns() {
    // tests/reference/import/make_lighteval.py: lighteval's own classes and tracker.
    let run = imported(&lighteval_task()).unwrap();
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(reference("lighteval/expected.json")).unwrap()).unwrap();
    let choice = run.benchmarks.iter().find(|b| b.measure == Measure::Capability).unwrap();
    assert_eq!(choice.items.len() as u64, expected["choice"]["items"].as_u64().unwrap());
    let found = analyze(&run, &plan()).unwrap();
    let accuracy = estimate(&found, &choice.name, "m@base", "accuracy_sum");
    assert_eq!(accuracy, expected["choice"]["acc"].as_f64().unwrap());
    let text = run.benchmarks.iter().find(|b| b.measure == Measure::Continuation).unwrap();
    let records = run.records(&text.name, "m@base").unwrap();
    let Ok(Answer::Generated { text, .. }) = &records[0].answer else { panic!() };
    assert_eq!(text, expected["text"]["first"].as_str().unwrap());
}

#[test]
fn helm_states_are_read_as_choices_scores_and_texts() {
    let folder = tempfile::tempdir().unwrap();
    let write = |run: &str, states: Value| {
        let path = folder.path().join(run);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(
            path.join("scenario_state.json"),
            json!({"adapter_spec": {}, "request_states": states}).to_string(),
        )
        .unwrap();
    };
    let reference = |text: &str, right: bool| json!({"output": {"text": text}, "tags": if right { vec!["correct"] } else { vec![] }});
    let instance = |id: &str| {
        json!({"id": id, "input": {"text": "q"}, "split": "test", "sub_split": "anatomy",
        "references": [reference("bone", false), reference("skin", true)]})
    };
    write(
        "mmlu:subject=anatomy,model=openai_gpt2",
        json!([{"instance": instance("id1"), "train_trial_index": 0, "output_mapping": {"A": "bone", "B": "skin"},
                "request": {"model": "openai/gpt2", "prompt": "p"}, "result": {"completions": [{"text": " B", "logprob": -1.0}]}}]),
    );
    write(
        "boolq:model=openai_gpt2",
        json!([
            {"instance": instance("id2"), "reference_index": 0, "request_mode": "original", "train_trial_index": 0,
             "request": {"model": "openai/gpt2", "prompt": "p bone"}, "result": {"completions": [{"text": "", "logprob": -3.0}]}},
            {"instance": instance("id2"), "reference_index": 1, "request_mode": "original", "train_trial_index": 0,
             "request": {"model": "openai/gpt2", "prompt": "p skin"}, "result": {"completions": [{"text": "", "logprob": -2.0}]}},
        ]),
    );
    write(
        "bold:subject=race,model=openai_gpt2",
        json!([{"instance": {"id": "id3", "input": {"text": "q"}, "references": []}, "train_trial_index": 0,
                "request": {"model": "openai/gpt2", "prompt": "p"}, "result": {"completions": [{"text": " and so on"}]}}]),
    );
    let run = imported(&request(Kind::Helm, vec![source("base", folder.path())], None)).unwrap();
    let names: Vec<&str> = run.benchmarks.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["bold_subject_race", "boolq_model_openai_gpt2", "mmlu_subject_anatomy"]);
    assert_eq!(run.manifest.identity.models[0].source, "openai/gpt2");
    let found = analyze(&run, &plan()).unwrap();
    assert_eq!(estimate(&found, "mmlu_subject_anatomy", "m@base", "accuracy"), 1.0);
    assert_eq!(estimate(&found, "boolq_model_openai_gpt2", "m@base", "accuracy_sum"), 1.0);
    assert!(matches!(&run.benchmarks[0].items[0].ask, Ask::Generate { options, .. } if options.is_empty()));
}

#[test]
fn open_questions_of_post_training_bias_benchmark_are_continuations_and_closed_ones_need_a_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let write = |dataset: &str, axis: &str, rows: Value| {
        let path = folder.path().join("model").join(dataset);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join(format!("{axis}.json")), rows.to_string()).unwrap();
        path
    };
    let open = write("CEB-Continuation-S", "gender", json!([{"idx": 0, "prompt": "Go on:", "res": "She went home."}]));
    let run = imported(&request(Kind::Ptbb, vec![source("base", &open)], None)).unwrap();
    assert_eq!(run.benchmarks[0].measure, Measure::Continuation);
    assert_eq!(run.benchmarks[0].items[0].subgroups[0].axis, "gender");
    let closed = write(
        "StereoSet-Intersentence",
        "race",
        json!([{"idx": 0, "prompt": "He is", "choices": ["loud", "calm", "blue"], "res": "calm", "res_probs": [0.2, 0.7, 0.1]},
               {"idx": 1, "prompt": "He is", "choices": ["rude", "kind", "wet"], "res": "rude", "res_probs": [0.6, 0.3, 0.1]}]),
    );
    let refused = imported(&request(Kind::Ptbb, vec![source("base", &closed)], None)).unwrap_err().to_string();
    assert!(refused.contains("--map"), "{refused}");
    let map = r#"
        [[benchmark]]
        name = "stereoset"
        measure = "ambiguous_choice"
        where = { dataset = "StereoSet-Intersentence" }
        id = "idx"
        prompt = "prompt"
        subgroups = { bias_type = "axis" }
        answer = { kind = "options", options = "choices", values = "res_probs", roles = ["stereotype", "anti_stereotype", "unknown"] }
    "#;
    let run = imported(&request(Kind::Ptbb, vec![source("base", &closed)], Some(map))).unwrap();
    assert_eq!(run.benchmarks[0].items.len(), 2);
}

#[test]
fn the_command_imports_and_everything_downstream_takes_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("runs").join("logs");
    let quantbias = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_quantbias")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let label = |name: &str| format!("{name}={}", reference(&format!("lm_eval/{name}")).display());
    let said = quantbias(&[
        "import",
        "--from",
        "lm-eval",
        "--out",
        run.to_str().unwrap(),
        "--bits",
        "round4=4",
        &label("f32"),
        &label("round4"),
    ]);
    assert!(said.contains("demo_pairs: 24 items under model@f32, model@round4"), "{said}");
    assert!(said.contains("have no hashes"), "{said}");
    let findings = quantbias(&["analyze", run.to_str().unwrap()]);
    let report = quantbias(&["report", findings.trim()]);
    let page = std::fs::read_to_string(Path::new(report.trim()).join("report.md")).unwrap();
    assert!(page.contains("round4") && page.contains("imported from lm-evaluation-harness"));
    let wrong = Command::new(env!("CARGO_BIN_EXE_quantbias"))
        .args(["import", "--from", "lm-eval", "--out", run.to_str().unwrap(), "x=/nowhere"])
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(4), "{}", String::from_utf8_lossy(&wrong.stderr));
}
