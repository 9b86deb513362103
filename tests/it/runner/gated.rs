//! From prompts that are put several times to an exit code: replies that cannot be used leave a gate open where they could
//! decide it, though they change no number.

use super::*;
use quantbias::analysis::analyze;
use quantbias::engine::{Answer, Finish};
use quantbias::findings::{Findings, OnInconclusive, Verdict};
use quantbias::pipeline::gate_code;
use quantbias::report::summary_lines;
use quantbias::spec::{Gate, Plan};

const PROBLEMS: usize = 40;

/// Forty problems, each put four times; the answer is 7.
fn problems() -> PlannedBenchmark {
    let sample = |i: usize| {
        let ask = Ask::generate(format!("problem {} again {}", i / 4, i % 4), vec![], 8, false);
        let key = Key { answer: Some("7".into()), ..Key::default() };
        let cluster = ClusterId::new(format!("p{:02}", i / 4));
        Item { cluster, key, ..item(format!("s{i:03}"), ask) }
    };
    let items: Vec<Item> = (0..4 * PROBLEMS).map(sample).collect();
    let PlannedBenchmark { data, models } = benchmark("contest", items);
    let data = BenchmarkData { measure: Measure::ExactAnswer, ..Arc::unwrap_or_clone(data) };
    PlannedBenchmark { data: Arc::new(data), models }
}

/// Findings where the first `right` of four replies to a problem are right and the others wrong, but for the third one to
/// each of the first `unusable` problems under q4k, which cannot be used.
fn found(right: usize, unusable: usize) -> Findings {
    let benchmark = problems();
    let replies = |unusable: usize| {
        let reply = |(i, item): (usize, &Item)| {
            let said = if i % 4 < right { "\\boxed{7}" } else { "\\boxed{8}" };
            let text = if i % 4 == 2 && i / 4 < unusable { "That depends." } else { said };
            let (text, finish) = (text.to_owned(), Finish::Stop);
            let answer = Answer::Generated { text, tokens: vec![1], finish, prompt_tokens: 3, thought: None };
            (scripted::ask_key(&item.ask), answer)
        };
        Rule::Table(benchmark.data.items.iter().enumerate().map(reply).collect())
    };
    let rules = BTreeMap::from([("toy@q4k".to_owned(), replies(unusable))]);
    let script = Script { rule: replies(0), rules, ..Script::default() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let summary = go(&plan(script, 2, vec![benchmark]), &path, false).unwrap();
    assert_eq!((summary.items, summary.failed), (3 * 4 * PROBLEMS as u64, 0));
    let gate = Gate {
        id: "solved".into(),
        benchmark: "contest".into(),
        metric: Some("pass_at_2".into()),
        models: None,
        schemes: None,
        axes: Some(vec!["all".into()]),
        subgroups: None,
        margin: 0.2,
        worse: None,
        inconclusive: None,
    };
    let plan = Plan { replicates: 1000, draws: 999, gates: vec![gate], ..Plan::default() };
    analyze(&Run::open(&path).unwrap(), &plan).unwrap()
}

#[test]
fn unusable_replies_to_enough_prompts_leave_a_gate_open_and_end_an_audit_with_11() {
    // No problem changed, and the bound on what was missed is 1 − 0.05^(1/40) = 0.0722. One right of four is "solved in 2"
    // at 1 − 3/6 = 1/2; were the unusable one right too, at 1 − 1/6 = 5/6. So u problems with such a reply could move the
    // share by u/3/40: 0.0722 + 15/120 = 0.1972 is inside the margin of 0.2, and with 16/120 it is 0.2055. Where four of
    // four were right, one of two that are drawn is right whatever the lost one was: all 40 may have lost it.
    let bound = 1.0 - 0.05_f64.powf(1.0 / 40.0);
    let (pass, open) = ((Verdict::Pass, 0), (Verdict::Inconclusive, 11));
    let cases = [(1, 0, pass), (1, 15, pass), (1, 16, open), (1, 40, open), (4, 0, pass), (4, 6, pass), (4, 40, pass)];
    for (right, unusable, (verdict, code)) in cases {
        let found = found(right, unusable);
        let gate = &found.verdicts.iter().find(|v| v.setting == "toy@q4k").unwrap();
        assert_eq!((gate.gate.as_str(), gate.verdict), ("solved", Some(verdict)), "{right} {unusable}");
        let cell = &gate.decided[0];
        assert!((cell.lower.unwrap() + bound).abs() < 1e-12, "{cell:?}");
        assert_eq!(cell.missing, code == 11);
        let row = found.contrasts.iter().find(|c| c.cell.metric == "pass_at_2" && c.setting == "toy@q4k").unwrap();
        assert_eq!((row.delta, row.items, row.changed_clusters), (Some(0.0), 40, 0));
        assert_eq!(gate_code(&found, OnInconclusive::Fail), code);
        let said = summary_lines(&found).join("\n");
        assert_eq!(said.contains("answers are missing that could decide it either way"), code == 11, "{said}");
        assert!(!said.contains("could have missed"), "{said}");
    }
}

#[test]
fn rows_about_missing_answers_hold_the_worst_and_the_best_that_unusable_replies_could_have_been() {
    let found = found(4, 6);
    let of = |subgroup: &str| {
        let own = |m: &&quantbias::findings::MissingRow| m.cell.subgroup == subgroup && m.setting == "toy@q4k";
        found.missing.iter().find(own).unwrap()
    };
    let row = of("all");
    assert_eq!((row.cell.metric.as_str(), row.items, row.one_side, row.neither), ("exact_accuracy", 160, 6, 0));
    // 160 replies, six of them unusable under q4k: wrong, left out, wrong, or right.
    let treatments: Vec<(&str, f64, u64)> =
        row.treatments.iter().map(|t| (t.treatment.as_str(), t.delta.unwrap(), t.items)).collect();
    let wrong = -6.0 / 160.0;
    let expected = [
        ("own_category", wrong, 160),
        ("complete_pairs", 0.0, 154),
        ("worst_case", wrong, 160),
        ("best_case", 0.0, 160),
    ];
    assert_eq!(treatments.len(), 4);
    for ((name, delta, items), (wanted, value, of)) in treatments.into_iter().zip(expected) {
        assert_eq!((name, items), (wanted, of));
        assert!((delta - value).abs() < 1e-12, "{name}: {delta}");
    }
}
