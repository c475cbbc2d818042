//! `model.onnx`, the decoder: `inputs_embeds` [b, s, hidden], `attention_mask` [b, total] i64, `position_ids` [3, b, s]
//! i64 and the KV cache `past_key_values.N.{key,value}` [b, kv_heads, past, head_dim] → `logits` [b, s, vocab] and
//! `present.N.{key,value}` [b, kv_heads, total, head_dim].
//!
//! Reference: transformers `Qwen2_5_VLTextModel`. Rotation by three position streams is ONNX Runtime's
//! MRotaryEmbedding, attention its GroupQueryAttention, which also appends to the cache.

use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::external_data::Layout;
use crate::graph::{Dim, Element, GraphBuilder, Node};
use crate::layers::{GatedMlp, Linear, Norm, inverse_frequencies};
use crate::proto::tensor_proto::DataType;
use processor::config::{ModelConfig, TextConfig};

/// Values that every layer reads.
struct Shared {
    /// [max_positions, head_dim / 2].
    cos: String,
    /// [max_positions, head_dim / 2].
    sin: String,
    /// [b] i32: total length of each sequence less one.
    last_index: String,
    /// Scalar i32: length of the attention mask.
    total: String,
}

/// Writes `dir/model.onnx` and its data; returns their bytes.
pub(crate) fn write_decoder(checkpoint: &Checkpoint, config: &ModelConfig, dir: &Path) -> Result<u64> {
    let text = &config.text;
    let mut g = GraphBuilder::create(checkpoint, dir, "model.onnx")?;
    declare_ports(&mut g, text);
    let shared = add_shared(&mut g, text)?;
    let mut residual = "inputs_embeds".to_owned();
    let mut delta = None;
    for index in 0..text.num_hidden_layers {
        let stream = Stream { index, residual: &residual, delta };
        let (mlp, sum) = add_layer(&mut g, text, &shared, &stream)?;
        (delta, residual) = (Some(mlp), sum);
    }
    let (normed, _) = add_norm(
        &mut g,
        text,
        "model.norm.weight",
        &Stream { index: text.num_hidden_layers, residual: &residual, delta },
    )?;
    let output = if config.tie_word_embeddings { "model.embed_tokens.weight" } else { "lm_head.weight" };
    let weight = g.weight(output, &[text.vocab_size, text.hidden_size], Layout::Transposed)?;
    g.add(Node::new("MatMul", &[&normed, &weight]).named(&["logits"]));
    g.finish(dir)
}

fn declare_ports(g: &mut GraphBuilder, text: &TextConfig) {
    let (batch, step, total) =
        (Dim::Free("batch_size"), Dim::Free("sequence_length"), Dim::Free("total_sequence_length"));
    let cache = |len| [batch, Dim::Fixed(text.num_key_value_heads), len, Dim::Fixed(text.head_dim)];
    g.input("inputs_embeds", Element::F32, &[batch, step, Dim::Fixed(text.hidden_size)]);
    g.input("attention_mask", Element::I64, &[batch, total]);
    g.input("position_ids", Element::I64, &[Dim::Fixed(3), batch, step]);
    g.output("logits", Element::F32, &[batch, step, Dim::Fixed(text.vocab_size)]);
    for index in 0..text.num_hidden_layers {
        for part in ["key", "value"] {
            let past = cache(Dim::Free("past_sequence_length"));
            g.input(&format!("past_key_values.{index}.{part}"), Element::F32, &past);
            g.output(&format!("present.{index}.{part}"), Element::F32, &cache(total));
        }
    }
}

fn add_shared(g: &mut GraphBuilder, text: &TextConfig) -> Result<Shared> {
    let frequencies = inverse_frequencies(text.rope_theta as f32, text.head_dim);
    let angles: Vec<f32> = (0..text.max_position_embeddings)
        .flat_map(|position| frequencies.iter().map(move |f| position as f32 * f))
        .collect();
    let dims = [text.max_position_embeddings, text.head_dim / 2];
    let cos = g.table("cos_cache", &dims, &angles.iter().map(|angle| angle.cos()).collect::<Vec<_>>())?;
    let sin = g.table("sin_cache", &dims, &angles.iter().map(|angle| angle.sin()).collect::<Vec<_>>())?;
    let last_axis = g.ints(&[1], &[1]);
    let one = g.int(1);
    let length = g.add(Node::new("ReduceSum", &["attention_mask", &last_axis]).int("keepdims", 0));
    let last_index = g.op("Sub", &[&length, &one]);
    let last_index = g.add(Node::new("Cast", &[&last_index]).int("to", DataType::Int32 as i64));
    let shape = g.op("Shape", &["attention_mask"]);
    let total = g.add(Node::new("Gather", &[&shape, &one]).int("axis", 0));
    let total = g.add(Node::new("Cast", &[&total]).int("to", DataType::Int32 as i64));
    Ok(Shared { cos, sin, last_index, total })
}

