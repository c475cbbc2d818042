//! Attention of a group of sequences that continue one prompt, without gradients.

use candle_core::{Result, Tensor};

use super::AttentionShape;

/// Rotated keys, and values, each [sequences · kv_heads, tokens, head_dim].
#[derive(Clone, Debug)]
pub(crate) struct KeysValues {
    pub(crate) keys: Tensor,
    pub(crate) values: Tensor,
}

/// One new query of each of g sequences, [g, heads, 1, head_dim], against the keys of the prompt, which all share (one
/// sequence's), and those of its own tokens → [g, heads · head_dim].
///
/// The queries of the whole group meet the prompt's keys in one product: the prompt is neither repeated nor read twice.
pub(crate) fn group_attention(
    queries: &Tensor,
    shape: AttentionShape,
    prompt: &KeysValues,
    own: &KeysValues,
) -> Result<Tensor> {
    let AttentionShape { heads, kv_heads, head_dim } = shape;
    let (group, per_key) = (queries.dim(0)?, heads / kv_heads);
    let queries = (queries.reshape((group, kv_heads, per_key, head_dim))? * (1.0 / (head_dim as f64).sqrt()))?;
    // [g, kv, q, ..] ↔ [kv, g · q, ..]: by sequence for its own keys, by key head for the shared ones.
    let by_head = |x: &Tensor| x.transpose(0, 1)?.contiguous()?.reshape((kv_heads, group * per_key, ()));
    let by_sequence = |x: &Tensor| {
        let parted = x.reshape((kv_heads, group, per_key, ()))?.transpose(0, 1)?;
        parted.contiguous()?.reshape((group * kv_heads, per_key, ()))
    };
    let shared = by_sequence(&by_head(&queries)?.matmul(&prompt.keys.t()?)?)?;
    let single = queries.reshape((group * kv_heads, per_key, head_dim))?.matmul(&own.keys.t()?)?;
    let tokens = shared.dim(2)?;
    // Cuts gradients, as all of this may.
    let probs = candle_nn::ops::softmax_last_dim(&Tensor::cat(&[&shared, &single], 2)?)?;
    let shared = probs.narrow(2, 0, tokens)?.reshape((group, kv_heads, per_key, tokens))?;
    let mixed = by_sequence(&by_head(&shared)?.matmul(&prompt.values)?)?;
    let single = probs.narrow(2, tokens, probs.dim(2)? - tokens)?.contiguous()?.matmul(&own.values)?;
    (mixed + single)?.reshape((group, heads * head_dim))
}
