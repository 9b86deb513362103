//! A benchmark that a user wrote down: a TOML file that says what the columns of a JSONL or CSV file mean and how
//! the question is put. No code. The demo items come through this same door.
//!
//! ```toml
//! title = "Office sentences"
//! measure = "pair_preference"       # or ambiguous_choice, decision, continuation; see `Measure`
//! licence = "CC0 1.0"
//! citation = "Our own, 2026."
//! cluster_unit = "template"         # what the cluster column counts
//!
//! [reference]                       # optional: reference subgroup of an axis, for signed contrasts
//! gender = "man"
//!
//! [data]
//! file = "office.csv"               # .csv, .tsv, or .jsonl; beside this file
//! sha256 = "…"                      # optional
//!
//! [columns]
//! id = "id"
//! cluster = "template"
//! condition = "condition"           # optional, as are stratum, polarity, gold
//! subgroups = { gender = "gender" } # axis = column; a JSON list, or `;` between names, for several
//!
//! [ask]
//! kind = "likelihood"               # likelihood: candidates; first_token: prompt, words; generate: prompt, options
//! candidates = [
//!   { text = "{{ more }}", role = "stereotype" },
//!   { text = "{{ less }}", role = "anti_stereotype" },
//! ]
//! ```
//!
//! Options may also stand in the rows: `columns.options` names a column with a JSON list, or with `;` between them, and
//! `columns.roles` one with their roles. For `measure = "exact_answer"` there are no options and `gold` is the answer; for
//! `subgroup_choice` every option but the neutral one has `names = { axis = "…", name = "…" }`.
//!
//! `[ask]` may also say how the question is put: `chat`, `max_tokens`, and for every option of that name in the audit file
//! (which then counts instead) `system`, `prefill`, `stop`, `thinking`, `sampling`, `samples`:
//!
//! ```toml
//! [ask]
//! kind = "generate"
//! prompt = "Describe {{ person }}."
//! chat = true
//! system = "You write for {{ readers }}."
//! prefill = "This is"
//! stop = ["\n\n"]
//! samples = 4
//! sampling = { temperature = 0.8, top_p = 0.95 }
//! ```
//!
//! `context`, `text`, `role`, `system`, `prefill` and `prompt` are templates over the columns of the row; a prompt also sees
//! `options` (each with `letter` and `text`). `gold` is an option's text, or its number from 0 as listed in the TOML.
//! Nothing is guessed: an unknown key, a missing column or an unknown role is an error that says where.

use super::decoding::{Sampling, Thinking};
use super::error::LoadError;
use super::item::{BenchmarkData, Measure, Subgroup};
use super::options::{self, AskForm, LoadRequest};
use super::pin::{Pin, PinnedFile};
use super::source::Source;
use super::text::Text;
use super::{axis_above, custom_rows, manner};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// Name of the definition where a folder is given.
pub const DEFINITION: &str = "benchmark.toml";

/// A user's benchmark as written in TOML.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Name for readers.
    pub title: String,
    /// Which family of metrics reads the answers.
    pub measure: Measure,
    /// Licence of the data.
    pub licence: String,
    /// Full citation.
    pub citation: String,
    /// What makes a cluster, in words.
    pub cluster_unit: String,
    /// Known weaknesses that the report must carry.
    #[serde(default)]
    pub caveats: Vec<String>,
    /// Reference subgroup of an axis.
    #[serde(default)]
    pub reference: BTreeMap<String, String>,
    /// Where the rows are.
    pub data: Data,
    /// What the columns mean.
    pub columns: Columns,
    /// How the question is put.
    pub ask: AskTable,
}

/// Where the rows are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// File beside the TOML: `.jsonl`, `.csv` or `.tsv`.
    pub file: Spanned<String>,
    /// SHA-256 that the file must have.
    pub sha256: Option<String>,
}

/// What the columns mean.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Column with the item's id.
    pub id: String,
    /// Column with the cluster.
    pub cluster: String,
    /// Column with the stratum of the cluster.
    pub stratum: Option<String>,
    /// Column with the condition.
    pub condition: Option<String>,
    /// Column with the question's polarity.
    pub polarity: Option<String>,
    /// Column with the right option; for `exact_answer` the right answer.
    pub gold: Option<String>,
    /// Column with the row's own options: a JSON list, or `;` between them. Takes the place of `ask.options`.
    pub options: Option<String>,
    /// Column with the roles of these options, in their order; without it all are `other`.
    pub roles: Option<String>,
    /// Axis and the column that names the item's subgroups on it.
    #[serde(default)]
    pub subgroups: BTreeMap<String, String>,
}

