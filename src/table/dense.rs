//! A long table in memory: one value per item, setting, and column, so that items are paired exactly.

use super::add::{Added, Axis, Source, add};
use super::columns::{Chunk, EVERY_ROW, Role, Tables};
use super::names::{NONE, Names};
use super::{About, MetricSpec, TableError, baseline};
use rayon::prelude::*;

/// Everything that was read, by item.
pub(super) struct Dense {
    /// Codes of each column of names that is a property of items, by item; [`NONE`] where it is absent.
    properties: Vec<Vec<u32>>,
    /// Column × setting × item, NaN where there is none.
    values: Vec<Vec<Vec<f64>>>,
    /// Setting × item: whether there was a row.
    seen: Vec<Vec<bool>>,
}

/// Reads and adds up.
pub(super) fn read(tables: &Tables, metrics: &[MetricSpec], about: &About) -> Result<Added, TableError> {
    let mut names: Vec<Names> = tables.keys().iter().map(|_| Names::default()).collect();
    let columns = tables.values.len();
    let properties = vec![Vec::new(); tables.keys().len() - 2];
    let mut dense = Dense { properties, values: vec![Vec::new(); columns], seen: Vec::new() };
    tables.each(&mut names, &mut |names, chunk| dense.take(tables, names, &chunk))?;
    let (items, settings) = (names[0].len(), names[1].all());
    if items == 0 {
        return Err(TableError::Empty("the table has no rows"));
    }
    for column in &mut dense.values {
        for setting in column.iter_mut() {
            setting.resize(items, f64::NAN);
        }
    }
    for properties in &mut dense.properties {
        properties.resize(items, NONE);
    }
    let base = baseline(about.baseline.as_deref(), settings.iter().map(String::as_str))?;
    // The baseline first, then by name: the order of rows changes nothing.
    let mut order: Vec<usize> = (0..settings.len()).collect();
    order.sort_by_key(|s| (settings[*s] != base, settings[*s].clone()));
    let source = source(tables, &names, &dense, &order, &settings, columns)?;
    add(&source, metrics, &tables.values, about)
}

fn source<'a>(
    tables: &Tables,
    names: &[Names],
    dense: &'a Dense,
    order: &[usize],
    settings: &[String],
    columns: usize,
) -> Result<Source<'a>, TableError> {
    let mut axes = Vec::new();
    let (mut cluster, mut strata) = ((Vec::new(), Vec::new()), None);
    for ((key, names), codes) in tables.keys().iter().zip(names).skip(2).zip(&dense.properties) {
        let ranks = names.ranks();
        let ranked = || codes.iter().map(|c| ranks.get(*c as usize).copied().unwrap_or(NONE)).collect::<Vec<u32>>();
        let sorted = || {
            let mut all = names.all();
            all.sort();
            all
        };
        match key.role {
            Role::Cluster => cluster = (ranked(), sorted()),
            Role::Stratum => strata = Some((ranked(), sorted())),
            _ => axes.push(Axis { name: key.column.clone(), subgroups: sorted(), of_item: ranked() }),
        }
    }
    axes.sort_by(|a, b| a.name.cmp(&b.name));
    let values = order.iter().map(|s| (0..columns).map(|c| &dense.values[c][*s][..]).collect()).collect();
    let settings = order.iter().map(|s| settings[*s].clone()).collect();
    let (cluster, clusters) = cluster;
    let stratum = strata.map(|strata| of_clusters((&cluster, &clusters), strata)).transpose()?;
    let ids = tables.keys()[0].column != EVERY_ROW;
    Ok(Source { ids, clusters: clusters.len(), cluster, stratum, axes, settings, values })
}

/// The stratum of each cluster, from those of its items.
fn of_clusters(
    (cluster, clusters): (&[u32], &[String]),
    (of_item, strata): (Vec<u32>, Vec<String>),
) -> Result<Vec<u32>, TableError> {
    let mut found = vec![NONE; clusters.len()];
    for (cluster, stratum) in cluster.iter().zip(of_item) {
        let known = &mut found[*cluster as usize];
        if *known != NONE && *known != stratum {
            let [first, second] = [*known, stratum].map(|s| strata[s as usize].clone());
            return Err(TableError::TwoStrata { cluster: clusters[*cluster as usize].clone(), first, second });
        }
        *known = stratum;
    }
    Ok(found)
}

impl Dense {
    /// Columns are taken side by side.
    fn take(&mut self, tables: &Tables, names: &[Names], chunk: &Chunk) -> Result<(), TableError> {
        let Self { properties, values, seen } = self;
        let (noted, described) = rayon::join(
            || note(seen, names, chunk),
            || {
                let keys = properties.par_iter_mut().zip(&chunk.keys[2..]).enumerate();
                let values = values.par_iter_mut().zip(&chunk.values);
                rayon::join(
                    || keys.map(|(at, (known, codes))| describe(tables, names, chunk, at, known, codes)).collect(),
                    || values.for_each(|(known, values)| place(known, names, chunk, values)),
                )
                .0
            },
        );
        noted.and::<()>(described)
    }
}

/// Notes which rows there were.
fn note(seen: &mut Vec<Vec<bool>>, names: &[Names], chunk: &Chunk) -> Result<(), TableError> {
    seen.resize_with(names[1].len(), Vec::new);
    for seen in seen.iter_mut() {
        seen.resize(names[0].len(), false);
    }
    for (item, setting) in chunk.keys[0].iter().zip(&chunk.keys[1]) {
        let seen = &mut seen[*setting as usize][*item as usize];
        if *seen {
            return Err(TableError::Duplicate { item: names[0].get(*item), setting: names[1].get(*setting) });
        }
        *seen = true;
    }
    Ok(())
}

/// Puts one column's values where they belong.
fn place(known: &mut Vec<Vec<f64>>, names: &[Names], chunk: &Chunk, values: &[f64]) {
    known.resize_with(names[1].len(), Vec::new);
    for setting in known.iter_mut() {
        setting.resize(names[0].len(), f64::NAN);
    }
    for ((item, setting), value) in chunk.keys[0].iter().zip(&chunk.keys[1]).zip(values) {
        known[*setting as usize][*item as usize] = *value;
    }
}

/// Holds one property of the items: a new item is known by its first row, and the rows after it have to agree.
fn describe(
    tables: &Tables,
    names: &[Names],
    chunk: &Chunk,
    at: usize,
    known: &mut Vec<u32>,
    codes: &[u32],
) -> Result<(), TableError> {
    let before = known.len();
    known.resize(names[0].len(), NONE);
    let mut fresh = vec![true; known.len() - before];
    for (item, code) in chunk.keys[0].iter().zip(codes) {
        let item = *item as usize;
        if known[item] == *code && item < before {
            continue;
        }
        if item >= before && fresh[item - before] {
            fresh[item - before] = false;
            known[item] = *code;
        } else if known[item] != *code {
            return Err(TableError::Moved {
                item: names[0].get(item as u32),
                column: tables.keys()[at + 2].column.clone(),
                first: names[at + 2].get(known[item]),
                second: names[at + 2].get(*code),
            });
        }
    }
    Ok(())
}
