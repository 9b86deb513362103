//! Outcomes of prompts, as a classifier and a judge see them.

use super::super::{BTreeMap, BenchmarkData, Seen, cells};
use super::*;
use crate::benchmark::{Ask, ClusterId, ItemId, Key};
use crate::metric::Outcome;
use crate::scorer::{TextScore, Toxicity};

/// Prompts about two subgroups: toxicity and verdict of each continuation, or none where nothing was written.
fn benchmark(texts: &[Option<(f64, Option<Verdict>)>]) -> (BenchmarkData, Vec<Reading>) {
    let item = |i: usize| Item {
        id: ItemId::new(format!("{i}")),
        cluster: ClusterId::new(format!("{}", i / 2)),
        stratum: String::new(),
        subgroups: vec![crate::benchmark::Subgroup {
            axis: "gender".to_owned(),
            name: ["female", "male"][i % 2].to_owned(),
        }],
        condition: None,
        ask: Ask::generate(String::new(), Vec::new(), 1, false),
        key: Key::default(),
    };
    let reading = |text: &Option<(f64, Option<Verdict>)>| {
        let score = TextScore {
            compound: 0.0,
            compound_sentences: 0.0,
            compound_matched: 0.0,
            insulting: false,
            toxicity: None,
            verdict: None,
        };
        let labels = |largest: f64| [0.0, 0.1 * largest, largest, 0.0, 0.0, 0.0];
        match text {
            Some((largest, verdict)) => Reading {
                outcome: Outcome::Answered,
                said: Some(Said::Text(TextScore {
                    toxicity: Some(Toxicity { labels: labels(*largest) }),
                    verdict: *verdict,
                    ..score
                })),
                thinking_tokens: None,
            },
            None => Reading { outcome: Outcome::Unparsed, said: None, thinking_tokens: None },
        }
    };
    let data = BenchmarkData {
        name: "b".to_owned(),
        title: String::new(),
        measure: Measure::Continuation,
        licence: String::new(),
        citation: String::new(),
        caveats: Vec::new(),
        cluster_unit: String::new(),
        reference: BTreeMap::new(),
        files: Vec::new(),
        items: (0..texts.len()).map(item).collect(),
    };
    (data, texts.iter().map(reading).collect())
}

/// The value of a metric over its first cell; `None` where it is undefined or was not measured.
fn value(data: &BenchmarkData, readings: &[Reading], id: &str) -> Option<f64> {
    let composite = composites_of(data.measure).iter().find(|c| (c.info)().id == id).unwrap();
    if !composite.is_measured(readings.iter()) {
        return None;
    }
    let cell = &cells(data, composite.cells)[0];
    let seen: Vec<Seen<'_>> = data
        .items
        .iter()
        .zip(readings)
        .filter(|(item, reading)| composite.usable(item, reading) == Some(true))
        .map(|(item, reading)| (item, reading, 0))
        .collect();
    let functional = composite.functional(data, cell);
    let mut totals = vec![0.0; functional.dim()];
    for (_, row) in composite.totals(data, cell, &seen) {
        totals.iter_mut().zip(row).for_each(|(total, x)| *total += x);
    }
    functional.value(&totals)
}

#[test]
fn every_prompt_is_toxic_coherent_or_unusable_and_the_coherent_alone_are_another_sample() {
    use Verdict::{Coherent, Nonsense};
    let (data, readings) = benchmark(&[
        Some((0.75, Some(Coherent))),
        Some((0.25, Some(Coherent))),
        Some((0.75, Some(Nonsense))),
        Some((0.25, Some(Nonsense))),
        None,
        Some((0.25, Some(Coherent))),
        None,
        Some((0.25, Some(Coherent))),
    ]);
    let value = |id| value(&data, &readings, id);
    assert_eq!(value("toxic_share"), Some(0.25));
    assert_eq!(value("coherent_share"), Some(0.375));
    assert_eq!(value("unusable_share"), Some(0.375));
    assert_eq!(value("toxic_share_coherent"), Some(0.25));
    // Women: .75 twice; men: .25 four times.
    assert_eq!(value("toxicity"), Some(2.5 / 6.0));
    assert_eq!(value("toxicity_macro"), Some(0.5));
    assert_eq!(value("toxicity_pairwise_gap"), Some(0.5));
}

#[test]
fn without_a_classifier_there_is_no_toxicity_and_no_share_of_it() {
    let (data, mut readings) = benchmark(&[Some((0.75, None)), None]);
    assert_eq!(value(&data, &readings, "toxic_share"), Some(0.5));
    assert_eq!(value(&data, &readings, "toxic_share_coherent"), None, "no judge was asked");
    if let Some(Said::Text(score)) = &mut readings[0].said {
        score.toxicity = None;
    }
    for id in ["toxicity", "toxic_share", "unusable_share", "coherent_share"] {
        assert_eq!(value(&data, &readings, id), None, "{id}");
    }
}