/// How the question is put.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskTable {
    /// Form of the question.
    pub kind: Spanned<AskForm>,
    /// Prompt template of `first_token` and `generate`.
    pub prompt: Option<String>,
    /// Texts of `likelihood`.
    #[serde(default)]
    pub candidates: Vec<Part>,
    /// Answer words of `first_token`.
    #[serde(default)]
    pub words: Vec<Part>,
    /// Options of `generate`; none for a free continuation.
    #[serde(default)]
    pub options: Vec<Part>,
    /// Whether the order of the parts is drawn from the hash of the item's id.
    #[serde(default)]
    pub shuffle: bool,
    /// Whether the model's chat template wraps the prompt.
    #[serde(default)]
    pub chat: bool,
    /// Most tokens to generate.
    pub max_tokens: Option<u32>,
    /// Template of the system's turn.
    pub system: Option<String>,
    /// Template of how the assistant's turn begins.
    pub prefill: Option<String>,
    /// A generated answer ends before the first of these texts.
    #[serde(default)]
    pub stop: Vec<String>,
    /// The marks around a thinking part.
    pub thinking: Option<Thinking>,
    /// How tokens are drawn; greedily without it.
    pub sampling: Option<Sampling>,
    /// How often each question is put.
    pub samples: Option<u32>,
}

/// A candidate, answer word, or option.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Template of what comes before a candidate's text.
    #[serde(default)]
    pub context: String,
    /// Template of the text.
    pub text: String,
    /// Template of the role.
    pub role: String,
    /// For a `subgroup_choice`: templates of the subgroup that the option names; absent for the neutral one.
    pub names: Option<Subgroup>,
}

impl Definition {
    /// Reads the TOML and checks that the parts fit the kind of ask.
    ///
    /// # Errors
    /// [`LoadError::BadDefinition`] with line and column.
    pub fn parse(text: &Text) -> Result<Self, LoadError> {
        let definition: Self = toml::from_str(&text.text).map_err(|e| {
            let at = e.span().map_or(0, |s| s.start);
            text.definition(at, e.message())
        })?;
        definition.check().map_err(|(at, why)| text.definition(at, &why))?;
        Ok(definition)
    }

    /// The parts of this kind of ask.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        match *self.ask.kind.get_ref() {
            AskForm::Likelihood => &self.ask.candidates,
            AskForm::FirstToken => &self.ask.words,
            AskForm::Generate => &self.ask.options,
        }
    }

    fn check(&self) -> Result<(), (usize, String)> {
        let (ask, at) = (&self.ask, self.ask.kind.span().start);
        let kind = *ask.kind.get_ref();
        let no = |why: &str| Err((at, format!("an ask of kind `{}` {why}", kind.as_str())));
        let given = [
            ("candidates", AskForm::Likelihood, !ask.candidates.is_empty()),
            ("words", AskForm::FirstToken, !ask.words.is_empty()),
            ("options", AskForm::Generate, !ask.options.is_empty()),
        ];
        if let Some((name, ..)) = given.iter().find(|(_, form, given)| *given && *form != kind) {
            return no(&format!("has no `{name}`"));
        }
        match kind {
            AskForm::Likelihood if ask.prompt.is_some() => return no("has no `prompt`; use `context` of a candidate"),
            AskForm::Likelihood if ask.system.is_some() || ask.prefill.is_some() => {
                return no("has no `system` and no `prefill`; they belong to a chat");
            }
            AskForm::FirstToken | AskForm::Generate if ask.prompt.is_none() => return no("needs a `prompt`"),
            _ => {}
        }
        let continuation =
            matches!(self.measure, Measure::Continuation | Measure::HurtfulCompletion | Measure::ExactAnswer);
        if self.columns.options.is_some() {
            if kind != AskForm::Generate || continuation {
                return no("cannot have a column of `options`");
            }
            return if ask.options.is_empty() { self.check_file() } else { no("has `options` and a column of them") };
        }
        match self.parts().len() {
            0 if kind == AskForm::Generate && continuation => {}
            _ if continuation => {
                return no("cannot be measured as a continuation: that needs `generate` and no options");
            }
            1 if self.measure == Measure::Descriptor => {}
            0 | 1 => return no("needs at least two candidates, words, or options"),
            2..=26 => {}
            _ => return no("has more than 26 candidates, words, or options"),
        }
        if self.parts().iter().any(|p| !p.context.is_empty()) && kind != AskForm::Likelihood {
            return no("has no `context`; it belongs into the prompt");
        }
        self.check_file()
    }

    fn check_file(&self) -> Result<(), (usize, String)> {
        let file = &self.data.file;
        if separator(file.get_ref()).is_none() {
            return Err((file.span().start, format!("`{}` ends in none of .jsonl, .csv, .tsv", file.get_ref())));
        }
        Ok(())
    }

    /// The request with what the definition says where the user says nothing.
    fn complete(&self, request: &LoadRequest) -> LoadRequest {
        let mut request = request.clone();
        let (options, ask) = (&mut request.options, &self.ask);
        if options.stop.is_empty() {
            options.stop.clone_from(&ask.stop);
        }
        options.thinking = options.thinking.take().or_else(|| ask.thinking.clone());
        options.sampling = options.sampling.or(ask.sampling);
        options.samples = options.samples.or(ask.samples);
        request
    }

    fn pin(&self) -> Pin {
        let file = self.data.file.get_ref().clone();
        let pinned = self.data.sha256.clone().map(|s| PinnedFile {
            name: file,
            url: None,
            published: true,
            sha256: Some(s),
            rows: None,
        });
        Pin {
            title: self.title.clone(),
            home: String::new(),
            base: None,
            licence: self.licence.clone(),
            citation: self.citation.clone(),
            get: "the benchmark's definition names it as `data.file`".into(),
            caveats: self.caveats.clone(),
            files: pinned.into_iter().collect(),
        }
    }
}

