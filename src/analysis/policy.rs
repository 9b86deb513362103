//! Which gates the plan declares for a benchmark, resolved against its metrics and cells.
//!
//! A margin in `plan.margins` gates the headline metric of its benchmark in every subgroup; where the plan declares no gate
//! and no margin at all, an example margin does so for every benchmark. A gate that could never decide anything is an error
//! before the run, not an inconclusive verdict after it.

use super::AnalysisError;
use super::cells::{ALL, groups};
use super::leading;
use super::model_benchmark::{ModelBenchmark, Pair};
use crate::benchmark::BenchmarkData;
use crate::findings::{Cell, MetricInfo, OnInconclusive, Unit, Worse};
use crate::metric::{Metric, default_margin, functional, metrics_of};
use crate::spec::{Family, Gate, Plan, Setting};
use crate::stats::equivalence::Margin;
use std::collections::BTreeMap;

/// A gate as it is decided.
pub(super) struct Resolved<'a> {
    pub(super) id: String,
    /// Metric id.
    pub(super) metric: String,
    pub(super) margin: Margin,
    pub(super) worse: Worse,
    /// The metric's value without bias, where it has one.
    pub(super) ideal: Option<f64>,
    pub(super) on_inconclusive: OnInconclusive,
    declared: Option<&'a Gate>,
}

impl Resolved<'_> {
    /// The direction, where the gate declares one.
    pub(super) fn declared_direction(&self) -> Option<Worse> {
        self.declared.and_then(|gate| gate.worse)
    }

    /// Whether a setting of a model is gated. The A/A repeat is shown with every gate.
    pub(super) fn gates(&self, model: &str, pair: &Pair) -> bool {
        let schemes = self.declared.and_then(|g| g.schemes.as_ref());
        pair.aa || schemes.is_none_or(|all| all.iter().any(|s| Setting::id(model, s, false) == pair.setting))
    }

    /// Whether a cell of the gate's metric is among its cells.
    pub(super) fn covers(&self, cell: &Cell) -> bool {
        self.declared.is_none_or(|gate| among(gate, &cell.axis, &cell.subgroup))
    }
}

/// Whether a gate's choice of axes and subgroups holds for a cell.
fn among(gate: &Gate, axis: &str, subgroup: &str) -> bool {
    names_cell(gate.axes.as_deref(), gate.subgroups.as_deref(), axis, subgroup)
}

/// Whether a choice of axes and subgroups, absent where not restricted, holds for a cell.
pub(super) fn names_cell(axes: Option<&[String]>, subgroups: Option<&[String]>, axis: &str, subgroup: &str) -> bool {
    axes.is_none_or(|all| all.iter().any(|a| a == axis))
        && subgroups.is_none_or(|all| all.iter().any(|s| names(s, axis, subgroup)))
}

/// Checks that each word of a declared family names something, and that there is a cell that all of them name.
fn check_family(data: &BTreeMap<&str, &BenchmarkData>, family: &Family) -> Result<(), AnalysisError> {
    let wrong = |why: String| Err(AnalysisError::Family { family: family.id.clone(), why });
    if let Some(name) = family.benchmarks.iter().flatten().find(|b| !data.contains_key(b.as_str())) {
        return wrong(format!("there is no benchmark {name:?}"));
    }
    if family.schemes.as_ref().is_some_and(Vec::is_empty) {
        return wrong("it names no scheme".to_owned());
    }
    let own = data.values().filter(|d| family.benchmarks.as_ref().is_none_or(|all| all.contains(&d.name)));
    let mut cells: Vec<(String, String, String)> = Vec::new();
    for data in own {
        let (headline, overall) = leading(data.measure);
        for metric in metrics_of(data.measure) {
            let id = metric.info().id;
            let is_wanted = match &family.metrics {
                Some(metrics) => metrics.contains(&id),
                None => id == headline || id == overall,
            };
            if is_wanted {
                let groups = groups(data, metric.scope()).into_iter();
                cells.extend(groups.map(|g| (id.clone(), g.axis, g.subgroup)));
            }
        }
    }
    if let Some(id) = family.metrics.iter().flatten().find(|id| !cells.iter().any(|(metric, ..)| metric == *id)) {
        return wrong(format!("no benchmark of it has a metric {id:?}"));
    }
    if let Some(name) = family.axes.iter().flatten().find(|a| !cells.iter().any(|(_, axis, _)| axis == *a)) {
        return wrong(format!("there is no axis {name:?}"));
    }
    if let Some(name) = family.subgroups.iter().flatten().find(|s| !cells.iter().any(|(_, a, b)| names(s, a, b))) {
        return wrong(format!("there is no subgroup {name:?}"));
    }
    let (axes, subgroups) = (family.axes.as_deref(), family.subgroups.as_deref());
    if !cells.iter().any(|(_, axis, subgroup)| names_cell(axes, subgroups, axis, subgroup)) {
        return wrong("no cell is both on its axes and among its subgroups".to_owned());
    }
    Ok(())
}

