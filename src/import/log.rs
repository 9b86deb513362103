//! Settings side by side, and the run directory that they become.

use super::error::ImportError;
use super::{Kind, Request};
use crate::benchmark::{BenchmarkData, ClusterId, DataFile, Item, ItemId, Measure};
use crate::engine::{Answer, Finish, Part, Realised, RealisedTensors};
use crate::records::digest::sha256_file;
use crate::records::run_dir::items_sha256;
use crate::records::{
    BenchmarkIdentity, EngineIdentity, Identity, ModelIdentity, NOT_IN_LOG, Record, RecordsError, Run, RunDir,
    SettingIdentity, ShardKey,
};
use crate::scorer::imported::{self, Logged};
use crate::spec::QuantScheme;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Records of one shard, as the runner writes them.
const SHARD: usize = 256;

/// What a benchmark is, as far as its log tells.
#[derive(Debug, Clone)]
pub struct About {
    /// Name; made fit for a file name.
    pub name: String,
    /// Name for readers.
    pub title: String,
    /// How answers become numbers.
    pub measure: Measure,
    /// What makes a cluster, in words.
    pub cluster_unit: String,
    /// What the log lacks, and other weaknesses.
    pub caveats: Vec<String>,
    /// Reference subgroup by axis.
    pub reference: BTreeMap<String, String>,
}

impl About {
    /// A benchmark whose log does not tell what its items have in common; `sums`: scores are summed over tokens.
    pub(super) fn of_lone_items(name: &str, measure: Measure, sums: bool) -> Self {
        let mut caveats = vec![
            "The log does not tell which items are variants of each other: each item is its own cluster.".to_owned(),
        ];
        if sums {
            caveats
                .push("The log has sums over tokens, not tokens: a score per token is one per text here.".to_owned());
        }
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            measure,
            cluster_unit: "item".to_owned(),
            caveats,
            reference: BTreeMap::new(),
        }
    }
}

/// Everything read so far.
#[derive(Debug)]
pub struct Log {
    kind: Kind,
    name: String,
    model: String,
    labels: Vec<String>,
    bits: BTreeMap<String, f64>,
    /// Version of the tool, where the log tells it.
    pub version: String,
    /// The model as the log calls it.
    pub model_source: String,
    drafts: BTreeMap<String, Draft>,
    /// Scores that the log itself has, by benchmark, setting id, and item.
    scores: BTreeMap<(String, String, String), Logged>,
}

#[derive(Debug)]
struct Draft {
    data: BenchmarkData,
    at: BTreeMap<ItemId, usize>,
    answers: BTreeMap<String, BTreeMap<usize, Result<Answer, String>>>,
}

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// SHA-256 of the run's identity.
    pub identity_sha256: String,
    /// Setting ids; the first is the baseline.
    pub settings: Vec<String>,
    /// Items by benchmark.
    pub items: BTreeMap<String, usize>,
    /// What the logs lack, in sentences.
    pub lacks: Vec<String>,
}

impl Log {
    /// An empty log with the request's settings.
    #[must_use]
    pub fn new(request: &Request) -> Self {
        let mut labels: Vec<String> = Vec::new();
        for source in &request.sources {
            if !source.label.is_empty() && !labels.contains(&source.label) {
                labels.push(source.label.clone());
            }
        }
        Self {
            kind: request.kind,
            name: request.name.clone(),
            model: request.model.clone(),
            labels,
            bits: request.bits.clone(),
            version: String::new(),
            model_source: String::new(),
            drafts: BTreeMap::new(),
            scores: BTreeMap::new(),
        }
    }

    /// Notes what the log says of an item's continuation under a setting.
    pub fn score(&mut self, about: &About, label: &str, item: &ItemId, logged: Logged) {
        let key = (file_name(&about.name), setting_id(&self.model, label), item.to_string());
        self.scores.insert(key, logged);
    }

    /// Notes a setting that a table names; those of the request come first.
    pub fn add_label(&mut self, label: &str, baseline: bool) {
        if let Some(at) = self.labels.iter().position(|l| l == label) {
            if baseline && at > 0 {
                let label = self.labels.remove(at);
                self.labels.insert(0, label);
            }
        } else if baseline {
            self.labels.insert(0, label.to_owned());
        } else {
            self.labels.push(label.to_owned());
        }
    }

    /// Adds an item's answer under a setting.
    ///
    /// # Errors
    /// [`ImportError::Twice`], and [`ImportError::Differs`] where another setting was asked something else.
    pub fn put(
        &mut self,
        about: &About,
        label: &str,
        item: Item,
        answer: Result<Answer, String>,
    ) -> Result<(), ImportError> {
        let name = file_name(&about.name);
        let draft = self.drafts.entry(name.clone()).or_insert_with(|| Draft::new(&name, about, self.kind));
        let id = item.id.clone();
        let at = match draft.at.get(&id) {
            Some(&at) if draft.data.items[at] == item => at,
            Some(_) => {
                let (benchmark, item, setting) = (name, id.to_string(), label.to_owned());
                return Err(ImportError::Differs { benchmark, item, setting });
            }
            None => {
                let at = draft.data.items.len();
                draft.at.insert(id.clone(), at);
                draft.data.items.push(item);
                at
            }
        };
        if draft.answers.entry(label.to_owned()).or_default().insert(at, answer).is_some() {
            let (benchmark, item, setting) = (name, id.to_string(), label.to_owned());
            return Err(ImportError::Twice { benchmark, item, setting });
        }
        Ok(())
    }

