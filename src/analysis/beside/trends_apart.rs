//! Trends over bits per weight where no two settings share an item: Cochran–Armitage for rates of single items,
//! Jonckheere–Terpstra for the values of clusters. Both take the settings as independent samples, which is wrong wherever
//! items are common; there [`super::trends`] permutes settings within clusters.
//!
//! Refused where only some of the settings share items: neither way of looking is right then.

use super::Rows;
use super::sample::{Measured, Sample, tested};
use super::trends::{SCORES, unfilled};
use crate::analysis::cells::{Part, groups};
use crate::analysis::flags::publish;
use crate::findings::{IntervalMethod, SettingInfo, Tested, TrendRow};
use crate::metric::{Form, Scope};
use crate::stats::cluster::{Cell as _, Totals};
use crate::stats::dist::normal_cdf;
use crate::stats::functional::Ratio;
use crate::stats::jackknife::jackknife;
use crate::stats::trend::cochran_armitage;
use crate::stats::unpaired::{jonckheere_terpstra, linear};

/// One row per cell and kind of scores; `settings` from few bits to many.
pub(super) fn add(rows: &mut Rows, sample: &Sample<'_>, measured: &Measured<'_>, settings: &[&SettingInfo]) {
    let simple = measured.metric.form() == Form::Ratio && measured.metric.scope() == Scope::Each;
    if settings.len() < 3 || !simple || sharing(measured, settings, sample.data.items.len()) {
        return;
    }
    for group in groups(sample.data, measured.metric.scope()) {
        let members: Vec<u32> =
            (0..group.parts.len() as u32).filter(|i| group.parts[*i as usize] == Part::Member).collect();
        let totals: Option<Vec<Totals>> = settings.iter().map(|s| measured.totals(sample, &members, &s.id)).collect();
        let Some(totals) = totals.filter(|all| all.iter().all(|t| t.items_total() > 0)) else { continue };
        for (name, scores) in SCORES {
            let mut row = TrendRow {
                scores: name.to_owned(),
                values: totals.iter().map(|t| t.estimate(&Ratio)).collect(),
                items: totals.iter().map(Totals::items_total).sum(),
                clusters: totals.iter().map(|t| t.clusters() as u64).sum(),
                note: Some("unpaired: no two settings share an item".to_owned()),
                ..unfilled(sample, measured, &group, settings)
            };
            let scores = scores(&row.bits);
            slope(&mut row, sample, &totals, &scores);
            row.test = test(&totals, &scores, name);
            rows.trends.push(row);
        }
    }
}

/// Whether an item has a value under two of the settings.
fn sharing(measured: &Measured<'_>, settings: &[&SettingInfo], items: usize) -> bool {
    use crate::metric::Emission::Totals as Given;
    let under = |i: u32| settings.iter().filter(|s| matches!(measured.emission(&s.id, i), Given(_))).count();
    (0..items as u32).any(|i| under(i) > 1)
}

/// Least squares of the settings' values over the scores, with errors of independent samples.
fn slope(row: &mut TrendRow, sample: &Sample<'_>, totals: &[Totals], scores: &[f64]) {
    let squares: f64 = scores.iter().map(|c| c * c).sum();
    let scaled: Vec<f64> = scores.iter().map(|c| c / squares).collect();
    let Some(values) = row.values.iter().copied().collect::<Option<Vec<f64>>>().filter(|_| squares > 0.0) else {
        return;
    };
    row.slope = Some(values.iter().zip(&scaled).map(|(v, c)| v * c).sum());
    let of = |t| jackknife(&sample.at.design, t, &Ratio).ok().map(|j| (j.estimate, j.se, j.df));
    let Some(sides) = totals.iter().map(of).collect::<Option<Vec<_>>>() else { return };
    let Some(found) = linear(&sides, &scaled) else { return };
    row.se = Some(found.se);
    row.interval = Some(publish(found.interval(sample.level()), IntervalMethod::TwoSample));
}

/// Cochran–Armitage where every cluster is one item with 0 or 1, Jonckheere–Terpstra (ranks only) otherwise.
fn test(totals: &[Totals], scores: &[f64], name: &str) -> Option<Tested> {
    let rows = |t: &Totals| (0..t.clusters()).map(|i| (t.row(i)[0], t.row(i)[1])).collect::<Vec<_>>();
    let binary = totals.iter().all(|t| {
        t.items().iter().all(|n| *n == 1) && rows(t).iter().all(|(y, w)| *w == 1.0 && (*y == 0.0 || *y == 1.0))
    });
    let (p, method) = if binary {
        let counts: Vec<f64> = totals.iter().map(|t| t.sum()[0]).collect();
        let sizes: Vec<f64> = totals.iter().map(|t| t.sum()[1]).collect();
        let z = cochran_armitage(&counts, &sizes, scores)?;
        ((2.0 * normal_cdf(-z.abs())).min(1.0), "Cochran–Armitage, unpaired")
    } else if name == "rank" {
        let means = |t| rows(t).into_iter().filter(|(_, w)| *w > 0.0).map(|(y, w)| y / w).collect::<Vec<f64>>();
        let groups: Vec<Vec<f64>> = totals.iter().map(means).collect();
        let found = jonckheere_terpstra(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        (found.p, "Jonckheere–Terpstra on clusters, unpaired")
    } else {
        return None;
    };
    Some(tested(p.max(f64::MIN_POSITIVE), None, f64::MIN_POSITIVE, method.to_owned()))
}
