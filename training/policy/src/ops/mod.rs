//! Differentiable building blocks with hand-written gradients for `f32` on the CPU.
//!
//! candle's own fused `softmax_last_dim`, `rms_norm`, `layer_norm` and `rope` silently cut gradients, and its composed ones
//! are bound by memory: every elementary operation costs a pass forward and three passes backward. Each operation here is
//! one pass each way. On other devices, and for other types, the same function is composed of candle's differentiable ones.

mod attention;
mod composed;
mod group_attention;
mod heads;
mod kernels;
mod linear;
mod log_probs;
mod mask;
mod rms_norm;
mod rotary;
mod swiglu;
mod tiles;

pub(crate) use composed::split_heads;
pub(crate) use group_attention::{KeysValues, group_attention};

pub use attention::{AttentionShape, Segment, attention};
pub use linear::linear;
pub use log_probs::token_log_probs;
pub use mask::{Additive, Mask};
pub use rms_norm::rms_norm;
pub use rotary::Rotary;
pub use swiglu::swiglu;

pub use composed::{attention as attention_composed, rms_norm as rms_norm_composed, swiglu as swiglu_composed};

use candle_core::{CpuStorage, DType, Layout, Result, Storage, Tensor, bail};

/// Whether the hand-written kernels apply to this tensor.
fn fused(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// The values of a contiguous `f32` storage.
fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let values = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&values[start..end]),
        None => bail!("expected a contiguous tensor, found {layout:?}"),
    }
}

/// Calls `f` with the values of an `f32` tensor on the CPU, copied first only if it is not contiguous.
fn with_floats<R>(x: &Tensor, f: impl FnOnce(&[f32]) -> Result<R>) -> Result<R> {
    let x = x.contiguous()?;
    let (storage, layout) = x.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(floats(storage, layout)?),
        _ => bail!("expected a tensor on the CPU, found {:?}", x.device()),
    }
}
