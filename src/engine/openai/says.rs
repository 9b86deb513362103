//! What a server says of its software and of the model: what is the same after a restart, and only that.
//!
//! Answers of other software, or of other weights under the same name, are other answers, so that this belongs to a run's
//! identity. Times and random ids do not: `created` is the start of the process in vLLM and llama.cpp, `permission` holds
//! random ids. It is believed as it stands; nothing here checks it.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Of an entry of the list of models: the software (`vllm`, `llamacpp`), the weights, what they are derived from, and the
/// longest prompt.
const MODEL: [&str; 4] = ["owned_by", "root", "parent", "max_model_len"];
/// Of `meta` of llama.cpp: sizes of the file and of the model in it.
const META: [&str; 6] = ["n_ctx_train", "n_embd", "n_params", "n_vocab", "size", "vocab_type"];
/// Most characters of a value.
const LONGEST: usize = 200;

/// What has been heard.
#[derive(Debug, Default)]
pub(super) struct Says {
    model: BTreeMap<String, String>,
    fingerprints: BTreeSet<Option<String>>,
}

impl Says {
    /// An entry of the list of models.
    pub(super) fn read(&mut self, entry: &Value) {
        let listed = MODEL.iter().map(|key| (*key, &entry[*key]));
        let meta = META.iter().map(|key| (*key, &entry["meta"][*key]));
        for (key, value) in listed.chain(meta) {
            if let Some(value) = plain(value) {
                self.model.insert(key.to_owned(), value);
            }
        }
    }

    /// Any reply.
    pub(super) fn hear(&mut self, reply: &Value) {
        self.fingerprints.insert(plain(&reply["system_fingerprint"]));
    }

    /// What may stand in an identity: a fingerprint only if every reply had the same one.
    pub(super) fn stable(self) -> BTreeMap<String, String> {
        let mut all = self.model;
        let mut fingerprints = self.fingerprints.into_iter();
        if let (Some(Some(one)), None) = (fingerprints.next(), fingerprints.next()) {
            all.insert("system_fingerprint".to_owned(), one);
        }
        all
    }
}

/// A text, number, or truth value on one line and not too long.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect::<String>();
    let visible = visible.trim().to_owned();
    (!visible.is_empty()).then_some(visible)
}
