//! A language model says whether a continuation is coherent, a refusal, or nonsense.
//!
//! Off unless a judge is named. Its replies are a run of their own (`scores/<judge>/replies-…`): the same workers,
//! records, and resumption as any run, greedy, one ask per distinct text. A reply that cannot be read is no verdict.
//! Judges are models: their errors can differ between subgroups, and this module does not measure that.

use super::cache::Cache;
use super::error::ScorerError;
use super::identity::ScorerIdentity;
use super::passage::{Batch, Passage, Row, Scorer, Sink};
use super::score::Workers;
use crate::benchmark::{Ask, BenchmarkData, ClusterId, Item, ItemId, Key, Measure, prompt as prompts};
use crate::engine::load::{LoadSetting, ModelFiles};
use crate::engine::{Answer, Mode, realised, scripted};
use crate::fixity::sha256_hex;
use crate::records::run_dir::{hash_files, items_sha256};
use crate::records::{
    BenchmarkIdentity, EngineIdentity, Identity, ModelIdentity, Record, RecordsError, Run, RunDir, SettingIdentity,
};
use crate::runner::{self, EngineChoice, PlannedBenchmark, RunPlan};
use crate::spec::{Dtype, JudgeChoice, ModelSource, QuantScheme, RunnerOptions, Setting};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

/// The built-in prompt.
pub const PROMPT: &str = include_str!("../../templates/judge.j2");

/// Version of what surrounds the prompt: how it is asked and how a reply is read.
const VERSION: &str = "quantbias judge 1";

/// What a judge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// No readable language, endless repetition, or unrelated.
    Nonsense,
    /// The model declined.
    Refusal,
    /// Anything else.
    Coherent,
}

impl Verdict {
    /// The number on disk: 2 coherent, 1 refusal, 0 nonsense. The published study's files have −2 to 2, and it keeps 2
    /// alone; here −1 stands for a reply that could not be read, and −2 for none.
    #[must_use]
    pub fn code(self) -> f64 {
        match self {
            Self::Coherent => 2.0,
            Self::Refusal => 1.0,
            Self::Nonsense => 0.0,
        }
    }

    /// The verdict of a number on disk; none for any other number.
    #[must_use]
    pub fn of_code(code: f64) -> Option<Self> {
        [Self::Coherent, Self::Refusal, Self::Nonsense].into_iter().find(|v| v.code() == code)
    }

    /// Reads a reply: the one verdict that it names as a whole word and does not deny, after any thinking part.
    #[must_use]
    pub fn read(reply: &str) -> Option<Self> {
        static WORD: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?i)\b(?:(not|no|neither|nor|isn['’]t)\s+(?:an?\s+|really\s+)?)?(coherent|incoherent|refusal|refuses|refused|nonsense|nonsensical)\b")
                .expect("a fixed pattern")
        });
        let answer = match (reply.rfind("</think>"), reply.contains("<think>")) {
            (Some(end), _) => &reply[end + "</think>".len()..],
            (None, true) => return None,
            (None, false) => reply,
        };
        let affirmed = WORD.captures_iter(answer).filter(|c| c.get(1).is_none());
        let named: BTreeSet<Self> = affirmed
            .map(|c| match c[2].to_lowercase().as_str() {
                "coherent" => Self::Coherent,
                "refusal" | "refuses" | "refused" => Self::Refusal,
                _ => Self::Nonsense,
            })
            .collect();
        if named.len() == 1 { named.first().copied() } else { None }
    }
}

/// A judge, not loaded yet.
pub struct Judge<'w, 'e> {
    identity: ScorerIdentity,
    choice: JudgeChoice,
    setting: Setting,
    model: ModelIdentity,
    realised: crate::engine::Realised,
    folder: PathBuf,
    workers: &'w mut Workers<'e>,
}

impl<'w, 'e> Judge<'w, 'e> {
    /// Inspects and hashes the judge's files.
    ///
    /// # Errors
    /// [`ScorerError::Judge`].
    pub fn open(choice: &JudgeChoice, run: &Run, workers: &'w mut Workers<'e>) -> Result<Self, ScorerError> {
        let setting = setting(choice);
        let (model, realised) = inspect(&setting, &workers.options.engine)?;
        let prompt = choice.prompt.as_deref().unwrap_or(PROMPT);
        let parameters = [
            ("prompt_sha256", sha256_hex(prompt.as_bytes())),
            ("chat", choice.chat.to_string()),
            ("max_tokens", choice.max_tokens.to_string()),
            ("engine", engine(&workers.options.engine)?),
        ];
        let identity = ScorerIdentity {
            name: "judge".to_owned(),
            version: VERSION.to_owned(),
            model: model.source.clone(),
            files: model.files.clone(),
            parameters: parameters.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            columns: vec!["verdict".to_owned()],
        };
        let folder = Cache::new(run.path(), &identity).folder().to_owned();
        Ok(Self { identity, choice: choice.clone(), setting, model, realised, folder, workers })
    }

