//! What a UQFF file holds, from the header of each of its tensors: never from the file's name.
//!
//! UQFF is a safetensors file of bytes; each tensor is one linear layer of the model, numbered in the order of the
//! model's `get_layers`. It begins with a version (u32, `.. major minor patch`) and the kind of layer (one byte);
//! layout per kind: the comments and `serialize_with_bias` of mistralrs-quant 0.8.1 (gguf, unquantized, hqq, fp8,
//! afq, f8q8, mxfp4 `/mod.rs`; `utils/uqff.rs`). Nothing is loaded.

use super::LoadError;
use super::family::{Pass, divide, is_known};
use super::format::Format;
use super::load::{LoadSetting, ModelFiles};
use super::safetensors::{self, TensorInfo};
use super::stored::{Held, Stored};
use crate::spec::QuantScheme;
use crate::spec::setting::uqff_parts;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// The format that mistral.rs 0.8.1 reads: major 0, minor up to 2.
const MINOR: u32 = 2;

/// Reads the headers of all parts. The rest of the model comes from its own checkpoint, in the setting's data type.
///
/// # Errors
/// [`LoadError::Config`]: not readable, not UQFF, of a newer version, or not of this model.
pub fn held(first: &Path, files: &ModelFiles, setting: &LoadSetting) -> Result<Held, LoadError> {
    let wrong = |path: &Path, why: String| LoadError::Config { path: path.to_owned(), why };
    let mut layers = Vec::new();
    // mistral.rs looks for parts by their names in the model's directory.
    let namesake = first.file_name().map(|name| files.directory.join(name)).filter(|path| path.exists());
    if namesake.is_some_and(|path| path.canonicalize().ok() != first.canonicalize().ok()) {
        let why = "has a namesake in the model's directory, which mistral.rs would load instead; rename one of them";
        return Err(wrong(first, why.to_owned()));
    }
    for path in uqff_parts(first) {
        let places = safetensors::read_places(&path).map_err(|e| wrong(&path, format!("is no UQFF file ({e})")))?;
        let mut file = File::open(&path).map_err(|e| wrong(&path, format!("cannot be read: {}", e.kind())))?;
        for (tensor, at) in places {
            let number = tensor.name.parse::<usize>();
            let number =
                number.map_err(|_| wrong(&path, format!("is no UQFF file: it has a tensor {:?}", tensor.name)))?;
            let layer = layer(&mut file, at, tensor.elements())
                .map_err(|why| wrong(&path, format!("layer {number}: {why}")))?;
            layers.push((number, layer));
        }
    }
    layers.sort_by_key(|(number, _)| *number);
    let divided = divide(files, Pass::Afterwards);
    let same = |(number, layer): &(usize, Layer), tensor: &TensorInfo| {
        *number < divided.linear.len() && layer.weights == tensor.elements()
    };
    // The order of `get_layers` is that of the model's own code: the head first, then layer by layer.
    let mut sizes: Vec<u64> = divided.linear.iter().map(TensorInfo::elements).collect();
    let mut found: Vec<u64> = layers.iter().map(|(_, l)| l.weights).collect();
    sizes.sort_unstable();
    found.sort_unstable();
    let head = divided.linear.iter().find(|t| t.name.starts_with("lm_head"));
    let first_is_head = layers.first().zip(head).is_none_or(|(layer, head)| same(layer, head));
    if is_known(files) && (sizes != found || !first_is_head) {
        let why = format!(
            "its {} layers are not the {} linear layers of {}; name the file of this very model",
            found.len(),
            sizes.len(),
            files.directory.display()
        );
        return Err(wrong(first, why));
    }
    let mut tensors: Vec<Stored> = layers
        .into_iter()
        .map(|(_, Layer { format, weights, bytes })| Stored {
            format: format.name().to_owned(),
            weights,
            bytes,
            linear: true,
            activation: format.activation(&setting.device),
        })
        .collect();
    let dense = Format::requested(QuantScheme::None, setting.dtype);
    tensors.extend(divided.rest.iter().map(|t| Stored::new(dense, t, false, setting)));
    Ok(Held { tensors, ..Held::default() })
}

/// One layer of the file.
struct Layer {
    format: Format,
    weights: u64,
    bytes: u64,
}

