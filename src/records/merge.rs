//! Parts of a run, made on several machines, become one run directory.
//!
//! Only parts of the same identity are joined. The result has the records, files, and hashes of a run that was never
//! divided; what differs is when and where, which lies in `environment.json` part by part.

use super::error::RecordsError;
use super::manifest::{Refused, differences};
use super::parquet;
use super::run::{FROZEN, read_items, read_manifest};
use super::run_dir::{RunDir, part_files, write_atomic};
use super::seal;
use crate::benchmark::BenchmarkData;
use fs_err as fs;
use std::path::{Path, PathBuf};

/// The analysis plan beside the records.
const PLAN: &str = "plan.json";

/// Joins the parts into `out`.
///
/// # Errors
/// [`RecordsError`]: a part is of another identity, damaged, or contradicts another one, of which it is one to be begun
/// under another frozen plan, or under none; records are missing in all of
/// them (then what there is has been joined, and the call can be repeated with the missing part); writing failed.
pub fn merge(parts: &[PathBuf], out: &Path) -> Result<(), RecordsError> {
    let Some(first) = parts.first() else {
        return Err(RecordsError::NoManifest { path: out.to_owned() });
    };
    let identity = read_manifest(first)?.identity;
    let read = |b: &super::BenchmarkIdentity| {
        read_items(&first.join("items").join(format!("{}.jsonl", b.name)), &b.items_sha256)
    };
    let benchmarks: Vec<BenchmarkData> = identity.benchmarks.iter().map(read).collect::<Result<_, _>>()?;
    let mut dir = RunDir::create(out, identity.clone(), &benchmarks.iter().collect::<Vec<_>>(), true)?;
    let mut refused: Vec<Refused> = dir.manifest().provenance.refused.clone();
    let mut environment = serde_json::Map::new();
    // What was merged before counts as a part; the plan is copied last.
    let merged = out.join(PLAN).exists().then_some(out);
    same_frozen(merged.into_iter().chain(parts.iter().map(PathBuf::as_path)))?;
    for part in parts {
        let manifest = read_manifest(part)?;
        if manifest.identity != identity {
            let differences = differences(&manifest.identity, &identity);
            return Err(RecordsError::OtherIdentity { path: part.clone(), differences });
        }
        if let Some(plan) = &manifest.provenance.plan_sha256 {
            dir.note_plan(plan.clone())?;
        }
        for new in manifest.provenance.refused {
            if !refused.contains(&new) {
                refused.push(new);
            }
        }
        take(part, out)?;
        let name = part.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        environment.insert(name, json(&part.join("environment.json"))?);
    }
    refused.sort_by_key(|r| identity.settings.iter().position(|s| s.id == r.setting));
    dir.note_refused(&refused)?;
    dir.write_environment(&serde_json::json!({ "parts": environment }))?;
    let asked = |r: &Refused| identity.settings.iter().any(|s| s.id == r.setting) && !has_records(out, &r.setting);
    dir.finish(refused.into_iter().filter(asked).collect())?;
    seal::seal(out)
}

/// A run is begun under one frozen plan or under none, and so are its parts.
fn same_frozen<'a>(parts: impl Iterator<Item = &'a Path>) -> Result<(), RecordsError> {
    let frozen: Vec<PathBuf> = parts.map(|part| part.join(FROZEN)).collect();
    if frozen.iter().all(|path| !path.exists()) {
        return Ok(());
    }
    match frozen.into_iter().find(|path| !path.exists()) {
        Some(path) => Err(RecordsError::Inventory { path, what: "is missing, and another part has it" }),
        None => Ok(()),
    }
}

/// Copies the plans, the log, and every complete shard that is not there yet.
fn take(part: &Path, out: &Path) -> Result<(), RecordsError> {
    for name in [FROZEN, PLAN] {
        copy_same(&part.join(name), &out.join(name))?;
    }
    for (folder, name) in shards(part)? {
        let target = out.join(folder.strip_prefix(part).unwrap_or(&folder));
        let path = folder.join(&name);
        // Damage is found here, where its part can still be named.
        parquet::decode(fs::read(&path).map_err(RecordsError::Read)?, &path)?;
        copy_same(&path, &target.join(&name))?;
    }
    let log = fs::read(part.join("log.jsonl")).unwrap_or_default();
    let mut all = fs::read(out.join("log.jsonl")).unwrap_or_default();
    all.extend(log);
    write_atomic(&out.join("log.jsonl"), &all)
}

/// (folder, file) of every complete shard.
fn shards(part: &Path) -> Result<Vec<(PathBuf, String)>, RecordsError> {
    let mut found = Vec::new();
    for benchmark in folders(&part.join("records"))? {
        for setting in folders(&benchmark)? {
            for name in part_files(&setting)? {
                found.push((setting.clone(), name));
            }
        }
    }
    Ok(found)
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, RecordsError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(RecordsError::Read)? {
        let path = entry.map_err(RecordsError::Read)?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Copies a file; one that is there already must be the same.
fn copy_same(from: &Path, to: &Path) -> Result<(), RecordsError> {
    if !from.exists() {
        return Ok(());
    }
    let bytes = fs::read(from).map_err(RecordsError::Read)?;
    if !to.exists() {
        return write_atomic(to, &bytes);
    }
    if fs::read(to).map_err(RecordsError::Read)? == bytes {
        return Ok(());
    }
    Err(RecordsError::Inventory { path: from.to_owned(), what: "contradicts the same file of another part" })
}

fn has_records(run: &Path, setting: &str) -> bool {
    folders(&run.join("records")).is_ok_and(|benchmarks| benchmarks.iter().any(|b| b.join(setting).is_dir()))
}

fn json(path: &Path) -> Result<serde_json::Value, RecordsError> {
    if !path.exists() {
        return Ok(serde_json::Value::Null);
    }
    let text = fs::read_to_string(path).map_err(RecordsError::Read)?;
    serde_json::from_str(&text).map_err(|e| RecordsError::Malformed {
        path: path.to_owned(),
        what: "JSON",
        why: e.to_string(),
    })
}
