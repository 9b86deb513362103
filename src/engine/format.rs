//! Storage formats of weights: bytes, block sizes, fallbacks, and what their products do to activations.

use crate::spec::QuantScheme;
use crate::spec::setting::Dtype;

/// How the weights of one tensor are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the documentation: those of mistral.rs and candle")]
pub enum Format {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q8_1,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
    Q8K,
    Hqq4,
    Hqq8,
    F8e4m3,
    F8q8,
    Afq2,
    Afq3,
    Afq4,
    Afq6,
    Afq8,
    Mxfp4,
}

/// What a product does to activations: `int8 dynamic, blocks of 256` …; nothing where they stay as they are.
pub type Activation = Option<&'static str>;

/// Whether a tensor of some shape can be stored in a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// It is stored in this format, which may be a fallback.
    Takes(Format),
    /// The engine would stop; the reason.
    Refused(String),
}

/// Numbers in a group of HQQ (`ISQ_HQQ_GROUP_SIZE`, mistralrs-quant/src/hqq/mod.rs) and of AFQ
/// (`AfqGroupSize::default`, mistralrs-quant/src/afq/mod.rs).
const GROUP: u64 = 64;

impl Format {
    /// What a scheme asks for.
    #[must_use]
    pub fn requested(scheme: QuantScheme, dtype: Dtype) -> Self {
        match scheme {
            QuantScheme::None => match dtype {
                Dtype::F32 => Self::F32,
                Dtype::F16 => Self::F16,
                Dtype::Bf16 => Self::Bf16,
            },
            QuantScheme::Q4_0 => Self::Q4_0,
            QuantScheme::Q4_1 => Self::Q4_1,
            QuantScheme::Q5_0 => Self::Q5_0,
            QuantScheme::Q5_1 => Self::Q5_1,
            QuantScheme::Q8_0 => Self::Q8_0,
            QuantScheme::Q8_1 => Self::Q8_1,
            QuantScheme::Q2K => Self::Q2K,
            QuantScheme::Q3K => Self::Q3K,
            QuantScheme::Q4K => Self::Q4K,
            QuantScheme::Q5K => Self::Q5K,
            QuantScheme::Q6K => Self::Q6K,
            QuantScheme::Q8K => Self::Q8K,
            QuantScheme::Hqq4 => Self::Hqq4,
            QuantScheme::Hqq8 => Self::Hqq8,
            QuantScheme::F8e4m3 => Self::F8e4m3,
            QuantScheme::F8q8 => Self::F8q8,
            QuantScheme::Afq2 => Self::Afq2,
            QuantScheme::Afq3 => Self::Afq3,
            QuantScheme::Afq4 => Self::Afq4,
            QuantScheme::Afq6 => Self::Afq6,
            QuantScheme::Afq8 => Self::Afq8,
            QuantScheme::Mxfp4 => Self::Mxfp4,
            // Nothing is asked of the engine.
            QuantScheme::Given => Self::requested(QuantScheme::None, dtype),
        }
    }

