//! Metrics of DiscrimEvalGen, the contests, and HolisticBias where the answers are known: closed-form values, through
//! records and analysis.

use super::{load_fixture, request};
use crate::analysis::{realised, write_run};
use quantbias::analysis::analyze;
use quantbias::benchmark::{self, Ask, AskForm, BenchmarkData, Item, Measure, Options};
use quantbias::engine::{Answer, AskError, Finish, Part, Thought};
use quantbias::findings::Findings;
use quantbias::metric::subgroup_choice::Counts;
use quantbias::metric::{Emission, Outcome, Reading, Said, metrics_of};
use quantbias::records::{Run, SettingIdentity};
use quantbias::scorer::{TextScore, Toxicity};
use quantbias::spec::{Plan, QuantScheme, Setting};
use std::collections::BTreeMap;

fn said(text: &str) -> Result<Answer, AskError> {
    Ok(Answer::Generated {
        text: text.to_owned(),
        tokens: vec![1],
        finish: Finish::Stop,
        prompt_tokens: 3,
        thought: None,
    })
}

/// Findings of one unquantized setting whose answers a rule gives.
fn findings(data: &BenchmarkData, rule: &dyn Fn(usize, &Item, &str) -> Result<Answer, AskError>) -> Findings {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let setting = SettingIdentity {
        id: Setting::id("m", QuantScheme::None.name(), false),
        model: "m".to_owned(),
        requested: QuantScheme::None,
        baseline: true,
        aa: false,
        files: BTreeMap::new(),
        realised: realised(32.0),
    };
    write_run(&path, data, vec![setting], rule);
    let plan = Plan { replicates: 1000, draws: 999, ..Plan::default() };
    analyze(&Run::open(&path).unwrap(), &plan).unwrap()
}

/// Value of a metric in a subgroup; `Err` where there is no such row.
fn value(found: &Findings, metric: &str, subgroup: &str) -> Result<Option<f64>, String> {
    let is = |e: &&quantbias::findings::EstimateRow| e.cell.metric == metric && e.cell.subgroup == subgroup;
    found.estimates.iter().find(is).map(|e| e.value).ok_or_else(|| format!("no row {metric} {subgroup}"))
}

/// DiscrimEvalGen with `n` questions.
fn choices(n: usize) -> BenchmarkData {
    let dir = tempfile::tempdir().unwrap();
    let line =
        |i: usize| format!("{{\"decision_question_id\": {i}, \"removed_template\": \"May they have boat {i}?\"}}\n");
    let text: String = (0..n).map(line).collect();
    std::fs::write(dir.path().join("discrim-eval-templated.jsonl"), text).unwrap();
    let options = Options { allow_unpinned: true, ..Options::default() };
    benchmark::load(&request("discrim_eval_gen", dir.path(), options)).unwrap()
}

/// The letter of the option that names a subgroup, or of the neutral one.
fn letter(item: &Item, name: Option<&str>) -> String {
    let at = item.key.names.iter().position(|s| s.as_ref().map(|s| s.name.as_str()) == name).unwrap();
    format!("({})", (b'A' + at as u8) as char)
}

#[test]
fn an_engine_that_never_prefers_anybody_has_a_neutral_share_of_one() {
    let found = findings(&choices(20), &|_, item, _| said(&letter(item, None)));
    for (metric, subgroup, expected) in [
        ("neutral_share", "all", Some(1.0)),
        ("neutral_share", "gender", Some(1.0)),
        ("neutral_share_answered", "race", Some(1.0)),
        ("named_share", "woman", Some(0.0)),
        ("named_share", "Black", Some(0.0)),
        ("named_share_answered", "man", Some(0.0)),
        ("named_share_naming", "man", None),
        ("no_answer_rate", "all", Some(0.0)),
    ] {
        assert_eq!(value(&found, metric, subgroup), Ok(expected), "{metric} {subgroup}");
    }
    assert!(value(&found, "neutral_share", "woman").is_err(), "the share is of an axis, not of a subgroup");
    assert!(value(&found, "named_share", "all").is_err(), "the share is of a subgroup");
}

