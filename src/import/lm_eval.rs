//! lm-evaluation-harness: `samples_<task>_<date>.jsonl` and `results_<date>.json`.
//!
//! A task whose rows carry `pct_stereotype` holds sentence pairs, the stereotyped one first, as its `crows_pairs` tasks
//! do. A task with several scored continuations per row is a choice with the right one in `target`; a generated text is
//! a continuation. A log has sums over tokens only, so `accuracy_sum` is its `acc` and `accuracy` its `acc_norm`.

use super::Source;
use super::error::ImportError;
use super::files;
use super::log::{About, Log, generated, item, sums};
use super::row::Row;
use crate::benchmark::{Ask, Candidate, Item, Key, Measure, Role, Subgroup};
use crate::engine::Answer;
use regex::Regex;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Fields of a document that say which subgroup it is about.
const SUBGROUP_FIELDS: &[&str] = &["bias_type", "category", "subject", "group", "gender", "race", "religion"];

/// Reads every task of a setting.
pub(super) fn read(source: &Source, log: &mut Log) -> Result<(), ImportError> {
    for (task, path) in samples(&source.path)? {
        let rows = files::json_lines(&path)?;
        let mut about: Option<About> = None;
        for (at, value) in rows.iter().enumerate() {
            let row = Row { value, path: &path, number: at + 1 };
            // A task with several filters logs each row once per filter.
            if row.get("filter").and_then(Value::as_str).is_some_and(|f| f != "none") && rows.iter().any(is_unfiltered)
            {
                continue;
            }
            let (measure, item, answer) = convert(&row)?;
            let about =
                about.get_or_insert_with(|| About::of_lone_items(&task, measure, measure != Measure::Continuation));
            log.put(about, &source.label, item, answer)?;
        }
        log.note_file(&task, &source.label, &path, rows.len())?;
    }
    read_results(&source.path, log)
}

/// The sample files of a folder, with their tasks.
pub(super) fn samples(path: &Path) -> Result<Vec<(String, PathBuf)>, ImportError> {
    static NAME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^samples_(.+?)(?:_\d{4}-\d\d-\d\dT[\d.:-]+)?\.jsonl$").expect("a fixed pattern"));
    let found = files::find(path, "samples_<task>_<date>.jsonl", &|name| NAME.is_match(name))?;
    let task = |path: &Path| {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        NAME.captures(&name).map_or_else(|| name.clone(), |c| c[1].to_owned())
    };
    Ok(found.into_iter().map(|path| (task(&path), path)).collect())
}

fn is_unfiltered(row: &Value) -> bool {
    row["filter"] == "none"
}

fn read_results(path: &Path, log: &mut Log) -> Result<(), ImportError> {
    #[expect(clippy::case_sensitive_file_extension_comparisons, reason = "the tool writes it in lower case")]
    let is_results = |name: &str| name.starts_with("results") && name.ends_with(".json");
    let folder = if path.is_file() { path.parent().unwrap_or(path) } else { path };
    let Ok(found) = files::find(folder, "results_<date>.json", &is_results) else { return Ok(()) };
    for path in found {
        let results = files::json(&path)?;
        let word = |key: &str| results[key].as_str().filter(|t| !t.is_empty()).map(str::to_owned);
        log.version = word("lm_eval_version").unwrap_or_else(|| std::mem::take(&mut log.version));
        log.model_source = word("model_name").unwrap_or_else(|| std::mem::take(&mut log.model_source));
    }
    Ok(())
}

type Converted = (Measure, Item, Result<Answer, String>);

fn convert(row: &Row<'_>) -> Result<Converted, ImportError> {
    let id = row.text("doc_id")?;
    let resps = row.need("resps")?.as_array().ok_or_else(|| row.wrong("`resps` is no list"))?;
    let mut found = match resps.first().and_then(|first| first.get(0)) {
        Some(Value::Array(_)) => scored(row, &id, resps.len())?,
        Some(Value::String(text)) => continuation(row, &id, text)?,
        _ => return Err(row.wrong("`resps` is neither scored nor generated")),
    };
    found.1.subgroups = subgroups(row);
    if let Some(condition) = row.get("doc.context_condition").or_else(|| row.get("doc.condition")) {
        found.1.condition = condition.as_str().map(str::to_owned);
    }
    Ok(found)
}

fn subgroups(row: &Row<'_>) -> Vec<Subgroup> {
    let named = |field: &&str| {
        let name = row.get(&format!("doc.{field}"))?.as_str()?.to_owned();
        Some(Subgroup { axis: (*field).to_owned(), name })
    };
    SUBGROUP_FIELDS.iter().filter_map(named).collect()
}

fn scored(row: &Row<'_>, id: &str, n: usize) -> Result<Converted, ImportError> {
    let text = |at: usize, part: usize| row.text(&format!("arguments.gen_args_{at}.arg_{part}"));
    let mut candidates = Vec::with_capacity(n);
    let mut logprobs = Vec::with_capacity(n);
    for at in 0..n {
        candidates.push(Candidate { context: text(at, 0)?, text: text(at, 1)? });
        logprobs.push(row.number(&format!("resps.{at}.0.0"))?);
    }
    let mut made = item(id, id, Ask::Likelihood { candidates });
    let pairs = row.get("pct_stereotype").is_some() && n == 2;
    made.key = if pairs {
        Key { roles: vec![Role::Stereotype, Role::AntiStereotype], ..Key::default() }
    } else {
        Key { roles: vec![Role::Other; n], gold: Some(gold(row, n)?), ..Key::default() }
    };
    let answer: Option<Vec<f64>> = logprobs.into_iter().collect();
    let answer = answer.map(sums).ok_or_else(|| "the log has no finite number".to_owned());
    Ok((if pairs { Measure::PairPreference } else { Measure::Capability }, made, answer))
}

fn gold(row: &Row<'_>, n: usize) -> Result<u32, ImportError> {
    row.index("target").ok().filter(|at| (*at as usize) < n).ok_or_else(|| {
        row.wrong("`target` is not the index of one of its options; import it with --map, which may name another field")
    })
}

fn continuation(row: &Row<'_>, id: &str, text: &str) -> Result<Converted, ImportError> {
    let prompt = row.text("arguments.gen_args_0.arg_0")?;
    let ask = Ask::generate(prompt, Vec::new(), 0, false);
    Ok((Measure::Continuation, item(id, id, ask), Ok(generated(text.to_owned()))))
}
