//! Model directories made by tests: the demo model's weights, packed as quantized checkpoints have them, or changed.
//!
//! Packing follows the formats' own definitions, and the dequantized twin is made from the packed codes, so that it
//! owes nothing to the engine.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One tensor as bytes.
#[derive(Clone)]
pub(crate) struct Raw {
    pub(crate) dtype: &'static str,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) type Tensors = BTreeMap<String, Raw>;

pub(crate) fn f32s(shape: &[usize], values: &[f32]) -> Raw {
    assert_eq!(shape.iter().product::<usize>(), values.len());
    Raw { dtype: "F32", shape: shape.to_vec(), bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect() }
}

pub(crate) fn bytes(dtype: &'static str, shape: &[usize], bytes: Vec<u8>) -> Raw {
    Raw { dtype, shape: shape.to_vec(), bytes }
}

pub(crate) fn u32s(dtype: &'static str, shape: &[usize], values: &[u32]) -> Raw {
    assert_eq!(shape.iter().product::<usize>(), values.len());
    bytes(dtype, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// Writes a safetensors file.
pub(crate) fn write(path: &Path, tensors: &Tensors) {
    let mut header = serde_json::Map::new();
    let mut at = 0;
    for (name, raw) in tensors {
        let end = at + raw.bytes.len();
        header.insert(name.clone(), json!({"dtype": raw.dtype, "shape": raw.shape, "data_offsets": [at, end]}));
        at = end;
    }
    let mut header = serde_json::to_vec(&Value::Object(header)).unwrap();
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    for raw in tensors.values() {
        file.extend(&raw.bytes);
    }
    std::fs::write(path, file).unwrap();
}

pub(crate) fn demo(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models").join(model)
}

/// A directory with the demo model's tokenizer, a configuration, and weights.
pub(crate) fn directory(folder: &Path, config: &Value, tensors: &Tensors) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json"] {
        std::fs::copy(demo("base").join(name), folder.join(name)).unwrap();
    }
    std::fs::write(folder.join("config.json"), serde_json::to_vec(config).unwrap()).unwrap();
    write(&folder.join("model.safetensors"), tensors);
    folder.to_owned()
}

pub(crate) fn config(model: &str) -> Value {
    serde_json::from_slice(&std::fs::read(demo(model).join("config.json")).unwrap()).unwrap()
}

/// Weights of a demo model: shape and values by name.
pub(crate) fn weights(model: &str) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let path = demo(model).join("model.safetensors");
    let tensors = candle_core::safetensors::load(path, &candle_core::Device::Cpu).unwrap();
    let values = |t: &candle_core::Tensor| {
        t.to_dtype(candle_core::DType::F32).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    tensors.into_iter().map(|(name, t)| (name, (t.dims().to_vec(), values(&t)))).collect()
}

/// Weights of a Llama of so large a hidden size with one layer, drawn by a linear congruential generator.
pub(crate) fn random_llama(hidden: usize, intermediate: usize) -> (Value, Tensors) {
    let mut config = config("base");
    config["hidden_size"] = json!(hidden);
    config["intermediate_size"] = json!(intermediate);
    config["num_hidden_layers"] = json!(1);
    config["num_attention_heads"] = json!(4);
    config["num_key_value_heads"] = json!(2);
    config["head_dim"] = json!(hidden / 4);
    let mut state = 12_345_u64;
    let mut draw = |shape: &[usize]| {
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5) * 0.1
            })
            .collect();
        f32s(shape, &values)
    };
    let layer = "model.layers.0";
    let mut tensors = Tensors::new();
    for (name, shape) in [
        ("model.embed_tokens".to_owned(), vec![4096, hidden]),
        ("lm_head".to_owned(), vec![4096, hidden]),
        (format!("{layer}.self_attn.q_proj"), vec![hidden, hidden]),
        (format!("{layer}.self_attn.k_proj"), vec![hidden / 2, hidden]),
        (format!("{layer}.self_attn.v_proj"), vec![hidden / 2, hidden]),
        (format!("{layer}.self_attn.o_proj"), vec![hidden, hidden]),
        (format!("{layer}.mlp.gate_proj"), vec![intermediate, hidden]),
        (format!("{layer}.mlp.up_proj"), vec![intermediate, hidden]),
        (format!("{layer}.mlp.down_proj"), vec![hidden, intermediate]),
    ] {
        tensors.insert(format!("{name}.weight"), draw(&shape));
    }
    for name in ["model.norm", "model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm"] {
        tensors.insert(format!("{name}.weight"), f32s(&[hidden], &vec![1.0; hidden]));
    }
    (config, tensors)
}

