//! Which items changed between two settings, and what was said about them: for readers who want to see the answers
//! behind a number.
//!
//! An item changed if its outcome, the option that it chose, or the yes-or-no event behind one of its metrics differs.
//! A score that moved without any of these is not listed: nearly all of them move. No number of the findings comes
//! from here.

use super::readings::readings;
use crate::benchmark::{Ask, BenchmarkData, Framing, Item, Measure, Role};
use crate::engine::Answer;
use crate::findings::{self, Findings, Flip, ItemChange, ItemText, Items};
use crate::metric::{Metric, Outcome, Reading, Said, chosen, metrics_of};
use crate::records::{Record, Run};
use crate::scorer::Scores;
use crate::spec::Plan;
use std::collections::{BTreeMap, BTreeSet};

/// The items that changed in each pair of settings that the findings compare, in the order of the findings. `plan` is the
/// one that the findings were made with, and so are `scores`.
#[must_use]
pub fn changed_items(run: &Run, plan: &Plan, scores: &Scores, found: &Findings) -> Items {
    let mut items = Items { analysis_id: found.analysis_id.clone(), ..Items::default() };
    let mut places = Places::new();
    for model in &found.audit.models {
        for data in &run.benchmarks {
            let pairs = pairs(found, &model.id, &data.name);
            let settings: BTreeSet<&str> = pairs.iter().flat_map(|p| [p.0, p.1]).collect();
            let read = readings(run, data, settings.into_iter(), scores, plan.parser);
            for (setting, against) in pairs {
                let side = |id: &str| Some(Side { read: read.get(id)?, records: run.records(&data.name, id)? });
                let (Some(before), Some(after)) = (side(against), side(setting)) else { continue };
                let ids = [model.id.as_str(), setting, against];
                add_pair(&mut items, &mut places, data, ids, [before, after]);
            }
        }
    }
    items
}

/// Settings of a model on a benchmark that are held against each other: (setting, against), each pair once.
fn pairs<'a>(found: &'a Findings, model: &str, benchmark: &str) -> Vec<(&'a str, &'a str)> {
    let mut pairs = Vec::new();
    for c in found.contrasts.iter().filter(|c| c.cell.model == model && c.cell.benchmark == benchmark) {
        let pair = (c.setting.as_str(), c.against.as_str());
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs
}

/// Where the text of an item stands in [`Items::texts`], by benchmark and place in it.
type Places = BTreeMap<(String, usize), u32>;

/// All that was said under one setting.
#[derive(Clone, Copy)]
struct Side<'a> {
    read: &'a [Reading],
    records: &'a [Record],
}

