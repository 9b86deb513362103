//! Settings beyond the engine's own schemes: what they load, what they realise, and what is refused before loading.

mod checkpoint;

use crate::auditing::{quantbias, stdout};
use checkpoint as made;
use quantbias::benchmark::{Ask, Candidate};
use quantbias::engine::load::{LoadSetting, ModelFiles};
use quantbias::engine::realised::realise;
use quantbias::engine::{Answer, Engine, MistralEngine, Mode, Realised};
use quantbias::spec::{Dtype, Guide, ModelSource, QuantScheme};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn setting(source: ModelSource, scheme: QuantScheme) -> LoadSetting {
    let device = "cpu".to_owned();
    LoadSetting { source, scheme, guide: None, dtype: Dtype::F32, device, mode: Mode::Score, threads: 1 }
}

fn folder(path: &Path, scheme: QuantScheme) -> LoadSetting {
    setting(ModelSource::Directory(path.to_owned()), scheme)
}

/// Log-likelihoods of three sentences.
fn likelihoods(setting: &LoadSetting) -> Result<Vec<f64>, String> {
    let candidate = |text: &str| Candidate { context: String::new(), text: text.to_owned() };
    let candidates = ["The nurse said that she was late.", "The engineer said that he was late.", "It rained."];
    let ask = Ask::Likelihood { candidates: candidates.map(candidate).to_vec() };
    let mut engine = MistralEngine::load(setting).map_err(|e| e.to_string())?;
    let Answer::Scored { parts, .. } = engine.answer(&ask).map_err(|e| e.to_string())? else { panic!("not scored") };
    Ok(parts.iter().map(|p| p.logprobs.iter().sum()).collect())
}


fn realised(setting: &LoadSetting) -> Result<Realised, String> {
    let ModelSource::Directory(directory) = setting.source.files() else { panic!("a local model") };
    realise(&ModelFiles::inspect(directory).unwrap(), setting).map_err(|e| e.to_string())
}

fn formats(realised: &Realised) -> Vec<(&str, u32)> {
    realised.quantized.iter().map(|t| (t.format.as_str(), t.tensors)).collect()
}

fn model(name: &str) -> Box<ModelSource> {
    Box::new(ModelSource::Directory(made::demo(name)))
}

