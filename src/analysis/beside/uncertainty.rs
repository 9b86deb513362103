//! Do items that the baseline was unsure of flip more often? Thirds by the baseline's margin and by its entropy.

use super::answers::{distribution, margin};
use super::flips::Events;
use super::sample::{Place, Sample};
use super::{Rows, with_event};
use crate::analysis::flags::publish;
use crate::analysis::model_benchmark::Pair;
use crate::findings::{Interval, IntervalMethod, UncertaintyRow, UncertaintyThird};
use crate::stats::cluster::Totals;
use crate::stats::compound::LogRiskRatio;
use crate::stats::interval;
use crate::stats::jackknife::jackknife;
use crate::stats::logistic::{Logistic, logistic};
use crate::stats::rate;
use crate::stats::refusal::{MIN_CLUSTERS, MIN_ITEMS};
use crate::stats::uncertainty::{auroc_clustered, normalised_entropy, terciles};

/// Flips in either outer third below which their ratio says nothing, and among all items below which a slope does not.
const MIN_FLIPS: usize = 6;

/// One item: the predictor, larger where the baseline was less sure, as it is shown, and whether it flipped.
struct Point {
    unsure: f64,
    shown: f64,
    flipped: bool,
    cluster: u32,
}

pub(super) fn add(rows: &mut Rows, sample: &Sample<'_>) {
    let Some(metric) = with_event(sample) else { return };
    let events = Events::new(sample, metric);
    for pair in &sample.at.pairs {
        // Predictors of every item once; places pick theirs.
        for predictor in ["margin", "entropy"] {
            let value = |i: u32| {
                let reading = sample.reading(&pair.against, i);
                let shown = match predictor {
                    "margin" => margin(reading)?,
                    _ => normalised_entropy(&distribution(reading)?)?,
                };
                let unsure = if predictor == "margin" { -shown } else { shown };
                let flipped = events.flipped(pair, i)?;
                Some(Point { unsure, shown, flipped, cluster: sample.of_item[i as usize] })
            };
            for place in &sample.places {
                let points: Vec<Point> = place.members.iter().filter_map(|i| value(*i)).collect();
                if points.len() as u64 >= MIN_ITEMS {
                    rows.uncertainty.extend(row(sample, &metric.info().id, (place, pair), predictor, &points));
                }
            }
        }
    }
}

fn row(
    sample: &Sample<'_>,
    metric: &str,
    (place, pair): (&Place, &Pair),
    predictor: &str,
    points: &[Point],
) -> Option<UncertaintyRow> {
    let unsure: Vec<f64> = points.iter().map(|p| p.unsure).collect();
    let third = terciles(&unsure)?;
    let of = |k: u8| points.iter().zip(&third).filter(move |(_, t)| **t == k).map(|(p, _)| p);
    let thirds: Vec<UncertaintyThird> = (0..3).filter_map(|k| show(sample, &of(k).collect::<Vec<_>>())).collect();
    let flipped: Vec<bool> = points.iter().map(|p| p.flipped).collect();
    let clusters: Vec<u32> = points.iter().map(|p| p.cluster).collect();
    let mut different = clusters.clone();
    different.sort_unstable();
    different.dedup();
    let area = auroc_clustered(&unsure, &flipped, &clusters);
    let enough = different.len() >= MIN_CLUSTERS && flipped.iter().filter(|f| **f).count() >= MIN_CLUSTERS;
    let (slope, slope_note) = slope(&unsure, &flipped, &clusters);
    let slope_reach = slope.filter(|s| enough && s.se > 0.0).map(|s| (s.slope, sample.level().t(s.df) * s.se));
    let reach = area.filter(|a| enough && a.se > 0.0).map(|a| (a.area, sample.level().t(a.df) * a.se));
    let (least, surest): (Vec<_>, Vec<_>) = (of(2).collect(), of(0).collect());
    let few = [&least, &surest].iter().any(|points| points.iter().filter(|p| p.flipped).count() < MIN_FLIPS);
    let (risk_ratio, risk_ratio_interval) = if few { (None, None) } else { risk(sample, &least, &surest) };
    Some(UncertaintyRow {
        cell: sample.cell(metric, &place.axis, &place.subgroup),
        setting: pair.setting.clone(),
        against: pair.against.clone(),
        aa: pair.aa,
        predictor: predictor.to_owned(),
        thirds,
        risk_ratio,
        risk_ratio_interval,
        risk_ratio_note: few.then(|| format!("fewer than {MIN_FLIPS} items flipped in an outer third")),
        auroc: area.map(|a| a.area),
        auroc_interval: reach.map(|(area, reach)| Interval {
            lower: (area - reach).max(0.0),
            upper: (area + reach).min(1.0),
            level: sample.level().value(),
            method: IntervalMethod::JackknifeT,
        }),
        slope: slope.map(|s| s.slope),
        slope_interval: slope_reach.map(|(slope, reach)| Interval {
            lower: slope - reach,
            upper: slope + reach,
            level: sample.level().value(),
            method: IntervalMethod::ClusterRobust,
        }),
        slope_note,
        items: points.len() as u64,
        clusters: different.len() as u64,
    })
}

