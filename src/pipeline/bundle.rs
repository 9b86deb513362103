//! One archive of everything that an audit stands on: run, findings, report, plan, environment, versions.
//!
//! Deterministic byte for byte: entries are sorted, owners and times are zero, and the compression is fixed. The archive
//! holds a `SHA256SUMS` of all other entries, and [`check_bundle`] reads it without unpacking anything.

use super::error::Failure;
use super::stages::items_beside;
use crate::findings;
use crate::fixity::{hex, readable, sha256_hex};
use crate::records::run::read_manifest;
use crate::records::seal::{self, Problem};
use crate::records::{RecordsError, Run};
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

/// Format version of bundles, `major.minor`. Changelog:
///
/// * `1.0` — first format.
pub const BUNDLE_FORMAT: &str = "1.0";

/// Entry that says what the bundle is.
const HEAD: &str = "bundle.json";

/// A small file is read whole when a bundle is checked, and no more of it than this many bytes.
const HEAD_LIMIT: u64 = 64 << 20;

/// What a bundle is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleHead {
    /// Format version.
    pub format: String,
    /// Version of quantbias that made it.
    pub quantbias: String,
    /// The audit's name.
    pub name: String,
    /// SHA-256 of the run's identity.
    pub identity_sha256: String,
    /// SHA-256 over the logical records.
    pub records_sha256: String,
    /// Id of the analysis, where findings are part of it.
    pub analysis_id: Option<String>,
    /// Format versions of what is inside, by kind.
    pub formats: BTreeMap<String, String>,
    /// Engine name and version.
    pub engine: String,
}

/// What goes into a bundle beside the run.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// Folder with `findings.json` and, if they were written, the items that changed.
    pub findings: Option<PathBuf>,
    /// Folder of the report.
    pub report: Option<PathBuf>,
}

/// Finds findings and report of a run in the layout that `audit` writes: the only analysis of these records.
///
/// # Errors
/// [`Failure::Bundle`] where there are several.
pub fn find_parts(run: &Path, root: &Path) -> Result<Parts, Failure> {
    let manifest = read_manifest(run)?;
    let mut found = Vec::new();
    let folders = fs::read_dir(root.join("findings")).into_iter().flatten().filter_map(Result::ok);
    let mut folders: Vec<PathBuf> = folders.map(|e| e.path()).collect();
    folders.sort();
    for folder in folders {
        let Ok(one) = findings::load(&folder.join("findings.json")) else { continue };
        let records = manifest.provenance.records_sha256.as_deref().unwrap_or_default();
        if one.audit.identity_sha256 == manifest.identity_sha256 && one.audit.records_sha256 == records {
            found.push(folder);
        }
    }
    if found.len() > 1 {
        let names: Vec<String> = found.iter().map(|f| f.display().to_string()).collect();
        return Err(Failure::Bundle(format!(
            "there are several analyses of this run: {}\nhelp: name one with --findings",
            names.join(", ")
        )));
    }
    let Some(folder) = found.pop() else { return Ok(Parts::default()) };
    let report = folder.file_name().map(|name| root.join("reports").join(name)).filter(|r| r.is_dir());
    Ok(Parts { findings: Some(folder), report })
}

/// Writes a bundle and returns the SHA-256 of its bytes. The run is verified first.
///
/// # Errors
/// [`Failure`]: the run or the findings are not what was written, or writing failed.
pub fn bundle(run: &Path, parts: &Parts, out: &Path) -> Result<String, Failure> {
    let checked = seal::check(run)?;
    if let Some(Problem { file, what }) = checked.problems.first() {
        return Err(Failure::Bundle(format!("{file} {what}\nhelp: see `quantbias verify`")));
    }
    let opened = Run::open(run)?;
    let mut entries: BTreeMap<String, PathBuf> = BTreeMap::new();
    add(&mut entries, "run", run)?;
    if checked.seal_sha256.is_some() {
        entries.insert(format!("run/{}", seal::SEAL), run.join(seal::SEAL));
    }
    let mut analysis = None;
    if let Some(folder) = &parts.findings {
        let path = folder.join("findings.json");
        let found = findings::load(&path)?;
        items_beside(&path, &found)?;
        if found.audit.identity_sha256 != opened.manifest.identity_sha256 {
            return Err(Failure::Bundle(format!("{} holds findings of another run", folder.display())));
        }
        analysis = Some((found.analysis_id, found.format));
        add(&mut entries, "findings", folder)?;
    }
    if let Some(folder) = &parts.report {
        add(&mut entries, "report", folder)?;
    }
    let head = head(&opened, analysis);
    let head = format!("{}\n", serde_json::to_string_pretty(&head).map_err(crate::analysis::AnalysisError::Plan)?);
    write(&entries, head.as_bytes(), &opened.manifest.identity.name, out)
}

