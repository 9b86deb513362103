//! A mapping says which column of a table holds what. Columns are paths: `doc.choices.0`.
//!
//! ```toml
//! [setting]                       # where one file holds several settings
//! column = "scheme"
//! baseline = "bf16"
//!
//! [[benchmark]]
//! name = "pairs"
//! measure = "pair_preference"
//! where = { task = "crows" }      # rows with these values; all rows if absent
//! id = "item"
//! cluster = "template"
//! subgroups = { gender = "about" }
//! answer = { kind = "likelihood", candidates = [
//!     { text = "sent_more", value = "ll_more", role = "stereotype" },
//!     { text = "sent_less", value = "ll_less", role = "anti_stereotype" },
//! ] }
//! ```

use super::error::ImportError;
use super::log::{About, Log, generated, item, probabilities, sums};
use super::row::{Row, as_text};
use super::{Kind, Source, files, helm, lm_eval, paper, parquet, ptbb};
use crate::benchmark::{Ask, Candidate, Item, Key, Measure, Role, Subgroup, fits};
use crate::engine::Answer;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A mapping.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Where one file holds several settings.
    pub setting: Option<SettingMap>,
    /// The benchmarks.
    #[serde(rename = "benchmark")]
    pub benchmarks: Vec<BenchmarkMap>,
}

/// The column that tells settings apart.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingMap {
    /// Column with the setting's label.
    pub column: String,
    /// The label of the baseline.
    pub baseline: String,
}

/// One benchmark.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkMap {
    /// Name in findings.
    pub name: String,
    /// Name for readers; default: the name.
    pub title: Option<String>,
    /// How answers become numbers.
    pub measure: Measure,
    /// Rows of this benchmark: column and value. All rows if empty.
    #[serde(default, rename = "where")]
    pub only: BTreeMap<String, String>,
    /// Column with the item's id, by which settings are paired. Without, every row is an item of its own: settings share
    /// none, and are compared as two samples (unpaired).
    pub id: Option<String>,
    /// Column with the item's cluster; default: each item is its own.
    pub cluster: Option<String>,
    /// What makes a cluster, in words.
    #[serde(default)]
    pub cluster_unit: Option<String>,
    /// Column with the subgroup, by axis. A row without a value is in no subgroup of that axis.
    #[serde(default)]
    pub subgroups: BTreeMap<String, String>,
    /// Reference subgroup by axis.
    #[serde(default)]
    pub reference: BTreeMap<String, String>,
    /// Column with the condition.
    pub condition: Option<String>,
    /// Column with the polarity.
    pub polarity: Option<String>,
    /// Column with the right option: its index from 0, its letter, or its text.
    pub gold: Option<String>,
    /// Column with the prompt.
    pub prompt: Option<String>,
    /// Weaknesses that the report must carry.
    #[serde(default)]
    pub caveats: Vec<String>,
    /// Where the answer is.
    pub answer: AnswerMap,
}

/// Where the answer of a row is.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AnswerMap {
    /// Log-likelihoods in columns of their own.
    Likelihood {
        /// One per candidate.
        candidates: Vec<CandidateMap>,
    },
    /// Log-likelihoods as a list beside a list of options.
    Options {
        /// Column with the list of options.
        options: String,
        /// Column with the list of log-likelihoods.
        values: String,
        /// Role of each option; default: none has a part.
        #[serde(default)]
        roles: Vec<Role>,
    },
    /// Probabilities of answer words.
    Probability {
        /// One per word.
        words: Vec<WordMap>,
    },
    /// Generated text: a choice if there are options, else a continuation.
    Text {
        /// Column with the text.
        text: String,
        /// Columns with the options, or one column with a list of them.
        #[serde(default)]
        options: Vec<String>,
        /// Role of each option; default: none has a part.
        #[serde(default)]
        roles: Vec<Role>,
    },
}

/// One scored text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateMap {
    /// Column with what was read before it.
    pub context: Option<String>,
    /// Column with the text.
    pub text: String,
    /// Column with its log-likelihood, natural log.
    pub value: String,
    /// What it stands for.
    pub role: Role,
}

/// One answer word.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordMap {
    /// The word.
    pub word: String,
    /// Column with its probability.
    pub value: String,
    /// What it stands for.
    pub role: Role,
}

