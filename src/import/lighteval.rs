//! lighteval: `details_<task>_<date>.parquet`, one row per document with `doc`, `model_response`, and `metric`.
//!
//! A document with as many log-probabilities as choices was scored; one with several choices and a text is a lettered
//! choice; anything else is a continuation.

use super::Source;
use super::error::ImportError;
use super::log::{About, Log, generated, item, sums};
use super::row::Row;
use super::{files, parquet};
use crate::benchmark::{Ask, Candidate, Item, Key, Measure, Role, Subgroup};
use crate::engine::Answer;
use std::collections::BTreeMap;

/// Reads every task of a setting.
pub(super) fn read(source: &Source, log: &mut Log) -> Result<(), ImportError> {
    let wanted = |name: &str| name.starts_with("details_") && name.ends_with(".parquet");
    for path in files::find(&source.path, "details_<task>_<date>.parquet", &wanted)? {
        let rows = parquet::rows(&path)?;
        let mut names = BTreeMap::new();
        for (at, value) in rows.iter().enumerate() {
            let row = Row { value, path: &path, number: at + 1 };
            let task = row.text("doc.task_name")?;
            let (measure, item, answer) = convert(&row)?;
            log.put(
                &About::of_lone_items(&task, measure, measure == Measure::Capability),
                &source.label,
                item,
                answer,
            )?;
            *names.entry(task).or_insert(0) += 1;
        }
        for (task, rows) in names {
            log.note_file(&task, &source.label, &path, rows)?;
        }
    }
    Ok(())
}

type Converted = (Measure, Item, Result<Answer, String>);

fn convert(row: &Row<'_>) -> Result<Converted, ImportError> {
    let id = row.text("doc.id").unwrap_or_else(|_| row.number.to_string());
    let prompt = row.text("doc.query")?;
    let choices = row.texts("doc.choices").unwrap_or_default();
    let length = |path: &str| row.get(path).and_then(|v| v.as_array()).map_or(0, Vec::len);
    let n = choices.len();
    if n > 1 && length("model_response.logprobs") == n {
        let values: Vec<Option<f64>> =
            (0..n).map(|at| row.number(&format!("model_response.logprobs.{at}"))).collect::<Result<_, _>>()?;
        let candidates = choices.into_iter().map(|text| Candidate { context: prompt.clone(), text }).collect();
        let made = keyed(row, item(id.clone(), id, Ask::Likelihood { candidates }), n)?;
        let answer = values.into_iter().collect::<Option<Vec<f64>>>().map(sums);
        return Ok((Measure::Capability, made, answer.ok_or_else(|| "the log has no finite number".to_owned())));
    }
    let text = row.text("model_response.text.0").map(generated).map_err(|_| "the log has no text".to_owned());
    if n > 1 {
        let ask = Ask::generate(prompt, choices, 0, false);
        return Ok((Measure::Capability, keyed(row, item(id.clone(), id, ask), n)?, text));
    }
    let ask = Ask::generate(prompt, Vec::new(), 0, false);
    Ok((Measure::Continuation, item(id.clone(), id, ask), text))
}

/// The right option, and the subject where there is one.
fn keyed(row: &Row<'_>, mut made: Item, n: usize) -> Result<Item, ImportError> {
    let gold = row.index("doc.gold_index").or_else(|_| row.index("doc.gold_index.0"))?;
    if gold as usize >= n {
        return Err(row.wrong("`doc.gold_index` is no index of its choices"));
    }
    made.key = Key { roles: vec![Role::Other; n], gold: Some(gold), ..Key::default() };
    if let Ok(name) = row.text("doc.specific.subject") {
        made.subgroups = vec![Subgroup { axis: "subject".to_owned(), name }];
    }
    Ok(made)
}
