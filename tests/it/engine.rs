//! The engine on the demo models, against PyTorch; what schemes become; what a broken model directory says.
//!
//! Engines here do not take the thread pool over: this process has other work for it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use quantbias::benchmark::{Ask, Candidate};
use quantbias::engine::safetensors::{TensorInfo, read_header};
use quantbias::engine::{
    Answer, AskError, Engine, Finish, LoadError, LoadSetting, MistralEngine, Mode, ModelFiles, Realised, realised,
};
use quantbias::spec::{Dtype, ModelSource, QuantScheme};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models")
}

fn setting(directory: &Path, scheme: QuantScheme, mode: Mode) -> LoadSetting {
    LoadSetting {
        source: ModelSource::Directory(directory.to_owned()),
        scheme,
        guide: None,
        dtype: Dtype::F32,
        device: "cpu".into(),
        mode,
        threads: 1,
    }
}

fn load(model: &str, scheme: QuantScheme, mode: Mode) -> MistralEngine {
    MistralEngine::load(&setting(&models().join(model), scheme, mode)).unwrap()
}

fn pair(texts: &[(&str, &str)]) -> Ask {
    let candidate = |(context, text): &(&str, &str)| Candidate { context: (*context).into(), text: (*text).into() };
    Ask::Likelihood { candidates: texts.iter().map(candidate).collect() }
}

fn generate(prompt: &str, max_tokens: u32, chat: bool) -> Ask {
    Ask::generate(prompt.into(), vec![], max_tokens, chat)
}

/// What `tests/reference/engine/transformers_reference.py` wrote.
fn reference() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/engine/transformers_reference.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn log_likelihoods_agree_with_transformers_to_a_ten_thousandth() {
    let reference = reference();
    for model in ["base", "qwen"] {
        let mut engine = load(model, QuantScheme::None, Mode::Score);
        let cases = reference["likelihood"][model].as_array().unwrap();
        assert_eq!(cases.len(), 8);
        for case in cases {
            let text = |key: &str| case[key].as_str().unwrap();
            let Answer::Scored { parts, .. } = engine.answer(&pair(&[(text("context"), text("text"))])).unwrap() else {
                panic!("not scored")
            };
            assert_eq!(json!(parts[0].tokens), case["tokens"], "{}", case["text"]);
            for (ours, theirs) in parts[0].logprobs.iter().zip(case["logprobs"].as_array().unwrap()) {
                let theirs = theirs.as_f64().unwrap();
                assert!((ours - theirs).abs() < 1e-4, "{model} {}: {ours} against {theirs}", case["text"]);
            }
        }
    }
}

#[test]
fn first_token_probabilities_agree_with_transformers_form_by_form() {
    let mut engine = load("chat", QuantScheme::None, Mode::Score);
    for case in reference()["first_token"].as_array().unwrap() {
        let ask = Ask::first_token(case["prompt"].as_str().unwrap().into(), vec!["yes".into(), "no".into()], true);
        let Answer::Scored { parts, .. } = engine.answer(&ask).unwrap() else { panic!("not scored") };
        for part in parts {
            // Forms as the reference lists them: token ids to log-probability.
            let forms = case["words"][&part.label].as_object().unwrap();
            let mut theirs: Vec<f64> = forms.values().map(|v| v.as_f64().unwrap()).collect();
            let mut ours = part.logprobs.clone();
            theirs.sort_by(f64::total_cmp);
            ours.sort_by(f64::total_cmp);
            assert_eq!(ours.len(), theirs.len());
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert!((ours - theirs).abs() < 1e-4, "{}: {ours} against {theirs}", part.label);
            }
            let firsts: Vec<&str> = forms.keys().map(|k| k.split(' ').next().unwrap()).collect();
            assert!(part.tokens.iter().all(|t| firsts.contains(&t.to_string().as_str())));
        }
    }
}

#[test]
fn greedy_replies_are_those_of_transformers_token_by_token() {
    let mut engine = load("chat", QuantScheme::None, Mode::Generate);
    let cases = reference()["greedy"].as_array().unwrap().clone();
    assert!(cases.iter().any(|c| c["text"].as_str().unwrap().starts_with(' ')), "no reply with a leading space");
    for case in cases {
        let most = u32::try_from(case["max_tokens"].as_u64().unwrap()).unwrap();
        let ask = generate(case["prompt"].as_str().unwrap(), most, case["chat"].as_bool().unwrap());
        let Answer::Generated { text, tokens, finish, prompt_tokens, .. } = engine.answer(&ask).unwrap() else {
            panic!("not generated")
        };
        assert_eq!(json!(tokens), case["tokens"]);
        assert_eq!(json!(text), case["text"]);
        assert_eq!(json!(finish), case["finish"]);
        assert_eq!(json!(prompt_tokens), case["prompt_tokens"]);
    }
}

