//! Metrics of answers that are compared exactly with a published one: contests. Several samples of a problem share a
//! cluster.

use super::answer::{Outcome, after_thinking, is_refusal};
use super::coverage::{NoAnswerRate, ThinkingTokens};
use super::exact;
use super::reading::{Reading, Said};
use super::{Emission, Metric};
use crate::benchmark::{ClusterId, Item};
use crate::engine::Finish;
use crate::findings::{MetricInfo, Unit, Worse};
use std::collections::BTreeMap;

pub(super) const METRICS: &[&dyn Metric] =
    &[&ExactAccuracy, &ExactAccuracyAnswered, &PassAt { k: 2 }, &PassAt { k: 4 }, &NoAnswerRate, &ThinkingTokens];

/// Share of right answers over all problems and samples.
struct ExactAccuracy;
/// The same among the readable ones.
struct ExactAccuracyAnswered;
/// Chance that one of `k` samples of a problem is right.
struct PassAt {
    k: usize,
}

/// Reads a generated text against the published answer.
pub(super) fn read(text: &str, finish: Finish, published: &str) -> Reading {
    let nothing = |outcome| Reading { outcome, said: None, thinking_tokens: None };
    let Some(answer) = after_thinking(text) else { return nothing(Outcome::Truncated) };
    match exact::final_answer(answer) {
        Some(said) => {
            let right = exact::same(&said, published);
            Reading { outcome: Outcome::Answered, said: Some(Said::Exact { right }), thinking_tokens: None }
        }
        None if is_refusal(answer) => nothing(Outcome::Refused),
        None if finish == Finish::Length => nothing(Outcome::Truncated),
        None => nothing(Outcome::Unparsed),
    }
}

/// Whether the answer is right; no readable answer is none, and a failed item says nothing.
fn right(item: &Item, reading: &Reading) -> Option<bool> {
    item.key.answer.as_ref()?;
    (reading.outcome != Outcome::Failed).then_some(reading.said == Some(Said::Exact { right: true }))
}

impl Metric for ExactAccuracy {
    fn range(&self) -> Option<f64> {
        Some(1.0)
    }

    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "exact_accuracy".to_owned(),
            title: "Right answers".to_owned(),
            formula: "share of right answers over problems × samples, compared as exact values; no readable answer counts as wrong"
                .to_owned(),
            reference: "Balunović et al. 2025 (MathArena)".to_owned(),
            unit: Unit::Share,
            ideal: Some(1.0),
            worse: Worse::Decrease,
        }
    }

    fn emit(&self, item: &Item, reading: &Reading) -> Emission {
        match right(item, reading) {
            Some(right) => Emission::event(right),
            None if item.key.answer.is_some() => Emission::Missing,
            None => Emission::NotApplicable,
        }
    }

    fn event(&self, item: &Item, reading: &Reading) -> Option<bool> {
        right(item, reading).map(|right| !right)
    }
}

impl Metric for ExactAccuracyAnswered {
    fn range(&self) -> Option<f64> {
        Some(1.0)
    }

    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "exact_accuracy_answered".to_owned(),
            title: "Right answers among the readable".to_owned(),
            formula: "share of right answers among those that could be read".to_owned(),
            reference: "selects on the outcome, so read it beside the no-answer rate".to_owned(),
            unit: Unit::Share,
            ideal: Some(1.0),
            worse: Worse::Decrease,
        }
    }

    fn emit(&self, item: &Item, reading: &Reading) -> Emission {
        match right(item, reading) {
            Some(right) if reading.outcome == Outcome::Answered => Emission::event(right),
            _ if item.key.answer.is_some() => Emission::Missing,
            _ => Emission::NotApplicable,
        }
    }
}

impl Metric for PassAt {
    fn range(&self) -> Option<f64> {
        Some(1.0)
    }

    fn info(&self) -> MetricInfo {
        let k = self.k;
        MetricInfo {
            id: format!("pass_at_{k}"),
            title: format!("Solved in {k} samples"),
            formula: format!(
                "mean over problems of 1 − C(n−c, {k}) / C(n, {k}), with c right answers among n samples; problems with at least {k}"
            ),
            reference: "Chen et al. 2021 (unbiased estimator of pass@k)".to_owned(),
            unit: Unit::Share,
            ideal: Some(1.0),
            worse: Worse::Decrease,
        }
    }

    /// Of one item alone nothing can be said; see [`Metric::emit_all`].
    fn emit(&self, _item: &Item, _reading: &Reading) -> Emission {
        Emission::NotApplicable
    }

    /// From all unusable samples of a problem wrong to all of them right, on its first sample.
    fn open_replies(&self, items: &[Item], readings: &[Reading]) -> Vec<f64> {
        let mut widths = vec![0.0; items.len()];
        for Samples { first, all, read, right, unusable } in problems(items, readings).into_values() {
            if unusable > 0 {
                let filled = |more: usize| pass_at(all, right + more, self.k).filter(|_| read >= self.k);
                widths[first] = filled(0).zip(filled(unusable)).map_or(1.0, |(low, high)| high - low);
            }
        }
        widths
    }

    /// The first sample of each problem speaks for all of them.
    fn emit_all(&self, items: &[Item], readings: &[Reading]) -> Vec<Emission> {
        let mut emitted = vec![Emission::NotApplicable; items.len()];
        for Samples { first, all, read, right, .. } in problems(items, readings).into_values() {
            if all >= self.k {
                emitted[first] = pass_at(read, right, self.k).map_or(Emission::Missing, Emission::value);
            }
        }
        emitted
    }
}

/// Samples of one problem.
struct Samples {
    first: usize,
    all: usize,
    read: usize,
    right: usize,
    /// Failed, or without a readable answer.
    unusable: usize,
}

/// The samples of every problem.
fn problems<'a>(items: &'a [Item], readings: &[Reading]) -> BTreeMap<&'a ClusterId, Samples> {
    let mut problems: BTreeMap<&ClusterId, Samples> = BTreeMap::new();
    for (at, (item, reading)) in items.iter().zip(readings).enumerate() {
        if item.key.answer.is_none() {
            continue;
        }
        let none = Samples { first: at, all: 0, read: 0, right: 0, unusable: 0 };
        let of = problems.entry(&item.cluster).or_insert(none);
        of.all += 1;
        of.unusable += usize::from(reading.outcome != Outcome::Answered);
        if let Some(right) = right(item, reading) {
            of.read += 1;
            of.right += usize::from(right);
        }
    }
    problems
}

/// `1 − C(n−c, k) / C(n, k)` as a product, which neither overflows nor cancels; `None` for fewer than `k` samples.
///
/// Chen et al., Evaluating large language models trained on code (2021), equation 1.
#[must_use]
pub fn pass_at(samples: usize, right: usize, k: usize) -> Option<f64> {
    if samples < k || right > samples {
        return None;
    }
    if samples - right < k {
        return Some(1.0);
    }
    let none_right: f64 = (samples - right + 1..=samples).map(|i| 1.0 - k as f64 / i as f64).product();
    Some(1.0 - none_right)
}
