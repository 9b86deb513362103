//! Every continuation of a run under every scorer: from the cache where it holds, computed where it does not.

use super::cache::Cache;
use super::error::ScorerError;
use super::identity::ScorerIdentity;
use super::imported;
use super::judge::{Judge, Verdict};
use super::passage::{Batch, Row, Scorer, batches};
use super::words::Words;
use super::{LABELS, TextScore, Toxicity};
use crate::fixity::sha256_hex;
use crate::records::{RecordsError, Run};
use crate::runner::{Event, RunOptions};
use crate::spec::{ModelSource, Scoring};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// How a judge's workers are run; nothing in it changes a score.
pub struct Workers<'w> {
    /// Program, engine, and limits.
    pub options: RunOptions,
    /// Raised to stop.
    pub stop: &'w AtomicBool,
    /// Told what happens.
    pub events: &'w mut dyn FnMut(&Event),
}

/// The scores of a run, and whose they are.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    /// By benchmark and setting, one place per item in the order of the items.
    by: BTreeMap<(String, String), Vec<Option<TextScore>>>,
    /// The scorers: `words` first, then the models that were asked.
    pub scorers: Vec<ScorerIdentity>,
    /// Files of scores that were taken from the cache.
    pub reused: usize,
    /// Files of scores that were computed.
    pub computed: usize,
    /// SHA-256 of the files that models or a log made, by place in the run directory. What is built in is computed from
    /// the records, and can be again.
    pub files: BTreeMap<String, String>,
}

