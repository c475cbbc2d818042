//! Qwen2.5-VL on ONNX Runtime: `vision` frames to image embeds, `decoder`
//! prompt to KV state (prefill) and token by token (decode), `generate` the loop
//! around them with sampling, stop strings, a deadline and cancellation.
//!
//! The three graphs are those of onnxruntime-genai's layout (`vision.onnx`,
//! `embedding.onnx`, `model.onnx`), so that an independent runtime can load what
//! this crate loads. Batch is always 1. Every tensor that leaves this crate is
//! f32; the graphs may hold f16.
//!
//! Call [`runtime::init`] (or [`engine::Engine::load`], which does) once per
//! process: it finds and loads the ONNX Runtime library and never panics.
//!
//! Reference: transformers 4.49 `Qwen2_5_VLForConditionalGeneration`.

pub mod decoder;
pub mod engine;
pub mod error;
pub mod generate;
mod graph;
pub mod runtime;
pub mod sampler;
mod signature;
mod tensor;
pub mod vision;

pub use decoder::{Chunk, KvState, Logits};
pub use engine::{Engine, EngineSettings};
pub use error::{Error, Result};
pub use generate::{FinishReason, GenerateSettings, Generation, TokenEvent};
pub use sampler::Sampling;
pub use vision::ImageEmbeds;
