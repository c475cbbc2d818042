//! Rotary grouped-query attention as one operation: from the fused query-key-value projection to the mixed heads.
//!
//! Source: `Qwen2_5_VLAttention` and `Qwen2_5_VLVisionAttention` of `modeling_qwen2_5_vl.py`. The heads of a group share
//! their key head, so keys and values are never repeated. Probabilities are kept for the backward pass: `[sequences,
//! heads, len, len]` of them, or under a mask those that [`Tiled`] does not leave out.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::heads::Heads;
use super::mask::Mask;
use super::rotary::Rotary;
use super::tiles::Tiled;
use super::{composed, floats, fused, kernels, with_floats};

/// Heads of an attention layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionShape {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
}

impl AttentionShape {
    /// Width of a row of the fused projection.
    #[must_use]
    pub fn qkv_dim(&self) -> usize {
        (self.heads + 2 * self.kv_heads) * self.head_dim
    }

    fn scale(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }
}

/// `count` consecutive sequences of `len` tokens each, from token `start`. Attention never crosses sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First token.
    pub start: usize,
    /// Number of sequences.
    pub count: usize,
    /// Tokens of each.
    pub len: usize,
}

impl Segment {
    /// Segments from the bounds of sequences (`cu_seqlens`): neighbours of equal length are joined.
    #[must_use]
    pub fn from_bounds(bounds: &[u32]) -> Vec<Self> {
        let mut segments: Vec<Self> = Vec::new();
        for pair in bounds.windows(2) {
            let (start, len) = (pair[0] as usize, (pair[1] - pair[0]) as usize);
            match segments.last_mut() {
                Some(last) if last.len == len => last.count += 1,
                _ => segments.push(Self { start, count: 1, len }),
            }
        }
        segments
    }
}

/// What one segment leaves for the backward pass; queries are already scaled.
struct Saved {
    q: CpuStorage,
    k: CpuStorage,
    v: CpuStorage,
    /// One without a mask, else one for each tile and group of heads.
    probs: Vec<CpuStorage>,
}

struct Attention {
    shape: AttentionShape,
    rotary: Rotary,
    segments: Arc<Vec<Segment>>,
    mask: Mask,
    saved: Mutex<Vec<Saved>>,
}

/// `[batch, m, k] · [batch, k, n]`; a flag reads the stored matrix transposed.
fn matmul(a: (&CpuStorage, bool), b: (&CpuStorage, bool), bmnk: (usize, usize, usize, usize)) -> Result<CpuStorage> {
    let (batch, m, n, k) = bmnk;
    let layout = |rows, columns, transposed| match transposed {
        false => Ok(Layout::contiguous((batch, rows, columns))),
        true => Layout::contiguous((batch, columns, rows)).transpose(1, 2),
    };
    a.0.matmul(b.0, bmnk, &layout(m, k, a.1)?, &layout(k, n, b.1)?)
}

fn slice(storage: &CpuStorage) -> Result<&[f32]> {
    storage.as_slice::<f32>()
}

impl Attention {
    /// Query, key and value places in a row of the fused projection.
    fn places(&self, segment: Segment) -> [Heads<'_>; 3] {
        let AttentionShape { heads, kv_heads, head_dim } = self.shape;
        let place = |first: usize, heads, rotary| Heads {
            segment,
            width: self.shape.qkv_dim(),
            first: first * head_dim,
            heads,
            head_dim,
            rotary,
        };
        [
            place(0, heads, Some((&self.rotary, self.shape.scale()))),
            place(heads, kv_heads, Some((&self.rotary, 1.0))),
            place(heads + kv_heads, kv_heads, None),
        ]
    }

