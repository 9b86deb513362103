//! What a GGUF file holds, from its header: the scheme of every tensor is read, never taken from the file's name.
//!
//! It refuses a file that is not made from the model whose setting it is, as far as the header shows that: architecture,
//! layers, dimensions, and tokens.

use super::format::Format;
use super::safetensors::TensorInfo;
use super::{LoadError, ModelFiles};
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Content;
use std::path::Path;

/// A tensor with its storage format.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTensor {
    /// Name and shape.
    pub info: TensorInfo,
    /// How it is stored.
    pub format: Format,
    /// Whether it is the weight of a linear layer: what a scheme is about.
    pub linear: bool,
}

/// Most tokens of a hundred that may differ from the tokenizer's: converters rewrite some with a role of their own.
const OTHER_TOKENS_PERCENT: usize = 1;

/// Reads the header; tensors sorted by name. `model`: the files that the GGUF file is a version of.
///
/// # Errors
/// [`LoadError::Config`]: not readable, not GGUF, or not made from the model.
pub fn tensors(path: &Path, model: &ModelFiles) -> Result<Vec<StoredTensor>, LoadError> {
    let wrong = |why: String| LoadError::Config { path: path.to_owned(), why };
    let mut file = std::fs::File::open(path).map_err(|e| wrong(format!("cannot be read: {}", e.kind())))?;
    let content =
        Content::read(&mut file).map_err(|e| wrong(format!("is not GGUF ({}); fetch the file again", in_words(e))))?;
    same_model(&content, model)
        .map_err(|why| wrong(format!("{why}; give the GGUF file that was made from {}", model.directory.display())))?;
    let mut found: Vec<StoredTensor> = content
        .tensor_infos
        .into_iter()
        .map(|(name, tensor)| StoredTensor {
            format: format(tensor.ggml_dtype),
            linear: is_linear(&name),
            info: TensorInfo {
                dtype: format(tensor.ggml_dtype).name().to_owned(),
                shape: tensor.shape.dims().iter().map(|d| *d as u64).collect(),
                name,
            },
        })
        .collect();
    if found.is_empty() {
        return Err(wrong("holds no tensors".to_owned()));
    }
    found.sort_by(|a, b| a.info.name.cmp(&b.info.name));
    Ok(found)
}

/// candle's message; where the environment asks for backtraces, its errors carry one, which is for its developers.
fn in_words(error: candle_core::Error) -> String {
    match error {
        candle_core::Error::Context { inner, context } => format!("{context}: {}", in_words(*inner)),
        candle_core::Error::WithBacktrace { inner, .. } | candle_core::Error::WithPath { inner, .. } => {
            in_words(*inner)
        }
        other => other.to_string(),
    }
}

/// Whether the header is that of a version of the model; what it does not state is not compared.
fn same_model(content: &Content, model: &ModelFiles) -> Result<(), String> {
    let Some(architecture) = content.metadata.get("general.architecture").and_then(|v| v.to_string().ok()) else {
        return Err("states no `general.architecture`".to_owned());
    };
    if named(model.architecture()).is_some_and(|names| !names.contains(&architecture.as_str())) {
        return Err(format!("is a {architecture:?} and no version of a {}", model.architecture()));
    }
    let stated = |key: &str| content.metadata.get(&format!("{architecture}.{key}")).and_then(|v| v.to_u64().ok());
    let embeddings = content.tensor_infos.get("token_embd.weight").map(|t| t.shape.dims());
    let dimension = |at: usize| embeddings.and_then(|dims| dims.get(at)).map(|d| *d as u64);
    let numbers = [
        ("layers", stated("block_count"), "num_hidden_layers"),
        ("dimensions", stated("embedding_length").or(dimension(1)), "hidden_size"),
        ("rows of embeddings", dimension(0), "vocab_size"),
    ];
    for (what, theirs, key) in numbers {
        if let (Some(theirs), Some(ours)) = (theirs, model.number(key))
            && theirs != ours
        {
            return Err(format!("has {theirs} {what} where the model has {ours} (`{key}`)"));
        }
    }
    same_tokens(content, model)
}

/// What llama.cpp calls an architecture, for those that mistral.rs 0.8.1 reads from GGUF (`gguf/mod.rs`).
fn named(architecture: &str) -> Option<&'static [&'static str]> {
    Some(match architecture {
        "LlamaForCausalLM" | "MixtralForCausalLM" => &["llama"],
        "MistralForCausalLM" => &["llama", "mistral3"],
        "PhiForCausalLM" => &["phi2"],
        "Phi3ForCausalLM" => &["phi3"],
        "Starcoder2ForCausalLM" => &["starcoder2"],
        "Qwen2ForCausalLM" => &["qwen2"],
        "Qwen3ForCausalLM" => &["qwen3"],
        "Qwen3MoeForCausalLM" => &["qwen3moe"],
        _ => return None,
    })
}

/// Whether the ids mean what the model's tokenizer means by them: prompts are made with the latter.
fn same_tokens(content: &Content, model: &ModelFiles) -> Result<(), String> {
    let Some(tokens) = content.metadata.get("tokenizer.ggml.tokens").and_then(|v| v.to_vec().ok()) else {
        return Ok(());
    };
    let tokenizer = std::fs::read(model.directory.join("tokenizer.json")).unwrap_or_default();
    let tokenizer: serde_json::Value = serde_json::from_slice(&tokenizer).unwrap_or_default();
    let Some(vocabulary) = tokenizer["model"]["vocab"].as_object() else { return Ok(()) };
    let differs = vocabulary.iter().filter(|(token, id)| {
        let theirs = id.as_u64().and_then(|id| tokens.get(usize::try_from(id).ok()?)).and_then(|t| t.to_string().ok());
        theirs != Some(*token)
    });
    let differing = differs.count();
    if differing * 100 > vocabulary.len() * OTHER_TOKENS_PERCENT {
        return Err(format!("has other tokens at {differing} of the {} ids of tokenizer.json", vocabulary.len()));
    }
    Ok(())
}

/// Matrices of the layers and the head, by llama.cpp's names.
fn is_linear(name: &str) -> bool {
    let part = |n: &str| {
        ["attn_q", "attn_k", "attn_v", "attn_qkv", "attn_output", "ffn_gate", "ffn_up", "ffn_down"].contains(&n)
    };
    match name.strip_suffix(".weight") {
        Some("output") => true,
        Some(inside) => inside.strip_prefix("blk.").and_then(|n| n.split_once('.')).is_some_and(|(_, n)| part(n)),
        None => false,
    }
}

fn format(dtype: GgmlDType) -> Format {
    match dtype {
        GgmlDType::F32 => Format::F32,
        GgmlDType::F16 => Format::F16,
        GgmlDType::BF16 => Format::Bf16,
        GgmlDType::Q4_0 => Format::Q4_0,
        GgmlDType::Q4_1 => Format::Q4_1,
        GgmlDType::Q5_0 => Format::Q5_0,
        GgmlDType::Q5_1 => Format::Q5_1,
        GgmlDType::Q8_0 => Format::Q8_0,
        GgmlDType::Q8_1 => Format::Q8_1,
        GgmlDType::Q2K => Format::Q2K,
        GgmlDType::Q3K => Format::Q3K,
        GgmlDType::Q4K => Format::Q4K,
        GgmlDType::Q5K => Format::Q5K,
        GgmlDType::Q6K => Format::Q6K,
        GgmlDType::Q8K => Format::Q8K,
    }
}
