//! What an engine is loaded from, and every way in which that can go wrong, found before the engine is started.
//!
//! [`ModelFiles::inspect`] reads configuration and safetensors headers of a local directory; it reads no weights
//! and starts nothing.

use super::Mode;
use super::safetensors::{self, HeaderError, TensorInfo};
use crate::spec::QuantScheme;
use crate::spec::setting::{Dtype, Guide, ModelSource, Setting};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What to load: one model under one scheme for one mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadSetting {
    /// Where the model comes from.
    pub source: ModelSource,
    /// Scheme as requested.
    pub scheme: QuantScheme,
    /// What guides its rounding.
    pub guide: Option<Guide>,
    /// Data type of unquantized tensors and of arithmetic.
    pub dtype: Dtype,
    /// Device: `cpu`; another one is refused by a build without it.
    pub device: String,
    /// What it will be asked.
    pub mode: Mode,
    /// Threads of one engine; at least 1.
    pub threads: u32,
}

impl LoadSetting {
    /// The engine's view of a setting.
    #[must_use]
    pub fn of(setting: &Setting, mode: Mode, threads: u32) -> Self {
        Self {
            source: setting.source.clone(),
            scheme: setting.scheme,
            guide: setting.guide.clone(),
            dtype: setting.dtype,
            device: setting.device.clone(),
            mode,
            threads: threads.max(1),
        }
    }
}

/// Why an engine cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The directory is not there or cannot be read.
    #[error(
        "model directory {path} cannot be read ({why}): give a directory with config.json, *.safetensors and tokenizer.json"
    )]
    Directory {
        /// As given.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// The hub's files cannot be had.
    #[cfg(feature = "engine")]
    #[error(transparent)]
    Hub(#[from] super::hub::HubError),
    /// A file that every model needs is not there.
    #[error("model directory {path} has no {name}: {next}")]
    NoFile {
        /// The directory.
        path: PathBuf,
        /// The file.
        name: String,
        /// What to do.
        next: &'static str,
    },
    /// A weights file cannot be read.
    #[error("weights {path} cannot be read ({why}): give this user leave to read the file")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// A weights file is damaged.
    #[error("weights {path} are damaged ({why}): fetch the file again and compare its SHA-256")]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: HeaderError,
    },
    /// `config.json` or `tokenizer.json` cannot be used.
    #[error("{path}: {why}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// The device cannot run the scheme, or the engine was not built for the device.
    #[error("scheme {scheme} on {device}: {why}")]
    Unsupported {
        /// As requested.
        scheme: &'static str,
        /// As requested.
        device: String,
        /// The reason, with what to do.
        why: String,
    },
    /// The engine refused the model.
    #[error("mistral.rs cannot load {model}: {why}")]
    Engine {
        /// Directory or hub id.
        model: String,
        /// Its words.
        why: String,
    },
    /// The engine panicked while loading.
    #[error("mistral.rs broke while loading {model}: {why}")]
    Panicked {
        /// Directory or hub id.
        model: String,
        /// The panic's message.
        why: String,
    },
}

/// A local model as its headers describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFiles {
    /// The directory.
    pub directory: PathBuf,
    /// `config.json`.
    pub config: serde_json::Value,
    /// Every tensor of every weights file that the engine loads, in file and name order.
    pub tensors: Vec<TensorInfo>,
    /// Names of the files that make the model what it is, sorted: weights, configuration, tokenizer.
    pub files: Vec<String>,
}

/// Files of a model directory that change what the engine does.
const SMALL_FILES: &[&str] = &[
    "chat_template.jinja",
    "chat_template.json",
    "config.json",
    "generation_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
];

impl ModelFiles {
    /// Reads configuration and headers.
    ///
    /// # Errors
    /// [`LoadError`]: the directory, a file in it, or what a file says.
    pub fn inspect(directory: &Path) -> Result<Self, LoadError> {
        let names = names_in(directory)?;
        for (name, next) in [
            ("config.json", "the engine needs the model's configuration"),
            ("tokenizer.json", "the engine needs the fast tokenizer; save it with transformers' save_pretrained"),
        ] {
            if !names.iter().any(|n| n == name) {
                return Err(LoadError::NoFile { path: directory.to_owned(), name: name.to_owned(), next });
            }
        }
        let config = read_json(&directory.join("config.json"))?;
        check_config(&directory.join("config.json"), &config)?;
        let tokenizer = read_json(&directory.join("tokenizer.json"))?;
        check_tokenizer(&directory.join("tokenizer.json"), &tokenizer)?;
        let weights = loaded(&names);
        if weights.is_empty() {
            let (name, next) = if names.iter().any(|n| n.ends_with(".safetensors")) {
                (
                    "model.safetensors",
                    "mistral.rs takes model, model-1-of-2, or consolidated.safetensors; rename the file",
                )
            } else {
                ("*.safetensors", "only safetensors are read; convert the checkpoint")
            };
            return Err(LoadError::NoFile { path: directory.to_owned(), name: name.to_owned(), next });
        }
        check_index(directory, &names)?;
        let mut tensors = Vec::new();
        for name in &weights {
            let path = directory.join(name);
            tensors.extend(safetensors::read_header(&path).map_err(|why| match why {
                HeaderError::Read(why) => LoadError::Unreadable { path, why },
                why => LoadError::Weights { path, why },
            })?);
        }
        let files = names
            .iter()
            .filter(|n| n.ends_with(".safetensors") || SMALL_FILES.contains(&n.as_str()))
            .cloned()
            .collect();
        Ok(Self { directory: directory.to_owned(), config, tensors, files })
    }

