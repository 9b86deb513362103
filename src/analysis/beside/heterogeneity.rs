//! Did subgroups change differently? Q over an axis, each subgroup against the rest, and shrunken changes for display.
//!
//! For a gap to a reference all of it is about the levels' own values: the reference cancels in every difference. So a
//! gap has no change of its own here, and none that is shrunk: gaps share their reference and are not independent.

use super::Rows;
use super::sample::{Change, Measured, Place, Sample, side_by_side, tested};
use crate::analysis::cells::ALL;
use crate::analysis::flags::direction;
use crate::analysis::model_benchmark::Pair;
use crate::findings::{HeterogeneityRow, ShrunkRow, SubgroupDifference};
use crate::metric::Scope;
use crate::stats::cluster::{Cell as _, PairedTotals};
use crate::stats::compound::DifferenceOf;
use crate::stats::equivalence::Worse;
use crate::stats::heterogeneity::heterogeneity;
use crate::stats::interval::Replicates;
use crate::stats::jackknife::{Jackknife, jackknife};
use crate::stats::permutation::Null;
use crate::stats::refusal::admit_bootstrap;
use crate::stats::shrinkage::{largest, paule_mandel};

pub(super) fn add(rows: &mut Rows, sample: &Sample<'_>, measured: &Measured<'_>) {
    for places in sample.axes() {
        let axis: Vec<u32> = {
            let mut all: Vec<u32> = places.iter().flat_map(|p| p.members.iter().copied()).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        for pair in &sample.at.pairs {
            row(rows, sample, measured, (places, &axis), pair);
        }
    }
}

fn row(rows: &mut Rows, sample: &Sample<'_>, measured: &Measured<'_>, (places, axis): (&[Place], &[u32]), pair: &Pair) {
    let settings = (pair.against.as_str(), pair.setting.as_str());
    let totals: Vec<Option<PairedTotals>> =
        places.iter().map(|p| measured.paired(sample, &p.members, settings)).collect();
    let mut differences = Vec::new();
    for (place, own) in places.iter().zip(&totals) {
        let rest: Vec<u32> = axis.iter().copied().filter(|i| place.members.binary_search(i).is_err()).collect();
        let rest = measured.paired(sample, &rest, settings);
        differences.push(difference(sample, measured, place, own.as_ref(), rest.as_ref()));
    }
    // Where two subgroups share no item, the second difference is the first with its sign turned.
    let mirrored = places.len() == 2 && places[0].members.len() + places[1].members.len() == axis.len();
    if mirrored {
        differences[1].test = None;
    }
    let mut found = HeterogeneityRow {
        cell: sample.cell(&measured.info.id, &places[0].axis, ALL),
        setting: pair.setting.clone(),
        against: pair.against.clone(),
        aa: pair.aa,
        subgroups: 0,
        q: None,
        test: None,
        differences,
        note: None,
    };
    // Subgroups without a standard error have no weight: they are left out and seen in `subgroups`.
    let usable: Vec<(&Place, &PairedTotals, Jackknife)> = places
        .iter()
        .zip(&totals)
        .filter_map(|(place, t)| {
            let t = t.as_ref()?;
            let j = jackknife(&sample.at.design, t, measured.inner).ok().filter(|j| j.se > 0.0)?;
            Some((place, t, j))
        })
        .collect();
    found.subgroups = usable.len() as u64;
    let cells: Vec<&PairedTotals> = usable.iter().map(|(_, t, _)| *t).collect();
    let errors: Vec<f64> = usable.iter().map(|(_, _, j)| j.se).collect();
    if usable.len() < 2 {
        found.note = Some("fewer than two subgroups of which enough clusters changed".to_owned());
    } else {
        match heterogeneity(&sample.at.flips, &cells, measured.inner, &errors) {
            Ok(h) => {
                found.q = Some(h.q);
                let (method, smallest) = match h.null {
                    Null::Exact { patterns } => (format!("exact ({patterns} patterns)"), 2.0 / patterns as f64),
                    Null::MonteCarlo { draws } => (format!("Monte Carlo ({draws} draws)"), 1.0 / (draws as f64 + 1.0)),
                    Null::NoChange => ("nothing changed".to_owned(), 1.0),
                };
                let method = format!("Q over subgroups, cluster sign-flip, {method}");
                found.test = Some(tested(h.p, Some(h.p_mid), smallest, method));
            }
            Err(refusal) => found.note = Some(refusal.to_string()),
        }
        shrink(rows, sample, measured, pair, &usable);
    }
    if is_gap(measured) && !pair.aa && !pair.named && usable.len() > 1 {
        let why = "no shrunken changes: gaps share their reference, and shrinkage needs independent changes";
        found.note = Some(found.note.map_or_else(|| why.to_owned(), |note| format!("{note}; {why}")));
    }
    if mirrored {
        let why = format!(
            "the difference of {} mirrors that of {} and is not tested again",
            places[1].subgroup, places[0].subgroup
        );
        found.note = Some(found.note.map_or_else(|| why.clone(), |note| format!("{note}; {why}")));
    }
    rows.heterogeneity.push(found);
}

fn difference(
    sample: &Sample<'_>,
    measured: &Measured<'_>,
    place: &Place,
    own: Option<&PairedTotals>,
    rest: Option<&PairedTotals>,
) -> SubgroupDifference {
    let inner = measured.inner;
    // A level's change is not that of its gap, whose name the row carries; their differences are the same.
    let value = |t: Option<&PairedTotals>| {
        t.filter(|_| !is_gap(measured)).filter(|t| t.items_total() > 0).and_then(|t| t.estimate(inner))
    };
    let both = own.zip(rest).and_then(|(own, rest)| side_by_side(&[own, rest]));
    let nothing = Change { delta: None, interval: None, test: None, jackknifed: None };
    let change = both.map_or(nothing, |both| sample.change(&both, &DifferenceOf { inner }));
    SubgroupDifference {
        subgroup: place.subgroup.clone(),
        change: value(own),
        rest: value(rest),
        difference: change.delta,
        se: change.jackknifed.map(|j| j.se),
        interval: change.interval,
        test: change.test,
    }
}

/// Whether the metric is the gap between a subgroup and the reference of its axis.
fn is_gap(measured: &Measured<'_>) -> bool {
    measured.metric.scope() == Scope::AgainstReference
}

/// Changes drawn towards each other, and how often each comes first.
fn shrink(
    rows: &mut Rows,
    sample: &Sample<'_>,
    measured: &Measured<'_>,
    pair: &Pair,
    usable: &[(&Place, &PairedTotals, Jackknife)],
) {
    if pair.aa || pair.named || is_gap(measured) {
        return;
    }
    let deltas: Vec<f64> = usable.iter().map(|(_, _, j)| j.estimate).collect();
    let errors: Vec<f64> = usable.iter().map(|(_, _, j)| j.se).collect();
    let Some(found) = paule_mandel(&deltas, &errors) else { return };
    let first = first(sample, measured, usable);
    for (i, (place, ..)) in usable.iter().enumerate() {
        rows.shrunk.push(ShrunkRow {
            cell: sample.cell(&measured.info.id, &place.axis, &place.subgroup),
            setting: pair.setting.clone(),
            against: pair.against.clone(),
            delta: deltas[i],
            se: errors[i],
            shrunk: found.shrunk[i],
            mean: found.mean,
            tau: found.tau2.sqrt(),
            probability_first: first.as_ref().map(|f| f[i]),
        });
    }
}

/// How often each subgroup's change is the largest towards worse, over the shared replicates.
fn first(
    sample: &Sample<'_>,
    measured: &Measured<'_>,
    usable: &[(&Place, &PairedTotals, Jackknife)],
) -> Option<Vec<f64>> {
    if usable.iter().any(|(_, t, _)| admit_bootstrap(*t, t.changed(), measured.inner).is_err()) {
        return None;
    }
    let cells: Vec<_> =
        usable.iter().map(|(_, t, _)| (*t as &dyn crate::stats::cluster::Cell, measured.inner)).collect();
    let worse = direction(measured.info.worse);
    let towards = |x: f64| match worse {
        Worse::Increase => x,
        Worse::Decrease => -x,
        Worse::Either => x.abs(),
    };
    let turned: Vec<Replicates> = sample
        .at
        .weights
        .replicates_of(&cells)
        .into_iter()
        .map(|r| Replicates::new(r.iter().map(|x| x.map(towards))))
        .collect();
    largest(&turned.iter().collect::<Vec<_>>())
}
