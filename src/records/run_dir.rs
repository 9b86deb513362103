//! A run directory that is being written: one process at a time, whole files or none.

use super::digest::{RowDigest, sha256_file};
use super::error::RecordsError;
use super::manifest::{FORMAT, Identity, Manifest, OutcomeCounts, Provenance, Refused, differences};
use super::parquet;
use super::record::{Fate, Record};
use super::run::{items_jsonl, read_manifest};
use crate::benchmark::BenchmarkData;
use crate::fixity::sha256_hex;
use fs_err as fs;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a lock is waited for: a process that was just started holds its parent's locks for a moment, until its own
/// program is loaded.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// Names one shard: a fixed range of one benchmark's items under one setting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardKey {
    /// Benchmark name.
    pub benchmark: String,
    /// Setting id.
    pub setting: String,
    /// Number of the shard, from 0.
    pub index: u32,
}

/// What is on disk of a shard.
#[derive(Debug, Clone, PartialEq)]
pub enum Shard {
    /// Nothing.
    Missing,
    /// Some records, from an interrupted run.
    Open(Vec<Record>),
    /// All of them.
    Complete,
}

/// A run directory, locked by this process.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    manifest: Manifest,
    resumed: bool,
    _lock: std::fs::File,
}

impl RunDir {
    /// Makes the run directory, or takes up the one that is there if it has the same identity.
    ///
    /// # Errors
    /// [`RecordsError`]: another identity, other files, unfinished without `resume`, in use, not writable.
    pub fn create(
        path: &Path,
        identity: Identity,
        benchmarks: &[&BenchmarkData],
        resume: bool,
    ) -> Result<Self, RecordsError> {
        let manifest = path.join("manifest.json");
        if !manifest.exists() && path.exists() && !is_begun(path)? {
            return Err(RecordsError::NotARun { path: path.to_owned() });
        }
        fs::create_dir_all(path).map_err(RecordsError::Write)?;
        let lock = lock(path)?;
        // Only now: whoever held the lock until now may have written it.
        let known = manifest.exists();
        let sha = identity.sha256().map_err(|e| json_error(path, &e))?;
        if known {
            let manifest = read_manifest(path)?;
            if manifest.identity_sha256 != sha {
                let differences = differences(&identity, &manifest.identity);
                return Err(RecordsError::OtherIdentity { path: path.to_owned(), differences });
            }
            if !manifest.complete && !resume {
                return Err(RecordsError::Unfinished { path: path.to_owned() });
            }
            return Ok(Self { path: path.to_owned(), manifest, resumed: true, _lock: lock });
        }
        let provenance = Provenance { started: now(), ..Provenance::default() };
        let manifest =
            Manifest { format: FORMAT.to_owned(), complete: false, identity_sha256: sha, identity, provenance };
        for data in benchmarks {
            let text = items_jsonl(data).map_err(|e| json_error(path, &e))?;
            write_atomic(&path.join("items").join(format!("{}.jsonl", data.name)), text.as_bytes())?;
        }
        let dir = Self { path: path.to_owned(), manifest, resumed: false, _lock: lock };
        dir.write_manifest()?;
        Ok(dir)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The manifest as it stands.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether earlier work was found here.
    #[must_use]
    pub fn resumed(&self) -> bool {
        self.resumed
    }

    /// What is on disk of a shard. An unreadable open shard counts as missing: its items are asked again.
    ///
    /// # Errors
    /// Reading failed.
    pub fn shard(&self, key: &ShardKey) -> Result<Shard, RecordsError> {
        if self.shard_path(key, false).exists() {
            return Ok(Shard::Complete);
        }
        let open = self.shard_path(key, true);
        if !open.exists() {
            return Ok(Shard::Missing);
        }
        let bytes = fs::read(&open).map_err(RecordsError::Read)?;
        Ok(parquet::decode(bytes, &open).map_or(Shard::Missing, Shard::Open))
    }

    /// How many records of a complete shard failed.
    ///
    /// # Errors
    /// Reading failed, or the file is damaged.
    pub fn failed(&self, key: &ShardKey) -> Result<u64, RecordsError> {
        let path = self.shard_path(key, false);
        let records = parquet::decode(fs::read(&path).map_err(RecordsError::Read)?, &path)?;
        Ok(records.iter().filter(|r| r.fate() == Fate::Failed).count() as u64)
    }

    /// Writes what there is of a shard, so that an interrupted run can go on from it.
    ///
    /// # Errors
    /// [`RecordsError::Write`].
    pub fn write_open(&self, key: &ShardKey, records: &[Record]) -> Result<(), RecordsError> {
        Self::write_records(&self.shard_path(key, true), records)
    }

    /// Writes a complete shard and removes its open one.
    ///
    /// # Errors
    /// [`RecordsError::Write`].
    pub fn write_shard(&self, key: &ShardKey, records: &[Record]) -> Result<(), RecordsError> {
        Self::write_records(&self.shard_path(key, false), records)?;
        match fs::remove_file(self.shard_path(key, true)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(RecordsError::Write(e)),
            _ => Ok(()),
        }
    }

    /// Notes settings that were refused before the run began: they are not in the identity, and the report lists them.
    ///
    /// # Errors
    /// [`RecordsError::Write`].
    pub fn note_refused(&mut self, refused: &[Refused]) -> Result<(), RecordsError> {
        if self.manifest.complete || self.manifest.provenance.refused == refused {
            return Ok(());
        }
        self.manifest.provenance.refused = refused.to_vec();
        self.write_manifest()
    }

    /// Notes the plan that the run began with; a later one does not replace it.
    ///
    /// # Errors
    /// [`RecordsError::Write`].
    pub fn note_plan(&mut self, sha256: String) -> Result<(), RecordsError> {
        if self.manifest.complete || self.manifest.provenance.plan_sha256.is_some() {
            return Ok(());
        }
        self.manifest.provenance.plan_sha256 = Some(sha256);
        self.write_manifest()
    }

    /// Appends one line to `log.jsonl`.
    ///
    /// # Errors
    /// [`RecordsError::Write`].
    pub fn log(&self, event: &serde_json::Value) -> Result<(), RecordsError> {
        let path = self.path.join("log.jsonl");
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).map_err(RecordsError::Write)?;
        writeln!(file, "{event}").map_err(RecordsError::Write)
    }

