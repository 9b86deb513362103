//! Where items come from and how they are asked.
//!
//! A benchmark is read from files into a [`BenchmarkData`]: items, the clusters they belong to, the
//! subgroups they speak about, what to ask, and the key that later reads the answer. Nothing here knows
//! about models, settings, or statistics, and nothing here repairs a published text.

pub mod bbq;
mod bbq_metadata;
pub mod bold;
pub mod cache;
pub mod contests;
pub mod crows_pairs;
pub mod custom;
mod custom_rows;
pub mod decoding;
pub mod demo;
pub mod discrim_eval;
pub mod discrim_eval_gen;
pub mod dt_fairness;
pub mod dt_toxicity;
pub mod error;
pub mod holistic_bias;
mod holistic_phrases;
pub mod honest;
pub mod item;
mod manner;
pub mod mmlu;
mod npy;
pub mod options;
mod parquet;
pub mod pin;
pub mod prompt;
pub mod redditbias;
pub mod source;
pub mod stereoset;
mod subgroups;
pub mod text;
pub mod winobias;

pub use decoding::{Decoding, Dice, Draws, Framing, Sampling, Thinking};
pub use demo::{Demo, demo};
pub use error::LoadError;
pub use item::{Ask, BenchmarkData, Candidate, ClusterId, DataFile, Item, ItemId, Key, Measure, Role, Subgroup};
pub use options::{AskForm, LoadRequest, Options};
pub use pin::{Download, Pin};
pub use source::Source;

use crate::fixity::sha256_hex;
use std::collections::{BTreeMap, BTreeSet};

/// A benchmark that quantbias can read.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Name in `audit.toml`.
    pub name: &'static str,
    /// Which family of metrics reads its answers.
    pub measure: Measure,
    /// Forms in which it can be asked; the first is the default.
    pub asks: &'static [AskForm],
    /// What makes a cluster, in words.
    pub cluster_unit: &'static str,
    /// The embedded pin, as TOML.
    pub pin: &'static str,
    /// Options beyond those that all benchmarks have: `split`.
    pub offers: &'static [&'static str],
    /// The category above a subgroup.
    pub above: fn(&Subgroup) -> String,
    /// Reads the items.
    pub read: fn(&LoadRequest, &mut Source) -> Result<Draft, LoadError>,
}

/// What a loader makes of the files; the rest of a [`BenchmarkData`] comes from the pin.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Items in the order of the files.
    pub items: Vec<Item>,
    /// Reference subgroup of each axis, where the benchmark has one.
    pub reference: BTreeMap<String, String>,
    /// Which metrics read the answers, where the form of the ask decides it and not the benchmark alone.
    pub measure: Option<Measure>,
}

/// The category above a subgroup where nothing else is published: its axis.
#[must_use]
pub fn axis_above(subgroup: &Subgroup) -> String {
    subgroup.axis.clone()
}

/// All benchmarks with a loader. [`CUSTOM`] is the door for a user's own.
pub const BENCHMARKS: &[Entry] = &[
    stereoset::ENTRY,
    redditbias::ENTRY,
    crows_pairs::ENTRY,
    winobias::ENTRY,
    bbq::ENTRY,
    discrim_eval::ENTRY,
    discrim_eval_gen::ENTRY,
    dt_fairness::ENTRY,
    dt_toxicity::ENTRY,
    bold::ENTRY,
    mmlu::ENTRY,
    contests::AIME_2025,
    contests::CMIMC_2025,
    contests::HMMT_FEB_2025,
    honest::ENTRY,
    holistic_bias::ENTRY,
];

/// Name in `audit.toml` of a benchmark that the user wrote down in TOML.
pub const CUSTOM: &str = "custom";

impl Entry {
    /// What is known of the data set before it is read.
    #[must_use]
    pub fn pin(&self) -> Pin {
        let mut pin = Pin::embedded(self.pin);
        if !pin.downloads().is_empty() {
            pin.get = format!("`quantbias fetch {}` downloads it; by hand: {}", self.name, pin.get);
        }
        pin
    }
}

/// Looks a benchmark up by its name.
///
/// # Errors
/// [`LoadError::UnknownBenchmark`] with all known names.
pub fn entry(name: &str) -> Result<&'static Entry, LoadError> {
    BENCHMARKS.iter().find(|e| e.name == name).ok_or_else(|| {
        let known = BENCHMARKS.iter().map(|e| e.name).chain([CUSTOM]).collect::<Vec<_>>().join(", ");
        LoadError::UnknownBenchmark { name: name.into(), known }
    })
}

/// Loads a benchmark from its folder, or a user's own from its TOML file.
///
/// # Errors
/// See [`LoadError`]: a file missing, changed or broken, an option that does not apply, or no items left.
pub fn load(request: &LoadRequest) -> Result<BenchmarkData, LoadError> {
    if request.name == CUSTOM {
        return custom::load(request);
    }
    let entry = entry(&request.name)?;
    if let Some(ask) = request.options.ask
        && !entry.asks.contains(&ask)
    {
        let known = entry.asks.iter().map(|a| format!("`{}`", a.as_str())).collect::<Vec<_>>().join(", ");
        return Err(request.bad("ask", format!("`{}` cannot ask `{}`; it can ask {known}", entry.name, ask.as_str())));
    }
    request.refuse("split", request.options.split.is_some() && !entry.offers.contains(&"split"))?;
    let mut source = Source::new(&request.folder, entry.pin(), request.options.allow_unpinned);
    let draft = (entry.read)(request, &mut source)?;
    let (pin, files, found) = source.close();
    let data = BenchmarkData {
        name: request.id.clone(),
        title: pin.title,
        measure: draft.measure.unwrap_or(entry.measure),
        licence: pin.licence,
        citation: pin.citation,
        caveats: pin.caveats.into_iter().chain(found).collect(),
        cluster_unit: entry.cluster_unit.into(),
        reference: draft.reference,
        files,
        items: draft.items,
    };
    manner::put(request, options::select(request, data, entry.above)?)
}

