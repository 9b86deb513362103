//! Files of totals: what a database has added up already, read and merged exactly.
//!
//! One row per metric, subgroup, cluster, and setting (`against` empty: all items with a value), and one per such cell
//! and setting against the baseline (`against` names it: items with a value under both). Columns, in any order:
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `metric` | text | metric id |
//! | `axis`, `subgroup` | text | `all`, `all` for all items |
//! | `cluster` | text | the unit of resampling |
//! | `stratum` | text, optional | stratum of the cluster: in one row of it at least, where any cluster has one |
//! | `setting` | text | what answered |
//! | `against` | text or empty | the baseline, in paired rows |
//! | `items` | integer | items with a value (under both settings, in paired rows) |
//! | `lost` | integer | items without |
//! | `unsettled` | integer | items with an answer under one of the two only (0 in unpaired rows) |
//! | `s0`, `s1` | number | sums of numerators and denominators under `setting` |
//! | `b0`, `b1` | number or empty | the same under `against`, in paired rows |
//! | `b0b0` … `s1s1` | number or empty | sums over items of the ten products of (b0, b1, s0, s1), in paired rows |
//! | `n00`, `n01`, `n10`, `n11` | integer or empty | items by value under `against` and `setting`, of binary metrics |
//!
//! Rows of one cell add up, within a file and over files: parts of the data can be reduced apart. Integers are exact;
//! other sums differ from those of single items by rounding only.
//!
//! Items that have a row under one of two settings and none under the other are in no paired row. They show all the same:
//! a setting's own rows then count more items than its paired ones. So `lost` and what is unsettled are worked out from all
//! of these counts, and a caveat says which settings lack items. Without any paired row settings are compared as two
//! samples.
//!
//! Trusts the sums: what was not counted cannot be checked here, except that both sides are there and that no cluster has
//! more pairs than items. Above all, paired rows must be made item by item, of the items with a value under both (as
//! `templates/totals.sql` does), not of a setting's sums.

use super::add::{ALL, Added, Measured, cell, covered, info, lead, paired, pairs};
use super::columns::{self, Place};
use super::sums::{GroupSums, PairedSums, Sums, Tabled, lonely_strata};
use super::{About, TableError, baseline, described, hash};
use crate::findings::{Caveat, Flips};
use crate::stats::cluster::{Design, Totals, TotalsError};
use crate::stats::functional::Ratio;
use crate::stats::jackknife::ItemMoments;
use polars::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Products of (b0, b1, s0, s1), the upper triangle by rows.
const PRODUCTS: [&str; 10] = ["b0b0", "b0b1", "b0s0", "b0s1", "b1b1", "b1s0", "b1s1", "s0s0", "s0s1", "s1s1"];
const NAMES: [&str; 6] = ["metric", "axis", "subgroup", "cluster", "setting", "against"];
const COUNTS: [&str; 7] = ["items", "lost", "unsettled", "n00", "n01", "n10", "n11"];
const SUMS: [&str; 4] = ["b0", "b1", "s0", "s1"];

/// Totals of one cell.
#[derive(Default)]
struct CellTotals {
    /// By setting.
    single: BTreeMap<String, Side>,
    /// By setting, against the baseline.
    paired: BTreeMap<String, Side>,
}

/// Totals of one cell under one setting.
#[derive(Default)]
struct Side {
    /// Items, and sums: two of the setting, or four of baseline and setting.
    clusters: BTreeMap<String, (u64, [f64; 4])>,
    lost: u64,
    unsettled: u64,
    products: Option<[f64; 10]>,
    flips: Option<[u64; 4]>,
}

/// Everything that was read.
#[derive(Default)]
struct Merged {
    strata: BTreeMap<String, String>,
    /// By metric, axis, and subgroup.
    cells: BTreeMap<(String, String, String), CellTotals>,
    against: Option<String>,
}

/// Reads and merges files of totals.
///
/// # Errors
/// [`TableError`].
pub fn read(files: &[PathBuf], about: &About) -> Result<Tabled, TableError> {
    let mut merged = Merged::default();
    let mut hashes: Vec<(String, String)> = Vec::new();
    for path in files {
        merged.read(path)?;
        let (name, sha256) = hash(path)?;
        if let Some(at) = hashes.iter().position(|(_, known)| *known == sha256) {
            return Err(TableError::Twice { first: files[at].clone(), second: path.clone() });
        }
        hashes.push((name, sha256));
    }
    let asked = about.baseline.clone().or_else(|| merged.against.clone());
    let settings = merged.settings(asked.as_deref())?;
    let added = merged.add(&settings, about)?;
    Ok(described::describe(added, about, None, hashes, false))
}

