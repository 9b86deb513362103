//! The stage between run and analysis: every continuation scored, the scores cached beside the records.
//!
//! Which models score is kept in `scoring.json` of the run directory, so that the analysis alone finds them again. It
//! names folders of this machine and is therefore no part of identity or plan; what scored is named in the findings.

use super::error::Failure;
use super::prepare::locate;
use crate::records::run_dir::write_atomic;
use crate::records::{RecordsError, Run};
use crate::runner::{Event, RunOptions};
use crate::scorer::{self, ScorerError, Scores, Workers};
use crate::spec::{ModelSource, RunnerOptions, Scoring};
use fs_err as fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

const FILE: &str = "scoring.json";

/// Keeps the choice of scoring models in a run directory; the built-in scorers need no note.
///
/// # Errors
/// [`Failure::Records`].
pub fn store(folder: &Path, scoring: &Scoring) -> Result<(), Failure> {
    let path = folder.join(FILE);
    if scoring.is_built_in() && !path.exists() {
        return Ok(());
    }
    let text = serde_json::to_string_pretty(scoring).map_err(|e| malformed(&path, &e))?;
    Ok(write_atomic(&path, format!("{text}\n").as_bytes())?)
}

/// The choice of scoring models that lies in a run directory; none by default.
///
/// # Errors
/// The file is there and cannot be read.
pub fn stored(folder: &Path) -> Result<Scoring, Failure> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(Scoring::default());
    }
    let text = fs::read_to_string(&path).map_err(RecordsError::Read)?;
    serde_json::from_str(&text).map_err(|e| malformed(&path, &e))
}

fn malformed(path: &Path, error: &serde_json::Error) -> Failure {
    let (path, why) = (path.to_owned(), error.to_string());
    Failure::Records(RecordsError::Malformed { path, what: "a choice of scorers", why })
}

/// The scores of a run by the scorers that were chosen for it, as `analyze` takes them: from the cache, or computed now.
///
/// # Errors
/// [`Failure`], as in [`score`].
pub fn scores_of(run: &Run) -> Result<Scores, Failure> {
    score(run, &stored(run.path())?, &RunnerOptions::default(), &AtomicBool::new(false), &mut |_| ())
}

/// Scores a run, the judge by workers of the running program.
///
/// # Errors
/// [`Failure`]: a model cannot be had or loaded, the judge's workers ended, or a cache cannot be written.
pub fn score(
    run: &Run,
    scoring: &Scoring,
    limits: &RunnerOptions,
    stop: &AtomicBool,
    events: &mut dyn FnMut(&Event),
) -> Result<Scores, Failure> {
    let mut scoring = scoring.clone();
    if let Some(source) = &mut scoring.toxicity {
        *source = local(source).map_err(|(model, why)| ScorerError::Classifier { model, why })?;
    }
    if let Some(judge) = &mut scoring.judge {
        judge.source = local(&judge.source).map_err(|(model, why)| ScorerError::Judge { model, why })?;
    }
    let options = RunOptions::new(limits.clone()).map_err(Failure::Program)?;
    Ok(scorer::fill(run, &scoring, &mut Workers { options, stop, events })?)
}

/// The folder that holds a model's files, or its name and why there is none.
fn local(source: &ModelSource) -> Result<ModelSource, (String, String)> {
    let name = || scorer::source_name(source);
    locate(source).map(|(folder, _)| ModelSource::Directory(folder)).map_err(|why| (name(), why))
}
