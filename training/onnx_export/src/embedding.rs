//! `embedding.onnx`: `input_ids` [1, s] i64 and `image_features` [m, hidden] → `inputs_embeds` [1, s, hidden], floats of the
//! decoder's type. The same graph in both profiles, of standard operators; it is a table look-up, so let the CPU run it.
//!
//! The k-th placeholder, image or video, takes row k of `image_features`: callers put the features of images and videos
//! in the order of the prompt. Another number of placeholders than rows is an error of the engine (ScatterND's shapes).

use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::external_data::{Float, Layout};
use crate::graph::{Dim, Element, GraphBuilder, GraphSize, Node};
use crate::precision::{Precision, Style};
use processor::config::ModelConfig;

/// Writes (or measures) `dir/embedding.onnx` and its data. The table is f16 at every precision but f32.
pub(crate) fn write_embedding(
    checkpoint: &Checkpoint,
    config: &ModelConfig,
    dir: Option<&Path>,
    style: Style,
) -> Result<GraphSize> {
    let (text, tokens) = (&config.text, &config.tokens);
    let mut g = GraphBuilder::create(checkpoint, dir, "embedding.onnx", style)?;
    let (batch, step, hidden) = (Dim::Free("batch_size"), Dim::Free("sequence_length"), Dim::Fixed(text.hidden_size));
    let float = Element::Float(style.port);
    g.input("input_ids", Element::I64, &[batch, step]);
    g.input("image_features", float, &[Dim::Free("num_features"), hidden]);
    g.output("inputs_embeds", float, &[batch, step, hidden]);

    let stored = if style.precision == Precision::F32 { Float::F32 } else { Float::F16 };
    let shape = [text.vocab_size, text.hidden_size];
    let table = g.weight_as("model.embed_tokens.weight", &shape, Layout::Kept, stored)?;
    let embeds = g.op("Gather", &[&table, "input_ids"]);
    let embeds = g.cast(&embeds, stored, style.port);
    let (image_pad, video_pad) = (g.int(tokens.image.into()), g.int(tokens.video.into()));
    let is_image = g.op("Equal", &["input_ids", &image_pad]);
    let is_video = g.op("Equal", &["input_ids", &video_pad]);
    let is_pad = g.op("Or", &[&is_image, &is_video]);
    let columns = g.op("NonZero", &[&is_pad]);
    let indices = g.add(Node::new("Transpose", &[&columns]).ints("perm", &[1, 0]));
    g.add(Node::new("ScatterND", &[&embeds, &indices, "image_features"]).named(&["inputs_embeds"]));
    g.finish(dir)
}
