//! Schemes with a guide: topologies, importance matrices, calibration texts; and adapters.

use super::made;
use super::*;

pub(crate) fn topology(text: &str, scheme: QuantScheme) -> (tempfile::TempDir, LoadSetting) {
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

/// An importance matrix in llama.cpp's first format, every column alike but the first of each row.
fn imatrix(path: &Path, layers: usize) {
    let mut bytes = Vec::new();
    let parts = [
        ("attn_q", 256_i32),
        ("attn_k", 256),
        ("attn_v", 256),
        ("attn_output", 256),
        ("ffn_gate", 256),
        ("ffn_up", 256),
        ("ffn_down", 768),
    ];
    bytes.extend((7 * i32::try_from(layers).unwrap()).to_le_bytes());
    for layer in 0..layers {
        for (part, columns) in parts {
            let name = format!("blk.{layer}.{part}.weight");
            bytes.extend(i32::try_from(name.len()).unwrap().to_le_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend(1_i32.to_le_bytes());
            bytes.extend(columns.to_le_bytes());
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
    assert!(likelihoods(&missing).unwrap_err().contains("no.imatrix: cannot be read"));
}

#[test]
fn a_calibration_text_is_refused_because_the_engine_would_leave_the_weights_as_they_are() {
    let temp = tempfile::tempdir().unwrap();
    let text = temp.path().join("text.txt");
    std::fs::write(&text, "The nurse said that she was late. ".repeat(300)).unwrap();
    let guided =
        LoadSetting { guide: Some(Guide::Calibration(text.clone())), ..setting(*model("base"), QuantScheme::Q2K) };
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

/// A random adapter of rank 4 for the query and value projections, and the weights that it means.
pub(crate) fn adapter(folder: &Path, change: impl FnOnce(&mut Value, &mut made::Tensors)) -> (PathBuf, PathBuf) {
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
    for (scheme, most) in [(QuantScheme::None, 1e-4), (QuantScheme::Hqq8, 1e-4), (QuantScheme::Q4K, 1e-3)] {
        let source = ModelSource::Adapted { adapter: directory.clone(), model: model("base") };
        let adapted = setting(source, scheme);
        let theirs = likelihoods(&adapted).unwrap();
        let ours = likelihoods(&folder(&merged, scheme)).unwrap();
        let without = likelihoods(&setting(*model("base"), scheme)).unwrap();
        // Two orders of adding up in f32: measured 3e-6, 5e-6, and 0 where the codes are the same.
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

#[test]
fn an_importance_matrix_that_would_stop_the_engine_is_refused_by_name() {
    let temp = tempfile::tempdir().unwrap();
    let good = temp.path().join("good.imatrix");
    imatrix(&good, 4);
    let bytes = std::fs::read(&good).unwrap();
    let three = temp.path().join("three.imatrix");
    imatrix(&three, 3);
    let mut narrow = bytes.clone();
    let at = narrow.windows(10).position(|w| w == b"blk.3.ffn_").unwrap();
    narrow[at + 4] = b'9';
    for (content, words) in [
        (bytes[..bytes.len() / 2].to_vec(), "is cut short"),
        (std::fs::read(&three).unwrap(), "has no entry blk.3.ffn_down.weight"),
        (narrow, "has no entry blk.3.ffn_gate.weight"),
        (b"GGUF\x03\0\0\0".to_vec(), "--output-format dat"),
        (b"some text that is no matrix".to_vec(), "is no importance matrix"),
        (vec![0; 4], "it has no entries"),
    ] {
        let file = temp.path().join("bad.imatrix");
        std::fs::write(&file, content).unwrap();
        let guided = LoadSetting { guide: Some(Guide::Imatrix(file)), ..setting(*model("base"), QuantScheme::Q4K) };
        let refusal = realised(&guided).unwrap_err();
        assert!(refusal.contains(words) && refusal.contains("bad.imatrix"), "{refusal}");
    }
    let wide = LoadSetting { guide: Some(Guide::Imatrix(good)), ..setting(*model("qwen"), QuantScheme::Q4K) };
    assert_eq!(realised(&wide).unwrap().quantized[0].tensors, 22, "a matrix with more layers than needed is fine");
}