    /// Writes `environment.json`, which no result depends on.
    ///
    /// # Errors
    /// [`RecordsError::Write`].
    pub fn write_environment(&self, environment: &serde_json::Value) -> Result<(), RecordsError> {
        write_atomic(&self.path.join("environment.json"), format!("{environment:#}\n").as_bytes())
    }

    /// Appends to the `sessions` of `environment.json`, in which each session has one object; a file of an earlier release
    /// is the object of one session, and becomes the first.
    ///
    /// # Errors
    /// [`RecordsError::Write`].
    pub fn add_environment(&self, session: serde_json::Value) -> Result<(), RecordsError> {
        let text = fs::read_to_string(self.path.join("environment.json")).unwrap_or_default();
        let mut sessions = match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(known) => known["sessions"].as_array().cloned().unwrap_or_else(|| vec![known]),
            Err(_) => Vec::new(),
        };
        sessions.push(session);
        self.write_environment(&serde_json::json!({ "sessions": sessions }))
    }

    /// Closes the run: counts and hashes every file, and writes the manifest as complete.
    ///
    /// `refused` names the settings whose records are rightly absent.
    ///
    /// # Errors
    /// [`RecordsError::Incomplete`] if records are missing; reading or writing failed.
    pub fn finish(&mut self, refused: Vec<Refused>) -> Result<(), RecordsError> {
        if self.manifest.complete {
            return Ok(());
        }
        let (mut counts, mut files) = (BTreeMap::new(), BTreeMap::new());
        let (mut planned, mut present) = (0, 0);
        let mut rows = RowDigest::default();
        for (benchmark, setting, items) in self.planned(&refused) {
            let (tally, parts) = self.tally(&benchmark, &setting, &mut rows)?;
            planned += items;
            present += tally.answered + tally.failed;
            files.extend(parts);
            counts.insert(format!("{benchmark}/{setting}"), tally);
        }
        if present != planned {
            let missing = planned.saturating_sub(present);
            return Err(RecordsError::Incomplete { path: self.path.clone(), missing, planned });
        }
        let provenance = &mut self.manifest.provenance;
        provenance.ended = Some(now());
        provenance.refused.retain(|early| !refused.iter().any(|r| r.setting == early.setting));
        provenance.refused.extend(refused);
        provenance.counts = counts;
        provenance.files = files;
        provenance.records_sha256 = Some(rows.finish());
        self.manifest.complete = true;
        self.write_manifest()
    }

    /// Every (benchmark, setting, items) whose records must be there, sorted by name.
    fn planned(&self, refused: &[Refused]) -> Vec<(String, String, u64)> {
        let identity = &self.manifest.identity;
        let mut planned: Vec<_> = identity
            .benchmarks
            .iter()
            .flat_map(|b| {
                identity
                    .settings
                    .iter()
                    .filter(|s| b.models.contains(&s.model) && !refused.iter().any(|r| r.setting == s.id))
                    .map(|s| (b.name.clone(), s.id.clone(), b.items))
            })
            .collect();
        planned.sort();
        planned
    }

    fn tally(
        &self,
        benchmark: &str,
        setting: &str,
        rows: &mut RowDigest,
    ) -> Result<(OutcomeCounts, BTreeMap<String, String>), RecordsError> {
        let folder = self.path.join("records").join(benchmark).join(setting);
        let mut records = Vec::new();
        let mut files = BTreeMap::new();
        for name in part_files(&folder)? {
            let path = folder.join(&name);
            let bytes = fs::read(&path).map_err(RecordsError::Read)?;
            files.insert(format!("records/{benchmark}/{setting}/{name}"), sha256_hex(&bytes));
            records.extend(parquet::decode(bytes, &path)?);
        }
        let failed = records.iter().filter(|r| r.fate() == Fate::Failed).count() as u64;
        rows.feed(benchmark, setting, &records);
        Ok((OutcomeCounts { answered: records.len() as u64 - failed, failed }, files))
    }

    fn shard_path(&self, key: &ShardKey, open: bool) -> PathBuf {
        let suffix = if open { ".open" } else { "" };
        let folder = self.path.join("records").join(&key.benchmark).join(&key.setting);
        folder.join(format!("part-{:04}{suffix}.parquet", key.index))
    }

    fn write_records(path: &Path, records: &[Record]) -> Result<(), RecordsError> {
        let bytes = parquet::encode(records).map_err(|e| RecordsError::Malformed {
            path: path.to_owned(),
            what: "records to write",
            why: e.to_string(),
        })?;
        write_atomic(path, &bytes)
    }

    fn write_manifest(&self) -> Result<(), RecordsError> {
        let path = self.path.join("manifest.json");
        let text = serde_json::to_string_pretty(&self.manifest).map_err(|e| json_error(&path, &e))?;
        write_atomic(&path, format!("{text}\n").as_bytes())
    }
}