/// Whether a user's word (`name` or `axis: name`) means a subgroup.
pub(super) fn names(word: &str, axis: &str, subgroup: &str) -> bool {
    word == subgroup || word.split_once(':').is_some_and(|(a, s)| a.trim() == axis && s.trim() == subgroup)
}

/// The gates of a model on a benchmark; `metrics` tell of the metrics that have rows.
pub(super) fn gates_of<'a>(
    at: &ModelBenchmark<'a>,
    metrics: &[MetricInfo],
) -> Result<Vec<Resolved<'a>>, AnalysisError> {
    let plan = &at.method.plan;
    let resolved = |id: &str, metric: &str, margin: f64, declared: Option<&'a Gate>| {
        let margin =
            Margin::new(margin).map_err(|source| AnalysisError::Margin { benchmark: at.name.clone(), source })?;
        let info = metrics.iter().find(|m| m.id == metric);
        Ok(Resolved {
            id: id.to_owned(),
            metric: metric.to_owned(),
            margin,
            worse: declared.and_then(|g| g.worse).unwrap_or_else(|| info.map_or(at.lead.worse, |i| i.worse)),
            ideal: info.and_then(|i| i.ideal),
            on_inconclusive: declared.and_then(|g| g.inconclusive).unwrap_or(plan.inconclusive),
            declared,
        })
    };
    let headline = at.lead.headline.as_str();
    if plan.gates.is_empty() {
        let margin = implied_margin(plan, &at.name, at.lead.default_margin);
        return margin.map(|margin| resolved(&at.name, headline, margin, None)).into_iter().collect();
    }
    let mine = |g: &&Gate| g.benchmark == at.name && g.models.as_ref().is_none_or(|models| models.contains(&at.model));
    let declared = plan.gates.iter().filter(mine);
    declared.map(|g| resolved(&g.id, g.metric.as_deref().unwrap_or(headline), g.margin, Some(g))).collect()
}

/// The margin of a benchmark's headline metric where no gate is declared: the declared one, or `example` where the plan
/// declares no margin for any benchmark. `None`: the benchmark is not gated.
pub(super) fn implied_margin(plan: &Plan, benchmark: &str, example: f64) -> Option<f64> {
    match (plan.gates.is_empty(), plan.margins.is_empty()) {
        (false, _) => None,
        (true, false) => plan.margins.get(benchmark).copied(),
        (true, true) => Some(example),
    }
}

/// The metric that a gate reads.
fn metric_of(gate: &Gate, data: &BenchmarkData) -> Result<&'static dyn Metric, AnalysisError> {
    let all = metrics_of(data.measure);
    let wrong = |why: String| AnalysisError::Gate { gate: gate.id.clone(), why };
    let metric = match &gate.metric {
        None => all[0],
        Some(id) => *all.iter().find(|m| m.info().id == *id).ok_or_else(|| {
            let known = all.iter().map(|m| m.info().id).collect::<Vec<_>>().join(", ");
            wrong(format!("benchmark {} has no metric {id:?}; it has {known}", data.name))
        })?,
    };
    let info = metric.info();
    if !functional(metric).smooth() {
        return Err(wrong(format!("{} has a kink and cannot be gated; gate its signed components", info.id)));
    }
    if gate.worse == Some(Worse::AwayFromIdeal) && info.ideal.is_none() {
        return Err(wrong(format!("{} has no ideal to move away from", info.id)));
    }
    Ok(metric)
}