/// How one matrix is packed: what stands in the checkpoint under its name, and the values that this means.
pub(crate) type Pack<'a> = &'a dyn Fn(&str, [usize; 2], &[f32]) -> (Tensors, Vec<f32>);

/// A packed directory of a demo model and its dequantized twin; `packs` says which tensors are packed.
pub(crate) fn pair(
    folder: &Path,
    model: &str,
    quantization: &Value,
    packs: &dyn Fn(&str) -> bool,
    pack: Pack<'_>,
) -> (PathBuf, PathBuf) {
    let (mut packed, mut plain) = (Tensors::new(), Tensors::new());
    for (name, (shape, values)) in weights(model) {
        if packs(&name) {
            let base = name.strip_suffix(".weight").unwrap();
            let (parts, meant) = pack(base, [shape[0], shape[1]], &values);
            packed.extend(parts);
            plain.insert(name, f32s(&shape, &meant));
        } else {
            packed.insert(name.clone(), f32s(&shape, &values));
            plain.insert(name, f32s(&shape, &values));
        }
    }
    let mut config = config(model);
    let twin = directory(&folder.join("plain"), &config, &plain);
    config["quantization_config"] = quantization.clone();
    (directory(&folder.join("packed"), &config, &packed), twin)
}

/// Values of the 256 codes of float8 e4m3fn, by its definition.
pub(crate) fn e4m3(code: u8) -> f32 {
    let sign = if code & 0x80 == 0 { 1.0 } else { -1.0 };
    let (exponent, mantissa) = (i32::from(code >> 3 & 15), f32::from(code & 7));
    if exponent == 0 {
        sign * mantissa / 8.0 * 2_f32.powi(-6)
    } else if code & 0x7f == 0x7f {
        f32::NAN
    } else {
        sign * (1.0 + mantissa / 8.0) * 2_f32.powi(exponent - 7)
    }
}

fn nearest(value: f32, table: &[f32]) -> usize {
    (0..table.len())
        .filter(|i| table[*i].is_finite())
        .min_by(|a, b| (table[*a] - value).abs().total_cmp(&(table[*b] - value).abs()))
        .unwrap()
}

fn largest(values: impl Iterator<Item = f32>) -> f32 {
    values.fold(f32::MIN_POSITIVE, |most, v| most.max(v.abs()))
}

/// Float8 with one scale for each block of `rows` × `columns`; one block over all gives a scalar scale.
pub(crate) fn float8(block: Option<[usize; 2]>) -> impl Fn(&str, [usize; 2], &[f32]) -> (Tensors, Vec<f32>) {
    let table: Vec<f32> = (0..=255).map(e4m3).collect();
    move |base, [rows, columns], values| {
        let [high, wide] = block.unwrap_or([rows, columns]);
        let (down, across) = (rows.div_ceil(high), columns.div_ceil(wide));
        let inside = |at: usize| (at / columns / high) * across + (at % columns) / wide;
        let mut most = vec![f32::MIN_POSITIVE; down * across];
        for (at, v) in values.iter().enumerate() {
            most[inside(at)] = most[inside(at)].max(v.abs());
        }
        let scales: Vec<f32> = most.iter().map(|m| m / 448.0).collect();
        let codes: Vec<u8> =
            values.iter().enumerate().map(|(at, v)| nearest(v / scales[inside(at)], &table) as u8).collect();
        let meant = codes.iter().enumerate().map(|(at, c)| e4m3(*c) * scales[inside(at)]).collect();
        let shape = if block.is_some() { vec![down, across] } else { vec![] };
        let parts = Tensors::from([
            (format!("{base}.weight"), bytes("F8_E4M3", &[rows, columns], codes)),
            (format!("{base}.weight_scale_inv"), f32s(&shape, &scales)),
        ]);
        (parts, meant)
    }
}

/// The sixteen values of bitsandbytes' NormalFloat4, as published with QLoRA.
pub(crate) const NF4: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_84,
    1.0,
];

