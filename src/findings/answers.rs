//! Rows about single answers: flips, what predicts them, how far answers moved, what became of the items.

use super::rows::{Cell, Flips, Interval};
use super::tested::Tested;
use serde::{Deserialize, Serialize};

/// Flips of the binary event behind a metric, in both directions. Both conditional rates stand side by side, because
/// noise alone moves both (regression to the mean).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlipRow {
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id.
    pub setting: String,
    /// The setting it is held against.
    pub against: String,
    /// Whether this is the A/A contrast.
    pub aa: bool,
    /// Items with the event defined under both.
    pub items: u64,
    /// Clusters among them.
    pub clusters: u64,
    /// The four counts.
    pub counts: Flips,
    /// `(n01 + n10)/n`.
    pub rate: f64,
    /// Cluster interval of `rate`.
    pub rate_interval: Option<Interval>,
    /// `n01/(n00 + n01)`: of the items unbiased before, the share that became biased.
    pub became: Option<f64>,
    /// Cluster interval of `became`.
    pub became_interval: Option<Interval>,
    /// `n10/(n10 + n11)`: of the items biased before, the share that ceased to be.
    pub ceased: Option<f64>,
    /// Cluster interval of `ceased`.
    pub ceased_interval: Option<Interval>,
    /// `(n01 − n10)/n`.
    pub net: f64,
    /// Interval of `net`: Tango's score interval where every cluster is one item and fewer than 25 flipped, jackknife-t
    /// otherwise.
    pub net_interval: Option<Interval>,
    /// `1 − |net|/rate`: share of flips that cancel; absent without flips.
    pub masked: Option<f64>,
    /// `n01/n10`; absent where nothing ceased.
    pub odds: Option<f64>,
    /// McNemar's exact p of the net change; only where every cluster is one item.
    pub mcnemar: Option<f64>,
    /// Its mid-p.
    pub mcnemar_mid: Option<f64>,
    /// Durkalski's asymptotic p of the net change, for clusters.
    pub durkalski: Option<f64>,
    /// Exact p of the net change over clusters: all ±patterns of the clusters' net flips, by convolution, not studentized.
    /// With one item per cluster it is McNemar's. Absent where flips times changed
    /// clusters exceed 10⁷.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_exact: Option<f64>,
    /// Flip rate of the A/A repeat on the same items; absent without one.
    pub aa_rate: Option<f64>,
    /// `rate − aa_rate`.
    pub excess: Option<f64>,
    /// Jackknife-t interval of `excess`.
    pub excess_interval: Option<Interval>,
    /// Sign-flip test of `excess`; absent where the A/A repeat did not change at all.
    pub excess_test: Option<Tested>,
    /// Why an excess is not tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_note: Option<String>,
}

/// Do items that the baseline was unsure of flip more often?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UncertaintyRow {
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id.
    pub setting: String,
    /// The setting it is held against.
    pub against: String,
    /// Whether this is the A/A contrast.
    pub aa: bool,
    /// `margin` (difference of the two largest log-probabilities under the baseline) or `entropy` (normalised, 0 to 1).
    pub predictor: String,
    /// Thirds, from the surest to the least sure items.
    pub thirds: Vec<UncertaintyThird>,
    /// Flip rate of the least sure third over that of the surest; absent where fewer than 6 items flipped in either.
    pub risk_ratio: Option<f64>,
    /// Jackknife-t interval of the ratio, made on the log scale.
    pub risk_ratio_interval: Option<Interval>,
    /// Why there is no ratio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_ratio_note: Option<String>,
    /// Probability that a flipped item was less sure than one that did not flip; ½ is chance.
    pub auroc: Option<f64>,
    /// Jackknife-t interval of `auroc`.
    pub auroc_interval: Option<Interval>,
    /// Logistic slope: change of the log-odds of a flip per unit towards less sure (per nat of a smaller margin, or from
    /// entropy 0 to 1); above 0, unsure items flip more often. Absent where fewer than 6 items flipped, or did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope: Option<f64>,
    /// t interval of `slope` from its cluster-robust standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope_interval: Option<Interval>,
    /// Why there is no slope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope_note: Option<String>,
    /// Items.
    pub items: u64,
    /// Clusters.
    pub clusters: u64,
}