impl Merged {
    fn read(&mut self, path: &Path) -> Result<(), TableError> {
        let (known, _) = columns::header(path)?;
        let all = NAMES.iter().chain(&COUNTS).chain(&SUMS).chain(&PRODUCTS);
        let mut wanted: Vec<String> = all.map(|c| (*c).to_owned()).collect();
        if let Some(column) = wanted.iter().find(|c| !known.contains(c)) {
            let (path, column) = (path.to_owned(), column.clone());
            return Err(TableError::NoColumn { path, column, known: known.join(", ") });
        }
        let stratum = known.iter().any(|c| c == "stratum");
        wanted.extend(stratum.then(|| "stratum".to_owned()));
        let is_name = |column: &str| column == "stratum" || NAMES.contains(&column);
        let mut row = 0;
        columns::stretches(path, &wanted, &is_name, &mut |frame| {
            self.take(&Place { path, row }, &frame, stratum)?;
            row += frame.height() as u64;
            Ok(())
        })
    }

    fn take(&mut self, place: &Place<'_>, frame: &DataFrame, stratum: bool) -> Result<(), TableError> {
        let names = |column: &str| place.names(frame, column);
        let numbers = |column: &&str| columns::numbers(place, frame, column);
        let [metric, axis, subgroup, cluster, setting, against] = NAMES.map(names);
        let (metric, axis, subgroup) = (metric?, axis?, subgroup?);
        let (cluster, setting, against) = (cluster?, setting?, against?);
        let strata = if stratum { Some(names("stratum")?) } else { None };
        let counts: Vec<Vec<f64>> = COUNTS.iter().map(numbers).collect::<Result<_, _>>()?;
        let sums: Vec<Vec<f64>> = SUMS.iter().map(numbers).collect::<Result<_, _>>()?;
        let products: Vec<Vec<f64>> = PRODUCTS.iter().map(numbers).collect::<Result<_, _>>()?;
        for row in 0..frame.height() {
            let name = |column: &[Option<String>], which: &str| {
                column[row].clone().ok_or_else(|| place.value(row, which, "a name is missing"))
            };
            let key = (name(&metric, "metric")?, name(&axis, "axis")?, name(&subgroup, "subgroup")?);
            let (cluster, setting) = (name(&cluster, "cluster")?, name(&setting, "setting")?);
            let is_paired = against[row].is_some();
            for (column, values) in SUMS.iter().zip(&sums) {
                let needed = is_paired || column.starts_with('s');
                if needed && values[row].is_nan() && counts[0][row] > 0.0 {
                    return Err(place.value(row, column, "a sum is missing"));
                }
            }
            for (column, values) in COUNTS.iter().zip(&counts) {
                let optional = column.starts_with('n');
                let count = values[row];
                if !(optional && count.is_nan() || count >= 0.0 && count.fract() == 0.0) {
                    return Err(place.value(row, column, "a count is no whole number"));
                }
            }
            if let Some(second) = strata.as_ref().and_then(|s| s[row].clone()) {
                match self.strata.get(&cluster) {
                    Some(first) if *first == second => {}
                    Some(first) => return Err(TableError::TwoStrata { cluster, first: first.clone(), second }),
                    None => drop(self.strata.insert(cluster.clone(), second)),
                }
            }
            if let Some(against) = &against[row] {
                self.against.get_or_insert_with(|| against.clone());
            }
            let cell = self.cells.entry(key).or_default();
            let side = if is_paired { &mut cell.paired } else { &mut cell.single }.entry(setting).or_default();
            side.lost += counts[1][row] as u64;
            side.unsettled += counts[2][row] as u64;
            if counts[0][row] > 0.0 {
                let entry = side.clusters.entry(cluster).or_default();
                entry.0 += counts[0][row] as u64;
                for (total, values) in entry.1.iter_mut().zip(&sums) {
                    *total += if values[row].is_nan() { 0.0 } else { values[row] };
                }
            }
            if is_paired && counts[0][row] > 0.0 && products.iter().all(|p| !p[row].is_nan()) {
                let all = side.products.get_or_insert([0.0; 10]);
                for (total, values) in all.iter_mut().zip(&products) {
                    *total += values[row];
                }
            }
            if counts[3..].iter().all(|n| !n[row].is_nan()) {
                let flips = side.flips.get_or_insert([0; 4]);
                for (total, values) in flips.iter_mut().zip(&counts[3..]) {
                    *total += values[row] as u64;
                }
            }
        }
        Ok(())
    }

