//! Settings beyond the engine's own schemes: what they load, what they realise, and what is refused before loading.

mod checkpoint;
mod families;
mod guided;
mod packed;
mod shown;

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
    let own = made::directory(&temp.path().join("own"), &made::config("base"), &made::Tensors::new());
    std::fs::copy(made::demo("base").join("model.safetensors"), own.join("model.safetensors")).unwrap();
    std::fs::copy(temp.path().join("q4k-0.uqff"), own.join("q4k-0.uqff")).unwrap();
    let with = |file: PathBuf| {
        let source = ModelSource::Uqff { file, model: Box::new(ModelSource::Directory(own.clone())) };
        realised(&setting(source, QuantScheme::Given))
    };
    assert!(with(temp.path().join("q4k-0.uqff")).unwrap_err().contains("has a namesake"));
    assert!(with(own.join("q4k-0.uqff")).is_ok());
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

#[test]
fn what_manifests_of_the_first_releases_say_of_unknown_bits_is_read_and_written_unchanged() {
    let old = r#"{"quantized":[],"untouched":[],"bits_per_weight":0.0,"bits_per_weight_model":0.0,"activations":"not known","activations_quantized":false,"device":"not known","dtype":"f32","deviations":[]}"#;
    let read: Realised = serde_json::from_str(old).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), old, "its hash would change");
    let unknown = Realised { bits_per_weight: None, bits_per_weight_model: None, ..read };
    let new = serde_json::to_string(&unknown).unwrap();
    assert!(!new.contains("bits_per_weight"), "{new}");
    assert_eq!(serde_json::from_str::<Realised>(&new).unwrap(), unknown);
}