/// Writes a model's UQFF file with mistral.rs itself.
fn write_uqff(directory: &Path, isq: mistralrs::IsqType, to: &Path) {
    let builder = mistralrs::TextModelBuilder::new(directory.display().to_string())
        .with_dtype(mistralrs::ModelDType::F32)
        .with_force_cpu()
        .with_isq(isq)
        .write_uqff(to.to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    drop(runtime.block_on(builder.build()).unwrap());
}

#[test]
fn a_uqff_file_answers_as_the_scheme_that_it_was_written_with_bit_for_bit() {
    use mistralrs::IsqType as I;
    let temp = tempfile::tempdir().unwrap();
    for (name, scheme, isq) in [
        ("base", QuantScheme::Q4K, I::Q4K),
        ("base", QuantScheme::Q8_0, I::Q8_0),
        ("base", QuantScheme::Hqq4, I::HQQ4),
        ("base", QuantScheme::F8e4m3, I::F8E4M3),
        ("base", QuantScheme::F8q8, I::F8Q8),
        ("base", QuantScheme::Mxfp4, I::MXFP4),
        ("qwen", QuantScheme::Q2K, I::Q2K),
        ("qwen", QuantScheme::Afq3, I::AFQ3),
    ] {
        let at = temp.path().join(scheme.name());
        // The name says something else than what is in it.
        write_uqff(&made::demo(name), isq, &at.join("q5k.uqff"));
        let uqff = setting(ModelSource::Uqff { file: at.join("q5k-0.uqff"), model: model(name) }, QuantScheme::Given);
        let asked = setting(*model(name), scheme);
        let (theirs, ours) = (realised(&uqff).unwrap(), realised(&asked).unwrap());
        assert_eq!(formats(&theirs), formats(&ours), "{scheme:?}");
        assert_eq!(theirs.quantized[0].bytes, ours.quantized[0].bytes, "{scheme:?}");
        assert_eq!(theirs.bits_per_weight_model, ours.bits_per_weight_model, "{scheme:?}");
        assert_eq!(theirs.activations, ours.activations, "{scheme:?}");
        assert_eq!(likelihoods(&uqff).unwrap(), likelihoods(&asked).unwrap(), "{scheme:?}");
    }
}

#[test]
fn a_uqff_file_that_is_damaged_or_of_another_model_is_refused_by_name() {
    let temp = tempfile::tempdir().unwrap();
    let refusal = |file: &str, name: &str| {
        let source = ModelSource::Uqff { file: temp.path().join(file), model: model(name) };
        realised(&setting(source, QuantScheme::Given)).unwrap_err()
    };
    std::fs::write(temp.path().join("text.uqff"), "no such thing").unwrap();
    assert!(refusal("text.uqff", "base").contains("text.uqff: is no UQFF file"));
    assert!(refusal("none.uqff", "base").contains("none.uqff"));
    let one = |bytes: Vec<u8>| made::Tensors::from([("0".to_owned(), made::bytes("U8", &[bytes.len()], bytes))]);
    made::write(&temp.path().join("new.uqff"), &one(vec![0, 3, 0, 0, 0]));
    assert!(refusal("new.uqff", "base").contains("UQFF 0.3.0 is newer"), "{}", refusal("new.uqff", "base"));
    made::write(&temp.path().join("short.uqff"), &one(vec![0, 2, 0, 0, 0, 9]));
    assert!(refusal("short.uqff", "base").contains("layer 0: it ends too early"));
    made::write(&temp.path().join("kind.uqff"), &one(vec![0, 2, 0, 0, 77]));
    assert!(refusal("kind.uqff", "base").contains("kind 77"));
    write_uqff(&made::demo("base"), mistralrs::IsqType::Q4K, &temp.path().join("q4k.uqff"));
    assert!(refusal("q4k-0.uqff", "qwen").contains("are not the 22 linear layers of"));
}

fn topology(text: &str, scheme: QuantScheme) -> (tempfile::TempDir, LoadSetting) {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("topology.yml");
    std::fs::write(&file, text).unwrap();
    let mut setting = setting(*model("base"), scheme);
    setting.guide = Some(Guide::Topology(file));
    (temp, setting)
}

#[test]
fn a_topology_reaches_the_layers_that_it_names_and_no_others() {
    let (_temp, all) = topology("0-4:\n  isq: Q4K\n'/lm_head/':\n  isq: Q4K\n", QuantScheme::None);
    let q4k = setting(*model("base"), QuantScheme::Q4K);
    assert_eq!(realised(&all).unwrap(), realised(&q4k).unwrap());
    assert_eq!(likelihoods(&all).unwrap(), likelihoods(&q4k).unwrap());
    let (_temp, some) = topology("2-4:\n  isq: Q2K\n", QuantScheme::None);
    let found = realised(&some).unwrap();
    assert_eq!(formats(&found), [("F32", 15), ("Q2K", 14)]);
    assert_eq!(found.activations, "int8 dynamic, blocks of 256 / none");
    // Layer 3 of the topology alone is not layer 0: both differ from the whole, and from each other.
    let under = |text: &str| {
        let (_temp, setting) = topology(text, QuantScheme::None);
        likelihoods(&setting).unwrap()
    };
    let (first, last) = (under("0:\n  isq: Q2K\n"), under("3:\n  isq: Q2K\n"));
    let named = under("'/layers\\.3\\./':\n  isq: Q2K\n");
    assert_eq!(last, named, "a range and a pattern for the same layer");
    assert_ne!(last, first);
}

#[test]
fn a_topology_beside_a_scheme_leaves_the_other_layers_to_it() {
    let (_temp, mixed) = topology("1:\n  isq: Q8_0\n'/down_proj/':\n  isq: Q6K\n", QuantScheme::Q4K);
    let found = realised(&mixed).unwrap();
    assert_eq!(formats(&found), [("Q4K", 19), ("Q6K", 4), ("Q8_0", 6)]);
    assert!(found.deviations.is_empty());
    // Rounded once: what the topology does not name is as under the scheme alone, so a topology that names nothing
    // new changes nothing.
    let (_temp, same) = topology("1:\n  isq: Q4K\n", QuantScheme::Q4K);
    assert_eq!(likelihoods(&same).unwrap(), likelihoods(&setting(*model("base"), QuantScheme::Q4K)).unwrap());
    assert_ne!(likelihoods(&mixed).unwrap(), likelihoods(&same).unwrap());
}

#[test]
fn a_topology_that_means_nothing_here_is_refused_in_words() {
    let refusal = |text: &str| {
        let (_temp, s) = topology(text, QuantScheme::Q4K);
        realised(&s).unwrap_err()
    };
    for (text, words) in [
        ("0-2:\n  isq: 4\n", "another scheme on each device"),
        ("0-2:\n  isq: Q4K\n  device: cuda[0]\n", "not divided among devices"),
        ("0-9:\n  isq: Q4K\n", "names layer 8, and the model has 4"),
        ("'/experts/':\n  isq: Q4K\n", "no linear layer of the model matches"),
        ("0-2:\n  isq: Q4_7\n", "is no topology"),
        ("0-2: {}\n", "names no scheme"),
        ("[1, 2", "is no topology"),
    ] {
        assert!(refusal(text).contains(words), "{text}: {}", refusal(text));
    }
    let mut missing = setting(*model("base"), QuantScheme::Q4K);
    missing.guide = Some(Guide::Topology("no/such.yml".into()));
    assert!(realised(&missing).unwrap_err().contains("no/such.yml: cannot be read"));
}

fn layers(name: &str) -> bool {
    name.contains("layers.") && name.ends_with("_proj.weight")
}

fn layers_and_head(name: &str) -> bool {
    layers(name) || name.starts_with("lm_head")
}

fn matrices(name: &str) -> bool {
    layers_and_head(name) || name.contains("embed_tokens")
}

/// A setting whose checkpoint is packed, and the model's name that it is a version of.
fn version(packed: &Path, name: &str) -> LoadSetting {
    let checkpoint = Box::new(ModelSource::Directory(packed.to_owned()));
    setting(ModelSource::Checkpoint { checkpoint, model: model(name) }, QuantScheme::Given)
}

#[test]
fn packed_checkpoints_answer_as_their_weights_dequantized_by_hand() {
    let temp = tempfile::tempdir().unwrap();
    let float8 = json!({ "quant_method": "fp8", "weight_block_size": [128, 128] });
    let afq = |bits: usize, group: usize| json!({ "bits": bits, "group_size": group });
    // Bits by hand: float8 has one f32 for 128 · 128; AFQ here two f32 for a group.
    let float8_bits = 8.0 + 32.0 / (128.0 * 128.0);
    let kinds: [(&str, &str, _, f64, &dyn Fn(&str) -> bool, made::Pack<'_>); 6] = [
        ("FP8 b128×128", "base", float8, float8_bits, &layers, &made::float8(Some([128, 128]))),
        ("AFQ2 g64", "base", afq(2, 64), 3.0, &matrices, &made::afq(2, 64)),
        ("AFQ3 g64", "base", afq(3, 64), 4.0, &matrices, &made::afq(3, 64)),
        ("AFQ4 g32", "qwen", afq(4, 32), 6.0, &matrices, &made::afq(4, 32)),
        ("AFQ6 g128", "base", afq(6, 128), 6.5, &matrices, &made::afq(6, 128)),
        ("AFQ8 g64", "base", afq(8, 64), 9.0, &matrices, &made::afq(8, 64)),
    ];
    for (format, name, quantization, bits, which, pack) in kinds {
        let (packed, twin) = made::pair(&temp.path().join(format), name, &quantization, which, pack);
        let setting = version(&packed, name);
        let found = realised(&setting).unwrap();
        let count = if format.starts_with("FP8") || name == "qwen" { 28 } else { 29 };
        let count = if name == "qwen" { 21 } else { count };
        assert_eq!(formats(&found), [(format, count)]);
        assert_eq!(found.bits_per_weight, Some(bits), "{format}");
        assert_eq!((found.activations.as_str(), found.activations_quantized), ("none", false));
        let whole: u64 = found.quantized.iter().chain(&found.untouched).map(|t| t.weights).sum();
        let parameters: usize = made::weights(name).values().map(|(_, v)| v.len()).sum();
        assert_eq!(whole, parameters as u64, "{format}");
        assert_eq!(likelihoods(&setting).unwrap(), likelihoods(&folder(&twin, QuantScheme::None)).unwrap(), "{format}");
        // As a model of its own it is the same.
        assert_eq!(realised(&folder(&packed, QuantScheme::None)).unwrap(), found);
    }
}

#[test]
fn checkpoints_that_the_cpu_cannot_run_are_refused_with_the_reason_and_a_way_out() {
    let temp = tempfile::tempdir().unwrap();
    let (packed, _) = made::pair(&temp.path().join("gptq"), "base", &json!({}), &layers, &made::gptq);
    for (quantization, words) in [
        (json!({"quant_method": "gptq", "bits": 4, "group_size": 128}), "GPTQ weights need CUDA"),
        (json!({"quant_method": "awq", "bits": 4, "group_size": 128}), "AWQ weights need CUDA"),
        (json!({"quant_method": "fp8"}), "one scale per tensor needs CUDA"),
        (json!({"quant_method": "bitsandbytes", "load_in_8bit": true}), "8 bits is not read"),
        (json!({"quant_method": "bitsandbytes", "bnb_4bit_quant_type": "nf4"}), "bitsandbytes weights need CUDA"),
        (json!({"quant_method": "mxfp4"}), "MXFP4 checkpoints need CUDA or Metal"),
        (json!({"quant_method": "compressed-tensors"}), "does not know the quantization method \"compressed-tensors\""),
        (json!({"bits": 4, "group_size": 64, "mode": "mxfp8"}), "affine mode only"),
    ] {
        let mut config = made::config("base");
        config["quantization_config"] = quantization;
        std::fs::write(packed.join("config.json"), config.to_string()).unwrap();
        for setting in [version(&packed, "base"), folder(&packed, QuantScheme::None)] {
            let refusal = likelihoods(&setting).unwrap_err();
            assert!(refusal.contains(words) && refusal.contains("`endpoint`"), "{refusal}");
            assert_eq!(refusal.lines().count(), 1);
        }
    }
    for (quantization, words) in [
        (json!({"quant_method": "gptq", "bits": 4}), "no `bits` and `group_size`"),
        (json!({"bits": 5, "group_size": 64}), "no `bits` and `group_size`"),
        (json!({"quant_method": "fp8", "weight_block_size": [128]}), "must be two numbers"),
    ] {
        let mut config = made::config("base");
        config["quantization_config"] = quantization;
        std::fs::write(packed.join("config.json"), config.to_string()).unwrap();
        let refusal = likelihoods(&folder(&packed, QuantScheme::None)).unwrap_err();
        assert!(refusal.contains(words), "{refusal}");
    }
}

#[test]
fn a_packed_checkpoint_is_not_rounded_again() {
    let temp = tempfile::tempdir().unwrap();
    let quantization = json!({ "bits": 4, "group_size": 64 });
    let (packed, _) = made::pair(temp.path(), "base", &quantization, &matrices, &made::afq(4, 64));
    let refusal = realised(&folder(&packed, QuantScheme::Q4K)).unwrap_err();
    assert!(refusal.contains("AFQ4 g64 already") && refusal.contains("rounding twice"), "{refusal}");
    let (_temp, guided) = topology("0:\n  isq: Q4K\n", QuantScheme::None);
    let refusal = realised(&LoadSetting { source: folder(&packed, QuantScheme::None).source, ..guided }).unwrap_err();
    assert!(refusal.contains("already"), "{refusal}");
}

/// Logits of mistral.rs for some tokens of a directory, without anything of ours in between.
fn raw_logits(directory: &Path) -> Vec<f32> {
    use mistralrs::{NormalRequest, Request, RequestMessage, ResponseOk, SamplingParams};
    let builder = mistralrs::TextModelBuilder::new(directory.display().to_string())
        .with_dtype(mistralrs::ModelDType::F32)
        .with_force_cpu();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let model = runtime.block_on(builder.build()).unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let sampling = SamplingParams { max_len: Some(0), ..SamplingParams::deterministic() };
    let tokens = RequestMessage::CompletionTokens(vec![0, 300, 17, 512, 90]);
    let mut request = NormalRequest::new_simple(tokens, sampling, sender, 0, None, None);
    request.return_raw_logits = true;
    runtime.block_on(model.inner().get_sender(None).unwrap().send(Request::Normal(Box::new(request)))).unwrap();
    let ResponseOk::Raw { logits_chunks, .. } = runtime.block_on(receiver.recv()).unwrap().as_result().unwrap() else {
        panic!("no logits")
    };
    logits_chunks[0].to_dtype(mistralrs::DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn mistral_rs_gives_blocks_of_bitsandbytes_the_scales_of_others_on_the_cpu() {
    // Why these checkpoints are refused. Should this fail, the engine was mended: let them run.
    let temp = tempfile::tempdir().unwrap();
    let quantization = json!({"quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4"});
    let apart = |folder: &str, pack: made::Pack<'_>| {
        let (packed, twin) = made::pair(&temp.path().join(folder), "qwen", &quantization, &layers, pack);
        let (theirs, ours) = (raw_logits(&packed), raw_logits(&twin));
        ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    let (own, shared) = (apart("own", &made::nf4), apart("shared", &made::nf4_shared));
    assert!(own > 0.3, "every block its own scale: logits differ by {own}");
    assert!(shared < 1e-3, "two neighbours one scale: logits differ by {shared}");
}

#[test]
fn f16_is_a_setting_of_its_own_and_bf16_is_refused() {
    let mut half = setting(*model("base"), QuantScheme::None);
    half.dtype = Dtype::F16;
    let found = realised(&half).unwrap();
    assert_eq!((formats(&found), found.bits_per_weight), (vec![("F16", 29)], Some(16.0)));
    let (half, full) = (likelihoods(&half).unwrap(), likelihoods(&setting(*model("base"), QuantScheme::None)).unwrap());
    let apart = half.iter().zip(&full).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    // Eleven bits of mantissa over sums of ten log-probabilities: measured 0.008.
    assert!(apart > 0.0 && apart < 0.05, "{apart}");
    let mut refused = setting(*model("base"), QuantScheme::None);
    refused.dtype = Dtype::Bf16;
    assert!(likelihoods(&refused).unwrap_err().contains("no bf16 product on the CPU"));
}

/// A random adapter of rank 4 for the query and value projections, and the weights that it means.
fn adapter(folder: &Path, change: impl FnOnce(&mut Value, &mut made::Tensors)) -> (PathBuf, PathBuf) {
    let (rank, alpha) = (4, 8.0);
    let mut state = 77_u64;
    let mut draw = |n: usize, scale: f32| -> Vec<f32> {
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5) * scale
            })
            .collect()
    };
    let (mut low, mut merged) = (made::Tensors::new(), made::Tensors::new());
    for (name, (shape, mut values)) in made::weights("base") {
        if name.contains("q_proj") || name.contains("v_proj") {
            let (rows, columns) = (shape[0], shape[1]);
            let (a, b) = (draw(rank * columns, 0.2), draw(rows * rank, 0.2));
            for row in 0..rows {
                for column in 0..columns {
                    let product: f32 = (0..rank).map(|k| b[row * rank + k] * a[k * columns + column]).sum();
                    values[row * columns + column] += alpha / rank as f32 * product;
                }
            }
            let base = format!("base_model.model.{}", name.strip_suffix(".weight").unwrap());
            low.insert(format!("{base}.lora_A.weight"), made::f32s(&[rank, columns], &a));
            low.insert(format!("{base}.lora_B.weight"), made::f32s(&[rows, rank], &b));
        }
        merged.insert(name, made::f32s(&shape, &values));
    }
    let mut config = json!({
        "peft_type": "LORA", "r": rank, "lora_alpha": alpha, "target_modules": ["q_proj", "v_proj"],
        "bias": "none", "use_rslora": false, "modules_to_save": null, "rank_pattern": {},
    });
    change(&mut config, &mut low);
    let directory = folder.join("adapter");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("adapter_config.json"), config.to_string()).unwrap();
    made::write(&directory.join("adapter_model.safetensors"), &low);
    (directory, made::directory(&folder.join("merged"), &made::config("base"), &merged))
}

