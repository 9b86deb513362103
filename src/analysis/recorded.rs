//! Records of one model on one benchmark become totals.

use super::cells::{
    Clusters, Group, at, clusters, emissions, flips, groups, named, paired_cell, setting_cell, unsettled, width,
};
use super::composite;
use super::coverage::coverage;
use super::model_benchmark::Recorded;
use super::readings::{Absent, Readings, absent, readings};
use super::{AnalysisError, leading};
use crate::benchmark::BenchmarkData;
use crate::findings::{Cell, Unit};
use crate::metric::{Emission, Metric, Reading, Scope, default_margin, functional, metrics_of};
use crate::records::Run;
use crate::scorer::Scores;
use crate::spec::{Plan, Setting};
use crate::table::sums::{GroupSums, Lead, Pair, PairedSums, Sums};
use rayon::prelude::*;
use std::collections::BTreeMap;

type Emitted<'a> = BTreeMap<&'a String, Vec<Emission>>;
/// How far unusable replies could move what items emit, by setting ([`Metric::open_replies`]).
type Open<'a> = BTreeMap<&'a String, Vec<f64>>;

/// Reads all records and adds them up.
pub(super) fn sums<'a>(
    run: &Run,
    plan: &Plan,
    data: &'a BenchmarkData,
    model: &str,
    scores: &Scores,
) -> Result<(Sums, Recorded<'a>), AnalysisError> {
    let identity = &run.manifest.identity;
    let present = |id: &str| run.records(&data.name, id).is_some();
    let own = identity.settings.iter().filter(|s| s.model == model && present(&s.id));
    let settings: Vec<String> = own.map(|s| s.id.clone()).collect();
    let baseline = identity.settings.iter().find(|s| s.model == model && s.baseline).map(|s| s.id.clone());
    let pairs = pairs(run, plan, model, &settings, baseline.as_deref());
    let Clusters { of_item, design, .. } = clusters(data);
    let readings = readings(run, data, settings.iter().map(String::as_str), scores, plan.parser);
    let absent = absent(run, data, &pairs);
    let adding =
        Adding { data, model, of_item, settings: &settings, pairs: &pairs, readings: &readings, absent: &absent };
    let mut all = Vec::new();
    for metric in metrics_of(data.measure) {
        let emit = |id, read: &Vec<Reading>| (id, asked(&absent, id, emissions(*metric, data, read)));
        let emitted: Emitted<'_> = readings.iter().map(|(id, read)| emit(id, read)).collect();
        // A metric that no item of the benchmark is in the sample of has no rows.
        let by_row = metric.scope() == Scope::Named;
        if !by_row && emitted.values().flatten().all(|e| *e == Emission::NotApplicable) {
            continue;
        }
        let open: Open<'_> = readings.iter().map(|(id, read)| (id, metric.open_replies(&data.items, read))).collect();
        let groups = groups(data, metric.scope());
        let added: Result<Vec<_>, _> = groups
            .par_iter()
            .map(|group| {
                let of_row = by_row.then(|| adding.named(*metric, group));
                adding.group(*metric, group, (of_row.as_ref().unwrap_or(&emitted), &open))
            })
            .collect();
        all.extend(added.map_err(at(data, *metric))?);
    }
    let Adding { of_item, .. } = &adding;
    let (settings_of, pairs_of, readings_of) = (&settings, &pairs, &readings);
    let together =
        composite::Adding { data, model, of_item, settings: settings_of, pairs: pairs_of, readings: readings_of };
    all.extend(together.groups()?);
    let (headline, overall) = leading(data.measure);
    let worse = metrics_of(data.measure)[0].info().worse;
    let lead = Lead { headline, overall: overall.to_owned(), worse, default_margin: default_margin(data.measure) };
    let (benchmark, model) = (data.name.clone(), model.to_owned());
    let coverage = coverage(&model, data, &settings, &readings, &absent);
    Ok((Sums { benchmark, model, design, settings, pairs, lead, groups: all, coverage }, Recorded { data, readings }))
}