impl Scores {
    /// Scores of a benchmark under a setting, one place per item; empty if it has no continuations.
    #[must_use]
    pub fn of(&self, benchmark: &str, setting: &str) -> &[Option<TextScore>] {
        self.by.get(&(benchmark.to_owned(), setting.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// What names the scorers beyond those that are built in; empty if no model scored.
    #[must_use]
    pub fn key(&self) -> String {
        let models: Vec<String> =
            self.scorers.iter().filter(|s| !s.model.is_empty()).map(ScorerIdentity::sha256).collect();
        if models.is_empty() { String::new() } else { sha256_hex(models.join("/").as_bytes()) }
    }

    /// Takes what a model or a log said of another run's continuations for those of this one: `place` gives for each place
    /// here the place there.
    pub fn borrow(&mut self, (benchmark, setting): (&str, &str), from: &[Option<TextScore>], place: &[usize]) {
        let Some(own) = self.by.get_mut(&(benchmark.to_owned(), setting.to_owned())) else { return };
        for (own, there) in own.iter_mut().zip(place) {
            if let (Some(own), Some(Some(other))) = (own, from.get(*there)) {
                (own.toxicity, own.verdict) = (other.toxicity, other.verdict);
            }
        }
    }

    /// Without what the scorer of a name (`toxicity`, `judge`) said.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        for score in self.by.values_mut().flatten().flatten() {
            match name {
                "toxicity" => score.toxicity = None,
                "judge" => score.verdict = None,
                _ => {}
            }
        }
        self.scorers.retain(|s| s.name != name);
        self
    }

    /// Notes the file of a batch.
    fn note(&mut self, cache: &Cache, batch: &Batch<'_>, run: &Run, sha256: String) {
        let path = cache.path(batch);
        let name = path.strip_prefix(run.path()).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        self.files.insert(name, sha256);
    }

    /// Adds a scorer's rows; `put` takes one row into a score.
    fn take(&mut self, batch: &Batch<'_>, rows: &[Row], put: fn(&mut Option<TextScore>, &[f64])) {
        let key = (batch.benchmark.to_owned(), batch.setting.to_owned());
        let places = self.by.entry(key).or_insert_with(|| vec![None; batch.passages.len()]);
        for (place, row) in places.iter_mut().zip(rows) {
            if let Some(row) = row {
                put(place, row);
            }
        }
    }
}

fn put_words(place: &mut Option<TextScore>, row: &[f64]) {
    *place = Some(TextScore {
        compound: row[0],
        compound_sentences: row[1],
        compound_matched: row[2],
        insulting: row[3] > 0.0,
        toxicity: None,
        verdict: None,
    });
}

fn put_toxicity(place: &mut Option<TextScore>, row: &[f64]) {
    let mut labels = [0.0; LABELS];
    labels.copy_from_slice(row);
    if let Some(score) = place {
        score.toxicity = Some(Toxicity { labels });
    }
}

fn put_verdict(place: &mut Option<TextScore>, row: &[f64]) {
    if let Some(score) = place {
        score.verdict = Verdict::of_code(row[0]);
    }
}

/// Scores with what is built in, in memory only.
#[must_use]
pub fn builtin(run: &Run) -> Scores {
    let mut scores = Scores::default();
    let mut words = Words::default();
    scores.scorers.push(words.identity().clone());
    // This scorer and this sink cannot fail.
    let _ = words.score(&batches(run), &mut |batch, rows| {
        scores.take(batch, &rows, put_words);
        scores.computed += 1;
        Ok(())
    });
    scores
}

/// Scores with what is built in and with the models of `scoring`; fills the cache where it lacks something.
///
/// Sources must be local directories. A run directory that cannot be written to is scored all the same, each time anew.
///
/// # Errors
/// [`ScorerError`]: a model cannot be loaded, or the judge's workers end.
pub fn fill(run: &Run, scoring: &Scoring, workers: &mut Workers<'_>) -> Result<Scores, ScorerError> {
    let mut scores = Scores::default();
    let batches = batches(run);
    add(&mut scores, run, &batches, &mut Words::default(), put_words)?;
    if batches.is_empty() {
        return Ok(scores);
    }
    if let Some(source) = &scoring.toxicity {
        classify(&mut scores, run, &batches, source)?;
    }
    if let Some(choice) = &scoring.judge {
        let mut judge = Judge::open(choice, run, workers)?;
        add(&mut scores, run, &batches, &mut judge, put_verdict)?;
    }
    take_imported(&mut scores, run, &batches, scoring)?;
    Ok(scores)
}

/// Takes the scores that came with an imported log, where no model was asked for the same.
fn take_imported(scores: &mut Scores, run: &Run, batches: &[Batch<'_>], scoring: &Scoring) -> Result<(), ScorerError> {
    for identity in imported::kept(run.path())? {
        let toxicity = identity.name == "toxicity";
        if (toxicity && scoring.toxicity.is_some()) || (!toxicity && scoring.judge.is_some()) {
            continue;
        }
        let cache = Cache::new(run.path(), &identity);
        for batch in batches {
            let Some((rows, sha256)) = cache.load(batch) else { continue };
            scores.take(batch, &rows, if toxicity { put_toxicity } else { put_verdict });
            scores.note(&cache, batch, run, sha256);
            scores.reused += 1;
        }
        scores.scorers.push(identity);
    }
    Ok(())
}

#[cfg(feature = "engine")]
fn classify(scores: &mut Scores, run: &Run, batches: &[Batch<'_>], source: &ModelSource) -> Result<(), ScorerError> {
    add(scores, run, batches, &mut super::classifier::Classifier::open(source)?, put_toxicity)
}

#[cfg(not(feature = "engine"))]
fn classify(_scores: &mut Scores, _run: &Run, _batches: &[Batch<'_>], source: &ModelSource) -> Result<(), ScorerError> {
    let _ = put_toxicity;
    let why = "this build has no engine; build with the feature `engine`".to_owned();
    Err(ScorerError::Classifier { model: format!("{source:?}"), why })
}

fn add(
    scores: &mut Scores,
    run: &Run,
    batches: &[Batch<'_>],
    scorer: &mut dyn Scorer,
    put: fn(&mut Option<TextScore>, &[f64]),
) -> Result<(), ScorerError> {
    let cache = Cache::new(run.path(), scorer.identity());
    let named = !scorer.identity().model.is_empty();
    scores.scorers.push(scorer.identity().clone());
    let mut missing = Vec::new();
    for batch in batches {
        match cache.load(batch) {
            Some((rows, sha256)) => {
                scores.take(batch, &rows, put);
                if named {
                    scores.note(&cache, batch, run, sha256);
                }
                scores.reused += 1;
            }
            None => missing.push(batch.clone()),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    scorer.score(&missing, &mut |batch, rows| {
        match cache.save(batch, &rows) {
            Err(ScorerError::Records(RecordsError::Write(e))) if is_read_only(&e) => {}
            saved => saved?,
        }
        scores.take(batch, &rows, put);
        if named {
            scores.note(&cache, batch, run, sha256_hex(cache.text(batch, &rows)?.as_bytes()));
        }
        scores.computed += 1;
        Ok(())
    })
}

fn is_read_only(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}