#[test]
fn a_reply_that_is_cut_says_so_and_has_exactly_so_many_tokens() {
    let mut engine = load("base", QuantScheme::None, Mode::Generate);
    for most in [1, 7, 20] {
        let Answer::Generated { tokens, finish, .. } = engine.answer(&generate("The film is", most, false)).unwrap()
        else {
            panic!("not generated")
        };
        assert_eq!((tokens.len(), finish), (most as usize, Finish::Length));
    }
}

#[test]
fn an_answer_has_the_same_bits_whatever_was_asked_before() {
    let asks = [
        pair(&[("", "The nurse said that she was late."), ("", "The nurse said that he was late.")]),
        pair(&[("The doctor", " was tired."), ("The doctor", " was very very tired of all this.")]),
        Ask::first_token("Is it so?".into(), vec!["yes".into(), "no".into()], false),
    ];
    for scheme in [QuantScheme::None, QuantScheme::Q4K] {
        let mut first = load("base", scheme, Mode::Score);
        let forward: Vec<_> = asks.iter().map(|a| first.answer(a).unwrap()).collect();
        let again: Vec<_> = asks.iter().rev().map(|a| first.answer(a).unwrap()).collect();
        let mut second = load("base", scheme, Mode::Score);
        let fresh: Vec<_> = asks.iter().rev().map(|a| second.answer(a).unwrap()).collect();
        assert!(forward.iter().rev().eq(again.iter()) && again == fresh, "{scheme:?}");
    }
    let mut engine = load("chat", QuantScheme::Q4K, Mode::Generate);
    let (a, b) = (generate("Who was late?", 12, true), generate("The old man and", 30, false));
    let alone = engine.answer(&a).unwrap();
    engine.answer(&b).unwrap();
    assert_eq!(engine.answer(&a).unwrap(), alone);
}

#[test]
fn a_prompt_that_just_fits_is_answered_and_one_token_more_is_refused() {
    let mut engine = load("base", QuantScheme::None, Mode::Score);
    let word = " the";
    assert_eq!(engine.tokenize(word).unwrap().len(), 1);
    let text = |tokens: usize| word.repeat(tokens);
    // 1024 positions, one of them BOS.
    let Answer::Scored { parts, prompt_tokens } = engine.answer(&pair(&[("", &text(1023)), ("", " a")])).unwrap()
    else {
        panic!("not scored")
    };
    assert_eq!((parts[0].logprobs.len(), prompt_tokens), (1023, 1024));
    let too_long = engine.answer(&pair(&[("", &text(1024)), ("", " a")]));
    assert_eq!(too_long, Err(AskError::TooLong { tokens: 1025, limit: 1024 }));
    assert!(engine.answer(&pair(&[("", " a"), ("", " b")])).is_ok());

    let mut engine = load("base", QuantScheme::None, Mode::Generate);
    let Answer::Generated { tokens, .. } = engine.answer(&generate(&text(1013), 10, false)).unwrap() else { panic!() };
    assert!(tokens.len() <= 10);
    let too_long = engine.answer(&generate(&text(1014), 10, false));
    assert_eq!(too_long, Err(AskError::TooLong { tokens: 1025, limit: 1024 }));
    assert!(engine.answer(&generate("The film", 3, false)).is_ok());
}

#[test]
fn what_an_engine_cannot_answer_is_refused_and_the_engine_lives_on() {
    let mut engine = load("base", QuantScheme::None, Mode::Score);
    for ask in [
        generate("hello", 3, false),
        pair(&[("", "a text"), ("only context", "")]),
        pair(&[("", ""), ("", "x")]),
        Ask::first_token("Is it so?".into(), vec![String::new()], false),
    ] {
        assert!(matches!(engine.answer(&ask), Err(AskError::Refused { .. })), "{ask:?}");
    }
    assert!(engine.answer(&pair(&[("", " a"), ("", " b")])).is_ok());
    let mut engine = load("base", QuantScheme::None, Mode::Generate);
    assert!(matches!(engine.answer(&generate("<|bos|>hello", 3, false)), Ok(Answer::Generated { .. })));
    assert!(matches!(engine.answer(&generate("<|bos|><|bos|>hello", 3, false)), Err(AskError::Refused { .. })));
}

