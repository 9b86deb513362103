//! Checkpoints that were quantized before they were saved: which method, whether this build can run it, what it holds.
//!
//! mistral.rs 0.8.1 reads `quantization_config` of `config.json` (`QuantizedConfig`, mistralrs-quant/src/lib.rs). What
//! its CPU build does with each method was tried with packed weights against the same weights dequantized by hand:
//! float8 in blocks and AFQ give the same log-likelihoods to the last digit; the others are refused here, with the
//! reason, before anything is loaded.

use super::family::{Pass, divide};
use super::format::{Activation, Format};
use super::load::{LoadError, LoadSetting, ModelFiles};
use super::safetensors::TensorInfo;
use super::stored::{Held, Stored};
use crate::spec::QuantScheme;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How a checkpoint was quantized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// GPTQ: bits, group size.
    Gptq(u64, u64),
    /// AWQ: bits, group size.
    Awq(u64, u64),
    /// float8 with a scale per block of rows × columns.
    Float8Blocks(u64, u64),
    /// float8 with one scale per tensor.
    Float8Tensor,
    /// bitsandbytes, 4 bits: `nf4` or `fp4`.
    Bitsandbytes4(String),
    /// bitsandbytes, 8 bits.
    Bitsandbytes8,
    /// AFQ, MLX's affine format: bits, group size.
    Afq(u64, u64),
    /// MXFP4.
    Mxfp4,
}

/// Served elsewhere: what to do with a checkpoint that this build cannot run.
const ELSEWHERE: &str = "serve it with vLLM and name that as `endpoint`, or take a GGUF file of the model";

impl Method {
    /// The method of a model; nothing if it is not quantized.
    ///
    /// # Errors
    /// [`LoadError::Config`]: a method that mistral.rs does not know, or one that says too little.
    pub fn of(files: &ModelFiles) -> Result<Option<Self>, LoadError> {
        let wrong = |why: String| Err(LoadError::Config { path: files.directory.join("config.json"), why });
        let entry = &files.config["quantization_config"];
        if entry.is_null() {
            let mlx = files.config["quantization"].is_object();
            let why = "`quantization` is not read by mistral.rs; repeat it as `quantization_config`";
            return if mlx { wrong(why.to_owned()) } else { Ok(None) };
        }
        let number = |key: &str| entry[key].as_u64().filter(|n| *n > 0);
        let (bits, group) = (number("bits"), number("group_size"));
        let method = match (entry["quant_method"].as_str(), bits, group) {
            (Some("gptq"), Some(bits), Some(group)) => Self::Gptq(bits, group),
            (Some("awq"), Some(bits), Some(group)) => Self::Awq(bits, group),
            (Some("fp8"), ..) => match entry["weight_block_size"].as_array().map(Vec::as_slice) {
                None => Self::Float8Tensor,
                Some([Value::Number(rows), Value::Number(columns)]) => {
                    Self::Float8Blocks(rows.as_u64().unwrap_or(0).max(1), columns.as_u64().unwrap_or(0).max(1))
                }
                Some(_) => return wrong("`weight_block_size` must be two numbers".to_owned()),
            },
            (Some("bitsandbytes"), ..) if entry["load_in_8bit"] == true => Self::Bitsandbytes8,
            (Some("bitsandbytes"), ..) => {
                Self::Bitsandbytes4(entry["bnb_4bit_quant_type"].as_str().unwrap_or("fp4").to_owned())
            }
            (Some("mxfp4"), ..) => Self::Mxfp4,
            (Some("afq") | None, Some(bits @ (2 | 3 | 4 | 6 | 8)), Some(group @ (32 | 64 | 128))) => {
                Self::Afq(bits, group)
            }
            (Some("gptq" | "awq" | "afq") | None, ..) => {
                return wrong("`quantization_config` says no `bits` and `group_size` that mistral.rs takes".to_owned());
            }
            (Some(other), ..) => {
                return wrong(format!("mistral.rs 0.8.1 does not know the quantization method {other:?}: {ELSEWHERE}"));
            }
        };
        if entry["mode"].as_str().is_some_and(|mode| mode != "affine") {
            return wrong(format!("mistral.rs 0.8.1 reads MLX's affine mode only: {ELSEWHERE}"));
        }
        Ok(Some(method))
    }

