//! Who answers: one interface for every engine.
//!
//! An engine is loaded for one setting and one [`Mode`], answers asks one after the other, and says what it
//! really loaded ([`Realised`]). It returns raw values only: token log-probabilities and text. It refuses
//! rather than truncates, and it never sees a gold label.

pub mod adapter;
pub mod checkpoint;
pub mod draw;
pub mod family;
pub mod format;
#[cfg(feature = "engine")]
pub mod gguf;
#[cfg(feature = "engine")]
pub mod hub;
pub mod imatrix;
pub mod load;
#[cfg(feature = "engine")]
pub mod mistral;
pub mod openai;
pub mod prompt;
pub mod realised;
pub mod safetensors;
pub mod scripted;
pub mod softmax;
pub mod stored;
pub mod thinking;
pub mod uqff;

pub use load::{LoadError, LoadSetting, ModelFiles};
#[cfg(feature = "engine")]
pub use mistral::MistralEngine;
pub use openai::OpenAiEngine;
pub use scripted::ScriptedEngine;

use crate::benchmark::Ask;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Scoring and generating never share one engine instance (mistral.rs panics when they meet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Likelihoods and first-token probabilities.
    Score,
    /// Generated text.
    Generate,
}

impl Mode {
    /// The mode that answers an ask.
    #[must_use]
    pub fn of(ask: &Ask) -> Self {
        match ask {
            Ask::Likelihood { .. } | Ask::FirstToken { .. } => Self::Score,
            Ask::Generate { .. } => Self::Generate,
        }
    }
}

/// Log-probabilities of one labelled part of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Likelihood: the candidate's index as text (`0`, `1`, …). First token: the answer word.
    pub label: String,
    /// Likelihood: the scored tokens in order. First token: each single-token form of the word, once; then, only if
    /// the form with which a reply begins is no single token, the first token of each such form of several tokens.
    /// Empty from an engine that gives no token ids.
    pub tokens: Vec<u32>,
    /// Natural-log probability of each token (of the whole form, where a form has several tokens); finite; as many as
    /// `tokens` where there are token ids.
    pub logprobs: Vec<f64>,
}

/// Why generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model ended its turn.
    Stop,
    /// The token limit cut it.
    Length,
}

/// A raw answer, before anybody reads meaning into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answer {
    /// To [`Ask::Likelihood`] and [`Ask::FirstToken`].
    Scored {
        /// One part per candidate or word, in the order of the ask.
        parts: Vec<Part>,
        /// Tokens of the longest prompt fed, context included.
        prompt_tokens: u32,
    },
    /// To [`Ask::Generate`].
    Generated {
        /// The decoded answer, leading space kept, stop token left out; what a reasoning model thought before it is not in
        /// it, nor the space after that.
        text: String,
        /// Ids of all generated tokens, thinking included, where the engine gives them; may be empty. Where a stop sequence
        /// ended the answer, they are those up to the one in which the answer ends.
        tokens: Vec<u32>,
        /// Why it ended.
        finish: Finish,
        /// Tokens of the prompt fed.
        prompt_tokens: u32,
        /// What the model thought before its answer; absent if it did not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thought: Option<Thought>,
    },
}

/// The thinking part of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thought {
    /// Without its marks and the space around it.
    pub text: String,
    /// Tokens of it, marks included, where the engine or the server counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
}

/// Tensors of one storage format as loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RealisedTensors {
    /// Storage format, such as `Q4K`, `Q4_1`, `HQQ4`, `F32`.
    pub format: String,
    /// How many tensors.
    pub tensors: u32,
    /// How many weights in them.
    pub weights: u64,
    /// Bytes that the format takes for them.
    pub bytes: u64,
}

/// What a setting really is, against what was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Realised {
    /// Linear layers' weights by storage format, most weights first.
    pub quantized: Vec<RealisedTensors>,
    /// Everything the scheme leaves alone (embeddings, norms, head where skipped).
    pub untouched: Vec<RealisedTensors>,
    /// Bits per weight over the tensors that the scheme is meant to quantize, where they are known. Manifests of the
    /// first releases have 0 where they are not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bits_per_weight: Option<f64>,
    /// Bits per weight over the whole model, likewise.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bits_per_weight_model: Option<f64>,
    /// What happens to activations on this device: `none`, `int8 dynamic, blocks of 32` …
    pub activations: String,
    /// Whether activations are quantized.
    pub activations_quantized: bool,
    /// Device: `cpu`, `cuda:0` …
    pub device: String,
    /// Data type of unquantized tensors and of arithmetic: `f32`, `bf16` …
    pub dtype: String,
    /// Why the name and what was realised differ, one sentence each; empty when they agree.
    pub deviations: Vec<String>,
    /// What the server says of itself and of the model that stays the same while both do; empty for a local model.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub server: BTreeMap<String, String>,
}

/// Why an ask got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AskError {
    /// The prompt does not fit; nothing was cut.
    #[error("the prompt has {tokens} tokens and the model takes {limit}")]
    TooLong {
        /// Tokens of the prompt (with room for the reply).
        tokens: u32,
        /// The model's limit.
        limit: u32,
    },
    /// The ask makes no sense for this model (an answer word without a single-token form, an empty text).
    #[error("{reason}")]
    Refused {
        /// What is wrong.
        reason: String,
    },
    /// Whoever answers is gone, for this ask and every other: the item gets no record, and the run ends.
    #[error("the server is gone: {reason}")]
    Gone {
        /// The last failure.
        reason: String,
    },
    /// The engine answered with an error, or with non-finite numbers.
    #[error("engine: {reason}")]
    Engine {
        /// The engine's words.
        reason: String,
    },
}

/// What an engine has done since it was loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Microseconds between handing a request over and having its answer: model, scheduling, or server.
    pub micros: u64,
    /// Tokens fed to the model, each as often as it was fed.
    pub fed: u64,
    /// Tokens generated.
    pub generated: u64,
}

impl Spent {
    /// What was done since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            micros: self.micros.saturating_sub(earlier.micros),
            fed: self.fed.saturating_sub(earlier.fed),
            generated: self.generated.saturating_sub(earlier.generated),
        }
    }
}

/// Anything that answers asks for one setting in one mode.
pub trait Engine {
    /// What was loaded.
    fn realised(&self) -> &Realised;

    /// What was done up to now; nothing from an engine that does not count.
    fn spent(&self) -> Spent {
        Spent::default()
    }

    /// Answers one ask.
    ///
    /// # Errors
    /// [`AskError`]: the item ends as `failed` with this reason; the engine stays usable.
    fn answer(&mut self, ask: &Ask) -> Result<Answer, AskError>;
}

/// A panic's message.
#[must_use]
pub fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
