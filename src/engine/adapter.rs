//! Low-rank adapters: what one asks for, and whether the engine really does it.
//!
//! mistral.rs 0.8.1 merges W + alpha/r · B·A into the weights as it loads them (`merge_lora_weights`,
//! mistralrs-quant/src/lora/mod.rs) and reads nothing but `r`, `lora_alpha`, and `target_modules`. Whatever else an
//! adapter asks for would be left out in silence, so it is refused here.

use super::family::{Pass, divide};
use super::load::{LoadError, ModelFiles};
use super::safetensors;
use crate::spec::setting::ADAPTER_FILES;
use regex::Regex;
use serde_json::Value;
use std::path::Path;

/// Entries of `adapter_config.json` that change the result and that the engine does not read; each must be absent,
/// null, false, empty, or the value given here.
const LEFT_OUT: &[(&str, &str)] = &[
    ("use_dora", ""),
    ("use_rslora", ""),
    ("fan_in_fan_out", ""),
    ("bias", "none"),
    ("modules_to_save", ""),
    ("rank_pattern", ""),
    ("alpha_pattern", ""),
    ("layers_to_transform", ""),
    ("layer_replication", ""),
    ("megatron_config", ""),
    ("lora_bias", ""),
    ("trainable_token_indices", ""),
];

/// Checks an adapter against a model.
///
/// # Errors
/// [`LoadError::Config`], [`LoadError::Unreadable`], or [`LoadError::Weights`]: a file is missing or damaged, it asks
/// for something that the engine leaves out, or it does not fit the model.
pub fn check(directory: &Path, files: &ModelFiles) -> Result<(), LoadError> {
    let [config, weights] = ADAPTER_FILES.map(|name| directory.join(name));
    let wrong = |why: String| LoadError::Config { path: config.clone(), why };
    let text = std::fs::read(&config).map_err(|e| wrong(format!("cannot be read: {}", e.kind())))?;
    let parsed: Value = serde_json::from_slice(&text).map_err(|e| wrong(format!("is not JSON ({e})")))?;
    if let Some((key, _)) = LEFT_OUT.iter().find(|(key, fine)| !is_nothing(&parsed[*key], fine)) {
        let next = "merge the adapter into the checkpoint and name that with `path`";
        return Err(wrong(format!("`{key}` is asked for, which mistral.rs 0.8.1 leaves out without a word; {next}")));
    }
    let rank = parsed["r"].as_u64().filter(|r| *r > 0).ok_or_else(|| wrong("`r` is no positive number".to_owned()))?;
    if parsed["lora_alpha"].as_f64().is_none() {
        return Err(wrong("`lora_alpha` is no number".to_owned()));
    }
    let targets: Vec<&str> =
        parsed["target_modules"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if targets.is_empty() {
        return Err(wrong("`target_modules` must list names; a pattern is not read by mistral.rs".to_owned()));
    }
    let target = Regex::new(&targets.join("|")).map_err(|e| wrong(format!("`target_modules`: {e}")))?;
    let found = safetensors::read_header(&weights).map_err(|why| match why {
        safetensors::HeaderError::Read(why) => LoadError::Unreadable { path: weights.clone(), why },
        why => LoadError::Weights { path: weights.clone(), why },
    })?;
    let mut merged = 0;
    for tensor in divide(files, Pass::Afterwards).linear {
        let Some(module) = tensor.name.strip_suffix(".weight").filter(|m| target.is_match(m)) else { continue };
        let [rows, columns] = tensor.shape[..] else { continue };
        for (part, shape) in [("lora_A", [rank, columns]), ("lora_B", [rows, rank])] {
            let name = format!("base_model.model.{module}.{part}.weight");
            let stored =
                found.iter().find(|t| t.name == name || name.ends_with(&format!("base_model.model.{}", t.name)));
            match stored {
                Some(stored) if stored.shape == shape => merged += 1,
                Some(stored) => {
                    return Err(wrong(format!(
                        "{name} has shape {:?} where the model asks for {shape:?}",
                        stored.shape
                    )));
                }
                None => return Err(wrong(format!("it targets {module}, and {name} is not among its weights"))),
            }
        }
    }
    if merged != found.len() {
        let why = format!(
            "{merged} of its {} tensors belong to linear layers of the model; the others would be left out",
            found.len()
        );
        return Err(wrong(why));
    }
    Ok(())
}

fn is_nothing(value: &Value, fine: &str) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == fine,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}
