//! `manifest.toml`: what the model is, how it was made and judged, and the digest of every file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The manifest as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name, as shown in answers and logs, say `spacer-nano`.
    pub name: String,
    /// Version of the weights, say `0.1.0`.
    pub version: String,
    /// SPDX identifier of the weights' licence.
    pub licence: String,
    /// Precision of the exported graphs.
    pub precision: Precision,
    /// Family of engines that the graphs are for.
    #[serde(default)]
    pub profile: Profile,
    /// How the weights were trained, if by this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// How the exported model was judged; empty before the first evaluation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluation: Vec<Evaluation>,
    /// How far the graphs may be from the checkpoint on the golden prompts; without it no node runs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parity: Option<Parity>,
    /// Every file of the directory but this one, by path with `/` between parts, relative to the directory.
    #[serde(default)]
    pub files: BTreeMap<String, FileDigest>,
}

/// Type the weights are stored and computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// 8-bit integers with scales.
    Int8,
    /// 4-bit integers with scales, blocks of 32.
    Int4,
}

/// Family of engines that graphs are written for: their operators, inputs and KV cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// ONNX Runtime's CPU and CUDA providers; a KV cache that grows.
    #[default]
    Ort,
    /// TensorRT; a KV cache of fixed length, and the shapes that `onnx/trt_profile.json` names.
    Trt,
}

impl Profile {
    /// The file in the model directory that tells engines of the family how to run the graphs.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Ort => "onnx/genai_config.json",
            Self::Trt => "onnx/trt_profile.json",
        }
    }
}

/// The parity gate, measured on the prompts of `onnx/parity.safetensors`: the largest difference of a logit over the largest
/// reference logit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parity {
    /// The most that is accepted.
    pub tolerance: f64,
    /// What was found at export; absent where no engine at hand could run the graphs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<f64>,
}

/// Length and digest of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDigest {
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// A training run; the same command and seed reproduce the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The command line.
    pub command: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// Wall-clock time in seconds.
    pub seconds: f64,
    /// Loss over the run, in order of steps.
    #[serde(default)]
    pub loss_curve: Vec<LossPoint>,
}

/// One point of the loss curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossPoint {
    /// Optimiser steps done.
    pub step: u64,
    /// Mean cross-entropy per token, nats.
    pub loss: f64,
}

/// The scores of one evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The command line, with the split and the seed.
    pub command: String,
    /// Score by name, say `distance.mra`.
    pub scores: BTreeMap<String, f64>,
}
