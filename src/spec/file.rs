//! `audit.toml` as written: every key known, spans kept, nothing checked beyond shape.

use crate::benchmark::Options;
use crate::findings::{OnInconclusive, Worse};
use crate::spec::{Adjustment, Dtype, OtherMethod, Parser, Preset};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::Spanned;

/// The whole file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditFile {
    /// Name of the audit: lower case letters, digits, `-`, `_`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Folder for `runs`, `findings`, and `reports`; relative to the file. Default `quantbias-out`.
    #[serde(default)]
    pub output: Option<PathBuf>,
    /// Models.
    #[serde(rename = "model")]
    pub models: Vec<ModelEntry>,
    /// Quantization settings that the engine makes.
    #[serde(default)]
    pub settings: SettingsEntry,
    /// Settings that come quantized: behind a server, or as files of their own.
    #[serde(rename = "setting", default)]
    pub own_settings: Vec<OwnSetting>,
    /// Benchmarks.
    #[serde(rename = "benchmark")]
    pub benchmarks: Vec<BenchmarkEntry>,
    /// How to analyse.
    #[serde(default)]
    pub plan: PlanEntry,
    /// Gates: what must not get worse, and by how much. Without any, the headline metric of every benchmark is gated.
    #[serde(default, rename = "gate")]
    pub gates: Vec<GateEntry>,
    /// Exceptions from gates.
    #[serde(default, rename = "waiver")]
    pub waivers: Vec<WaiverEntry>,
    /// How to run.
    #[serde(default)]
    pub runner: RunnerEntry,
    /// Models that score continuations.
    #[serde(default)]
    pub scoring: ScoringEntry,
}

/// One `[[model]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// Short name, used in setting ids.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// Local directory; relative to the file.
    pub path: Option<PathBuf>,
    /// Hub id `owner/name`.
    pub hub: Option<String>,
    /// Branch, tag, or commit on the hub.
    pub revision: Option<String>,
    /// A server that has the model.
    pub endpoint: Option<EndpointEntry>,
}

/// `endpoint = { … }`: a model behind an OpenAI-compatible server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointEntry {
    /// Base URL, such as `http://host:8000/v1`.
    #[schemars(with = "String")]
    pub url: Spanned<String>,
    /// The model's name there.
    pub model: String,
    /// Environment variable that holds the key. Default `OPENAI_API_KEY`.
    pub key_env: Option<String>,
    /// Bits per weight, where they are known; no server says it.
    #[schemars(with = "Option<f64>")]
    pub bits_per_weight: Option<Spanned<f64>>,
    /// How weights are stored, in words.
    pub weights: String,
    /// What happens to activations, in words; `none` if they are not quantized.
    pub activations: String,
}

/// One `[[setting]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnSetting {
    /// Its name: the part of the setting's id after `@`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The model that it is a version of; default: the only one.
    #[schemars(with = "Option<String>")]
    pub model: Option<Spanned<String>>,
    /// The server that has it.
    pub endpoint: Option<EndpointEntry>,
    /// A GGUF file; relative to the audit file.
    pub gguf: Option<PathBuf>,
    /// A UQFF file, of several parts the first; relative to the audit file.
    pub uqff: Option<PathBuf>,
    /// Directory of a checkpoint that is quantized already; relative to the audit file.
    pub path: Option<PathBuf>,
    /// Hub id of a checkpoint that is quantized already.
    pub hub: Option<String>,
    /// Branch, tag, or commit on the hub.
    pub revision: Option<String>,
    /// Directory of a low-rank adapter, which is merged into the weights; relative to the audit file.
    pub adapter: Option<PathBuf>,
    /// A scheme of the engine, for the model or the adapted model. Default `none`.
    #[schemars(with = "Option<String>")]
    pub scheme: Option<Spanned<String>>,
    /// An importance matrix that guides the scheme.
    pub imatrix: Option<PathBuf>,
    /// A text from which the engine would collect one; mistral.rs 0.8.1 cannot.
    pub calibration: Option<PathBuf>,
    /// Other schemes for some layers: a topology file of mistral.rs.
    pub topology: Option<PathBuf>,
    /// Data type of unquantized tensors and arithmetic. Default: that of `[settings]`.
    pub dtype: Option<Dtype>,
}

/// `[settings]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsEntry {
    /// Schemes to run beside the baseline.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub schemes: Vec<Spanned<String>>,
    /// Scheme that all others are held against. Default `none`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub baseline: Option<Spanned<String>>,
    /// Whether the baseline is run twice, as the noise floor. Default true.
    #[serde(default = "yes")]
    pub aa: bool,
    /// Data type of unquantized tensors and arithmetic. Default `f32`.
    #[serde(default)]
    pub dtype: Dtype,
    /// Device. Default `cpu`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub device: Option<Spanned<String>>,
}

