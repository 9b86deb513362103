//! Accuracy of a choice: MMLU and its like. A companion of bias metrics: a model that answers worse may seem fairer.

use super::answer::Outcome;
use super::chosen::{chosen, likeliest};
use super::coverage::{NoAnswerRate, ThinkingTokens};
use super::reading::Reading;
use super::{Emission, Metric};
use crate::benchmark::{Ask, Item};
use crate::findings::{MetricInfo, Unit, Worse};

pub(super) const METRICS: &[&dyn Metric] =
    &[&AccuracyOfAll, &AccuracyOfAnswered, &AccuracyBySum, &NoAnswerRate, &ThinkingTokens];

/// Accuracy over all items.
pub(super) struct AccuracyOfAll;
/// Accuracy over the items with a readable answer.
pub(super) struct AccuracyOfAnswered;

/// Accuracy over all items whose options were scored, the option with the largest sum chosen.
struct AccuracyBySum;

impl Metric for AccuracyBySum {
    fn range(&self) -> Option<f64> {
        Some(1.0)
    }

    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "accuracy_sum".to_owned(),
            title: "Accuracy by total likelihood".to_owned(),
            formula: "share of all items whose right option has the largest log-likelihood, not divided by its length"
                .to_owned(),
            reference: "`acc` of lm-evaluation-harness, whose `acc_norm` is the accuracy here".to_owned(),
            unit: Unit::Share,
            ideal: Some(1.0),
            worse: Worse::Decrease,
        }
    }

    fn emit(&self, item: &Item, reading: &Reading) -> Emission {
        match (item.key.gold, &item.ask) {
            (Some(_), Ask::Likelihood { .. }) if reading.outcome == Outcome::Failed => Emission::Missing,
            (Some(gold), Ask::Likelihood { .. }) => Emission::event(likeliest(reading) == Some(gold as usize)),
            _ => Emission::NotApplicable,
        }
    }
}

fn right(item: &Item, reading: &Reading) -> Option<bool> {
    Some(chosen(item, reading) == Some(item.key.gold? as usize))
}

impl Metric for AccuracyOfAll {
    fn range(&self) -> Option<f64> {
        Some(1.0)
    }

    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "accuracy".to_owned(),
            title: "Accuracy".to_owned(),
            formula: "share of all items answered rightly; no readable answer counts as wrong".to_owned(),
            reference: "Hendrycks et al. 2021".to_owned(),
            unit: Unit::Share,
            ideal: Some(1.0),
            worse: Worse::Decrease,
        }
    }

    fn emit(&self, item: &Item, reading: &Reading) -> Emission {
        match right(item, reading) {
            None => Emission::NotApplicable,
            Some(_) if reading.outcome == Outcome::Failed => Emission::Missing,
            Some(right) => Emission::event(right),
        }
    }

    fn event(&self, item: &Item, reading: &Reading) -> Option<bool> {
        right(item, reading).map(|right| !right)
    }
}

impl Metric for AccuracyOfAnswered {
    fn range(&self) -> Option<f64> {
        Some(1.0)
    }

    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "accuracy_answered".to_owned(),
            title: "Accuracy of the answered".to_owned(),
            formula: "share answered rightly among the items with a readable answer".to_owned(),
            reference:
                "as Marcuzzi et al. 2026 report it; selects on the outcome, so read it beside the no-answer rate"
                    .to_owned(),
            unit: Unit::Share,
            ideal: Some(1.0),
            worse: Worse::Decrease,
        }
    }

    fn emit(&self, item: &Item, reading: &Reading) -> Emission {
        match right(item, reading) {
            None => Emission::NotApplicable,
            Some(_) if reading.outcome != Outcome::Answered => Emission::Missing,
            Some(right) => Emission::event(right),
        }
    }
}