    /// Notes a file that a benchmark was read from.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn note_file(&mut self, benchmark: &str, label: &str, path: &Path, rows: usize) -> Result<(), ImportError> {
        let sha256 = sha256_file(path).map_err(ImportError::Read)?;
        let own = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(draft) = self.drafts.get_mut(&file_name(benchmark)) {
            let name = if label.is_empty() { own } else { format!("{label}/{own}") };
            draft.data.files.push(DataFile { name, sha256, rows: rows as u64 });
        }
        Ok(())
    }

    /// Writes the run directory.
    ///
    /// # Errors
    /// [`ImportError`]: nothing was read, a name cannot name files, or the folder cannot be written.
    pub fn write(mut self, out: &Path) -> Result<Summary, ImportError> {
        for (what, name) in [("the audit's name", &self.name), ("the model's id", &self.model)]
            .into_iter()
            .chain(self.labels.iter().map(|l| ("a setting's label", l)))
        {
            check_name(what, name)?;
        }
        if self.drafts.is_empty() {
            return Err(ImportError::Nothing { path: out.to_owned(), what: "rows that could be read" });
        }
        let lacks = self.lacks();
        let identity = self.identity(&lacks)?;
        let sha256 = identity.sha256().map_err(|e| json_error(out, &e))?;
        let data: Vec<&BenchmarkData> = self.drafts.values().map(|d| &d.data).collect();
        let mut dir = RunDir::create(out, identity.clone(), &data, true)?;
        for draft in self.drafts.values_mut() {
            for label in &self.labels {
                let setting = setting_id(&self.model, label);
                let records = draft.records(label);
                for (index, chunk) in records.chunks(SHARD).enumerate() {
                    let key =
                        ShardKey { benchmark: draft.data.name.clone(), setting: setting.clone(), index: index as u32 };
                    dir.write_shard(&key, chunk)?;
                }
            }
        }
        dir.finish(Vec::new())?;
        crate::records::seal::seal(out)?;
        drop(dir);
        if !self.scores.is_empty() {
            let of = |benchmark: &str, setting: &str, item: &str| {
                self.scores.get(&(benchmark.to_owned(), setting.to_owned(), item.to_owned())).copied()
            };
            imported::keep(&Run::open(out)?, self.kind.tool(), &of)?;
        }
        Ok(Summary {
            identity_sha256: sha256,
            settings: self.labels.iter().map(|l| setting_id(&self.model, l)).collect(),
            items: self.drafts.values().map(|d| (d.data.name.clone(), d.data.items.len())).collect(),
            lacks,
        })
    }

    /// What no log of this kind says.
    fn lacks(&self) -> Vec<String> {
        let mut lacks = vec![
            format!("Imported from a log of {}: the model's files were not seen and have no hashes.", self.kind.tool()),
            "How weights were stored and multiplied is the label's claim; it was not measured.".to_owned(),
        ];
        let unknown: Vec<&str> =
            self.labels.iter().filter(|l| !self.bits.contains_key(*l)).map(String::as_str).collect();
        if !unknown.is_empty() {
            lacks.push(format!("Bits per weight are not known ({}), and stand as 0.", unknown.join(", ")));
        }
        lacks
    }

    fn identity(&self, lacks: &[String]) -> Result<Identity, ImportError> {
        let benchmarks = self.drafts.values().map(|draft| {
            let data = &draft.data;
            Ok(BenchmarkIdentity {
                name: data.name.clone(),
                measure: data.measure,
                models: vec![self.model.clone()],
                items: data.items.len() as u64,
                clusters: data.items.iter().map(|i| &i.cluster).collect::<BTreeSet<_>>().len() as u64,
                items_sha256: items_sha256(data).map_err(|e| json_error(Path::new(&data.name), &e))?,
                files: data.files.iter().map(|f| (f.name.clone(), f.sha256.clone())).collect(),
            })
        });
        let settings = self.labels.iter().enumerate().map(|(at, label)| SettingIdentity {
            id: setting_id(&self.model, label),
            model: self.model.clone(),
            requested: if at == 0 { QuantScheme::None } else { QuantScheme::Given },
            baseline: at == 0,
            aa: false,
            files: BTreeMap::new(),
            realised: realised(label, at == 0, self.bits.get(label).copied(), if at == 0 { lacks } else { &[] }),
        });
        Ok(Identity {
            name: self.name.clone(),
            quantbias: env!("CARGO_PKG_VERSION").to_owned(),
            engine: EngineIdentity {
                name: format!("imported from {}", self.kind.tool()),
                version: self.version.clone(),
                features: Vec::new(),
            },
            models: vec![ModelIdentity {
                id: self.model.clone(),
                source: if self.model_source.is_empty() { self.model.clone() } else { self.model_source.clone() },
                architecture: "not known".to_owned(),
                parameters: None,
                files: BTreeMap::new(),
            }],
            settings: settings.collect(),
            benchmarks: benchmarks.collect::<Result<_, ImportError>>()?,
        })
    }
}

