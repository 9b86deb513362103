//! Two runs become one in memory: the same items, each pair of settings a model with a baseline and a setting.

use super::CompareError;
use super::identity::Pair;
use crate::benchmark::{Ask, BenchmarkData, Item, ItemId};
use crate::findings::ComparedBenchmark;
use crate::fixity::sha256_hex;
use crate::records::digest::canonical_json;
use crate::records::run::Answers;
use crate::records::{BenchmarkIdentity, Identity, Manifest, ModelIdentity, Provenance, Record, Run, SettingIdentity};
use std::collections::{BTreeMap, BTreeSet};

/// The joined run, and how each benchmark could be compared.
pub(super) struct Joined {
    pub(super) run: Run,
    pub(super) benchmarks: Vec<ComparedBenchmark>,
}

/// Id of A's or B's setting of a pair.
pub(super) fn setting_id(pair: &Pair, second: bool) -> String {
    format!("{}:{}", pair.id, if second { "b" } else { "a" })
}

/// Joins two runs.
pub(super) fn join(a: &Run, b: &Run, pairs: &[Pair]) -> Result<Joined, CompareError> {
    let (mut benchmarks, mut data, mut records) = (Vec::new(), Vec::new(), Answers::new());
    for of_a in &a.benchmarks {
        let Some(of_b) = b.benchmarks.iter().find(|d| d.name == of_a.name && d.measure == of_a.measure) else {
            continue;
        };
        let matched = Matched::of(of_a, of_b);
        if matched.counts.paired {
            let asked = add_records(&mut records, (a, b), pairs, &of_a.name, &matched);
            if !asked.is_empty() {
                let items = matched.places.iter().map(|(i, _)| of_a.items[*i].clone()).collect();
                let kept = BenchmarkData { items, ..of_a.clone() };
                data.push((kept, asked));
            }
        }
        benchmarks.push(matched.counts);
    }
    if benchmarks.is_empty() {
        let names = |run: &Run| run.benchmarks.iter().map(|d| d.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(CompareError::NoBenchmark { of_a: names(a), of_b: names(b) });
    }
    let identity = identity(a, b, pairs, &data);
    let sha = |run: &Run| run.manifest.provenance.records_sha256.clone().unwrap_or_default();
    let manifest = Manifest {
        format: a.manifest.format.clone(),
        complete: true,
        identity_sha256: identity.sha256().unwrap_or_default(),
        identity,
        provenance: Provenance {
            records_sha256: Some(sha256_hex(format!("{}/{}", sha(a), sha(b)).as_bytes())),
            ..Provenance::default()
        },
    };
    let run = Run::assembled(manifest, data.into_iter().map(|(d, _)| d).collect(), records);
    Ok(Joined { run, benchmarks })
}

/// Items that are the same in both runs, by their places.
struct Matched {
    places: Vec<(usize, usize)>,
    counts: ComparedBenchmark,
}

impl Matched {
    fn of(a: &BenchmarkData, b: &BenchmarkData) -> Self {
        let place: BTreeMap<&ItemId, usize> = b.items.iter().enumerate().map(|(i, item)| (&item.id, i)).collect();
        let (mut places, mut changed, mut only_a) = (Vec::new(), 0, 0);
        for (i, item) in a.items.iter().enumerate() {
            match place.get(&item.id) {
                Some(j) if hash(item) == hash(&b.items[*j]) => places.push((i, *j)),
                Some(_) => changed += 1,
                None => only_a += 1,
            }
        }
        let same = places.len() as u64;
        let counts = ComparedBenchmark {
            benchmark: a.name.clone(),
            same,
            changed,
            only_a,
            only_b: b.items.len() as u64 - same - changed,
            paired: same > 0,
        };
        Self { places, counts }
    }
}

/// Hash of everything that an item is: its question, cluster, subgroups, and key. The seed of sampled text is no part of the
/// question: other dice are a reason to compare.
fn hash(item: &Item) -> Option<String> {
    let mut item = item.clone();
    if let Ask::Generate { decoding, .. } = &mut item.ask
        && let Some(draws) = &mut decoding.draws
    {
        draws.seed = 0;
    }
    canonical_json(&item).ok().map(|text| sha256_hex(text.as_bytes()))
}

/// Adds the answers of every pair that both runs hold; returns the pairs' ids.
fn add_records(
    records: &mut Answers,
    (a, b): (&Run, &Run),
    pairs: &[Pair],
    benchmark: &str,
    matched: &Matched,
) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    for pair in pairs {
        let (Some(of_a), Some(of_b)) = (a.records(benchmark, &pair.a), b.records(benchmark, &pair.b)) else { continue };
        let first: Vec<Record> = matched.places.iter().map(|(i, _)| of_a[*i].clone()).collect();
        let second: Vec<Record> = matched.places.iter().map(|(_, j)| of_b[*j].clone()).collect();
        records.insert((benchmark.to_owned(), setting_id(pair, false)), first);
        records.insert((benchmark.to_owned(), setting_id(pair, true)), second);
        asked.insert(pair.id.clone());
    }
    asked
}

fn identity(a: &Run, b: &Run, pairs: &[Pair], data: &[(BenchmarkData, BTreeSet<String>)]) -> Identity {
    let (of_a, of_b) = (&a.manifest.identity, &b.manifest.identity);
    let (mut models, mut settings) = (Vec::new(), Vec::new());
    for pair in pairs {
        let find = |identity: &Identity, id: &str| identity.settings.iter().find(|s| s.id == id).cloned();
        let (Some(x), Some(y)) = (find(of_a, &pair.a), find(of_b, &pair.b)) else { continue };
        if let Some(model) = of_b.models.iter().find(|m| m.id == y.model) {
            models.push(ModelIdentity { id: pair.id.clone(), ..model.clone() });
        }
        let setting = |s: SettingIdentity, second| SettingIdentity {
            id: setting_id(pair, second),
            model: pair.id.clone(),
            baseline: !second,
            aa: false,
            ..s
        };
        settings.extend([setting(x, false), setting(y, true)]);
    }
    let known = |b: &BenchmarkData| of_a.benchmarks.iter().find(|i| i.name == b.name).cloned();
    let benchmarks = data.iter().filter_map(|(d, asked)| {
        Some(BenchmarkIdentity { items: d.items.len() as u64, models: asked.iter().cloned().collect(), ..known(d)? })
    });
    let name = if of_a.name == of_b.name { of_a.name.clone() } else { format!("{}-{}", of_a.name, of_b.name) };
    Identity {
        name: format!("{}-compared", name.chars().take(48).collect::<String>()),
        quantbias: of_b.quantbias.clone(),
        engine: of_b.engine.clone(),
        models,
        settings,
        benchmarks: benchmarks.collect(),
    }
}
