//! The vision tower: `Qwen2_5_VisionTransformerPretrainedModel` of `modeling_qwen2_5_vl.py`
//! (<https://arxiv.org/abs/2502.13923>, section 2.1).

mod recompute;

use std::sync::Arc;

use candle_core::{DType, Result, Tensor, bail};
use processor::config::VisionConfig;
use processor::window::{cu_seqlens, vision_positions_merged, window_index};

use crate::ops::{self, AttentionShape, Mask, Rotary, Segment};
use crate::projection::{Projection, Weights};

pub use recompute::VisionTape;

/// What the tower gives for a batch of grids.
#[derive(Clone, Debug)]
pub struct VisionOutput {
    /// Merged tokens for the decoder, `[patches / merge², out_hidden_size]`, in the order of the placeholders.
    pub image_embeds: Tensor,
    /// Output of the last block, `[patches, hidden_size]`, in the order of `pixel_values`: for auxiliary heads.
    pub patches: Tensor,
}

/// Intermediate tensors, for comparison with the reference.
#[derive(Clone, Debug, Default)]
pub struct VisionTrace {
    /// `[patches, hidden_size]`, in the order of `pixel_values`.
    pub patch_embed: Option<Tensor>,
    /// Output of every block, `[patches, hidden_size]`, in window order.
    pub blocks: Vec<Tensor>,
}

struct Block {
    norm1: Tensor,
    norm2: Tensor,
    qkv: Projection,
    proj: Projection,
    gate_up: [Projection; 2],
    down: Projection,
    full_attention: bool,
}

/// The vision tower.
pub struct VisionTower {
    config: VisionConfig,
    patch_embed: Tensor,
    blocks: Vec<Block>,
    ln_q: Tensor,
    merge_in: Projection,
    merge_out: Projection,
    /// Of activations.
    pub(crate) dtype: DType,
}

/// Order, positions and sequences of a batch of grids, shared by all blocks.
struct Plan {
    /// Window order of merge blocks and its inverse; none where it changes nothing.
    order: Option<(Tensor, Tensor)>,
    rotary: Rotary,
    windows: Arc<Vec<Segment>>,
    frames: Arc<Vec<Segment>>,
}

impl Block {
    fn new(config: &VisionConfig, index: usize, weights: &Weights) -> Result<Self> {
        let (n, inner) = (config.hidden_size, config.intermediate_size);
        Ok(Self {
            norm1: weights.get(n, "norm1.weight")?,
            norm2: weights.get(n, "norm2.weight")?,
            qkv: weights.pp("attn.qkv").affine(3 * n, n)?,
            proj: weights.pp("attn.proj").affine(n, n)?,
            gate_up: [weights.pp("mlp.gate_proj").affine(inner, n)?, weights.pp("mlp.up_proj").affine(inner, n)?],
            down: weights.pp("mlp.down_proj").affine(n, inner)?,
            full_attention: config.fullatt_block_indexes.contains(&index),
        })
    }

    fn forward(&self, x: &Tensor, config: &VisionConfig, plan: &Plan) -> Result<Tensor> {
        let (heads, head_dim) = (config.num_heads, config.head_dim());
        let shape = AttentionShape { heads, kv_heads: heads, head_dim };
        let segments = if self.full_attention { &plan.frames } else { &plan.windows };
        let qkv = self.qkv.forward(&ops::rms_norm(x, &self.norm1, config.rms_norm_eps)?)?;
        let mixed = ops::attention(&qkv, shape, &plan.rotary, segments, &Mask::Full)?;
        let x = (x + self.proj.forward(&mixed)?)?;
        let normed = ops::rms_norm(&x, &self.norm2, config.rms_norm_eps)?;
        x + self.down.forward(&ops::swiglu(&Projection::fused(&self.gate_up, &normed)?)?)?
    }
}

impl VisionTower {
    /// Reads `patch_embed.proj`, `blocks.*` and `merger.*` of `weights`.
    ///
    /// # Errors
    /// When a weight is missing or has another shape.
    pub fn new(config: &VisionConfig, weights: &Weights) -> Result<Self> {
        let (n, p, t) = (config.hidden_size, config.patch_size, config.temporal_patch_size);
        let merged = n * config.spatial_merge_size * config.spatial_merge_size;
        let merger = weights.pp("merger");
        Ok(Self {
            patch_embed: weights.get((n, config.in_channels, t, p, p), "patch_embed.proj.weight")?,
            blocks: (0..config.depth)
                .map(|i| Block::new(config, i, &weights.pp(format!("blocks.{i}"))))
                .collect::<Result<_>>()?,
            ln_q: merger.get(n, "ln_q.weight")?,
            merge_in: merger.pp("mlp.0").affine(merged, merged)?,
            merge_out: merger.pp("mlp.2").affine(config.out_hidden_size, merged)?,
            config: config.clone(),
            dtype: DType::F32,
        })
    }

