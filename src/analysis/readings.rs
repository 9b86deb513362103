//! Every record of a benchmark under a setting, read once.

use crate::benchmark::BenchmarkData;
use crate::metric::{Reading, read, read_strictly};
use crate::records::{Record, Run};
use crate::scorer::Scores;
use crate::spec::Parser;
use crate::table::sums::Pair;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Readings by setting id, each in the order of the benchmark's items. Refused settings are absent.
pub(super) type Readings = BTreeMap<String, Vec<Reading>>;

/// By setting id, which items were never put to it. Only settings that share no item with any they are held against.
pub(super) type Absent = BTreeMap<String, Vec<bool>>;

/// Finds settings whose logs share no item with any that they are held against: what such a setting lacks was never
/// asked, and is no failure. Where some items are shared, what one setting lacks is lost from the pair.
pub(super) fn absent(run: &Run, data: &BenchmarkData, pairs: &[Pair]) -> Absent {
    let lacks = |id: &String| -> Option<Vec<bool>> {
        let records = run.records(&data.name, id)?;
        let lacks: Vec<bool> = records.iter().map(Record::is_absent).collect();
        (lacks.contains(&true) && lacks.contains(&false)).then_some(lacks)
    };
    let ids: BTreeSet<&String> = pairs.iter().flat_map(|p| [&p.setting, &p.against]).collect();
    let all: Absent = ids.into_iter().filter_map(|id| Some((id.clone(), lacks(id)?))).collect();
    let apart = |p: &Pair| {
        let both = all.get(&p.setting).zip(all.get(&p.against));
        both.is_some_and(|(a, b)| a.iter().zip(b).all(|(a, b)| *a || *b))
    };
    let own = |id: &String| pairs.iter().filter(|p| p.setting == *id || p.against == *id).all(apart);
    all.iter().filter(|(id, _)| own(id)).map(|(id, lacks)| (id.clone(), lacks.clone())).collect()
}

/// Reads all records of a benchmark under the given settings; `scores` are those of its continuations, `parser` says how
/// options are read from text.
pub(super) fn readings<'a>(
    run: &Run,
    data: &BenchmarkData,
    settings: impl Iterator<Item = &'a str>,
    scores: &Scores,
    parser: Parser,
) -> Readings {
    let read = |item, record, score| match parser {
        Parser::Lenient => read(item, record, score),
        Parser::Strict => read_strictly(item, record).unwrap_or_else(|| read(item, record, score)),
    };
    settings
        .filter_map(|setting| {
            let records = run.records(&data.name, setting)?;
            let scores = scores.of(&data.name, setting);
            let score = |i: usize| scores.get(i).copied().flatten();
            let rows = data.items.par_iter().zip(records).enumerate();
            let read: Vec<Reading> = rows.map(|(i, (item, record))| read(item, record, score(i))).collect();
            Some((setting.to_owned(), read))
        })
        .collect()
}