impl Default for SettingsEntry {
    fn default() -> Self {
        Self { schemes: Vec::new(), baseline: None, aa: true, dtype: Dtype::default(), device: None }
    }
}

/// One `[[benchmark]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkEntry {
    /// Name in findings; default: the type.
    #[schemars(with = "Option<String>")]
    pub id: Option<Spanned<String>>,
    /// `stereoset`, `crows_pairs`, `bbq`, `discrim_eval`, `custom` …
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub kind: Spanned<String>,
    /// Folder (or file) of the data; relative to the file. Default: where `quantbias fetch` puts it.
    pub path: Option<PathBuf>,
    /// Models that are asked; default: all.
    #[schemars(with = "Option<Vec<String>>")]
    pub models: Option<Vec<Spanned<String>>>,
    /// Choices that the loader offers.
    #[serde(default)]
    pub options: Options,
}

/// `[plan]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlanEntry {
    /// How much is asked and computed where this file does not say it: `quick`, `standard` (the default), `paper`.
    pub preset: Option<Preset>,
    /// Whether the published study's variants of the metrics and its randomization test with 10,000 swaps are computed
    /// beside ours. Default: only with the preset `paper`.
    pub paper: Option<bool>,
    /// Two-sided confidence level. Default 0.95.
    #[schemars(with = "Option<f64>")]
    pub level: Option<Spanned<f64>>,
    /// One-sided level of the gate. Default 0.95.
    #[schemars(with = "Option<f64>")]
    pub gate_level: Option<Spanned<f64>>,
    /// Bootstrap replicates. Default 10000.
    #[schemars(with = "Option<u32>")]
    pub replicates: Option<Spanned<u32>>,
    /// Draws of the sign-flip null. Default 9999.
    #[schemars(with = "Option<u32>")]
    pub draws: Option<Spanned<u32>>,
    /// Master seed. Default 20260101.
    pub seed: Option<u64>,
    /// Power at which the minimum detectable effect is stated. Default 0.8.
    #[schemars(with = "Option<f64>")]
    pub power: Option<Spanned<f64>>,
    /// Margin of the headline metric by benchmark id, in metric units (a share of 2 points is 0.02).
    #[schemars(with = "BTreeMap<String, f64>")]
    pub margins: BTreeMap<String, Spanned<f64>>,
    /// Whether an inconclusive gate ends `audit` with exit code 11 instead of 0, where the gate does not say it itself.
    /// Default true.
    pub inconclusive_fails: bool,
    /// How options are read from generated text: `lenient` (the default) or `strict`, as the published study does.
    pub parser: Parser,
    /// Intervals to show beside the headline one, for comparison with other software: the first four of changes, the others of
    /// shares of one setting. Gates never read them.
    pub intervals: Vec<OtherMethod>,
    /// Adjustments of the p-values of each family to show beside its own, for comparison with other software. No claim
    /// rests on them.
    pub adjustments: Vec<Adjustment>,
    /// Families of hypotheses beside the fixed ones.
    #[serde(rename = "family")]
    pub families: Vec<FamilyEntry>,
    /// Contrasts between two schemes beside those against the baseline.
    #[serde(rename = "contrast")]
    pub contrasts: Vec<ContrastEntry>,
}

impl Default for PlanEntry {
    fn default() -> Self {
        Self {
            preset: None,
            paper: None,
            level: None,
            gate_level: None,
            replicates: None,
            draws: None,
            seed: None,
            power: None,
            margins: BTreeMap::new(),
            inconclusive_fails: true,
            parser: Parser::default(),
            intervals: Vec::new(),
            adjustments: Vec::new(),
            families: Vec::new(),
            contrasts: Vec::new(),
        }
    }
}

/// One `[[plan.contrast]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContrastEntry {
    /// Scheme, or name of a `[[setting]]`, whose change is asked for.
    #[schemars(with = "String")]
    pub scheme: Spanned<String>,
    /// Scheme, or name of a `[[setting]]`, that it is held against.
    #[schemars(with = "String")]
    pub against: Spanned<String>,
}

/// One `[[plan.family]]`: changes against the baseline that are corrected together, by step-down maxT. What is absent is
/// not restricted. A hypothesis belongs to the first family that names it; what no family names stays in the fixed ones.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FamilyEntry {
    /// Name in findings; not that of a fixed family, such as `primary`.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// Benchmark ids.
    #[schemars(with = "Option<Vec<String>>")]
    pub benchmarks: Option<Vec<Spanned<String>>>,
    /// Metric ids. Default: the metrics that lead each benchmark.
    pub metrics: Option<Vec<String>>,
    /// Schemes that it is for.
    #[schemars(with = "Option<Vec<String>>")]
    pub schemes: Option<Vec<Spanned<String>>>,
    /// Axes that it is for; `all` is the cell over all items.
    pub axes: Option<Vec<String>>,
    /// Subgroups that it is for, by name or as `axis: name`.
    pub subgroups: Option<Vec<String>>,
}

