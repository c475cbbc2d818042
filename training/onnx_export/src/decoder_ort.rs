//! The decoder's ports and attention in the `ort` profile: `attention_mask` [b, total] i64, `position_ids` [3, b, s] i64
//! and `past_key_values.N.{key,value}` [b, kv_heads, past, head_dim] → `present.N.{key,value}` [b, kv_heads, total,
//! head_dim].
//!
//! Rotation by three position streams is ONNX Runtime's MRotaryEmbedding, attention its GroupQueryAttention, which also
//! appends to the cache.

use crate::decoder::Projections;
use crate::error::Result;
use crate::graph::{Dim, Element, GraphBuilder, Node};
use crate::proto::tensor_proto::DataType;
use processor::config::TextConfig;
use processor::rotary::inverse_frequencies;

/// Values that every layer reads.
pub(crate) struct Growing {
    /// [max_positions, head_dim / 2].
    cos: String,
    /// [max_positions, head_dim / 2].
    sin: String,
    /// [b] i32: total length of each sequence less one.
    last_index: String,
    /// Scalar i32: length of the attention mask.
    total: String,
}

impl Growing {
    /// Declares inputs and outputs and adds what the layers share.
    pub fn declare(g: &mut GraphBuilder, text: &TextConfig) -> Result<Self> {
        declare_ports(g, text);
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
        Ok(Self { cos, sin, last_index, total })
    }

    /// Adds layer `index`'s attention; returns the context [b, s, heads · head_dim].
    pub fn attend(&self, g: &mut GraphBuilder, text: &TextConfig, index: usize, projections: &Projections) -> String {
        let section = text.mrope_section.map(|count| count as i64);
        let mut rotate = |x: &str, heads: usize| {
            let node = Node::contrib("MRotaryEmbedding", &[x, "position_ids", &self.cos, &self.sin]);
            let node = node.int("num_heads", heads as i64).int("rotary_embedding_dim", text.head_dim as i64);
            g.add(node.ints("mrope_section", &section))
        };
        let query = rotate(&projections.query, text.num_attention_heads);
        let key = rotate(&projections.key, text.num_key_value_heads);
        let past = ["key", "value"].map(|part| format!("past_key_values.{index}.{part}"));
        let present = ["key", "value"].map(|part| format!("present.{index}.{part}"));
        let context = format!("model.layers.{index}.self_attn.context");
        let inputs = [query.as_str(), &key, &projections.value, &past[0], &past[1], &self.last_index, &self.total];
        let node = Node::contrib("GroupQueryAttention", &inputs)
            .int("num_heads", text.num_attention_heads as i64)
            .int("kv_num_heads", text.num_key_value_heads as i64)
            .int("do_rotary", 0)
            .named(&[&context, &present[0], &present[1]]);
        g.add(node)
    }
}

fn declare_ports(g: &mut GraphBuilder, text: &TextConfig) {
    let (batch, step, total) =
        (Dim::Free("batch_size"), Dim::Free("sequence_length"), Dim::Free("total_sequence_length"));
    let float = Element::Float(g.style().port);
    let cache = |len| [batch, Dim::Fixed(text.num_key_value_heads), len, Dim::Fixed(text.head_dim)];
    g.input("inputs_embeds", float, &[batch, step, Dim::Fixed(text.hidden_size)]);
    g.input("attention_mask", Element::I64, &[batch, total]);
    g.input("position_ids", Element::I64, &[Dim::Fixed(3), batch, step]);
    g.output("logits", float, &[batch, Dim::Free("logits_length"), Dim::Fixed(text.vocab_size)]);
    for index in 0..text.num_hidden_layers {
        for part in ["key", "value"] {
            let past = cache(Dim::Free("past_sequence_length"));
            g.input(&format!("past_key_values.{index}.{part}"), float, &past);
            g.output(&format!("present.{index}.{part}"), float, &cache(total));
        }
    }
}