    /// The place of the mixed heads in a row of the output.
    fn output(&self, segment: Segment) -> Heads<'_> {
        let AttentionShape { heads, head_dim, .. } = self.shape;
        Heads { segment, width: heads * head_dim, first: 0, heads, head_dim, rotary: None }
    }

    /// (batch, rows of a group, len, head_dim) of a segment's products.
    fn sizes(&self, segment: Segment) -> (usize, usize, usize, usize) {
        let AttentionShape { heads, kv_heads, head_dim } = self.shape;
        (segment.count * kv_heads, heads / kv_heads * segment.len, segment.len, head_dim)
    }

    /// Attention under the mask; `None` where every token sees every token, which is best done at once.
    fn tiled<'a>(&'a self, segment: Segment, [q, k, v]: [&'a CpuStorage; 3]) -> Option<Tiled<'a>> {
        let (shape, mask) = (self.shape, &self.mask);
        (!matches!(mask, Mask::Full)).then_some(Tiled { shape, segment, mask, q, k, v })
    }

    fn forward_segment(&self, qkv: &[f32], segment: Segment, out: &mut [f32]) -> Result<Saved> {
        let [q, k, v] = self.places(segment).map(|place| place.split(qkv));
        if let Some(tiled) = self.tiled(segment, [&q, &k, &v]) {
            let (mixed, probs) = tiled.forward()?;
            self.output(segment).merge(&mixed, out);
            return Ok(Saved { q, k, v, probs });
        }
        let (batch, rows, len, d) = self.sizes(segment);
        let mut probs = matmul((&q, false), (&k, true), (batch, rows, len, d))?;
        if let CpuStorage::F32(scores) = &mut probs {
            kernels::vectorised(
                #[inline(always)]
                || {
                    for row in scores.chunks_exact_mut(len) {
                        kernels::softmax(row);
                    }
                },
            );
        }
        let mixed = matmul((&probs, false), (&v, false), (batch, rows, d, len))?;
        self.output(segment).merge(slice(&mixed)?, out);
        Ok(Saved { q, k, v, probs: vec![probs] })
    }

    fn backward_segment(&self, saved: &Saved, grad: &[f32], segment: Segment, out: &mut [f32]) -> Result<()> {
        let (batch, rows, len, d) = self.sizes(segment);
        let grad = self.output(segment).split(grad);
        if let Some(tiled) = self.tiled(segment, [&saved.q, &saved.k, &saved.v]) {
            for (place, grad) in self.places(segment).iter().zip(tiled.backward(&saved.probs, &grad)?) {
                place.merge(&grad, out);
            }
            return Ok(());
        }
        let Some(probs) = saved.probs.first() else { return Ok(()) };
        let dv = matmul((probs, true), (&grad, false), (batch, len, d, rows))?;
        let mut scores = matmul((&grad, false), (&saved.v, true), (batch, rows, len, d))?;
        if let CpuStorage::F32(scores) = &mut scores {
            let probs = slice(probs)?;
            kernels::vectorised(
                #[inline(always)]
                || {
                    let pairs = probs.chunks_exact(len).zip(scores.chunks_exact_mut(len));
                    pairs.for_each(|(p, g)| kernels::softmax_backward(p, g));
                },
            );
        }
        let dq = matmul((&scores, false), (&saved.k, false), (batch, rows, d, len))?;
        let dk = matmul((&scores, true), (&saved.q, false), (batch, len, d, rows))?;
        for (place, grad) in self.places(segment).iter().zip([dq, dk, dv]) {
            place.merge(slice(&grad)?, out);
        }
        Ok(())
    }
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "policy-attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (tokens, _) = layout.shape().dims2()?;
        let width = self.shape.heads * self.shape.head_dim;
        let (qkv, mut out) = (floats(qkv, layout)?, vec![0f32; tokens * width]);
        let saved: Result<Vec<_>> =
            self.segments.iter().map(|&segment| self.forward_segment(qkv, segment, &mut out)).collect();
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = saved?;
        Ok((CpuStorage::F32(out), (tokens, width).into()))
    }

    fn bwd(&self, qkv: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut out = vec![0f32; qkv.elem_count()];
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        with_floats(grad, |grad| {
            let mut pairs = saved.iter().zip(self.segments.iter());
            pairs.try_for_each(|(saved, &segment)| self.backward_segment(saved, grad, segment, &mut out))
        })?;
        Ok(Some(Tensor::from_vec(out, qkv.shape(), qkv.device())?))
    }
}

/// Rotary grouped-query attention of `qkv` [tokens, (heads + 2 · kv_heads) · head_dim] → [tokens, heads · head_dim].
///
/// The segments cover all tokens in order, each exactly once; the rotary table has a row for every token.
///
/// # Errors
/// When widths, table, segments or mask disagree with the tokens.
pub fn attention(
    qkv: &Tensor,
    shape: AttentionShape,
    rotary: &Rotary,
    segments: &Arc<Vec<Segment>>,
    mask: &Mask,
) -> Result<Tensor> {
    let (tokens, width) = qkv.dims2()?;
    if width != shape.qkv_dim() || rotary.half * 2 != shape.head_dim || rotary.tokens() != tokens {
        bail!("attention: expected {shape:?} and {tokens} rotary rows, found width {width} and {}", rotary.tokens());
    }
    let end = segments.iter().try_fold(0, |end, s| (s.start == end).then_some(s.start + s.count * s.len));
    if end != Some(tokens) {
        bail!("attention: expected segments that cover {tokens} tokens, found {segments:?}");
    }
    if let (Mask::Additive(mask), [s]) = (mask, &segments[..])
        && (mask.values().len() == s.len * s.len || mask.values().len() == s.count * s.len * s.len)
    {
    } else if let Mask::Additive(mask) = mask {
        bail!("attention: expected a mask for one of {segments:?}, found {} values", mask.values().len());
    }
    if !fused(qkv) {
        return composed::attention(qkv, shape, rotary, segments, mask);
    }
    let (rotary, segments, mask) = (rotary.clone(), segments.clone(), mask.clone());
    qkv.contiguous()?.apply_op1(Attention { shape, rotary, segments, mask, saved: Mutex::new(Vec::new()) })
}
