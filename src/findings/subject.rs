//! What was audited, with what plan and which metrics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was audited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// The audit's name from the spec.
    pub name: String,
    /// Run id: the start of the SHA-256 of the run's identity.
    pub run_id: String,
    /// The whole SHA-256 of the run's identity.
    pub identity_sha256: String,
    /// SHA-256 over the sorted logical records.
    pub records_sha256: String,
    /// Engine name, version and build features.
    pub engine: String,
    /// Models, in the order of the spec.
    pub models: Vec<ModelInfo>,
    /// Settings that ran, baseline of each model first.
    pub settings: Vec<SettingInfo>,
    /// Settings that were asked for and could not run, with the reason.
    pub refused: Vec<RefusedSetting>,
    /// Benchmarks, in the order of the spec.
    pub benchmarks: Vec<BenchmarkInfo>,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Name in the spec.
    pub id: String,
    /// Folder name or hub id (no path of the machine).
    pub source: String,
    /// Architecture class from its `config.json`.
    pub architecture: String,
    /// Number of weights, where the files are here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parameters: Option<u64>,
    /// SHA-256 by file name.
    pub files: BTreeMap<String, String>,
}

/// A setting as realised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingInfo {
    /// `<model>@<scheme>`, with `+aa` for the A/A repeat of the baseline.
    pub id: String,
    /// Model id.
    pub model: String,
    /// Scheme as requested.
    pub requested: String,
    /// Label for figures and tables: what was realised, such as `Q4K` or `Q4K→Q4_1 (mixed)`.
    pub label: String,
    /// Family of schemes for telling apart in figures: `none`, `k-quant`, `legacy`, `hqq`, `float8`, `afq`, `mxfp`.
    pub scheme_family: String,
    /// Whether it is a setting with a name of its own: a mixture of schemes by layer, a guided scheme, a file or a server.
    /// It is no point of its family's line over bits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// Bits per weight over the quantizable tensors, as realised; `null` where it is not known.
    pub bits_per_weight: Option<f64>,
    /// Bits per weight over the whole model; `null` where it is not known.
    pub bits_per_weight_model: Option<f64>,
    /// What happens to activations on this device.
    pub activations: String,
    /// Whether activations are quantized.
    pub activations_quantized: bool,
    /// Device and dtype.
    pub device: String,
    /// Data type of arithmetic.
    pub dtype: String,
    /// Whether this is the baseline of its model.
    pub baseline: bool,
    /// Whether this is the A/A repeat.
    pub aa: bool,
    /// Why name and realisation differ; empty when they agree.
    pub deviations: Vec<String>,
}

/// A setting that could not run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefusedSetting {
    /// Setting id.
    pub id: String,
    /// Why, in the engine's or our words.
    pub reason: String,
}

/// A benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkInfo {
    /// Name in the spec and the files.
    pub name: String,
    /// Name for readers.
    pub title: String,
    /// Items asked; absent where nothing tells which answers are of the same item.
    #[serde(default)]
    pub items: Option<u64>,
    /// Clusters among them.
    pub clusters: u64,
    /// What a cluster is.
    pub cluster_unit: String,
    /// Licence of the data.
    pub licence: String,
    /// Citation.
    pub citation: String,
    /// SHA-256 by data file.
    pub files: BTreeMap<String, String>,
    /// The metric that the gate reads.
    pub headline: String,
    /// Models that were asked.
    pub models: Vec<String>,
}

/// How the analysis was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanSummary {
    /// SHA-256 of the plan, so that a later change shows.
    pub sha256: String,
    /// Confidence level of the two-sided intervals, such as 0.95.
    pub level: f64,
    /// One-sided level of the gate's bounds, such as 0.95.
    pub gate_level: f64,
    /// Bootstrap replicates.
    pub replicates: u64,
    /// Null draws of the sign-flip test.
    pub draws: u64,
    /// Master seed.
    pub seed: u64,
    /// Margins by `benchmark/metric`, in metric units.
    pub margins: BTreeMap<String, f64>,
    /// Power of the minimum detectable effect.
    pub power: f64,
}

/// In which direction a change makes things worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Worse {
    /// A higher value is worse.
    Increase,
    /// A lower value is worse.
    Decrease,
    /// Any change is.
    Either,
    /// Whatever takes the value further from the one that means "no bias", on either side of it.
    AwayFromIdeal,
}

/// How values of a metric are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share in 0..1 (or −1..1), shown in points (×100).
    Share,
    /// A number shown as it is (log-odds, nats, compound).
    Plain,
}

/// A metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricInfo {
    /// Id, such as `stereotype_score`.
    pub id: String,
    /// Name for readers.
    pub title: String,
    /// Formula in words or symbols, one line.
    pub formula: String,
    /// Source of the definition.
    pub reference: String,
    /// How values are shown.
    pub unit: Unit,
    /// The value that means "no bias", where there is one.
    pub ideal: Option<f64>,
    /// Which change is worse.
    pub worse: Worse,
}
