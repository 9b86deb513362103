//! How a reply is asked for beyond the prompt: who speaks before it, where it stops, and how its tokens are chosen.
//!
//! Plain data that an [`Ask`](super::Ask) carries to every engine. Nothing here depends on a setting: under all of them
//! the same is asked. It chooses no token itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the chat template puts around the prompt beside the user's turn.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Framing {
    /// The system's turn, before the user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// How the assistant's turn begins; the model goes on from there. It is part of the prompt, not of the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefill: Option<String>,
}

impl Framing {
    /// Whether there is nothing but the user's turn.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Bytes of text that it adds to a prompt.
    #[must_use]
    pub fn len(&self) -> usize {
        [&self.system, &self.prefill].into_iter().flatten().map(String::len).sum()
    }

    /// Whether it adds no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How the tokens of a reply are chosen, and which of them are the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Decoding {
    /// The answer ends before the first of these texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// What marks the thinking part, which is kept apart from the answer.
    #[serde(skip_serializing_if = "Thinking::is_usual")]
    pub thinking: Thinking,
    /// How tokens are drawn; greedy (the most probable one, the lowest id if several are) if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draws: Option<Box<Draws>>,
}

impl Decoding {
    /// Whether it is greedy, with the usual marks and without stop sequences.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// The marks around a reasoning model's thinking part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Thinking {
    /// `"none"`: whatever the model writes is its answer.
    Off(Off),
    /// The opening and the closing mark.
    Marks([String; 2]),
}

/// The word for no marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    /// `"none"`.
    None,
}

impl Default for Thinking {
    fn default() -> Self {
        Self::Marks(["<think>".to_owned(), "</think>".to_owned()])
    }
}

impl Thinking {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The opening and the closing mark.
    #[must_use]
    pub fn marks(&self) -> Option<(&str, &str)> {
        match self {
            Self::Off(Off::None) => None,
            Self::Marks([open, close]) => Some((open, close)),
        }
    }
}

/// The distribution that tokens are drawn from: the model's own, made sharper or cut.
///
/// With logits x, the filters work in this order, each on what the one before it leaves:
///
/// 1. weights wᵢ = exp((xᵢ − max x) / `temperature`);
/// 2. `top_k`: the k largest weights stay;
/// 3. `top_p`: in falling order, the shortest list whose weights sum to at least `top_p` of all that stayed;
/// 4. `min_p`: of these, the ones with wᵢ ≥ `min_p` · max w.
///
/// Order is by logit, falling, then by token id. What stays is drawn in proportion to its weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Above 0; 1 is the model's own distribution. Default 1.
    pub temperature: f64,
    /// Only so many of the most probable tokens, at least 1. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    /// Only the most probable tokens that together have this share, above 0 and at most 1. Default 1: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Only tokens with at least this share of the most probable one's probability, 0 to 1. Default 0: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f64>,
    /// Whether settings share their draws. Default: they do.
    pub dice: Dice,
}

// No value that passes the check is NaN.
impl Eq for Sampling {}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 1.0, top_k: None, top_p: None, min_p: None, dice: Dice::Shared }
    }
}

impl Sampling {
    /// Checks the ranges.
    ///
    /// # Errors
    /// What is out of range, in words.
    pub fn check(&self) -> Result<(), String> {
        let share = |x: Option<f64>, least: bool| x.is_none_or(|x| x <= 1.0 && (x > 0.0 || (least && x == 0.0)));
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Err("`temperature` must be above 0; leave `sampling` out for greedy decoding".to_owned());
        }
        if self.top_k == Some(0) {
            return Err("`top_k` must be at least 1".to_owned());
        }
        if !share(self.top_p, false) {
            return Err("`top_p` must be above 0 and at most 1".to_owned());
        }
        if !share(self.min_p, true) {
            return Err("`min_p` must lie between 0 and 1".to_owned());
        }
        Ok(())
    }
}

impl fmt::Display for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "temperature {}", self.temperature)?;
        let parts = [
            ("top_k", self.top_k.map(|k| k.to_string())),
            ("top_p", self.top_p.map(|p| p.to_string())),
            ("min_p", self.min_p.map(|p| p.to_string())),
        ];
        parts.into_iter().filter_map(|(name, value)| Some((name, value?))).try_for_each(|(n, v)| write!(f, ", {n} {v}"))
    }
}

/// Which settings draw the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dice {
    /// All of them (common random numbers): replies to an item differ between settings only where their probabilities
    /// do, so that a change is estimated with less noise, and the A/A setting shows numerical noise alone. Not for
    /// asking how much replies vary by chance, nor where settings are to be independent samples.
    #[default]
    Shared,
    /// Each its own, the A/A setting too, which then shows numerical and sampling noise together.
    Own,
}

/// How one item's tokens are drawn: the distribution, and the name of the random stream.
///
/// Number t of the stream (from 0) decides token t of the reply. The stream is named by everything that stands here but
/// the distribution, and with [`Dice::Own`] by the setting too; so a reply does not depend on what was asked before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draws {
    /// The distribution.
    pub sampling: Sampling,
    /// Seed of the audit.
    pub seed: u64,
    /// Benchmark.
    pub benchmark: String,
    /// Item, without the number of its repeat.
    pub item: String,
    /// Number of the repeat, from 1.
    pub repeat: u32,
}