#[test]
fn an_engine_that_always_names_one_subgroup_has_shares_of_one_and_zero() {
    let name = |item: &Item| if item.subgroups[0].name == "gender" { "woman" } else { "Black" };
    let found = findings(&choices(20), &|_, item, _| said(&letter(item, Some(name(item)))));
    for metric in ["named_share", "named_share_answered", "named_share_naming"] {
        for (subgroup, expected) in [("woman", 1.0), ("man", 0.0), ("non-binary", 0.0), ("Black", 1.0), ("Asian", 0.0)]
        {
            assert_eq!(value(&found, metric, subgroup), Ok(Some(expected)), "{metric} {subgroup}");
        }
    }
    assert_eq!(value(&found, "neutral_share", "all"), Ok(Some(0.0)));
}

#[test]
fn shares_are_told_apart_by_what_they_are_shares_of() {
    // Of 20 questions about gender: 10 answers "woman", 5 neutral, 5 unreadable.
    let data = choices(20);
    let found = findings(&data, &|i, item, _| match (i / 2) % 4 {
        0 | 1 if item.subgroups[0].name == "gender" => said(&letter(item, Some("woman"))),
        3 => said("hmm"),
        _ => said(&letter(item, None)),
    });
    for (metric, subgroup, expected) in [
        ("named_share", "woman", 0.5),
        ("named_share_answered", "woman", 10.0 / 15.0),
        ("named_share_naming", "woman", 1.0),
        ("neutral_share", "gender", 0.25),
        ("neutral_share_answered", "gender", 5.0 / 15.0),
        ("neutral_share", "race", 0.75),
        ("neutral_share_answered", "race", 1.0),
        ("no_answer_rate", "all", 0.25),
    ] {
        let found = value(&found, metric, subgroup).unwrap().unwrap();
        assert!((found - expected).abs() < 1e-12, "{metric} {subgroup}: {found} for {expected}");
    }
}

#[test]
fn ranges_and_deviations_of_counts_are_those_of_the_published_code() {
    // Counts and values computed by the functions of Marcuzzi et al. on 70 questions each (baseline, then quantized).
    let counts = |neutral, named: &[(&str, usize)]| Counts {
        asked: 70,
        neutral,
        named: named.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<BTreeMap<_, _>>(),
    };
    let cases = [
        (
            counts(31, &[("man", 8), ("non-binary", 9), ("woman", 3)]),
            0.117_647_058_823_529_42,
            0.122_222_222_222_222_23,
        ),
        (
            counts(35, &[("asian", 1), ("black", 5), ("hispanic", 4), ("native", 10), ("white", 2)]),
            0.157_894_736_842_105_25,
            0.112_727_272_727_272_72,
        ),
        (
            counts(23, &[("man", 8), ("non-binary", 14), ("woman", 5)]),
            0.180_000_000_000_000_02,
            0.123_456_790_123_456_78,
        ),
        (counts(18, &[("asian", 6), ("black", 2), ("hispanic", 7), ("native", 10), ("white", 7)]), 0.16, 0.06),
    ];
    for (counts, range, deviation) in cases {
        assert!((counts.range_of_answered().unwrap() - range).abs() < 1e-12, "{counts:?}");
        assert!((counts.mean_absolute_deviation().unwrap() - deviation).abs() < 1e-12, "{counts:?}");
        let most_less_least = range * counts.answered() as f64;
        assert!((counts.range_of_asked().unwrap() - most_less_least / 70.0).abs() < 1e-12, "{counts:?}");
    }
    assert_eq!(counts(3, &[("man", 0), ("woman", 0)]).mean_absolute_deviation(), None);
    assert_eq!(Counts::default().range_of_answered(), None);
}

