//! Totals of the metrics that look at several items together.

use super::AnalysisError;
use super::readings::Readings;
use crate::benchmark::BenchmarkData;
use crate::findings::Cell;
use crate::metric::composite::{Composite, CompositeCell, Seen, cells, composites_of};
use crate::stats::cluster::{PairedTotals, Totals, TotalsError};
use crate::table::sums::{GroupSums, Pair, PairedSums};
use rayon::prelude::*;

/// One model on one benchmark.
pub(super) struct Adding<'a> {
    pub(super) data: &'a BenchmarkData,
    pub(super) model: &'a str,
    pub(super) of_item: &'a [u32],
    pub(super) settings: &'a [String],
    pub(super) pairs: &'a [Pair],
    pub(super) readings: &'a Readings,
}

impl Adding<'_> {
    /// All groups, in the order of their rows. Metrics without a single usable item have none.
    pub(super) fn groups(&self) -> Result<Vec<GroupSums>, AnalysisError> {
        let mut all = Vec::new();
        for composite in composites_of(self.data.measure) {
            if !composite.is_measured(self.readings.values().flatten()) {
                continue;
            }
            let own = cells(self.data, composite.cells);
            let groups: Result<Vec<GroupSums>, TotalsError> =
                own.par_iter().map(|cell| self.group(composite, cell)).collect();
            let groups = groups.map_err(|source| AnalysisError::Totals {
                benchmark: self.data.name.clone(),
                metric: (composite.info)().id,
                source,
            })?;
            if groups.iter().flat_map(|g| &g.settings).any(|t| crate::stats::cluster::Cell::clusters(t) > 0) {
                all.extend(groups);
            }
        }
        Ok(all)
    }

    fn group(&self, composite: &Composite, cell: &CompositeCell) -> Result<GroupSums, TotalsError> {
        let functional = composite.functional(self.data, cell);
        let width = functional.dim();
        let settings = self.settings.iter().map(|id| {
            let usable = |i: usize| composite.usable(&self.data.items[i], &self.readings[id][i]) == Some(true);
            let added = composite.totals(self.data, cell, &self.seen(id, cell, usable));
            let (clusters, rows) = split(added);
            Totals::from_items(width, &clusters, &rows)
        });
        let settings: Result<Vec<_>, _> = settings.collect();
        let pairs: Result<Vec<_>, _> = self.pairs.iter().map(|pair| self.pair(composite, cell, width, pair)).collect();
        let place = Cell {
            model: self.model.to_owned(),
            benchmark: self.data.name.clone(),
            metric: (composite.info)().id,
            axis: cell.axis.clone(),
            subgroup: cell.subgroup.clone(),
        };
        Ok(GroupSums { cell: place, functional, range: None, share: false, settings: settings?, pairs: pairs? })
    }

    /// Items that both settings answered are taken, on both sides.
    fn pair(
        &self,
        composite: &Composite,
        cell: &CompositeCell,
        width: usize,
        pair: &Pair,
    ) -> Result<PairedSums, TotalsError> {
        let usable = |id: &str, i: usize| composite.usable(&self.data.items[i], &self.readings[id][i]);
        let both = |i: usize| usable(&pair.against, i) == Some(true) && usable(&pair.setting, i) == Some(true);
        let base = composite.totals(self.data, cell, &self.seen(&pair.against, cell, both));
        let setting = composite.totals(self.data, cell, &self.seen(&pair.setting, cell, both));
        let (mut lost, mut unsettled) = (0, 0.0);
        for i in (0..self.data.items.len()).filter(|i| cell.members[*i]) {
            if let (Some(before), Some(after)) = (usable(&pair.against, i), usable(&pair.setting, i)) {
                lost += u64::from(!(before && after));
                unsettled += f64::from(u8::from(before != after));
            }
        }
        let same = base.iter().map(|(c, _)| c).eq(setting.iter().map(|(c, _)| c));
        // One side undefined (a part with answers of one kind only): then so is the change.
        let ((clusters, base), (_, setting)) =
            if same { (split(base), split(setting)) } else { (split(Vec::new()), split(Vec::new())) };
        let totals = PairedTotals::from_items(width, &clusters, &base, &setting)?;
        Ok(PairedSums { totals, moments: None, lost, unsettled, flips: None })
    }

    fn seen(&self, id: &str, cell: &CompositeCell, take: impl Fn(usize) -> bool) -> Vec<Seen<'_>> {
        let own = (0..self.data.items.len()).filter(|i| cell.members[*i] && take(*i));
        own.map(|i| (&self.data.items[i], &self.readings[id][i], self.of_item[i])).collect()
    }
}

/// Clusters, and rows one after another.
fn split(added: Vec<(u32, Vec<f64>)>) -> (Vec<u32>, Vec<f64>) {
    let (clusters, rows): (Vec<u32>, Vec<Vec<f64>>) = added.into_iter().unzip();
    (clusters, rows.concat())
}
