//! Writes ONNX models from checkpoints of the Qwen2.5-VL architecture.
//!
//! [`export`] reads a Hugging Face checkpoint directory (`config.json` and safetensors, hub or transformers-5 names)
//! and writes `vision.onnx`, `embedding.onnx`, `model.onnx`, each with its weights in `<file>.data` (tensors at multiples
//! of 4 KiB), and the tokenizer. [`Precision`] is the type of the weights, [`Profile`] the family of engines: `ort` adds
//! `genai_config.json` and `processor_config.json` (onnxruntime-genai's layout), `trt` adds `trt_profile.json`.
//!
//! With [`ExportOptions::share_weights`] f32 weights stand once: the graphs read them in a copy of the checkpoint's own file.
//!
//! Weights are streamed from the memory map: memory stays small whatever the checkpoint's size. Before a byte is written
//! the whole export is measured, which finds absent, extra, misshapen and wrongly typed tensors and compares free disk and
//! memory with what it will take; non-finite weights are found on the way. The output directory appears complete or not
//! at all.
//!
//! ```no_run
//! use onnx_export::{ExportOptions, ExportRequest, Precision, Profile, export_with};
//!
//! let request = ExportRequest {
//!     checkpoint_dir: "SpaceR-7B".into(),
//!     out_dir: "models/zoo/spacer-7b/onnx".into(),
//!     precision: Precision::Int4 { symmetric: true },
//! };
//! let options = ExportOptions { profile: Profile::Trt, ..Default::default() };
//! println!("{} bytes", export_with(&request, &options)?.bytes());
//! # Ok::<(), onnx_export::Error>(())
//! ```

mod adapter_file;
mod attention;
mod checkpoint;
mod decoder;
mod decoder_ort;
mod decoder_trt;
mod directory;
mod embedding;
mod error;
mod external_data;
mod genai;
mod graph;
mod layers;
mod lora;
mod precision;
mod proto;
mod quantize;
mod quantized_data;
mod resources;
mod trt_profile;
mod vision;
mod vision_grid;
mod weight;

use std::path::{Path, PathBuf};

use checkpoint::{Checkpoint, WEIGHTS};
use graph::GraphSize;
use precision::Style;
use processor::config::ModelConfig;

pub use directory::Staging;
pub use error::{Error, Result};
pub use lora::{LowRank, read_adapter};
pub use precision::{Precision, Profile};

/// A finished export holds one of these.
const MARKERS: &[&str] = &[genai::FILE, trt_profile::FILE];

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

/// How to export, where the usual way will not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Operators and cache layout.
    pub profile: Profile,
    /// Type of the vision tower's weights; usually the request's, and floats of the computed type (f32 in the `ort`
    /// profile, f16 in `trt`) where the request's is quantised.
    pub vision_precision: Option<Precision>,
    /// Type of the output layer's weights, and of the token table's, in the `ort` profile; usually the request's, and 8 bits
    /// for 4. Integers are symmetric: the two are read by different operators.
    pub output_precision: Option<Precision>,
    /// Slots of the `trt` profile's static KV cache, tokens; usually the context length, at most 8192.
    pub kv_capacity: Option<usize>,
    /// Directory of a LoRA adapter in PEFT's format (`adapter_config.json`, `adapter_model.safetensors`); merged into
    /// the weights unless `keep_adapter`.
    pub adapter_dir: Option<PathBuf>,
    /// Leaves the weights as they are and writes the adapter beside the graphs, as `adapter.onnx_adapter` in ONNX
    /// Runtime's format. Only the `ort` profile, and adapters of the decoder's layers. For each adapted layer the decoder
    /// then has two inputs that may be left out, `<layer>.lora_A` [in, r] and `<layer>.lora_B` [r, out]; without them it
    /// is the base model.
    pub keep_adapter: bool,
    /// Lets the graphs read the weights in a copy of the checkpoint's own file beside them, `model.safetensors`, so that a
    /// directory which keeps no other copy holds them once. Only the `ort` profile, f32 graphs, and checkpoints of one file
    /// of f32 weights; the matrices then are transposed when a graph is loaded.
    pub share_weights: bool,
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
    /// `model.safetensors`, where the graphs read it.
    pub shared_bytes: u64,
}

impl ExportReport {
    /// Bytes of all graphs and weights.
    pub fn bytes(&self) -> u64 {
        self.vision_bytes + self.embedding_bytes + self.decoder_bytes + self.shared_bytes
    }
}

/// Whether [`ExportOptions::share_weights`] can be had of the weights in `checkpoint_dir`.
///
/// # Errors
/// Absent or broken weights.
pub fn can_share_weights(checkpoint_dir: &Path) -> Result<bool> {
    Ok(Checkpoint::open(checkpoint_dir)?.sharable().is_ok())
}

/// Exports a checkpoint in the `ort` profile.
///
/// # Errors
/// Those of [`export_with`].
pub fn export(request: &ExportRequest) -> Result<ExportReport> {
    export_with(request, &ExportOptions::default())
}

