//! Fresh weights for training from scratch, the same for the same seed.

use candle_core::{Device, Result, Tensor, Var, bail};
use candle_nn::VarMap;
use processor::config::ModelConfig;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::checkpoint::{insert, named_vars};

/// How a weight begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Normal with this standard deviation.
    Normal(f64),
    /// Uniform between minus and plus this.
    Uniform(f64),
    /// Ones: norms.
    Ones,
    /// Zeros: biases.
    Zeros,
}

/// Name, shape and beginning of one weight.
pub type Weight = (String, Vec<usize>, Init);

/// Every weight of the network by hub name.
///
/// Embedding 0.02 as the reference; matrices 1 / √inputs, which at widths of a few hundred trains faster than a fixed 0.02;
/// those that write to the residual stream are divided by √(2 · layers) (GPT-2's rule).
#[must_use]
pub fn weights(config: &ModelConfig) -> Vec<Weight> {
    let mut all = Vec::new();
    vision(config, &mut all);
    text(config, &mut all);
    all
}

fn matrix(all: &mut Vec<Weight>, name: String, [outputs, inputs]: [usize; 2], gain: f64) {
    all.push((name, vec![outputs, inputs], Init::Normal(gain / (inputs as f64).sqrt())));
}

fn affine(all: &mut Vec<Weight>, name: &str, [outputs, inputs]: [usize; 2], gain: f64) {
    matrix(all, format!("{name}.weight"), [outputs, inputs], gain);
    all.push((format!("{name}.bias"), vec![outputs], Init::Zeros));
}

fn norm(all: &mut Vec<Weight>, name: String, width: usize) {
    all.push((name, vec![width], Init::Ones));
}

fn vision(config: &ModelConfig, all: &mut Vec<Weight>) {
    let c = &config.vision;
    let (n, inner, p) = (c.hidden_size, c.intermediate_size, c.patch_size);
    let residual = 1.0 / (2.0 * c.depth as f64).sqrt();
    let patch = vec![n, c.in_channels, c.temporal_patch_size, p, p];
    let deviation = 1.0 / (c.patch_dim() as f64).sqrt();
    all.push(("visual.patch_embed.proj.weight".to_owned(), patch, Init::Normal(deviation)));
    for i in 0..c.depth {
        let block = format!("visual.blocks.{i}");
        norm(all, format!("{block}.norm1.weight"), n);
        norm(all, format!("{block}.norm2.weight"), n);
        affine(all, &format!("{block}.attn.qkv"), [3 * n, n], 1.0);
        affine(all, &format!("{block}.attn.proj"), [n, n], residual);
        affine(all, &format!("{block}.mlp.gate_proj"), [inner, n], 1.0);
        affine(all, &format!("{block}.mlp.up_proj"), [inner, n], 1.0);
        affine(all, &format!("{block}.mlp.down_proj"), [n, inner], residual);
    }
    let merged = n * c.spatial_merge_size * c.spatial_merge_size;
    norm(all, "visual.merger.ln_q.weight".to_owned(), n);
    affine(all, "visual.merger.mlp.0", [merged, merged], 1.0);
    affine(all, "visual.merger.mlp.2", [c.out_hidden_size, merged], 1.0);
}

fn text(config: &ModelConfig, all: &mut Vec<Weight>) {
    let c = &config.text;
    let (n, inner) = (c.hidden_size, c.intermediate_size);
    let (q, kv) = (c.num_attention_heads * c.head_dim, c.num_key_value_heads * c.head_dim);
    let residual = 1.0 / (2.0 * c.num_hidden_layers as f64).sqrt();
    all.push(("model.embed_tokens.weight".to_owned(), vec![c.vocab_size, n], Init::Normal(0.02)));
    for i in 0..c.num_hidden_layers {
        let layer = format!("model.layers.{i}");
        norm(all, format!("{layer}.input_layernorm.weight"), n);
        norm(all, format!("{layer}.post_attention_layernorm.weight"), n);
        affine(all, &format!("{layer}.self_attn.q_proj"), [q, n], 1.0);
        affine(all, &format!("{layer}.self_attn.k_proj"), [kv, n], 1.0);
        affine(all, &format!("{layer}.self_attn.v_proj"), [kv, n], 1.0);
        matrix(all, format!("{layer}.self_attn.o_proj.weight"), [n, q], residual);
        matrix(all, format!("{layer}.mlp.gate_proj.weight"), [inner, n], 1.0);
        matrix(all, format!("{layer}.mlp.up_proj.weight"), [inner, n], 1.0);
        matrix(all, format!("{layer}.mlp.down_proj.weight"), [n, inner], residual);
    }
    norm(all, "model.norm.weight".to_owned(), n);
    if !config.tie_word_embeddings {
        all.push(("lm_head.weight".to_owned(), vec![c.vocab_size, n], Init::Normal(0.02)));
    }
}

/// A normal variate (Box and Muller).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// New variables for the whole network: build it with `VarBuilder::from_varmap`.
///
/// # Errors
/// When the device has no room.
pub fn fresh(config: &ModelConfig, seed: u64, device: &Device) -> Result<VarMap> {
    let vars = VarMap::new();
    add(&vars, &weights(config), seed, device)?;
    Ok(vars)
}

/// Adds new variables, such as those of auxiliary heads, to a map.
///
/// # Errors
/// When the device has no room.
pub fn add(vars: &VarMap, weights: &[Weight], seed: u64, device: &Device) -> Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for (name, shape, init) in weights {
        let count = shape.iter().product();
        let values = match init {
            Init::Normal(deviation) => (0..count).map(|_| (normal(&mut rng) * deviation) as f32).collect(),
            Init::Uniform(bound) => (0..count).map(|_| (rng.random_range(-1.0..1.0) * bound) as f32).collect(),
            Init::Ones => vec![1f32; count],
            Init::Zeros => vec![0f32; count],
        };
        insert(vars, name.clone(), Var::from_tensor(&Tensor::from_vec(values, shape.as_slice(), device)?)?);
    }
    Ok(())
}

/// Checks that the map holds every weight of the network with its shape.
///
/// # Errors
/// Names the first that is missing or has another shape.
pub fn check(config: &ModelConfig, vars: &VarMap) -> Result<()> {
    let vars = named_vars(vars);
    for (name, shape, _) in weights(config) {
        match vars.get(&name) {
            Some(var) if var.dims() == shape => {}
            Some(var) => bail!("{name}: expected {shape:?}, found {:?}", var.dims()),
            None => bail!("{name}: expected {shape:?}, found nothing"),
        }
    }
    Ok(())
}
