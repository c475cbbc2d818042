//! Qwen2.5-VL in candle, differentiable from the loss over logits to every weight.
//!
//! Paper: <https://arxiv.org/abs/2502.13923>. Reference: transformers `modeling_qwen2_5_vl.py` (4.49 positions, as the
//! `processor` crate makes them). Weight names are those of hub checkpoints: `visual.*`, `model.*`, `lm_head.*`.
//!
//! - [`model`]: the whole network, [`Qwen25Vl`];
//! - [`vision`], [`text`]: its two halves;
//! - [`lora`]: low-rank adapters over it, in PEFT's format; [`trainable`]: the network with what of it is trained;
//! - [`ops`]: the operations with hand-written gradients;
//! - [`init`]: fresh weights; [`carry_over`](mod@carry_over): those of another network; [`checkpoint`]: safetensors;
//! - [`mod@reference`]: its logits, for parity of exported graphs;
//! - [`compute`]: the device, and bf16.
//!
//! Everything runs on the caller's thread. For data parallelism give each thread its own batch and add the gradients; the
//! model is shared by reference.

pub mod carry_over;
pub mod checkpoint;
pub mod compute;
pub mod init;
pub mod lora;
pub mod model;
pub mod ops;
mod projection;
mod recompute;
pub mod reference;
pub mod text;
pub mod trainable;
pub mod vision;

pub use carry_over::carry_over;
pub use compute::{Compute, ComputeConfig, Precision};
pub use lora::{Adapter, LoraSettings};
pub use model::Qwen25Vl;
pub use projection::Weights;
pub use trainable::{Trainable, Trained};
pub use vision::{VisionOutput, VisionTape};

// Named in Cargo.toml for its features only: it turns on AVX-512 in candle's matrix products.
use gemm as _;
