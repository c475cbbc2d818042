//! The decoder: `Qwen2_5_VLTextModel` of `modeling_qwen2_5_vl.py` (Qwen2.5 with mrope, <https://arxiv.org/abs/2412.15115>).

use std::sync::Arc;

use candle_core::{DType, Result, Tensor, bail};
use candle_nn::VarBuilder;
use processor::config::TextConfig;

use crate::ops::{self, AttentionShape, Mask, Rotary, Segment};

struct Layer {
    input_norm: Tensor,
    post_norm: Tensor,
    qkv_weights: [Tensor; 3],
    qkv_biases: [Tensor; 3],
    out: Tensor,
    gate: Tensor,
    up: Tensor,
    down: Tensor,
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
    fn new(config: &TextConfig, vb: &VarBuilder) -> Result<Self> {
        let (n, inner) = (config.hidden_size, config.intermediate_size);
        let AttentionShape { heads, kv_heads, head_dim } = shape(config);
        let attn = vb.pp("self_attn");
        let weight = |name: &str, outputs: usize| attn.get((outputs * head_dim, n), &format!("{name}.weight"));
        let bias = |name: &str, outputs: usize| attn.get(outputs * head_dim, &format!("{name}.bias"));
        Ok(Self {
            input_norm: vb.get(n, "input_layernorm.weight")?,
            post_norm: vb.get(n, "post_attention_layernorm.weight")?,
            qkv_weights: [weight("q_proj", heads)?, weight("k_proj", kv_heads)?, weight("v_proj", kv_heads)?],
            qkv_biases: [bias("q_proj", heads)?, bias("k_proj", kv_heads)?, bias("v_proj", kv_heads)?],
            out: attn.get((n, heads * head_dim), "o_proj.weight")?,
            gate: vb.get((inner, n), "mlp.gate_proj.weight")?,
            up: vb.get((inner, n), "mlp.up_proj.weight")?,
            down: vb.get((n, inner), "mlp.down_proj.weight")?,
        })
    }

    fn forward(&self, x: &Tensor, config: &TextConfig, plan: &Plan) -> Result<Tensor> {
        let normed = ops::rms_norm(x, &self.input_norm, config.rms_norm_eps)?;
        let (weight, bias) = (Tensor::cat(&self.qkv_weights, 0)?, Tensor::cat(&self.qkv_biases, 0)?);
        let qkv = ops::linear(&normed, &weight, Some(&bias))?;
        let mixed = ops::attention(&qkv, shape(config), &plan.rotary, &plan.segments, &plan.mask)?;
        let x = (x + ops::linear(&mixed, &self.out, None)?)?;
        let normed = ops::rms_norm(&x, &self.post_norm, config.rms_norm_eps)?;
        let inner = ops::linear(&normed, &Tensor::cat(&[&self.gate, &self.up], 0)?, None)?;
        x + ops::linear(&ops::swiglu(&inner)?, &self.down, None)?
    }
}

/// The mask as the attention takes it, from an additive tensor [1 or b, 1, s, s].
fn mask_of(mask: Option<&Tensor>, batch: usize, len: usize) -> Result<Mask> {
    let Some(mask) = mask else { return Ok(Mask::Causal) };
    match mask.dims4()? {
        (b, 1, rows, columns) if (b == 1 || b == batch) && rows == len && columns == len => {
            Ok(Mask::Additive(Arc::new(mask.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)))
        }
        found => bail!("decode: expected a mask [1 or {batch}, 1, {len}, {len}], found {found:?}"),
    }
}

impl Decoder {
    /// Reads `embed_tokens`, `layers.*` and `norm` below `vb`.
    ///
    /// # Errors
    /// When a weight is missing or has another shape.
    pub fn new(config: &TextConfig, vb: &VarBuilder) -> Result<Self> {
        let layers = (0..config.num_hidden_layers).map(|i| Layer::new(config, &vb.pp(format!("layers.{i}"))));
        Ok(Self {
            embed_tokens: vb.get((config.vocab_size, config.hidden_size), "embed_tokens.weight")?,
            layers: layers.collect::<Result<_>>()?,
            norm: vb.get(config.hidden_size, "norm.weight")?,
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
        let out = ops::rms_norm(&x, &self.norm, self.config.rms_norm_eps)?.reshape(inputs_embeds.shape())?;
        if let Some(trace) = trace {
            trace.push(out.clone());
        }
        Ok(out)
    }
}
