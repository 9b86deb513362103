//! What the analysis needs of one model on one benchmark: totals per cluster, subgroup, setting, and metric.
//!
//! Records, long tables, and files of totals all become [`Sums`], and everything after them is one path. Totals add up:
//! two halves of the data give the same [`Sums`] as the whole, exactly where totals are integers.
//!
//! Nothing here computes a statistic.

use crate::findings::{Caveat, Cell, CoverageRow, Flips, MetricInfo, Worse};
use crate::stats::cluster::{Design, PairedTotals, Totals};
use crate::stats::functional::Functional;
use crate::stats::jackknife::ItemMoments;

/// Two settings that are held against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Setting whose change is asked for.
    pub setting: String,
    /// Setting that it is held against.
    pub against: String,
    /// The baseline against itself.
    pub aa: bool,
    /// A contrast that the plan names beside those against the baseline.
    pub named: bool,
}

/// What leads a benchmark, and how its gate reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lead {
    /// The metric that the gate reads, by id.
    pub headline: String,
    /// The metric whose value over all items stands for the benchmark in the primary family.
    pub overall: String,
    /// Which change of the headline is worse.
    pub worse: Worse,
    /// Its margin where the plan declares none, in metric units, > 0.
    pub default_margin: f64,
}

/// One model on one benchmark, reduced to totals.
pub struct Sums {
    /// Benchmark name: it names the random draws.
    pub benchmark: String,
    /// Model id.
    pub model: String,
    /// Clusters and strata.
    pub design: Design,
    /// Setting ids, in the order of the rows.
    pub settings: Vec<String>,
    /// Contrasts, in the order of the rows.
    pub pairs: Vec<Pair>,
    /// Headline and margin.
    pub lead: Lead,
    /// One entry per metric and subgroup, in the order of the rows.
    pub groups: Vec<GroupSums>,
    /// What became of the items.
    pub coverage: Vec<CoverageRow>,
}

/// One metric in one subgroup: totals of every setting and of every contrast.
pub struct GroupSums {
    /// Where.
    pub cell: Cell,
    /// How totals become a value.
    pub functional: &'static dyn Functional,
    /// Largest difference that two values of the metric can have, where it is bounded.
    pub range: Option<f64>,
    /// Whether values lie between 0 and 1: a mean of single values that differ by 1 at most.
    pub share: bool,
    /// One per setting of [`Sums::settings`]: items with a usable contribution under that setting.
    pub settings: Vec<Totals>,
    /// One per pair of [`Sums::pairs`]: items with a usable contribution under both.
    pub pairs: Vec<PairedSums>,
}

/// Totals of one cell under two settings, on the items that both answered.
pub struct PairedSums {
    /// Totals per cluster.
    pub totals: PairedTotals,
    /// Second moments of the items, for the design effect; absent where items were never seen side by side.
    pub moments: Option<ItemMoments>,
    /// Items in the sample without a usable contribution on one side or both.
    pub lost: u64,
    /// Items in the sample without a usable answer under one of the two settings or both; what `lost` counts is counted
    /// by the analysis in any case. An item whose value is made from several replies counts by the part of the metric's range
    /// that is open, between 0 and 1.
    pub unsettled: f64,
    /// Flips of the metric's binary event, where it has one.
    pub flips: Option<Flips>,
}

/// Benchmarks of one or more models with what a report says of them: the whole input of an analysis without records.
pub struct Tabled {
    /// Name of the audit.
    pub name: String,
    /// What was audited, for the findings.
    pub audit: crate::findings::Audit,
    /// Every metric.
    pub metrics: Vec<MetricInfo>,
    /// Totals.
    pub sums: Vec<Sums>,
    /// Warnings that follow from the data.
    pub caveats: Vec<Caveat>,
}

/// The caveat about strata of a benchmark that had a single cluster ([`Design::collapsing`]); none where there were none.
#[must_use]
pub fn lonely_strata(benchmark: &str, collapsed: usize) -> Option<Caveat> {
    (collapsed > 0).then(|| Caveat {
        about: "statistics".to_owned(),
        subject: Some(benchmark.to_owned()),
        text: format!(
            "Strata with a single cluster have no variance of their own: {collapsed} of them were taken together with \
             others, which errs towards wider intervals."
        ),
    })
}