    /// All settings, the baseline first.
    fn settings(&self, asked: Option<&str>) -> Result<Vec<String>, TableError> {
        let mut settings: Vec<String> = self.cells.values().flat_map(|c| c.single.keys().cloned()).collect();
        settings.sort();
        settings.dedup();
        if settings.is_empty() {
            return Err(TableError::Empty("there are no totals of single settings (rows whose `against` is empty)"));
        }
        let base = baseline(asked, settings.iter().map(String::as_str))?;
        settings.sort_by_key(|s| (*s != base, s.clone()));
        Ok(settings)
    }

    /// The sums of everything.
    fn add(&self, settings: &[String], about: &About) -> Result<Added, TableError> {
        let clusters: BTreeMap<&str, u32> = {
            let mut names: Vec<&str> = self.cells.values().flat_map(CellTotals::clusters).collect();
            names.sort_unstable();
            names.dedup();
            names.into_iter().zip(0..).collect()
        };
        let mut ids: Vec<&str> = self.cells.keys().map(|(metric, ..)| metric.as_str()).collect();
        ids.dedup();
        let lead = lead(ids.iter().copied(), about)?;
        ids.sort_by_key(|id| (*id != lead.headline, *id));
        let (mut groups, mut metrics, mut coverage) = (Vec::new(), Vec::new(), Vec::new());
        for id in ids {
            let mut own: Vec<_> = self.cells.iter().filter(|((metric, ..), _)| metric == id).collect();
            own.sort_by_key(|((_, axis, subgroup), _)| (axis != ALL, axis.clone(), subgroup.clone()));
            let binary = own.iter().any(|(_, cell)| cell.paired.values().any(|side| side.flips.is_some()));
            let metric = Measured { id: id.to_owned(), binary };
            for ((_, axis, subgroup), totals) in &own {
                let failed = |source| TableError::Totals { metric: id.to_owned(), subgroup: subgroup.clone(), source };
                totals.check(settings, id, subgroup)?;
                let (singles, paired) = totals.sums(settings, &clusters).map_err(failed)?;
                groups.push(GroupSums {
                    cell: cell(&about.name, id, axis, subgroup),
                    functional: &Ratio,
                    range: binary.then_some(1.0),
                    share: binary,
                    settings: singles,
                    pairs: paired,
                });
            }
            if id == lead.headline {
                for setting in settings {
                    coverage.extend(own.iter().map(|((_, axis, subgroup), totals)| {
                        let side = totals.single.get(setting);
                        let answered = side.map_or(0, |s| s.clusters.values().map(|c| c.0).sum());
                        let lost = side.map_or(0, |s| s.lost);
                        covered(&about.name, setting, axis, subgroup, answered, answered + lost)
                    }));
                }
            }
            metrics.push(info(&metric, about));
        }
        // Without paired rows nothing tells which items are the same.
        let paired = self.cells.values().any(|cell| !cell.paired.is_empty());
        let items = coverage.first().map(|c: &crate::findings::CoverageRow| c.items).filter(|_| paired);
        let (design, collapsed) = self.design(&clusters)?;
        let sums = Sums {
            benchmark: about.name.clone(),
            model: about.name.clone(),
            design,
            settings: settings.to_vec(),
            pairs: pairs(settings),
            lead,
            groups,
            coverage,
        };
        let mut caveats = self.absent(settings, about);
        caveats.extend(lonely_strata(&about.name, collapsed));
        Ok(Added { sums, metrics, items, clusters: clusters.len() as u64, caveats })
    }

    /// Says which settings lack items that the baseline has, or have others, in the cells over all items.
    fn absent(&self, settings: &[String], about: &About) -> Vec<Caveat> {
        let empty = Side::default();
        let mut lacking: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for cell in self.cells.iter().filter(|((_, axis, _), _)| axis == ALL).map(|(_, cell)| cell) {
            let all = |setting| cell.single.get(setting).unwrap_or(&empty).counts().1;
            for (setting, pairs) in &cell.paired {
                let (_, rows) = pairs.counts();
                let here = (all(&settings[0]).saturating_sub(rows), all(setting).saturating_sub(rows));
                let known = lacking.entry(setting).or_default();
                *known = (known.0.max(here.0), known.1.max(here.1));
            }
        }
        let words: Vec<String> = lacking
            .iter()
            .filter(|(_, (without, beyond))| without + beyond > 0)
            .map(|(setting, (without, beyond))| {
                format!("{setting} has no row of {without} items of {}, and rows of {beyond} others", settings[0])
            })
            .collect();
        let text = format!("Rows are absent: {}. These items count as lost.", words.join("; "));
        let caveat = Caveat { about: "data".to_owned(), subject: Some(about.name.clone()), text };
        if words.is_empty() { Vec::new() } else { vec![caveat] }
    }