fn add_pair(
    items: &mut Items,
    places: &mut Places,
    data: &BenchmarkData,
    [model, setting, against]: [&str; 3],
    [before, after]: [Side<'_>; 2],
) {
    let metrics = metrics_of(data.measure);
    for (i, item) in data.items.iter().enumerate() {
        let choices = [before, after].map(|side| choice(data.measure, item, &side.read[i]));
        let flips = flips(metrics, item, &before.read[i], &after.read[i]);
        let same = before.read[i].outcome == after.read[i].outcome && choices[0] == choices[1];
        if same && flips.is_empty() {
            continue;
        }
        let text = *places.entry((data.name.clone(), i)).or_insert_with(|| {
            items.texts.push(item_text(data, item));
            items.texts.len() as u32 - 1
        });
        items.changes.push(ItemChange {
            text,
            model: model.to_owned(),
            setting: setting.to_owned(),
            against: against.to_owned(),
            flips,
            before: said(&before.records[i], &before.read[i], choices[0]),
            after: said(&after.records[i], &after.read[i], choices[1]),
        });
    }
}

fn flips(metrics: &[&dyn Metric], item: &Item, before: &Reading, after: &Reading) -> Vec<Flip> {
    let flip = |metric: &&dyn Metric| match (metric.event(item, before), metric.event(item, after)) {
        (Some(before), Some(after)) if before != after => Some(Flip { metric: metric.info().id, became: after }),
        _ => None,
    };
    metrics.iter().filter_map(flip).collect()
}

/// The option that an answer stands for. Sentence pairs are compared by whole likelihood, as their metric does.
fn choice(measure: Measure, item: &Item, reading: &Reading) -> Option<usize> {
    match (&reading.said, measure) {
        (Some(Said::Likelihoods(scores)), Measure::PairPreference) => {
            let meant = |i: &usize| item.key.roles.get(*i) != Some(&Role::Unrelated);
            let sum = |i: usize| scores[i].sum;
            let best = (0..scores.len()).filter(meant).max_by(|a, b| sum(*a).total_cmp(&sum(*b)))?;
            let tied = (0..scores.len()).filter(meant).any(|i| i != best && sum(i) == sum(best));
            (!tied).then_some(best)
        }
        _ => chosen(item, reading),
    }
}

/// A prompt with the turns beside it, as a reader sees them.
fn turns(prompt: &str, framing: &Framing) -> String {
    if framing.is_plain() {
        return prompt.to_owned();
    }
    let turn = |who: &str, text: &Option<String>| text.as_ref().map(|t| format!("[{who}] {t}"));
    let all = [turn("system", &framing.system), Some(format!("[user] {prompt}")), turn("assistant", &framing.prefill)];
    all.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn said(record: &Record, reading: &Reading, choice: Option<usize>) -> findings::Said {
    let text = match &record.answer {
        Ok(Answer::Generated { text, .. }) => Some(text.clone()),
        Ok(Answer::Scored { .. }) => None,
        Err(reason) => Some(reason.clone()),
    };
    let (loglik, probability) = match &reading.said {
        Some(Said::Likelihoods(scores)) => {
            let sums: Vec<f64> = scores.iter().map(|s| s.sum).collect();
            let shares = shares(&sums);
            (sums, shares)
        }
        Some(Said::Probabilities(p)) => (Vec::new(), p.clone()),
        _ => (Vec::new(), Vec::new()),
    };
    findings::Said {
        outcome: outcome(reading.outcome).to_owned(),
        text,
        chosen: choice.map(|c| c as u32),
        loglik,
        probability,
    }
}

/// The share of each likelihood in their sum, from logarithms.
fn shares(logs: &[f64]) -> Vec<f64> {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<f64> = logs.iter().map(|l| (l - largest).exp()).collect();
    let all: f64 = parts.iter().sum();
    parts.iter().map(|p| p / all).collect()
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Refused => "refused",
        Outcome::Unparsed => "unparsed",
        Outcome::Truncated => "truncated",
        Outcome::Failed => "failed",
    }
}

fn item_text(data: &BenchmarkData, item: &Item) -> ItemText {
    let (prompt, options) = match &item.ask {
        Ask::Likelihood { candidates } => {
            let shared = candidates.windows(2).all(|w| w[0].context == w[1].context);
            let first = candidates.first().map(|c| c.context.clone()).unwrap_or_default();
            let option = |c: &crate::benchmark::Candidate| {
                if shared { c.text.trim().to_owned() } else { format!("{}{}", c.context, c.text).trim().to_owned() }
            };
            (if shared { first } else { String::new() }, candidates.iter().map(option).collect())
        }
        Ask::FirstToken { prompt, framing, words, .. } => (turns(prompt, framing), words.clone()),
        Ask::Generate { prompt, framing, options, .. } => (turns(prompt, framing), options.clone()),
    };
    ItemText {
        benchmark: data.name.clone(),
        item: item.id.to_string(),
        cluster: item.cluster.to_string(),
        ask: item.ask.kind().to_owned(),
        condition: item.condition.clone(),
        subgroups: item.subgroups.iter().map(|s| (s.axis.clone(), s.name.clone())).collect(),
        prompt,
        options,
        roles: item.key.roles.iter().map(|r| role(*r).to_owned()).collect(),
        gold: item.key.gold,
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Stereotype => "stereotype",
        Role::AntiStereotype => "anti-stereotype",
        Role::Unrelated => "unrelated",
        Role::Unknown => "unknown",
        Role::Favourable => "favourable",
        Role::Unfavourable => "unfavourable",
        Role::Other => "other",
    }
}
