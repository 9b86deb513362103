//! How the analysis is done, fixed before anybody looks at results.

use crate::findings::{OnInconclusive, Worse};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The analysis plan. Its canonical JSON is hashed into the findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Two-sided confidence level, in (0.5, 1).
    pub level: f64,
    /// One-sided level of the gate's bounds, in (0.5, 1).
    pub gate_level: f64,
    /// Bootstrap replicates, at least 1000.
    pub replicates: u32,
    /// Draws of the sign-flip null, at least 999.
    pub draws: u32,
    /// Master seed.
    pub seed: u64,
    /// Power of the minimum detectable effect, in (0.5, 1).
    pub power: f64,
    /// Margin of the headline metric by benchmark id, in metric units; the metric's default where absent.
    pub margins: BTreeMap<String, f64>,
    /// Contrasts between two schemes beside those against the baseline.
    pub contrasts: Vec<SchemeContrast>,
    /// Gates; where there are none, the headline metric of every benchmark is gated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// What an inconclusive gate does that does not say it itself.
    #[serde(default, skip_serializing_if = "OnInconclusive::is_default")]
    pub inconclusive: OnInconclusive,
    /// Whether the published study's variants of the metrics and its randomization test are computed beside ours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paper: bool,
    /// How options are read from generated text.
    #[serde(default, skip_serializing_if = "Parser::is_default")]
    pub parser: Parser,
    /// Intervals shown beside the headline one, for comparison with other software; no gate reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<OtherMethod>,
    /// Adjustments shown beside the adjusted p-values, for comparison with other software; no claim rests on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<Adjustment>,
    /// Families of hypotheses that are declared beside the fixed ones, and come before them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<Family>,
}

/// A gate: which cells must not get worse by the margin or more. What is absent is not restricted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Its name in findings and waivers.
    pub id: String,
    /// Benchmark id.
    pub benchmark: String,
    /// Metric id; the benchmark's headline metric if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Model ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Schemes, or names of `[[setting]]`s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schemes: Option<Vec<String>>,
    /// Axes; `all` is the cell over all items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axes: Option<Vec<String>>,
    /// Subgroups, by name or as `axis: name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroups: Option<Vec<String>>,
    /// How large a change for the worse is tolerated, in metric units, > 0.
    pub margin: f64,
    /// Which change is worse; the metric's own direction if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worse: Option<Worse>,
    /// What it does where it is inconclusive; the plan's rule if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inconclusive: Option<OnInconclusive>,
}

/// An exception from a gate. Not part of the plan: it is granted after answers were seen, and says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// Gate id.
    pub gate: String,
    /// Model id that it is limited to.
    pub model: Option<String>,
    /// Scheme, or name of a `[[setting]]`, that it is limited to.
    pub scheme: Option<String>,
    /// Subgroup that it is limited to, by name or as `axis: name`.
    pub subgroup: Option<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub author: String,
    /// Last day on which it counts, `YYYY-MM-DD`.
    pub expires: String,
}

/// How much is asked and computed, where the file does not say it itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Minutes: at most 40 clusters of each benchmark, 2,000 replicates, 1,999 draws. To see whether all works.
    Quick,
    /// The defaults.
    Standard,
    /// The published study (Marcuzzi et al. 2026): its categories, metrics in its variant, and its randomization test
    /// with 10,000 swaps beside ours.
    Paper,
}

impl Preset {
    /// Reads a name as it stands in files.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [(Self::Quick, "quick"), (Self::Standard, "standard"), (Self::Paper, "paper")]
            .into_iter()
            .find_map(|(preset, name)| (name == text).then_some(preset))
    }
}

/// An interval that is no default; each stands with its reason where its rules refuse it. The first four are bootstrap
/// intervals of changes, the others intervals of shares of one setting, with an effective size as that of the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtherMethod {
    /// Plain percentile (Efron 1979): too narrow with few clusters.
    Percentile,
    /// Basic, "reflected" (Davison & Hinkley 1997): the worst with few clusters.
    Basic,
    /// Studentized, "bootstrap-t" (Davison & Hinkley 1997): not for sparse flips.
    Studentized,
    /// Bias-corrected and accelerated (Efron 1987): refused below 100 clusters.
    Bca,
    /// Wilson's score interval (1927) with t: the default inside (0, 1).
    Wilson,
    /// Clopper and Pearson's (1934), with t in its size: conservative; the default at 0 and 1.
    ClopperPearson,
    /// Jeffreys' (Brown, Cai & DasGupta 2001), with t in its size: coverage dips near 0 and 1.
    Jeffreys,
}