/// Complete shards in a folder, sorted; empty if there is no folder.
pub(super) fn part_files(folder: &Path) -> Result<Vec<String>, RecordsError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(RecordsError::Read)? {
        let name = entry.map_err(RecordsError::Read)?.file_name().to_string_lossy().into_owned();
        if name.starts_with("part-") && name.ends_with(".parquet") && !name.contains(".open.") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Hashes a model's files by name.
///
/// # Errors
/// [`RecordsError::Read`].
pub fn hash_files(folder: &Path, names: &[String]) -> Result<BTreeMap<String, String>, RecordsError> {
    names.iter().map(|name| Ok((name.clone(), sha256_file(&folder.join(name)).map_err(RecordsError::Read)?))).collect()
}

/// SHA-256 of the items file that a benchmark gives.
///
/// # Errors
/// An item that cannot be JSON.
pub fn items_sha256(data: &BenchmarkData) -> serde_json::Result<String> {
    Ok(sha256_hex(items_jsonl(data)?.as_bytes()))
}

/// Whether a folder without a manifest is empty, or a run directory that is being made or whose making was cut off: the
/// lock comes first, then the items, then the manifest under its temporary name.
fn is_begun(path: &Path) -> Result<bool, RecordsError> {
    let entries = fs::read_dir(path).map_err(RecordsError::Read)?;
    let names: Vec<String> = entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect();
    let ours = |name: &String| name == "run.lock" || name == "items" || name.contains("manifest.json");
    Ok(names.is_empty() || (names.iter().any(|n| n == "run.lock") && names.iter().all(ours)))
}

fn lock(path: &Path) -> Result<std::fs::File, RecordsError> {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path.join("run.lock"))
        .map_err(|e| RecordsError::Write(std::io::Error::new(e.kind(), format!("{}: {e}", path.display()))))?;
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(std::fs::TryLockError::WouldBlock) => return Err(RecordsError::Locked { path: path.to_owned() }),
            Err(std::fs::TryLockError::Error(e)) => return Err(RecordsError::Write(e)),
        }
    }
}

/// Writes under a temporary name, syncs, renames, syncs the folder: a reader sees the old file or the whole new one.
///
/// # Errors
/// [`RecordsError::Write`].
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), RecordsError> {
    // The folder of a bare file name is the empty path, which cannot be opened.
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder).map_err(RecordsError::Write)?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = folder.join(format!(".tmp-{name}"));
    let written = (|| {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        fs::File::open(folder)?.sync_all()
    })();
    written.map_err(|e| {
        let _ = fs::remove_file(&temporary);
        RecordsError::Write(e)
    })
}

fn json_error(path: &Path, error: &serde_json::Error) -> RecordsError {
    RecordsError::Malformed { path: path.to_owned(), what: "JSON", why: error.to_string() }
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}