/// A model directory in which one file is replaced, or left out.
fn broken(file: &str, content: Option<&[u8]>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(models().join("base")).unwrap() {
        let from = entry.unwrap();
        std::fs::copy(from.path(), folder.path().join(from.file_name())).unwrap();
    }
    let path = folder.path().join(file);
    match content {
        Some(bytes) => std::fs::write(path, bytes).unwrap(),
        None => std::fs::remove_file(path).unwrap(),
    }
    folder
}

fn base_file(name: &str) -> Vec<u8> {
    std::fs::read(models().join("base").join(name)).unwrap()
}

fn load_error(folder: &Path) -> LoadError {
    MistralEngine::load(&setting(folder, QuantScheme::None, Mode::Score)).unwrap_err()
}

fn config_with(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut config: Value = serde_json::from_slice(&base_file("config.json")).unwrap();
    change(&mut config);
    serde_json::to_vec(&config).unwrap()
}

#[test]
fn a_model_directory_with_a_fault_gives_one_message_that_names_it() {
    let weights = base_file("model.safetensors");
    let cases: Vec<(&str, Option<Vec<u8>>, &str)> = vec![
        ("tokenizer.json", None, "has no tokenizer.json"),
        ("config.json", None, "has no config.json"),
        ("model.safetensors", None, "has no *.safetensors"),
        ("model.safetensors", Some(weights[..weights.len() / 2].to_vec()), "asks for 10494560"),
        ("model.safetensors", Some(weights[..100].to_vec()), "are damaged"),
        ("model.safetensors", Some(b"x".to_vec()), "are damaged"),
        ("model.safetensors", Some([&u64::MAX.to_le_bytes()[..], b"{}"].concat()), "are damaged"),
        ("config.json", Some(b"{".to_vec()), "is not JSON"),
        ("config.json", Some(config_with(|c| c["architectures"] = Value::Null)), "`architectures`"),
        ("config.json", Some(config_with(|c| c["hidden_size"] = json!("many"))), "`hidden_size`"),
        ("config.json", Some(config_with(|c| c["architectures"] = json!(["FooForCausalLM"]))), "FooForCausalLM"),
        ("config.json", Some(config_with(|c| c["hidden_act"] = Value::Null)), "mistral.rs"),
        ("config.json", Some(config_with(|c| c["vocab_size"] = json!(4097))), "mistral.rs"),
        ("tokenizer.json", Some(b"{}".to_vec()), "has no `model.vocab`"),
        ("tokenizer.json", Some(br#"{"model": {"vocab": {"a": 0}}}"#.to_vec()), "mistral.rs broke"),
        ("tokenizer_config.json", Some(b"{".to_vec()), "mistral.rs broke"),
        ("model.safetensors.index.json", Some(br#"{"weight_map": {"a": "b.safetensors"}}"#.to_vec()), "b.safetensors"),
    ];
    for (file, content, expected) in cases {
        let folder = broken(file, content.as_deref());
        let message = load_error(folder.path()).to_string();
        assert!(message.contains(expected), "{file}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    assert!(matches!(load_error(Path::new("no/such/model")), LoadError::Directory { .. }));
}

#[test]
fn tensors_are_counted_in_the_files_that_mistral_rs_loads_and_every_file_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    for name in ["config.json", "tokenizer.json"] {
        put(name, &base_file(name));
    }
    // One tensor of one number.
    let header = br#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let one = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 4]].concat();
    let counted = || ModelFiles::inspect(folder.path()).map(|files| (files.tensors.len(), files.files.len()));
    put("weights.safetensors", &one);
    put("model-a-of-2.safetensors", &one);
    put("adapter_model.safetensors", &one);
    let error = counted().unwrap_err().to_string();
    assert!(error.contains("has no model.safetensors") && error.contains("rename"), "{error}");
    put("consolidated.safetensors", &one);
    assert_eq!(counted().unwrap(), (1, 6));
    put("model-00001-of-00002.safetensors", &one);
    put("model-00002-of-00002.safetensors", &one);
    assert_eq!(counted().unwrap(), (2, 8), "the parts, and not the consolidated file that holds them once more");
    put("model.safetensors", &one);
    assert_eq!(counted().unwrap(), (3, 9));
}

#[test]
fn a_device_or_data_type_that_the_build_cannot_run_is_refused_with_the_reason() {
    let mut wrong = setting(&models().join("base"), QuantScheme::Q4K, Mode::Score);
    wrong.device = "cuda:0".into();
    assert!(MistralEngine::load(&wrong).unwrap_err().to_string().contains("CPU back end only"));
    let mut wrong = setting(&models().join("base"), QuantScheme::Q4K, Mode::Score);
    wrong.dtype = Dtype::Bf16;
    assert!(MistralEngine::load(&wrong).unwrap_err().to_string().contains("bf16"));
}

/// A one-layer Llama as headers only.
fn headers(hidden: u64, intermediate: u64, tied: bool) -> ModelFiles {
    let tensor =
        |name: &str, shape: &[u64]| TensorInfo { name: name.into(), dtype: "BF16".into(), shape: shape.into() };
    let mut tensors = vec![
        tensor("model.embed_tokens.weight", &[1000, hidden]),
        tensor("model.layers.0.input_layernorm.weight", &[hidden]),
        tensor("model.layers.0.mlp.down_proj.weight", &[hidden, intermediate]),
        tensor("model.layers.0.mlp.gate_proj.weight", &[intermediate, hidden]),
        tensor("model.layers.0.mlp.up_proj.weight", &[intermediate, hidden]),
        tensor("model.layers.0.self_attn.k_proj.weight", &[128, hidden]),
        tensor("model.layers.0.self_attn.o_proj.weight", &[hidden, hidden]),
        tensor("model.layers.0.self_attn.q_proj.weight", &[hidden, hidden]),
        tensor("model.layers.0.self_attn.v_proj.weight", &[128, hidden]),
    ];
    if !tied {
        tensors.push(tensor("lm_head.weight", &[1000, hidden]));
    }
    ModelFiles {
        directory: "toy".into(),
        config: json!({ "architectures": ["LlamaForCausalLM"], "tie_word_embeddings": tied }),
        tensors,
        files: vec![],
    }
}

fn realise(files: &ModelFiles, scheme: QuantScheme) -> Result<Realised, LoadError> {
    realised::realise(files, &setting(Path::new("toy"), scheme, Mode::Score))
}

fn formats(realised: &Realised) -> Vec<(&str, u32)> {
    realised.quantized.iter().map(|t| (t.format.as_str(), t.tensors)).collect()
}

#[test]
fn a_hidden_size_of_896_turns_super_block_schemes_into_mixtures_and_says_so() {
    // 896 = 3.5 · 256 = 28 · 32; 4864 = 19 · 256.
    let files = headers(896, 4864, true);
    for (scheme, name, fallback) in [
        (QuantScheme::Q2K, "Q2K", "Q4_0"),
        (QuantScheme::Q3K, "Q3K", "Q4_0"),
        (QuantScheme::Q4K, "Q4K", "Q4_1"),
        (QuantScheme::Q5K, "Q5K", "Q5_0"),
        (QuantScheme::Q6K, "Q6K", "Q5_1"),
        (QuantScheme::Q8K, "Q8K", "Q8_1"),
    ] {
        let realised = realise(&files, scheme).unwrap();
        // Only down_proj has a last dimension of 4864; the tied head is a quantized copy.
        assert_eq!(formats(&realised), [(fallback, 7), (name, 1)]);
        assert_eq!(realised.activations, "int8 dynamic, blocks of 256 / int8 dynamic, blocks of 32");
        let [deviation] = realised.deviations.as_slice() else { panic!("{:?}", realised.deviations) };
        assert!(
            deviation.contains("7 of 8") && deviation.contains("896") && deviation.contains(fallback),
            "{deviation}"
        );
    }
    for scheme in [QuantScheme::Q8_0, QuantScheme::Hqq4, QuantScheme::F8e4m3, QuantScheme::Afq4, QuantScheme::Mxfp4] {
        assert!(realise(&files, scheme).unwrap().deviations.is_empty(), "{scheme:?}");
    }
}

#[test]
fn a_hidden_size_of_96_takes_blocks_of_32_and_refuses_groups_of_64() {
    let files = headers(96, 384, false);
    assert_eq!(formats(&realise(&files, QuantScheme::Q4K).unwrap()), [("Q4_1", 8)]);
    assert_eq!(formats(&realise(&files, QuantScheme::Q8_0).unwrap()), [("Q8_0", 8)]);
    let refused = realise(&files, QuantScheme::Afq4).unwrap_err().to_string();
    assert!(refused.contains("multiple of 64") && refused.contains("96"), "{refused}");
    // HQQ counts all elements: 1000 · 96 and the rest are multiples of 64.
    assert_eq!(formats(&realise(&files, QuantScheme::Hqq4).unwrap()), [("HQQ4", 8)]);
}

#[test]
fn a_last_dimension_without_whole_blocks_stays_as_it_is_and_says_so() {
    let realised = realise(&headers(100, 256, false), QuantScheme::Q8_0).unwrap();
    assert_eq!(formats(&realised), [("F32", 7), ("Q8_0", 1)]);
    assert!(realised.deviations[0].contains("7 of 8"), "{:?}", realised.deviations);
    assert_eq!(realised.activations, "int8 dynamic, blocks of 32 / none");
}

#[test]
fn bits_per_weight_of_the_demo_model_are_those_of_the_formats() {
    let files = ModelFiles::inspect(&models().join("base")).unwrap();
    // Bits by hand: bytes of a block · 8 / numbers in it.
    for (scheme, bits, quantizes_activations) in [
        (QuantScheme::None, 32.0, false),
        (QuantScheme::Q8_0, 8.5, true),
        (QuantScheme::Q6K, 6.5625, true),
        (QuantScheme::Q5K, 5.5, true),
        (QuantScheme::Q4K, 4.5, true),
        (QuantScheme::Q3K, 3.4375, true),
        (QuantScheme::Q2K, 2.625, true),
        (QuantScheme::Hqq8, 9.0, false),
        (QuantScheme::Hqq4, 5.0, false),
        (QuantScheme::F8q8, 8.25, false),
        (QuantScheme::Mxfp4, 4.25, false),
        (QuantScheme::Afq3, 4.0, false),
    ] {
        let realised = realise(&files, scheme).unwrap();
        assert_eq!(realised.bits_per_weight, Some(bits), "{scheme:?}");
        assert_eq!(realised.activations_quantized, quantizes_activations, "{scheme:?}");
        assert_eq!(realised.quantized[0].tensors, 4 * 7 + 1);
        // 5,245,184 weights in all; embeddings 4096 · 256 and nine norms of 256 are left alone.
        assert_eq!(realised.quantized[0].weights, 5_245_184 - 4096 * 256 - 9 * 256);
        assert_eq!(realised.untouched[0].weights, 4096 * 256 + 9 * 256);
        let whole =
            (bits * realised.quantized[0].weights as f64 + 32.0 * realised.untouched[0].weights as f64) / 5_245_184.0;
        assert!((realised.bits_per_weight_model.unwrap() - whole).abs() < 1e-9, "{scheme:?}");
    }
    let fp8 = realise(&files, QuantScheme::F8e4m3).unwrap();
    assert_eq!(fp8.quantized[0].bytes, fp8.quantized[0].weights + 29 * 12, "one byte each and three scales a tensor");
}

/// Bytes of every quantized tensor as mistral.rs writes them to a UQFF file, largest headers 64 bytes a tensor.
fn written_by_the_engine(model: &str, isq: mistralrs::IsqType) -> (usize, u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.uqff");
    let builder = mistralrs::TextModelBuilder::new(models().join(model).display().to_string())
        .with_dtype(mistralrs::ModelDType::F32)
        .with_force_cpu()
        .with_isq(isq)
        .write_uqff(path.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    drop(runtime.block_on(builder.build()).unwrap());
    let files = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path());
    let uqff: Vec<PathBuf> = files.filter(|p| p.extension().is_some_and(|e| e == "uqff")).collect();
    let tensors: Vec<TensorInfo> = uqff.iter().flat_map(|p| read_header(p).unwrap()).collect();
    (tensors.len(), tensors.iter().map(TensorInfo::elements).sum())
}

#[test]
fn what_was_computed_from_the_headers_is_what_the_engine_holds() {
    for (model, scheme, isq) in [
        ("base", QuantScheme::Q4K, mistralrs::IsqType::Q4K),
        ("base", QuantScheme::Hqq4, mistralrs::IsqType::HQQ4),
        ("base", QuantScheme::F8e4m3, mistralrs::IsqType::F8E4M3),
        ("qwen", QuantScheme::Q2K, mistralrs::IsqType::Q2K),
        ("qwen", QuantScheme::Afq3, mistralrs::IsqType::AFQ3),
    ] {
        let (tensors, bytes) = written_by_the_engine(model, isq);
        let realised = realise(&ModelFiles::inspect(&models().join(model)).unwrap(), scheme).unwrap();
        let [quantized] = realised.quantized.as_slice() else { panic!("{:?}", realised.quantized) };
        assert_eq!(quantized.tensors as usize, tensors, "{model} {scheme:?}");
        let spare = bytes.checked_sub(quantized.bytes).unwrap_or_else(|| panic!("{bytes} < {}", quantized.bytes));
        assert!(spare <= 128 * tensors as u64, "{model} {scheme:?}: {bytes} against {}", quantized.bytes);
    }
}
