//! A long table that is added up while it is read: memory grows with clusters, subgroups, and settings, not with rows.
//!
//! Items are never seen side by side, so pairing rests on complete data: every item must have a value under every setting.
//! A row without a value is refused, and so is a cluster with more values under one setting than under another, or with
//! other items: sums of hashes of item ids, added up in any order, tell that one item is absent here and another there.
//! Flips and design effects need single items and are absent. An item that occurs twice under every setting goes unnoticed.
//!
//! It holds 8 bytes, and per metric 32, for each setting, cluster, and combination of subgroups that occur together, and then about
//! 60 for each setting, cluster, and cell (all items, and each axis): 1 GiB goes to a million clusters under nine settings
//! for one metric with one axis. Half a gigabyte more are rows on their way.

use super::add::{ALL, Added, Measured, cell, covered, info, lead, pairs};
use super::columns::{Chunk, Role, Tables};
use super::names::{NONE, Names};
use super::sums::{GroupSums, PairedSums, Sums, lonely_strata};
use super::{About, MetricSpec, TableError, baseline};
use crate::findings::CoverageRow;
use crate::stats::cluster::{Design, PairedTotals, Totals};
use crate::stats::functional::Ratio;
use rayon::prelude::*;
use std::collections::HashMap;

/// What one metric comes to in one place: items with and without a value, numerators, denominators.
#[derive(Clone, Copy, Default)]
struct Sum {
    items: u64,
    lost: u64,
    sums: [f64; 2],
}

/// What is summed together: codes of setting and cluster, number of the combination of subgroups.
type Place = (u32, u32, u32);

/// Reads and adds up.
pub(super) fn read(tables: &Tables, metrics: &[MetricSpec], about: &About) -> Result<Added, TableError> {
    let mut names: Vec<Names> = tables.keys().iter().map(|_| Names::default()).collect();
    let mut reading = Reading::new(tables, metrics);
    tables.each(&mut names, &mut |names, chunk| reading.take(names, &chunk))?;
    let first = metrics.first().map(MetricSpec::id);
    let about = About { headline: about.headline.clone().or(first), ..about.clone() };
    Ordered::new(&reading, tables, &names, &about)?.add(metrics, &about)
}

struct Reading {
    /// Which key is the cluster, which the stratum, which are axes.
    cluster: usize,
    stratum: Option<usize>,
    axes: Vec<usize>,
    /// Columns of numerator and denominator.
    metrics: Vec<(usize, Option<usize>)>,
    /// Codes of subgroups, one per axis, that occur together.
    combinations: HashMap<Vec<u32>, u32>,
    places: HashMap<Place, usize>,
    /// Place by place, one per metric.
    sums: Vec<Sum>,
    /// Place by place: the sum of the hashes of item ids, modulo 2⁶⁴.
    digests: Vec<u64>,
    strata: HashMap<u32, u32>,
    /// Whether each metric's values are all 0 or 1.
    binary: Vec<bool>,
}

impl Reading {
    fn new(tables: &Tables, metrics: &[MetricSpec]) -> Self {
        let at = |role| tables.keys().iter().position(|k| k.role == role);
        let place = |name: &String| tables.values.iter().position(|c| c == name).unwrap_or(0);
        let metrics = metrics.iter().map(|spec| match spec {
            MetricSpec::Mean(column) => (place(column), None),
            MetricSpec::Ratio { numerator, denominator } => (place(numerator), Some(place(denominator))),
        });
        let metrics: Vec<_> = metrics.collect();
        let axes = (0..tables.keys().len()).filter(|k| tables.keys()[*k].role == Role::Axis).collect();
        let binary = metrics.iter().map(|(_, denominator)| denominator.is_none()).collect();
        let (cluster, stratum) = (at(Role::Cluster).unwrap_or(0), at(Role::Stratum));
        Self {
            cluster,
            stratum,
            axes,
            metrics,
            combinations: HashMap::new(),
            places: HashMap::new(),
            sums: Vec::new(),
            digests: Vec::new(),
            strata: HashMap::new(),
            binary,
        }
    }