    /// Names of the weights files that the engine loads.
    #[must_use]
    pub fn weights(&self) -> Vec<&str> {
        loaded(&self.files)
    }

    /// An entry of `config.json` that is a whole number.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u64> {
        self.config.get(key).and_then(serde_json::Value::as_u64)
    }

    /// Whether this is a version of a model: the same architecture and shape.
    ///
    /// # Errors
    /// What differs, in words.
    pub fn same_model(&self, model: &Self) -> Result<(), String> {
        if self.architecture() != model.architecture() {
            return Err(format!(
                "{} is a {} and no version of a {}",
                self.directory.display(),
                self.architecture(),
                model.architecture()
            ));
        }
        let shape = ["hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"];
        match shape.iter().find(|key| self.number(key) != model.number(key)) {
            Some(key) => Err(format!(
                "{} has `{key}` {} where the model has {}: it is no version of it",
                self.directory.display(),
                self.number(key).unwrap_or_default(),
                model.number(key).unwrap_or_default()
            )),
            None => Ok(()),
        }
    }

    /// The first entry of `architectures`.
    #[must_use]
    pub fn architecture(&self) -> &str {
        self.config["architectures"][0].as_str().unwrap_or_default()
    }
}

/// The weights among files: those whose names mistral.rs 0.8.1 takes for weights (`pipeline/paths.rs`). Of a checkpoint that
/// holds the weights twice, under Hugging Face's names and Mistral's, the former: the latter's tensors have other names.
fn loaded(names: &[String]) -> Vec<&str> {
    let stems = |wanted: fn(&str) -> bool| -> Vec<&str> {
        let is = |name: &&str| name.strip_suffix(".safetensors").is_some_and(wanted);
        names.iter().map(String::as_str).filter(is).collect()
    };
    let found = stems(|stem| (stem.ends_with("model") && stem != "adapter_model") || is_part(stem));
    if found.is_empty() { stems(|stem| stem.ends_with("consolidated")) } else { found }
}

/// Whether a name ends like `model-1-of-2`.
fn is_part(stem: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    stem.rsplit_once("-of-").is_some_and(|(before, last)| {
        let number = before.rsplit_once("model-").map_or("", |(_, number)| number);
        is_number(last) && is_number(number)
    })
}

fn names_in(directory: &Path) -> Result<Vec<String>, LoadError> {
    let failed = |e: std::io::Error| LoadError::Directory { path: directory.to_owned(), why: e.to_string() };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn read_json(path: &Path) -> Result<serde_json::Value, LoadError> {
    let wrong = |why: String| LoadError::Config { path: path.to_owned(), why };
    let bytes = std::fs::read(path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    serde_json::from_slice(&bytes).map_err(|e| wrong(format!("is not JSON ({e}); fetch the file again")))
}

/// The entries without which mistral.rs stops with a message that does not name the file.
fn check_config(path: &Path, config: &serde_json::Value) -> Result<(), LoadError> {
    let wrong = |why: String| Err(LoadError::Config { path: path.to_owned(), why });
    if !config["architectures"][0].is_string() {
        return wrong("`architectures` must name the model's class, such as [\"LlamaForCausalLM\"]".to_owned());
    }
    for key in ["hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "max_position_embeddings"] {
        if config.get(key).is_none_or(|v| v.as_u64().is_none_or(|n| n == 0)) {
            return wrong(format!(
                "`{key}` is missing or not a positive whole number; take config.json from the model's source"
            ));
        }
    }
    Ok(())
}

fn check_tokenizer(path: &Path, tokenizer: &serde_json::Value) -> Result<(), LoadError> {
    if tokenizer["model"]["vocab"].is_null() {
        let why = "has no `model.vocab`; save the fast tokenizer again".to_owned();
        return Err(LoadError::Config { path: path.to_owned(), why });
    }
    Ok(())
}

/// Every file that the index names is there.
fn check_index(directory: &Path, names: &[String]) -> Result<(), LoadError> {
    const INDEX: &str = "model.safetensors.index.json";
    if !names.iter().any(|n| n == INDEX) {
        return Ok(());
    }
    let index = read_json(&directory.join(INDEX))?;
    let map = index["weight_map"].as_object().into_iter().flatten();
    let missing = map.filter_map(|(_, file)| file.as_str()).find(|file| !names.iter().any(|n| n == file));
    match missing {
        Some(file) => Err(LoadError::NoFile {
            path: directory.to_owned(),
            name: file.to_owned(),
            next: "the index names it; fetch the missing part",
        }),
        None => Ok(()),
    }
}