/// What was asked, the parts of its options, and what came.
type Asked = (Ask, Vec<Role>, Result<Answer, String>);

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// [`ImportError::Mapping`], with the place in the file.
    pub fn load(path: &Path) -> Result<Self, ImportError> {
        let text = fs_err::read_to_string(path).map_err(ImportError::Read)?;
        toml::from_str(&text)
            .map_err(|e| ImportError::Mapping(format!("{}: {}", path.display(), e.to_string().trim_end())))
    }

    /// Reads a source's rows through the mapping.
    pub(super) fn read(&self, kind: Kind, source: &Source, log: &mut Log) -> Result<(), ImportError> {
        for (path, rows) in rows(kind, &source.path)? {
            let mut used = BTreeMap::new();
            for (at, value) in rows.iter().enumerate() {
                let row = Row { value, path: &path, number: at + 1 };
                let label = match &self.setting {
                    None => source.label.clone(),
                    Some(map) => {
                        let label = row.text(&map.column)?;
                        log.add_label(&label, label == map.baseline);
                        label
                    }
                };
                for map in self.benchmarks.iter().filter(|map| map.takes(&row)) {
                    let (item, answer) = map.convert(&row, &label)?;
                    log.put(&map.about(), &label, item, answer)?;
                    *used.entry(map.name.as_str()).or_insert(0) += 1;
                }
            }
            for (name, rows) in used {
                log.note_file(name, &source.label, &path, rows)?;
            }
        }
        Ok(())
    }
}

impl BenchmarkMap {
    fn takes(&self, row: &Row<'_>) -> bool {
        self.only.iter().all(|(column, value)| row.get(column).and_then(as_text).is_some_and(|v| v == *value))
    }

    fn about(&self) -> About {
        let own = || if self.cluster.is_some() { "what the mapping names" } else { "item" }.to_owned();
        let mut caveats = self.caveats.clone();
        if self.id.is_none() {
            caveats.push("Items have no ids: settings are not paired, and are compared as two samples.".to_owned());
        }
        About {
            name: self.name.clone(),
            title: self.title.clone().unwrap_or_else(|| self.name.clone()),
            measure: self.measure,
            cluster_unit: self.cluster_unit.clone().unwrap_or_else(own),
            caveats,
            reference: self.reference.clone(),
        }
    }

    fn convert(&self, row: &Row<'_>, label: &str) -> Result<(Item, Result<Answer, String>), ImportError> {
        let file = || row.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let own = || Ok(format!("{label}/{}/{:07}", file(), row.number));
        let id = self.id.as_ref().map_or_else(own, |column| row.text(column))?;
        let cluster = self.cluster.as_ref().map_or_else(|| Ok(id.clone()), |column| row.text(column))?;
        let (ask, roles, answer) = self.ask(row)?;
        let mut made = item(id, cluster, ask);
        for (axis, column) in &self.subgroups {
            if let Some(name) = row.get(column).and_then(as_text).filter(|name| !name.is_empty()) {
                made.subgroups.push(Subgroup { axis: axis.clone(), name });
            }
        }
        made.condition = self.condition.as_ref().map(|column| row.text(column)).transpose()?;
        let polarity = self.polarity.as_ref().map(|column| row.text(column)).transpose()?;
        let gold = self.gold.as_ref().map(|column| gold(row, column, &made.ask)).transpose()?;
        made.key = Key { roles, gold, polarity, ..Key::default() };
        fits(self.measure, &made).map_err(|why| row.wrong(format!("benchmark {}: {why}", self.name)))?;
        Ok((made, answer))
    }

    fn ask(&self, row: &Row<'_>) -> Result<Asked, ImportError> {
        let prompt = self.prompt.as_ref().map_or_else(|| Ok(String::new()), |column| row.text(column))?;
        let lost = || "the log has no finite number".to_owned();
        match &self.answer {
            AnswerMap::Likelihood { candidates } => {
                let texts = candidates.iter().map(|c| {
                    let context = c.context.as_ref().map_or_else(|| Ok(prompt.clone()), |column| row.text(column))?;
                    Ok(Candidate { context, text: row.text(&c.text)? })
                });
                let texts = texts.collect::<Result<_, ImportError>>()?;
                let values: Vec<Option<f64>> =
                    candidates.iter().map(|c| row.number(&c.value)).collect::<Result<_, _>>()?;
                let answer = values.into_iter().collect::<Option<Vec<f64>>>().map(sums).ok_or_else(lost);
                Ok((Ask::Likelihood { candidates: texts }, candidates.iter().map(|c| c.role).collect(), answer))
            }
            AnswerMap::Options { options, values, roles } => {
                let options = row.texts(options)?;
                let n = options.len();
                let found: Vec<Option<f64>> =
                    (0..n).map(|at| row.number(&format!("{values}.{at}"))).collect::<Result<_, _>>()?;
                let answer = found.into_iter().collect::<Option<Vec<f64>>>().map(sums).ok_or_else(lost);
                let candidates = options.into_iter().map(|text| Candidate { context: prompt.clone(), text }).collect();
                Ok((Ask::Likelihood { candidates }, or_other(roles, n), answer))
            }
            AnswerMap::Probability { words } => {
                let found: Vec<Option<f64>> = words.iter().map(|w| row.number(&w.value)).collect::<Result<_, _>>()?;
                let found = found.into_iter().collect::<Option<Vec<f64>>>().ok_or_else(lost);
                let answer = found.map(|p| probabilities(words.iter().map(|w| w.word.as_str()).zip(p)));
                let asked = words.iter().map(|w| w.word.clone()).collect();
                let ask = Ask::first_token(prompt, asked, false);
                Ok((ask, words.iter().map(|w| w.role).collect(), answer))
            }
            AnswerMap::Text { text, options, roles } => {
                let options = match options.as_slice() {
                    [column] if row.get(column).is_some_and(Value::is_array) => row.texts(column)?,
                    columns => columns.iter().map(|column| row.text(column)).collect::<Result<_, _>>()?,
                };
                let roles = if options.is_empty() { Vec::new() } else { or_other(roles, options.len()) };
                let answer = row.text(text).map(generated).map_err(|_| format!("the log has no text in `{text}`"));
                Ok((Ask::generate(prompt, options, 0, false), roles, answer))
            }
        }
    }
}