/// Reads one layer's header, at `start` of the file, `length` bytes in all.
fn layer(file: &mut File, start: u64, length: u64) -> Result<Layer, String> {
    let mut reader = Reader { file, at: start, end: start + length };
    let version = reader.u32()?;
    if version >> 16 != 0 || version >> 8 & 0xff > MINOR {
        return Err(format!(
            "UQFF {}.{}.{} is newer than mistral.rs 0.8.1 reads; write the file again with it",
            version >> 16,
            version >> 8 & 0xff,
            version & 0xff
        ));
    }
    match reader.u8()? {
        0 => reader.ggml(),
        1 => {
            reader.u8()?;
            let tensor = reader.tensor()?;
            let format = match tensor.dtype {
                4 => Format::F16,
                5 => Format::Bf16,
                6 => Format::F32,
                other => return Err(format!("unquantized weights of type {other}")),
            };
            Ok(Layer { format, weights: tensor.elements, bytes: tensor.bytes })
        }
        2 => reader.hqq(),
        3 => {
            reader.u8()?;
            let tensor = reader.tensor()?;
            Ok(Layer { format: Format::F8e4m3, weights: tensor.elements, bytes: Format::F8e4m3.bytes(tensor.elements) })
        }
        4 => reader.afq(),
        5 => {
            reader.u8()?;
            let blocks = u64::from(reader.u32()?);
            let weights = reader.dimensions()?;
            Ok(Layer { format: Format::F8q8, weights, bytes: blocks * Format::F8q8.bytes(1) })
        }
        6 => {
            reader.u8()?;
            let (codes, scales) = (reader.tensor()?, reader.tensor()?);
            Ok(Layer { format: Format::Mxfp4, weights: codes.elements * 2, bytes: codes.bytes + scales.bytes })
        }
        kind => Err(format!("a layer of kind {kind}, which is not known")),
    }
}

/// A serialized tensor: length, type, number of dimensions, dimensions, data.
struct Tensor {
    dtype: u32,
    elements: u64,
    bytes: u64,
}

struct Reader<'a> {
    file: &'a mut File,
    at: u64,
    end: u64,
}

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        if self.at + N as u64 > self.end {
            return Err("it ends too early".to_owned());
        }
        let read = self.file.seek(SeekFrom::Start(self.at)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|e| e.kind().to_string())?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn u8(&mut self) -> Result<u8, String> {
        Ok(self.bytes::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    /// Number of dimensions, then each; their product.
    fn dimensions(&mut self) -> Result<u64, String> {
        let number = self.u32()?;
        if number > 8 {
            return Err(format!("{number} dimensions"));
        }
        let mut elements = 1_u64;
        for _ in 0..number {
            elements = elements.checked_mul(u64::from(self.u32()?)).ok_or("too many weights")?;
        }
        Ok(elements)
    }

    fn tensor(&mut self) -> Result<Tensor, String> {
        let bytes = u64::from(self.u32()?);
        let dtype = self.u32()?;
        let elements = self.dimensions()?;
        self.skip(bytes)?;
        Ok(Tensor { dtype, elements, bytes })
    }

    fn skip(&mut self, bytes: u64) -> Result<(), String> {
        self.at += bytes;
        if self.at > self.end { Err("it ends too early".to_owned()) } else { Ok(()) }
    }

    /// Length of the data, bias, type, dimensions. Numbers of the types: `GgufMatMul::serialize_with_bias`.
    fn ggml(&mut self) -> Result<Layer, String> {
        let bytes = u64::from(self.u32()?);
        self.u8()?;
        let format = match self.u32()? {
            0 => Format::F32,
            1 => Format::F16,
            2 => Format::Q4_0,
            3 => Format::Q4_1,
            6 => Format::Q5_0,
            7 => Format::Q5_1,
            8 => Format::Q8_0,
            9 => Format::Q8_1,
            10 => Format::Q2K,
            11 => Format::Q3K,
            12 => Format::Q4K,
            13 => Format::Q5K,
            14 => Format::Q6K,
            15 => Format::Q8K,
            30 => Format::Bf16,
            other => return Err(format!("a GGML type {other}, which is not known")),
        };
        Ok(Layer { format, weights: self.dimensions()?, bytes })
    }

    /// Codes, scales, zeros; then the shape and the number of bits.
    fn hqq(&mut self) -> Result<Layer, String> {
        self.u8()?;
        let bytes = self.tensor()?.bytes + self.tensor()?.bytes + self.tensor()?.bytes;
        let weights = self.dimensions()?;
        let format = match self.u8()? {
            8 => Format::Hqq8,
            4 => Format::Hqq4,
            bits => return Err(format!("HQQ with {bits} bits, which mistral.rs does not load")),
        };
        Ok(Layer { format, weights, bytes })
    }

    /// Codes in 32-bit words, scales, biases; then the number of bits.
    fn afq(&mut self) -> Result<Layer, String> {
        self.u8()?;
        let (codes, scales, biases) = (self.tensor()?, self.tensor()?, self.tensor()?);
        let bits = self.u8()?;
        let format = match bits {
            2 => Format::Afq2,
            3 => Format::Afq3,
            4 => Format::Afq4,
            6 => Format::Afq6,
            8 => Format::Afq8,
            bits => return Err(format!("AFQ with {bits} bits, which the CPU cannot dequantize")),
        };
        let weights = codes.elements * 32 / u64::from(bits);
        Ok(Layer { format, weights, bytes: codes.bytes + scales.bytes + biases.bytes })
    }
}
