//! Data sets like the one at hand, with a known truth: what calibration runs its intervals and tests on.
//!
//! Clusters are drawn with replacement within their strata, as they are: sizes, dependence, and discreteness stay those
//! of the data, and the true change in the population drawn from is the change observed. That is what intervals are tried
//! on ([`Law::AsTheyAre`]). Tests need data in which nothing changed, and there are two ways to them, neither of which is
//! the truth: to take the observed change off every cluster, which keeps the shape of the differences
//! ([`Law::Recentred`]); or to let the two settings of every drawn cluster change places at random
//! ([`Law::Exchanged`]), which makes the differences symmetric about 0 and so the sign flip exact by construction. A
//! stated effect is then added to the setting's totals, and the true change is larger by exactly that.
//!
//! What it cannot tell: how methods behave for clusters unlike those in the data.

use super::cluster::{Cell, PairedTotals};
use super::design::Design;
use super::functional::Functional;
use super::stream::{Fast, Stream};

/// What is done with the clusters that were drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// Nothing: the true change is the observed one.
    AsTheyAre,
    /// The observed change is taken off every cluster: the true change is 0, and differences keep their skewness.
    Recentred,
    /// The settings of each cluster change places at random: the true change is 0, and differences are symmetric.
    Exchanged,
}

impl Law {
    /// What data under this law assume, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AsTheyAre => "clusters as they are, around the observed change",
            Self::Recentred => "recentred at no change",
            Self::Exchanged => "settings exchanged within clusters, which makes the sign flip exact",
        }
    }
}

/// Which clusters make up a simulated data set, and which of them are exchanged. Shared by all cells of a benchmark, so
/// that their dependence stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    picks: Vec<u32>,
    exchanged: Vec<bool>,
}

impl Simulation {
    /// Data set number `r` of a stream.
    pub fn draw(design: &Design, stream: &Stream, r: u64) -> Self {
        let mut rng = Fast::new(&mut stream.replicate(r));
        let mut picks = vec![0; design.clusters()];
        for members in design.members() {
            for cluster in members {
                picks[*cluster as usize] = members[rng.below(members.len() as u32) as usize];
            }
        }
        let exchanged = (0..design.clusters()).map(|_| rng.below(2) == 1).collect();
        Self { picks, exchanged }
    }

    /// The simulated totals of a cell under a law, with `effect` (metric units) added to the change. `None` where that takes
    /// a shift that the metric does not have ([`Functional::raise`]) or no cluster of the cell was drawn.
    pub fn totals(
        &self,
        cell: &PairedTotals,
        functional: &dyn Functional,
        law: Law,
        effect: f64,
    ) -> Option<PairedTotals> {
        let shift = if law == Law::Recentred { effect - cell.estimate(functional)? } else { effect };
        let p = cell.p();
        let mut row_of = vec![u32::MAX; self.picks.len()];
        for (i, cluster) in cell.cluster_indices().iter().enumerate() {
            *row_of.get_mut(*cluster as usize)? = i as u32;
        }
        let (mut clusters, mut base, mut setting, mut items) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (place, old) in self.picks.iter().enumerate() {
            let i = row_of[*old as usize];
            if i == u32::MAX {
                continue;
            }
            let (mut a, mut b) = (cell.base(i as usize).to_vec(), cell.setting(i as usize).to_vec());
            if law == Law::Exchanged && self.exchanged[place] {
                std::mem::swap(&mut a, &mut b);
            }
            if shift != 0.0 && !functional.raise(&mut b, shift) {
                return None;
            }
            clusters.push(place as u32);
            base.extend(a);
            setting.extend(b);
            items.push(cell.items()[i as usize]);
        }
        if clusters.is_empty() {
            return None;
        }
        PairedTotals::new(p, clusters, &base, &setting, items).ok()
    }
}