/// The logistic slope, or why there is none.
fn slope(unsure: &[f64], flipped: &[bool], clusters: &[u32]) -> (Option<Logistic>, Option<String>) {
    let flips = flipped.iter().filter(|f| **f).count();
    if flips.min(flipped.len() - flips) < MIN_FLIPS {
        return (None, Some(format!("fewer than {MIN_FLIPS} items flipped, or did not")));
    }
    match logistic(unsure, flipped, clusters) {
        Ok(found) => (Some(found), None),
        Err(refusal) => (None, Some(refusal.to_string())),
    }
}

fn totals(points: &[&Point], place: usize, width: usize) -> (Vec<u32>, Vec<f64>) {
    let mut rows = Vec::new();
    for p in points {
        let start = rows.len();
        rows.resize(start + width, 0.0);
        rows[start + place] = f64::from(u8::from(p.flipped));
        rows[start + place + 1] = 1.0;
    }
    (points.iter().map(|p| p.cluster).collect(), rows)
}

fn show(sample: &Sample<'_>, points: &[&Point]) -> Option<UncertaintyThird> {
    let flipped = points.iter().filter(|p| p.flipped).count() as u64;
    let (clusters, rows) = totals(points, 0, 2);
    let totals = Totals::from_items(2, &clusters, &rows).ok()?;
    let interval = rate::of_clusters(&sample.at.design, &totals, sample.level());
    let shown = points.iter().map(|p| p.shown);
    (!points.is_empty()).then(|| UncertaintyThird {
        lower: shown.clone().fold(f64::INFINITY, f64::min),
        upper: shown.fold(f64::NEG_INFINITY, f64::max),
        items: points.len() as u64,
        flipped,
        rate: Some(flipped as f64 / points.len() as f64),
        interval: interval.map(|i| publish(i, IntervalMethod::Rate)),
    })
}

/// Flip rate of the least sure third over that of the surest.
fn risk(sample: &Sample<'_>, least: &[&Point], most: &[&Point]) -> (Option<f64>, Option<Interval>) {
    let (mut clusters, mut rows) = totals(least, 0, 4);
    let (more, below) = totals(most, 2, 4);
    clusters.extend(more);
    rows.extend(below);
    let Ok(totals) = Totals::from_items(4, &clusters, &rows) else { return (None, None) };
    let sum = crate::stats::cluster::Cell::sum(&totals);
    let ratio = (sum[1] > 0.0 && sum[2] > 0.0).then(|| sum[0] / sum[1] / (sum[2] / sum[3]));
    let jackknifed = jackknife(&sample.at.design, &totals, &LogRiskRatio).ok();
    let interval = jackknifed.and_then(|j| j.interval(sample.level())).map(|i| {
        let back = interval::Interval { lower: i.lower.exp(), upper: i.upper.exp(), level: i.level };
        publish(back, IntervalMethod::JackknifeT)
    });
    (ratio, interval)
}
