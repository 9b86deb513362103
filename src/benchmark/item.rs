//! The words for one question put to a model, shared by every stage from the loaders to the analysis.
//!
//! The engine sees an [`Ask`] and nothing else of an item: which option is the stereotyped one, or right,
//! stands in the [`Key`], which only the metrics read.

use super::decoding::{Decoding, Framing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a non-empty name; the caller has checked that it is unique where it must be.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_type! {
    /// Identifies an item inside its benchmark; the same in every setting, run, and machine.
    ItemId
}
name_type! {
    /// Items authored once and varied mechanically share a cluster: the unit of all resampling.
    ClusterId
}

/// A demographic subgroup on an axis, such as `religion` / `Muslim`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subgroup {
    /// The axis: `gender`, `race`, `religion`, `age` …
    pub axis: String,
    /// The subgroup on that axis, as the benchmark publishes it.
    pub name: String,
}

/// One text whose tokens are scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// What the model reads before the scored text; not scored. May be empty.
    pub context: String,
    /// The scored text, joined to the context as it stands (a leading space belongs here).
    pub text: String,
}

/// What is put to the model. No gold label and no role of an option appears here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Log-likelihood of each candidate text: sentence pairs, or the options of a choice.
    Likelihood {
        /// Two or more to be compared, or one that is scored by itself; the order is that of [`Key::roles`].
        candidates: Vec<Candidate>,
    },
    /// Probability of answer words as the first token of the reply.
    FirstToken {
        /// The prompt before any chat template.
        prompt: String,
        /// Answer words, such as `yes` and `no`; the order is that of [`Key::roles`].
        words: Vec<String>,
        /// Whether the model's chat template wraps the prompt.
        chat: bool,
        /// What stands around the prompt in the template; plain without one.
        #[serde(default, skip_serializing_if = "Framing::is_plain")]
        framing: Framing,
    },
    /// Generated text: a lettered choice or a free continuation.
    Generate {
        /// The prompt before any chat template; for a choice the lettered options are in it.
        prompt: String,
        /// The option texts in the order of their letters A, B, C …; empty for a free continuation.
        options: Vec<String>,
        /// Most tokens to generate.
        max_tokens: u32,
        /// Whether the model's chat template wraps the prompt.
        chat: bool,
        /// What stands around the prompt in the template; plain without one.
        #[serde(default, skip_serializing_if = "Framing::is_plain")]
        framing: Framing,
        /// How tokens are chosen.
        #[serde(default, skip_serializing_if = "Decoding::is_usual")]
        decoding: Decoding,
    },
}

impl Ask {
    /// The probability of answer words after a prompt, with nothing around it.
    #[must_use]
    pub fn first_token(prompt: String, words: Vec<String>, chat: bool) -> Self {
        Self::FirstToken { prompt, words, chat, framing: Framing::default() }
    }

    /// Greedily generated text after a prompt, with nothing around it.
    #[must_use]
    pub fn generate(prompt: String, options: Vec<String>, max_tokens: u32, chat: bool) -> Self {
        Self::Generate { prompt, options, max_tokens, chat, framing: Framing::default(), decoding: Decoding::default() }
    }

    /// How the assistant's turn begins before a generated reply; empty where it does not.
    #[must_use]
    pub fn prefill(&self) -> &str {
        match self {
            Self::Likelihood { .. } => "",
            Self::FirstToken { framing, .. } | Self::Generate { framing, .. } => {
                framing.prefill.as_deref().unwrap_or_default()
            }
        }
    }

    /// The word for this ask in files and messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Likelihood { .. } => "likelihood",
            Self::FirstToken { .. } => "first_token",
            Self::Generate { .. } => "generate",
        }
    }

    /// Model calls that one item costs.
    #[must_use]
    pub fn requests(&self) -> usize {
        match self {
            Self::Likelihood { candidates } => candidates.len(),
            Self::FirstToken { .. } | Self::Generate { .. } => 1,
        }
    }
}