fn or_other(roles: &[Role], n: usize) -> Vec<Role> {
    if roles.len() == n { roles.to_vec() } else { vec![Role::Other; n] }
}

/// The right option: an index from 0, a letter, or the text of an option.
fn gold(row: &Row<'_>, column: &str, ask: &Ask) -> Result<u32, ImportError> {
    let options: Vec<&str> = match ask {
        Ask::Likelihood { candidates } => candidates.iter().map(|c| c.text.as_str()).collect(),
        Ask::FirstToken { words, .. } => words.iter().map(String::as_str).collect(),
        Ask::Generate { options, .. } => options.iter().map(String::as_str).collect(),
    };
    let value = row.text(column)?;
    let by_text = options.iter().position(|o| o.trim() == value.trim());
    let by_index = || value.trim().parse::<usize>().ok();
    let by_letter = || match value.trim().as_bytes() {
        [letter @ b'A'..=b'Z'] => Some(usize::from(letter - b'A')),
        _ => None,
    };
    let found = by_text.or_else(by_index).or_else(by_letter).filter(|at| *at < options.len());
    found.map(|at| at as u32).ok_or_else(|| row.wrong(format!("`{column}` is {value:?}, which is none of its options")))
}

/// The rows of every file of a source.
fn rows(kind: Kind, path: &Path) -> Result<Vec<(PathBuf, Vec<Value>)>, ImportError> {
    match kind {
        Kind::Table => files::find(path, "table (*.csv, *.jsonl, *.json, *.parquet)", &is_table)?
            .into_iter()
            .map(|path| Ok((path.clone(), table(&path)?)))
            .collect(),
        Kind::LmEval => {
            let tagged = |(task, path): (String, PathBuf)| {
                let rows = files::json_lines(&path)?.into_iter().map(|row| with(row, "task", &task)).collect();
                Ok((path, rows))
            };
            lm_eval::samples(path)?.into_iter().map(tagged).collect()
        }
        Kind::Lighteval => files::find(path, "details_<task>_<date>.parquet", &|n| n.ends_with(".parquet"))?
            .into_iter()
            .map(|path| Ok((path.clone(), parquet::rows(&path)?)))
            .collect(),
        Kind::Paper => files::find(path, "final_result.json", &|n| n == "final_result.json")?
            .into_iter()
            .map(|path| {
                let (benchmark, rows) = paper::rows(&path)?;
                Ok((path, rows.into_iter().map(|row| with(row, "benchmark", &benchmark)).collect()))
            })
            .collect(),
        Kind::Helm => helm::states(path),
        Kind::Ptbb => ptbb::rows(path),
    }
}

fn is_table(name: &str) -> bool {
    [".csv", ".jsonl", ".json", ".parquet"].iter().any(|ending| name.ends_with(ending))
}

/// A row with one more column, unless it has it.
pub(super) fn with(mut row: Value, column: &str, value: &str) -> Value {
    if let Value::Object(map) = &mut row {
        map.entry(column).or_insert_with(|| Value::String(value.to_owned()));
    }
    row
}

fn table(path: &Path) -> Result<Vec<Value>, ImportError> {
    let wrong = |why: String| ImportError::Malformed { path: path.to_owned(), why };
    match path.extension().and_then(|e| e.to_str()) {
        Some("parquet") => parquet::rows(path),
        Some("jsonl") => files::json_lines(path),
        Some("json") => match files::json(path)? {
            Value::Array(rows) => Ok(rows),
            _ => Err(wrong("it is no list of rows".to_owned())),
        },
        _ => {
            let mut reader = csv::Reader::from_path(path).map_err(|e| wrong(e.to_string()))?;
            let header = reader.headers().map_err(|e| wrong(e.to_string()))?.clone();
            let row = |record: csv::StringRecord| -> Value {
                let cell = |text: &str| if text.is_empty() { Value::Null } else { Value::String(text.to_owned()) };
                header.iter().zip(&record).map(|(name, text)| (name.to_owned(), cell(text))).collect()
            };
            reader.records().map(|r| r.map(row).map_err(|e| wrong(e.to_string()))).collect()
        }
    }
}
