//! Records become findings: pairing, resampling, families, gate.
//!
//! One benchmark and model at a time: every record is read once ([`readings`]), every cell (metric × subgroup) becomes
//! totals per cluster ([`cells`]), all cells share one bootstrap weight matrix and one set of sign flips, contrasts are
//! corrected within their family ([`families`]) and held against the margin ([`gate`]). Nothing here rounds, words, or
//! drops a row: a number that cannot be had is absent, with the reason.

pub mod assumed;
mod audit;
mod beside;
pub mod calibrate;
mod cells;
mod composite;
mod contrast;
mod coverage;
mod decide;
mod estimate;
mod expect;
mod explorer;
mod families;
mod flags;
mod frozen;
mod gate;
mod model_benchmark;
mod paper;
mod policy;
mod readings;
mod recorded;
mod unpaired;
mod waive;

pub use expect::{Assumptions, Expected, expected, is_overall};
pub use explorer::changed_items;
pub use frozen::{frozen_content, frozen_sha256};
pub use policy::{check_margins, check_plan, gates_in_force};
pub use waive::waive;

use crate::findings::{Caveat, Findings, MetricInfo, PlanSummary};
use crate::fixity::sha256_hex;
use crate::metric::composite::composites_of;
use crate::metric::{metrics_of, overall_of};
use crate::records::Run;
use crate::records::digest::canonical_json;
use crate::scorer::{self, Scores};
use crate::spec::Plan;
use crate::stats::level::Level;
use crate::stats::stream::Stream;
use crate::table::sums::{Sums, Tabled};
use std::collections::{BTreeMap, BTreeSet};

/// Why a run cannot be analysed.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// A level outside (0.5, 1): the plan was not checked.
    #[error("the plan's {what} is {value}, and must lie between 0.5 and 1")]
    Level {
        /// Which one.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A margin that is none: the plan was not checked.
    #[error("the margin of benchmark {benchmark:?}: {source}")]
    Margin {
        /// Benchmark.
        benchmark: String,
        /// What is wrong.
        source: crate::stats::equivalence::MarginError,
    },
    /// A gate that can decide nothing.
    #[error("gate {gate:?}: {why}")]
    Gate {
        /// Gate id.
        gate: String,
        /// What is wrong.
        why: String,
    },
    /// The plan names a benchmark that the run does not hold.
    #[error("the plan has a margin for benchmark {0:?}, which this run does not hold")]
    UnknownBenchmark(String),
    /// A declared family that names nothing.
    #[error("family {family:?}: {why}")]
    Family {
        /// Family id.
        family: String,
        /// What is wrong.
        why: String,
    },
    /// No cell to simulate.
    #[error(
        "no cell's name contains {asked:?}; there are {known}\nhelp: a name is model/benchmark/metric/axis/subgroup/setting"
    )]
    NoCells {
        /// What was asked for.
        asked: String,
        /// A few names, and how many there are.
        known: String,
    },
    /// The plan cannot be hashed.
    #[error("the plan cannot be written as JSON: {0}")]
    Plan(#[from] serde_json::Error),
    /// Totals that break an invariant of the statistics.
    #[error("benchmark {benchmark}, metric {metric}: {source}")]
    Totals {
        /// Benchmark.
        benchmark: String,
        /// Metric.
        metric: String,
        /// What is wrong.
        source: crate::stats::cluster::TotalsError,
    },
}

/// The plan with its levels as checked types and its streams.
struct Method {
    plan: Plan,
    level: Level,
    gate_level: Level,
    root: Stream,
    scores: Scores,
}

/// Analyses a verified run with the scorers that are built in.
///
/// # Errors
/// [`AnalysisError`]. A statistic that cannot be computed is not an error: its row says why.
pub fn analyze(run: &Run, plan: &Plan) -> Result<Findings, AnalysisError> {
    analyze_scored(run, plan, scorer::builtin(run))
}

/// Analyses a verified run whose continuations were scored; the findings name the scorers.
///
/// # Errors
/// [`AnalysisError`].
pub fn analyze_scored(run: &Run, plan: &Plan, scores: Scores) -> Result<Findings, AnalysisError> {
    check_plan(run.benchmarks.iter(), plan)?;
    let method = Method { scores, ..method(plan)? };
    let plan_sha256 = sha256_hex(canonical_json(plan)?.as_bytes());
    let records = run.manifest.provenance.records_sha256.as_deref().unwrap_or_default();
    let (identity, scorers) = (&run.manifest.identity_sha256, method.scores.key());
    let key = format!("{identity}/{records}/{plan_sha256}/{}{scorers}", env!("CARGO_PKG_VERSION"));
    let caveats = audit::caveats(run, plan, &plan_sha256, &method.scores);
    let id = sha256_hex(key.as_bytes())[..12].to_owned();
    let mut findings = Findings::empty(
        id,
        audit::audit(run),
        summary(plan, plan_sha256, policy::margins(run.benchmarks.iter(), plan)),
        caveats,
    );
    findings.scores.clone_from(&method.scores.files);
    findings.metrics = metrics(run);
    for identity in &run.manifest.identity.models {
        let model = &identity.id;
        let asked = run.manifest.identity.benchmarks.iter().zip(&run.benchmarks);
        let own = asked.filter(|(b, _)| b.models.iter().any(|m| m == model));
        let sums =
            own.map(|(_, data)| recorded::sums(run, plan, data, model, &method.scores).map(|(s, r)| (s, Some(r))));
        families::add_model(&mut findings, &method, model, sums)?;
    }
    paper::add(&mut findings, run, &method);
    findings.metrics.retain(|m| findings.estimates.iter().any(|e| e.cell.metric == m.id));
    Ok(findings)
}

