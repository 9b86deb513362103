//! PostTrainingBiasBenchmark: `<model>/<dataset>/<axis>.json`, a list of rows with `prompt` and `res`.
//!
//! Open questions are continuations. Closed ones (with `choices` and `res_probs`, normalised and rounded to four
//! decimals) do not say in one way which choice is stereotyped or right, so they need a mapping.

use super::Source;
use super::error::ImportError;
use super::files;
use super::log::{About, Log, generated, item};
use super::mapping::with;
use super::row::Row;
use crate::benchmark::{Ask, Measure, Subgroup};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Reads every data set of a setting.
pub(super) fn read(source: &Source, log: &mut Log) -> Result<(), ImportError> {
    for (path, rows) in rows(&source.path)? {
        let dataset = dataset(&path);
        for (at, value) in rows.iter().enumerate() {
            let row = Row { value, path: &path, number: at + 1 };
            if row.get("choices").is_some() {
                return Err(row.wrong("it is a closed question; say with --map which choice stands for what"));
            }
            let axis = row.text("axis")?;
            let id = format!("{axis}/{}", row.text("idx").unwrap_or_else(|_| row.number.to_string()));
            let ask = Ask::generate(row.text("prompt")?, Vec::new(), 0, false);
            let mut made = item(id.clone(), id, ask);
            let group = row.text("social_group").or_else(|_| row.text("group")).unwrap_or_else(|_| axis.clone());
            made.subgroups = vec![Subgroup { axis, name: group }];
            let answer = row.text("res").map(generated).map_err(|_| "the log has no text in `res`".to_owned());
            log.put(&About::of_lone_items(&dataset, Measure::Continuation, false), &source.label, made, answer)?;
        }
        log.note_file(&dataset, &source.label, &path, rows.len())?;
    }
    Ok(())
}

/// The rows of every file, with `dataset` and `axis` from where they lie.
pub(super) fn rows(path: &Path) -> Result<Vec<(PathBuf, Vec<Value>)>, ImportError> {
    let mut found = Vec::new();
    #[expect(clippy::case_sensitive_file_extension_comparisons, reason = "the tool writes it in lower case")]
    let is_json = |name: &str| name.ends_with(".json");
    for path in files::find(path, "<dataset>/<axis>.json", &is_json)? {
        let Value::Array(rows) = files::json(&path)? else {
            return Err(ImportError::Malformed { path, why: "it is no list of rows".to_owned() });
        };
        let axis = path.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let dataset = dataset(&path);
        let rows = rows.into_iter().map(|row| with(with(row, "dataset", &dataset), "axis", &axis)).collect();
        found.push((path, rows));
    }
    Ok(found)
}

fn dataset(path: &Path) -> String {
    path.parent().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}
