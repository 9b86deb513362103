//! The design of a benchmark's sample: how many clusters it has, and in which strata.

use super::cluster::{Cell, TotalsError};
use std::collections::BTreeMap;

/// The clusters of a benchmark and their strata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Design {
    stratum: Vec<u32>,
    members: Vec<Vec<u32>>,
}

impl Design {
    /// `clusters` clusters in one stratum.
    pub fn simple(clusters: usize) -> Self {
        Self { stratum: vec![0; clusters], members: vec![(0..clusters as u32).collect()] }
    }

    /// Cluster `g` lies in stratum `stratum[g]`; strata are renumbered in the order of their labels.
    ///
    /// Strata belong here only where the number of clusters in each was fixed by design.
    ///
    /// # Errors
    /// [`TotalsError::LonelyStratum`] where a stratum has a single cluster, unless it is the only stratum.
    pub fn stratified(stratum: &[u32]) -> Result<Self, TotalsError> {
        let mut by_label: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (cluster, label) in stratum.iter().enumerate() {
            by_label.entry(*label).or_default().push(cluster as u32);
        }
        if by_label.len() > 1
            && let Some((stratum, _)) = by_label.iter().find(|(_, clusters)| clusters.len() < 2)
        {
            return Err(TotalsError::LonelyStratum { stratum: *stratum });
        }
        let members: Vec<Vec<u32>> = by_label.into_values().collect();
        let mut of = vec![0; stratum.len()];
        for (label, clusters) in members.iter().enumerate() {
            for cluster in clusters {
                of[*cluster as usize] = label as u32;
            }
        }
        Ok(Self { stratum: of, members })
    }

    /// As [`Design::stratified`], with strata of a single cluster taken together; one that is left over joins the smallest
    /// other stratum (collapsed strata, which errs towards a larger variance; Cochran 1977, §5A.12). Also gives the number
    /// of strata that had a single cluster; 0 where there is one stratum only, which nothing was taken together with.
    pub fn collapsing(stratum: &[u32]) -> (Self, usize) {
        let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
        for label in stratum {
            *sizes.entry(*label).or_default() += 1;
        }
        let lonely: Vec<u32> = sizes.iter().filter(|(_, n)| **n < 2).map(|(label, _)| *label).collect();
        let smallest = sizes.iter().filter(|(_, n)| **n > 1).min_by_key(|(label, n)| (**n, **label));
        let home = match (lonely.as_slice(), smallest) {
            ([_], Some((label, _))) => Some(*label),
            (several, _) => several.first().copied(),
        };
        let label = |s: &u32| home.filter(|_| lonely.contains(s)).unwrap_or(*s);
        let merged: Vec<u32> = stratum.iter().map(label).collect();
        let collapsed = if sizes.len() > 1 { lonely.len() } else { 0 };
        (Self::stratified(&merged).unwrap_or_else(|_| Self::simple(stratum.len())), collapsed)
    }

    /// `G`, the number of clusters.
    pub fn clusters(&self) -> usize {
        self.stratum.len()
    }

    /// `H`, the number of strata.
    pub fn strata(&self) -> usize {
        self.members.len()
    }

    /// The stratum of a cluster, `0..H`.
    pub fn stratum(&self, cluster: u32) -> u32 {
        self.stratum[cluster as usize]
    }

    /// The clusters of each stratum, increasing.
    pub fn members(&self) -> &[Vec<u32>] {
        &self.members
    }

    /// Checks that every cluster of a cell exists here.
    ///
    /// # Errors
    /// [`TotalsError::UnknownCluster`].
    pub fn admits<C: Cell>(&self, cell: &C) -> Result<(), TotalsError> {
        match cell.cluster_indices().last() {
            Some(&cluster) if cluster as usize >= self.clusters() => {
                Err(TotalsError::UnknownCluster { cluster, clusters: self.clusters() })
            }
            _ => Ok(()),
        }
    }
}
