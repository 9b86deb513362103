//! The demo: models and items that are part of the program, so that it runs offline and from the binary alone.

use super::error::Failure;
use super::prepare::Request;
use crate::benchmark;
use crate::records::run_dir::write_atomic;
use crate::spec::{Dtype, ModelSource, Plan, QuantScheme, RunnerOptions, Setting};
use std::path::Path;
use std::sync::Arc;

macro_rules! model {
    ($name:literal) => {
        (
            $name,
            &[
                ("config.json", include_bytes!(concat!("../../data/models/", $name, "/config.json")) as &[u8]),
                (
                    "generation_config.json",
                    include_bytes!(concat!("../../data/models/", $name, "/generation_config.json")),
                ),
                ("model.safetensors", include_bytes!(concat!("../../data/models/", $name, "/model.safetensors"))),
                (
                    "special_tokens_map.json",
                    include_bytes!(concat!("../../data/models/", $name, "/special_tokens_map.json")),
                ),
                ("tokenizer.json", include_bytes!(concat!("../../data/models/", $name, "/tokenizer.json"))),
                (
                    "tokenizer_config.json",
                    include_bytes!(concat!("../../data/models/", $name, "/tokenizer_config.json")),
                ),
            ],
        )
    };
}

/// Files of a model: name and bytes.
type Files = &'static [(&'static str, &'static [u8])];

/// The demo models; `data/models/MODEL_CARD.md` tells what they are.
const MODELS: &[(&str, Files)] = &[model!("base"), model!("qwen"), model!("chat")];

/// Schemes of the whole demo.
const SCHEMES: &[QuantScheme] = &[
    QuantScheme::Q8_0,
    QuantScheme::Q6K,
    QuantScheme::Q5K,
    QuantScheme::Q4K,
    QuantScheme::Q3K,
    QuantScheme::Q2K,
    QuantScheme::Hqq8,
    QuantScheme::Hqq4,
    QuantScheme::F8e4m3,
];

/// Schemes of `demo --quick`.
const QUICK_SCHEMES: &[QuantScheme] = &[QuantScheme::Q8_0, QuantScheme::Q4K, QuantScheme::Q2K, QuantScheme::Hqq4];

/// Models that `demo --quick` leaves out.
const QUICK_WITHOUT: &[&str] = &["qwen"];

/// Writes the demo models under `folder` and returns what is to be run.
///
/// # Errors
/// [`Failure::Records`] if the models cannot be written.
pub fn request(folder: &Path, quick: bool) -> Result<Request, Failure> {
    for (model, files) in MODELS {
        for (name, bytes) in *files {
            let path = folder.join(model).join(name);
            if std::fs::metadata(&path).is_ok_and(|m| m.len() == bytes.len() as u64) {
                continue;
            }
            write_atomic(&path, bytes)?;
        }
    }
    let taken = |model: &str| !(quick && QUICK_WITHOUT.contains(&model));
    let benchmarks: Vec<_> = benchmark::demo(quick)
        .into_iter()
        .map(|demo| {
            let models = demo.models.iter().filter(|m| taken(m)).map(|m| (*m).to_owned());
            (Arc::new(demo.data), models.collect::<Vec<String>>())
        })
        .collect();
    let asked = |model: &str| benchmarks.iter().any(|(_, models)| models.iter().any(|m| m == model));
    let schemes = if quick { QUICK_SCHEMES } else { SCHEMES };
    let settings = MODELS.iter().filter(|(m, _)| asked(m)).flat_map(|(m, _)| settings(folder, m, schemes)).collect();
    let name = if quick { "demo-quick" } else { "demo" };
    let item_timeout = RunnerOptions::default().item_timeout;
    Ok(Request { name: name.to_owned(), settings, benchmarks, item_timeout })
}

fn settings(folder: &Path, model: &str, schemes: &[QuantScheme]) -> Vec<Setting> {
    let setting = |scheme: QuantScheme, aa: bool| Setting {
        id: Setting::id(model, scheme.name(), aa),
        model: model.to_owned(),
        source: ModelSource::Directory(folder.join(model)),
        scheme,
        guide: None,
        dtype: Dtype::F32,
        device: "cpu".to_owned(),
        baseline: scheme == QuantScheme::None && !aa,
        aa,
    };
    let first = [setting(QuantScheme::None, false), setting(QuantScheme::None, true)];
    first.into_iter().chain(schemes.iter().map(|s| setting(*s, false))).collect()
}

/// The demo's plan. Its margins are examples: wide, because forty clusters cannot show less.
#[must_use]
pub fn plan(request: &Request) -> Plan {
    use benchmark::Measure;
    let margin = |measure| match measure {
        Measure::AmbiguousChoice | Measure::Continuation => 0.15,
        Measure::Decision => 0.25,
        Measure::PairPreference
        | Measure::Coreference
        | Measure::Classification
        | Measure::Capability
        | Measure::HurtfulCompletion
        | Measure::SubgroupChoice
        | Measure::ExactAnswer
        | Measure::Descriptor => 0.10,
    };
    let margins = request.benchmarks.iter().map(|(b, _)| (b.name.clone(), margin(b.measure))).collect();
    let has = |s: QuantScheme| request.settings.iter().any(|x| x.scheme == s);
    let contrasts = if has(QuantScheme::Hqq4) && has(QuantScheme::Q4K) {
        let name = |s: QuantScheme| s.name().to_owned();
        vec![crate::spec::SchemeContrast { scheme: name(QuantScheme::Q4K), against: name(QuantScheme::Hqq4) }]
    } else {
        Vec::new()
    };
    Plan { margins, contrasts, ..Plan::default() }
}