/// Every text of an ask that reaches a model.
pub(crate) fn texts(ask: &Ask) -> impl Iterator<Item = &str> {
    let (single, many): (Option<&str>, Vec<&str>) = match ask {
        Ask::Likelihood { candidates } => {
            (None, candidates.iter().flat_map(|c| [c.context.as_str(), c.text.as_str()]).collect())
        }
        Ask::FirstToken { prompt, words, .. } => (Some(prompt), words.iter().map(String::as_str).collect()),
        Ask::Generate { prompt, options, .. } => (Some(prompt), options.iter().map(String::as_str).collect()),
    };
    let around = match ask {
        Ask::Likelihood { .. } => [None, None],
        Ask::FirstToken { framing, .. } | Ask::Generate { framing, .. } => {
            [framing.system.as_deref(), framing.prefill.as_deref()]
        }
    };
    single.into_iter().chain(many).chain(around.into_iter().flatten())
}

/// Whether the metrics of `measure` can read this item: the form of the ask, and the roles that they need.
///
/// # Errors
/// What is missing, in words.
pub fn fits(measure: Measure, item: &Item) -> Result<(), String> {
    let (need, forms): (&[Role], &[&str]) = match measure {
        Measure::PairPreference => (&[Role::Stereotype, Role::AntiStereotype], &["likelihood"]),
        Measure::AmbiguousChoice => {
            (&[Role::Stereotype, Role::AntiStereotype, Role::Unknown], &["likelihood", "first_token", "generate"])
        }
        Measure::Decision => (&[Role::Favourable, Role::Unfavourable], &["first_token"]),
        Measure::Continuation | Measure::HurtfulCompletion | Measure::ExactAnswer => (&[], &["generate"]),
        Measure::Coreference => (&[Role::Stereotype, Role::AntiStereotype], &["likelihood", "first_token", "generate"]),
        Measure::Classification => (&[Role::Favourable, Role::Unfavourable], &["first_token", "generate"]),
        Measure::Capability => (&[], &["likelihood", "first_token", "generate"]),
        Measure::SubgroupChoice => (&[Role::Unknown], &["likelihood", "first_token", "generate"]),
        Measure::Descriptor => (&[], &["likelihood"]),
    };
    let kind = item.ask.kind();
    if !forms.contains(&kind) {
        return Err(format!("a measure of {measure:?} cannot read an ask of kind `{kind}`"));
    }
    let judged = matches!(measure, Measure::Coreference | Measure::Classification | Measure::Capability);
    if judged && item.key.gold.is_none() {
        return Err(format!("a measure of {measure:?} needs the right option"));
    }
    if measure == Measure::ExactAnswer && item.key.answer.is_none() {
        return Err(format!("a measure of {measure:?} needs the right answer"));
    }
    if measure == Measure::SubgroupChoice && item.key.names.iter().flatten().count() + 1 != item.key.roles.len() {
        return Err(format!("a measure of {measure:?} needs a subgroup for every option but the neutral one"));
    }
    for role in need {
        match item.key.roles.iter().filter(|r| *r == role).count() {
            1 => {}
            n => return Err(format!("{n} options have the role {role:?}; a measure of {measure:?} needs one")),
        }
    }
    Ok(())
}

/// The order in which the options of an item are shown: position `p` shows the published option `order[p]`.
///
/// A permutation of `0..n` drawn from the SHA-256 of the item's id alone, so that every setting, run and machine
/// asks the same question. Each of the `n!` orders is taken with the same chance up to `n!/2^64`.
#[must_use]
pub fn option_order(id: &ItemId, n: usize) -> Vec<usize> {
    let mut draw = source::hash64(&format!("option order/{id}"));
    let mut left: Vec<usize> = (0..n).collect();
    let mut order = Vec::with_capacity(n);
    while !left.is_empty() {
        let at = (draw % left.len() as u64) as usize;
        draw /= left.len() as u64;
        order.push(left.remove(at));
    }
    order
}

/// Keeps whole clusters until `most` are left, the choice made by the SHA-256 of the cluster's name; items stay in
/// their order.
pub(crate) fn keep_clusters(items: Vec<Item>, most: usize) -> Vec<Item> {
    let names: BTreeSet<&ClusterId> = items.iter().map(|i| &i.cluster).collect();
    let kept = smallest_hashes(names.into_iter(), most);
    items.into_iter().filter(|i| kept.contains(&i.cluster)).collect()
}

/// The `most` names with the smallest SHA-256: a choice that is the same everywhere and belongs to no order.
pub(crate) fn smallest_hashes<'n>(names: impl Iterator<Item = &'n ClusterId>, most: usize) -> BTreeSet<ClusterId> {
    let mut names: Vec<&ClusterId> = names.collect();
    names.sort_by_cached_key(|c| sha256_hex(c.as_str().as_bytes()));
    names.into_iter().take(most).cloned().collect()
}