/// What all groups are added up from.
struct Adding<'a> {
    data: &'a BenchmarkData,
    model: &'a str,
    of_item: Vec<u32>,
    settings: &'a [String],
    pairs: &'a [Pair],
    readings: &'a Readings,
    absent: &'a Absent,
}

/// What items emit, as far as they were asked.
fn asked(absent: &Absent, id: &String, mut emitted: Vec<Emission>) -> Vec<Emission> {
    for (emission, absent) in emitted.iter_mut().zip(absent.get(id).into_iter().flatten()) {
        if *absent {
            *emission = Emission::NotApplicable;
        }
    }
    emitted
}

impl<'a> Adding<'a> {
    /// What items emit in a row about a subgroup that options name.
    fn named(&self, metric: &dyn Metric, group: &Group) -> Emitted<'a> {
        let emit = |read: &Vec<Reading>| named(metric, self.data, group, read);
        self.readings.iter().map(|(id, read)| (id, asked(self.absent, id, emit(read)))).collect()
    }

    fn group(
        &self,
        metric: &dyn Metric,
        group: &Group,
        seen: (&Emitted<'_>, &Open<'_>),
    ) -> Result<GroupSums, crate::stats::cluster::TotalsError> {
        let info = metric.info();
        let cell = Cell {
            model: self.model.to_owned(),
            benchmark: self.data.name.clone(),
            metric: info.id,
            axis: group.axis.clone(),
            subgroup: group.subgroup.clone(),
        };
        let settings = self.settings.iter().map(|id| setting_cell(width(metric), &self.of_item, group, &seen.0[id]));
        let settings: Result<Vec<_>, _> = settings.collect();
        let pairs: Result<Vec<_>, _> = self.pairs.iter().map(|pair| self.pair(metric, group, seen, pair)).collect();
        let (range, share) = (
            metric.range(),
            info.unit == Unit::Share
                && matches!(metric.scope(), Scope::Each | Scope::Named)
                && metric.range() == Some(1.0),
        );
        Ok(GroupSums { cell, functional: functional(metric), range, share, settings: settings?, pairs: pairs? })
    }

    fn pair(
        &self,
        metric: &dyn Metric,
        group: &Group,
        (emitted, open): (&Emitted<'_>, &Open<'_>),
        pair: &Pair,
    ) -> Result<PairedSums, crate::stats::cluster::TotalsError> {
        let (base, setting) = (&emitted[&pair.against][..], &emitted[&pair.setting][..]);
        let mut sums = paired_cell(width(metric), &self.of_item, group, base, setting)?;
        let readings = (&self.readings[&pair.against][..], &self.readings[&pair.setting][..]);
        if !metric.is_about_answering() {
            sums.unsettled = unsettled(group, (base, setting), (&open[&pair.against], &open[&pair.setting]));
        }
        sums.flips = flips(metric, self.data, group, readings.0, readings.1);
        Ok(sums)
    }
}

/// Contrasts of a model: every setting against the baseline, then those that the plan names.
fn pairs(run: &Run, plan: &Plan, model: &str, settings: &[String], baseline: Option<&str>) -> Vec<Pair> {
    let Some(baseline) = baseline.filter(|b| settings.iter().any(|s| s == b)) else { return Vec::new() };
    let aa = |id: &str| run.manifest.identity.settings.iter().any(|s| s.id == id && s.aa);
    let against_baseline = settings.iter().filter(|s| *s != baseline).map(|s| Pair {
        setting: s.clone(),
        against: baseline.to_owned(),
        aa: aa(s),
        named: false,
    });
    let named = plan.contrasts.iter().map(|c| Pair {
        setting: Setting::id(model, &c.scheme, false),
        against: Setting::id(model, &c.against, false),
        aa: false,
        named: true,
    });
    let known = |p: &Pair| settings.contains(&p.setting) && settings.contains(&p.against) && p.setting != p.against;
    let mut pairs: Vec<Pair> = against_baseline.collect();
    for pair in named.filter(known) {
        if !pairs.iter().any(|p| p.setting == pair.setting && p.against == pair.against) {
            pairs.push(pair);
        }
    }
    pairs
}