fn head(run: &Run, analysis: Option<(String, String)>) -> BundleHead {
    let identity = &run.manifest.identity;
    let mut formats = BTreeMap::from([("run".to_owned(), run.manifest.format.clone())]);
    if let Some((_, format)) = &analysis {
        formats.insert("findings".to_owned(), format.clone());
    }
    BundleHead {
        format: BUNDLE_FORMAT.to_owned(),
        quantbias: env!("CARGO_PKG_VERSION").to_owned(),
        name: identity.name.clone(),
        identity_sha256: run.manifest.identity_sha256.clone(),
        records_sha256: run.manifest.provenance.records_sha256.clone().unwrap_or_default(),
        analysis_id: analysis.map(|(id, _)| id),
        formats,
        engine: format!("{} {}", identity.engine.name, identity.engine.version),
    }
}

fn add(entries: &mut BTreeMap<String, PathBuf>, under: &str, folder: &Path) -> Result<(), Failure> {
    for name in seal::files(folder)? {
        entries.insert(format!("{under}/{name}"), folder.join(name));
    }
    Ok(())
}

/// Writes the entries, then their sums, through one hasher.
fn write(entries: &BTreeMap<String, PathBuf>, head: &[u8], name: &str, out: &Path) -> Result<String, Failure> {
    let partial = out.with_extension("partial");
    let written = (|| {
        let file = Hashed { inner: std::io::BufWriter::new(fs::File::create(&partial)?), hasher: Sha256::new() };
        let zip = GzBuilder::new().mtime(0).operating_system(255).write(file, Compression::new(6));
        let mut tar = tar::Builder::new(zip);
        let mut sums = BTreeMap::from([(HEAD.to_owned(), sha256_hex(head))]);
        append(&mut tar, &format!("{name}/{HEAD}"), head)?;
        for (entry, path) in entries {
            let bytes = fs::read(path)?;
            sums.insert(entry.clone(), sha256_hex(&bytes));
            append(&mut tar, &format!("{name}/{entry}"), &bytes)?;
        }
        append(&mut tar, &format!("{name}/{}", seal::SEAL), seal::lines(&sums).as_bytes())?;
        let mut file = tar.into_inner()?.finish()?;
        file.flush()?;
        file.inner.get_ref().sync_all()?;
        let sha = hex(&file.hasher.finalize());
        fs::rename(&partial, out)?;
        Ok(sha)
    })();
    written.map_err(|error: std::io::Error| {
        let _ = fs::remove_file(&partial);
        Failure::Write(error)
    })
}

fn append<W: Write>(tar: &mut tar::Builder<W>, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_entry_type(tar::EntryType::Regular);
    tar.append_data(&mut header, name, bytes)
}

