//! Rows about how far a change can be trusted: missing answers, other choices of analysis, sizes needed.

use super::rows::{Cell, Interval};
use super::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// A change under other treatments of items without a usable answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissingRow {
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id.
    pub setting: String,
    /// The setting it is held against.
    pub against: String,
    /// Items of the cell.
    pub items: u64,
    /// Items answered under exactly one of the two settings.
    pub one_side: u64,
    /// Items answered under neither.
    pub neither: u64,
    /// The treatments.
    pub treatments: Vec<MissingTreatment>,
    /// Whether all treatments have the same verdict; absent unless all have one, and worst and best case are among them.
    pub agree: Option<bool>,
    /// Which treatment the metric has no value for, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One treatment of missing answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissingTreatment {
    /// `own_category` (invalid counts as neutral, where the metric has a neutral value), `complete_pairs` (items answered
    /// under both), `worst_case` and `best_case` (each missing answer takes the end of the metric's range that is worse,
    /// or better, for the setting).
    pub treatment: String,
    /// The change.
    pub delta: Option<f64>,
    /// Jackknife-t interval at the two-sided level.
    pub interval: Option<Interval>,
    /// Verdict of the cell by the gate's jackknife-t bounds, where a margin is declared for the metric.
    pub verdict: Option<Verdict>,
    /// Items in it.
    pub items: u64,
}

/// The change of a cell under one other choice of analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SensitivityRow {
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id.
    pub setting: String,
    /// The setting it is held against.
    pub against: String,
    /// `clusters_items` (every item its own cluster), `clusters_strata` (every stratum one cluster), `without_one_cluster`
    /// (extremes over leaving each cluster out), `seeds` (five other master seeds), or `ties_dropped`.
    pub choice: String,
    /// What was done, in words.
    pub title: String,
    /// The change under this choice.
    pub delta: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// Its interval, of the kind that the contrast row publishes.
    pub interval: Option<Interval>,
    /// Its p-value.
    pub p: Option<f64>,
    /// Clusters under this choice.
    pub clusters: u64,
    /// Items under this choice.
    pub items: u64,
    /// Smallest and largest value over the repetitions: of the change for `without_one_cluster`, of p for `seeds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extremes: Option<[f64; 2]>,
    /// Clusters whose absence gives `extremes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extreme_clusters: Option<[String; 2]>,
    /// For `seeds`: largest distance between two seeds' limits over half the interval's width; below 0.1 is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_spread: Option<f64>,
}

/// What could have been found in a cell, and how many items it would take to find more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PowerRow {
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id.
    pub setting: String,
    /// The setting it is held against.
    pub against: String,
    /// Items now.
    pub items: u64,
    /// Clusters now.
    pub clusters: u64,
    /// Standard error now.
    pub se: f64,
    /// Design effect, where it can be estimated.
    pub deff: Option<f64>,
    /// Share of items that flip either way, where the metric has an event.
    pub discordance: Option<f64>,
    /// Power that `mde` is stated at.
    pub power: f64,
    /// Minimum detectable effect now, metric units.
    pub mde: f64,
    /// Margin of the benchmark, where the metric is the one that the gate reads.
    pub margin: Option<f64>,
    /// Items needed so that a change as large as the margin becomes detectable, clusters growing in proportion; those of
    /// six clusters at least.
    pub items_for_margin: Option<u64>,
    /// Items needed so that equivalence within the margin is shown with this power where the true change is 0; by
    /// one bound where one direction is worse.
    pub items_for_equivalence: Option<u64>,
    /// Minimum detectable effect at other sizes, clusters growing in proportion.
    pub curve: Vec<PowerPoint>,
}

/// A point of a power curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PowerPoint {
    /// Items.
    pub items: u64,
    /// Clusters.
    pub clusters: u64,
    /// Minimum detectable effect, metric units.
    pub mde: f64,
}
