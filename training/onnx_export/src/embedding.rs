//! `embedding.onnx`: `input_ids` [1, s] i64 and `image_features` [m, hidden] f32 → `inputs_embeds` [1, s, hidden] f32.
//!
//! The k-th placeholder, image or video, takes row k of `image_features`: callers put the features of images and videos
//! in the order of the prompt. Another number of placeholders than rows is an error of the engine (ScatterND's shapes).

use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::external_data::Layout;
use crate::graph::{Dim, Element, GraphBuilder, Node};
use processor::config::ModelConfig;

/// Writes `dir/embedding.onnx` and its data; returns their bytes.
pub(crate) fn write_embedding(checkpoint: &Checkpoint, config: &ModelConfig, dir: &Path) -> Result<u64> {
    let (text, tokens) = (&config.text, &config.tokens);
    let mut g = GraphBuilder::create(checkpoint, dir, "embedding.onnx")?;
    let (batch, step, hidden) = (Dim::Free("batch_size"), Dim::Free("sequence_length"), Dim::Fixed(text.hidden_size));
    g.input("input_ids", Element::I64, &[batch, step]);
    g.input("image_features", Element::F32, &[Dim::Free("num_features"), hidden]);
    g.output("inputs_embeds", Element::F32, &[batch, step, hidden]);

    let table = g.weight("model.embed_tokens.weight", &[text.vocab_size, text.hidden_size], Layout::Kept)?;
    let embeds = g.op("Gather", &[&table, "input_ids"]);
    let (image_pad, video_pad) = (g.int(tokens.image.into()), g.int(tokens.video.into()));
    let is_image = g.op("Equal", &["input_ids", &image_pad]);
    let is_video = g.op("Equal", &["input_ids", &video_pad]);
    let is_pad = g.op("Or", &[&is_image, &is_video]);
    let columns = g.op("NonZero", &[&is_pad]);
    let indices = g.add(Node::new("Transpose", &[&columns]).ints("perm", &[1, 0]));
    g.add(Node::new("ScatterND", &[&embeds, &indices, "image_features"]).named(&["inputs_embeds"]));
    g.finish(dir)
}
