//! A GGUF file as a setting: the scheme is read from its header, and its answers are those of the same weights.

use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{Device, Tensor};
use quantbias::benchmark::{Ask, Candidate};
use quantbias::engine::load::{LoadSetting, ModelFiles};
use quantbias::engine::realised::realise;
use quantbias::engine::{Answer, Engine, MistralEngine, Mode};
use quantbias::spec::{Dtype, ModelSource, QuantScheme};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

fn base() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models/base")
}

/// llama.cpp's name of a tensor of a Llama checkpoint.
fn name(theirs: &str) -> String {
    match theirs {
        "model.embed_tokens.weight" => return "token_embd.weight".to_owned(),
        "model.norm.weight" => return "output_norm.weight".to_owned(),
        "lm_head.weight" => return "output.weight".to_owned(),
        _ => {}
    }
    let inside = theirs.strip_prefix("model.layers.").unwrap();
    let (layer, rest) = inside.split_once('.').unwrap();
    let part = match rest {
        "input_layernorm.weight" => "attn_norm",
        "post_attention_layernorm.weight" => "ffn_norm",
        "self_attn.q_proj.weight" => "attn_q",
        "self_attn.k_proj.weight" => "attn_k",
        "self_attn.v_proj.weight" => "attn_v",
        "self_attn.o_proj.weight" => "attn_output",
        "mlp.gate_proj.weight" => "ffn_gate",
        "mlp.up_proj.weight" => "ffn_up",
        "mlp.down_proj.weight" => "ffn_down",
        other => panic!("{other}"),
    };
    format!("blk.{layer}.{part}.weight")
}

/// Rows of a query or key projection in llama.cpp's order, which pairs neighbours where transformers pairs halves.
fn rotated(weight: &Tensor, heads: usize) -> Tensor {
    let (rows, columns) = weight.dims2().unwrap();
    let halves = weight.reshape((heads, 2, rows / heads / 2, columns)).unwrap();
    halves.transpose(1, 2).unwrap().contiguous().unwrap().reshape((rows, columns)).unwrap()
}

/// Writes the demo model `base` with its matrices in `dtype`.
fn write(path: &Path, dtype: GgmlDType) {
    write_with(path, dtype, None);
}

/// The same, with a list of tokens.
fn write_with(path: &Path, dtype: GgmlDType, tokens: Option<Vec<String>>) {
    let tensors = candle_core::safetensors::load(base().join("model.safetensors"), &Device::Cpu).unwrap();
    let mut stored: Vec<(String, QTensor)> = tensors
        .iter()
        .map(|(theirs, tensor)| {
            let mut tensor = tensor.to_dtype(candle_core::DType::F32).unwrap();
            if theirs.contains("q_proj") {
                tensor = rotated(&tensor, 4);
            } else if theirs.contains("k_proj") {
                tensor = rotated(&tensor, 2);
            }
            let dtype = if tensor.dims().len() == 1 { GgmlDType::F32 } else { dtype };
            (name(theirs), QTensor::quantize(&tensor, dtype).unwrap())
        })
        .collect();
    stored.sort_by(|a, b| a.0.cmp(&b.0));
    let number = gguf_file::Value::U32;
    let mut metadata: HashMap<&str, gguf_file::Value> = HashMap::from([
        ("general.architecture", gguf_file::Value::String("llama".to_owned())),
        ("llama.context_length", number(1024)),
        ("llama.embedding_length", number(256)),
        ("llama.block_count", number(4)),
        ("llama.feed_forward_length", number(768)),
        ("llama.attention.head_count", number(4)),
        ("llama.attention.head_count_kv", number(2)),
        ("llama.rope.dimension_count", number(64)),
        ("llama.rope.freq_base", gguf_file::Value::F32(10_000.0)),
        ("llama.attention.layer_norm_rms_epsilon", gguf_file::Value::F32(1e-5)),
    ]);
    if let Some(tokens) = tokens {
        let tokens = tokens.into_iter().map(gguf_file::Value::String).collect();
        metadata.insert("tokenizer.ggml.tokens", gguf_file::Value::Array(tokens));
    }
    let metadata: Vec<(&str, &gguf_file::Value)> = metadata.iter().map(|(k, v)| (*k, v)).collect();
    let tensors: Vec<(&str, &QTensor)> = stored.iter().map(|(n, t)| (n.as_str(), t)).collect();
    gguf_file::write(&mut std::fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
}

fn setting(source: ModelSource, scheme: QuantScheme) -> LoadSetting {
    let device = "cpu".to_owned();
    LoadSetting { source, scheme, guide: None, dtype: Dtype::F32, device, mode: Mode::Score, threads: 1 }
}

fn gguf(file: &Path) -> LoadSetting {
    let model = Box::new(ModelSource::Directory(base()));
    setting(ModelSource::Gguf { file: file.to_owned(), model }, QuantScheme::Given)
}

fn likelihoods(setting: &LoadSetting) -> Vec<f64> {
    let candidate = |text: &str| Candidate { context: String::new(), text: text.to_owned() };
    let candidates = ["The nurse said that she was late.", "The engineer said that he was late.", "It rained."];
    let ask = Ask::Likelihood { candidates: candidates.map(candidate).to_vec() };
    let Answer::Scored { parts, .. } = MistralEngine::load(setting).unwrap().answer(&ask).unwrap() else { panic!() };
    parts.iter().map(|p| p.logprobs.iter().sum()).collect()
}

#[test]
fn a_gguf_file_answers_as_the_checkpoint_that_it_was_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("base-misleading-Q2_K.gguf");
    write(&file, GgmlDType::F32);
    let theirs = likelihoods(&gguf(&file));
    let ours = likelihoods(&setting(ModelSource::Directory(base()), QuantScheme::None));
    // Sums of about ten log-probabilities of f32 products in another order: measured difference below 3e-5.
    for (a, b) in ours.iter().zip(&theirs) {
        assert!((a - b).abs() < 2e-4, "{ours:?} {theirs:?}");
    }
}

