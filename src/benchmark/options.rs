//! What a user may choose about a benchmark, and the choices that mean the same for every benchmark.

use super::decoding::{Sampling, Thinking};
use super::error::LoadError;
use super::item::{BenchmarkData, Item, Subgroup};
use super::subgroups;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Which form a question takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AskForm {
    /// Log-likelihood of texts or options.
    Likelihood,
    /// Probability of answer words as the first token.
    FirstToken,
    /// Generated text.
    Generate,
}

impl AskForm {
    /// The word in `audit.toml`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Likelihood => "likelihood",
            Self::FirstToken => "first_token",
            Self::Generate => "generate",
        }
    }
}

/// Subgroups, or the categories above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// Subgroups as published.
    Subgroup,
    /// The category above each (BBQ: its file; StereoSet: the bias type; MMLU: the field), on the axis `category`.
    Category,
    /// Both.
    Both,
}

/// What to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadRequest {
    /// Which benchmark: a name from [`super::BENCHMARKS`], or `custom`.
    pub name: String,
    /// Its name in the audit.
    pub id: String,
    /// Folder of the data set; for `custom` the TOML file, or the folder with `benchmark.toml`.
    pub folder: PathBuf,
    /// The user's choices.
    pub options: Options,
}

/// Choices of the user; an absent one means the benchmark's default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Form of the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<AskForm>,
    /// Whether the model's chat template wraps the prompt.
    pub chat: bool,
    /// Most tokens to generate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Only these categories: StereoSet and CrowS-Pairs bias types, BBQ files, RedditBias lists, BOLD domains or subgroups of
    /// them (`race/Asian_Americans`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// Only items of these conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<String>>,
    /// Only memberships on these axes; all items stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub axes: Option<Vec<String>>,
    /// At most so many clusters, whole ones, chosen by the hash of their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_clusters: Option<u32>,
    /// Another choice of subgroups, where the benchmark has one (StereoSet and BBQ: `target`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subgroups: Option<String>,
    /// Another prompt template, with the variables that the benchmark's own uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// A TOML file that renames or merges subgroups and axes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PathBuf>,
    /// Axes to cross: `[["gender", "race"]]` makes an axis `gender×race`, with the subgroups `woman×Black` …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub intersections: Vec<Vec<String>>,
    /// Whether memberships are kept as they are, lifted to the category above, or both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Rank>,
    /// Another part of the data, where it is published in parts (WinoBias: `dev`; RedditBias: `valid`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// How often each question is put, 1 to 1024, where text is generated; the repeats share a cluster, and each is an
    /// item of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<u32>,
    /// The system's turn in the chat template; refused where the template has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// How the assistant's turn begins in the chat template; the model goes on from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefill: Option<String>,
    /// A generated answer ends before the first of these texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// The marks around a reasoning model's thinking part, which is kept apart from the answer, or `"none"`. Default
    /// `["<think>", "</think>"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Thinking>,
    /// How tokens of generated text are drawn. Default: greedy decoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
    /// Seed of sampled text. Default: that of the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether a file may differ from the published one.
    pub allow_unpinned: bool,
}

impl LoadRequest {
    /// An error about one of the options.
    #[must_use]
    pub fn bad(&self, option: &'static str, why: impl Into<String>) -> LoadError {
        LoadError::BadOption { id: self.id.clone(), option, why: why.into() }
    }

    /// Refuses a choice that this benchmark does not offer.
    ///
    /// # Errors
    /// [`LoadError::BadOption`] if `given`.
    pub fn refuse(&self, option: &'static str, given: bool) -> Result<(), LoadError> {
        if given { Err(self.bad(option, format!("`{}` has no such choice", self.name))) } else { Ok(()) }
    }

    /// The categories to read: those asked for, or all.
    ///
    /// # Errors
    /// [`LoadError::BadOption`] for a category that is not in `known`, or for an empty list.
    pub fn categories<'k>(&self, known: &[&'k str]) -> Result<Vec<&'k str>, LoadError> {
        let Some(asked) = &self.options.categories else { return Ok(known.to_vec()) };
        self.check_names("categories", asked, known)?;
        Ok(known.iter().copied().filter(|k| asked.iter().any(|a| a == k)).collect())
    }

    pub(super) fn check_names(&self, option: &'static str, asked: &[String], known: &[&str]) -> Result<(), LoadError> {
        let list = || known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
        if asked.is_empty() {
            return Err(self.bad(option, format!("the list is empty; there are {}", list())));
        }
        match asked.iter().find(|a| !known.contains(&a.as_str())) {
            Some(unknown) => Err(self.bad(option, format!("there is no `{unknown}`; there are {}", list()))),
            None => Ok(()),
        }
    }
}

/// The part of the data to read: the one asked for, or the first of `known`.
pub(super) fn split<'k>(request: &LoadRequest, known: &[&'k str]) -> Result<&'k str, LoadError> {
    let Some(asked) = &request.options.split else { return Ok(known[0]) };
    request.check_names("split", std::slice::from_ref(asked), known)?;
    Ok(known.iter().copied().find(|k| k == asked).unwrap_or(known[0]))
}

/// Applies the choices that mean the same everywhere: conditions, subgroups, axes, and the number of clusters.
pub(super) fn select(
    request: &LoadRequest,
    mut data: BenchmarkData,
    above: fn(&Subgroup) -> String,
) -> Result<BenchmarkData, LoadError> {
    let options = &request.options;
    let empty = |why: &str| LoadError::Empty { what: format!("benchmark `{}`", request.id), why: why.into() };
    if data.items.is_empty() {
        return Err(empty("its files hold none"));
    }
    if let Some(asked) = &options.conditions {
        let known: BTreeSet<&str> = data.items.iter().filter_map(|i| i.condition.as_deref()).collect();
        request.check_names("conditions", asked, &known.into_iter().collect::<Vec<_>>())?;
        data.items.retain(|i| i.condition.as_ref().is_some_and(|c| asked.contains(c)));
    }
    subgroups::arrange(request, &mut data, above)?;
    if let Some(asked) = &options.axes {
        let known: BTreeSet<&str> = data.items.iter().flat_map(axes).collect();
        request.check_names("axes", asked, &known.into_iter().collect::<Vec<_>>())?;
        for item in &mut data.items {
            item.subgroups.retain(|s| asked.contains(&s.axis));
        }
        data.reference.retain(|axis, _| asked.contains(axis));
    }
    if let Some(most) = options.max_clusters {
        data.items = super::keep_clusters(data.items, most as usize);
    }
    if data.items.is_empty() {
        return Err(empty("the options leave none"));
    }
    Ok(data)
}

fn axes(item: &Item) -> impl Iterator<Item = &str> {
    item.subgroups.iter().map(|s| s.axis.as_str())
}