impl OtherMethod {
    /// Its name in findings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Percentile => "percentile",
            Self::Basic => "basic",
            Self::Studentized => "studentized",
            Self::Bca => "bca",
            Self::Wilson => "wilson",
            Self::ClopperPearson => "clopper_pearson",
            Self::Jeffreys => "jeffreys",
        }
    }

    /// Whether it is an interval of a share of one setting, and not of a change.
    #[must_use]
    pub fn is_of_shares(self) -> bool {
        matches!(self, Self::Wilson | Self::ClopperPearson | Self::Jeffreys)
    }
}

/// An adjustment of a family's p-values that is no default: shown beside the adjusted p-value, for comparison with other
/// software. Of p-values of `B` draws none of them can fall below `1/(B + 1)` times its factor, which is the number of
/// hypotheses for most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// Bonferroni (Dunn 1961): family-wise error, any dependence.
    Bonferroni,
    /// Holm (1979): family-wise error, any dependence.
    Holm,
    /// Hochberg (1988): family-wise error, under positive dependence.
    Hochberg,
    /// Hommel (1988): family-wise error, under positive dependence.
    Hommel,
    /// Benjamini and Hochberg (1995): false discovery rate, under positive dependence.
    BenjaminiHochberg,
    /// Benjamini and Yekutieli (2001): false discovery rate, any dependence.
    BenjaminiYekutieli,
}

impl Adjustment {
    /// Its name in findings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bonferroni => "bonferroni",
            Self::Holm => "holm",
            Self::Hochberg => "hochberg",
            Self::Hommel => "hommel",
            Self::BenjaminiHochberg => "benjamini_hochberg",
            Self::BenjaminiYekutieli => "benjamini_yekutieli",
        }
    }
}

/// A family of hypotheses that is declared beside those that are fixed: which changes against the baseline are corrected
/// together. What is absent is not restricted. A hypothesis belongs to the first family that names it, and then to no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// Its name in findings.
    pub id: String,
    /// Benchmark ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benchmarks: Option<Vec<String>>,
    /// Metric ids; the metrics that lead a benchmark if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Vec<String>>,
    /// Schemes, or names of `[[setting]]`s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schemes: Option<Vec<String>>,
    /// Axes; `all` is the cell over all items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axes: Option<Vec<String>>,
    /// Subgroups, by name or as `axis: name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroups: Option<Vec<String>>,
}

/// Names of the families that are fixed. Their ids begin with them, so that a declared family may have none of them.
pub mod fixed {
    /// Each benchmark over all items × setting.
    pub const PRIMARY: &str = "primary";
    /// Headline metric, subgroup × setting.
    pub const SUBGROUPS: &str = "subgroups";
    /// Every other metric, and named contrasts.
    pub const EXPLORATORY: &str = "exploratory";
    /// Settings that share no item.
    pub const UNPAIRED: &str = "unpaired";
    /// Differences between subgroups.
    pub const RANGES: &str = "ranges";
    /// Whether subgroups changed differently.
    pub const HETEROGENEITY: &str = "heterogeneity";
    /// Each subgroup against the rest of its axis.
    pub const DIFFERENCES: &str = "differences";
    /// Flips beyond the A/A repeat.
    pub const FLIPS: &str = "flips";
    /// Answer distributions beyond the A/A repeat.
    pub const MOVEMENTS: &str = "movements";
    /// Rates of refusal and of unreadable answers.
    pub const OUTCOMES: &str = "outcomes";
    /// Whether answers differ at all.
    pub const OMNIBUS: &str = "omnibus";
    /// Trends over bits per weight.
    pub const TRENDS: &str = "trends";
    /// All of them.
    pub const ALL: [&str; 12] = [
        PRIMARY,
        SUBGROUPS,
        EXPLORATORY,
        UNPAIRED,
        RANGES,
        HETEROGENEITY,
        DIFFERENCES,
        FLIPS,
        MOVEMENTS,
        OUTCOMES,
        OMNIBUS,
        TRENDS,
    ];
}

/// How a chosen option is read from generated text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parser {
    /// Every rule, from the most explicit to the least; the rule that fired is known of each answer.
    #[default]
    Lenient,
    /// The published study's: the last `\boxed{key}` of the text in a box, with the literal key, or nothing.
    Strict,
}

impl Parser {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A contrast between two settings of one model, by their names: a scheme, or the name of a `[[setting]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemeContrast {
    /// Setting whose change is asked for.
    pub scheme: String,
    /// Setting that it is held against.
    pub against: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            level: 0.95,
            gate_level: 0.95,
            replicates: 10_000,
            draws: 9_999,
            seed: 20_260_101,
            power: 0.8,
            margins: BTreeMap::new(),
            contrasts: Vec::new(),
            gates: Vec::new(),
            inconclusive: OnInconclusive::default(),
            paper: false,
            parser: Parser::default(),
            intervals: Vec::new(),
            adjustments: Vec::new(),
            families: Vec::new(),
        }
    }
}
