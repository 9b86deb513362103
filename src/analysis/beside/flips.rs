//! Flips of the binary event, both ways, and beyond those of the A/A repeat.

use super::sample::{Place, Sample};
use super::{Rows, repeat, silent_repeat, with_event};
use crate::analysis::flags::publish;
use crate::analysis::model_benchmark::Pair;
use crate::findings::{FlipRow, Flips, IntervalMethod};
use crate::metric::Metric;
use crate::stats::cluster::Cell as _;
use crate::stats::functional::Ratio;
use crate::stats::permutation::exact_integer;
use crate::stats::{paired, rate, tango};

/// The event of a metric under two settings, by item.
pub(super) struct Events<'a> {
    sample: &'a Sample<'a>,
    metric: &'static dyn Metric,
}

impl<'a> Events<'a> {
    pub(super) fn new(sample: &'a Sample<'a>, metric: &'static dyn Metric) -> Self {
        Self { sample, metric }
    }

    pub(super) fn at(&self, setting: &str, i: u32) -> Option<bool> {
        self.metric.event(&self.sample.data.items[i as usize], self.sample.reading(setting, i))
    }

    pub(super) fn pair(&self, pair: &Pair, i: u32) -> Option<(bool, bool)> {
        Some((self.at(&pair.against, i)?, self.at(&pair.setting, i)?))
    }

    /// Whether an item flipped.
    pub(super) fn flipped(&self, pair: &Pair, i: u32) -> Option<bool> {
        self.pair(pair, i).map(|(a, b)| a != b)
    }
}

pub(super) fn add(rows: &mut Rows, sample: &Sample<'_>) {
    let Some(metric) = with_event(sample) else { return };
    let events = Events::new(sample, metric);
    for place in &sample.places {
        for pair in &sample.at.pairs {
            rows.flips.extend(row(sample, &events, metric, place, pair));
        }
    }
}

fn row(sample: &Sample<'_>, events: &Events<'_>, metric: &dyn Metric, place: &Place, pair: &Pair) -> Option<FlipRow> {
    let level = sample.level();
    let pairs = || place.members.iter().filter_map(|i| events.pair(pair, *i));
    let counts = paired::Flips::count(pairs());
    let share = |keep: &dyn Fn(bool, bool) -> Option<bool>| {
        let value = |i: u32| {
            let (a, b) = events.pair(pair, i)?;
            keep(a, b).map(|x| f64::from(u8::from(x)))
        };
        let totals = sample.mean_of(&place.members, value)?;
        rate::of_clusters(&sample.at.design, &totals, level).map(|i| publish(i, IntervalMethod::Rate))
    };
    let number = |x: bool| f64::from(u8::from(x));
    let net = sample.means_of(&place.members, |i| events.pair(pair, i).map(|(a, b)| (number(a), number(b))))?;
    let single = net.items().iter().all(|n| *n == 1);
    let change = sample.change(&net, &Ratio);
    let few = single && counts.n01 + counts.n10 < tango::FEW_FLIPS;
    let score = tango::tango(&counts, level).filter(|_| few).map(|i| publish(i, IntervalMethod::Rate));
    let by_cluster: Vec<f64> = (0..net.clusters()).map(|i| net.setting(i)[0] - net.base(i)[0]).collect();
    let mut found = FlipRow {
        cell: sample.cell(&metric.info().id, &place.axis, &place.subgroup),
        setting: pair.setting.clone(),
        against: pair.against.clone(),
        aa: pair.aa,
        items: counts.items(),
        clusters: net.clusters() as u64,
        counts: Flips { n00: counts.n00, n01: counts.n01, n10: counts.n10, n11: counts.n11 },
        rate: counts.rate()?,
        rate_interval: share(&|a, b| Some(a != b)),
        became: counts.became(),
        became_interval: share(&|a, b| (!a).then_some(b)),
        ceased: counts.ceased(),
        ceased_interval: share(&|a, b| a.then_some(!b)),
        net: counts.net()?,
        net_interval: score.or(change.interval),
        masked: counts.masked(),
        odds: counts.odds(),
        mcnemar: single.then(|| counts.mcnemar().p_exact),
        mcnemar_mid: single.then(|| counts.mcnemar().p_mid),
        durkalski: paired::durkalski(&by_cluster).map(|d| d.p),
        net_exact: net_exact(&by_cluster),
        aa_rate: None,
        excess: None,
        excess_interval: None,
        excess_test: None,
        excess_note: None,
    };
    excess(&mut found, sample, events, place, pair);
    Some(found)
}

/// Work that an exact test of the net change may take: changed clusters times flips.
const EXACT_WORK: f64 = 1e7;

/// The exact test of the net change over clusters, where it is not too much work.
fn net_exact(by_cluster: &[f64]) -> Option<f64> {
    let changed: Vec<f64> = by_cluster.iter().copied().filter(|d| *d != 0.0).collect();
    let work = changed.len() as f64 * changed.iter().map(|d| d.abs()).sum::<f64>();
    let whole: Vec<i64> = changed.iter().map(|d| *d as i64).collect();
    (work <= EXACT_WORK).then(|| exact_integer(&whole))?.map(|exact| exact.p)
}

/// Flips beyond those of the baseline against itself, on the same items.
fn excess(row: &mut FlipRow, sample: &Sample<'_>, events: &Events<'_>, place: &Place, pair: &Pair) {
    let Some(aa) = repeat(sample).filter(|aa| !pair.aa && aa.against == pair.against) else { return };
    let number = |x: bool| f64::from(u8::from(x));
    let both = |i: u32| Some((number(events.flipped(aa, i)?), number(events.flipped(pair, i)?)));
    let Some(totals) = sample.means_of(&place.members, both) else { return };
    let change = sample.change(&totals, &Ratio);
    row.aa_rate = totals.base_totals().estimate(&Ratio);
    row.excess = change.delta;
    row.excess_interval = change.interval;
    row.excess_note = silent_repeat(&totals);
    row.excess_test = change.test.filter(|_| row.excess_note.is_none());
}