#[test]
fn contests_have_the_mean_over_samples_and_the_unbiased_pass_at_k() {
    let options = Options { samples: Some(4), ..Options::default() };
    let data = load_fixture("aime_2025", "contest_parquet", options);
    // Right answers: 4 of 4, 2 of 4, 0 of 4.
    let found = findings(&data, &|i, item, _| {
        let right = i % 4 < [4, 2, 0][i / 4];
        said(&if right {
            format!("so \\boxed{{{}}}", item.key.answer.as_deref().unwrap())
        } else {
            "\\boxed{-1}".into()
        })
    });
    // 1 − C(2, 2)/C(4, 2) = 5/6 for the problem with two right ones.
    for (metric, expected) in [
        ("exact_accuracy", 0.5),
        ("exact_accuracy_answered", 0.5),
        ("pass_at_2", (1.0 + 5.0 / 6.0 + 0.0) / 3.0),
        ("pass_at_4", 2.0 / 3.0),
        ("no_answer_rate", 0.0),
    ] {
        let found = value(&found, metric, "all").unwrap().unwrap();
        assert!((found - expected).abs() < 1e-12, "{metric}: {found} for {expected}");
    }
    let once = findings(&load_fixture("aime_2025", "contest_csv", Options::default()), &|_, _, _| said("no idea"));
    assert_eq!(value(&once, "exact_accuracy", "all"), Ok(Some(0.0)));
    assert_eq!(value(&once, "exact_accuracy_answered", "all"), Ok(None));
    assert_eq!(value(&once, "no_answer_rate", "all"), Ok(Some(1.0)));
    assert!(value(&once, "pass_at_2", "all").is_err(), "one sample cannot be drawn twice");
}

#[test]
fn thinking_is_reported_in_tokens_where_there_is_any_and_cut_thinking_is_truncated() {
    let data = load_fixture("aime_2025", "contest_csv", Options::default());
    let thought = |text: &str, finish, tokens| {
        Ok(Answer::Generated {
            text: text.to_owned(),
            tokens: vec![],
            finish,
            prompt_tokens: 3,
            thought: Some(Thought { text: "\\boxed{1}".to_owned(), tokens }),
        })
    };
    // Two replies are counted, one is not, one has no thinking part.
    let found = findings(&data, &|i, item, _| match i {
        0 => thought(&format!("\\boxed{{{}}}", item.key.answer.as_deref().unwrap()), Finish::Stop, Some(30)),
        1 => thought("", Finish::Length, Some(90)),
        _ => said("no idea"),
    });
    assert_eq!(value(&found, "thinking_tokens", "all"), Ok(Some(60.0)));
    assert_eq!(value(&found, "exact_accuracy", "all"), Ok(Some(1.0 / data.items.len() as f64)));
    let truncated: u64 = found.coverage.iter().filter(|c| c.axis == "all").map(|c| c.truncated).sum();
    assert_eq!(truncated, 1);
    let none = findings(&data, &|_, _, _| said("no idea"));
    assert!(value(&none, "thinking_tokens", "all").is_err(), "undefined where nobody thinks");
}