impl Draft {
    fn new(name: &str, about: &About, kind: Kind) -> Self {
        let data = BenchmarkData {
            name: name.to_owned(),
            title: about.title.clone(),
            measure: about.measure,
            licence: "that of the benchmark; the log does not say".to_owned(),
            citation: format!("Items and answers as logged by {}.", kind.tool()),
            caveats: about.caveats.clone(),
            cluster_unit: about.cluster_unit.clone(),
            reference: about.reference.clone(),
            files: Vec::new(),
            items: Vec::new(),
        };
        Self { data, at: BTreeMap::new(), answers: BTreeMap::new() }
    }

    /// One record per item.
    fn records(&mut self, label: &str) -> Vec<Record> {
        let mut answers = self.answers.remove(label).unwrap_or_default();
        let missing = || Err(NOT_IN_LOG.to_owned());
        let record = |(at, item): (usize, &Item)| Record {
            item: item.id.clone(),
            answer: answers.remove(&at).unwrap_or_else(missing),
        };
        self.data.items.iter().enumerate().map(record).collect()
    }
}

/// Log-likelihoods of whole texts: each stands as one token, because a log of sums does not tell the tokens.
#[must_use]
pub fn sums(logprobs: impl IntoIterator<Item = f64>) -> Answer {
    let part = |(at, logprob): (usize, f64)| Part { label: at.to_string(), tokens: vec![0], logprobs: vec![logprob] };
    Answer::Scored { parts: logprobs.into_iter().enumerate().map(part).collect(), prompt_tokens: 0 }
}

/// Probabilities of words; one of probability 0 has no token.
#[must_use]
pub fn probabilities<'w>(words: impl IntoIterator<Item = (&'w str, f64)>) -> Answer {
    let part = |(word, p): (&str, f64)| {
        let logprobs: Vec<f64> = (p > 0.0).then(|| p.ln()).into_iter().collect();
        Part { label: word.to_owned(), tokens: vec![0; logprobs.len()], logprobs }
    };
    Answer::Scored { parts: words.into_iter().map(part).collect(), prompt_tokens: 0 }
}

/// A text, whose end the log does not explain.
#[must_use]
pub fn generated(text: String) -> Answer {
    Answer::Generated { text, tokens: Vec::new(), finish: Finish::Stop, prompt_tokens: 0, thought: None }
}

/// An item with nothing but its names.
#[must_use]
pub fn item(id: impl Into<String>, cluster: impl Into<String>, ask: crate::benchmark::Ask) -> Item {
    Item {
        id: ItemId::new(id),
        cluster: ClusterId::new(cluster),
        stratum: String::new(),
        subgroups: Vec::new(),
        condition: None,
        ask,
        key: crate::benchmark::Key::default(),
    }
}

fn setting_id(model: &str, label: &str) -> String {
    format!("{model}@{label}")
}

/// What a label claims.
fn realised(label: &str, baseline: bool, bits: Option<f64>, lacks: &[String]) -> Realised {
    let tensors = RealisedTensors { format: label.to_owned(), tensors: 0, weights: 0, bytes: 0 };
    Realised {
        quantized: if baseline { Vec::new() } else { vec![tensors] },
        untouched: Vec::new(),
        bits_per_weight: bits,
        bits_per_weight_model: bits,
        activations: "not known".to_owned(),
        activations_quantized: false,
        device: "not known".to_owned(),
        dtype: if baseline { label.to_owned() } else { "not known".to_owned() },
        deviations: lacks.to_vec(),
    }
}

fn check_name(what: &'static str, name: &str) -> Result<(), ImportError> {
    if name == file_name(name) && !name.is_empty() && name.len() <= 64 && !name.starts_with('.') {
        return Ok(());
    }
    Err(ImportError::Name { what, name: name.to_owned() })
}

/// A name with lower-case letters, digits, `-`, `_`, `.` only.
#[must_use]
pub fn file_name(name: &str) -> String {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let lower = name.to_lowercase();
    let made: String = lower.chars().map(|c| if fine(c) { c } else { '_' }).take(64).collect();
    made.trim_start_matches('.').to_owned()
}

fn json_error(path: &Path, error: &serde_json::Error) -> ImportError {
    ImportError::Records(RecordsError::Malformed { path: path.to_owned(), what: "JSON", why: error.to_string() })
}