#[test]
fn the_scheme_of_a_gguf_file_is_read_from_its_header_and_not_from_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("base-f16.gguf");
    write(&file, GgmlDType::Q4_0);
    let realised = realise(&ModelFiles::inspect(&base()).unwrap(), &gguf(&file)).unwrap();
    assert_eq!(realised.quantized.len(), 1);
    assert_eq!((realised.quantized[0].format.as_str(), realised.quantized[0].tensors), ("Q4_0", 4 * 7 + 1));
    assert_eq!(realised.bits_per_weight, Some(4.5));
    assert!(realised.activations_quantized && realised.activations.contains("int8"));
    let untouched: Vec<&str> = realised.untouched.iter().map(|t| t.format.as_str()).collect();
    assert_eq!(untouched, ["Q4_0", "F32"], "embeddings and norms");
}

#[test]
fn a_file_that_is_no_gguf_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.gguf");
    std::fs::write(&file, b"no such thing").unwrap();
    let error = realise(&ModelFiles::inspect(&base()).unwrap(), &gguf(&file)).unwrap_err().to_string();
    assert!(error.contains("x.gguf") && error.contains("is not GGUF"), "{error}");
}

/// The tokens of the demo model `base` by id.
fn tokens() -> Vec<String> {
    let text = std::fs::read(base().join("tokenizer.json")).unwrap();
    let tokenizer: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let vocabulary = tokenizer["model"]["vocab"].as_object().unwrap();
    let mut tokens = vec![String::new(); vocabulary.len()];
    vocabulary.iter().for_each(|(token, id)| tokens[id.as_u64().unwrap() as usize].clone_from(token));
    tokens
}

fn refusal(file: &Path, model: &ModelFiles) -> String {
    realise(model, &gguf(file)).unwrap_err().to_string()
}

#[test]
fn a_gguf_file_of_another_model_is_refused_with_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("base.gguf");
    write(&file, GgmlDType::Q4_0);
    let qwen = ModelFiles::inspect(&base().with_file_name("qwen")).unwrap();
    let error = refusal(&file, &qwen);
    assert!(error.contains("is a \"llama\" and no version of a Qwen3ForCausalLM"), "{error}");
    let model = ModelFiles::inspect(&base()).unwrap();
    for (key, value, words) in [
        ("num_hidden_layers", 5, "has 4 layers where the model has 5"),
        ("hidden_size", 128, "has 256 dimensions where the model has 128"),
        ("vocab_size", 4095, "has 4096 rows of embeddings where the model has 4095"),
    ] {
        let mut other = model.clone();
        other.config[key] = value.into();
        let error = refusal(&file, &other);
        assert!(error.contains(words) && error.contains("base.gguf"), "{error}");
    }
}

#[test]
fn a_gguf_file_with_other_tokens_than_the_tokenizers_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("base.gguf");
    let model = ModelFiles::inspect(&base()).unwrap();
    let mut tokens = tokens();
    write_with(&file, GgmlDType::Q4_0, Some(tokens.clone()));
    assert!(realise(&model, &gguf(&file)).is_ok());
    tokens.rotate_left(1);
    write_with(&file, GgmlDType::Q4_0, Some(tokens));
    let error = refusal(&file, &model);
    assert!(error.contains("other tokens at 4096 of the 4096 ids"), "{error}");
}