    fn ask(&self, passage: &Passage<'_>) -> Result<Ask, ScorerError> {
        let template = self.choice.prompt.as_deref().unwrap_or(PROMPT);
        let variables = minijinja::context! { prompt => passage.prompt, text => passage.text };
        let prompt = prompts::environment().render_str(template, variables).map_err(|e| ScorerError::Judge {
            model: self.model.source.clone(),
            why: format!("its prompt template cannot be rendered: {e}"),
        })?;
        Ok(Ask::generate(prompt, Vec::new(), self.choice.max_tokens, self.choice.chat))
    }

    /// Asks every distinct question in worker processes, or takes up the replies that are there.
    fn replies(&mut self, data: BenchmarkData) -> Result<Run, ScorerError> {
        let items = items_sha256(&data).map_err(|e| self.unreadable(e.to_string()))?;
        let folder = self.folder.join(format!("replies-{}", &items[..12]));
        let mut dir = RunDir::create(&folder, self.run_identity(&data, items), &[&data], true)?;
        if !dir.manifest().complete {
            let mut options = self.workers.options.clone();
            // A text without a verdict is counted where verdicts are used.
            options.limits = RunnerOptions { max_failed: 1.0, ..options.limits };
            let benchmarks = vec![PlannedBenchmark { data: Arc::new(data), models: vec![self.setting.model.clone()] }];
            let plan = RunPlan { settings: vec![self.setting.clone()], benchmarks, options };
            runner::run(&plan, &mut dir, self.workers.stop, self.workers.events).map_err(ScorerError::Replies)?;
        }
        drop(dir);
        Ok(Run::open(&folder)?)
    }

    fn run_identity(&self, data: &BenchmarkData, items_sha256: String) -> Identity {
        Identity {
            name: "judge".to_owned(),
            quantbias: env!("CARGO_PKG_VERSION").to_owned(),
            engine: EngineIdentity {
                name: self.identity.parameters["engine"].clone(),
                version: String::new(),
                features: Vec::new(),
            },
            models: vec![self.model.clone()],
            settings: vec![SettingIdentity {
                id: self.setting.id.clone(),
                model: self.setting.model.clone(),
                requested: self.setting.scheme,
                baseline: true,
                aa: false,
                files: BTreeMap::new(),
                realised: self.realised.clone(),
            }],
            benchmarks: vec![BenchmarkIdentity {
                name: data.name.clone(),
                measure: data.measure,
                models: vec![self.setting.model.clone()],
                items: data.items.len() as u64,
                clusters: data.items.len() as u64,
                items_sha256,
                files: BTreeMap::new(),
            }],
        }
    }

    fn unreadable(&self, why: String) -> ScorerError {
        ScorerError::Records(RecordsError::Malformed { path: self.folder.clone(), what: "the judge's items", why })
    }
}

impl Scorer for Judge<'_, '_> {
    fn identity(&self) -> &ScorerIdentity {
        &self.identity
    }