/// Checks a plan against the benchmarks, before anything runs.
///
/// # Errors
/// [`AnalysisError`]: a benchmark, metric, axis, or subgroup that is not there, or a metric that cannot be gated.
pub fn check_plan<'a>(benchmarks: impl Iterator<Item = &'a BenchmarkData>, plan: &Plan) -> Result<(), AnalysisError> {
    let data: BTreeMap<&str, &BenchmarkData> = benchmarks.map(|b| (b.name.as_str(), b)).collect();
    for name in plan.margins.keys() {
        if !data.contains_key(name.as_str()) {
            return Err(AnalysisError::UnknownBenchmark(name.clone()));
        }
    }
    for family in &plan.families {
        check_family(&data, family)?;
    }
    for gate in &plan.gates {
        let wrong = |why: String| AnalysisError::Gate { gate: gate.id.clone(), why };
        let Some(data) = data.get(gate.benchmark.as_str()) else {
            return Err(wrong(format!("there is no benchmark {:?}", gate.benchmark)));
        };
        let metric = metric_of(gate, data)?;
        let cells = groups(data, metric.scope());
        let has_axis = |axis: &String| cells.iter().any(|c| c.axis == *axis);
        if let Some(axis) = gate.axes.iter().flatten().find(|a| !has_axis(a)) {
            let mut known: Vec<&str> = cells.iter().map(|c| c.axis.as_str()).collect();
            known.dedup();
            return Err(wrong(format!("there is no axis {axis:?}; there are {}", known.join(", "))));
        }
        let has = |s: &String| cells.iter().any(|c| names(s, &c.axis, &c.subgroup));
        if let Some(name) = gate.subgroups.iter().flatten().find(|s| !has(s)) {
            let known = cells.iter().filter(|c| c.axis != ALL).map(|c| format!("{}: {}", c.axis, c.subgroup));
            let known: Vec<String> = known.take(40).collect();
            return Err(wrong(format!("there is no subgroup {name:?}; there are {}", known.join(", "))));
        }
        if !cells.iter().any(|c| among(gate, &c.axis, &c.subgroup)) {
            return Err(wrong("no cell is both on its axes and among its subgroups".to_owned()));
        }
    }
    Ok(())
}

/// The gates of a plan, those that it leaves to the defaults among them, each with its metric.
pub fn gates_in_force<'a>(benchmarks: impl Iterator<Item = &'a BenchmarkData>, plan: &Plan) -> Vec<Gate> {
    let mut gates = Vec::new();
    for data in benchmarks {
        let headline = leading(data.measure).0;
        if let Some(margin) = implied_margin(plan, &data.name, default_margin(data.measure)) {
            gates.push(Gate {
                id: data.name.clone(),
                benchmark: data.name.clone(),
                metric: Some(headline.clone()),
                models: None,
                schemes: None,
                axes: None,
                subgroups: None,
                margin,
                worse: None,
                inconclusive: None,
            });
        }
        for gate in plan.gates.iter().filter(|g| g.benchmark == data.name) {
            gates.push(Gate { metric: gate.metric.clone().or_else(|| Some(headline.clone())), ..gate.clone() });
        }
    }
    gates
}

/// Refuses margins of shares that are as good as none: 2 means 200 points.
///
/// # Errors
/// [`AnalysisError::Gate`] for a share's margin of 0.5 or more.
pub fn check_margins<'a>(
    benchmarks: &(impl Iterator<Item = &'a BenchmarkData> + Clone),
    plan: &Plan,
) -> Result<(), AnalysisError> {
    for gate in gates_in_force(benchmarks.clone(), plan) {
        let data = benchmarks.clone().find(|b| b.name == gate.benchmark);
        let info = data
            .and_then(|d| metrics_of(d.measure).iter().map(|m| m.info()).find(|i| Some(&i.id) == gate.metric.as_ref()));
        if info.is_some_and(|i| i.unit == Unit::Share) && gate.margin >= 0.5 {
            let (m, points, meant) = (gate.margin, rounded(gate.margin * 100.0), rounded(gate.margin / 100.0));
            let why = format!("a margin of {m} is {points} points; did you mean {meant}?");
            return Err(AnalysisError::Gate { gate: gate.id, why });
        }
    }
    Ok(())
}

/// A product of a declared number as a person would write it: to 12 significant digits, without the last bits of a float.
fn rounded(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

/// Margins by `benchmark/metric`, the smallest where several gates read one metric.
pub(super) fn margins<'a>(benchmarks: impl Iterator<Item = &'a BenchmarkData>, plan: &Plan) -> BTreeMap<String, f64> {
    let mut margins: BTreeMap<String, f64> = BTreeMap::new();
    for data in benchmarks {
        if let Some(margin) = implied_margin(plan, &data.name, default_margin(data.measure)) {
            margins.insert(format!("{}/{}", data.name, leading(data.measure).0), margin);
        }
        for gate in plan.gates.iter().filter(|g| g.benchmark == data.name) {
            let metric = gate.metric.clone().unwrap_or_else(|| leading(data.measure).0);
            let margin = margins.entry(format!("{}/{metric}", data.name)).or_insert(gate.margin);
            *margin = margin.min(gate.margin);
        }
    }
    margins
}