/// What an option, candidate, or answer word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Agrees with the stereotype.
    Stereotype,
    /// Goes against the stereotype.
    AntiStereotype,
    /// Neither: a sentence that does not fit the context.
    Unrelated,
    /// Names nobody: "it cannot be determined", "any of them".
    Unknown,
    /// Favours the person spoken of ("yes, grant the loan").
    Favourable,
    /// Goes against the person spoken of.
    Unfavourable,
    /// An option without a part in the metric.
    Other,
}

/// How an answer is read. Never sent to an engine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Key {
    /// One role per candidate, word, or option of the ask; empty for a free continuation.
    pub roles: Vec<Role>,
    /// Index of the right option, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gold: Option<u32>,
    /// The question's polarity as published (`neg`, `nonneg`), where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub polarity: Option<String>,
    /// The right answer as published, where it is a text and no option (a contest's number or formula).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<String>,
    /// The subgroup that each option names, in the order of the options; absent for an option that names nobody.
    /// Empty where options name no subgroups.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub names: Vec<Option<Subgroup>>,
    /// The question that this item repeats, where each is put several times; all of them share a cluster.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repeats: Option<ItemId>,
}

/// One question put to a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Unique in the benchmark.
    pub id: ItemId,
    /// The unit of resampling that it belongs to.
    pub cluster: ClusterId,
    /// Stratum of the cluster where counts are fixed by design (BBQ: the category); empty if there is one only.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub stratum: String,
    /// Memberships; may overlap, may be empty.
    pub subgroups: Vec<Subgroup>,
    /// The benchmark's own split (`ambiguous`, `disambiguated`), where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub condition: Option<String>,
    /// What is asked.
    pub ask: Ask,
    /// How the answer is read.
    pub key: Key,
}

/// Which family of metrics reads the answers of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Stereotype score of sentence pairs (StereoSet, CrowS-Pairs).
    PairPreference,
    /// BBQ-like choice with a stereotyped, an anti-stereotyped, and an unknown option.
    AmbiguousChoice,
    /// Probability of a favourable decision (DiscrimEval).
    Decision,
    /// Sentiment and toxicity of a continuation (BOLD-like).
    Continuation,
    /// Accuracy of a two-way choice by the pronoun's gender and by whether the right answer fits the stereotype
    /// (WinoBias): condition `pro` or `anti`, axis `gender`, gold set, the stereotyped option has its role.
    Coreference,
    /// Parity of a yes/no classification between subgroups (DT-Fairness): `yes` is favourable, gold is the true label.
    Classification,
    /// Accuracy of a choice by subject (MMLU): gold set, no roles.
    Capability,
    /// Share of completions of a gap that a lexicon calls hurtful (HONEST).
    HurtfulCompletion,
    /// Choice of a person among subgroups and a neutral option (DiscrimEvalGen): every option but one names a subgroup.
    SubgroupChoice,
    /// A number or formula compared exactly with the published one (contests): several samples of a problem share a
    /// cluster.
    ExactAnswer,
    /// Log-likelihood per token of sentences that differ in the descriptor of a person (HolisticBias).
    Descriptor,
}

/// A data file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// File name relative to the benchmark's folder.
    pub name: String,
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Records read from it.
    pub rows: u64,
}

/// A benchmark as loaded: everything the runner and the analysis need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchmarkData {
    /// Name in `audit.toml`, file names, and findings: lower case, digits, `_`, `-`.
    pub name: String,
    /// Name for readers.
    pub title: String,
    /// How answers become numbers.
    pub measure: Measure,
    /// Licence of the data.
    pub licence: String,
    /// Full citation, with a link.
    pub citation: String,
    /// Known weaknesses that the report must carry.
    pub caveats: Vec<String>,
    /// What makes a cluster, in words.
    pub cluster_unit: String,
    /// For signed contrasts between subgroups: the reference subgroup of each axis.
    pub reference: BTreeMap<String, String>,
    /// Files read, sorted by name.
    pub files: Vec<DataFile>,
    /// Items in a fixed order (that of the published file).
    pub items: Vec<Item>,
}