/// How the rows of a file are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// One JSON object per line.
    Json,
    /// Fields separated by this byte, with a header.
    Table(u8),
}

pub(super) fn separator(file: &str) -> Option<Rows> {
    match Path::new(file).extension().and_then(|e| e.to_str()) {
        Some("jsonl") => Some(Rows::Json),
        Some("csv") => Some(Rows::Table(b',')),
        Some("tsv") => Some(Rows::Table(b'\t')),
        _ => None,
    }
}

/// Loads a user's benchmark, with the choices of its definition and of the request.
pub(super) fn load(request: &LoadRequest) -> Result<BenchmarkData, LoadError> {
    request.refuse("categories", request.options.categories.is_some())?;
    request.refuse("subgroups", request.options.subgroups.is_some())?;
    request.refuse("ask", request.options.ask.is_some())?;
    let path = if request.folder.is_dir() { request.folder.join(DEFINITION) } else { request.folder.clone() };
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let bytes = std::fs::read(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => LoadError::MissingFile {
            name: path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
            folder: if folder.as_os_str().is_empty() { ".".into() } else { folder.clone() },
            get: "it is the TOML that defines the benchmark".into(),
        },
        _ => LoadError::Unreadable { file: path.clone(), why: e.to_string() },
    })?;
    let definition = Definition::parse(&Text::new(DEFINITION, path, bytes)?)?;
    let mut source = Source::new(&folder, definition.pin(), request.options.allow_unpinned);
    let data = source.text(definition.data.file.get_ref())?;
    let request = &definition.complete(request);
    let data = finish(&definition, request, source, &data)?;
    manner::put(request, options::select(request, data, axis_above)?)
}

/// Builds a benchmark from embedded texts: the definition and its rows.
///
/// # Errors
/// As for a user's files.
pub fn embedded(request: &LoadRequest, definition: &str, rows: &str) -> Result<BenchmarkData, LoadError> {
    let name = format!("{}.toml", request.id);
    let text = Text::new(&name, PathBuf::from(&name), definition.as_bytes().to_vec())?;
    let definition = Definition::parse(&text)?;
    let mut source = Source::new(Path::new(""), definition.pin(), false);
    let data = source.embedded(definition.data.file.get_ref(), rows)?;
    finish(&definition, request, source, &data)
}

fn finish(
    definition: &Definition,
    request: &LoadRequest,
    mut source: Source,
    data: &Text,
) -> Result<BenchmarkData, LoadError> {
    let items = custom_rows::read(definition, request, &mut source, data)?;
    source.rows(&data.name, items.len());
    let (pin, files, found) = source.close();
    Ok(BenchmarkData {
        name: request.id.clone(),
        title: pin.title,
        measure: definition.measure,
        licence: pin.licence,
        citation: pin.citation,
        caveats: pin.caveats.into_iter().chain(found).collect(),
        cluster_unit: definition.cluster_unit.clone(),
        reference: definition.reference.clone(),
        files,
        items,
    })
}