    /// The name in manifests and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q8_1 => "Q8_1",
            Self::Q2K => "Q2K",
            Self::Q3K => "Q3K",
            Self::Q4K => "Q4K",
            Self::Q5K => "Q5K",
            Self::Q6K => "Q6K",
            Self::Q8K => "Q8K",
            Self::Hqq4 => "HQQ4",
            Self::Hqq8 => "HQQ8",
            Self::F8e4m3 => "F8E4M3",
            Self::F8q8 => "F8Q8",
            Self::Afq2 => "AFQ2",
            Self::Afq3 => "AFQ3",
            Self::Afq4 => "AFQ4",
            Self::Afq6 => "AFQ6",
            Self::Afq8 => "AFQ8",
            Self::Mxfp4 => "MXFP4",
        }
    }

    /// Whether it is one of GGML's block formats.
    #[must_use]
    pub fn is_ggml(self) -> bool {
        self.activation("cpu").is_some()
    }

    /// Whether mistral.rs 0.8.1 makes it on CUDA (`TryFrom<IsqType> for GgmlDType`, mistralrs-quant/src/lib.rs).
    #[must_use]
    pub fn on_cuda(self) -> bool {
        !matches!(self, Self::Q8_1 | Self::Q8K)
    }

    /// Bits per weight of whole blocks, scales included.
    #[must_use]
    pub fn nominal_bits(self) -> f64 {
        8.0 * self.block_bytes() as f64 / self.block() as f64
    }

    /// What a weight is: `4 bit`, `float8` …
    #[must_use]
    pub fn element(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
            Self::F8e4m3 | Self::F8q8 => "float8",
            Self::Mxfp4 => "float4",
            Self::Q2K | Self::Afq2 => "2 bit",
            Self::Q3K | Self::Afq3 => "3 bit",
            Self::Q4_0 | Self::Q4_1 | Self::Q4K | Self::Hqq4 | Self::Afq4 => "4 bit",
            Self::Q5_0 | Self::Q5_1 | Self::Q5K => "5 bit",
            Self::Q6K | Self::Afq6 => "6 bit",
            Self::Q8_0 | Self::Q8_1 | Self::Q8K | Self::Hqq8 | Self::Afq8 => "8 bit",
        }
    }

    /// Numbers that share scales; 1 where each stands alone.
    #[must_use]
    pub fn block(self) -> u64 {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 | Self::F8e4m3 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 | Self::Q8_1 | Self::F8q8 | Self::Mxfp4 => {
                32
            }
            Self::Q2K | Self::Q3K | Self::Q4K | Self::Q5K | Self::Q6K | Self::Q8K => 256,
            Self::Hqq4 | Self::Hqq8 | Self::Afq2 | Self::Afq3 | Self::Afq4 | Self::Afq6 | Self::Afq8 => GROUP,
        }
    }

    /// Bytes of one block, scales included.
    ///
    /// GGML blocks: the asserted sizes of the structs in candle-core/src/quantized/k_quants.rs. F8Q8: `BlockF8Q8`,
    /// mistralrs-quant/src/f8q8/mod.rs. HQQ: packed codes and an f32 scale and zero per group
    /// (mistralrs-quant/src/hqq/quantize.rs). AFQ: packed codes and an f32 scale and bias per group (afq/ops.rs,
    /// `cpu_backend`, with f32 weights). MXFP4: 16 bytes of codes and one of exponent (mxfp4/mod.rs).
    fn block_bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::F8e4m3 => 1,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q8_1 => 36,
            Self::Q2K => 84,
            Self::Q3K => 110,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
            Self::Q8K => 292,
            Self::F8q8 => 33,
            Self::Mxfp4 => 17,
            Self::Hqq4 | Self::Afq4 => GROUP / 2 + 8,
            Self::Hqq8 | Self::Afq8 => GROUP + 8,
            Self::Afq2 => GROUP / 4 + 8,
            Self::Afq3 => GROUP * 3 / 8 + 8,
            Self::Afq6 => GROUP * 6 / 8 + 8,
        }
    }

    /// Bytes of a tensor of so many numbers. F8E4M3 adds three f32 scales per tensor (mistralrs-quant/src/fp8/mod.rs).
    #[must_use]
    pub fn bytes(self, elements: u64) -> u64 {
        let scales = if self == Self::F8e4m3 { 12 } else { 0 };
        elements.div_ceil(self.block()) * self.block_bytes() + scales
    }

    /// The same where unquantized tensors are of another type: AFQ keeps scales and biases in it
    /// (`afq_quantize_op`, mistralrs-quant/src/afq/ops.rs), HQQ in f32.
    #[must_use]
    pub fn bytes_under(self, elements: u64, dtype: Dtype) -> u64 {
        let saved = match (self, dtype) {
            (Self::Afq2 | Self::Afq3 | Self::Afq4 | Self::Afq6 | Self::Afq8, Dtype::F16 | Dtype::Bf16) => 4,
            _ => 0,
        };
        self.bytes(elements) - elements.div_ceil(self.block()) * saved
    }

    /// The format that a tensor of this shape really gets.
    ///
    /// GGML formats: `get_quantization_behaviour` in mistralrs-quant/src/utils/isq.rs looks at the last dimension,
    /// falls back once from the super-block formats, and else leaves the tensor as F32. HQQ wants the number of
    /// elements, AFQ and MXFP4 the last dimension to be whole groups, and stop otherwise. F8Q8 pads.
    #[must_use]
    pub fn fit(self, shape: &[u64]) -> Fit {
        let last = shape.last().copied().unwrap_or(0);
        let whole = |n: u64, block: u64| n != 0 && n.is_multiple_of(block);
        match self {
            Self::F32 | Self::F16 | Self::Bf16 | Self::F8e4m3 | Self::F8q8 => Fit::Takes(self),
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 | Self::Q8_1 => {
                Fit::Takes(if whole(last, 32) { self } else { Self::F32 })
            }
            Self::Q2K | Self::Q3K | Self::Q4K | Self::Q5K | Self::Q6K | Self::Q8K => {
                if whole(last, 256) {
                    Fit::Takes(self)
                } else {
                    self.fallback().fit(shape)
                }
            }
            Self::Hqq4 | Self::Hqq8 => {
                if whole(shape.iter().product(), GROUP) {
                    Fit::Takes(self)
                } else {
                    Fit::Refused(format!("HQQ needs a multiple of {GROUP} elements"))
                }
            }
            Self::Afq2 | Self::Afq3 | Self::Afq4 | Self::Afq6 | Self::Afq8 => {
                if whole(last, GROUP) {
                    Fit::Takes(self)
                } else {
                    Fit::Refused(format!("AFQ needs a last dimension that is a multiple of {GROUP}"))
                }
            }
            Self::Mxfp4 => {
                if whole(last, 32) {
                    Fit::Takes(self)
                } else {
                    Fit::Refused("MXFP4 needs a last dimension that is a multiple of 32".to_owned())
                }
            }
        }
    }

    /// `get_fallback` in mistralrs-quant/src/utils/isq.rs.
    fn fallback(self) -> Self {
        match self {
            Self::Q2K | Self::Q3K => Self::Q4_0,
            Self::Q4K => Self::Q4_1,
            Self::Q5K => Self::Q5_0,
            Self::Q6K => Self::Q5_1,
            Self::Q8K => Self::Q8_1,
            Self::F32
            | Self::F16
            | Self::Bf16
            | Self::Q4_0
            | Self::Q4_1
            | Self::Q5_0
            | Self::Q5_1
            | Self::Q8_0
            | Self::Q8_1
            | Self::Hqq4
            | Self::Hqq8
            | Self::F8e4m3
            | Self::F8q8
            | Self::Afq2
            | Self::Afq3
            | Self::Afq4
            | Self::Afq6
            | Self::Afq8
            | Self::Mxfp4 => Self::F32,
        }
    }

    /// What a product with these weights does to activations on a device, or nothing.
    ///
    /// CPU: `VecDotType` in candle-core/src/quantized/k_quants.rs; `matmul` there quantizes each row of the input
    /// anew. HQQ, F8E4M3, F8Q8, AFQ and MXFP4 dequantize the weights and multiply (their `forward` without CUDA or
    /// Metal). CUDA: int8 in the quantized kernels; F8E4M3 quantizes the input per tensor for cuBLASLt.
    #[must_use]
    pub fn activation(self, device: &str) -> Activation {
        let cuda = device.starts_with("cuda");
        match self {
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 | Self::Q8_1 => {
                Some("int8 dynamic, blocks of 32")
            }
            Self::Q2K | Self::Q3K | Self::Q4K | Self::Q5K | Self::Q6K | Self::Q8K => {
                Some(if cuda { "int8 dynamic, blocks of 32" } else { "int8 dynamic, blocks of 256" })
            }
            Self::F8e4m3 => cuda.then_some("float8 dynamic, per tensor"),
            Self::F32
            | Self::F16
            | Self::Bf16
            | Self::Hqq4
            | Self::Hqq8
            | Self::F8q8
            | Self::Afq2
            | Self::Afq3
            | Self::Afq4
            | Self::Afq6
            | Self::Afq8
            | Self::Mxfp4 => None,
        }
    }
}