/// Analyses totals that came in without records.
///
/// # Errors
/// [`AnalysisError`].
pub fn analyze_table(table: Tabled, plan: &Plan) -> Result<Findings, AnalysisError> {
    let Tabled { name: _, audit, metrics, sums, mut caveats } = table;
    if let Some(name) = plan.margins.keys().find(|m| !sums.iter().any(|s| s.benchmark == **m)) {
        return Err(AnalysisError::UnknownBenchmark(name.clone()));
    }
    let method = method(plan)?;
    let plan_sha256 = sha256_hex(canonical_json(plan)?.as_bytes());
    let key = format!(
        "{}/{}/{plan_sha256}/{}/{}",
        audit.identity_sha256,
        audit.records_sha256,
        env!("CARGO_PKG_VERSION"),
        asked_of_table(&audit, &metrics, &sums)?
    );
    let margin = |s: &Sums| policy::implied_margin(plan, &s.benchmark, s.lead.default_margin);
    let margins =
        sums.iter().filter_map(|s| Some((format!("{}/{}", s.benchmark, s.lead.headline), margin(s)?))).collect();
    for sums in sums.iter().filter(|_| plan.margins.is_empty()) {
        caveats.push(Caveat {
            about: "statistics".to_owned(),
            subject: Some(sums.benchmark.clone()),
            text:
                "No margin was declared for this benchmark; the built-in example margin was used. A margin is a policy \
                   decision: declare one before the run."
                    .to_owned(),
        });
    }
    caveats.extend(frozen::unfrozen_families(plan, false));
    let id = sha256_hex(key.as_bytes())[..12].to_owned();
    let mut findings = Findings::empty(id, audit, summary(plan, plan_sha256, margins), caveats);
    findings.metrics = metrics;
    let models: BTreeSet<String> = sums.iter().map(|s| s.model.clone()).collect();
    let mut left = sums;
    for model in models {
        let (own, others) = left.into_iter().partition(|s: &Sums| s.model == model);
        left = others;
        families::add_model(&mut findings, &method, &model, own.into_iter().map(|s| Ok((s, None))))?;
    }
    Ok(findings)
}

/// What was asked of a table, beside its content: metrics, baseline, and what leads. (Its map is in the identity.)
fn asked_of_table(
    audit: &crate::findings::Audit,
    metrics: &[MetricInfo],
    sums: &[Sums],
) -> Result<String, AnalysisError> {
    let baselines: Vec<&str> = audit.settings.iter().filter(|s| s.baseline).map(|s| s.id.as_str()).collect();
    let leads: Vec<_> = sums
        .iter()
        .map(|s| (&s.model, &s.benchmark, &s.lead.headline, &s.lead.overall, s.lead.worse, s.lead.default_margin))
        .collect();
    Ok(canonical_json(&(metrics, baselines, leads))?)
}

fn method(plan: &Plan) -> Result<Method, AnalysisError> {
    let level = |value: f64, what| Level::new(value).map_err(|_| AnalysisError::Level { what, value });
    Ok(Method {
        plan: plan.clone(),
        level: level(plan.level, "level")?,
        gate_level: level(plan.gate_level, "gate level")?,
        root: Stream::root(plan.seed),
        scores: Scores::default(),
    })
}

fn summary(plan: &Plan, sha256: String, margins: BTreeMap<String, f64>) -> PlanSummary {
    PlanSummary {
        sha256,
        level: plan.level,
        gate_level: plan.gate_level,
        replicates: u64::from(plan.replicates),
        draws: u64::from(plan.draws),
        seed: plan.seed,
        margins,
        power: plan.power,
    }
}

fn metrics(run: &Run) -> Vec<MetricInfo> {
    let mut found: Vec<MetricInfo> = Vec::new();
    for benchmark in &run.benchmarks {
        for metric in metrics_of(benchmark.measure) {
            let info = metric.info();
            if !found.iter().any(|f| f.id == info.id) {
                found.push(info);
            }
        }
        for composite in composites_of(benchmark.measure) {
            let info = (composite.info)();
            if !found.iter().any(|f| f.id == info.id) {
                found.push(info);
            }
        }
    }
    found
}

/// Ids of the metrics that lead a benchmark: the headline, and the one that stands for it in the primary family.
fn leading(measure: crate::benchmark::Measure) -> (String, &'static str) {
    (metrics_of(measure)[0].info().id, overall_of(measure))
}
