//! Families of hypotheses: which rows are corrected together, and how.
//!
//! Fixed before anybody looks: families that the plan declares (`[[plan.family]]`, each hypothesis in the first that names
//! it), and for the rest **primary** (each benchmark over all items × setting, one family per model),
//! **subgroups** (headline metric, subgroup × setting, one family per model and benchmark), **exploratory** (every
//! other metric and every named contrast, per model and benchmark). A/A contrasts are a control and belong to none.
//! A benchmark whose headline is a gap between subgroups has no such value over all items; the level that the gap is made
//! of stands for it in the primary family, and the gap's own hypotheses are those of the subgroup family.
//! Declared, primary, and subgroup families are adjusted by step-down maxT from shared sign flips, exploratory ones by
//! Benjamini–Hochberg. Of settings that share no item there are no sign flips: their primary and subgroup rows are a
//! family of their own (**unpaired**, per model and benchmark), adjusted by Holm. Rows without a value have no test and are left out. A row with few changed clusters keeps its
//! exact p-value, below which no adjustment can bring it.
//!
//! The bounds that gates read share one critical value per model and benchmark, over its primary and subgroup rows: what
//! else was audited changes no verdict.

use super::beside;
use super::cells::ALL;
use super::contrast::{Contrast, band};
use super::flags;
use super::gate;
use super::model_benchmark::{ModelBenchmark, Recorded};
use super::policy::names_cell;
use super::{AnalysisError, Method};
use crate::findings::{Caveat, FamilySummary, Findings, OtherAdjusted};
use crate::spec::{Adjustment, Family, Setting, fixed};
use crate::stats::adjust::{benjamini_hochberg, benjamini_yekutieli, bonferroni, hochberg, holm, hommel};
use crate::stats::interval;
use crate::stats::level::Level;
use crate::stats::multiplicity::{Critical, Hypothesis, MaxDeviation, Resolution, max_t, resolution};
use crate::table::sums::{Lead, Sums};
use std::collections::BTreeMap;

/// The correction of families by signs.
const MAX_T: &str = "Westfall–Young step-down maxT";

/// The correction of a family of one hypothesis.
const ONE: &str = "not corrected (one hypothesis)";

/// The kind of family that a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The plan's family at this position.
    Declared(usize),
    Primary,
    Subgroups,
    Exploratory,
    Unpaired,
    Control,
}

/// The family of a row: one that the plan declares, or what it is without.
fn kind(contrast: &Contrast, at: &ModelBenchmark<'_>) -> Kind {
    let usual = usual(contrast, &at.lead);
    if contrast.unpaired || contrast.pair.named || usual == Kind::Control {
        return usual;
    }
    let names = |family: &Family| holds(family, contrast, at);
    at.method.plan.families.iter().position(names).map_or(usual, Kind::Declared)
}

/// Whether a declared family names a row.
fn holds(family: &Family, contrast: &Contrast, at: &ModelBenchmark<'_>) -> bool {
    let (cell, lead) = (&contrast.row.cell, &at.lead);
    let own = |scheme: &String| {
        let setting = &contrast.row.setting;
        *setting == Setting::id(&at.model, scheme, false) || setting == scheme
    };
    let metric = match &family.metrics {
        Some(metrics) => metrics.contains(&cell.metric),
        None if cell.axis == ALL => cell.metric == lead.overall,
        None => cell.metric == lead.headline,
    };
    metric
        && family.benchmarks.as_ref().is_none_or(|all| all.contains(&cell.benchmark))
        && family.schemes.as_ref().is_none_or(|all| all.iter().any(own))
        && names_cell(family.axes.as_deref(), family.subgroups.as_deref(), &cell.axis, &cell.subgroup)
}

/// The family of a row that no declared family names; what gates read goes by this one throughout.
fn usual(contrast: &Contrast, lead: &Lead) -> Kind {
    let cell = &contrast.row.cell;
    let declared = match (contrast.pair.aa, contrast.pair.named) {
        (true, _) => Kind::Control,
        (_, true) => Kind::Exploratory,
        _ if cell.metric == lead.overall && cell.axis == ALL => Kind::Primary,
        _ if cell.metric == lead.headline && cell.axis != ALL => Kind::Subgroups,
        _ => Kind::Exploratory,
    };
    match declared {
        Kind::Primary | Kind::Subgroups if contrast.unpaired => Kind::Unpaired,
        kind => kind,
    }
}

/// One benchmark's rows with what families need.
struct Part<'a> {
    at: ModelBenchmark<'a>,
    contrasts: Vec<Contrast>,
    /// Simultaneous bounds of each row at the gate's level.
    bounds: Vec<Option<interval::Interval>>,
    /// Deviations of the subgroup family.
    deviation: MaxDeviation,
    /// Deviations of this benchmark's primary and subgroup rows together, for its gates.
    gated: MaxDeviation,
}

