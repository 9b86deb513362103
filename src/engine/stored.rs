//! Tensors with their storage, from wherever that is known: computed from a scheme, or read from a file's header.
//!
//! It adds up; it decides nothing.

use super::format::{Activation, Format};
use super::load::LoadSetting;
use super::safetensors::TensorInfo;
use super::{Realised, RealisedTensors};
use std::collections::BTreeMap;

/// One tensor as it is held.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// How it is stored: `Q4K`, `AFQ4 (groups of 64)` …
    pub format: String,
    /// Numbers in it.
    pub weights: u64,
    /// Bytes that the storage takes for them, scales included.
    pub bytes: u64,
    /// Whether it is the weight of a linear layer: what a scheme is about.
    pub linear: bool,
    /// What a product with it does to activations.
    pub activation: Activation,
}

impl Stored {
    /// A tensor in one of the engine's own formats.
    #[must_use]
    pub fn new(format: Format, tensor: &TensorInfo, linear: bool, setting: &LoadSetting) -> Self {
        let weights = tensor.elements();
        Self {
            format: format.name().to_owned(),
            weights,
            bytes: format.bytes_under(weights, setting.dtype),
            linear,
            activation: format.activation(&setting.device),
        }
    }
}

/// Everything that a setting holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Held {
    /// Every tensor; a tied head counts beside the embeddings.
    pub tensors: Vec<Stored>,
    /// Bytes of a tied head that no scheme copied: the embeddings hold them already.
    pub shared_bytes: u64,
    /// Why name and realisation differ, one sentence each.
    pub deviations: Vec<String>,
}

impl Held {
    /// Adds up. `parameters`: weights of the whole model, each counted once, where that differs from what is held (a
    /// tied head that became a copy).
    #[must_use]
    pub fn realised(self, parameters: Option<u64>, device: &str, dtype: &str) -> Realised {
        let (linear, rest): (Vec<Stored>, Vec<Stored>) = self.tensors.into_iter().partition(|t| t.linear);
        let words = activations(&linear);
        let (linear, rest) = (tally(&linear), tally(&rest));
        let sum = |list: &[RealisedTensors], what: fn(&RealisedTensors) -> u64| list.iter().map(what).sum::<u64>();
        let bytes = sum(&linear, |t| t.bytes);
        let weights = sum(&linear, |t| t.weights);
        let whole = parameters.unwrap_or(weights + sum(&rest, |t| t.weights));
        Realised {
            bits_per_weight: bits(bytes, weights),
            bits_per_weight_model: bits((bytes + sum(&rest, |t| t.bytes)).saturating_sub(self.shared_bytes), whole),
            activations_quantized: words.iter().any(|w| *w != "none"),
            activations: words.join(" / "),
            quantized: linear,
            untouched: rest,
            device: device.to_owned(),
            dtype: dtype.to_owned(),
            deviations: self.deviations,
            server: BTreeMap::new(),
        }
    }
}

/// What happens to activations over all linear tensors, in words.
fn activations(linear: &[Stored]) -> Vec<&'static str> {
    let mut words: Vec<&str> = linear.iter().map(|t| t.activation.unwrap_or("none")).collect();
    words.sort_unstable();
    words.dedup();
    if words.is_empty() { vec!["none"] } else { words }
}

/// Bits per weight; nothing where there is no weight.
fn bits(bytes: u64, weights: u64) -> Option<f64> {
    (weights > 0).then(|| 8.0 * bytes as f64 / weights as f64)
}

/// Counts by format, most weights first.
fn tally(tensors: &[Stored]) -> Vec<RealisedTensors> {
    let mut by_format: BTreeMap<&str, RealisedTensors> = BTreeMap::new();
    for tensor in tensors {
        let entry = by_format.entry(&tensor.format).or_insert_with(|| RealisedTensors {
            format: tensor.format.clone(),
            tensors: 0,
            weights: 0,
            bytes: 0,
        });
        entry.tensors += 1;
        entry.weights += tensor.weights;
        entry.bytes += tensor.bytes;
    }
    let mut list: Vec<_> = by_format.into_values().collect();
    list.sort_by(|a, b| b.weights.cmp(&a.weights).then_with(|| a.format.cmp(&b.format)));
    list
}
