//! The demo items: enough of them, balanced as designed, and our own.

use super::{by_subgroup, count, request, shared};
use quantbias::benchmark::{self, Ask, BenchmarkData, Item, Measure, Options, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

fn benchmark_named(name: &str) -> BenchmarkData {
    benchmark::demo(false).into_iter().map(|d| d.data).find(|d| d.name == name).unwrap()
}

fn clusters<'d>(items: impl IntoIterator<Item = &'d Item>) -> usize {
    items.into_iter().map(|i| &i.cluster).collect::<BTreeSet<_>>().len()
}

/// Items by subgroup and condition, which is what one interval rests on.
fn cells(data: &BenchmarkData) -> BTreeMap<String, Vec<&Item>> {
    let mut out: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
    for item in &data.items {
        for s in &item.subgroups {
            let condition = item.condition.as_deref().unwrap_or_default();
            out.entry(format!("{}/{} {condition}", s.axis, s.name)).or_default().push(item);
        }
    }
    out
}

/// An interval needs 30 items and 15 clusters.
fn assert_enough(data: &BenchmarkData) {
    for (cell, items) in cells(data) {
        let n = clusters(items.iter().copied());
        assert!(items.len() >= 30 && n >= 15, "{} {cell}: {} items, {n} clusters", data.name, items.len());
    }
}

#[test]
fn each_of_the_four_kinds_of_ask_has_its_benchmark_and_models() {
    let found: Vec<(String, Measure, &str, &[&str])> = benchmark::demo(false)
        .into_iter()
        .map(|d| (d.data.name.clone(), d.data.measure, d.data.items[0].ask.kind(), d.models))
        .collect();
    let plain: &[&str] = &["base", "qwen"];
    let expected = [
        ("demo_pairs", Measure::PairPreference, "likelihood", plain),
        ("demo_choice", Measure::AmbiguousChoice, "likelihood", plain),
        ("demo_choice_generated", Measure::AmbiguousChoice, "generate", &["chat"]),
        ("demo_decision", Measure::Decision, "first_token", plain),
        ("demo_continuation", Measure::Continuation, "generate", &["chat"]),
    ];
    assert_eq!(found, expected.map(|(name, measure, kind, models)| (name.to_owned(), measure, kind, models)));
}

#[test]
fn the_full_demo_is_large_enough_for_intervals() {
    for data in benchmark::demo(false).into_iter().map(|d| d.data) {
        assert!(data.items.len() >= 120, "{}: {} items", data.name, data.items.len());
        assert!(clusters(&data.items) >= 30, "{}: {} clusters", data.name, clusters(&data.items));
        let axes: BTreeSet<&str> = data.items.iter().flat_map(|i| &i.subgroups).map(|s| s.axis.as_str()).collect();
        assert_eq!(axes.into_iter().collect::<Vec<_>>(), ["age", "ethnicity", "gender", "religion"], "{}", data.name);
        assert_enough(&data);
    }
}

#[test]
fn the_quick_demo_is_a_smaller_part_with_enough_items_for_intervals() {
    for (quick, full) in benchmark::demo(true).into_iter().zip(benchmark::demo(false)) {
        let (quick, full) = (quick.data, full.data);
        assert!(quick.items.len() <= 2 * full.items.len() / 3, "{}: {}", quick.name, quick.items.len());
        let mut rest = full.items.iter();
        assert!(quick.items.iter().all(|q| rest.any(|f| f == q)), "{}: the same items in the same order", quick.name);
        let kept: BTreeSet<_> = quick.items.iter().flat_map(|i| &i.subgroups).collect();
        for cluster in quick.items.iter().map(|i| &i.cluster).collect::<BTreeSet<_>>() {
            let of = |data: &BenchmarkData| {
                let about = |i: &&Item| i.cluster == *cluster && i.subgroups.iter().any(|s| kept.contains(s));
                data.items.iter().filter(about).count()
            };
            assert_eq!(of(&quick), of(&full), "{} {cluster}", quick.name);
        }
        assert_enough(&quick);
    }
}

#[test]
fn every_pair_differs_in_one_trait() {
    let data = benchmark_named("demo_pairs");
    for item in &data.items {
        let [(_, more), (_, less)] = super::candidates(item)[..] else { panic!("two candidates expected") };
        let (more, less): (Vec<_>, Vec<_>) = (more.split(' ').collect(), less.split(' ').collect());
        assert_eq!(more.len(), less.len(), "{}", item.id);
        assert_eq!(more.iter().zip(&less).filter(|(a, b)| a != b).count(), 1, "{}", item.id);
        assert_eq!(item.key.roles, [Role::Stereotype, Role::AntiStereotype]);
    }
    assert!(by_subgroup(&data).values().all(|&n| n == 32));
}

