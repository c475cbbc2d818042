//! The decoder: `Qwen2_5_VLTextModel` of `modeling_qwen2_5_vl.py` (Qwen2.5 with mrope, <https://arxiv.org/abs/2412.15115>).

mod cache;
mod recompute;

use std::sync::Arc;

use candle_core::{DType, Result, Tensor, bail};
use processor::config::TextConfig;

use crate::ops::{self, AttentionShape, Mask, Rotary, Segment};
use crate::projection::{Projection, Weights};

pub use cache::GroupCache;
pub use recompute::Tape;

struct Layer {
    input_norm: Tensor,
    post_norm: Tensor,
    qkv: [Projection; 3],
    out: Projection,
    gate_up: [Projection; 2],
    down: Projection,
}

/// The decoder without its output layer.
pub struct Decoder {
    config: TextConfig,
    embed_tokens: Tensor,
    layers: Vec<Layer>,
    norm: Tensor,
}

/// Positions, sequences and mask of a batch, shared by all layers.
struct Plan {
    rotary: Rotary,
    segments: Arc<Vec<Segment>>,
    mask: Mask,
}

fn shape(config: &TextConfig) -> AttentionShape {
    AttentionShape {
        heads: config.num_attention_heads,
        kv_heads: config.num_key_value_heads,
        head_dim: config.head_dim,
    }
}

impl Layer {
    fn new(config: &TextConfig, weights: &Weights) -> Result<Self> {
        let (n, inner) = (config.hidden_size, config.intermediate_size);
        let AttentionShape { heads, kv_heads, head_dim } = shape(config);
        let (attn, mlp) = (weights.pp("self_attn"), weights.pp("mlp"));
        let heads_of = |name: &str, outputs: usize| attn.pp(name).affine(outputs * head_dim, n);
        Ok(Self {
            input_norm: weights.get(n, "input_layernorm.weight")?,
            post_norm: weights.get(n, "post_attention_layernorm.weight")?,
            qkv: [heads_of("q_proj", heads)?, heads_of("k_proj", kv_heads)?, heads_of("v_proj", kv_heads)?],
            out: attn.pp("o_proj").linear(n, heads * head_dim)?,
            gate_up: [mlp.pp("gate_proj").linear(inner, n)?, mlp.pp("up_proj").linear(inner, n)?],
            down: mlp.pp("down_proj").linear(n, inner)?,
        })
    }

    /// The fused projection of a layer's input, [tokens, (heads + 2 · kv_heads) · head_dim].
    fn project(&self, x: &Tensor, config: &TextConfig) -> Result<Tensor> {
        Projection::fused(&self.qkv, &ops::rms_norm(x, &self.input_norm, config.rms_norm_eps)?)
    }

    /// What follows the attention: `x` is the layer's input, `mixed` the heads' output.
    fn finish(&self, x: &Tensor, mixed: &Tensor, config: &TextConfig) -> Result<Tensor> {
        let x = (x + self.out.forward(mixed)?)?;
        let normed = ops::rms_norm(&x, &self.post_norm, config.rms_norm_eps)?;
        let inner = Projection::fused(&self.gate_up, &normed)?;
        x + self.down.forward(&ops::swiglu(&inner)?)?
    }

    fn forward(&self, x: &Tensor, config: &TextConfig, plan: &Plan) -> Result<Tensor> {
        let qkv = self.project(x, config)?;
        let mixed = ops::attention(&qkv, shape(config), &plan.rotary, &plan.segments, &plan.mask)?;
        self.finish(x, &mixed, config)
    }
}

/// The mask as the attention takes it, from an additive tensor [1 or b, 1, s, s].
fn mask_of(mask: Option<&Tensor>, batch: usize, len: usize) -> Result<Mask> {
    let Some(mask) = mask else { return Ok(Mask::Causal) };
    match mask.dims4()? {
        (b, 1, rows, columns) if (b == 1 || b == batch) && rows == len && columns == len => {
            Ok(Mask::additive(mask.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?, len))
        }
        found => bail!("decode: expected a mask [1 or {batch}, 1, {len}, {len}], found {found:?}"),
    }
}

impl Decoder {
    /// Reads `embed_tokens`, `layers.*` and `norm` of `weights`.
    ///
    /// # Errors
    /// When a weight is missing or has another shape.
    pub fn new(config: &TextConfig, weights: &Weights) -> Result<Self> {
        let layers = (0..config.num_hidden_layers).map(|i| Layer::new(config, &weights.pp(format!("layers.{i}"))));
        Ok(Self {
            embed_tokens: weights.get((config.vocab_size, config.hidden_size), "embed_tokens.weight")?,
            layers: layers.collect::<Result<_>>()?,
            norm: weights.get(config.hidden_size, "norm.weight")?,
            config: config.clone(),
        })
    }

    /// The token embedding's weight, [vocab, hidden].
    #[must_use]
    pub fn embedding(&self) -> &Tensor {
        &self.embed_tokens
    }

    fn plan(&self, position_ids: &Tensor, mask: Option<&Tensor>, batch: usize, len: usize) -> Result<Plan> {
        if position_ids.dims() != [3, batch, len] {
            bail!("decode: expected position ids [3, {batch}, {len}], found {:?}", position_ids.dims());
        }
        let positions = position_ids.to_dtype(DType::I64)?.reshape((3, batch * len))?.to_vec2::<i64>()?;
        let axes = [&positions[0][..], &positions[1][..], &positions[2][..]];
        let config = &self.config;
        Ok(Plan {
            rotary: Rotary::mrope(axes, &config.mrope_section, config.head_dim, config.rope_theta),
            segments: Arc::new(vec![Segment { start: 0, count: batch, len }]),
            mask: mask_of(mask, batch, len)?,
        })
    }

    /// The final norm: [.., h] → [.., h].
    ///
    /// # Errors
    /// When the width is another.
    pub fn normed(&self, hidden: &Tensor) -> Result<Tensor> {
        ops::rms_norm(hidden, &self.norm, self.config.rms_norm_eps)
    }

    /// Runs all layers and the final norm: `inputs_embeds` [b, s, h], `position_ids` [3, b, s] of integers, additive `mask`
    /// [1 or b, 1, s, s] (causal without one) → [b, s, h].
    ///
    /// # Errors
    /// When shapes disagree.
    pub fn forward(&self, inputs_embeds: &Tensor, position_ids: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        self.forward_traced(inputs_embeds, position_ids, mask, None)
    }

    /// [`Self::forward`] that also records the input of every layer and, last, the output: transformers' `hidden_states`.
    ///
    /// # Errors
    /// When shapes disagree.
    pub fn forward_traced(
        &self,
        inputs_embeds: &Tensor,
        position_ids: &Tensor,
        mask: Option<&Tensor>,
        mut trace: Option<&mut Vec<Tensor>>,
    ) -> Result<Tensor> {
        let (batch, len, hidden) = inputs_embeds.dims3()?;
        let plan = self.plan(position_ids, mask, batch, len)?;
        let mut x = inputs_embeds.reshape((batch * len, hidden))?;
        for layer in &self.layers {
            if let Some(trace) = trace.as_deref_mut() {
                trace.push(x.reshape(inputs_embeds.shape())?);
            }
            x = layer.forward(&x, &self.config, &plan)?;
        }
        let out = self.normed(&x)?.reshape(inputs_embeds.shape())?;
        if let Some(trace) = trace {
            trace.push(out.clone());
        }
        Ok(out)
    }
}
