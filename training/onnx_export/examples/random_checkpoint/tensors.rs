//! The tensors of a checkpoint and their random values.

use std::io::Write;

use crate::shapes::{Layout, Shape};

/// Values in the pool; a prime, so that no row width divides it and rows differ.
const POOL: usize = 1_048_583;
/// Standard deviation of matrices, transformers' `initializer_range`.
const DEVIATION: f32 = 0.02;

/// A tensor by its name in the checkpoint.
pub(crate) struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
}

impl Tensor {
    /// Of its bf16 values.
    pub fn bytes(&self) -> u64 {
        2 * self.shape.iter().product::<usize>() as u64
    }

    /// Norms' gains are about 1, all else about 0.
    fn is_gain(&self) -> bool {
        ["norm.weight", "layernorm.weight", "norm1.weight", "norm2.weight", "ln_q.weight"]
            .iter()
            .any(|end| self.name.ends_with(end))
    }
}

/// All tensors of `shape`, in the order they are written.
pub(crate) fn list(shape: &Shape, layout: Layout) -> Vec<Tensor> {
    let (text_prefix, vision_prefix) = match layout {
        Layout::Hub => ("model", "visual"),
        Layout::Nested => ("model.language_model", "model.visual"),
    };
    let mut all = Vec::new();
    let mut add = |name: String, shape: &[usize]| all.push(Tensor { name, shape: shape.to_vec() });
    let s = shape;
    let v = &s.vision;
    add(format!("{vision_prefix}.patch_embed.proj.weight"), &[v.hidden, 3, 2, 14, 14]);
    for block in 0..v.depth {
        let prefix = format!("{vision_prefix}.blocks.{block}");
        for norm in ["norm1", "norm2"] {
            add(format!("{prefix}.{norm}.weight"), &[v.hidden]);
        }
        let layers = [
            ("attn.qkv", 3 * v.hidden, v.hidden),
            ("attn.proj", v.hidden, v.hidden),
            ("mlp.gate_proj", v.intermediate, v.hidden),
            ("mlp.up_proj", v.intermediate, v.hidden),
            ("mlp.down_proj", v.hidden, v.intermediate),
        ];
        for (name, out, input) in layers {
            add(format!("{prefix}.{name}.weight"), &[out, input]);
            add(format!("{prefix}.{name}.bias"), &[out]);
        }
    }
    add(format!("{vision_prefix}.merger.ln_q.weight"), &[v.hidden]);
    for (index, out) in [(0, 4 * v.hidden), (2, s.hidden)] {
        add(format!("{vision_prefix}.merger.mlp.{index}.weight"), &[out, 4 * v.hidden]);
        add(format!("{vision_prefix}.merger.mlp.{index}.bias"), &[out]);
    }
    add(format!("{text_prefix}.embed_tokens.weight"), &[s.vocab, s.hidden]);
    let head_dim = s.hidden / s.heads;
    for layer in 0..s.layers {
        let prefix = format!("{text_prefix}.layers.{layer}");
        for norm in ["input_layernorm", "post_attention_layernorm"] {
            add(format!("{prefix}.{norm}.weight"), &[s.hidden]);
        }
        for (name, heads) in [("q", s.heads), ("k", s.kv_heads), ("v", s.kv_heads)] {
            add(format!("{prefix}.self_attn.{name}_proj.weight"), &[heads * head_dim, s.hidden]);
            add(format!("{prefix}.self_attn.{name}_proj.bias"), &[heads * head_dim]);
        }
        add(format!("{prefix}.self_attn.o_proj.weight"), &[s.hidden, s.hidden]);
        for (name, out, input) in
            [("gate", s.intermediate, s.hidden), ("up", s.intermediate, s.hidden), ("down", s.hidden, s.intermediate)]
        {
            add(format!("{prefix}.mlp.{name}_proj.weight"), &[out, input]);
        }
    }
    add(format!("{text_prefix}.norm.weight"), &[s.hidden]);
    if !s.tied {
        add("lm_head.weight".into(), &[s.vocab, s.hidden]);
    }
    all
}

/// Random bf16 values, written from a moving start over and over: fast, and no two tensors start alike.
pub(crate) struct Pool {
    matrices: Vec<u8>,
    gains: Vec<u8>,
    /// xorshift64 state.
    state: u64,
}

impl Pool {
    pub fn new() -> Self {
        let mut pool = Self { matrices: Vec::new(), gains: Vec::new(), state: 0x9e37_79b9_7f4a_7c15 };
        for _ in 0..POOL {
            // The sum of four uniform numbers, variance 4 / 12, is near enough to normal.
            let sum: f32 = (0..4).map(|_| (pool.next() >> 40) as f32 / (1 << 24) as f32 - 0.5).sum();
            let normal = sum * 3f32.sqrt();
            pool.matrices.extend(half::bf16::from_f32(normal * DEVIATION).to_le_bytes());
            pool.gains.extend(half::bf16::from_f32(1.0 + normal * DEVIATION).to_le_bytes());
        }
        pool
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// Writes the tensor's values.
    pub fn write(&mut self, tensor: &Tensor, file: &mut impl Write) -> std::io::Result<()> {
        let mut at = 2 * (self.next() as usize % POOL);
        let values = if tensor.is_gain() { &self.gains } else { &self.matrices };
        let mut left = tensor.bytes() as usize;
        while left > 0 {
            let piece = left.min(values.len() - at);
            file.write_all(&values[at..at + piece])?;
            (left, at) = (left - piece, 0);
        }
        Ok(())
    }
}