#[test]
fn the_worst_of_four_replies_is_per_prompt_and_never_taken_from_fewer() {
    let items = load_fixture("aime_2025", "contest_csv", Options { samples: Some(5), ..Options::default() }).items;
    // One prompt with five usable replies, one with four, one with three.
    let scores = [
        [Some(0.1), Some(0.9), Some(0.2), Some(0.3), Some(0.4)],
        [Some(0.6), None, Some(0.1), Some(0.2), Some(0.3)],
        [None, None, Some(0.9), Some(0.9), Some(0.9)],
    ];
    let reading = |toxicity: &Option<f64>| Reading {
        outcome: if toxicity.is_some() { Outcome::Answered } else { Outcome::Refused },
        said: toxicity.map(|t| {
            Said::Text(TextScore {
                compound: 0.0,
                compound_sentences: 0.0,
                compound_matched: 0.0,
                insulting: false,
                toxicity: Some(Toxicity { labels: [t, 0.0, 0.0, 0.0, 0.0, 0.0] }),
                verdict: None,
            })
        }),
        thinking_tokens: None,
    };
    let readings: Vec<Reading> = scores.iter().flatten().map(reading).collect();
    let emitted = |id: &str| {
        let metric = metrics_of(Measure::Continuation).iter().find(|m| m.info().id == id).unwrap();
        let all = metric.emit_all(&items[..15], &readings);
        assert!(all.iter().enumerate().all(|(i, e)| i % 5 == 0 || *e == Emission::NotApplicable));
        [all[0], all[5], all[10]]
    };
    let close = |found: Emission, expected: f64| {
        let Emission::Totals([value, 1.0]) = found else { panic!("{found:?}") };
        assert!((value - expected).abs() < 1e-12, "{value} for {expected}");
    };
    // Four of five leave out one: the largest is .9 unless that is it, then .4.
    let worst = emitted("expected_max_toxicity_4");
    close(worst[0], (4.0 * 0.9 + 0.4) / 5.0);
    close(worst[1], 0.6);
    assert_eq!(worst[2], Emission::Missing);
    let toxic = emitted("toxicity_probability_4");
    close(toxic[0], 0.8);
    close(toxic[1], 1.0);
    assert_eq!(toxic[2], Emission::Missing);
    assert_eq!(emitted("expected_max_toxicity_25"), [Emission::NotApplicable; 3]);
    // The refused reply is the second of the second prompt; one metric has a value all the same, and the prompt is open:
    // of four among .6, .1, .2, .3 and anything the largest is between (4·.6 + .3)/5 and (4 + .6)/5, and one is toxic with 4/5
    // or 1. The third prompt has too few for a value, and 25 were not asked.
    for metric in metrics_of(Measure::Continuation) {
        let id = metric.info().id;
        let open = metric.open_replies(&items[..15], &readings);
        let expected = match id.as_str() {
            "expected_max_toxicity_4" => vec![(5, 0.92 - 0.54), (10, 1.0)],
            "toxicity_probability_4" => vec![(5, 0.2), (10, 1.0)],
            "expected_max_toxicity_25" | "toxicity_probability_25" => vec![(5, 1.0), (10, 1.0)],
            _ => vec![(6, 1.0), (10, 1.0), (11, 1.0)],
        };
        let at: Vec<(usize, f64)> = open.into_iter().enumerate().filter(|(_, n)| *n > 0.0).collect();
        let close = |((i, x), (j, y)): (&(usize, f64), &(usize, f64))| i == j && (x - y).abs() < 1e-12;
        assert!(at.len() == expected.len() && at.iter().zip(&expected).all(close), "{id}: {at:?}");
    }
}

#[test]
fn a_descriptor_is_compared_with_the_rest_of_its_axis_per_token() {
    let data = load_fixture("holistic_bias", "holistic_bias", Options::default());
    // "tall" costs 2 nats a token, everything else 3; sentences have two tokens.
    let found = findings(&data, &|_, item, _| {
        let Ask::Likelihood { candidates } = &item.ask else { panic!("likelihood expected") };
        let each = if candidates[0].text.contains("tall") { -2.0 } else { -3.0 };
        let part = Part { label: "0".into(), tokens: vec![7, 8], logprobs: vec![each, each] };
        Ok(Answer::Scored { parts: vec![part], prompt_tokens: 2 })
    });
    // The bucket `tall` has 5 sentences with "tall" and 5 with "upright".
    assert_eq!(value(&found, "token_likelihood", "tall"), Ok(Some(-2.5)));
    assert_eq!(value(&found, "token_likelihood", "short"), Ok(Some(-3.0)));
    assert_eq!(value(&found, "descriptor_gap", "tall"), Ok(Some(0.5)));
    // The rest of the axis: 10 of `tall`, 5 of the phrases; mean −(5·2 + 10·3)/15.
    let short = value(&found, "descriptor_gap", "short").unwrap().unwrap();
    assert!((short - (-3.0 + 40.0 / 15.0)).abs() < 1e-12, "{short}");
    let generated = Options { ask: Some(AskForm::Generate), ..Options::default() };
    let data = load_fixture("holistic_bias", "holistic_bias", generated);
    let found = findings(&data, &|_, _, _| said("How lovely!"));
    assert_eq!(value(&found, "sentiment_gap", "tall"), Ok(Some(0.0)));
}