    /// The design, and how many strata of a single cluster were taken together with others.
    fn design(&self, clusters: &BTreeMap<&str, u32>) -> Result<(Design, usize), TableError> {
        if self.strata.is_empty() {
            return Ok((Design::simple(clusters.len()), 0));
        }
        let mut labels: Vec<&String> = self.strata.values().collect();
        labels.sort();
        labels.dedup();
        let label = |cluster: &&str| {
            let stratum = self.strata.get(*cluster).and_then(|s| labels.binary_search(&s).ok());
            stratum.map(|s| s as u32).ok_or_else(|| TableError::NoStratum { cluster: (*cluster).to_owned() })
        };
        let strata: Vec<u32> = clusters.keys().map(label).collect::<Result<_, _>>()?;
        Ok(Design::collapsing(&strata))
    }
}

impl CellTotals {
    /// Refuses clusters with more pairs than items.
    fn check(&self, settings: &[String], metric: &str, subgroup: &str) -> Result<(), TableError> {
        for (setting, pairs) in &self.paired {
            for single in [&settings[0], setting] {
                let own = |cluster| self.single.get(single).and_then(|s| s.clusters.get(cluster)).map_or(0, |c| c.0);
                if let Some((cluster, (paired, _))) = pairs.clusters.iter().find(|(c, (n, _))| own(*c) < *n) {
                    return Err(TableError::MorePairs {
                        cell: format!("metric {metric}, subgroup {subgroup}"),
                        cluster: cluster.clone(),
                        setting: setting.clone(),
                        paired: *paired,
                        single: single.clone(),
                        items: own(cluster),
                    });
                }
            }
        }
        Ok(())
    }

    fn clusters(&self) -> impl Iterator<Item = &str> {
        let sides = self.single.values().chain(self.paired.values());
        sides.flat_map(|side| side.clusters.keys().map(String::as_str))
    }

    fn sums(
        &self,
        settings: &[String],
        clusters: &BTreeMap<&str, u32>,
    ) -> Result<(Vec<Totals>, Vec<PairedSums>), TotalsError> {
        let empty = Side::default();
        let singles = settings.iter().map(|setting| {
            let (places, rows, items) = self.single.get(setting).unwrap_or(&empty).table(clusters);
            Totals::new(2, places, rows.chunks_exact(4).flat_map(|row| [row[2], row[3]]).collect(), items)
        });
        let pairs = settings.iter().skip(1).map(|setting| {
            let side = self.paired.get(setting).unwrap_or(&empty);
            let (places, rows, items) = side.table(clusters);
            let count = items.iter().map(|n| u64::from(*n)).sum();
            let flips = side.flips.filter(|f| *f != [0; 4]);
            let of = |setting| self.single.get(setting).unwrap_or(&empty);
            let (lost, unsettled) = side.left_out(of(&settings[0]), of(setting));
            Ok(PairedSums {
                totals: paired(places, &rows, items)?,
                moments: side.products.map(|products| ItemMoments::from_products(count, &square(&products))),
                lost,
                unsettled: unsettled as f64,
                flips: flips.map(|[n00, n01, n10, n11]| Flips { n00, n01, n10, n11 }),
            })
        });
        Ok((singles.collect::<Result<_, _>>()?, pairs.collect::<Result<_, TotalsError>>()?))
    }
}

impl Side {
    /// Items with a value, and all items.
    fn counts(&self) -> (u64, u64) {
        let values = self.clusters.values().map(|(items, _)| *items).sum();
        (values, values + self.lost)
    }

    /// Of paired rows: items under baseline or setting that are no pair with two values, and items with a value under one
    /// of the two only. Items without a row under one of the two are in these counts as well.
    fn left_out(&self, base: &Self, setting: &Self) -> (u64, u64) {
        let ((pairs, rows), (a, all_a), (b, all_b)) = (self.counts(), base.counts(), setting.counts());
        let either = (all_a + all_b).saturating_sub(rows);
        (either.saturating_sub(pairs), (a + b).saturating_sub(2 * pairs))
    }

    /// Clusters, rows of four, items.
    fn table(&self, clusters: &BTreeMap<&str, u32>) -> (Vec<u32>, Vec<f64>, Vec<u32>) {
        let places = self.clusters.keys().filter_map(|c| clusters.get(c.as_str()).copied()).collect();
        let rows = self.clusters.values().flat_map(|(_, row)| *row).collect();
        (places, rows, self.clusters.values().map(|(items, _)| *items as u32).collect())
    }
}

/// The symmetric matrix of an upper triangle of 4 × 4.
pub(super) fn square(products: &[f64; 10]) -> [f64; 16] {
    let mut all = [0.0; 16];
    let pairs = (0..4).flat_map(|i| (i..4).map(move |j| (i, j)));
    for ((i, j), product) in pairs.zip(products) {
        all[4 * i + j] = *product;
        all[4 * j + i] = *product;
    }
    all
}
