//! Loaders and demo items.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

mod asked;
mod bbq;
mod counts;
mod custom;
mod demo;
mod errors;
mod exact;
mod groups;
mod late;
mod more;
mod published;
mod scripted;
mod study;

use quantbias::benchmark::{self, Ask, BenchmarkData, Item, LoadRequest, Options};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Asks for a benchmark in a folder.
fn request(name: &str, folder: impl Into<PathBuf>, options: Options) -> LoadRequest {
    LoadRequest { name: name.into(), id: name.into(), folder: folder.into(), options }
}

/// A folder of the public data sets beside the repository, or a message and `None`.
fn shared(folder: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = ["..", "../.."].iter().map(|up| root.join(up).join("shared/data").join(folder)).find(|p| p.is_dir());
    if path.is_none() {
        println!("skipped: ../shared/data/{folder} is not there");
    }
    path
}

/// A folder of small files of the published layouts, in our own wording.
fn fixture(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/benchmarks").join(folder)
}

/// The choices under which a file may differ from the published one.
fn unpinned() -> Options {
    Options { allow_unpinned: true, ..Options::default() }
}

/// Loads a fixture.
fn load_fixture(name: &str, folder: &str, options: Options) -> BenchmarkData {
    benchmark::load(&request(name, fixture(folder), Options { allow_unpinned: true, ..options })).unwrap()
}

/// The item with this id.
fn item<'d>(data: &'d BenchmarkData, id: &str) -> &'d Item {
    data.items.iter().find(|i| i.id.as_str() == id).unwrap_or_else(|| panic!("there is an item {id}"))
}

/// Context and text of each candidate.
fn candidates(item: &Item) -> Vec<(&str, &str)> {
    match &item.ask {
        Ask::Likelihood { candidates } => candidates.iter().map(|c| (c.context.as_str(), c.text.as_str())).collect(),
        other => panic!("expected candidates, found {}", other.kind()),
    }
}

/// Items by what `key` says of them.
fn count<K: Ord>(data: &BenchmarkData, key: impl Fn(&Item) -> K) -> BTreeMap<K, usize> {
    let mut out = BTreeMap::new();
    for item in &data.items {
        *out.entry(key(item)).or_default() += 1;
    }
    out
}

/// Items per subgroup, written `axis/subgroup`.
fn by_subgroup(data: &BenchmarkData) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for subgroup in data.items.iter().flat_map(|i| &i.subgroups) {
        *out.entry(format!("{}/{}", subgroup.axis, subgroup.name)).or_default() += 1;
    }
    out
}