#[test]
fn choices_balance_condition_polarity_and_the_right_answer() {
    for name in ["demo_choice", "demo_choice_generated"] {
        let data = benchmark_named(name);
        let cells = count(&data, |i| {
            let gold = i.key.roles[i.key.gold.unwrap() as usize];
            (i.subgroups[0].name.clone(), i.condition.clone().unwrap(), i.key.polarity.clone().unwrap(), gold)
        });
        for subgroup in ["woman", "old", "Muslim", "Black"] {
            for polarity in ["neg", "nonneg"] {
                let n = |condition: &str, gold| {
                    let key = (subgroup.to_owned(), condition.to_owned(), polarity.to_owned(), gold);
                    cells.get(&key).copied().unwrap_or_default()
                };
                let found = [
                    n("ambiguous", Role::Unknown),
                    n("disambiguated", Role::Stereotype),
                    n("disambiguated", Role::AntiStereotype),
                ];
                assert_eq!(found, [16, 8, 8], "{name} {subgroup} {polarity}");
            }
        }
    }
}

#[test]
fn both_forms_of_a_choice_ask_about_the_same_items() {
    let (scored, generated) = (benchmark_named("demo_choice"), benchmark_named("demo_choice_generated"));
    assert_eq!(scored.items.len(), generated.items.len());
    for (s, g) in scored.items.iter().zip(&generated.items) {
        assert_eq!((&s.id, &s.cluster, &s.condition), (&g.id, &g.cluster, &g.condition));
        let Ask::Generate { prompt, options, chat: true, .. } = &g.ask else { panic!("a chat question expected") };
        for (letter, option) in ["(A)", "(B)", "(C)"].iter().zip(options) {
            assert!(prompt.contains(&format!("\n{letter} {option}\n")), "{prompt}");
        }
    }
}

#[test]
fn decisions_are_orthogonal_in_a_question_and_factorial_in_nine() {
    let data = benchmark_named("demo_decision");
    assert_eq!(data.items.len(), 36 * 9);
    let level = |i: &Item, axis: &str| i.subgroups.iter().find(|s| s.axis == axis).unwrap().name.clone();
    let axes = ["age", "ethnicity", "gender", "religion"];
    for question in data.items.chunks(9) {
        assert_eq!(clusters(question), 1);
        for (n, a) in axes.iter().enumerate() {
            for b in &axes[n + 1..] {
                let pairs: BTreeSet<_> = question.iter().map(|i| (level(i, a), level(i, b))).collect();
                assert_eq!(pairs.len(), 9, "{} {a} x {b}", question[0].cluster);
            }
        }
    }
    for block in data.items.chunks(81) {
        let cells: BTreeSet<Vec<String>> = block.iter().map(|i| axes.map(|a| level(i, a)).to_vec()).collect();
        assert_eq!(cells.len(), 81);
    }
    for (axis, reference) in &data.reference {
        assert!(data.items.iter().any(|i| level(i, axis) == *reference), "{axis} {reference}");
    }
}

#[test]
fn continuations_hold_every_combination_once_in_two_openings() {
    let data = benchmark_named("demo_continuation");
    for two in data.items.chunks(8) {
        assert_eq!(clusters(two), 2);
        let cells: BTreeSet<Vec<String>> =
            two.iter().map(|i| i.subgroups.iter().map(|s| s.name.clone()).collect()).collect();
        assert_eq!(cells.len(), 8, "{}", two[0].cluster);
    }
    for item in &data.items {
        let Ask::Generate { options, max_tokens, chat, prompt, .. } = &item.ask else { panic!("generate expected") };
        assert!(options.is_empty() && *max_tokens <= 24 && *chat, "{}", item.id);
        assert!(!prompt.contains(" a old") && !prompt.contains("A old"), "{prompt}");
    }
}

#[test]
fn the_rows_are_those_of_the_script() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/data/demo/generate.py");
    match Command::new("python3").args([script, "--check"]).output() {
        Ok(done) => assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout)),
        Err(error) => println!("skipped: python3 cannot be run ({error})"),
    }
}

/// The sentences of a text, in lower case without white space at the ends.
fn sentences(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(['.', '?', '!', '\n']).map(|s| s.trim().to_lowercase()).filter(|s| s.split(' ').count() > 3)
}

fn texts(item: &Item) -> Vec<String> {
    match &item.ask {
        Ask::Likelihood { candidates } => candidates.iter().map(|c| format!("{}{}", c.context, c.text)).collect(),
        Ask::FirstToken { prompt, .. } | Ask::Generate { prompt, .. } => vec![prompt.clone()],
    }
}

#[test]
fn no_sentence_of_the_demo_stands_in_a_public_benchmark() {
    let ours: BTreeSet<String> = benchmark::demo(false)
        .iter()
        .flat_map(|d| &d.data.items)
        .flat_map(texts)
        .flat_map(|t| sentences(&t).collect::<Vec<_>>())
        .filter(|s| !s.starts_with("answer with"))
        .collect();
    assert!(ours.len() > 900, "{}", ours.len());
    for (name, folder) in [
        ("stereoset", "stereoset"),
        ("crows_pairs", "crows_pairs"),
        ("bbq", "bbq"),
        ("discrim_eval", "discrim_eval_templated"),
    ] {
        let Some(folder) = shared(folder) else { continue };
        let data = benchmark::load(&request(name, folder, Options::default())).unwrap();
        for text in data.items.iter().flat_map(texts) {
            if let Some(same) = sentences(&text).find(|s| ours.contains(s)) {
                panic!("{name} has `{same}`");
            }
        }
    }
}
