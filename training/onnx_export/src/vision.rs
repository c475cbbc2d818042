//! `vision.onnx`: `pixel_values` [n, patch_dim] f32 → `image_features` [n / merge², out_hidden], for any number of images
//! and any grids. In the `ort` profile `image_grid_thw` [k, 3] i64 tells the grids; in the `trt` profile the caller gives
//! what follows from them: `cos` and `sin` [n, head_dim / 2] f32 of each patch's (row, column) angles, and `window_ids`
//! and `pair_ids` [n] i64, equal for patches of the same window and of the same frame pair.
//!
//! Reference: transformers `Qwen2_5_VisionTransformerPretrainedModel`. It sorts patches by window and attends within
//! each; attention doesn't care about the order of its rows, so this graph leaves them as they come (2×2-merge order)
//! and masks pairs of patches of different windows (of different frame pairs in full-attention blocks). The result is
//! the same; the mask costs n² floats, so callers do well to encode one frame pair at a time.

use std::path::Path;

use crate::attention::{Attended, Heads};
use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::external_data::{Float, Layout};
use crate::graph::{Dim, Element, GraphBuilder, GraphSize, Node};
use crate::layers::{GatedMlp, Linear, Norm};
use crate::precision::{Profile, Style};
use crate::vision_grid::{GridValues, Rotary, add_given, add_grid};
use processor::config::{ModelConfig, VisionConfig};

/// Writes (or measures) `dir/vision.onnx` and its data.
pub(crate) fn write_vision(
    checkpoint: &Checkpoint,
    config: &ModelConfig,
    dir: Option<&Path>,
    style: Style,
) -> Result<GraphSize> {
    let vision = &config.vision;
    let mut g = GraphBuilder::create(checkpoint, dir, "vision.onnx", style)?;
    let patches = Dim::Free("num_patches");
    g.input("pixel_values", Element::Float(Float::F32), &[patches, Dim::Fixed(vision.patch_dim())]);
    let features = [Dim::Free("num_features"), Dim::Fixed(vision.out_hidden_size)];
    g.output("image_features", Element::Float(style.port), &features);
    let grid = match style.profile {
        Profile::Ort => {
            g.input("image_grid_thw", Element::I64, &[Dim::Free("num_images"), Dim::Fixed(3)]);
            add_grid(&mut g, vision)
        }
        Profile::Trt => {
            for name in ["cos", "sin"] {
                g.input(name, Element::Float(Float::F32), &[patches, Dim::Fixed(vision.head_dim() / 2)]);
            }
            for name in ["window_ids", "pair_ids"] {
                g.input(name, Element::I64, &[patches]);
            }
            add_given(&mut g)
        }
    };
    let patches = add_patch_embed(&mut g, vision)?;
    let batch_axis = g.ints(&[1], &[0]);
    let mut residual = g.op("Unsqueeze", &[&patches, &batch_axis]);
    let mut delta = None;
    for index in 0..vision.depth {
        let sum;
        (delta, sum) = add_block(&mut g, vision, &Block { index, residual: &residual, delta, grid: &grid })?;
        residual = sum;
    }
    add_merger(&mut g, vision, &residual, delta)?;
    g.finish(dir)
}

/// The Conv3d over whole patches as a matrix product: [n, patch_dim] → [n, hidden]; never quantised.
fn add_patch_embed(g: &mut GraphBuilder, vision: &VisionConfig) -> Result<String> {
    let shape =
        [vision.hidden_size, vision.in_channels, vision.temporal_patch_size, vision.patch_size, vision.patch_size];
    let weight = g.weight("visual.patch_embed.proj.weight", &shape, Layout::Transposed)?;
    let pixels = g.cast("pixel_values", Float::F32, g.style().compute());
    Ok(g.op("MatMul", &[&pixels, &weight]))
}

struct Block<'a> {
    index: usize,
    /// Residual stream before `delta`, [1, n, hidden].
    residual: &'a str,
    /// The previous block's MLP output, not yet added; none before the first block.
    delta: Option<String>,
    grid: &'a GridValues,
}

/// Adds a transformer block; returns its MLP output (to be added by the next norm) and the residual before it.
fn add_block(g: &mut GraphBuilder, vision: &VisionConfig, block: &Block) -> Result<(Option<String>, String)> {
    let prefix = format!("visual.blocks.{}", block.index);
    let (norm1, norm2) = (format!("{prefix}.norm1.weight"), format!("{prefix}.norm2.weight"));
    let (normed, residual) = add_norm(g, vision, &norm1, block.residual, block.delta.as_deref())?;
    let bias = if vision.fullatt_block_indexes.contains(&block.index) {
        &block.grid.pair_bias
    } else {
        &block.grid.window_bias
    };
    let attended = add_attention(g, vision, &prefix, &Attention { x: &normed, bias, grid: block.grid })?;
    let (normed, residual) = add_norm(g, vision, &norm2, &residual, Some(&attended))?;
    let mlp_prefix = format!("{prefix}.mlp");
    let mlp = GatedMlp {
        prefix: &mlp_prefix,
        hidden: vision.hidden_size,
        intermediate: vision.intermediate_size,
        bias: true,
    };
    Ok((Some(g.gated_mlp(&normed, &mlp)?), residual))
}