/// Analyses one model on all its benchmarks and adds the rows to the findings.
pub(super) fn add_model<'a>(
    findings: &mut Findings,
    method: &'a Method,
    model: &str,
    benchmarks: impl Iterator<Item = Result<(Sums, Option<Recorded<'a>>), AnalysisError>>,
) -> Result<(), AnalysisError> {
    let mut primary = MaxDeviation::new(method.plan.replicates as usize);
    let mut declared = vec![primary.clone(); method.plan.families.len()];
    let mut parts = Vec::new();
    for benchmark in benchmarks {
        let (mut sums, recorded) = benchmark?;
        findings.coverage.append(&mut sums.coverage);
        let (at, groups) = ModelBenchmark::open(method, sums, recorded);
        let mut deviation = MaxDeviation::new(method.plan.replicates as usize);
        let mut gated = deviation.clone();
        let gates = |contrast: &Contrast| matches!(usual(contrast, &at.lead), Kind::Primary | Kind::Subgroups);
        let banded = |contrast: &Contrast| gates(contrast) || matches!(kind(contrast, &at), Kind::Declared(_));
        let rows = at.rows(groups, &banded, &mut |contrast, replicates| {
            let Some(j) = &contrast.jackknife else { return };
            let family = match kind(contrast, &at) {
                Kind::Primary => &mut primary,
                Kind::Declared(k) => &mut declared[k],
                _ => &mut deviation,
            };
            let join =
                |deviation: &mut MaxDeviation| deviation.join(j.estimate, j.se, j.clusters, j.strata, replicates);
            let banded = join(family);
            let gated = banded && gates(contrast) && join(&mut gated);
            (contrast.banded, contrast.gated) = (banded, gated);
        });
        findings.estimates.extend(rows.estimates);
        let bounds = vec![None; rows.contrasts.len()];
        parts.push(Part { at, contrasts: rows.contrasts, bounds, deviation, gated });
    }
    for (k, family) in method.plan.families.iter().enumerate() {
        let rows = members(&parts, Kind::Declared(k));
        let (id, title) = declared_as(family, model);
        let from = findings.families.len();
        max_t_family(findings, method, (id, title), &mut parts, &rows, &declared[k]);
        if rows.is_empty() {
            note_empty(findings, &parts, k);
        }
        findings.families[from..].iter_mut().for_each(|f| f.declared = true);
    }
    adjust_primary(findings, method, model, &mut parts, &primary);
    for part in &mut parts {
        adjust_subgroups(findings, method, model, part);
        adjust_list(findings, method, model, part, Kind::Unpaired);
        adjust_list(findings, method, model, part, Kind::Exploratory);
    }
    for mut part in parts {
        let from = findings.contrasts.len();
        gate::add(findings, &part.at, part.contrasts, &part.bounds)?;
        // What is beside the contrasts looks at the same items twice, or at none.
        let apart = std::mem::take(&mut part.at.apart);
        part.at.pairs.retain(|pair| !apart.contains(pair));
        part.at.apart = apart;
        note_apart(findings, &part.at);
        beside::add(findings, &part.at, from)?;
    }
    Ok(())
}

/// Id and title of a declared family.
fn declared_as(family: &Family, model: &str) -> (String, String) {
    (format!("{}/{model}", family.id), format!("{model}: {}, declared in the plan", family.id))
}

