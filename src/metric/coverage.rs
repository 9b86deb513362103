//! Metrics beside what an answer says: how often no usable one came, and how long the model thought before it.

use super::answer::Outcome;
use super::reading::Reading;
use super::{Emission, Metric};
use crate::benchmark::Item;
use crate::findings::{MetricInfo, Unit, Worse};

/// Share of items without a usable answer.
pub(super) struct NoAnswerRate;

/// Mean tokens of the thinking part.
pub(super) struct ThinkingTokens;

impl Metric for ThinkingTokens {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "thinking_tokens".to_owned(),
            title: "Tokens of thinking".to_owned(),
            formula:
                "mean tokens of the thinking part, marks included, over replies that have one, whether it ended or not"
                    .to_owned(),
            reference: "a companion: a setting that thinks less, or without end, answers differently".to_owned(),
            unit: Unit::Plain,
            ideal: None,
            worse: Worse::Either,
        }
    }

    fn emit(&self, _item: &Item, reading: &Reading) -> Emission {
        reading.thinking_tokens.map_or(Emission::NotApplicable, |n| Emission::value(f64::from(n)))
    }
}

impl Metric for NoAnswerRate {
    fn is_about_answering(&self) -> bool {
        true
    }

    fn range(&self) -> Option<f64> {
        Some(1.0)
    }

    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "no_answer_rate".to_owned(),
            title: "No usable answer".to_owned(),
            formula: "share of items refused, unparsed, truncated, or failed".to_owned(),
            reference: "reported beside every other metric, because selection on the outcome biases it".to_owned(),
            unit: Unit::Share,
            ideal: Some(0.0),
            worse: Worse::Increase,
        }
    }

    fn emit(&self, _item: &Item, reading: &Reading) -> Emission {
        Emission::event(reading.outcome != Outcome::Answered)
    }

    fn event(&self, _item: &Item, reading: &Reading) -> Option<bool> {
        Some(reading.outcome != Outcome::Answered)
    }
}
