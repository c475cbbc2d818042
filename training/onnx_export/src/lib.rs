//! Writes ONNX models from checkpoints of the Qwen2.5-VL architecture.
//!
//! [`export`] reads a Hugging Face checkpoint directory (`config.json` and safetensors, hub or transformers-5 names)
//! and writes onnxruntime-genai's layout: `vision.onnx`, `embedding.onnx`, `model.onnx`, each with its weights in
//! `<file>.data` (tensors at multiples of 4 KiB), `genai_config.json`, `processor_config.json` and the tokenizer.
//! The profile is `ort`: standard operators of opset 23 plus ONNX Runtime's own, for its CPU and CUDA providers.
//!
//! Weights are streamed from the memory map: memory stays small whatever the checkpoint's size. Absent, extra,
//! misshapen and non-finite tensors are errors. The output directory appears complete or not at all.
//!
//! ```no_run
//! use onnx_export::{ExportRequest, Precision, export};
//!
//! let request = ExportRequest {
//!     checkpoint_dir: "models/zoo/spacer-nano".into(),
//!     out_dir: "models/zoo/spacer-nano/onnx".into(),
//!     precision: Precision::F32,
//! };
//! println!("{} bytes", export(&request)?.bytes());
//! # Ok::<(), onnx_export::Error>(())
//! ```

mod checkpoint;
mod decoder;
mod directory;
mod embedding;
mod error;
mod external_data;
mod genai;
mod graph;
mod layers;
mod proto;
mod vision;
mod vision_grid;

use std::path::PathBuf;

use checkpoint::Checkpoint;
use directory::Staging;
use processor::config::ModelConfig;

pub use error::{Error, Result};

/// Type the weights are stored and computed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precision {
    /// 32-bit floats: exact, 4 bytes a weight.
    #[default]
    F32,
}

/// What to export, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRequest {
    /// Directory with `config.json` and `model.safetensors` (or shards with `model.safetensors.index.json`).
    pub checkpoint_dir: PathBuf,
    /// Directory to create, usually `<model directory>/onnx`. An earlier export there is replaced; anything else is
    /// left alone and an error.
    pub out_dir: PathBuf,
    /// Type of the weights.
    pub precision: Precision,
}

/// What was written; sizes in bytes, graph and data together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportReport {
    /// The output directory.
    pub out_dir: PathBuf,
    /// `vision.onnx` and its data.
    pub vision_bytes: u64,
    /// `embedding.onnx` and its data.
    pub embedding_bytes: u64,
    /// `model.onnx` and its data.
    pub decoder_bytes: u64,
}

impl ExportReport {
    /// Bytes of all graphs and weights.
    pub fn bytes(&self) -> u64 {
        self.vision_bytes + self.embedding_bytes + self.decoder_bytes
    }
}

/// Exports a checkpoint.
///
/// # Errors
/// A missing or foreign `config.json`; absent, extra, misshapen, wrongly typed or non-finite tensors; broken or absent
/// shards; a full disk; an output path that holds something else. Nothing is left at `out_dir` then, or the earlier
/// export as it was.
pub fn export(request: &ExportRequest) -> Result<ExportReport> {
    let Precision::F32 = request.precision;
    let config = ModelConfig::from_dir(&request.checkpoint_dir)?;
    let checkpoint = Checkpoint::open(&request.checkpoint_dir)?;
    let staging = Staging::begin(&request.out_dir)?;
    let report = ExportReport {
        out_dir: request.out_dir.clone(),
        vision_bytes: vision::write_vision(&checkpoint, &config, staging.path())?,
        embedding_bytes: embedding::write_embedding(&checkpoint, &config, staging.path())?,
        decoder_bytes: decoder::write_decoder(&checkpoint, &config, staging.path())?,
    };
    let tied = config.tie_word_embeddings;
    checkpoint.refuse_unused(|name| name.ends_with("rotary_emb.inv_freq") || (tied && name == "lm_head.weight"))?;
    genai::write_runtime_files(&request.checkpoint_dir, &config, staging.path())?;
    staging.publish()?;
    Ok(report)
}
