//! Rows beside the contrasts: ranges, heterogeneity, trends, flips, uncertainty, missing answers, and what else a reader
//! asks before believing a change. They use the benchmark's shared sign flips and weights, are exploratory, and never
//! enter a gate. Each hypothesis belongs to one family ([`families`]).
//!
//! Nothing here runs where only totals came in: these rows need single items.

mod answers;
mod distributions;
mod families;
mod flips;
mod heterogeneity;
mod missing;
mod omnibus;
mod outcomes;
mod power;
mod ranges;
mod sample;
mod sensitivity;
mod trends;
mod trends_apart;
mod uncertainty;

use super::AnalysisError;
use super::model_benchmark::{ModelBenchmark, Pair};
use super::policy::{Resolved, gates_of};
use crate::findings::{
    Cell, DistributionRow, Findings, FlipRow, HeterogeneityRow, MissingRow, OmnibusRow, OutcomeRow, RangeRow,
    SensitivityRow, ShrunkRow, TrendRow, UncertaintyRow,
};
use crate::metric::{Metric, Scope, metrics_of};
use crate::stats::cluster::{Cell as _, PairedTotals};
use sample::{Measured, Sample};

/// Rows of one model on one benchmark.
#[derive(Default)]
struct Rows {
    ranges: Vec<RangeRow>,
    heterogeneity: Vec<HeterogeneityRow>,
    shrunk: Vec<ShrunkRow>,
    flips: Vec<FlipRow>,
    uncertainty: Vec<UncertaintyRow>,
    distributions: Vec<DistributionRow>,
    outcomes: Vec<OutcomeRow>,
    omnibus: Vec<OmnibusRow>,
    trends: Vec<TrendRow>,
    missing: Vec<MissingRow>,
    sensitivity: Vec<SensitivityRow>,
}

/// Adds every row of one model and benchmark; the contrasts are in the findings already, `from` there.
///
/// # Errors
/// [`AnalysisError::Margin`].
pub(super) fn add(findings: &mut Findings, at: &ModelBenchmark<'_>, from: usize) -> Result<(), AnalysisError> {
    let gates = gates_of(at, &findings.metrics)?;
    power::add(findings, at, &gates, from);
    let Some(sample) = Sample::new(at) else { return Ok(()) };
    let mut rows = Rows::default();
    for metric in by_axis(&sample) {
        let measured = Measured::new(&sample, metric);
        if !measured.is_empty() {
            ranges::add(&mut rows, &sample, &measured);
            heterogeneity::add(&mut rows, &sample, &measured);
        }
    }
    for metric in leading(&sample) {
        let measured = Measured::new(&sample, metric);
        if !measured.is_empty() {
            trends::add(&mut rows, &sample, &measured, &findings.audit.settings);
            missing::add(&mut rows, &sample, &measured, &gates);
            sensitivity::add(&mut rows, &sample, &measured);
        }
    }
    flips::add(&mut rows, &sample);
    uncertainty::add(&mut rows, &sample);
    distributions::add(&mut rows, &sample);
    outcomes::add(&mut rows, &sample);
    omnibus::add(&mut rows, &sample);
    families::correct(findings, at, &mut rows);
    findings.ranges.append(&mut rows.ranges);
    findings.heterogeneity.append(&mut rows.heterogeneity);
    findings.shrunk.append(&mut rows.shrunk);
    findings.flips.append(&mut rows.flips);
    findings.uncertainty.append(&mut rows.uncertainty);
    findings.distributions.append(&mut rows.distributions);
    findings.outcomes.append(&mut rows.outcomes);
    findings.omnibus.append(&mut rows.omnibus);
    findings.trends.append(&mut rows.trends);
    findings.missing.append(&mut rows.missing);
    findings.sensitivity.append(&mut rows.sensitivity);
    Ok(())
}

/// The strictest gate that reads a cell.
fn gate_of<'g, 'a>(gates: &'g [Resolved<'a>], cell: &Cell) -> Option<&'g Resolved<'a>> {
    let reading = gates.iter().filter(|g| g.metric == cell.metric && g.covers(cell));
    reading.min_by(|a, b| a.margin.value().total_cmp(&b.margin.value()))
}

/// The headline and the metric that stands for the benchmark in the primary family.
fn leading(sample: &Sample<'_>) -> Vec<&'static dyn Metric> {
    let lead = &sample.at.lead;
    let metrics = metrics_of(sample.data.measure).iter().copied();
    metrics.filter(|m| m.info().id == lead.headline || m.info().id == lead.overall).collect()
}

/// The headline and other gaps to a reference, whose largest value over an axis has a name of its own (demographic parity
/// and equalised odds differences).
fn by_axis(sample: &Sample<'_>) -> Vec<&'static dyn Metric> {
    let headline = &sample.at.lead.headline;
    let metrics = metrics_of(sample.data.measure).iter().copied();
    metrics.filter(|m| m.info().id == *headline || m.scope() == Scope::AgainstReference).collect()
}

/// The leading metric with a binary event, for rows about flips.
fn with_event(sample: &Sample<'_>) -> Option<&'static dyn Metric> {
    leading(sample).into_iter().find(|m| {
        let some = |(item, reading)| m.event(item, reading).is_some();
        sample.readings.values().any(|read| sample.data.items.iter().zip(read).any(some))
    })
}

/// Why the excess over the A/A repeat has no test, where none can be had: quantities that cannot be negative and that the
/// repeat left at 0 in every cluster can only rise. `totals` holds those of the repeat first.
fn silent_repeat(totals: &PairedTotals) -> Option<String> {
    let silent = (0..totals.clusters()).all(|i| totals.base(i)[0] == 0.0);
    silent.then(|| "the A/A repeat did not change at all: an excess is certain and not tested".to_owned())
}

/// The A/A pair of the model, where it was run.
fn repeat<'a>(sample: &'a Sample<'_>) -> Option<&'a Pair> {
    sample.at.pairs.iter().find(|pair| pair.aa)
}
