//! Which tensors of an architecture the engine quantizes: in place while it loads, or in a pass afterwards.
//!
//! It knows the architectures whose source was read, and says so where it had to assume.

use super::load::ModelFiles;
use super::safetensors::TensorInfo;
use regex::Regex;

/// When the engine quantizes. The two ways do not reach the same tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Each matrix as it is loaded: every scheme without an importance matrix.
    Loading,
    /// All matrices that `get_layers` of the model lists, after loading: with an importance matrix, and what UQFF
    /// files hold.
    Afterwards,
}

/// How the loader of an architecture treats its linear layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Family {
    architectures: &'static [&'static str],
    /// Last parts of the names of the matrices inside `layers.N.` that are quantized while loading.
    projections: &'static [&'static str],
    /// Those that only the pass afterwards reaches.
    afterwards: &'static [&'static str],
    /// Whether an untied head is quantized while loading; afterwards it always is.
    head: bool,
    /// Whether a head tied to the embeddings becomes a quantized copy of them while loading; afterwards it always does.
    tied_head: bool,
    /// Whether it names its tensors for an importance matrix (`imatrix_names`), in the order of `get_layers`.
    imatrix: bool,
}

const ATTENTION_AND_GATED_MLP: &[&str] = &[
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];

/// `immediate_isq_predicates` in `mistralrs-core/src/pipeline/loaders/normal_loaders.rs`, met with the names that the
/// models in `mistralrs-core/src/models/*.rs` load: Phi-3's `gate_up_proj` and Starcoder2's `c_fc` match no predicate
/// and stay as they are; Gemma and Starcoder2 build their tied head as `UnquantLinear`; a tied head elsewhere goes
/// through `ReplicatedLayer::from_linear`, which quantizes a copy. Afterwards: `get_layers` of the same models.
const FAMILIES: &[Family] = &[
    Family {
        architectures: &[
            "LlamaForCausalLM",
            "MistralForCausalLM",
            "Qwen2ForCausalLM",
            "Qwen3ForCausalLM",
            "SmolLM3ForCausalLM",
        ],
        projections: ATTENTION_AND_GATED_MLP,
        afterwards: &[],
        head: true,
        tied_head: true,
        imatrix: true,
    },
    Family {
        architectures: &["GemmaForCausalLM", "Gemma2ForCausalLM"],
        projections: ATTENTION_AND_GATED_MLP,
        afterwards: &[],
        head: false,
        tied_head: false,
        imatrix: true,
    },
    Family {
        architectures: &["Phi3ForCausalLM"],
        projections: &["self_attn.qkv_proj", "self_attn.o_proj", "mlp.down_proj"],
        afterwards: &["mlp.gate_up_proj"],
        head: true,
        tied_head: true,
        // It names five matrices for the four that a layer has, so that later ones would get those of others.
        imatrix: false,
    },
    Family {
        architectures: &["PhiForCausalLM"],
        projections: &[
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.dense",
            "mlp.fc1",
            "mlp.fc2",
        ],
        afterwards: &[],
        head: true,
        tied_head: true,
        imatrix: false,
    },
    Family {
        architectures: &["Starcoder2ForCausalLM"],
        projections: &["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.c_proj"],
        afterwards: &["mlp.c_fc"],
        head: false,
        tied_head: false,
        imatrix: false,
    },
];

impl Family {
    fn of(architecture: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|f| f.architectures.contains(&architecture))
    }

    fn quantizes(&self, projection: &str, pass: Pass) -> bool {
        self.projections.contains(&projection) || (pass == Pass::Afterwards && self.afterwards.contains(&projection))
    }
}

/// Name of the head where it shares the embeddings.
pub const TIED_HEAD: &str = "lm_head (copy of embed_tokens)";

/// A model's tensors, divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divided {
    /// What a scheme is applied to. A tied head is a copy of the embeddings and appears in both.
    pub linear: Vec<TensorInfo>,
    /// All others.
    pub rest: Vec<TensorInfo>,
}

/// Whether the architecture's loader was read; what is said of others is assumed.
#[must_use]
pub fn is_known(files: &ModelFiles) -> bool {
    Family::of(files.architecture()).is_some()
}

/// Whether an importance matrix can be used with the architecture.
#[must_use]
pub fn takes_imatrix(files: &ModelFiles) -> bool {
    Family::of(files.architecture()).is_none_or(|f| f.imatrix)
}

/// `self_attn.q_proj` of `model.layers.3.self_attn.q_proj.weight`.
fn projection(name: &str) -> Option<&str> {
    let (_, inside) = name.strip_suffix(".weight")?.split_once("layers.")?;
    let (layer, rest) = inside.split_once('.')?;
    layer.bytes().all(|b| b.is_ascii_digit()).then_some(rest)
}

/// Layer number of a tensor inside the layers.
#[must_use]
pub fn layer_of(name: &str) -> Option<usize> {
    let (_, inside) = name.split_once("layers.")?;
    inside.split_once('.')?.0.parse().ok()
}

/// Divides a model's tensors into what a scheme reaches and what it leaves alone.
#[must_use]
pub fn divide(files: &ModelFiles, pass: Pass) -> Divided {
    let family = Family::of(files.architecture());
    let tied = is_tied(files);
    let after = pass == Pass::Afterwards;
    let head = family.is_none_or(|f| f.head || after);
    let tied_head = family.is_none_or(|f| f.tied_head || after);
    let reaches = |tensor: &TensorInfo| match (tensor.name.as_str(), family) {
        ("lm_head.weight", _) => head,
        (name, Some(family)) => projection(name).is_some_and(|p| family.quantizes(p, pass)),
        (name, None) => tensor.shape.len() == 2 && name.ends_with("_proj.weight"),
    };
    let (mut linear, mut rest) = (Vec::new(), Vec::new());
    for tensor in &files.tensors {
        if tied && tensor.name == "lm_head.weight" {
            continue;
        }
        if tied && tied_head && tensor.name.ends_with("embed_tokens.weight") {
            linear.push(TensorInfo { name: TIED_HEAD.to_owned(), ..tensor.clone() });
        }
        if reaches(tensor) { &mut linear } else { &mut rest }.push(tensor.clone());
    }
    Divided { linear, rest }
}

/// Whether the head shares the embeddings. Configurations leave the entry out where the class's default holds.
#[must_use]
pub fn is_tied(files: &ModelFiles) -> bool {
    files.config["tie_word_embeddings"]
        .as_bool()
        .unwrap_or_else(|| !files.tensors.iter().any(|t| t.name.starts_with("lm_head.")))
}

/// Schemes by layer and by name, as a topology file asks for them.
#[derive(Debug, Clone, Default)]
pub struct Topology {
    /// By layer number; absent where the file names none.
    pub layers: Vec<Option<crate::spec::QuantScheme>>,
    /// By a pattern of the tensor's name (`model.layers.0.mlp.up_proj.weight`); the last that matches counts.
    pub patterns: Vec<(Regex, crate::spec::QuantScheme)>,
}

impl Topology {
    /// The scheme that is asked for a tensor: a pattern before a layer, and nothing for the others.
    #[must_use]
    pub fn scheme(&self, name: &str) -> Option<crate::spec::QuantScheme> {
        let by_name = self.patterns.iter().rev().find(|(pattern, _)| pattern.is_match(name)).map(|(_, s)| *s);
        by_name.or_else(|| self.layers.get(layer_of(name)?).copied().flatten())
    }
}
