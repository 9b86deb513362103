//! `manifest.json`: what a run is (identity, hashed) and how it went (provenance, not hashed).

use super::digest::canonical_json;
use crate::benchmark::Measure;
use crate::engine::Realised;
use crate::fixity::sha256_hex;
use crate::spec::QuantScheme;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Format version of run directories, `major.minor`. Changelog:
///
/// * `1.0` — first format.
/// * `1.1` — records have the columns `thinking` and `thinking_tokens`, both nullable; items may say system prompt,
///   prefilled reply, stop sequences, sampling, and which question they repeat; a served setting may say what its server said
///   of itself.
pub const FORMAT: &str = "1.1";

/// The manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format version.
    pub format: String,
    /// Whether every planned record is there.
    pub complete: bool,
    /// SHA-256 of the canonical JSON of `identity`.
    pub identity_sha256: String,
    /// Everything that the answers depend on.
    pub identity: Identity,
    /// How the run went.
    pub provenance: Provenance,
}

/// Everything that the answers depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The audit's name.
    pub name: String,
    /// Version of quantbias.
    pub quantbias: String,
    /// Which engine.
    pub engine: EngineIdentity,
    /// Models in the order of the spec.
    pub models: Vec<ModelIdentity>,
    /// Settings in the order of the spec.
    pub settings: Vec<SettingIdentity>,
    /// Benchmarks in the order of the spec.
    pub benchmarks: Vec<BenchmarkIdentity>,
}

impl Identity {
    /// SHA-256 of the canonical JSON.
    ///
    /// # Errors
    /// A value that cannot be JSON.
    pub fn sha256(&self) -> serde_json::Result<String> {
        Ok(sha256_hex(canonical_json(self)?.as_bytes()))
    }
}

/// Which engine answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineIdentity {
    /// `mistral.rs` or `scripted`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Build features that change numbers.
    pub features: Vec<String>,
}

/// A model by its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// Name in the spec.
    pub id: String,
    /// Last part of the folder's name, or the hub id with its revision; no path of the machine.
    pub source: String,
    /// Architecture class from `config.json`.
    pub architecture: String,
    /// Number of weights in the files; absent for a served model.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parameters: Option<u64>,
    /// SHA-256 by file name (weights, config, tokenizer, chat template).
    pub files: BTreeMap<String, String>,
}

/// A setting: model, scheme, device, dtype.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingIdentity {
    /// `<model>@<scheme>[+aa]`.
    pub id: String,
    /// Model id.
    pub model: String,
    /// Scheme as requested.
    pub requested: QuantScheme,
    /// Whether this is the baseline of its model.
    pub baseline: bool,
    /// Whether this repeats the baseline, in reverse order of items.
    pub aa: bool,
    /// SHA-256 by name of the files that this setting alone uses: a GGUF file, an importance matrix.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub files: BTreeMap<String, String>,
    /// What the scheme means for this model's tensors on this device.
    pub realised: Realised,
}

/// A benchmark by its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchmarkIdentity {
    /// Name.
    pub name: String,
    /// How answers become numbers.
    pub measure: Measure,
    /// Models that are asked.
    pub models: Vec<String>,
    /// Items.
    pub items: u64,
    /// Clusters.
    pub clusters: u64,
    /// SHA-256 of `items/<name>.jsonl`: every prompt, option order, and key.
    pub items_sha256: String,
    /// SHA-256 by data file.
    pub files: BTreeMap<String, String>,
}

/// How the run went. Not part of the identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// First start, UTC, RFC 3339.
    pub started: String,
    /// Last end; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<String>,
    /// SHA-256 of the analysis plan that stood beside the run when it began.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plan_sha256: Option<String>,
    /// Settings that could not be loaded.
    pub refused: Vec<Refused>,
    /// Records by `benchmark/setting`.
    pub counts: BTreeMap<String, OutcomeCounts>,
    /// SHA-256 by path of every records file.
    pub files: BTreeMap<String, String>,
    /// SHA-256 over the logical rows, sorted by benchmark, setting, item.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub records_sha256: Option<String>,
}

/// A setting that could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Setting id.
    pub setting: String,
    /// Why.
    pub reason: String,
}

/// How many records were answered and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCounts {
    /// With a raw answer.
    pub answered: u64,
    /// Without one.
    pub failed: u64,
}

/// Names what differs between two identities, most telling first, in words for a message.
#[must_use]
pub fn differences(ours: &Identity, theirs: &Identity) -> String {
    let mut found = Vec::new();
    let mut note = |same: bool, what: &str| {
        if !same {
            found.push(what.to_owned());
        }
    };
    note(ours.name == theirs.name, "the audit's name");
    note(ours.models == theirs.models, "the models or their files");
    note(ours.settings == theirs.settings, "the settings");
    note(ours.benchmarks == theirs.benchmarks, "the benchmarks or their items");
    note(ours.engine == theirs.engine, "the engine");
    note(ours.quantbias == theirs.quantbias, "the quantbias version");
    if found.is_empty() {
        return "its identity has another format".to_owned();
    }
    format!("{} differ", found.join(", "))
}
