//! `compare`: identity first, then paired changes; what cannot be paired says so.

use crate::auditing::{quantbias, shared, stderr, stdout};
use quantbias::benchmark::{Ask, BenchmarkData, Draws, Item, ItemId, Sampling};
use quantbias::findings::{self, Findings};
use quantbias::records::run_dir::items_sha256;
use quantbias::records::{Record, Run, RunDir, ShardKey};
use std::path::{Path, PathBuf};

fn compare(a: &Path, b: &Path, more: &[&str]) -> (Findings, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut args = vec!["compare", a.to_str().unwrap(), b.to_str().unwrap(), "--out", folder.path().to_str().unwrap()];
    args.extend(more);
    let output = quantbias(&args);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    let path = text.lines().find_map(|l| l.strip_prefix("findings  ")).unwrap();
    let report = text.lines().find_map(|l| l.strip_prefix("report    ")).unwrap();
    assert!(Path::new(report).exists());
    (findings::load(Path::new(path)).unwrap(), text)
}

/// A run like the shared one with edited items and model files: the answers stay.
fn variant(to: &Path, edit: impl Fn(usize, &mut Item), weights: Option<&str>) -> PathBuf {
    let run = Run::open(&shared().only("runs")).unwrap();
    let mut identity = run.manifest.identity.clone();
    let data: Vec<BenchmarkData> = run
        .benchmarks
        .iter()
        .map(|b| {
            let mut data = b.clone();
            data.items.iter_mut().enumerate().for_each(|(i, item)| edit(i, item));
            data
        })
        .collect();
    for (benchmark, data) in identity.benchmarks.iter_mut().zip(&data) {
        benchmark.items_sha256 = items_sha256(data).unwrap();
    }
    if let Some(sha) = weights {
        identity.models[0].files.insert("model.safetensors".to_owned(), sha.to_owned());
    }
    let mut dir = RunDir::create(to, identity.clone(), &data.iter().collect::<Vec<_>>(), false).unwrap();
    for data in &data {
        for setting in &identity.settings {
            let records = run.records(&data.name, &setting.id).unwrap();
            let answers = data.items.iter().zip(records);
            let records: Vec<Record> =
                answers.map(|(i, r)| Record { item: i.id.clone(), answer: r.answer.clone() }).collect();
            let key = ShardKey { benchmark: data.name.clone(), setting: setting.id.clone(), index: 0 };
            dir.write_shard(&key, &records).unwrap();
        }
    }
    dir.finish(Vec::new()).unwrap();
    to.to_owned()
}

#[test]
fn a_run_against_itself_has_the_same_identity_and_no_change() {
    let run = shared().only("runs");
    let (found, text) = compare(&run, &run, &[]);
    assert!(text.contains("have the same identity"), "{text}");
    let compared = found.compared.as_ref().unwrap();
    assert_eq!(compared.identity, []);
    assert_eq!(
        compared.pairs.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(),
        ["base@none", "base@q8_0", "base@q2k"]
    );
    assert!(compared.benchmarks[0].paired && compared.benchmarks[0].same == 72, "{compared:?}");
    assert!(found.contrasts.iter().all(|c| c.delta.is_none_or(|d| d == 0.0)));
}