    fn take(&mut self, names: &[Names], chunk: &Chunk) -> Result<(), TableError> {
        let (settings, clusters) = (&chunk.keys[1], &chunk.keys[self.cluster]);
        let mut last: Option<usize> = None;
        for row in 0..settings.len() {
            // Neighbouring rows are mostly of one place.
            let same = last.filter(|_| {
                settings[row] == settings[row - 1]
                    && clusters[row] == clusters[row - 1]
                    && self.axes.iter().chain(&self.stratum).all(|a| chunk.keys[*a][row] == chunk.keys[*a][row - 1])
            });
            let at = match same {
                Some(at) => at,
                None => self.place(names, chunk, row)?,
            };
            last = Some(at);
            self.digests[at] = self.digests[at].wrapping_add(chunk.items[row]);
            let metrics = self.metrics.len();
            for (k, sum) in self.sums[at * metrics..(at + 1) * metrics].iter_mut().enumerate() {
                let (numerator, denominator) = self.metrics[k];
                let (a, b) = (chunk.values[numerator][row], denominator.map_or(1.0, |d| chunk.values[d][row]));
                if a.is_nan() || b.is_nan() {
                    sum.lost += 1;
                } else {
                    sum.items += 1;
                    sum.sums[0] += a;
                    sum.sums[1] += b;
                    self.binary[k] &= a == 0.0 || a == 1.0;
                }
            }
        }
        Ok(())
    }

    /// The place of a row, a new one where there is none.
    fn place(&mut self, names: &[Names], chunk: &Chunk, row: usize) -> Result<usize, TableError> {
        let cluster = chunk.keys[self.cluster][row];
        if let Some(key) = self.stratum {
            let second = chunk.keys[key][row];
            let first = *self.strata.entry(cluster).or_insert(second);
            if first != second {
                let [first, second] = [first, second].map(|s| names[key].get(s));
                return Err(TableError::TwoStrata { cluster: names[self.cluster].get(cluster), first, second });
            }
        }
        let subgroups: Vec<u32> = self.axes.iter().map(|a| chunk.keys[*a][row]).collect();
        let next = self.combinations.len() as u32;
        let combination = *self.combinations.entry(subgroups).or_insert(next);
        let next = self.places.len();
        let at = *self.places.entry((chunk.keys[1][row], cluster, combination)).or_insert(next);
        if at == next {
            self.sums.resize((at + 1) * self.metrics.len(), Sum::default());
            self.digests.push(0);
        }
        Ok(at)
    }
}

/// A cell, and which combinations of subgroups lie in it.
struct Member {
    axis: String,
    subgroup: String,
    combinations: Vec<bool>,
}

/// Places in an order in which they can be added: by setting, cluster, and combination.
struct Ordered<'a> {
    reading: &'a Reading,
    /// The baseline first.
    settings: Vec<String>,
    /// Names of clusters with a value, increasing.
    clusters: Vec<String>,
    design: Design,
    /// Strata of a single cluster, which were taken together with others.
    collapsed: usize,
    /// All items first.
    cells: Vec<Member>,
    /// For each setting index of cluster, combination, and index among the places that were read.
    places: Vec<Vec<(u32, u32, usize)>>,
}

impl<'a> Ordered<'a> {
    fn new(reading: &'a Reading, tables: &Tables, names: &[Names], about: &About) -> Result<Self, TableError> {
        let known = names[1].all();
        if known.is_empty() {
            return Err(TableError::Empty("the table has no rows"));
        }
        let base = baseline(about.baseline.as_deref(), known.iter().map(String::as_str))?;
        let mut order: Vec<usize> = (0..known.len()).collect();
        order.sort_by_key(|s| (known[*s] != base, known[*s].clone()));
        let mut setting_of = vec![0; known.len()];
        for (index, code) in order.iter().enumerate() {
            setting_of[*code] = index;
        }
        let (clusters, cluster_of) = reading.clusters(&names[reading.cluster]);
        let mut places = vec![Vec::new(); known.len()];
        #[expect(clippy::iter_over_hash_type, reason = "sorted below")]
        for ((setting, cluster, combination), at) in &reading.places {
            // A cluster without any value counts nowhere, but what it lost does.
            places[setting_of[*setting as usize]].push((cluster_of[*cluster as usize], *combination, *at));
        }
        places.par_iter_mut().for_each(|places| places.sort_unstable());
        let (design, collapsed) = reading.design(names, &clusters, &cluster_of);
        Ok(Self {
            reading,
            settings: order.into_iter().map(|code| known[code].clone()).collect(),
            design,
            collapsed,
            clusters,
            cells: reading.cells(tables, names),
            places,
        })
    }

