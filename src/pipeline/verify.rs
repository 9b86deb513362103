//! Is a run still what was written? Everything is hashed again, and everything that is wrong is listed.

use super::error::Failure;
use super::stages::items_beside;
use crate::findings::{self, ITEMS_FILE};
use crate::fixity::sha256_hex;
use crate::records::digest::{canonical_json, sha256_file};
use crate::records::run::read_manifest;
use crate::records::seal::{self, Problem};
use crate::records::{Manifest, Run};
use crate::spec::Plan;
use fs_err as fs;
use std::path::{Path, PathBuf};

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Files that were hashed against the seal; 0 where there is none.
    pub sealed: usize,
    /// SHA-256 of the seal, to be compared with a copy kept elsewhere.
    pub seal_sha256: Option<String>,
    /// Model files that were hashed.
    pub model_files: usize,
    /// What is wrong, by file.
    pub problems: Vec<Problem>,
    /// What was not looked at, and why.
    pub unseen: Vec<String>,
}

/// Verifies a run directory; `models` are folders by model id, `findings` a findings file of this run,
/// which is looked at with the items that lie beside it.
///
/// # Errors
/// [`Failure::Records`] where the folder is no run at all or cannot be read.
pub fn verify(run: &Path, models: &[(String, PathBuf)], findings: Option<&Path>) -> Result<Verification, Failure> {
    if !run.join("manifest.json").exists() && !run.join(seal::SEAL).exists() {
        return Err(Failure::Records(crate::records::RecordsError::NoManifest { path: run.to_owned() }));
    }
    let sealed = seal::check(run)?;
    let mut found = Verification {
        sealed: sealed.files,
        seal_sha256: sealed.seal_sha256,
        model_files: 0,
        problems: sealed.problems,
        unseen: Vec::new(),
    };
    match read_manifest(run) {
        Ok(manifest) => {
            // The manifest's own hashes: records as values, items, identity.
            if let Err(error) = Run::open(run) {
                found.note("run", &first_line(&error.to_string()));
            }
            match (&found.seal_sha256, manifest.complete) {
                (Some(_), _) => {}
                (None, true) => found.note(seal::SEAL, "is missing: a complete run has a seal"),
                (None, false) => found
                    .unseen
                    .push(format!("there is no {} yet: plan, log, and environment were not hashed", seal::SEAL)),
            }
            if seal::lacks_imported(run) {
                found.unseen.push("the scores that came with the log: the seal was written without them".to_owned());
            }
            found.plan(run, &manifest);
            found.models(&manifest, models);
            if let Some(path) = findings {
                found.findings(run, &manifest, path);
            }
        }
        Err(error) => found.note("manifest.json", &first_line(&error.to_string())),
    }
    Ok(found)
}

impl Verification {
    fn note(&mut self, file: &str, what: &str) {
        self.problems.push(Problem { file: file.to_owned(), what: what.to_owned() });
    }

    fn plan(&mut self, run: &Path, manifest: &Manifest) {
        let Some(expected) = &manifest.provenance.plan_sha256 else { return };
        let sha = fs::read_to_string(run.join("plan.json"))
            .ok()
            .and_then(|text| serde_json::from_str::<Plan>(&text).ok())
            .and_then(|plan| canonical_json(&plan).ok())
            .map(|text| sha256_hex(text.as_bytes()));
        if sha.as_ref() != Some(expected) {
            self.note("plan.json", "is not the plan that the run began with");
        }
    }

    fn models(&mut self, manifest: &Manifest, folders: &[(String, PathBuf)]) {
        for (id, _) in folders {
            if !manifest.identity.models.iter().any(|m| m.id == *id) {
                self.note(&format!("model {id}"), "is not a model of this run");
            }
        }
        for model in &manifest.identity.models {
            let Some((_, folder)) = folders.iter().find(|(id, _)| *id == model.id) else {
                self.unseen.push(format!("the files of model {0} (give them with --model {0}=FOLDER)", model.id));
                continue;
            };
            for (name, expected) in &model.files {
                self.model_files += 1;
                match sha256_file(&folder.join(name)) {
                    Ok(found) if found == *expected => {}
                    Ok(found) => self.note(
                        &format!("model {}: {name}", model.id),
                        &format!("differs: SHA-256 is {found}, the run used {expected}"),
                    ),
                    Err(error) => {
                        self.note(&format!("model {}: {name}", model.id), &format!("cannot be read: {error}"));
                    }
                }
            }
        }
    }

    fn findings(&mut self, run: &Path, manifest: &Manifest, path: &Path) {
        match findings::load(path) {
            Ok(found) => {
                match items_beside(path, &found) {
                    Ok(Some(_)) => {}
                    Ok(None) => self.note(ITEMS_FILE, "is missing: the analysis wrote it beside the findings"),
                    Err(error) => self.note("items", &first_line(&error.to_string())),
                }
                let records = manifest.provenance.records_sha256.clone().unwrap_or_default();
                if found.audit.identity_sha256 != manifest.identity_sha256 || found.audit.records_sha256 != records {
                    self.note("findings", "are of another run");
                    return;
                }
                for (name, expected) in &found.scores {
                    match sha256_file(&run.join(name)) {
                        Ok(sha) if sha == *expected => {}
                        Ok(sha) => self.note(
                            name,
                            &format!("was altered: SHA-256 is {sha}, the findings were made from {expected}"),
                        ),
                        Err(error) => {
                            self.note(name, &format!("cannot be read, and the findings were made from it: {error}"));
                        }
                    }
                }
            }
            Err(error) => self.note("findings", &first_line(&error.to_string())),
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
