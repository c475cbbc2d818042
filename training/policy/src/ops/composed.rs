//! The same operations composed of candle's differentiable ones: for other devices, and what the kernels are tested against.

use std::sync::Arc;

use candle_core::{D, DType, Result, Tensor};

use super::attention::{AttentionShape, Segment};
use super::mask::Mask;
use super::rotary::Rotary;

/// See [`super::rms_norm`].
///
/// # Errors
/// When shapes disagree.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let wide = x.to_dtype(DType::F32)?;
    let norm = (wide.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    wide.broadcast_div(&norm)?.to_dtype(x.dtype())?.broadcast_mul(&weight.to_dtype(x.dtype())?)
}

/// See [`super::swiglu`].
///
/// # Errors
/// When shapes disagree.
pub fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
    let half = gate_up.dim(D::Minus1)? / 2;
    gate_up.narrow(D::Minus1, 0, half)?.silu()? * gate_up.narrow(D::Minus1, half, half)?
}

/// Rotate-half of `x` [count, heads, len, head_dim] with `cos` and `sin` [count, 1, len, half].
fn rotate(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let half = x.dim(D::Minus1)? / 2;
    let (a, b) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
    let first = (a.broadcast_mul(cos)? - b.broadcast_mul(sin)?)?;
    let second = (b.broadcast_mul(cos)? + a.broadcast_mul(sin)?)?;
    Tensor::cat(&[first, second], D::Minus1)
}

/// Queries, keys and values of a segment's rows, each [count, heads, len, head_dim]; queries and keys are rotated.
pub(crate) fn split_heads(
    qkv: &Tensor,
    shape: AttentionShape,
    rotary: &Rotary,
    segment: Segment,
) -> Result<[Tensor; 3]> {
    let AttentionShape { heads, kv_heads, head_dim } = shape;
    let Segment { start, count, len } = segment;
    let rows = qkv.narrow(0, start, count * len)?;
    let table = |values: &[f32]| {
        let part = &values[start * rotary.half..(start + count * len) * rotary.half];
        Tensor::from_slice(part, (count, 1, len, rotary.half), qkv.device())?.to_dtype(qkv.dtype())
    };
    let (cos, sin) = (table(&rotary.cos)?, table(&rotary.sin)?);
    let split = |first: usize, n: usize| {
        let part = rows.narrow(1, first * head_dim, n * head_dim)?;
        part.reshape((count, len, n, head_dim))?.transpose(1, 2)?.contiguous()
    };
    let (q, k) = (split(0, heads)?, split(heads, kv_heads)?);
    Ok([rotate(&q, &cos, &sin)?, rotate(&k, &cos, &sin)?, split(heads + kv_heads, kv_heads)?])
}

/// The additive mask of one segment, [count or 1, 1, len, len].
fn additive(mask: &Mask, len: usize, like: &Tensor) -> Result<Option<Tensor>> {
    match mask {
        Mask::Full => Ok(None),
        Mask::Causal => {
            let values: Vec<f32> =
                (0..len * len).map(|i| if i % len > i / len { f32::NEG_INFINITY } else { 0.0 }).collect();
            Ok(Some(Tensor::from_vec(values, ((), 1, len, len), like.device())?))
        }
        Mask::Additive(mask) => Ok(Some(mask.on(like.device(), len)?)),
    }
}

/// See [`super::attention`].
///
/// # Errors
/// When shapes disagree.
pub fn attention(
    qkv: &Tensor,
    shape: AttentionShape,
    rotary: &Rotary,
    segments: &Arc<Vec<Segment>>,
    mask: &Mask,
) -> Result<Tensor> {
    let AttentionShape { heads, kv_heads, head_dim } = shape;
    let mut outputs = Vec::with_capacity(segments.len());
    for &Segment { start, count, len } in segments.iter() {
        let [q, k, v] = split_heads(qkv, shape, rotary, Segment { start, count, len })?;
        let q = q.reshape((count * kv_heads, (), head_dim))?;
        let k = k.reshape((count * kv_heads, len, head_dim))?;
        let v = v.reshape((count * kv_heads, len, head_dim))?;
        let scores = (q.matmul(&k.t()?)? * (1.0 / (head_dim as f64).sqrt()))?.reshape((count, heads, len, len))?;
        // In f32 as the reference does: sums of many small shares would be lost in bf16.
        let scores = scores.to_dtype(DType::F32)?;
        let scores = match additive(mask, len, &scores)? {
            Some(mask) => scores.broadcast_add(&mask)?,
            None => scores,
        };
        let probs = candle_nn::ops::softmax(&scores, D::Minus1)?.to_dtype(v.dtype())?;
        let probs = probs.reshape((count * kv_heads, (), len))?;
        let mixed = probs.matmul(&v)?.reshape((count, heads, len, head_dim))?;
        outputs.push(mixed.transpose(1, 2)?.reshape((count * len, heads * head_dim))?);
    }
    Tensor::cat(&outputs, 0)
}
