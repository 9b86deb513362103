//! What a scheme becomes for a given model: format of every tensor, bytes, and what happens to activations.
//!
//! mistral.rs quantizes without saying what it did, so this computes it from the headers by the same rules (read in
//! mistralrs-core, mistralrs-quant 0.8.1 and candle-core 0.10.2; the files are named where a rule is used). It refuses
//! what the device, the engine, or a tensor's shape cannot take, before anything is loaded.

use super::checkpoint::{self, Method};
use super::family::{self, Pass, Topology, divide};
use super::format::{Fit, Format};
use super::load::{LoadError, LoadSetting, ModelFiles};
use super::safetensors::TensorInfo;
use super::stored::{Held, Stored};
use super::{Realised, adapter, imatrix, uqff};
use crate::spec::QuantScheme;
use crate::spec::setting::{Dtype, Guide, ModelSource};
use std::collections::{BTreeMap, BTreeSet};

/// Whether this build and device can run the setting at all.
///
/// # Errors
/// [`LoadError::Unsupported`] with the reason.
pub fn supported(setting: &LoadSetting) -> Result<(), LoadError> {
    let kind = setting.device.split(':').next().unwrap_or_default();
    match (kind, setting.device.as_str()) {
        (_, "cpu") => {}
        ("cuda" | "metal", _) => {
            return refuse(
                setting,
                format!(
                    "this build of the engine has the CPU back end only: it was made without mistral.rs' cargo feature \
                     `{kind}`; use device = \"cpu\", or serve the model on the device and name that as `endpoint`"
                ),
            );
        }
        _ => return refuse(setting, "there is no such device; use \"cpu\"".to_owned()),
    }
    if setting.dtype == Dtype::Bf16 {
        return refuse(setting, "candle has no bf16 product on the CPU; use dtype = \"f32\" or \"f16\"".to_owned());
    }
    Ok(())
}

fn refuse<T>(setting: &LoadSetting, why: String) -> Result<T, LoadError> {
    Err(LoadError::Unsupported { scheme: setting.scheme.name(), device: setting.device.clone(), why })
}

/// What a setting really is. `files`: those of the directory that the engine loads from, of the checkpoint where the
/// setting has one of its own.
///
/// # Errors
/// [`LoadError`]: what the build, the device, or a tensor's shape cannot take, or a file of the setting that is not
/// what it should be.
pub fn realise(files: &ModelFiles, setting: &LoadSetting) -> Result<Realised, LoadError> {
    supported(setting)?;
    let device = setting.device.as_str();
    let method = Method::of(files)?;
    let held = match (&setting.source, &method) {
        (ModelSource::Gguf { file, .. }, _) => gguf(file, files, setting)?,
        (_, Some(method)) => prequantized(files, setting, method)?,
        (ModelSource::Uqff { file, .. }, None) => uqff::held(file, files, setting)?,
        (ModelSource::Adapted { adapter, .. }, None) => {
            adapter::check(adapter, files)?;
            quantized(files, setting)?
        }
        (
            ModelSource::Directory(_)
            | ModelSource::Hub { .. }
            | ModelSource::Checkpoint { .. }
            | ModelSource::Endpoint(_),
            None,
        ) => quantized(files, setting)?,
    };
    // A file or a packed checkpoint counts its own weights; a checkpoint's tensors are its weights.
    let counted = matches!(setting.source, ModelSource::Gguf { .. }) || method.is_some();
    let parameters = (!counted).then(|| files.tensors.iter().map(TensorInfo::elements).sum());
    Ok(held.realised(parameters, device, setting.dtype.name()))
}

/// A checkpoint that is quantized already.
fn prequantized(files: &ModelFiles, setting: &LoadSetting, method: &Method) -> Result<Held, LoadError> {
    let name = method.name();
    if !matches!(setting.scheme, QuantScheme::None | QuantScheme::Given) || setting.guide.is_some() {
        return refuse(
            setting,
            format!(
                "the checkpoint is {name} already, and rounding twice is no scheme; quantize the unquantized model"
            ),
        );
    }
    if matches!(setting.source, ModelSource::Adapted { .. } | ModelSource::Uqff { .. }) {
        let what = "an adapter or a UQFF file needs an unquantized model";
        return refuse(setting, format!("the checkpoint is {name} already: {what}"));
    }
    match method.on_cpu() {
        Ok(()) => Ok(checkpoint::held(files, method, setting)),
        Err(why) => refuse(setting, why),
    }
}