/// One `[[gate]]`. What is absent is not restricted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateEntry {
    /// Name in findings and waivers. Default: the benchmark, with the metric if one is named.
    #[schemars(with = "Option<String>")]
    pub id: Option<Spanned<String>>,
    /// Benchmark id.
    #[schemars(with = "String")]
    pub benchmark: Spanned<String>,
    /// Metric id, such as `no_answer_rate`. Default: the benchmark's headline metric.
    #[schemars(with = "Option<String>")]
    pub metric: Option<Spanned<String>>,
    /// Models that it is for.
    #[schemars(with = "Option<Vec<String>>")]
    pub models: Option<Vec<Spanned<String>>>,
    /// Schemes that it is for.
    #[schemars(with = "Option<Vec<String>>")]
    pub schemes: Option<Vec<Spanned<String>>>,
    /// Axes that it is for; `all` is the cell over all items.
    pub axes: Option<Vec<String>>,
    /// Subgroups that it is for, by name or as `axis: name`.
    pub subgroups: Option<Vec<String>>,
    /// How large a change for the worse is tolerated, in metric units. Default for the headline metric: the benchmark's
    /// margin in `[plan.margins]`.
    #[schemars(with = "Option<f64>")]
    pub margin: Option<Spanned<f64>>,
    /// Which change is worse: `increase`, `decrease`, `either`, `away_from_ideal`. Default: the metric's own direction.
    pub worse: Option<Worse>,
    /// What it does where it is inconclusive: `fail` (exit code 11), `warn`, `pass_with_note`.
    pub inconclusive: Option<OnInconclusive>,
}

/// One `[[waiver]]`: an exception from a gate. The verdict stays visible; only the exit code changes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverEntry {
    /// Gate id; without declared gates the benchmark's id.
    #[schemars(with = "String")]
    pub gate: Spanned<String>,
    /// Model that it is limited to.
    #[schemars(with = "Option<String>")]
    pub model: Option<Spanned<String>>,
    /// Scheme that it is limited to.
    #[schemars(with = "Option<String>")]
    pub scheme: Option<Spanned<String>>,
    /// Subgroup that it is limited to, by name or as `axis: name`.
    pub subgroup: Option<String>,
    /// Why.
    #[schemars(with = "String")]
    pub reason: Spanned<String>,
    /// Who answers for it.
    #[schemars(with = "String")]
    pub author: Spanned<String>,
    /// Last day on which it counts, as a TOML date.
    #[schemars(with = "String")]
    pub expires: Spanned<toml::value::Datetime>,
}

/// `[runner]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunnerEntry {
    /// Worker processes. Default: one per core.
    #[schemars(with = "Option<u32>")]
    pub workers: Option<Spanned<u32>>,
    /// Memory that all workers together may take, MiB. Default: four fifths of what is free.
    pub memory_mib: Option<u64>,
    /// Seconds after which an item's worker is killed. Default 300.
    #[schemars(with = "Option<u64>")]
    pub item_timeout_s: Option<Spanned<u64>>,
    /// Seconds that loading may take. Default 1800.
    #[schemars(with = "Option<u64>")]
    pub load_timeout_s: Option<Spanned<u64>>,
    /// Share of failed items that a run tolerates. Default 0.01.
    #[schemars(with = "Option<f64>")]
    pub max_failed: Option<Spanned<f64>>,
}

/// `[scoring]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScoringEntry {
    /// A toxicity classifier in the shape of `unitary/toxic-bert`. Default: none.
    #[schemars(with = "Option<ScoringModelEntry>")]
    pub toxicity: Option<Spanned<ScoringModelEntry>>,
    /// A judge of coherence. Default: none.
    #[schemars(with = "Option<JudgeEntry>")]
    pub judge: Option<Spanned<JudgeEntry>>,
}

/// `[scoring.toxicity]`: either `path` or `hub`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoringModelEntry {
    /// Local directory; relative to the file.
    pub path: Option<PathBuf>,
    /// Hub id `owner/name`.
    pub hub: Option<String>,
    /// Branch, tag, or commit on the hub.
    pub revision: Option<String>,
}

/// `[scoring.judge]`: either `path` or `hub`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JudgeEntry {
    /// Local directory; relative to the file.
    pub path: Option<PathBuf>,
    /// Hub id `owner/name`.
    pub hub: Option<String>,
    /// Branch, tag, or commit on the hub.
    pub revision: Option<String>,
    /// File with a prompt template that replaces the built-in one; relative to the file.
    #[schemars(with = "Option<PathBuf>")]
    pub prompt: Option<Spanned<PathBuf>>,
    /// Whether the model's chat template wraps the prompt. Default true.
    #[serde(default = "yes")]
    pub chat: bool,
    /// Most tokens of a reply. Default 16.
    pub max_tokens: Option<u32>,
}

fn yes() -> bool {
    true
}
