//! HELM: `scenario_state.json`, which holds each instance with its request and its result.
//!
//! `per_instance_stats.json` alone has metrics without answers and is not enough. Read are jointly put multiple choices
//! (the completion is a letter), separately scored ones (a log-probability per reference), and generations.

use super::Source;
use super::error::ImportError;
use super::files;
use super::log::{About, Log, generated, item, sums};
use super::row::Row;
use crate::benchmark::{Ask, Candidate, Item, Key, Measure, Role, Subgroup};
use crate::engine::Answer;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FILE: &str = "scenario_state.json";

/// Reads every run of a setting.
pub(super) fn read(source: &Source, log: &mut Log) -> Result<(), ImportError> {
    for (path, rows) in states(&source.path)? {
        let mut by_instance: BTreeMap<String, Vec<Row<'_>>> = BTreeMap::new();
        for (at, value) in rows.iter().enumerate() {
            let row = Row { value, path: &path, number: at + 1 };
            let calibration = row.text("request_mode").is_ok_and(|mode| mode == "calibration");
            if !calibration && row.number("train_trial_index")?.unwrap_or(0.0) == 0.0 {
                by_instance.entry(id(&row)?).or_default().push(row);
            }
        }
        let task = task(&path);
        for (id, rows) in by_instance {
            let (measure, item, answer) = convert(&id, &rows)?;
            log.put(&about(&task, measure), &source.label, item, answer)?;
        }
        if let Some(model) = rows.first().and_then(|row| row["request"]["model"].as_str()) {
            model.clone_into(&mut log.model_source);
        }
        log.note_file(&task, &source.label, &path, rows.len())?;
    }
    Ok(())
}

/// The request states of every run.
pub(super) fn states(path: &Path) -> Result<Vec<(PathBuf, Vec<Value>)>, ImportError> {
    let mut found = Vec::new();
    for path in files::find(path, "scenario_state.json", &|name| name == FILE)? {
        let Value::Object(mut state) = files::json(&path)? else {
            return Err(ImportError::Malformed { path, why: "it is no scenario state".to_owned() });
        };
        let Some(Value::Array(rows)) = state.remove("request_states") else {
            return Err(ImportError::Malformed { path, why: "it has no `request_states`".to_owned() });
        };
        found.push((path, rows));
    }
    Ok(found)
}

/// The run's folder without the model: `mmlu:subject=anatomy,model=openai_gpt2` → `mmlu:subject=anatomy`.
fn task(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let kept = folder.split(',').filter(|part| !part.starts_with("model=") && !part.starts_with("model_deployment="));
    kept.collect::<Vec<_>>().join(",")
}

/// An instance, and which of its variants.
fn id(row: &Row<'_>) -> Result<String, ImportError> {
    let id = row.text("instance.id")?;
    Ok(match row.text("instance.perturbation.name") {
        Ok(name) => format!("{id}/{name}"),
        Err(_) => id,
    })
}

fn about(task: &str, measure: Measure) -> About {
    About {
        name: task.to_owned(),
        title: task.to_owned(),
        measure,
        cluster_unit: "instance".to_owned(),
        caveats: vec!["An instance and its perturbations share a cluster; other variants are not told.".to_owned()],
        reference: BTreeMap::new(),
    }
}

type Converted = (Measure, Item, Result<Answer, String>);

fn convert(id: &str, rows: &[Row<'_>]) -> Result<Converted, ImportError> {
    let row = &rows[0];
    let cluster = row.text("instance.id")?;
    let references = row.get("instance.references").and_then(Value::as_array).map_or(0, Vec::len);
    let text = |at: usize| row.text(&format!("instance.references.{at}.output.text"));
    let options: Vec<String> = (0..references).map(text).collect::<Result<_, _>>()?;
    let prompt = row.text("request.prompt").unwrap_or_default();
    let completion = row.text("result.completions.0.text");
    let (measure, mut made, answer) = if rows.len() > 1 {
        separate(id, &cluster, rows, &options)?
    } else if let Some(Value::Object(mapping)) = row.get("output_mapping") {
        // The options as they were put: A, B, C …
        let put: Vec<String> = mapping.values().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        let n = put.len();
        let ask = Ask::generate(prompt, put.clone(), 0, false);
        let mut made = item(id, cluster, ask);
        made.key = Key { roles: vec![Role::Other; n], gold: right(row, &options, &put)?, ..Key::default() };
        (Measure::Capability, made, completion.map(generated).map_err(|_| "the log has no completion".to_owned()))
    } else {
        let ask = Ask::generate(prompt, Vec::new(), 0, false);
        let answer = completion.map(generated).map_err(|_| "the log has no completion".to_owned());
        (Measure::Continuation, item(id, cluster, ask), answer)
    };
    if let Ok(name) = row.text("instance.sub_split") {
        made.subgroups = vec![Subgroup { axis: "sub_split".to_owned(), name }];
    }
    Ok((measure, made, answer))
}

/// One request per reference, each with the log-probability of its completion.
fn separate(id: &str, cluster: &str, rows: &[Row<'_>], options: &[String]) -> Result<Converted, ImportError> {
    let mut values = vec![None; options.len()];
    for row in rows {
        let at = row.index("reference_index")? as usize;
        let value = row.number("result.completions.0.logprob")?;
        *values.get_mut(at).ok_or_else(|| row.wrong("`reference_index` names no reference"))? = value;
    }
    let candidates = options.iter().map(|text| Candidate { context: String::new(), text: text.clone() }).collect();
    let mut made = item(id, cluster, Ask::Likelihood { candidates });
    made.key =
        Key { roles: vec![Role::Other; options.len()], gold: right(&rows[0], options, options)?, ..Key::default() };
    let answer = values.into_iter().collect::<Option<Vec<f64>>>().map(sums);
    Ok((Measure::Capability, made, answer.ok_or_else(|| "the log lacks a log-probability".to_owned())))
}

/// Where the reference that is marked as correct was put.
fn right(row: &Row<'_>, options: &[String], put: &[String]) -> Result<Option<u32>, ImportError> {
    let marked = (0..options.len()).find(|at| {
        let tags = row.texts(&format!("instance.references.{at}.tags")).unwrap_or_default();
        tags.iter().any(|tag| tag == "correct")
    });
    let at = marked.and_then(|at| put.iter().position(|text| *text == options[at]));
    at.map(|at| Some(at as u32)).ok_or_else(|| row.wrong("no reference is marked as correct"))
}