/// What mistral.rs makes of an unquantized model.
fn quantized(files: &ModelFiles, setting: &LoadSetting) -> Result<Held, LoadError> {
    let (pass, topology) = guided(files, setting)?;
    let dense = Format::requested(QuantScheme::None, setting.dtype);
    let divided = divide(files, pass);
    let mut held = Held::default();
    let mut fallbacks: BTreeMap<(Format, Format), Fallback> = BTreeMap::new();
    let mut wanted_of: BTreeMap<Format, usize> = BTreeMap::new();
    for tensor in &divided.linear {
        let own = topology.as_ref().filter(|_| tensor.name != family::TIED_HEAD).and_then(|t| t.scheme(&tensor.name));
        let wanted = Format::requested(own.unwrap_or(setting.scheme), setting.dtype);
        *wanted_of.entry(wanted).or_default() += 1;
        let format = match wanted.fit(&tensor.shape) {
            Fit::Takes(format) => format,
            Fit::Refused(why) => {
                return refuse(setting, format!("{} has shape {:?}: {why}", tensor.name, tensor.shape));
            }
        };
        if format != wanted {
            let fallback = fallbacks.entry((wanted, format)).or_default();
            fallback.tensors += 1;
            fallback.last.insert(tensor.shape.last().copied().unwrap_or(0));
        }
        let stored = Stored::new(format, tensor, true, setting);
        // Unquantized, the head is the embeddings themselves (`Tensor::to_device` on their device shares the storage).
        if tensor.name == family::TIED_HEAD && format == dense {
            held.shared_bytes += stored.bytes;
        }
        held.tensors.push(stored);
    }
    held.tensors.extend(divided.rest.iter().map(|t| Stored::new(dense, t, false, setting)));
    held.deviations = fallbacks
        .into_iter()
        .map(|((wanted, format), fallback)| deviation(wanted, format, &fallback, wanted_of[&wanted]))
        .collect();
    if !family::is_known(files) && (setting.scheme != QuantScheme::None || topology.is_some()) {
        held.deviations.push(format!(
            "Which layers of {} are quantized was not read from the engine's source: assumed all projections and an untied head.",
            files.architecture()
        ));
    }
    Ok(held)
}

/// When the engine quantizes, and the schemes of single layers; or why the guide cannot be followed.
fn guided(files: &ModelFiles, setting: &LoadSetting) -> Result<(Pass, Option<Topology>), LoadError> {
    match &setting.guide {
        None => Ok((Pass::Loading, None)),
        Some(Guide::Topology(path)) => Ok((Pass::Loading, Some(topology(path, files)?))),
        Some(Guide::Calibration(_)) => refuse(
            setting,
            "mistral.rs 0.8.1 reads a calibration text and then leaves every weight unquantized; collect an importance \
             matrix with llama.cpp's llama-imatrix and name it as `imatrix`"
                .to_owned(),
        ),
        Some(Guide::Imatrix(_)) if !Format::requested(setting.scheme, setting.dtype).is_ggml() => {
            refuse(setting, "an importance matrix guides Q4_0 to Q8_1 and Q2K to Q8K only".to_owned())
        }
        Some(Guide::Imatrix(_)) if !family::takes_imatrix(files) => {
            refuse(setting, format!("mistral.rs takes no importance matrix for {}", files.architecture()))
        }
        Some(Guide::Imatrix(path)) => {
            imatrix::check(path, files)?;
            Ok((Pass::Afterwards, None))
        }
    }
}

/// A topology, every entry of which reaches a tensor of the model.
fn topology(path: &std::path::Path, files: &ModelFiles) -> Result<Topology, LoadError> {
    let topology = read_topology(path)?;
    let wrong = |why: String| Err(LoadError::Config { path: path.to_owned(), why });
    let names: Vec<String> = divide(files, Pass::Loading).linear.into_iter().map(|t| t.name).collect();
    let layers = names.iter().filter_map(|n| family::layer_of(n)).max().map_or(0, |last| last + 1);
    if topology.layers.len() > layers {
        return wrong(format!("names layer {}, and the model has {layers}", topology.layers.len() - 1));
    }
    if let Some((pattern, _)) = topology.patterns.iter().find(|(p, _)| !names.iter().any(|n| p.is_match(n))) {
        return wrong(format!("no linear layer of the model matches /{pattern}/"));
    }
    Ok(topology)
}

#[cfg(feature = "engine")]
fn read_topology(path: &std::path::Path) -> Result<Topology, LoadError> {
    super::mistral::topology::read(path)
}

#[cfg(not(feature = "engine"))]
fn read_topology(path: &std::path::Path) -> Result<Topology, LoadError> {
    let why = "this build has no engine and reads no topology".to_owned();
    Err(LoadError::Config { path: path.to_owned(), why })
}

/// What a GGUF file holds.
#[cfg(feature = "engine")]
fn gguf(file: &std::path::Path, files: &ModelFiles, setting: &LoadSetting) -> Result<Held, LoadError> {
    let tensors = super::gguf::tensors(file, files)?;
    let stored = |t: super::gguf::StoredTensor| Stored::new(t.format, &t.info, t.linear, setting);
    Ok(Held { tensors: tensors.into_iter().map(stored).collect(), ..Held::default() })
}

#[cfg(not(feature = "engine"))]
fn gguf(file: &std::path::Path, _files: &ModelFiles, _setting: &LoadSetting) -> Result<Held, LoadError> {
    let why = "this build has no engine and reads no GGUF".to_owned();
    Err(LoadError::Config { path: file.to_owned(), why })
}

/// Tensors that got another format than was wanted, and their last dimensions.
#[derive(Debug, Default)]
struct Fallback {
    tensors: u32,
    last: BTreeSet<u64>,
}

fn deviation(wanted: Format, format: Format, fallback: &Fallback, total: usize) -> String {
    let last = fallback.last.iter().map(u64::to_string).collect::<Vec<_>>().join(" or ");
    format!(
        "{} of {total} linear tensors have a last dimension of {last}, not a multiple of {}, so {} became {}.",
        fallback.tensors,
        wanted.block(),
        wanted.name(),
        format.name()
    )
}
