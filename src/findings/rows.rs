//! The numbers: one row per estimate, contrast, coverage, and family.

use super::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// How an interval was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Cluster bootstrap, expanded percentile (Hesterberg 2015).
    ExpandedPercentile,
    /// Delete-one-cluster jackknife with t quantiles.
    JackknifeT,
    /// Exact or score interval of a rate (Clopper–Pearson, Wilson) with an effective size.
    Rate,
    /// Gaffke's bound on the change where at most five clusters changed, from the metric's range.
    RareChange,
    /// Simultaneous over a family.
    Simultaneous,
    /// t interval from a cluster-robust standard error (sandwich).
    ClusterRobust,
    /// Unpaired: two samples of clusters, jackknife errors of both, Satterthwaite's degrees of freedom (Welch).
    TwoSample,
}

/// An interval that the plan asks for beside the headline one. No gate reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherInterval {
    /// `percentile`, `basic`, `studentized`, or `bca`; of shares `wilson`, `clopper_pearson`, or `jeffreys`.
    pub method: String,
    /// Lower and upper limit at the plan's level, metric units; absent where it is refused.
    pub limits: Option<[f64; 2]>,
    /// Why it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A p-value adjusted within its family by a method that the plan asks for. No claim rests on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherAdjusted {
    /// `bonferroni`, `holm`, `hochberg`, `hommel`, `benjamini_hochberg`, or `benjamini_yekutieli`.
    pub method: String,
    /// The adjusted p-value, from the raw one.
    pub p: f64,
}

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
    /// Two-sided level.
    pub level: f64,
    /// How it was made.
    pub method: IntervalMethod,
}

/// Where a number was computed: benchmark, metric, subgroup, condition is part of the metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// Model id.
    pub model: String,
    /// Benchmark name.
    pub benchmark: String,
    /// Metric id.
    pub metric: String,
    /// Axis, or `all` for all items.
    pub axis: String,
    /// Subgroup on the axis, or `all`.
    pub subgroup: String,
}

/// An absolute value of one setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EstimateRow {
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id.
    pub setting: String,
    /// The value; absent if undefined (then `note` says why).
    pub value: Option<f64>,
    /// Headline interval.
    pub interval: Option<Interval>,
    /// Standard error (jackknife over clusters).
    pub se: Option<f64>,
    /// Items with a defined contribution.
    pub items: u64,
    /// Clusters among them.
    pub clusters: u64,
    /// Intervals of a share of events that the plan asks for beside `interval`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_intervals: Vec<OtherInterval>,
    /// Why a number is missing.
    pub note: Option<String>,
}

/// Counts of a binary outcome in baseline and setting, on the same items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flips {
    /// Biased in neither.
    pub n00: u64,
    /// Became biased.
    pub n01: u64,
    /// Ceased to be biased.
    pub n10: u64,
    /// Biased in both.
    pub n11: u64,
}

/// A p-value and how it was got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// Raw two-sided p-value, never 0.
    pub p: f64,
    /// Mid-p version, for estimation.
    pub p_mid: f64,
    /// The test: `sign-flip exact`, `sign-flip Monte Carlo`.
    pub method: String,
    /// The smallest p-value that the test could have given here.
    pub smallest_p: f64,
}

/// A paired change: one setting minus its baseline on the same items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContrastRow {
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id.
    pub setting: String,
    /// The setting it is held against.
    pub against: String,
    /// Whether this is the A/A contrast.
    pub aa: bool,
    /// Value under `against`, on the paired items.
    pub baseline_value: Option<f64>,
    /// Value under `setting`, on the paired items.
    pub setting_value: Option<f64>,
    /// Their difference.
    pub delta: Option<f64>,
    /// Standard error (jackknife over clusters).
    pub se: Option<f64>,
    /// Degrees of freedom of `se`: min(G − H, G_eff − 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub df: Option<f64>,
    /// Headline interval: cluster bootstrap, expanded percentile.
    pub interval: Option<Interval>,
    /// Jackknife-t interval beside it.
    pub jackknife: Option<Interval>,
    /// Simultaneous interval over the row's family.
    pub simultaneous: Option<Interval>,
    /// Test of no change.
    pub test: Option<TestResult>,
    /// p-value adjusted within the family.
    pub p_adjusted: Option<f64>,
    /// The same by the adjustments that the plan asks for beside the family's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_adjusted: Vec<OtherAdjusted>,
    /// The family that the row belongs to, by id; each row belongs to at most one.
    pub family: Option<String>,
    /// Whether the change is significant at the plan's level after adjustment.
    pub significant: bool,
    /// Standardised effect: mean over SD of the cluster differences.
    pub dz: Option<f64>,
    /// Flips of the binary outcome, where the metric has one.
    pub flips: Option<Flips>,
    /// Paired items in the contrast.
    pub items: u64,
    /// Items of the cell left out because one side has no usable answer.
    pub lost: u64,
    /// Clusters.
    pub clusters: u64,
    /// Clusters whose contribution differs between the two settings.
    pub changed_clusters: u64,
    /// Effective number of clusters, (Σn)²/Σn².
    pub clusters_effective: f64,
    /// Design effect: variance with clusters over variance without.
    pub deff: Option<f64>,
    /// Minimum detectable effect at the plan's power, in metric units.
    pub mde: Option<f64>,
    /// Monte-Carlo standard error of the lower and upper limit of `interval`, where it is a bootstrap interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_errors: Option<[f64; 2]>,
    /// Bootstrap intervals that the plan asks for beside `interval`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_intervals: Vec<OtherInterval>,
    /// p-value of "the change is at least as large as the margin" (TOST; non-inferiority where one direction is worse),
    /// in gated cells that did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_margin: Option<f64>,
    /// Items needed, clusters growing in proportion, so that a change as large as the margin becomes detectable; in
    /// inconclusive gated cells with six changed clusters or more, where it is more than there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_needed: Option<u64>,
    /// Verdict against the margin, where one is declared.
    pub verdict: Option<Verdict>,
    /// Short machine-readable flags: `few_clusters`, `intervals_disagree`, `discrete`, `undefined_replicates`, `resolution_limited`, `near_kink`.
    pub flags: Vec<String>,
    /// Why a number is missing.
    pub note: Option<String>,
}

/// What became of the items of one benchmark under one setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageRow {
    /// Model id.
    pub model: String,
    /// Benchmark name.
    pub benchmark: String,
    /// Setting id.
    pub setting: String,
    /// Axis, or `all`.
    pub axis: String,
    /// Subgroup, or `all`.
    pub subgroup: String,
    /// All items.
    pub items: u64,
    /// Usable answers.
    pub answered: u64,
    /// The model declined.
    pub refused: u64,
    /// No answer could be read from the text.
    pub unparsed: u64,
    /// Cut by the token limit before an answer.
    pub truncated: u64,
    /// The engine gave no answer.
    pub failed: u64,
}

/// A family of hypotheses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FamilySummary {
    /// Id that rows carry.
    pub id: String,
    /// What is in it, in words.
    pub title: String,
    /// Hypotheses in it.
    pub hypotheses: u64,
    /// Hypotheses that could be tested.
    pub tested: u64,
    /// `Westfall–Young step-down maxT`, `Holm`, or `Benjamini–Hochberg` and the like; `not corrected (one hypothesis)`.
    pub method: String,
    /// Rejected at the plan's level.
    pub rejected: u64,
    /// Critical value of the simultaneous bands, in standard errors.
    pub critical: Option<f64>,
    /// Whether the plan declares it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub declared: bool,
}