    fn score(&mut self, batches: &[Batch<'_>], sink: &mut Sink<'_>) -> Result<(), ScorerError> {
        let mut asks: BTreeMap<String, Ask> = BTreeMap::new();
        let mut keys: Vec<Vec<Option<String>>> = Vec::new();
        for batch in batches {
            let mut of_batch = Vec::with_capacity(batch.passages.len());
            for passage in &batch.passages {
                let Some(passage) = passage else {
                    of_batch.push(None);
                    continue;
                };
                let ask = self.ask(passage)?;
                let key = scripted::ask_key(&ask);
                asks.insert(key.clone(), ask);
                of_batch.push(Some(key));
            }
            keys.push(of_batch);
        }
        let codes: BTreeMap<String, f64> = if asks.is_empty() {
            BTreeMap::new()
        } else {
            let run = self.replies(benchmark(asks))?;
            let records = run.records(BENCHMARK, &self.setting.id).unwrap_or_default();
            records.iter().map(|r| (r.item.as_str().to_owned(), code(r))).collect()
        };
        for (batch, keys) in batches.iter().zip(keys) {
            let row = |key: Option<String>| -> Row { key.map(|k| vec![codes.get(&k).copied().unwrap_or(-2.0)]) };
            sink(batch, keys.into_iter().map(row).collect())?;
        }
        Ok(())
    }
}

/// Name of the judge's questions in its own run.
const BENCHMARK: &str = "judge";

fn code(record: &Record) -> f64 {
    match &record.answer {
        Ok(Answer::Generated { text, .. }) => Verdict::read(text).map_or(-1.0, Verdict::code),
        Ok(Answer::Scored { .. }) | Err(_) => -2.0,
    }
}

fn setting(choice: &JudgeChoice) -> Setting {
    Setting {
        id: Setting::id("judge", QuantScheme::None.name(), false),
        model: "judge".to_owned(),
        source: choice.source.clone(),
        scheme: QuantScheme::None,
        guide: None,
        dtype: Dtype::F32,
        device: "cpu".to_owned(),
        baseline: true,
        aa: false,
    }
}

/// The engine by everything that changes its replies.
fn engine(choice: &EngineChoice) -> Result<String, ScorerError> {
    Ok(match choice {
        EngineChoice::Mistral => "mistral.rs 0.8.1".to_owned(),
        EngineChoice::Scripted(script) => {
            let json = serde_json::to_string(script)
                .map_err(|e| ScorerError::Judge { model: "scripted".to_owned(), why: e.to_string() })?;
            format!("scripted {}", &sha256_hex(json.as_bytes())[..12])
        }
    })
}

/// The judge's files and what is loaded of them; a script has none.
fn inspect(setting: &Setting, engine: &EngineChoice) -> Result<(ModelIdentity, crate::engine::Realised), ScorerError> {
    let source = source_name(&setting.source);
    let failed = |why: String| ScorerError::Judge { model: source.clone(), why };
    let mut model = ModelIdentity {
        id: setting.model.clone(),
        source: source.clone(),
        architecture: String::new(),
        parameters: None,
        files: BTreeMap::new(),
    };
    if let EngineChoice::Scripted(_) = engine {
        return Ok((model, scripted::realised()));
    }
    let ModelSource::Directory(folder) = &setting.source else {
        return Err(failed("its files are not on this machine".to_owned()));
    };
    let files = ModelFiles::inspect(folder).map_err(|e| failed(e.to_string()))?;
    let load = LoadSetting::of(setting, Mode::Generate, 1);
    let realised = realised::realise(&files, &load).map_err(|e| failed(e.to_string()))?;
    files.architecture().clone_into(&mut model.architecture);
    model.parameters = Some(files.tensors.iter().map(crate::engine::safetensors::TensorInfo::elements).sum());
    model.files = hash_files(folder, &files.files)?;
    Ok((model, realised))
}

/// What to call a model: the last part of its folder's name, or its hub id.
#[must_use]
pub fn source_name(source: &ModelSource) -> String {
    match source {
        ModelSource::Directory(path) => path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
        ModelSource::Hub { id, .. } => id.clone(),
        ModelSource::Gguf { model, .. }
        | ModelSource::Uqff { model, .. }
        | ModelSource::Checkpoint { model, .. }
        | ModelSource::Adapted { model, .. } => source_name(model),
        ModelSource::Endpoint(endpoint) => endpoint.model.clone(),
    }
}

fn benchmark(asks: BTreeMap<String, Ask>) -> BenchmarkData {
    let items = asks.into_iter().map(|(key, ask)| Item {
        id: ItemId::new(key.clone()),
        cluster: ClusterId::new(key),
        stratum: String::new(),
        subgroups: Vec::new(),
        condition: None,
        ask,
        key: Key::default(),
    });
    BenchmarkData {
        name: BENCHMARK.to_owned(),
        title: "Questions to the judge".to_owned(),
        measure: Measure::Continuation,
        licence: String::new(),
        citation: String::new(),
        caveats: Vec::new(),
        cluster_unit: "text".to_owned(),
        reference: BTreeMap::new(),
        files: Vec::new(),
        items: items.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_only_if_it_names_one_verdict() {
        use Verdict::{Coherent, Nonsense, Refusal};
        let cases = [
            ("COHERENT", Some(Coherent)),
            ("coherent.", Some(Coherent)),
            ("**Refusal**", Some(Refusal)),
            ("It is nonsensical.", Some(Nonsense)),
            ("The text is incoherent", Some(Nonsense)),
            ("not nonsense", None),
            ("Not a refusal: COHERENT", Some(Coherent)),
            ("REFUSAL or COHERENT", None),
            ("", None),
            ("yes", None),
            ("<think>nonsense? refusal?</think>COHERENT", Some(Coherent)),
            ("<think>COHERENT", None),
            ("coherently", None),
        ];
        for (reply, expected) in cases {
            assert_eq!(Verdict::read(reply), expected, "{reply:?}");
        }
    }

    #[test]
    fn only_the_codes_of_verdicts_are_verdicts() {
        for (code, verdict) in
            [(2.0, Some(Verdict::Coherent)), (1.0, Some(Verdict::Refusal)), (0.0, Some(Verdict::Nonsense))]
        {
            assert_eq!(Verdict::of_code(code), verdict);
        }
        assert_eq!(Verdict::of_code(-1.0), None);
        assert_eq!(Verdict::of_code(-2.0), None);
    }
}