/// A declared family without a hypothesis has its row all the same, and a caveat says which families hold what it names.
fn note_empty(findings: &mut Findings, parts: &[Part<'_>], k: usize) {
    let Some(at) = parts.first().map(|part| &part.at) else { return };
    let families = &at.method.plan.families;
    let (id, title) = declared_as(&families[k], &at.model);
    let mut elsewhere: Vec<String> = Vec::new();
    for part in parts {
        for contrast in part.contrasts.iter().filter(|c| !c.pair.named && holds(&families[k], c, &part.at)) {
            let other = match kind(contrast, &part.at) {
                Kind::Declared(j) => declared_as(&families[j], &at.model).0,
                Kind::Unpaired => format!("{}/{}/{}", fixed::UNPAIRED, at.model, part.at.name),
                _ => continue,
            };
            if !elsewhere.contains(&other) {
                elsewhere.push(other);
            }
        }
    }
    let why = match &elsewhere[..] {
        [] => "no change of this model is named by it".to_owned(),
        others => format!("every change that it names is in {}, which comes before it", others.join(" or ")),
    };
    let text = format!("The declared family holds no hypothesis: {why}.");
    findings.caveats.push(Caveat { about: "statistics".to_owned(), subject: Some(id.clone()), text });
    findings.families.push(FamilySummary {
        id,
        title,
        hypotheses: 0,
        tested: 0,
        method: "not corrected (no hypothesis)".to_owned(),
        rejected: 0,
        critical: None,
        declared: true,
    });
}

/// Indices (part, row) of the rows of a kind, and among them those that were tested.
fn members(parts: &[Part<'_>], wanted: Kind) -> Vec<(usize, usize)> {
    let of_part = |(p, part): (usize, &Part<'_>)| {
        let rows = part.contrasts.iter().enumerate().filter(|(_, c)| kind(c, &part.at) == wanted);
        rows.map(move |(i, _)| (p, i)).collect::<Vec<_>>()
    };
    parts.iter().enumerate().flat_map(of_part).collect()
}

fn adjust_primary(
    findings: &mut Findings,
    method: &Method,
    model: &str,
    parts: &mut [Part<'_>],
    deviation: &MaxDeviation,
) {
    let rows = members(parts, Kind::Primary);
    let id = format!("{}/{model}", fixed::PRIMARY);
    let title = format!("{model}: every benchmark over all items × every setting");
    max_t_family(findings, method, (id, title), parts, &rows, deviation);
}

fn adjust_subgroups(findings: &mut Findings, method: &Method, model: &str, part: &mut Part<'_>) {
    let benchmark = part.at.name.clone();
    let id = format!("{}/{model}/{benchmark}", fixed::SUBGROUPS);
    let title = format!("{model} on {benchmark}: headline metric, every subgroup × every setting");
    let deviation = part.deviation.clone();
    let parts = std::slice::from_mut(part);
    let rows = members(parts, Kind::Subgroups);
    max_t_family(findings, method, (id, title), parts, &rows, &deviation);
}

/// Step-down maxT over the tested rows, and simultaneous bands over those with a standard error.
fn max_t_family(
    findings: &mut Findings,
    method: &Method,
    (id, title): (String, String),
    parts: &mut [Part<'_>],
    rows: &[(usize, usize)],
    deviation: &MaxDeviation,
) {
    if rows.is_empty() {
        return;
    }
    let tested: Vec<(usize, usize)> =
        rows.iter().copied().filter(|(p, i)| parts[*p].contrasts[*i].row.test.is_some()).collect();
    let family: Vec<Hypothesis<'_>> = tested
        .iter()
        .map(|(p, i)| {
            let contrast = &parts[*p].contrasts[*i];
            Hypothesis { flips: &parts[*p].at.flips, totals: &contrast.totals, functional: contrast.functional }
        })
        .collect();
    let adjusted = match max_t(&family) {
        Ok(found) => found.step_down,
        Err(error) => {
            findings.caveats.push(Caveat {
                about: "statistics".to_owned(),
                subject: Some(id.clone()),
                text: format!("The family could not be adjusted: {error}."),
            });
            Vec::new()
        }
    };
    let alpha = method.level.alpha();
    let mut rejected = 0;
    for ((p, i), adjusted) in tested.iter().zip(&adjusted) {
        // The exact raw p of a row with few changed clusters may exceed its Monte-Carlo maxT p: the larger one holds.
        let row = &mut parts[*p].contrasts[*i].row;
        let adjusted = row.test.as_ref().map_or(*adjusted, |t| adjusted.max(t.p));
        row.p_adjusted = Some(adjusted);
        row.significant = adjusted <= alpha;
        rejected += u64::from(row.significant);
    }
    let raw: Vec<f64> = tested.iter().filter_map(|(p, i)| Some(parts[*p].contrasts[*i].row.test.as_ref()?.p)).collect();
    for ((p, i), others) in tested.iter().zip(other_adjusted(&raw, &method.plan.adjustments)) {
        parts[*p].contrasts[*i].row.other_adjusted = others;
    }
    let gate_level = method.gate_level.two_sided_of_one_sided().unwrap_or(method.level);
    let critical = deviation.critical(method.level);
    let gate_critical: Vec<Option<Critical>> = parts.iter().map(|part| part.gated.critical(gate_level)).collect();
    for (p, i) in rows {
        let part = &mut parts[*p];
        let contrast = &mut part.contrasts[*i];
        contrast.row.family = Some(id.clone());
        part.bounds[*i] = bands(contrast, (critical, method.level), (gate_critical[*p], gate_level));
    }
    findings.families.push(FamilySummary {
        id,
        title,
        hypotheses: rows.len() as u64,
        tested: tested.len() as u64,
        // Of a single hypothesis the adjusted p is the raw one, whatever it is called.
        method: if rows.len() == 1 { ONE } else { MAX_T }.to_owned(),
        rejected,
        critical: critical.map(Critical::value),
        declared: false,
    });
}

/// Writes a row's simultaneous interval and returns its simultaneous bounds for the gate.
fn bands(
    contrast: &mut Contrast,
    (critical, level): (Option<Critical>, Level),
    (gate_critical, gate_level): (Option<Critical>, Level),
) -> Option<interval::Interval> {
    let df = contrast.jackknife.as_ref()?.df;
    // A row that has no part in a critical value has no band by it either.
    let (critical, gate_critical) = (critical.filter(|_| contrast.banded), gate_critical.filter(|_| contrast.gated));
    // A band over a family is never narrower than the interval of one row, which a discrete bootstrap could make it.
    let reach = |critical: Critical, level: Level| critical.with_df(df).max(level.t(df));
    contrast.row.simultaneous = critical.and_then(|c| band(contrast, reach(c, level), level)).map(|(shown, _)| shown);
    gate_critical.and_then(|c| band(contrast, reach(c, gate_level), gate_level)).map(|(_, bounds)| bounds)
}

/// Adjusts the tested rows of a kind from their p-values alone: Holm for unpaired rows of the declared families,
/// Benjamini–Hochberg for rows that belong to no declared family.
fn adjust_list(findings: &mut Findings, method: &Method, model: &str, part: &mut Part<'_>, wanted: Kind) {
    let Part { at, contrasts, .. } = part;
    let unpaired = wanted == Kind::Unpaired;
    let (name, what) = if unpaired {
        (fixed::UNPAIRED, "headline metric of settings that share no item, every cell × every setting")
    } else {
        (fixed::EXPLORATORY, "all other metrics and named contrasts (exploratory)")
    };
    let id = format!("{name}/{model}/{}", at.name);
    let mut rows: BTreeMap<usize, f64> = BTreeMap::new();
    let mut hypotheses = 0;
    for (i, contrast) in contrasts.iter_mut().enumerate() {
        if kind(contrast, at) == wanted {
            contrast.row.family = Some(id.clone());
            hypotheses += 1;
            if let Some(test) = &contrast.row.test {
                rows.insert(i, test.p);
            }
        }
    }
    if hypotheses == 0 {
        return;
    }
    let p: Vec<f64> = rows.values().copied().collect();
    let limited = resolution(method.plan.draws as usize, p.len(), method.level) != Resolution::Enough;
    let mut rejected = 0;
    for (i, adjusted) in rows.keys().zip(if unpaired { holm(&p) } else { benjamini_hochberg(&p) }) {
        let row = &mut contrasts[*i].row;
        row.p_adjusted = Some(adjusted);
        row.significant = adjusted <= method.level.alpha();
        rejected += u64::from(row.significant);
        let at_floor = row.test.as_ref().is_some_and(|t| t.p <= t.smallest_p * 1.000_001);
        if limited && at_floor && !row.flags.iter().any(|f| f == flags::RESOLUTION_LIMITED) {
            row.flags.push(flags::RESOLUTION_LIMITED.to_owned());
        }
    }
    for (i, others) in rows.keys().zip(other_adjusted(&p, &method.plan.adjustments)) {
        contrasts[*i].row.other_adjusted = others;
    }
    findings.families.push(FamilySummary {
        id,
        title: format!("{model} on {}: {what}", at.name),
        hypotheses,
        tested: p.len() as u64,
        method: if unpaired { "Holm" } else { "Benjamini–Hochberg" }.to_owned(),
        rejected,
        critical: None,
        declared: false,
    });
}

/// The p-values of a family by each adjustment that the plan asks for beside its own, by hypothesis.
fn other_adjusted(p: &[f64], asked: &[Adjustment]) -> Vec<Vec<OtherAdjusted>> {
    let by = |adjustment: &Adjustment| match adjustment {
        Adjustment::Bonferroni => bonferroni(p),
        Adjustment::Holm => holm(p),
        Adjustment::Hochberg => hochberg(p),
        Adjustment::Hommel => hommel(p),
        Adjustment::BenjaminiHochberg => benjamini_hochberg(p),
        Adjustment::BenjaminiYekutieli => benjamini_yekutieli(p),
    };
    let all: Vec<(&str, Vec<f64>)> = asked.iter().map(|a| (a.name(), by(a))).collect();
    let of = |i: usize| all.iter().map(|(name, p)| OtherAdjusted { method: (*name).to_owned(), p: p[i] }).collect();
    (0..p.len()).map(of).collect()
}

/// Says once which settings could not be paired.
fn note_apart(findings: &mut Findings, at: &ModelBenchmark<'_>) {
    if at.apart.is_empty() {
        return;
    }
    let pairs: Vec<String> = at.apart.iter().map(|p| format!("{} and {}", p.setting, p.against)).collect();
    findings.caveats.push(Caveat {
        about: "statistics".to_owned(),
        subject: Some(at.name.clone()),
        text: format!(
            "UNPAIRED: {}: no item is known to stand under both. Their changes are differences of two samples (Welch's t over \
             clusters), far less certain than changes of the same items, and decide no gate: that both samples come from \
             one population is not checked.",
            pairs.join("; ")
        ),
    });
}