#[test]
fn an_adapter_answers_as_the_checkpoint_that_it_was_merged_into_by_hand() {
    let temp = tempfile::tempdir().unwrap();
    let (directory, merged) = adapter(temp.path(), |_, _| {});
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    for (scheme, most) in [(QuantScheme::None, 1e-3), (QuantScheme::Hqq8, 0.05), (QuantScheme::Q4K, 0.2)] {
        let source = ModelSource::Adapted { adapter: directory.clone(), model: model("base") };
        let adapted = setting(source, scheme);
        let theirs = likelihoods(&adapted).unwrap();
        let ours = likelihoods(&folder(&merged, scheme)).unwrap();
        let without = likelihoods(&setting(*model("base"), scheme)).unwrap();
        println!("{scheme:?}: adapted {theirs:?} merged {ours:?} without {without:?}");
        assert!(apart(&theirs, &ours) < most, "{scheme:?}: {theirs:?} {ours:?}");
        assert!(apart(&theirs, &without) > 1.0, "{scheme:?}: the adapter changes nothing");
        assert_eq!(formats(&realised(&adapted).unwrap()), formats(&realised(&folder(&merged, scheme)).unwrap()));
    }
}

#[test]
fn an_adapter_that_asks_for_more_than_the_engine_reads_is_refused() {
    let refusal = |change: &dyn Fn(&mut Value, &mut made::Tensors)| {
        let temp = tempfile::tempdir().unwrap();
        let (directory, _) = adapter(temp.path(), change);
        let source = ModelSource::Adapted { adapter: directory, model: model("base") };
        likelihoods(&setting(source, QuantScheme::None)).unwrap_err()
    };
    for (key, value) in [
        ("use_dora", json!(true)),
        ("use_rslora", json!(true)),
        ("modules_to_save", json!(["lm_head"])),
        ("alpha_pattern", json!({"q_proj": 3})),
        ("layers_to_transform", json!([1])),
        ("bias", json!("all")),
    ] {
        let words = refusal(&|config, _| config[key] = value.clone());
        assert!(words.contains(&format!("`{key}`")) && words.contains("merge the adapter"), "{words}");
    }
    let words = refusal(&|config, _| config["target_modules"] = json!(["q_proj", "v_proj", "o_proj"]));
    assert!(words.contains("self_attn.o_proj") && words.contains("is not among its weights"), "{words}");
    let words = refusal(&|config, _| config["target_modules"] = json!(["q_proj"]));
    assert!(words.contains("8 of its 16 tensors belong"), "{words}");
    let words = refusal(&|config, _| config["target_modules"] = json!("all-linear"));
    assert!(words.contains("must list names"), "{words}");
    let words = refusal(&|config, _| config["r"] = json!(8));
    assert!(words.contains("has shape [4, 256] where the model asks for [8, 256]"), "{words}");
    let words = refusal(&|_, low| {
        low.remove("base_model.model.model.layers.2.self_attn.q_proj.lora_A.weight");
    });
    assert!(words.contains("layers.2.self_attn.q_proj.lora_A.weight is not among"), "{words}");
}

