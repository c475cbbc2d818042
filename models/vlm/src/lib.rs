//! Qwen2.5-VL on ONNX Runtime: `vision` frames to image embeds, `decoder`
//! prompt to KV state (prefill) and token by token (decode), `generate` the loop
//! around them with sampling, stop strings, a deadline and cancellation.
//!
//! Around that, each exact (it changes no token that would be written without):
//! `prefix`, what many questions share, read once; `samples`, several completions
//! of one question in one batch; `draft`, several tokens in one run; and
//! `constraint`, completions of a grammar, with `format` the grammar of answers.
//! `providers` is the ladder of devices that the graphs run on.
//!
//! The three graphs are those of onnxruntime-genai's layout (`vision.onnx`,
//! `embedding.onnx`, `model.onnx`), so that an independent runtime can load what
//! this crate loads. Every tensor that leaves this crate is
//! f32; the graphs may hold f16.
//!
//! Call [`runtime::init`] (or [`engine::Engine::load`], which does) once per
//! process: it finds and loads the ONNX Runtime library and never panics.
//!
//! Reference: transformers 4.49 `Qwen2_5_VLForConditionalGeneration`.

pub mod constraint;
mod cursor;
pub mod decoder;
pub mod draft;
pub mod engine;
pub mod error;
mod fixed;
pub mod format;
pub mod generate;
mod graph;
mod growing;
pub mod kv;
mod kv_cache;
mod onnx_file;
mod ports;
pub mod prefix;
pub mod providers;
pub mod runtime;
pub mod sampler;
pub mod samples;
mod signature;
mod softmax;
mod tensor;
mod trt_profile;
pub mod vision;
mod vocabulary;
mod weights;

pub use constraint::{Constraint, Grammar};
pub use decoder::{Chunk, Logits};
pub use draft::DraftSettings;
pub use engine::{Engine, EngineSettings};
pub use error::{Error, Result};
pub use format::{AnswerFormat, AnswerShape, Stated};
pub use generate::{FinishReason, GenerateSettings, Generation, TokenEvent};
pub use kv::KvState;
pub use prefix::Prefix;
pub use providers::{Provider, Refusal};
pub use sampler::Sampling;
pub use vision::ImageEmbeds;
