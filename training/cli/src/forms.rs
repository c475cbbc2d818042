//! The forms a checkpoint can be exported in, as words of the command line.

use clap::ValueEnum;
use model_dir::Precision;

/// Families of engines.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// ONNX Runtime's CPU and CUDA providers.
    Ort,
    /// TensorRT: standard operators, a KV cache of fixed length.
    Trt,
}

impl Profile {
    /// As the exporter names it.
    pub fn exported(self) -> onnx_export::Profile {
        match self {
            Self::Ort => onnx_export::Profile::Ort,
            Self::Trt => onnx_export::Profile::Trt,
        }
    }

    /// As the manifest states it.
    pub fn stated(self) -> model_dir::Profile {
        match self {
            Self::Ort => model_dir::Profile::Ort,
            Self::Trt => model_dir::Profile::Trt,
        }
    }
}

/// Types of weights.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Weights {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// 8-bit integers, a scale for every 32.
    Int8,
    /// 4-bit integers with zero points, a scale for every 32.
    Int4,
    /// 4-bit integers without zero points.
    Int4Symmetric,
}

impl Weights {
    /// As the exporter names it.
    pub fn exported(self) -> onnx_export::Precision {
        match self {
            Self::F32 => onnx_export::Precision::F32,
            Self::F16 => onnx_export::Precision::F16,
            Self::Int8 => onnx_export::Precision::Int8,
            Self::Int4 => onnx_export::Precision::Int4 { symmetric: false },
            Self::Int4Symmetric => onnx_export::Precision::Int4 { symmetric: true },
        }
    }

    /// As the manifest states it.
    pub fn stated(self) -> Precision {
        match self {
            Self::F32 => Precision::F32,
            Self::F16 => Precision::F16,
            Self::Int8 => Precision::Int8,
            Self::Int4 | Self::Int4Symmetric => Precision::Int4,
        }
    }

    /// Largest difference of a logit, over the largest logit, that is accepted unless another is asked for.
    pub fn usual_tolerance(self) -> f64 {
        match self.stated() {
            Precision::F32 => 1e-3,
            Precision::F16 => 1e-2,
            Precision::Int8 => 5e-2,
            Precision::Int4 => 0.3,
        }
    }
}