/// Norm of `residual` (+ `delta`); returns (normed, the sum).
fn add_norm(
    g: &mut GraphBuilder,
    vision: &VisionConfig,
    name: &str,
    residual: &str,
    delta: Option<&str>,
) -> Result<(String, String)> {
    let norm = Norm { name, size: vision.hidden_size, epsilon: vision.rms_norm_eps as f32 };
    match delta {
        Some(delta) => g.skip_norm(residual, delta, &norm),
        None => Ok((g.rms_norm(residual, &norm)?, residual.to_owned())),
    }
}

struct Attention<'a> {
    /// [1, n, hidden].
    x: &'a str,
    /// [n, n] or [1, 1, n, n], 0 or very negative.
    bias: &'a str,
    grid: &'a GridValues,
}

fn add_attention(g: &mut GraphBuilder, vision: &VisionConfig, prefix: &str, attention: &Attention) -> Result<String> {
    let (qkv_prefix, proj_prefix) = (format!("{prefix}.attn.qkv"), format!("{prefix}.attn.proj"));
    let hidden = vision.hidden_size;
    let qkv = g.linear(attention.x, &Linear { prefix: &qkv_prefix, input: hidden, output: 3 * hidden, bias: true })?;
    let parts = g.add_all(Node::new("Split", &[&qkv]).int("axis", -1).int("num_outputs", 3).outputs(3));
    let (count, dim) = (vision.num_heads, vision.head_dim());
    let context = match &attention.grid.rotary {
        Rotary::Contrib { positions, cos, sin } => {
            let query = g.add(Node::contrib("RotaryEmbedding", &[&parts[0], positions, cos, sin]));
            let key = g.add(Node::contrib("RotaryEmbedding", &[&parts[1], positions, cos, sin]));
            let inputs = [query.as_str(), &key, &parts[2], "", "", attention.bias];
            g.add(Node::contrib("MultiHeadAttention", &inputs).int("num_heads", count as i64))
        }
        Rotary::Spelt { cos, sin } => {
            let [query, key, value] = [0, 1, 2].map(|part| g.split_heads(&parts[part], count, dim));
            let (query, key) = (g.rotate_half(&query, cos, sin), g.rotate_half(&key, cos, sin));
            let attended = Attended { query: &query, key: &key, value: &value, bias: attention.bias };
            g.attend(Heads { queries: count, keys: count, dim }, &attended)
        }
    };
    g.linear(&context, &Linear { prefix: &proj_prefix, input: hidden, output: hidden, bias: true })
}

/// ln_q, merge² rows to one, two linear layers with an exact GELU between.
fn add_merger(g: &mut GraphBuilder, vision: &VisionConfig, residual: &str, delta: Option<String>) -> Result<()> {
    let (normed, _) = add_norm(g, vision, "visual.merger.ln_q.weight", residual, delta.as_deref())?;
    let merged = vision.hidden_size * vision.spatial_merge_size * vision.spatial_merge_size;
    let shape = g.ints(&[2], &[-1, merged as i64]);
    let rows = g.op("Reshape", &[&normed, &shape]);
    let first = Linear { prefix: "visual.merger.mlp.0", input: merged, output: merged, bias: true };
    let hidden = g.linear(&rows, &first)?;
    let active = add_gelu(g, &hidden);
    let second = Linear { prefix: "visual.merger.mlp.2", input: merged, output: vision.out_hidden_size, bias: true };
    let features = g.linear(&active, &second)?;
    let features = g.cast(&features, g.style().compute(), g.style().port);
    g.add(Node::new("Identity", &[&features]).named(&["image_features"]));
    Ok(())
}

/// The exact GELU; x / 2 · (1 + erf(x / √2)) where its operator may be unknown.
fn add_gelu(g: &mut GraphBuilder, x: &str) -> String {
    if g.style().profile == Profile::Ort {
        return g.op("Gelu", &[x]);
    }
    let (root, one, half) = (g.number(std::f32::consts::FRAC_1_SQRT_2), g.number(1.0), g.number(0.5));
    let scaled = g.op("Mul", &[x, &root]);
    let erf = g.op("Erf", &[&scaled]);
    let gate = g.op("Add", &[&erf, &one]);
    let halved = g.op("Mul", &[x, &half]);
    g.op("Mul", &[&halved, &gate])
}
