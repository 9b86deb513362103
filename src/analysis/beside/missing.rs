//! A change under other treatments of items without a usable answer: as a neutral answer, left out, or as bad or as good
//! as the metric's range allows.

use super::Rows;
use super::gate_of;
use super::sample::{Measured, Sample};
use crate::analysis::cells::{Group, Part, groups};
use crate::analysis::flags::{direction, publish, verdict};
use crate::analysis::model_benchmark::Pair;
use crate::analysis::policy::Resolved;
use crate::findings::{IntervalMethod, MissingRow, MissingTreatment, Worse};
use crate::metric::{Emission, Form, Outcome, Scope, functional};
use crate::stats::cluster::{Cell as _, PairedTotals};
use crate::stats::equivalence::decide;
use crate::stats::jackknife::jackknife;
use crate::stats::refusal::admit_interval;

/// How a missing contribution is filled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Treatment {
    OwnCategory,
    CompletePairs,
    WorstCase,
    BestCase,
}

const TREATMENTS: [(Treatment, &str); 4] = [
    (Treatment::OwnCategory, "own_category"),
    (Treatment::CompletePairs, "complete_pairs"),
    (Treatment::WorstCase, "worst_case"),
    (Treatment::BestCase, "best_case"),
];

pub(super) fn add(rows: &mut Rows, sample: &Sample<'_>, measured: &Measured<'_>, gates: &[Resolved<'_>]) {
    for group in groups(sample.data, measured.metric.scope()) {
        for pair in sample.at.pairs.iter().filter(|p| !p.aa && !p.named) {
            let cell = sample.cell(&measured.info.id, &group.axis, &group.subgroup);
            rows.missing.extend(row(sample, measured, &group, pair, gate_of(gates, &cell)));
        }
    }
}

fn row(
    sample: &Sample<'_>,
    measured: &Measured<'_>,
    group: &Group,
    pair: &Pair,
    gate: Option<&Resolved<'_>>,
) -> Option<MissingRow> {
    let (mut one_side, mut neither, mut items) = (0, 0, 0);
    let answered = |setting: &str, i: u32| sample.reading(setting, i).outcome == Outcome::Answered;
    for i in (0..group.parts.len() as u32).filter(|i| group.parts[*i as usize] != Part::Out) {
        let emitted = (measured.emission(&pair.against, i), measured.emission(&pair.setting, i));
        if emitted.0 == Emission::NotApplicable || emitted.1 == Emission::NotApplicable {
            continue;
        }
        items += 1;
        match (answered(&pair.against, i), answered(&pair.setting, i)) {
            (true, true) => {}
            (false, false) => neither += 1,
            _ => one_side += 1,
        }
    }
    if one_side + neither == 0 {
        return None;
    }
    let treatments: Vec<MissingTreatment> = TREATMENTS
        .iter()
        .filter_map(|(treatment, name)| {
            let totals = totals(sample, measured, group, pair, *treatment)?;
            Some(show(sample, measured, &totals, name, gate))
        })
        .collect();
    let verdicts: Vec<_> = treatments.iter().filter_map(|t| t.verdict).collect();
    let bounded = ["worst_case", "best_case"].iter().all(|name| treatments.iter().any(|t| t.treatment == *name));
    let complete = bounded && verdicts.len() == treatments.len();
    let note = if !bounded {
        Some("the metric has no bounded range: there is no worst or best case, and nothing to agree with")
    } else if treatments.len() < TREATMENTS.len() {
        Some("the metric has no neutral value that an unusable answer could take")
    } else {
        None
    };
    Some(MissingRow {
        cell: sample.cell(&measured.info.id, &group.axis, &group.subgroup),
        setting: pair.setting.clone(),
        against: pair.against.clone(),
        items,
        one_side,
        neither,
        agree: verdicts.first().filter(|_| complete).map(|v| verdicts.iter().all(|w| w == v)),
        treatments,
        note: note.map(str::to_owned),
    })
}

/// Totals of a cell under one treatment; `None` where the metric has no such value.
fn totals(
    sample: &Sample<'_>,
    measured: &Measured<'_>,
    group: &Group,
    pair: &Pair,
    treatment: Treatment,
) -> Option<PairedTotals> {
    let p = functional(measured.metric).dim();
    let (mut cluster, mut base, mut setting) = (Vec::new(), Vec::new(), Vec::new());
    for (i, part) in group.parts.iter().enumerate().filter(|(_, part)| **part != Part::Out) {
        let fill = |id: &str, is_setting: bool| {
            let emitted = measured.emission(id, i as u32);
            let answered = sample.reading(id, i as u32).outcome == Outcome::Answered;
            match (treatment, emitted) {
                (_, Emission::Totals(t)) if answered => Some(Some(t)),
                (_, Emission::NotApplicable) | (Treatment::CompletePairs, _) => Some(None),
                (Treatment::OwnCategory, Emission::Totals(t)) => Some(Some(t)),
                (Treatment::OwnCategory, Emission::Missing) => neutral(measured).map(Some),
                (Treatment::WorstCase | Treatment::BestCase, _) => {
                    // The setting high and the baseline low makes the change as large as it can be.
                    let up = (treatment == Treatment::WorstCase) != (measured.info.worse == Worse::Decrease);
                    let high = up == is_setting;
                    end(measured, high != (*part == Part::Comparison)).map(Some)
                }
            }
        };
        let (before, after) = (fill(&pair.against, false)?, fill(&pair.setting, true)?);
        let (Some(before), Some(after)) = (before, after) else { continue };
        let at = if *part == Part::Comparison { 2 } else { 0 };
        cluster.push(sample.of_item[i]);
        for (rows, totals) in [(&mut base, before), (&mut setting, after)] {
            let start = rows.len();
            rows.resize(start + p, 0.0);
            rows[start + at..start + at + 2].copy_from_slice(&totals);
        }
    }
    PairedTotals::from_items(p, &cluster, &base, &setting).ok()
}

/// Width of the range of a single contribution.
fn width(measured: &Measured<'_>) -> Option<f64> {
    let range = measured.metric.range()?;
    Some(if measured.metric.scope() == Scope::Each { range } else { range / 2.0 })
}

/// The largest or smallest contribution that one item can make: 0 to 1, or −1 to 1.
fn end(measured: &Measured<'_>, high: bool) -> Option<[f64; 2]> {
    if measured.metric.form() == Form::NormalisedDifference {
        return Some(if high { [1.0, 0.0] } else { [0.0, 1.0] });
    }
    let width = width(measured)?;
    let low = if width <= 1.0 { 0.0 } else { -width / 2.0 };
    Some([if high { low + width } else { low }, 1.0])
}

/// What an answer without a leaning contributes, where the metric has such a value.
fn neutral(measured: &Measured<'_>) -> Option<[f64; 2]> {
    if measured.metric.form() == Form::NormalisedDifference {
        return Some([0.0, 0.0]);
    }
    let centre = match (width(measured)?, measured.info.ideal) {
        (w, Some(ideal)) if w <= 1.0 && (ideal - 0.5).abs() < f64::EPSILON => 0.5,
        (w, Some(0.0)) if w > 1.0 => 0.0,
        _ => return None,
    };
    Some([centre, 1.0])
}

fn show(
    sample: &Sample<'_>,
    measured: &Measured<'_>,
    totals: &PairedTotals,
    name: &str,
    gate: Option<&Resolved<'_>>,
) -> MissingTreatment {
    let functional = functional(measured.metric);
    let admitted = admit_interval(totals, totals.changed(), functional).is_ok();
    let jackknifed = jackknife(&sample.at.design, totals, functional).ok().filter(|j| admitted && j.se > 0.0);
    let level = sample.at.method.gate_level.two_sided_of_one_sided().ok();
    let decided = gate.filter(|g| g.worse != Worse::AwayFromIdeal).and_then(|gate| {
        let bounds = jackknifed.as_ref()?.interval(level?)?;
        Some(verdict(decide(&bounds, gate.margin, direction(gate.worse))))
    });
    MissingTreatment {
        treatment: name.to_owned(),
        delta: totals.estimate(functional),
        interval: jackknifed.and_then(|j| j.interval(sample.level())).map(|i| publish(i, IntervalMethod::JackknifeT)),
        verdict: decided,
        items: totals.items_total(),
    }
}