    fn plan(&self, grids: &[[usize; 3]], like: &Tensor) -> Result<Plan> {
        let config = &self.config;
        let merge = config.spatial_merge_size;
        let window = window_index(grids, config).map_err(candle_core::Error::wrap)?;
        let mut positions = vision_positions_merged(grids, merge).map_err(candle_core::Error::wrap)?;
        let identity = window.index.iter().enumerate().all(|(i, &block)| i == block as usize);
        let order = if identity {
            None
        } else {
            let group = merge * merge;
            let source = |&block: &u32| (0..group).map(move |i| block as usize * group + i);
            positions = window.index.iter().flat_map(source).map(|patch| positions[patch]).collect();
            let (forward, reverse) = (window.index.as_slice(), window.reverse());
            let device = like.device();
            Some((
                Tensor::from_slice(forward, forward.len(), device)?,
                Tensor::from_slice(&reverse, reverse.len(), device)?,
            ))
        };
        Ok(Plan {
            order,
            rotary: Rotary::vision(&positions, config.head_dim(), config.rope_theta),
            windows: Arc::new(Segment::from_bounds(&window.cu_window_seqlens)),
            frames: Arc::new(Segment::from_bounds(&cu_seqlens(grids))),
        })
    }

    /// Reorders merge blocks of patches: `x` [patches, n] by `order` [patches / merge²].
    fn permute(&self, x: &Tensor, order: &Tensor) -> Result<Tensor> {
        x.reshape((order.elem_count(), ()))?.index_select(order, 0)?.reshape(x.shape())
    }

    /// Encodes `pixel_values` [patches, patch_dim] of one or more grids (t, h, w in patches).
    ///
    /// # Errors
    /// When the patches are not those of the grids.
    pub fn forward(&self, pixel_values: &Tensor, grids: &[[usize; 3]]) -> Result<VisionOutput> {
        self.forward_traced(pixel_values, grids, None)
    }

    /// [`Self::forward`] that also fills a trace.
    ///
    /// # Errors
    /// When the patches are not those of the grids.
    pub fn forward_traced(
        &self,
        pixel_values: &Tensor,
        grids: &[[usize; 3]],
        mut trace: Option<&mut VisionTrace>,
    ) -> Result<VisionOutput> {
        self.check(pixel_values, grids)?;
        let plan = self.plan(grids, pixel_values)?;
        let mut x = self.patches_embedded(pixel_values)?;
        if let Some(trace) = trace.as_deref_mut() {
            trace.patch_embed = Some(x.clone());
        }
        if let Some((order, _)) = &plan.order {
            x = self.permute(&x, order)?;
        }
        for block in &self.blocks {
            x = block.forward(&x, &self.config, &plan)?;
            if let Some(trace) = trace.as_deref_mut() {
                trace.blocks.push(x.clone());
            }
        }
        if let Some((_, reverse)) = &plan.order {
            x = self.permute(&x, reverse)?;
        }
        Ok(VisionOutput { image_embeds: self.merge(&x)?, patches: x })
    }

    /// Patch embeddings, `[patches, hidden_size]`, in the order of the pixels.
    fn patches_embedded(&self, pixel_values: &Tensor) -> Result<Tensor> {
        ops::linear(&pixel_values.to_dtype(self.dtype)?, &self.patch_embed.flatten_from(1)?, None)
    }

    /// Checks that patches are those of the grids.
    fn check(&self, pixel_values: &Tensor, grids: &[[usize; 3]]) -> Result<()> {
        let expected = grids.iter().map(|[t, h, w]| t * h * w).sum::<usize>();
        if pixel_values.dims() != [expected, self.config.patch_dim()] {
            bail!("vision: expected [{expected}, {}], found {:?}", self.config.patch_dim(), pixel_values.dims());
        }
        Ok(())
    }

    /// The merger: `[patches, hidden_size]` → `[patches / merge², out_hidden_size]`.
    fn merge(&self, patches: &Tensor) -> Result<Tensor> {
        let group = self.config.spatial_merge_size * self.config.spatial_merge_size;
        let normed = ops::rms_norm(patches, &self.ln_q, self.config.rms_norm_eps)?;
        let merged = normed.reshape(((), group * self.config.hidden_size))?;
        self.merge_out.forward(&self.merge_in.forward(&merged)?.gelu_erf()?)
    }
}
