//! A setting: model × scheme × dtype × device, under one id that names files and rows.

use super::QuantScheme;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Data type of unquantized tensors and of arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 32-bit: the only one that the CPU multiplies natively, and the default.
    #[default]
    F32,
    /// bfloat16.
    Bf16,
    /// IEEE half.
    F16,
}

impl Dtype {
    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelSource {
    /// A local directory with `config.json`, `*.safetensors`, and `tokenizer.json`.
    Directory(PathBuf),
    /// A Hugging Face hub id with an optional revision.
    Hub {
        /// `owner/name`.
        id: String,
        /// Branch, tag, or commit.
        revision: Option<String>,
    },
    /// A GGUF file; configuration, tokenizer, and chat template are those of the model that it is a version of, so that
    /// the same tokens are scored.
    Gguf {
        /// The file.
        file: PathBuf,
        /// The model.
        model: Box<ModelSource>,
    },
    /// A UQFF file, mistral.rs' own; everything but the quantized matrices is that of the model.
    Uqff {
        /// The file; of several parts (`name-0.uqff`, `name-1.uqff` …) the first.
        file: PathBuf,
        /// The model.
        model: Box<ModelSource>,
    },
    /// Another checkpoint of the model: one that was quantized before it was saved.
    Checkpoint {
        /// Where it comes from: a directory or a hub id.
        checkpoint: Box<ModelSource>,
        /// The model that it is a version of.
        model: Box<ModelSource>,
    },
    /// The model with a low-rank adapter merged into its weights, before they are quantized.
    Adapted {
        /// Directory with `adapter_config.json` and `adapter_model.safetensors`.
        adapter: PathBuf,
        /// The model.
        model: Box<ModelSource>,
    },
    /// A model behind an OpenAI-compatible server.
    Endpoint(Endpoint),
}

impl ModelSource {
    /// The source that has configuration, tokenizer, and chat template: itself, or what it is a version of. A
    /// checkpoint has its own.
    #[must_use]
    pub fn files(&self) -> &Self {
        match self {
            Self::Gguf { model, .. } | Self::Uqff { model, .. } | Self::Adapted { model, .. } => model.files(),
            Self::Checkpoint { checkpoint, .. } => checkpoint.files(),
            Self::Directory(_) | Self::Hub { .. } | Self::Endpoint(_) => self,
        }
    }

    /// The model that this is a version of; itself where it is none.
    #[must_use]
    pub fn model(&self) -> &Self {
        match self {
            Self::Gguf { model, .. }
            | Self::Uqff { model, .. }
            | Self::Adapted { model, .. }
            | Self::Checkpoint { model, .. } => model.model(),
            Self::Directory(_) | Self::Hub { .. } | Self::Endpoint(_) => self,
        }
    }

    /// The same with its files at a local directory.
    #[must_use]
    pub fn at(&self, directory: &Path) -> Self {
        let local = || Box::new(Self::Directory(directory.to_owned()));
        match self {
            Self::Gguf { file, .. } => Self::Gguf { file: file.clone(), model: local() },
            Self::Uqff { file, .. } => Self::Uqff { file: file.clone(), model: local() },
            Self::Adapted { adapter, .. } => Self::Adapted { adapter: adapter.clone(), model: local() },
            Self::Checkpoint { model, .. } => Self::Checkpoint { checkpoint: local(), model: model.clone() },
            Self::Directory(_) | Self::Hub { .. } => Self::Directory(directory.to_owned()),
            Self::Endpoint(_) => self.clone(),
        }
    }

    /// Files that this source has beside those of the model.
    #[must_use]
    pub fn own_files(&self) -> Vec<PathBuf> {
        match self {
            Self::Gguf { file, .. } => vec![file.clone()],
            Self::Uqff { file, .. } => uqff_parts(file),
            Self::Adapted { adapter, .. } => ADAPTER_FILES.map(|name| adapter.join(name)).to_vec(),
            Self::Directory(_) | Self::Hub { .. } | Self::Checkpoint { .. } | Self::Endpoint(_) => Vec::new(),
        }
    }
}

/// Parts of a UQFF file: `name-0.uqff` and those that follow it beside it; else the file alone.
#[must_use]
pub fn uqff_parts(first: &Path) -> Vec<PathBuf> {
    let stem = first.file_stem().and_then(|s| s.to_str()).and_then(|s| s.strip_suffix("-0"));
    let Some(stem) = stem else { return vec![first.to_owned()] };
    let part = |number: usize| first.with_file_name(format!("{stem}-{number}.uqff"));
    let following = (1..).map(part).take_while(|path| path.exists());
    std::iter::once(first.to_owned()).chain(following).collect()
}

/// Files of a low-rank adapter: its configuration and its weights.
pub const ADAPTER_FILES: [&str; 2] = ["adapter_config.json", "adapter_model.safetensors"];

/// A model behind a server. What it was made of is declared, because no server says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Base URL, such as `http://host:8000/v1`.
    pub url: String,
    /// The model's name there.
    pub model: String,
    /// Environment variable that holds the key; the key itself is never written.
    pub key_env: String,
    /// Bits per weight, declared; absent where the audit file does not say it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bits_per_weight: Option<f64>,
    /// How weights are stored, declared: `AWQ 4 bits, groups of 128` …
    pub weights: String,
    /// What happens to activations, declared; `none` if they are not quantized.
    pub activations: String,
}

/// What guides the use of a scheme, beside the weights themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guide {
    /// An importance matrix.
    Imatrix(PathBuf),
    /// A text from which the engine collects one.
    Calibration(PathBuf),
    /// Other schemes for some layers, in mistral.rs' own format.
    Topology(PathBuf),
}

impl Guide {
    /// Its file.
    #[must_use]
    pub fn file(&self) -> &Path {
        match self {
            Self::Imatrix(path) | Self::Calibration(path) | Self::Topology(path) => path,
        }
    }
}

/// One model under one scheme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// `<model>@<scheme>`, with `+aa` for the repeat of the baseline.
    pub id: String,
    /// Model id in the spec.
    pub model: String,
    /// Where the model comes from.
    pub source: ModelSource,
    /// Scheme as requested of the engine; [`QuantScheme::Given`] for what comes quantized.
    pub scheme: QuantScheme,
    /// What guides its rounding.
    pub guide: Option<Guide>,
    /// Data type.
    pub dtype: Dtype,
    /// Device: `cpu` (others where the engine was built for them).
    pub device: String,
    /// Whether this is the baseline of its model.
    pub baseline: bool,
    /// Whether this repeats the baseline, in reverse order of items on a fresh engine.
    pub aa: bool,
}

impl Setting {
    /// The id of a model under a setting's name: the scheme's, or the one given to a `[[setting]]`.
    #[must_use]
    pub fn id(model: &str, name: &str, aa: bool) -> String {
        format!("{model}@{name}{}", if aa { "+aa" } else { "" })
    }
}