/// Exports a checkpoint.
///
/// # Errors
/// A missing or foreign `config.json`; absent, extra, misshapen, wrongly typed or non-finite tensors; broken or absent
/// shards; an adapter that can't be merged; a precision that the profile has no form for; a KV cache longer than the context; too little free disk or memory;
/// a full disk; an output path that holds something else. Nothing is left at `out_dir` then, or the earlier export as it
/// was.
pub fn export_with(request: &ExportRequest, options: &ExportOptions) -> Result<ExportReport> {
    let config = ModelConfig::from_dir(&request.checkpoint_dir)?;
    let styles = Styles::choose(request, options)?;
    let mut checkpoint = Checkpoint::open(&request.checkpoint_dir)?;
    match &options.adapter_dir {
        Some(adapter) if options.keep_adapter => checkpoint.keep_adapter(adapter)?,
        Some(adapter) => checkpoint.merge_adapter(adapter)?,
        None => {}
    }
    let shared = if options.share_weights { Some(checkpoint.sharable()?) } else { None };
    let job = Job {
        checkpoint: &checkpoint,
        config: &config,
        styles,
        kv_capacity: trt_profile::capacity(&config, options.kv_capacity)?,
    };
    let measured = job.write(None)?;
    let tied = config.tie_word_embeddings;
    checkpoint.refuse_unused(|name| name.ends_with("rotary_emb.inv_freq") || (tied && name == "lm_head.weight"))?;

    let staging = Staging::begin(&request.out_dir, MARKERS)?;
    let peak_buffer = measured.iter().map(|size| size.peak_buffer).max().unwrap_or(0);
    let bytes = measured.iter().map(|size| size.bytes).sum::<u64>() + shared.map_or(0, length);
    resources::check(staging.path(), bytes, peak_buffer)?;
    let [vision, embedding, decoder] = job.write(Some(staging.path()))?;
    if let Some(weights) = shared {
        std::fs::copy(weights, staging.path().join(WEIGHTS)).map_err(Error::io(weights))?;
    }
    if options.keep_adapter {
        adapter_file::write(checkpoint.kept(), staging.path(), styles.decoder.compute())?;
    }
    match options.profile {
        Profile::Ort => genai::write_runtime_files(&request.checkpoint_dir, &config, staging.path())?,
        Profile::Trt => {
            genai::copy_tokenizer(&request.checkpoint_dir, staging.path())?;
            trt_profile::write(&config, staging.path(), job.kv_capacity)?;
        }
    }
    staging.publish()?;
    Ok(ExportReport {
        out_dir: request.out_dir.clone(),
        vision_bytes: vision.bytes,
        embedding_bytes: embedding.bytes,
        decoder_bytes: decoder.bytes,
        shared_bytes: shared.map_or(0, length),
    })
}

/// Bytes of a file; 0 where that can't be told.
fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}

/// Of the three graphs.
#[derive(Clone, Copy)]
struct Styles {
    vision: Style,
    /// Of the embedding too.
    decoder: Style,
}

impl Styles {
    fn choose(request: &ExportRequest, options: &ExportOptions) -> Result<Self> {
        let mut decoder = Style::decoder(options.profile, request.precision);
        if let Some(output) = options.output_precision {
            if options.profile == Profile::Trt || output == (Precision::Int4 { symmetric: false }) {
                return Err(Error::Unsupported {
                    profile: if options.profile == Profile::Trt { "trt" } else { "ort" },
                    expected: "an output layer of a type of its own in the ort profile only, and no zero points in it",
                    found: format!("{output:?}"),
                });
            }
            decoder.output = output;
        }
        if options.profile == Profile::Trt && options.keep_adapter {
            return Err(Error::Unsupported {
                profile: "trt",
                expected: "a merged adapter (TensorRT builds its engine for weights that stay)",
                found: "one to be kept apart".to_owned(),
            });
        }
        let vision = options.vision_precision.unwrap_or_else(|| decoder.float_precision());
        for precision in [request.precision, vision] {
            if options.profile == Profile::Trt && precision == (Precision::Int4 { symmetric: false }) {
                return Err(Error::Unsupported {
                    profile: "trt",
                    expected: "symmetric quantisation (TensorRT takes no zero points but 0)",
                    found: format!("{precision:?}"),
                });
            }
        }
        let styles = Self { vision: Style { precision: vision, ..decoder }, decoder };
        if options.share_weights { styles.shared(options) } else { Ok(styles) }
    }
}

impl Styles {
    /// With weights that stay in the checkpoint's file.
    fn shared(mut self, options: &ExportOptions) -> Result<Self> {
        let precisions = [self.vision.precision, self.decoder.precision, self.decoder.output];
        if options.profile != Profile::Ort || precisions.iter().any(|precision| *precision != Precision::F32) {
            return Err(Error::Unsupported {
                profile: if options.profile == Profile::Trt { "trt" } else { "ort" },
                expected: "graphs of the ort profile with f32 weights, which alone can read the checkpoint's file",
                found: format!("{precisions:?}"),
            });
        }
        (self.vision.shared, self.decoder.shared) = (true, true);
        Ok(self)
    }
}

/// An export under way.
struct Job<'a> {
    checkpoint: &'a Checkpoint,
    config: &'a ModelConfig,
    styles: Styles,
    kv_capacity: usize,
}

impl Job<'_> {
    /// Writes vision, embedding and decoder to `dir`, or measures them.
    fn write(&self, dir: Option<&Path>) -> Result<[GraphSize; 3]> {
        let Self { checkpoint, config, styles, kv_capacity } = *self;
        let vision = vision::write_vision(checkpoint, config, dir, styles.vision)?;
        let decoder = decoder::write_decoder(checkpoint, config, dir, styles.decoder, kv_capacity)?;
        let table = decoder.table.as_ref();
        let embedding = embedding::write_embedding(checkpoint, config, dir, styles.decoder, table)?;
        Ok([vision, embedding, decoder.size])
    }
}
