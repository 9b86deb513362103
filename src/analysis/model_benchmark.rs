//! One model on one benchmark: totals, and the random draws that all its rows share.

use super::Method;
use super::contrast::{Contrast, contrast};
use super::estimate::{Estimate, estimate};
use super::readings::Readings;
use crate::benchmark::BenchmarkData;
use crate::findings::{ContrastRow, EstimateRow};
use crate::stats::bootstrap::Weights;
use crate::stats::cluster::{self, Design};
use crate::stats::functional::Functional;
use crate::stats::interval::Replicates;
use crate::stats::permutation::{Flips, sign_flips_of_any};
pub(super) use crate::table::sums::Pair;
use crate::table::sums::{GroupSums, Lead, Sums};
use rayon::prelude::*;

/// The records behind totals, for rows that need single items.
pub(super) struct Recorded<'a> {
    pub(super) data: &'a BenchmarkData,
    pub(super) readings: Readings,
}

/// One model on one benchmark.
pub(super) struct ModelBenchmark<'a> {
    pub(super) method: &'a Method,
    pub(super) name: String,
    pub(super) model: String,
    pub(super) lead: Lead,
    pub(super) design: Design,
    pub(super) weights: Weights,
    pub(super) flips: Flips,
    pub(super) settings: Vec<String>,
    pub(super) pairs: Vec<Pair>,
    /// Absent where totals came in without records.
    pub(super) recorded: Option<Recorded<'a>>,
}

/// Rows of one model on one benchmark, before families are formed.
pub(super) struct Rows {
    pub(super) estimates: Vec<EstimateRow>,
    pub(super) contrasts: Vec<Contrast>,
}

impl<'a> ModelBenchmark<'a> {
    /// Makes the draws. They are named by the benchmark alone, so that neither a model, nor a setting, nor a metric more
    /// changes them. Gives the groups back, for [`Self::rows`].
    pub(super) fn open(method: &'a Method, sums: Sums, recorded: Option<Recorded<'a>>) -> (Self, Vec<GroupSums>) {
        let Sums { benchmark: name, model, design, settings, pairs, lead, groups, coverage: _ } = sums;
        let stream = method.root.child(&name);
        let weights = Weights::draw(&design, method.plan.replicates as usize, &stream.child("bootstrap"));
        let flips = Flips::draw(&design, method.plan.draws as usize, &stream.child("sign flips"));
        (Self { method, name, model, lead, design, weights, flips, settings, pairs, recorded }, groups)
    }

    /// The pairs that a gate holds against the margin, the A/A repeat among them: not those that the plan names.
    pub(super) fn gated(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(|pair| !pair.named)
    }

    /// Whether a row is of a contrast that the plan names.
    pub(super) fn is_named(&self, row: &ContrastRow) -> bool {
        self.pairs.iter().any(|p| p.named && p.setting == row.setting && p.against == row.against)
    }

    /// Computes every row, groups in parallel. `kept` says of which contrasts replicates are needed once more, and
    /// `joined` is told of these, in order.
    pub(super) fn rows(
        &self,
        groups: Vec<GroupSums>,
        kept: &(dyn Fn(&Contrast) -> bool + Sync),
        joined: &mut dyn FnMut(&mut Contrast, &Replicates),
    ) -> Rows {
        let begun: Vec<(Vec<Estimate>, Vec<Contrast>)> = groups.into_par_iter().map(|g| self.begin(g)).collect();
        let cells: Vec<Vec<CellOf<'_>>> =
            begun.iter().map(|(estimates, contrasts)| wanting(estimates, contrasts)).collect();
        let drawn = self.weights.resample(&cells, |group, replicates| {
            let mut replicates = replicates.into_iter();
            let (estimates, contrasts) = &begun[group];
            let of_estimates =
                estimates.iter().map(|e| e.wants.then(|| replicates.next()).flatten().map(|r| e.draw(self, &r)));
            let of_estimates: Vec<_> = of_estimates.collect();
            let of_contrasts = contrasts
                .iter()
                .map(|c| c.wants.then(|| replicates.next()).flatten().map(|r| c.draw(self, r, kept(c))));
            (of_estimates, of_contrasts.collect::<Vec<_>>())
        });
        drop(cells);
        let mut rows = Rows { estimates: Vec::new(), contrasts: Vec::new() };
        for ((estimates, contrasts), (of_estimates, of_contrasts)) in begun.into_iter().zip(drawn) {
            rows.estimates.extend(estimates.into_iter().zip(of_estimates).map(|(e, drawn)| e.settle(drawn)));
            for (mut contrast, drawn) in contrasts.into_iter().zip(of_contrasts) {
                if let Some(replicates) = drawn.and_then(|drawn| contrast.settle(drawn)) {
                    joined(&mut contrast, &replicates);
                }
                rows.contrasts.push(contrast);
            }
        }
        rows
    }

    /// Everything of a group but what needs replicates.
    fn begin(&self, group: GroupSums) -> (Vec<Estimate>, Vec<Contrast>) {
        let facts = Facts { functional: group.functional, range: group.range, share: group.share };
        let settings = self.settings.iter().zip(group.settings);
        let totals: Vec<_> = group.pairs.iter().map(|p| &p.totals).collect();
        let tested = sign_flips_of_any(&self.flips, &totals, group.functional);
        let pairs: Vec<_> = self.pairs.iter().zip(group.pairs.into_iter().zip(tested)).collect();
        let estimates = settings.map(|(id, totals)| estimate(self, group.cell.clone(), id, totals, facts)).collect();
        let contrasts = pairs.into_par_iter().map(|(pair, sums)| contrast(self, group.cell.clone(), pair, sums, facts));
        (estimates, contrasts.collect())
    }
}

type CellOf<'a> = (&'a dyn cluster::Cell, &'a dyn Functional);

fn wanting<'a>(estimates: &'a [Estimate], contrasts: &'a [Contrast]) -> Vec<CellOf<'a>> {
    let of_estimates =
        estimates.iter().filter(|e| e.wants).map(|e| (&e.totals as &dyn cluster::Cell, e.functional as _));
    let of_contrasts =
        contrasts.iter().filter(|c| c.wants).map(|c| (&c.totals as &dyn cluster::Cell, c.functional as _));
    of_estimates.chain(of_contrasts).collect()
}

/// What rows need to know of a metric.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    pub(super) functional: &'static dyn Functional,
    /// Largest difference that two values can have.
    pub(super) range: Option<f64>,
    /// Whether values lie between 0 and 1.
    pub(super) share: bool,
}
