//! What a package is written for: the type of its weights and the family of engines that runs it.

use crate::external_data::Float;
use crate::quantize::{BLOCK, Quantizer, Scheme};

/// Weights that share a scale in TensorRT's 4-bit form, which knows blocks of 64 and 128.
const TRT_BLOCK: usize = 64;

/// Type the weights of the linear layers are stored in. Norms and biases stay floats. In the `ort` profile output layer
/// and token table have 8 bits at `Int8` and, unless asked otherwise, at `Int4`, and are the same bytes where the checkpoint
/// ties them; in the `trt` profile, and wherever a row is no multiple of a block, the table is f16 at every precision but
/// `F32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precision {
    /// 32-bit floats: exact, 4 bytes a weight.
    #[default]
    F32,
    /// 16-bit floats, computed in f16 where the engine can (ONNX Runtime's CPU provider computes most of it in f32 and
    /// so holds f32 copies of the weights). A weight beyond ±65504 is an error.
    F16,
    /// 8-bit integers, symmetric, round to nearest; a scale for every 32 weights of a row, or for a row in the `trt`
    /// profile, as TensorRT has no blocks of 8 bits.
    Int8,
    /// 4-bit integers, a scale for every 32 weights of a row, or 64 in the `trt` profile, as TensorRT takes 64 or 128
    /// only; scales that make the squared error small. The output layer of the `trt` profile is f16.
    Int4 {
        /// Without zero points. TensorRT takes no others; with them the error is smaller.
        symmetric: bool,
    },
}

/// The operators a package may use, and how its KV cache is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Standard operators of opset 23 and ONNX Runtime's own, for its CPU and CUDA providers; onnxruntime-genai's
    /// layout, a KV cache that grows with the sequence.
    #[default]
    Ort,
    /// Standard operators of opset 21 only, the norms, attention and rotations spelt out, so that TensorRT's parser
    /// takes the whole graph from version 10.1 on: cos and sin are inputs, the KV cache has a fixed length, weights are
    /// quantised by DequantizeLinear, and `trt_profile.json` holds the shapes to build an engine for.
    Trt,
}

/// What a graph is written in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub profile: Profile,
    /// Of the linear layers' weights.
    pub precision: Precision,
    /// Of the output layer's weights and the token table's.
    pub output: Precision,
    /// Do f32 weights stay in the checkpoint's file, which the graphs then read?
    pub shared: bool,
    /// Type of the embeddings that pass between the graphs, of the KV cache and the logits.
    pub port: Float,
}

impl Style {
    /// The style of a decoder; its ports are of the type it computes in.
    pub fn decoder(profile: Profile, precision: Precision) -> Self {
        let output = match (precision, profile) {
            (Precision::Int4 { .. }, Profile::Ort) => Precision::Int8,
            (Precision::Int4 { .. }, Profile::Trt) => Precision::F16,
            _ => precision,
        };
        Self { profile, precision, output, shared: false, port: compute(profile, precision) }
    }

    /// Type that activations are computed in, and norms and biases stored in.
    pub fn compute(&self) -> Float {
        compute(self.profile, self.precision)
    }

    /// The precision itself where it is a float's, else that of the computed type.
    pub fn float_precision(&self) -> Precision {
        match self.compute() {
            Float::F32 => Precision::F32,
            Float::F16 => Precision::F16,
        }
    }

    /// How the output layer is quantised, and a table of tokens beside it; none for floats.
    pub fn output_quantizer(&self) -> Option<Quantizer> {
        Self { precision: self.output, ..*self }.quantizer()
    }

    /// How the linear layers are quantised; none for floats.
    pub fn quantizer(&self) -> Option<Quantizer> {
        let (bits, symmetric) = match self.precision {
            Precision::F32 | Precision::F16 => return None,
            Precision::Int8 => (8, true),
            Precision::Int4 { symmetric } => (4, symmetric),
        };
        let scheme = match (self.profile, symmetric) {
            (Profile::Trt, _) => Scheme::Signed,
            (Profile::Ort, true) => Scheme::Centered,
            (Profile::Ort, false) => Scheme::ZeroPoint,
        };
        let block = match (self.profile, bits) {
            (Profile::Ort, _) => Some(BLOCK),
            (Profile::Trt, 4) => Some(TRT_BLOCK),
            (Profile::Trt, _) => None,
        };
        Some(Quantizer { bits, scheme, block, half_scales: self.compute() == Float::F16 })
    }

    /// Operator set and the IR version that goes with it. 23 is the first with RMSNormalization, 21 the first with
    /// blocked and 4-bit DequantizeLinear.
    pub fn versions(&self) -> (i64, i64) {
        match self.profile {
            Profile::Ort => (23, 11),
            Profile::Trt => (21, 10),
        }
    }
}

/// Quantised layers compute in f32 on ONNX Runtime's CPU provider, which has no f16 kernels, and in f16 on TensorRT,
/// whose 4-bit products take nothing wider.
fn compute(profile: Profile, precision: Precision) -> Float {
    match (precision, profile) {
        (Precision::F32, _) => Float::F32,
        (Precision::F16, _) => Float::F16,
        (_, Profile::Ort) => Float::F32,
        (_, Profile::Trt) => Float::F16,
    }
}