#[test]
fn two_settings_of_one_run_compare_as_the_run_s_own_contrast() {
    let run = shared().only("runs");
    let (found, _) = compare(&run, &run, &["--pair", "base@none=base@q2k"]);
    let own = findings::load(&shared().only("findings").join("findings.json")).unwrap();
    let mut seen = 0;
    for row in &found.contrasts {
        let c = &row.cell;
        let twin = own
            .contrasts
            .iter()
            .find(|o| {
                o.setting == "base@q2k"
                    && (&o.cell.metric, &o.cell.axis, &o.cell.subgroup) == (&c.metric, &c.axis, &c.subgroup)
            })
            .unwrap();
        // The same items, the same draws: the same numbers to the bit, but for what a family adds.
        assert_eq!((row.delta, row.se, row.interval, &row.test), (twin.delta, twin.se, twin.interval, &twin.test));
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn what_differs_in_identity_comes_first_and_only_equal_items_are_paired() {
    let folder = tempfile::tempdir().unwrap();
    let sha = "0".repeat(64);
    // Nine items get another key polarity: other items under the same id.
    let edit = |i: usize, item: &mut Item| {
        if i < 9 {
            item.key.polarity = Some("neg".to_owned());
        }
    };
    let other = variant(&folder.path().join("other"), edit, Some(&sha));
    let (found, text) = compare(&shared().only("runs"), &other, &[]);
    let compared = found.compared.unwrap();
    let one = &compared.benchmarks[0];
    assert_eq!((one.same, one.changed, one.only_a, one.only_b, one.paired), (63, 9, 0, 0, true));
    let about: Vec<&str> = compared.identity.iter().map(|c| c.about.as_str()).collect();
    assert_eq!(about, ["models", "prompts"], "{:?}", compared.identity);
    assert_eq!(compared.identity[0].path, "models.base.files.model.safetensors");
    let (models, numbers) = (text.find("differ in their models").unwrap(), text.find("quantized setting").unwrap());
    assert!(models < numbers, "{text}");
    assert!(found.contrasts.iter().filter(|c| c.cell.axis == "all").all(|c| c.items <= 63));
}

#[test]
fn items_that_differ_in_the_seed_of_sampled_text_alone_are_the_same_items() {
    let folder = tempfile::tempdir().unwrap();
    let sampled = |name: &str, seed: u64, temperature: f64| {
        let edit = move |i: usize, item: &mut Item| {
            let mut ask = Ask::generate(format!("question {i}"), vec![], 8, false);
            let Ask::Generate { decoding, .. } = &mut ask else { panic!() };
            let sampling = Sampling { temperature, ..Sampling::default() };
            let (benchmark, id) = ("b".to_owned(), item.id.to_string());
            decoding.draws = Some(Box::new(Draws { sampling, seed, benchmark, item: id, repeat: 1 }));
            item.ask = ask;
        };
        variant(&folder.path().join(name), edit, None)
    };
    let first = sampled("first", 1, 1.0);
    for (other, same) in [(sampled("second", 2, 1.0), 72), (sampled("third", 1, 0.5), 0)] {
        let (found, _) = compare(&first, &other, &[]);
        assert_eq!(found.compared.unwrap().benchmarks[0].same, same);
    }
}

#[test]
fn without_common_items_the_comparison_is_marked_unpaired() {
    let folder = tempfile::tempdir().unwrap();
    let rename = |_: usize, item: &mut Item| item.id = ItemId::new(format!("other-{}", item.id));
    let other = variant(&folder.path().join("other"), rename, None);
    let (found, text) = compare(&shared().only("runs"), &other, &["--pair", "base@none=base@q2k"]);
    assert!(text.contains("UNPAIRED: 0 items are the same"), "{text}");
    let own = findings::load(&shared().only("findings").join("findings.json")).unwrap();
    let mut seen = 0;
    for row in &found.contrasts {
        assert!(row.flags.iter().any(|f| f == "unpaired"), "{row:?}");
        assert!(row.verdict.is_none() && row.flips.is_none());
        let c = &row.cell;
        let value = |setting: &str| {
            own.estimates
                .iter()
                .find(|e| {
                    e.setting == setting
                        && (&e.cell.metric, &e.cell.axis, &e.cell.subgroup) == (&c.metric, &c.axis, &c.subgroup)
                })
                .unwrap()
        };
        let (a, b) = (value("base@none"), value("base@q2k"));
        if let (Some(x), Some(y), Some(se)) = (a.value, b.value, row.se) {
            assert_eq!(row.delta, Some(y - x));
            let expected = (a.se.unwrap().powi(2) + b.se.unwrap().powi(2)).sqrt();
            assert!((se - expected).abs() <= 1e-12 * expected.max(1.0));
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn runs_that_share_nothing_are_refused_with_what_they_hold() {
    let run = shared().only("runs");
    let run = run.to_str().unwrap();
    for (pair, needle) in
        [("base@none=base@q6k", "has no setting \"base@q6k\"; it has base@none"), ("x", "A_SETTING=B_SETTING")]
    {
        let output = quantbias(&["compare", run, run, "--pair", pair]);
        assert!([2, 4].contains(&output.status.code().unwrap()), "{pair}");
        assert!(stderr(&output).contains(needle), "{}", stderr(&output));
    }
}
