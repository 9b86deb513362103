//! Settings beyond the engine's own schemes: what they load, what they realise, and what is refused before loading.

mod checkpoint;

use checkpoint as made;
use quantbias::benchmark::{Ask, Candidate};
use quantbias::engine::load::LoadSetting;
use quantbias::engine::{Answer, Engine, MistralEngine, Mode};
use quantbias::spec::{Dtype, ModelSource, QuantScheme};
use serde_json::json;
use std::path::Path;

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

#[test]
fn zz_explore() {
    let temp = tempfile::tempdir().unwrap();
    let layers = |n: &str| n.contains("layers.") && n.ends_with("_proj.weight");
    let all = |n: &str| layers(n) || n.starts_with("lm_head") ;
    let embed = |n: &str| all(n) || n.contains("embed_tokens");
    let plain = likelihoods(&folder(&made::demo("base"), QuantScheme::None));
    println!("plain {plain:?}");
    let mut f16 = folder(&made::demo("base"), QuantScheme::None);
    f16.dtype = Dtype::F16;
    println!("f16 {:?}", likelihoods(&f16));
    let show = |name: &str, model: &str, q: serde_json::Value, which: &dyn Fn(&str) -> bool, pack: made::Pack<'_>| {
        let (packed, twin) = made::pair(&temp.path().join(name), model, &q, which, pack);
        println!("{name}: packed {:?}\n   twin {:?}", likelihoods(&folder(&packed, QuantScheme::None)), likelihoods(&folder(&twin, QuantScheme::None)));
    };
    show("fp8block", "base", json!({"quant_method": "fp8", "weight_block_size": [128, 128]}), &layers, &made::float8(Some([128, 128])));
    show("fp8tensor", "base", json!({"quant_method": "fp8"}), &layers, &made::float8(None));
    let bnb = json!({"quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4"});
    show("nf4", "base", bnb.clone(), &all, &made::nf4);
    show("nf4-tied", "qwen", bnb, &layers, &made::nf4);
    for bits in [2, 3, 4, 6, 8] {
        show(&format!("afq{bits}"), "base", json!({"group_size": 64, "bits": bits}), &embed, &made::afq(bits, 64));
    }
    show("afq4-32-tied", "qwen", json!({"group_size": 32, "bits": 4}), &embed, &made::afq(4, 32));
    show("gptq", "base", json!({"quant_method": "gptq", "bits": 4, "group_size": 128}), &layers, &made::gptq);
    // Calibration.
    let text: String = "The nurse said that she was late. It rained. ".repeat(400);
    std::fs::write(temp.path().join("c.txt"), &text).unwrap();
    let mut config = made::config("base");
    config["max_position_embeddings"] = json!(2048);
    let tensors: made::Tensors = made::weights("base").into_iter().map(|(n, (s, v))| (n, made::f32s(&s, &v))).collect();
    let long = made::directory(&temp.path().join("long"), &config, &tensors);
    println!("long {:?}", likelihoods(&folder(&long, QuantScheme::None)));
    println!("long q2k {:?}", likelihoods(&folder(&long, QuantScheme::Q2K)));
    let mut calibrated = folder(&long, QuantScheme::Q2K);
    calibrated.guide = Some(quantbias::spec::Guide::Calibration(temp.path().join("c.txt")));
    println!("long q2k calibrated {:?}", likelihoods(&calibrated));
}
