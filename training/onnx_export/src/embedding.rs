//! `embedding.onnx`: `input_ids` [1, s] i64 and `image_features` [m, hidden] → `inputs_embeds` [1, s, hidden], floats of the
//! decoder's type. It is a table look-up, so let the CPU run it.
//!
//! A quantised table is read by ONNX Runtime's GatherBlockQuantized; where the checkpoint ties it to the output layer the
//! graph points at that layer's bytes in `model.onnx.data`, so that disk and memory hold them once.
//!
//! The k-th placeholder, image or video, takes row k of `image_features`: callers put the features of images and videos
//! in the order of the prompt. Another number of placeholders than rows is an error of the engine (ScatterND's shapes).

use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::external_data::{Float, Layout};
use crate::graph::{Dim, Element, GraphBuilder, GraphSize, Node};
use crate::precision::{Precision, Profile, Style};
use crate::proto::TensorProto;
use crate::quantize::BLOCK;

use processor::config::ModelConfig;

/// Hub name of the table.
const TABLE: &str = "model.embed_tokens.weight";

/// Writes (or measures) `dir/embedding.onnx` and its data; `shared` is the output layer that the table is tied to.
pub(crate) fn write_embedding(
    checkpoint: &Checkpoint,
    config: &ModelConfig,
    dir: Option<&Path>,
    style: Style,
    shared: Option<&[TensorProto; 2]>,
) -> Result<GraphSize> {
    let (text, tokens) = (&config.text, &config.tokens);
    let mut g = GraphBuilder::create(checkpoint, dir, "embedding.onnx", style)?;
    let (batch, step, hidden) = (Dim::Free("batch_size"), Dim::Free("sequence_length"), Dim::Fixed(text.hidden_size));
    let float = Element::Float(style.port);
    g.input("input_ids", Element::I64, &[batch, step]);
    g.input("image_features", float, &[Dim::Free("num_features"), hidden]);
    g.output("inputs_embeds", float, &[batch, step, hidden]);

    let embeds = add_look_up(&mut g, [text.vocab_size, text.hidden_size], shared)?;
    let (image_pad, video_pad) = (g.int(tokens.image.into()), g.int(tokens.video.into()));
    let is_image = g.op("Equal", &["input_ids", &image_pad]);
    let is_video = g.op("Equal", &["input_ids", &video_pad]);
    let is_pad = g.op("Or", &[&is_image, &is_video]);
    let columns = g.op("NonZero", &[&is_pad]);
    let indices = g.add(Node::new("Transpose", &[&columns]).ints("perm", &[1, 0]));
    g.add(Node::new("ScatterND", &[&embeds, &indices, "image_features"]).named(&["inputs_embeds"]));
    g.finish(dir)
}

/// The rows of the table [vocab, hidden] for `input_ids`, in the decoder's type.
fn add_look_up(g: &mut GraphBuilder, shape: [usize; 2], shared: Option<&[TensorProto; 2]>) -> Result<String> {
    let (style, [_, hidden]) = (g.style(), shape);
    let is_whole = style.profile == Profile::Ort && hidden.is_multiple_of(BLOCK);
    let Some(quantizer) = style.output_quantizer().filter(|_| is_whole) else {
        let stored = if style.precision == Precision::F32 { Float::F32 } else { Float::F16 };
        let table = g.weight_as(TABLE, &shape, Layout::Kept, stored)?;
        let embeds = g.op("Gather", &[&table, "input_ids"]);
        return Ok(g.cast(&embeds, stored, style.port));
    };
    let names = match shared {
        Some(parts) => parts.iter().map(|part| g.adopt(part.clone())).collect(),
        None => g.quantized(TABLE, &shape, &quantizer)?,
    };
    let [integers, scales] = names.as_slice() else {
        return Err(Error::Shape { name: TABLE.to_owned(), expected: vec![2], found: vec![names.len()] });
    };
    g.set_dims(integers, &[shape[0], hidden * quantizer.bits / 8]);
    let node = Node::contrib("GatherBlockQuantized", &[integers, "input_ids", scales])
        .int("bits", quantizer.bits as i64)
        .int("block_size", BLOCK as i64)
        .int("gather_axis", 0)
        .int("quantize_axis", 1);
    Ok(g.add(node))
}