    /// Adds up every metric in every cell.
    fn add(&self, metrics: &[MetricSpec], about: &About) -> Result<Added, TableError> {
        let measured: Vec<Measured> =
            metrics.iter().zip(&self.reading.binary).map(|(m, b)| Measured { id: m.id(), binary: *b }).collect();
        let lead = lead(measured.iter().map(|m| m.id.as_str()), about)?;
        let mut order: Vec<usize> = (0..measured.len()).collect();
        order.sort_by_key(|m| (measured[*m].id != lead.headline, &measured[*m].id));
        let wanted: Vec<_> = order.iter().flat_map(|m| self.cells.iter().map(move |cell| (*m, cell))).collect();
        let groups: Result<Vec<_>, TableError> =
            wanted.par_iter().map(|(m, cell)| self.group(&measured[*m], *m, cell, about)).collect();
        let groups = groups?;
        let mut coverage = Vec::new();
        for s in 0..self.settings.len() {
            for ((_, own), cell) in groups.iter().zip(&self.cells) {
                let Counted { answered, lost, .. } = own[s];
                let setting = &self.settings[s];
                coverage.push(covered(&about.name, setting, &cell.axis, &cell.subgroup, answered, answered + lost));
            }
        }
        let items = coverage.first().map(|c: &CoverageRow| c.items);
        let sums = Sums {
            benchmark: about.name.clone(),
            model: about.name.clone(),
            design: self.design.clone(),
            settings: self.settings.clone(),
            pairs: pairs(&self.settings),
            lead,
            groups: groups.into_iter().map(|(group, _)| group).collect(),
            coverage,
        };
        let metrics = order.iter().map(|m| info(&measured[*m], about)).collect();
        let caveats = lonely_strata(&about.name, self.collapsed).into_iter().collect();
        Ok(Added { sums, metrics, items, clusters: self.clusters.len() as u64, caveats })
    }

    /// One metric in one cell, every setting paired with the baseline, cluster by cluster.
    fn group(
        &self,
        metric: &Measured,
        m: usize,
        member: &Member,
        about: &About,
    ) -> Result<(GroupSums, Vec<Counted>), TableError> {
        let failed =
            |source| TableError::Totals { metric: metric.id.clone(), subgroup: member.subgroup.clone(), source };
        let mut settings = Vec::new();
        let mut counted = Vec::new();
        for (s, places) in self.places.iter().enumerate() {
            let (totals, count) = self.single(m, member, places);
            if let Some(cluster) = count.gap {
                return Err(TableError::Gap {
                    cluster: self.clusters[cluster as usize].clone(),
                    metric: metric.id.clone(),
                    setting: self.settings[s].clone(),
                });
            }
            settings.push(totals);
            counted.push(count);
        }
        let mut paired = Vec::new();
        for (s, (rows, count)) in settings.iter().zip(&counted).enumerate().skip(1) {
            self.check(&settings[0], rows, (metric, member), s)?;
            let (clusters, items) = (rows.clusters.clone(), rows.items.clone());
            let totals = PairedTotals::new(2, clusters, &settings[0].rows, &rows.rows, items).map_err(failed)?;
            paired.push(PairedSums { totals, moments: None, lost: count.lost, unsettled: 0.0, flips: None });
        }
        let settings: Result<Vec<_>, _> =
            settings.into_iter().map(|rows| Totals::new(2, rows.clusters, rows.rows, rows.items)).collect();
        let group = GroupSums {
            cell: cell(&about.name, &metric.id, &member.axis, &member.subgroup),
            functional: &Ratio,
            range: metric.binary.then_some(1.0),
            share: metric.binary,
            settings: settings.map_err(failed)?,
            pairs: paired,
        };
        Ok((group, counted))
    }

    /// One metric in one cell under one setting.
    fn single(&self, m: usize, member: &Member, places: &[(u32, u32, usize)]) -> (Rows, Counted) {
        let mut out = Rows::default();
        let mut counted = Counted::default();
        let own = places.iter().filter(|(_, combination, _)| member.combinations[*combination as usize]);
        for (cluster, _, at) in own {
            let sum = &self.reading.sums[at * self.reading.metrics.len() + m];
            counted.lost += sum.lost;
            if sum.lost > 0 && *cluster != NONE {
                counted.gap.get_or_insert(*cluster);
            }
            if sum.items == 0 {
                continue;
            }
            counted.answered += sum.items;
            if out.clusters.last() != Some(cluster) {
                out.clusters.push(*cluster);
                out.items.push(0);
                out.digests.push(0);
                out.rows.extend([0.0; 2]);
            }
            let i = out.items.len() - 1;
            out.items[i] += sum.items as u32;
            out.digests[i] = out.digests[i].wrapping_add(self.reading.digests[*at]);
            out.rows[2 * i] += sum.sums[0];
            out.rows[2 * i + 1] += sum.sums[1];
        }
        (out, counted)
    }