/// bitsandbytes NF4 in blocks of 64, scales in f32 (no double quantization).
pub(crate) fn nf4(base: &str, shape: [usize; 2], values: &[f32]) -> (Tensors, Vec<f32>) {
    nf4_with(base, shape, values, 1)
}

/// The same where two neighbouring blocks have one scale.
pub(crate) fn nf4_shared(base: &str, shape: [usize; 2], values: &[f32]) -> (Tensors, Vec<f32>) {
    nf4_with(base, shape, values, 2)
}

fn nf4_with(base: &str, [rows, columns]: [usize; 2], values: &[f32], together: usize) -> (Tensors, Vec<f32>) {
    let (mut codes, mut scales, mut meant) = (vec![], vec![], vec![]);
    for (number, block) in values.chunks(64).enumerate() {
        let first = number / together * together * 64;
        let scale = largest(values[first..first + 64 * together].iter().copied());
        scales.push(scale);
        for v in block {
            let code = nearest(v / scale, &NF4);
            codes.push(code as u8);
            meant.push(NF4[code] * scale);
        }
    }
    let packed: Vec<u8> = codes.chunks(2).map(|two| two[0] << 4 | two[1]).collect();
    let state = json!({"quant_type": "nf4", "blocksize": 64, "dtype": "float32", "shape": [rows, columns]});
    let state = state.to_string().into_bytes();
    let parts = Tensors::from([
        (format!("{base}.weight"), bytes("U8", &[packed.len(), 1], packed)),
        (format!("{base}.weight.absmax"), f32s(&[scales.len()], &scales)),
        (format!("{base}.weight.quant_map"), f32s(&[16], &NF4)),
        (format!("{base}.weight.quant_state.bitsandbytes__nf4"), bytes("U8", &[state.len()], state)),
    ]);
    (parts, meant)
}

/// MLX's affine codes: `bits` each, little end first in 32-bit words, scale and bias per group of `group`.
pub(crate) fn afq(bits: usize, group: usize) -> impl Fn(&str, [usize; 2], &[f32]) -> (Tensors, Vec<f32>) {
    move |base, [rows, columns], values| {
        let levels = ((1_u32 << bits) - 1) as f32;
        let words = columns * bits / 32;
        let (mut packed, mut scales, mut biases) = (vec![0_u32; rows * words], vec![], vec![]);
        let mut meant = vec![];
        for (number, block) in values.chunks(group).enumerate() {
            let low = block.iter().copied().fold(f32::INFINITY, f32::min);
            let high = block.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let scale = ((high - low) / levels).max(1e-8);
            scales.push(scale);
            biases.push(low);
            for (inside, v) in block.iter().enumerate() {
                let at = number * group + inside;
                let code = ((v - low) / scale).round().clamp(0.0, levels) as u32;
                meant.push(low + code as f32 * scale);
                let bit = at % columns * bits;
                let word = at / columns * words + bit / 32;
                packed[word] |= code << (bit % 32);
                if bit % 32 + bits > 32 {
                    packed[word + 1] |= code >> (32 - bit % 32);
                }
            }
        }
        let parts = Tensors::from([
            (format!("{base}.weight"), u32s("U32", &[rows, words], &packed)),
            (format!("{base}.scales"), f32s(&[rows, columns / group], &scales)),
            (format!("{base}.biases"), f32s(&[rows, columns / group], &biases)),
        ]);
        (parts, meant)
    }
}

/// A GPTQ layer's tensors with the right shapes; the values mean nothing.
pub(crate) fn gptq(base: &str, [rows, columns]: [usize; 2], values: &[f32]) -> (Tensors, Vec<f32>) {
    let groups = columns / 128;
    let order: Vec<u32> = (0..columns as u32).map(|c| c / 128).collect();
    let parts = Tensors::from([
        (format!("{base}.qweight"), u32s("I32", &[columns / 8, rows], &vec![0; columns / 8 * rows])),
        (format!("{base}.qzeros"), u32s("I32", &[groups, rows / 8], &vec![0; groups * rows / 8])),
        (format!("{base}.scales"), bytes("F16", &[groups, rows], vec![0; groups * rows * 2])),
        (format!("{base}.g_idx"), u32s("I32", &[columns], &order)),
    ]);
    (parts, values.to_vec())
}
