//! What the gates say.

use super::rows::Interval;
use super::subject::Worse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The change is shown to be inside the margin.
    Pass,
    /// Real, but shown to be inside the margin.
    Degraded,
    /// Shown to be beyond the margin.
    Fail,
    /// Neither could be shown.
    Inconclusive,
}

impl Verdict {
    /// How bad it is: pass 0, degraded 1, inconclusive 2, fail 3.
    #[must_use]
    pub fn severity(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Degraded => 1,
            Self::Inconclusive => 2,
            Self::Fail => 3,
        }
    }
}

/// What a gate that shows nothing does to the exit code of an audit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnInconclusive {
    /// Exit code 11.
    #[default]
    Fail,
    /// Exit code 0, and a warning on the screen.
    Warn,
    /// Exit code 0, and a note in the report.
    #[serde(alias = "pass-with-note")]
    PassWithNote,
}

impl OnInconclusive {
    /// Whether this is what happens where nothing is declared.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One gate at one setting: all its cells together. Without a declared gate: all subgroups of the headline metric.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VerdictRow {
    /// The gate's id in the plan; the benchmark's name where none is declared.
    #[serde(default)]
    pub gate: String,
    /// Model id.
    pub model: String,
    /// Benchmark name.
    pub benchmark: String,
    /// Setting id.
    pub setting: String,
    /// Headline metric id.
    pub metric: String,
    /// Margin in metric units.
    pub margin: f64,
    /// The verdict; absent for the A/A row, which is shown but not gated.
    pub verdict: Option<Verdict>,
    /// Cells that passed, were degraded, failed, were inconclusive.
    pub cells: VerdictCounts,
    /// The cell with the largest change towards worse: its subgroup label.
    pub worst_cell: Option<String>,
    /// Its change.
    pub worst_delta: Option<f64>,
    /// Its interval at the two-sided level.
    pub worst_interval: Option<Interval>,
    /// Largest minimum detectable effect among the cells that are inconclusive, those left open by missing answers aside.
    pub mde: Option<f64>,
    /// Which change the gate takes for worse; the metric's own direction where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worse: Option<Worse>,
    /// What this gate does to the exit code where it is inconclusive.
    #[serde(default, skip_serializing_if = "OnInconclusive::is_default")]
    pub on_inconclusive: OnInconclusive,
    /// Every cell with its bounds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided: Vec<GateCellRow>,
    /// Waivers that took effect here, as indices of the findings' waivers. The verdict above stays what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<u32>,
    /// The verdict over the cells that are not waived, where a waiver took effect; absent where none is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwaived: Option<Verdict>,
}

impl VerdictRow {
    /// Inconclusive cells that missing answers could decide either way, and the other inconclusive ones.
    #[must_use]
    pub fn open(&self) -> (usize, usize) {
        let (missing, others): (Vec<_>, Vec<_>) = self.decided.iter().filter(|c| c.is_open()).partition(|c| c.missing);
        (missing.len(), others.len())
    }

    /// The verdict that decides the exit code: that of the cells which are not waived. `None` for the A/A row and where
    /// everything is waived.
    #[must_use]
    pub fn counted(&self) -> Option<Verdict> {
        if self.waived.is_empty() { self.verdict } else { self.unwaived }
    }
}

/// One cell of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateCellRow {
    /// Axis, or `all`.
    pub axis: String,
    /// Subgroup, or `all`.
    pub subgroup: String,
    /// Decision by the cell's own bounds: it must not be `fail` or `inconclusive` for the gate to pass.
    pub own: Verdict,
    /// Decision by bounds that hold for all cells of the gate together: the gate fails where this is `fail`.
    pub simultaneous: Verdict,
    /// Lower one-sided bound of the change at the gate's level.
    pub lower: Option<f64>,
    /// Upper one-sided bound.
    pub upper: Option<f64>,
    /// Whether the cell counts as inconclusive, and would not if no answer were missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

impl GateCellRow {
    /// Whether the cell counts as inconclusive: it does not fail by bounds that hold for all, nor pass by its own.
    fn is_open(&self) -> bool {
        self.simultaneous != Verdict::Fail && matches!(self.own, Verdict::Fail | Verdict::Inconclusive)
    }
}

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaiverState {
    /// It took effect.
    Applied,
    /// What it would excuse did not happen.
    Unused,
    /// Its day has passed: it does not count.
    Expired,
}

/// A declared exception from a gate: who tolerates what, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverRow {
    /// Gate id.
    pub gate: String,
    /// Setting id or scheme that it is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// Subgroup (`axis: name`) that it is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroup: Option<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub author: String,
    /// Last day on which it counts, `YYYY-MM-DD`.
    pub expires: String,
    /// The day that it was judged on, `YYYY-MM-DD`.
    pub judged: String,
    /// What became of it.
    pub state: WaiverState,
}

/// Counts of cell verdicts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictCounts {
    /// Cells that passed.
    pub pass: u32,
    /// Cells that changed inside the margin.
    pub degraded: u32,
    /// Cells beyond the margin.
    pub fail: u32,
    /// Cells about which nothing could be shown, and refused ones.
    pub inconclusive: u32,
}
