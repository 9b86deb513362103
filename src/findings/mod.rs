//! The result of an analysis: all numbers, no prose. `findings.json` is this type, and reports draw on nothing else.
//!
//! Values are in metric units (a share is 0.031, not 3.1); undefined is absent, with a reason, never 0.

mod answers;
mod compared;
pub mod format;
pub mod items;
mod paper;
mod robustness;
mod rows;
mod spread;
mod subject;
mod tested;
mod trends;
mod verdict;

pub use answers::{
    DistributionRow, FlipRow, Movement, OmnibusRow, OutcomeRow, QuantilePoint, UncertaintyRow, UncertaintyThird,
};
pub use compared::{Compared, ComparedBenchmark, ComparedPair, ComparedRun, IdentityChange};
pub use format::{FORMAT, load, save};
pub use items::{Flip, ITEMS_FILE, ItemChange, ItemText, Items, Said};
pub use paper::{PaperRow, PaperTest};
pub use robustness::{MissingRow, MissingTreatment, PowerPoint, PowerRow, SensitivityRow};
pub use rows::{
    Cell, ContrastRow, CoverageRow, EstimateRow, FamilySummary, Flips, Interval, IntervalMethod, OtherAdjusted,
    OtherInterval, TestResult,
};
pub use spread::{HeterogeneityRow, RangeRow, ShrunkRow, SubgroupDifference};
pub use subject::{Audit, BenchmarkInfo, MetricInfo, ModelInfo, PlanSummary, RefusedSetting, SettingInfo, Unit, Worse};
pub use tested::Tested;
pub use trends::{ChangePoint, PageRow, TrendRow};
pub use verdict::{GateCellRow, OnInconclusive, Verdict, VerdictCounts, VerdictRow, WaiverRow, WaiverState};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that one analysis of one run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// Format version, `major.minor`.
    pub format: String,
    /// Version of quantbias that made it.
    pub quantbias: String,
    /// Short hash over run identity, records, plan, and program version; names the folders of findings and reports.
    pub analysis_id: String,
    /// What was audited.
    pub audit: Audit,
    /// What was compared, where these are findings of two runs: settings ending in `:a` are of the first, in `:b` of the
    /// second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// SHA-256 of the files of scores that models or a log made, by place in the run directory.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scores: BTreeMap<String, String>,
    /// How it was analysed.
    pub plan: PlanSummary,
    /// Every metric that occurs below.
    pub metrics: Vec<MetricInfo>,
    /// Gate per model, benchmark, and setting, in that order.
    pub verdicts: Vec<VerdictRow>,
    /// Declared exceptions from gates, in the order of the policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverRow>,
    /// Absolute values per cell.
    pub estimates: Vec<EstimateRow>,
    /// Paired changes per cell.
    pub contrasts: Vec<ContrastRow>,
    /// What became of the items.
    pub coverage: Vec<CoverageRow>,
    /// Families of hypotheses that were corrected together.
    pub families: Vec<FamilySummary>,
    /// Gaps between the subgroups of an axis.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<RangeRow>,
    /// Whether subgroups changed differently.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heterogeneity: Vec<HeterogeneityRow>,
    /// Subgroup changes drawn towards each other, for display.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shrunk: Vec<ShrunkRow>,
    /// Flips both ways, and beyond the A/A repeat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flips: Vec<FlipRow>,
    /// Whether unsure items flip more often.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncertainty: Vec<UncertaintyRow>,
    /// Changes of the continuous quantity, item by item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distributions: Vec<DistributionRow>,
    /// Paired tests of refusals and unreadable answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<OutcomeRow>,
    /// Whether answers differ at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omnibus: Vec<OmnibusRow>,
    /// Trends over bits per weight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trends: Vec<TrendRow>,
    /// Other treatments of missing answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingRow>,
    /// Other choices of analysis.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensitivity: Vec<SensitivityRow>,
    /// What could have been found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub power: Vec<PowerRow>,
    /// What a reader must know before believing a number.
    pub caveats: Vec<Caveat>,
    /// Values of the published study's variants, where the plan asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paper: Vec<PaperRow>,
}

impl Findings {
    /// Findings of this version without rows.
    #[must_use]
    pub fn empty(analysis_id: String, audit: Audit, plan: PlanSummary, caveats: Vec<Caveat>) -> Self {
        Self {
            compared: None,
            scores: BTreeMap::new(),
            format: FORMAT.to_owned(),
            quantbias: env!("CARGO_PKG_VERSION").to_owned(),
            analysis_id,
            audit,
            plan,
            metrics: Vec::new(),
            verdicts: Vec::new(),
            waivers: Vec::new(),
            estimates: Vec::new(),
            contrasts: Vec::new(),
            coverage: Vec::new(),
            families: Vec::new(),
            ranges: Vec::new(),
            heterogeneity: Vec::new(),
            shrunk: Vec::new(),
            flips: Vec::new(),
            uncertainty: Vec::new(),
            distributions: Vec::new(),
            outcomes: Vec::new(),
            omnibus: Vec::new(),
            trends: Vec::new(),
            missing: Vec::new(),
            sensitivity: Vec::new(),
            power: Vec::new(),
            paper: Vec::new(),
            caveats,
        }
    }
}

/// A warning that travels with the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caveat {
    /// What it concerns: `data`, `model`, `engine`, `statistics`, `scoring`.
    pub about: String,
    /// Benchmark or setting, where it is about one.
    pub subject: Option<String>,
    /// One sentence or two.
    pub text: String,
}
