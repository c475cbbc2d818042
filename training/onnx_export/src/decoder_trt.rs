//! The decoder's ports and attention in the `trt` profile, standard operators only, one sequence.
//!
//! Inputs beside `inputs_embeds` [1, s, hidden]: `cos` and `sin` [s, head_dim / 2] f32 of the s new tokens, each
//! frequency at the position of its mrope section; `past_length` [1] i64; `past_key_values.N.{key,value}` [1, kv_heads,
//! capacity, head_dim], of which the first `past_length` slots are read (the others must hold numbers, say zeros).
//! Outputs beside `logits`: `present.N.{key,value}` [1, kv_heads, s, head_dim], the new tokens' rows only,
//! which the caller copies into slots `past_length..past_length + s`. So the cache never changes shape or place, and
//! nothing of it is copied by the graph.

use crate::attention::{Attended, FORBIDDEN, Heads};
use crate::decoder::Projections;
use crate::external_data::Float;
use crate::graph::{Dim, Element, GraphBuilder, Node};
use processor::config::TextConfig;

/// Values that every layer reads.
pub(crate) struct Static {
    /// [s, head_dim / 2].
    cos: String,
    /// [s, head_dim / 2].
    sin: String,
    /// [s, capacity + s]: 0 where a new token may attend, very negative elsewhere.
    bias: String,
}

impl Static {
    /// Declares inputs and outputs and adds what the layers share.
    pub fn declare(g: &mut GraphBuilder, text: &TextConfig, capacity: usize) -> Self {
        declare_ports(g, text, capacity);
        let compute = g.style().compute();
        let cos = g.cast("cos", Float::F32, compute);
        let sin = g.cast("sin", Float::F32, compute);
        Self { cos, sin, bias: add_bias(g, capacity) }
    }

    /// Adds layer `index`'s attention; returns the context [1, s, heads · head_dim].
    pub fn attend(&self, g: &mut GraphBuilder, text: &TextConfig, index: usize, projections: &Projections) -> String {
        let (queries, keys, dim) = (text.num_attention_heads, text.num_key_value_heads, text.head_dim);
        let query = g.split_heads(&projections.query, queries, dim);
        let query = g.rotate_half(&query, &self.cos, &self.sin);
        let key = g.split_heads(&projections.key, keys, dim);
        let key = g.rotate_half(&key, &self.cos, &self.sin);
        let value = g.split_heads(&projections.value, keys, dim);
        let mut append = |part: &str, new: &str| {
            g.add(Node::new("Identity", &[new]).named(&[&format!("present.{index}.{part}")]));
            let past = format!("past_key_values.{index}.{part}");
            g.add(Node::new("Concat", &[&past, new]).int("axis", 2))
        };
        let (key, value) = (append("key", &key), append("value", &value));
        let attended = Attended { query: &query, key: &key, value: &value, bias: &self.bias };
        g.attend(Heads { queries, keys, dim }, &attended)
    }
}

fn declare_ports(g: &mut GraphBuilder, text: &TextConfig, capacity: usize) {
    let (one, step, half) = (Dim::Fixed(1), Dim::Free("sequence_length"), Dim::Fixed(text.head_dim / 2));
    let float = Element::Float(g.style().port);
    let cache = |len| [one, Dim::Fixed(text.num_key_value_heads), len, Dim::Fixed(text.head_dim)];
    g.input("inputs_embeds", float, &[one, step, Dim::Fixed(text.hidden_size)]);
    g.input("cos", Element::Float(Float::F32), &[step, half]);
    g.input("sin", Element::Float(Float::F32), &[step, half]);
    g.input("past_length", Element::I64, &[one]);
    g.output("logits", float, &[one, Dim::Free("logits_length"), Dim::Fixed(text.vocab_size)]);
    for index in 0..text.num_hidden_layers {
        for part in ["key", "value"] {
            g.input(&format!("past_key_values.{index}.{part}"), float, &cache(Dim::Fixed(capacity)));
            g.output(&format!("present.{index}.{part}"), float, &cache(step));
        }
    }
}

/// From `past_length` and the number of new tokens, who may attend whom: slots below `past_length`, and no later token.
fn add_bias(g: &mut GraphBuilder, capacity: usize) -> String {
    let (zero, one) = (g.int(0), g.int(1));
    let (first_axis, last_axis) = (g.ints(&[1], &[0]), g.ints(&[1], &[1]));
    let shape = g.op("Shape", &["inputs_embeds"]);
    let count = g.add(Node::new("Gather", &[&shape, &one]).int("axis", 0));
    let steps = g.op("Range", &[&zero, &count, &one]);
    let (rows, columns) = (g.op("Unsqueeze", &[&steps, &last_axis]), g.op("Unsqueeze", &[&steps, &first_axis]));
    let (allowed, forbidden) = (g.number(0.0), g.number(FORBIDDEN));
    let slots = g.ints(&[1, capacity as i64], &(0..capacity as i64).collect::<Vec<_>>());
    let is_filled = g.op("Less", &[&slots, "past_length"]);
    let past = g.op("Where", &[&is_filled, &allowed, &forbidden]);
    let row_count = g.op("Unsqueeze", &[&count, &first_axis]);
    let slot_count = g.ints(&[1], &[capacity as i64]);
    let past_shape = g.add(Node::new("Concat", &[&row_count, &slot_count]).int("axis", 0));
    let past = g.op("Expand", &[&past, &past_shape]);
    let is_earlier = g.op("LessOrEqual", &[&columns, &rows]);
    let new = g.op("Where", &[&is_earlier, &allowed, &forbidden]);
    g.add(Node::new("Concat", &[&past, &new]).int("axis", 1))
}