    /// Refuses a setting whose clusters do not have as many values as under the baseline, or of other items.
    fn check(
        &self,
        base: &Rows,
        rows: &Rows,
        (metric, member): (&Measured, &Member),
        setting: usize,
    ) -> Result<(), TableError> {
        let of =
            |rows: &Rows, cluster: u32| rows.clusters.binary_search(&cluster).map_or(0, |i| u64::from(rows.items[i]));
        let unequal = |cluster: &&u32| of(base, **cluster) != of(rows, **cluster);
        if base.clusters == rows.clusters && base.items == rows.items {
            let mut digests = base.digests.iter().zip(&rows.digests).zip(&base.clusters);
            let Some((_, cluster)) = digests.find(|((base, own), _)| base != own) else { return Ok(()) };
            return Err(TableError::OtherItems {
                cluster: self.clusters[*cluster as usize].clone(),
                baseline: self.settings[0].clone(),
                setting: self.settings[setting].clone(),
                among: if member.axis == ALL {
                    String::new()
                } else {
                    format!(" of {} {:?}", member.axis, member.subgroup)
                },
            });
        }
        let Some(cluster) = base.clusters.iter().chain(&rows.clusters).find(unequal) else { return Ok(()) };
        Err(TableError::Incomplete {
            cluster: self.clusters[*cluster as usize].clone(),
            metric: metric.id.clone(),
            baseline: self.settings[0].clone(),
            first: of(base, *cluster),
            setting: self.settings[setting].clone(),
            second: of(rows, *cluster),
        })
    }
}

/// Sums by cluster.
#[derive(Default)]
struct Rows {
    clusters: Vec<u32>,
    rows: Vec<f64>,
    items: Vec<u32>,
    digests: Vec<u64>,
}

/// Items with and without a value.
#[derive(Clone, Copy, Default)]
struct Counted {
    answered: u64,
    lost: u64,
    /// A cluster with values in which an item has none.
    gap: Option<u32>,
}

impl Reading {
    /// Names of clusters with a value of any metric, increasing, and the index of each code ([`NONE`] without one).
    fn clusters(&self, names: &Names) -> (Vec<String>, Vec<u32>) {
        let mut used = vec![false; names.len()];
        #[expect(clippy::iter_over_hash_type, reason = "each sets a flag")]
        for ((_, cluster, _), at) in &self.places {
            let metrics = self.metrics.len();
            used[*cluster as usize] |= self.sums[at * metrics..(at + 1) * metrics].iter().any(|s| s.items > 0);
        }
        let mut named: Vec<(String, usize)> =
            names.all().into_iter().zip(0..).filter(|(_, code)| used[*code]).collect();
        named.sort();
        let mut of = vec![NONE; names.len()];
        for (index, (_, code)) in named.iter().enumerate() {
            of[*code] = index as u32;
        }
        (named.into_iter().map(|(name, _)| name).collect(), of)
    }

    /// The design, and how many strata of a single cluster were taken together with others.
    fn design(&self, names: &[Names], clusters: &[String], cluster_of: &[u32]) -> (Design, usize) {
        let Some(key) = self.stratum else { return (Design::simple(clusters.len()), 0) };
        let ranks = names[key].ranks();
        let mut stratum = vec![0; clusters.len()];
        #[expect(clippy::iter_over_hash_type, reason = "each cluster has one stratum")]
        for (cluster, code) in &self.strata {
            if let Some(of) = stratum.get_mut(cluster_of[*cluster as usize] as usize) {
                *of = ranks[*code as usize];
            }
        }
        Design::collapsing(&stratum)
    }

    /// All cells: all items, then by axis and subgroup.
    fn cells(&self, tables: &Tables, names: &[Names]) -> Vec<Member> {
        let mut combinations: Vec<(&Vec<u32>, &u32)> = self.combinations.iter().collect();
        combinations.sort_by_key(|(_, number)| **number);
        let all = vec![true; combinations.len()];
        let mut cells = Vec::new();
        for (i, axis) in self.axes.iter().enumerate() {
            for code in 0..names[*axis].len() as u32 {
                let own = combinations.iter().map(|(codes, _)| codes[i] == code).collect();
                let (axis_name, subgroup) = (tables.keys()[*axis].column.clone(), names[*axis].get(code));
                cells.push(Member { axis: axis_name, subgroup, combinations: own });
            }
        }
        cells.sort_by(|a, b| (&a.axis, &a.subgroup).cmp(&(&b.axis, &b.subgroup)));
        cells.insert(0, Member { axis: ALL.to_owned(), subgroup: ALL.to_owned(), combinations: all });
        cells
    }
}