/// Hashes what is written.
struct Hashed<W: Write> {
    inner: W,
    hasher: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// What the check of a bundle found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedBundle {
    /// SHA-256 of the archive.
    pub sha256: String,
    /// What it says of itself; absent where that cannot be read.
    pub head: Option<BundleHead>,
    /// Entries that were hashed.
    pub entries: usize,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Reads a bundle through, hashes every entry against its sums, and unpacks it under `extract` if that is given.
///
/// # Errors
/// [`Failure`]: no readable archive, an entry that would leave the folder, another format version.
pub fn check_bundle(path: &Path, extract: Option<&Path>) -> Result<CheckedBundle, Failure> {
    let sha256 = crate::records::digest::sha256_file(path).map_err(RecordsError::Read)?;
    let broken = |why: String| RecordsError::Malformed { path: path.to_owned(), what: "a bundle", why };
    let file = std::io::BufReader::new(fs::File::open(path).map_err(RecordsError::Read)?);
    let mut archive = tar::Archive::new(GzDecoder::new(file));
    let (mut found, mut texts) = (BTreeMap::new(), BTreeMap::new());
    for entry in archive.entries().map_err(|e| broken(e.to_string()))? {
        let mut entry = entry.map_err(|e| broken(e.to_string()))?;
        let full = entry.path().map_err(|e| broken(e.to_string()))?.into_owned();
        let plain = full.components().all(|c| matches!(c, Component::Normal(_)));
        let inner: PathBuf = full.components().skip(1).collect();
        if !plain || !entry.header().entry_type().is_file() || inner.as_os_str().is_empty() {
            return Err(broken(format!("entry {:?} is not a plain file inside it", full.display())).into());
        }
        let name = inner.to_string_lossy().replace('\\', "/");
        let mut target = match extract {
            Some(folder) => Some(create(&folder.join(&inner))?),
            None => None,
        };
        let keep = name == HEAD || name == seal::SEAL;
        let (sum, text) = read_entry(&mut entry, target.as_mut(), keep).map_err(|e| broken(e.to_string()))?;
        if found.insert(name.clone(), sum).is_some() {
            return Err(broken(format!("entry {name} occurs twice")).into());
        }
        if keep {
            texts.insert(name, text);
        }
    }
    let head: Option<BundleHead> = texts.get(HEAD).and_then(|t| serde_json::from_slice(t).ok());
    if let Some(head) = head.as_ref().filter(|h| !readable(&h.format, BUNDLE_FORMAT)) {
        let found = format!("{} (written by quantbias {})", head.format, head.quantbias);
        return Err(RecordsError::Version { path: path.to_owned(), found, ours: BUNDLE_FORMAT }.into());
    }
    let problems = compare(&found, texts.get(seal::SEAL));
    Ok(CheckedBundle { sha256, head, entries: found.len(), problems })
}

fn create(path: &Path) -> Result<fs::File, Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Failure::Write)?;
    }
    fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(Failure::Write)
}

/// Hashes an entry block by block; keeps its bytes if they are wanted.
fn read_entry(
    entry: &mut impl Read,
    mut target: Option<&mut fs::File>,
    keep: bool,
) -> std::io::Result<(String, Vec<u8>)> {
    let (mut hasher, mut kept, mut block) = (Sha256::new(), Vec::new(), vec![0_u8; 1 << 16]);
    loop {
        let n = entry.read(&mut block)?;
        if n == 0 {
            return Ok((hex(&hasher.finalize()), kept));
        }
        hasher.update(&block[..n]);
        if let Some(file) = target.as_mut() {
            file.write_all(&block[..n])?;
        }
        if keep && (kept.len() + n) as u64 <= HEAD_LIMIT {
            kept.extend_from_slice(&block[..n]);
        }
    }
}

fn compare(found: &BTreeMap<String, String>, sums: Option<&Vec<u8>>) -> Vec<Problem> {
    let problem = |file: &str, what: &str| Problem { file: file.to_owned(), what: what.to_owned() };
    let parsed = sums.and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(seal::parse);
    let Some(sums) = parsed else { return vec![problem(seal::SEAL, "is missing or no list of SHA-256 sums")] };
    let mut problems = Vec::new();
    for (name, expected) in &sums {
        match found.get(name) {
            None => problems.push(problem(name, "is missing")),
            Some(sum) if sum != expected => problems.push(problem(name, "was altered")),
            Some(_) => {}
        }
    }
    let extra = found.keys().filter(|n| *n != seal::SEAL && !sums.contains_key(*n));
    problems.extend(extra.map(|n| problem(n, "was added")));
    problems
}