    /// Name in manifests and reports.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Gptq(bits, group) => format!("GPTQ{bits} g{group}"),
            Self::Awq(bits, group) => format!("AWQ{bits} g{group}"),
            Self::Float8Blocks(rows, columns) => format!("FP8 b{rows}×{columns}"),
            Self::Float8Tensor => "FP8".to_owned(),
            Self::Bitsandbytes4(kind) => format!("BNB {}", kind.to_uppercase()),
            Self::Bitsandbytes8 => "BNB INT8".to_owned(),
            Self::Afq(bits, group) => format!("AFQ{bits} g{group}"),
            Self::Mxfp4 => "MXFP4".to_owned(),
        }
    }

    /// Whether the CPU runs it; else why not and what to do.
    ///
    /// # Errors
    /// The reason.
    pub fn on_cpu(&self) -> Result<(), String> {
        let why = match self {
            Self::Float8Blocks(..) | Self::Afq(..) => return Ok(()),
            Self::Gptq(..) => "GPTQ weights need CUDA: mistral.rs has no CPU product for them",
            Self::Awq(..) => "AWQ weights need CUDA: mistral.rs has no CPU product for them",
            Self::Float8Tensor => {
                "float8 with one scale per tensor needs CUDA: mistral.rs 0.8.1 holds it as bf16, which the CPU does not multiply"
            }
            Self::Bitsandbytes4(_) => {
                "bitsandbytes weights need CUDA: on the CPU mistral.rs 0.8.1 gives blocks the scales of others, so that answers are wrong"
            }
            Self::Bitsandbytes8 => "bitsandbytes in 8 bits is not read by mistral.rs 0.8.1, on any device",
            Self::Mxfp4 => "MXFP4 checkpoints need CUDA or Metal; the scheme `mxfp4` runs on the CPU",
        };
        Err(format!("{why}; {ELSEWHERE}"))
    }

    /// Numbers that a stored matrix stands for.
    fn weights(&self, matrix: &TensorInfo) -> u64 {
        match (self, matrix.dtype.as_str()) {
            (Self::Gptq(bits, _) | Self::Awq(bits, _) | Self::Afq(bits, _), "I32" | "U32") => {
                matrix.elements() * 32 / bits
            }
            (Self::Bitsandbytes4(_) | Self::Mxfp4, "U8") => matrix.elements() * 2,
            _ => matrix.elements(),
        }
    }

    /// What a product does to activations. CPU: the layers dequantize and multiply. CUDA: Marlin, GPTQ, and
    /// bitsandbytes kernels take activations as they are; so does the float8 block product
    /// (mistralrs-quant/kernels/blockwise_fp8), which scales weights up inside.
    #[must_use]
    pub fn activation(&self) -> Activation {
        None
    }
}

/// Endings of the tensors that one packed layer consists of; the matrix itself first, then what only describes it.
const MATRICES: &[&str] = &[".weight", ".qweight", ".blocks"];
const SCALES: &[&str] = &[
    ".scales",
    ".biases",
    ".qzeros",
    ".g_idx",
    ".weight_scale_inv",
    ".weight_scale",
    ".weight.absmax",
    ".weight.nested_absmax",
    ".weight.nested_quant_map",
];
const DESCRIPTIONS: &[&str] = &[
    ".weight.quant_map",
    ".weight.quant_state.bitsandbytes__nf4",
    ".weight.quant_state.bitsandbytes__fp4",
    ".activation_scale",
    ".input_scale",
];

fn ending<'a>(name: &'a str, of: &[&'static str]) -> Option<&'a str> {
    of.iter().find_map(|e| name.strip_suffix(e))
}

/// What the checkpoint holds. Bytes are those in the file: scales that
/// the engine widens in memory are counted as they are stored.
#[must_use]
pub fn held(files: &ModelFiles, method: &Method, setting: &LoadSetting) -> Held {
    let dense = Format::requested(QuantScheme::None, setting.dtype);
    let mut scales: BTreeMap<&str, u64> = BTreeMap::new();
    for tensor in &files.tensors {
        if let Some(base) = ending(&tensor.name, SCALES) {
            *scales.entry(base).or_default() += tensor.bytes();
        }
    }
    let projections: BTreeSet<String> = divide(files, Pass::Loading).linear.into_iter().map(|t| t.name).collect();
    let (mut tensors, mut left) = (Vec::new(), 0);
    for tensor in &files.tensors {
        if ending(&tensor.name, SCALES).is_some() || ending(&tensor.name, DESCRIPTIONS).is_some() {
            continue;
        }
        let packed = ending(&tensor.name, MATRICES).and_then(|base| Some((base, scales.get(base)?)));
        let Some((base, scales)) = packed else {
            // A head is left alone by most methods; a projection that is, is a mixture.
            let linear = projections.contains(&tensor.name) && tensor.name.contains("layers.");
            left += u32::from(linear);
            tensors.push(Stored::new(dense, tensor, linear, setting));
            continue;
        };
        tensors.push(Stored {
            format: method.name(),
            weights: method.weights(tensor),
            bytes: tensor.bytes() + scales,
            linear: !base.ends_with("embed_tokens"),
            activation: method.activation(),
        });
    }
    let linear = tensors.iter().filter(|t| t.linear).count();
    let deviations = (left > 0)
        .then(|| format!("{left} of {linear} matrices in the layers are not quantized in this checkpoint."))
        .into_iter()
        .collect();
    Held { tensors, deviations, ..Held::default() }
}