/// One third of the items by the baseline's uncertainty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UncertaintyThird {
    /// Smallest value of the predictor in it.
    pub lower: f64,
    /// Largest value of the predictor in it.
    pub upper: f64,
    /// Items.
    pub items: u64,
    /// Items that flipped.
    pub flipped: u64,
    /// Their share.
    pub rate: Option<f64>,
    /// Cluster interval of the share.
    pub interval: Option<Interval>,
}

/// How the continuous quantity behind a metric moved, item by item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DistributionRow {
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id.
    pub setting: String,
    /// The setting it is held against.
    pub against: String,
    /// Whether this is the A/A contrast.
    pub aa: bool,
    /// What moved, such as `log-likelihood ratio, nats`.
    pub quantity: String,
    /// Items.
    pub items: u64,
    /// Mean change.
    pub mean: f64,
    /// Standard deviation of the changes (divisor n − 1); absent for one item.
    pub sd: Option<f64>,
    /// Quantiles of the changes (type 7) at 0, .01, .05, .1, .25, .5, .75, .9, .95, .99, 1.
    pub quantiles: Vec<QuantilePoint>,
    /// Edges of the histogram's bins, one more than counts; shared by all settings of a cell.
    pub edges: Vec<f64>,
    /// Items per bin; the last bin includes its upper edge, and changes beyond the edges are in the outer bins.
    pub counts: Vec<u64>,
    /// Kullback–Leibler divergence of the answer distribution, baseline to setting, nats.
    pub divergence: Option<Movement>,
    /// Total variation between the answer distributions, 0 to 1.
    pub total_variation: Option<Movement>,
}

/// A quantile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QuantilePoint {
    /// Probability.
    pub p: f64,
    /// Value.
    pub value: f64,
}

/// A mean that cannot be negative, held against that of the A/A repeat and not against 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    /// Mean over items, ≥ 0.
    pub mean: f64,
    /// Items with a finite value.
    pub items: u64,
    /// Mean of the A/A repeat on the same items; absent without one.
    pub aa_mean: Option<f64>,
    /// `mean − aa_mean`.
    pub excess: Option<f64>,
    /// Jackknife-t interval of `excess`.
    pub excess_interval: Option<Interval>,
    /// Sign-flip test of `excess`; absent where the A/A repeat did not change at all.
    pub excess_test: Option<Tested>,
    /// Why an excess is not tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_note: Option<String>,
}

/// Rate of one outcome under setting and baseline, paired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeRow {
    /// Where; the metric is `outcome`.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id.
    pub setting: String,
    /// The setting it is held against.
    pub against: String,
    /// Whether this is the A/A contrast.
    pub aa: bool,
    /// `refused`, `unparsed`, `truncated`, `failed`, or `no_answer` (any of them).
    pub outcome: String,
    /// Items.
    pub items: u64,
    /// Clusters.
    pub clusters: u64,
    /// Share under `against`.
    pub baseline_rate: f64,
    /// Wilson interval with effective size (Clopper–Pearson over clusters at 0 % and 100 %).
    pub baseline_interval: Option<Interval>,
    /// Share under `setting`.
    pub setting_rate: f64,
    /// As `baseline_interval`.
    pub setting_interval: Option<Interval>,
    /// `setting_rate − baseline_rate`.
    pub delta: f64,
    /// Jackknife-t interval of `delta`.
    pub interval: Option<Interval>,
    /// Sign-flip test of `delta`.
    pub test: Option<Tested>,
    /// Why a number is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Do answers differ at all between settings?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OmnibusRow {
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// `cochran_q` (event over all settings), `stuart_maxwell` (margins of the answer categories, one pair of settings)
    /// or `bowker` (symmetry, likewise).
    pub kind: String,
    /// Settings compared; for a pair: setting, then baseline.
    pub settings: Vec<String>,
    /// Answer categories, in the order of the table's margins; empty for `cochran_q`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// The textbook statistic, which takes items as independent.
    pub statistic: Option<f64>,
    /// Its degrees of freedom.
    pub df: Option<f64>,
    /// Its χ² p-value; not for templated items.
    pub p_asymptotic: Option<f64>,
    /// The test that respects clusters: within-cluster permutation of settings, or sign flips of the marginal movements.
    pub test: Option<Tested>,
    /// Items.
    pub items: u64,
    /// Clusters.
    pub clusters: u64,
    /// Why a number is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