/// The residual stream on its way into layer `index`.
struct Stream<'a> {
    index: usize,
    residual: &'a str,
    /// The previous layer's MLP output, not yet added; none before the first layer.
    delta: Option<String>,
}

/// Adds a layer; returns its MLP output and the residual before it.
fn add_layer(g: &mut GraphBuilder, text: &TextConfig, shared: &Shared, stream: &Stream) -> Result<(String, String)> {
    let prefix = format!("model.layers.{}", stream.index);
    let (normed, residual) = add_norm(g, text, &format!("{prefix}.input_layernorm.weight"), stream)?;
    let attended = add_attention(g, text, shared, &Attention { index: stream.index, x: &normed })?;
    let after = Stream { index: stream.index, residual: &residual, delta: Some(attended) };
    let (normed, residual) = add_norm(g, text, &format!("{prefix}.post_attention_layernorm.weight"), &after)?;
    let mlp_prefix = format!("{prefix}.mlp");
    let mlp =
        GatedMlp { prefix: &mlp_prefix, hidden: text.hidden_size, intermediate: text.intermediate_size, bias: false };
    Ok((g.gated_mlp(&normed, &mlp)?, residual))
}

/// Norm of the stream; returns (normed, the stream's sum).
fn add_norm(g: &mut GraphBuilder, text: &TextConfig, name: &str, stream: &Stream) -> Result<(String, String)> {
    let norm = Norm { name, size: text.hidden_size, epsilon: text.rms_norm_eps as f32 };
    match &stream.delta {
        Some(delta) => g.skip_norm(stream.residual, delta, &norm),
        None => Ok((g.rms_norm(stream.residual, &norm)?, stream.residual.to_owned())),
    }
}

struct Attention<'a> {
    index: usize,
    /// [b, s, hidden].
    x: &'a str,
}

fn add_attention(g: &mut GraphBuilder, text: &TextConfig, shared: &Shared, attention: &Attention) -> Result<String> {
    let Attention { index, x } = attention;
    let prefix = format!("model.layers.{index}.self_attn");
    let mut project = |part: &str, heads: usize| {
        let prefix = format!("{prefix}.{part}_proj");
        g.linear(x, &Linear { prefix: &prefix, input: text.hidden_size, output: heads * text.head_dim, bias: true })
    };
    let (query, key) = (project("q", text.num_attention_heads)?, project("k", text.num_key_value_heads)?);
    let value = project("v", text.num_key_value_heads)?;
    let section = text.mrope_section.map(|count| count as i64);
    let mut rotate = |x: &str, heads: usize| {
        let node = Node::contrib("MRotaryEmbedding", &[x, "position_ids", &shared.cos, &shared.sin]);
        let node = node.int("num_heads", heads as i64).int("rotary_embedding_dim", text.head_dim as i64);
        g.add(node.ints("mrope_section", &section))
    };
    let query = rotate(&query, text.num_attention_heads);
    let key = rotate(&key, text.num_key_value_heads);
    let past = ["key", "value"].map(|part| format!("past_key_values.{index}.{part}"));
    let present = ["key", "value"].map(|part| format!("present.{index}.{part}"));
    let context = format!("{prefix}.context");
    let inputs = [query.as_str(), &key, &value, &past[0], &past[1], &shared.last_index, &shared.total];
    let node = Node::contrib("GroupQueryAttention", &inputs)
        .int("num_heads", text.num_attention_heads as i64)
        .int("kv_num_heads", text.num_key_value_heads as i64)
        .int("do_rotary", 0)
        .named(&[&context, &present[0], &present[1]]);
    g.add(node);
    let output = format!("{prefix}.o_proj");
    let (input, bias) = (text.num_attention_heads * text.head_dim, false);
    g.linear(&context, &Linear { prefix: &output, input, output: text.hidden_size, bias })
}
