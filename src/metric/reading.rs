//! A record → what it says about its item, or why it says nothing.

use super::answer::{Outcome, Parsed, Rule, declines, read_option, read_option_strictly};
use super::exact_answer;
use crate::benchmark::{Ask, Item};
use crate::engine::{Answer, Finish, Part};
use crate::records::Record;
use crate::scorer::TextScore;
use std::borrow::Cow;

/// Log-likelihood of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likelihood {
    /// Sum over its tokens, natural log.
    pub sum: f64,
    /// Scored tokens, at least 1.
    pub tokens: usize,
}

/// What an answered item says.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// Log-likelihood of each candidate.
    Likelihoods(Vec<Likelihood>),
    /// Probability of each answer word: the sum over its single-token variants.
    Probabilities(Vec<f64>),
    /// The option chosen from generated text.
    Option(usize, Rule),
    /// Scores of a continuation.
    Text(TextScore),
    /// An answer that was compared exactly with the published one.
    Exact {
        /// Whether it is the same value.
        right: bool,
    },
}

/// A record as read: an outcome, and what was said if it is [`Outcome::Answered`].
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What became of the item.
    pub outcome: Outcome,
    /// What it says; present exactly if answered.
    pub said: Option<Said>,
    /// Tokens that the model thought before its answer, where it did and they were counted; whatever the outcome.
    pub thinking_tokens: Option<u32>,
}

impl Reading {
    fn nothing(outcome: Outcome) -> Self {
        Self { outcome, said: None, thinking_tokens: None }
    }

    fn said(said: Said) -> Self {
        Self { outcome: Outcome::Answered, said: Some(said), thinking_tokens: None }
    }
}

/// Reads one record; `score` is that of its text, if the item is a free continuation with a letter in it.
#[must_use]
pub fn read(item: &Item, record: &Record, score: Option<TextScore>) -> Reading {
    let thinking_tokens = match &record.answer {
        Ok(Answer::Generated { thought: Some(thought), .. }) => thought.tokens,
        _ => None,
    };
    Reading { thinking_tokens, ..read_answer(item, record, score) }
}

fn read_answer(item: &Item, record: &Record, score: Option<TextScore>) -> Reading {
    match (&record.answer, &item.ask) {
        (Ok(Answer::Scored { parts, .. }), Ask::Likelihood { candidates }) if parts.len() == candidates.len() => {
            let scores: Vec<Likelihood> = parts.iter().map(likelihood).collect();
            readable(scores.iter().all(|s| s.sum.is_finite() && s.tokens > 0), Said::Likelihoods(scores))
        }
        (Ok(Answer::Scored { parts, .. }), Ask::FirstToken { words, .. }) if parts.len() == words.len() => {
            let p: Vec<f64> = parts.iter().map(probability).collect();
            readable(p.iter().all(|p| p.is_finite()), Said::Probabilities(p))
        }
        (Ok(Answer::Generated { text, finish, thought, .. }), Ask::Generate { options, .. }) if options.is_empty() => {
            if let Some(published) = &item.key.answer {
                return exact_answer::read(&begun(&item.ask, thought.is_some(), text), *finish, published);
            }
            continuation(text, *finish, score)
        }
        (Ok(Answer::Generated { text, finish, thought, .. }), Ask::Generate { options, .. }) => {
            parsed(read_option(&begun(&item.ask, thought.is_some(), text), options, *finish))
        }
        // No answer, or one of another kind than the ask: it is counted, not guessed at.
        (Err(_) | Ok(_), _) => Reading::nothing(Outcome::Failed),
    }
}

/// An answer with its prefilled beginning, which an option or a number may need to be read. Behind a thinking part the
/// prefill stands before that, and is no beginning of the answer. Continuations are scored without it: the model did not write
/// it.
fn begun<'t>(ask: &Ask, thought: bool, text: &'t str) -> Cow<'t, str> {
    match ask.prefill() {
        "" => Cow::Borrowed(text),
        _ if thought => Cow::Borrowed(text),
        prefill => Cow::Owned(format!("{prefill}{text}")),
    }
}

/// The whole reply, prefill and thinking part and all, as the published study reads it; `None` where nothing was generated.
pub(super) fn whole(item: &Item, record: &Record) -> Option<String> {
    let Ok(Answer::Generated { text, thought, .. }) = &record.answer else { return None };
    let thought = thought.as_ref().map_or_else(String::new, |t| format!("<think>\n{}\n</think>\n", t.text));
    Some(format!("{}{thought}{text}", item.ask.prefill()))
}

/// Reads a generated choice by the published study's rule alone; `None` for records of any other kind.
#[must_use]
pub fn read_strictly(item: &Item, record: &Record) -> Option<Reading> {
    match (&record.answer, &item.ask) {
        (Ok(Answer::Generated { finish, thought, .. }), Ask::Generate { options, .. }) if !options.is_empty() => {
            let reading = parsed(read_option_strictly(&whole(item, record)?, options, *finish));
            Some(Reading { thinking_tokens: thought.as_ref().and_then(|t| t.tokens), ..reading })
        }
        _ => None,
    }
}

fn parsed(parsed: Parsed) -> Reading {
    match parsed {
        Parsed::Option(option, rule) => Reading::said(Said::Option(option, rule)),
        Parsed::Nothing(outcome) => Reading::nothing(outcome),
    }
}

fn likelihood(part: &Part) -> Likelihood {
    Likelihood { sum: part.logprobs.iter().sum(), tokens: part.logprobs.len() }
}

fn probability(part: &Part) -> f64 {
    part.logprobs.iter().map(|l| l.exp()).sum()
}

/// NaN or infinite values make the item failed: they are counted, and no metric sees them.
fn readable(finite: bool, said: Said) -> Reading {
    if finite { Reading::said(said) } else { Reading::nothing(Outcome::Failed) }
}

/// A continuation may end at the token limit: it is scored as far as it goes.
fn continuation(text: &str, finish: Finish, score: Option<TextScore>) -> Reading {
    match score {
        Some(_) if declines(text) => Reading::nothing(Outcome::Refused),
        Some(score) => Reading::said(Said::Text(score)),
        None if finish == Finish::Length => Reading::nothing(Outcome::Truncated),
        None => Reading::nothing(Outcome::Unparsed),
    }
}