/// An importance matrix in llama.cpp's first format, every column alike but the first of each row.
fn imatrix(path: &Path, layers: usize) {
    let mut bytes = Vec::new();
    let parts = [("attn_q", 256), ("attn_k", 256), ("attn_v", 256), ("attn_output", 256), ("ffn_gate", 256), ("ffn_up", 256), ("ffn_down", 768)];
    bytes.extend((7 * layers as i32).to_le_bytes());
    for layer in 0..layers {
        for (part, columns) in parts {
            let name = format!("blk.{layer}.{part}.weight");
            bytes.extend((name.len() as i32).to_le_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend(1_i32.to_le_bytes());
            bytes.extend((columns as i32).to_le_bytes());
            (0..columns).for_each(|i| bytes.extend((if i % 7 == 0 { 50.0_f32 } else { 1.0 }).to_le_bytes()));
        }
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn an_importance_matrix_changes_what_is_rounded_and_not_what_is_held() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("base.imatrix");
    imatrix(&file, 4);
    let guided = LoadSetting { guide: Some(Guide::Imatrix(file.clone())), ..setting(*model("base"), QuantScheme::Q4K) };
    let plain = setting(*model("base"), QuantScheme::Q4K);
    assert_eq!(realised(&guided).unwrap(), realised(&plain).unwrap());
    let unquantized = likelihoods(&setting(*model("base"), QuantScheme::None)).unwrap();
    let found = likelihoods(&guided).unwrap();
    assert_ne!(found, likelihoods(&plain).unwrap());
    assert_ne!(found, unquantized);
    let wrong = LoadSetting { guide: Some(Guide::Imatrix(file)), ..setting(*model("base"), QuantScheme::Hqq4) };
    assert!(likelihoods(&wrong).unwrap_err().contains("guides Q4_0 to Q8_1 and Q2K to Q8K only"));
    let missing = LoadSetting { guide: Some(Guide::Imatrix("no.imatrix".into())), ..plain };
    assert!(likelihoods(&missing).unwrap_err().contains("no such importance matrix"));
}

#[test]
fn a_calibration_text_is_refused_because_the_engine_would_leave_the_weights_as_they_are() {
    let temp = tempfile::tempdir().unwrap();
    let text = temp.path().join("text.txt");
    std::fs::write(&text, "The nurse said that she was late. ".repeat(300)).unwrap();
    let guided = LoadSetting { guide: Some(Guide::Calibration(text.clone())), ..setting(*model("base"), QuantScheme::Q2K) };
    let refusal = likelihoods(&guided).unwrap_err();
    assert!(refusal.contains("leaves every weight unquantized") && refusal.contains("llama-imatrix"), "{refusal}");
    // Why: with room for its chunks of 1025 tokens the engine takes the text, and scores as without any scheme.
    // Should this fail, the engine was mended: let it run.
    let mut config = made::config("base");
    config["max_position_embeddings"] = json!(2048);
    let tensors = made::weights("base").into_iter().map(|(n, (s, v))| (n, made::f32s(&s, &v))).collect();
    let long = made::directory(&temp.path().join("long"), &config, &tensors);
    let builder = mistralrs::TextModelBuilder::new(long.display().to_string())
        .with_dtype(mistralrs::ModelDType::F32)
        .with_force_cpu()
        .with_isq(mistralrs::IsqType::Q2K)
        .with_calibration_file(text)
        .write_uqff(temp.path().join("out/x.uqff"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    drop(runtime.block_on(builder.build()).unwrap());
    let file = temp.path().join("out/x-0.uqff");
    let written = setting(ModelSource::Uqff { file, model: model("base") }, QuantScheme::Given);
    assert_eq!(formats(&realised(&written).unwrap()), [("F32", 29)]);
}

#[test]
fn schemes_shows_the_silent_fallbacks_that_the_engine_makes() {
    // 96 = 3 · 32; 896 = 3.5 · 256 = 28 · 32 and 1280 = 5 · 256.
    for (hidden, intermediate, expected) in
        [(96, 384, vec![("Q4_1", 8)]), (896, 1280, vec![("Q4_1", 7), ("Q4K", 1)])]
    {
        let temp = tempfile::tempdir().unwrap();
        let (config, tensors) = made::random_llama(hidden, intermediate);
        let directory = made::directory(&temp.path().join("model"), &config, &tensors);
        let found = realised(&folder(&directory, QuantScheme::Q4K)).unwrap();
        assert_eq!(formats(&found), expected);
        // What the engine itself holds of it.
        write_uqff(&directory, mistralrs::IsqType::Q4K, &temp.path().join("q4k.uqff"));
        let own = Box::new(ModelSource::Directory(directory.clone()));
        let source = ModelSource::Uqff { file: temp.path().join("q4k-0.uqff"), model: own };
        assert_eq!(formats(&realised(&setting(source, QuantScheme::Given)).unwrap()), expected);
        let text = stdout(&quantbias(&["schemes", "--model", directory.to_str().unwrap(), "--width", "120"]));
        let line = text.lines().find(|l| l.starts_with("q4k ")).unwrap();
        let mixture: Vec<String> = expected.iter().map(|(format, n)| format!("{n} {format}")).collect();
        assert!(line.ends_with(&mixture.join(" + ")), "{line}");
        assert!(text.contains("so Q4K became Q4_1") && text.contains("so Q2K became Q4_0"), "{text}");
        assert_eq!(text.contains("refused: lm_head.weight"), hidden == 96, "{text}");
        println!("{text}");
    }
}

#[test]
fn the_table_of_schemes_fits_80_and_120_columns_and_is_json_if_asked() {
    let base = made::demo("base");
    for (width, args) in [(80, vec![]), (120, vec![]), (80, vec!["--model"]), (120, vec!["--model"])] {
        let mut all = vec!["schemes".to_owned(), "--width".to_owned(), width.to_string()];
        if !args.is_empty() {
            all.extend(["--model".to_owned(), base.display().to_string()]);
        }
        let text = stdout(&quantbias(&all.iter().map(String::as_str).collect::<Vec<_>>()));
        println!("{text}");
        assert!(text.lines().all(|l| l.chars().count() <= width), "{width}: {text}");
        assert!(!text.lines().any(|l| l.starts_with("q4k") && l.contains('…')), "{width}: {text}");
        for scheme in QuantScheme::ALL {
            assert!(text.lines().any(|l| l.split_whitespace().next() == Some(scheme.name())), "{scheme:?}");
        }
    }
    let text = stdout(&quantbias(&["schemes", "--model", base.to_str().unwrap(), "--format", "json"]));
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["schemes"].as_array().unwrap().len(), QuantScheme::ALL.len());
    let q4k = found["schemes"].as_array().unwrap().iter().find(|s| s["scheme"] == "q4k").unwrap();
    assert_eq!(q4k["realised"]["bits_per_weight"], 4.5);
    assert_eq!(q4k["activations"]["cuda"], "int8 dynamic, blocks of 32");
    assert!(found["files"].as_array().unwrap().iter().any(|k| k["kind"] == "GPTQ checkpoint" && k["cpu"] == false));
}
