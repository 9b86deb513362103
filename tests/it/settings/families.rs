//! Which tensors the engine quantizes, architecture by architecture: what was read in its source against what it holds.

use super::made;
use super::*;

/// A small model of an architecture with one layer: its configuration, and the matrices inside the layer.
fn toy(architecture: &str, tied: bool) -> (Value, made::Tensors) {
    let mut config = made::config("base");
    config["architectures"] = json!([architecture]);
    config["num_hidden_layers"] = json!(1);
    config["tie_word_embeddings"] = json!(tied);
    for (key, value) in [
        ("max_window_layers", json!(1)),
        ("use_sliding_window", json!(false)),
        ("sliding_window", json!(1024)),
        ("attn_logit_softcapping", json!(50.0)),
        ("final_logit_softcapping", json!(30.0)),
        ("query_pre_attn_scalar", json!(64)),
        ("no_rope_layer_interval", json!(4)),
        ("original_max_position_embeddings", json!(1024)),
        ("layer_norm_eps", json!(1e-5)),
        ("norm_epsilon", json!(1e-5)),
        ("partial_rotary_factor", json!(if architecture == "PhiForCausalLM" { 0.5 } else { 1.0 })),
        ("qk_layernorm", json!(false)),
        ("use_bias", json!(true)),
    ] {
        config[key] = value;
    }
    if architecture.starts_with("Gemma") {
        config["hidden_act"] = Value::Null;
        config["hidden_activation"] = json!("gelu_pytorch_tanh");
    }
    let attention = [("q_proj", 256), ("k_proj", 128), ("v_proj", 128)];
    let mut matrices: Vec<(String, [usize; 2])> = match architecture {
        "Phi3ForCausalLM" => vec![("self_attn.qkv_proj".into(), [512, 256])],
        _ => attention.map(|(name, rows)| (format!("self_attn.{name}"), [rows, 256])).into(),
    };
    let more: &[(&str, [usize; 2])] = match architecture {
        "Phi3ForCausalLM" => {
            &[("self_attn.o_proj", [256, 256]), ("mlp.gate_up_proj", [1536, 256]), ("mlp.down_proj", [256, 768])]
        }
        "PhiForCausalLM" => &[("self_attn.dense", [256, 256]), ("mlp.fc1", [768, 256]), ("mlp.fc2", [256, 768])],
        "Starcoder2ForCausalLM" => {
            &[("self_attn.o_proj", [256, 256]), ("mlp.c_fc", [768, 256]), ("mlp.c_proj", [256, 768])]
        }
        _ => &[
            ("self_attn.o_proj", [256, 256]),
            ("mlp.gate_proj", [768, 256]),
            ("mlp.up_proj", [768, 256]),
            ("mlp.down_proj", [256, 768]),
        ],
    };
    matrices.extend(more.iter().map(|(name, shape)| ((*name).to_owned(), *shape)));
    let mut tensors = made::Tensors::new();
    let values = |n: usize| (0..n).map(|i| ((i * 37 % 101) as f32 - 50.0) * 1e-3).collect::<Vec<f32>>();
    let mut put = |name: &str, shape: &[usize]| {
        tensors.insert(name.to_owned(), made::f32s(shape, &values(shape.iter().product())));
    };
    put("model.embed_tokens.weight", &[4096, 256]);
    if !tied {
        put("lm_head.weight", &[4096, 256]);
        put("lm_head.bias", &[4096]);
    }
    for (name, [rows, columns]) in matrices {
        put(&format!("model.layers.0.{name}.weight"), &[rows, columns]);
        put(&format!("model.layers.0.{name}.bias"), &[rows]);
    }
    let norms = ["input", "post_attention", "pre_feedforward", "post_feedforward"];
    let norms = norms.map(|n| format!("model.layers.0.{n}_layernorm"));
    for name in norms.iter().map(String::as_str).chain(["model.norm", "model.final_layernorm"]) {
        put(&format!("{name}.weight"), &[256]);
        put(&format!("{name}.bias"), &[256]);
    }
    for name in ["q_norm", "k_norm"] {
        put(&format!("model.layers.0.self_attn.{name}.weight"), &[64]);
    }
    (config, tensors)
}

#[test]
fn every_architecture_that_is_said_to_be_known_is_quantized_where_it_is_said() {
    for (architecture, tied) in [
        ("LlamaForCausalLM", true),
        ("MistralForCausalLM", false),
        ("Qwen2ForCausalLM", true),
        ("Qwen3ForCausalLM", false),
        ("SmolLM3ForCausalLM", true),
        ("GemmaForCausalLM", true),
        ("Gemma2ForCausalLM", true),
        ("Phi3ForCausalLM", false),
        ("Phi3ForCausalLM", true),
        ("PhiForCausalLM", false),
        ("Starcoder2ForCausalLM", true),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let (config, tensors) = toy(architecture, tied);
        let directory = made::directory(&temp.path().join("model"), &config, &tensors);
        let ours = realised(&folder(&directory, QuantScheme::Q4K)).unwrap();
        write_uqff(&directory, mistralrs::IsqType::Q4K, &temp.path().join("q4k.uqff"));
        let own = Box::new(ModelSource::Directory(directory.clone()));
        let source = ModelSource::Uqff { file: temp.path().join("q4k-0.uqff"), model: own };
        let theirs = realised(&setting(source, QuantScheme::Given)).unwrap();
        let q4k = |realised: &Realised| realised.quantized.iter().find(|t| t.format == "Q4K").cloned().unwrap();
        assert_eq!(q4k(&ours), q4k(&theirs), "{architecture} tied {tied}");
        // The file holds every matrix that the pass after loading reaches; what it did not quantize stays dense.
        let dense: u32 = theirs.quantized.iter().filter(|t| t.format != "Q4K").map(|t| t.tensors).sum();
        let expected = match architecture {
            "GemmaForCausalLM" | "Gemma2ForCausalLM" | "Phi3ForCausalLM" => 1,
            "Starcoder2ForCausalLM" => 2,
            _ => 0,
        };
        assert_eq!(dense, expected, "{architecture} tied {tied}: {:?}", theirs.quantized);
    }
}

#[test]
fn an_architecture_whose_source_was_not_read_says_so() {
    let (mut config, tensors) = toy("MistralForCausalLM", false);
    config["architectures"] = json!(["SomethingNewForCausalLM"]);
    let temp = tempfile::tempdir().unwrap();
    let directory = made::directory(temp.path(), &config, &tensors);
    let found = realised(&folder(&directory, QuantScheme::Q4K)).unwrap();
    assert!(found.deviations.iter().any(|d| d.contains("was not read") && d.contains("assumed")), "{found:?}");
    assert!(realised(&folder(&directory, QuantScheme::None)).unwrap().deviations.is_empty());
}
