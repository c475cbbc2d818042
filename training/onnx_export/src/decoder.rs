//! `model.onnx`, the decoder: `inputs_embeds` [b, s, hidden] → `logits` [b, s or fewer, vocab], with a KV cache.
//!
//! Reference: transformers `Qwen2_5_VLTextModel`. What the profiles do differently, positions, rotation, attention and
//! the cache, is in `decoder_ort` and `decoder_trt`; the layers around them are here.
//!
//! A prompt of 2,000 tokens over a vocabulary of 152,000 has 1.2 GB of logits, of which few are read. So the `ort` profile
//! has an input that may be left out, `logits_to_keep` [1] i64, as in transformers: how many of the last tokens get
//! logits, all of them at 0, its default. The `trt` profile gives those of the last [`TRT_LOGITS`] tokens at most.

use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::decoder_ort::Growing;
use crate::decoder_trt::Static;
use crate::error::Result;
use crate::graph::{GraphBuilder, GraphSize, Node};
use crate::layers::{GatedMlp, Linear, Norm};
use crate::precision::{Profile, Style};
use crate::proto::TensorProto;
use processor::config::{ModelConfig, TextConfig};

/// Tokens that get logits in the `trt` profile: what drafts and forced tokens may ask for.
const TRT_LOGITS: i64 = 64;

/// Values that every layer reads, by profile.
enum Wiring {
    Growing(Growing),
    Static(Static),
}

/// Query, key and value of a layer, [b, s, heads · head_dim] each.
pub(crate) struct Projections {
    pub query: String,
    pub key: String,
    pub value: String,
}

/// A written or measured decoder.
pub(crate) struct Decoder {
    pub size: GraphSize,
    /// The output layer's integers and scales in `model.onnx.data`, where it is quantised and is the token table too.
    pub table: Option<[TensorProto; 2]>,
}

/// Writes (or measures) `dir/model.onnx` and its data; `kv_capacity` is the length of a static cache.
pub(crate) fn write_decoder(
    checkpoint: &Checkpoint,
    config: &ModelConfig,
    dir: Option<&Path>,
    style: Style,
    kv_capacity: usize,
) -> Result<Decoder> {
    let text = &config.text;
    let mut g = GraphBuilder::create(checkpoint, dir, "model.onnx", style)?;
    let wiring = match style.profile {
        Profile::Ort => Wiring::Growing(Growing::declare(&mut g, text)?),
        Profile::Trt => Wiring::Static(Static::declare(&mut g, text, kv_capacity)),
    };
    let mut residual = "inputs_embeds".to_owned();
    let mut delta = None;
    for index in 0..text.num_hidden_layers {
        let stream = Stream { index, residual: &residual, delta };
        let (mlp, sum) = add_layer(&mut g, text, &wiring, &stream)?;
        (delta, residual) = (Some(mlp), sum);
    }
    let stream = Stream { index: text.num_hidden_layers, residual: &residual, delta };
    let (normed, _) = add_norm(&mut g, text, "model.norm.weight", &stream)?;
    let output = if config.tie_word_embeddings { "model.embed_tokens.weight" } else { "lm_head.weight" };
    let last = add_last(&mut g, &normed);
    let quantizer = style.output_quantizer();
    let logits = g.product(&last, output, [text.vocab_size, text.hidden_size], quantizer.as_ref())?;
    g.add(Node::new("Identity", &[&logits]).named(&["logits"]));
    let part = |suffix: &str| g.initializer(&format!("{output}.{suffix}")).cloned();
    let table = part("blobs").zip(part("scales")).filter(|_| config.tie_word_embeddings).map(<[_; 2]>::from);
    Ok(Decoder { size: g.finish(dir)?, table })
}

/// The last tokens of `x` [b, s, hidden], those that get logits.
fn add_last(g: &mut GraphBuilder, x: &str) -> String {
    let start = match g.style().profile {
        Profile::Ort => {
            g.optional_int("logits_to_keep", 0);
            g.op("Neg", &["logits_to_keep"])
        }
        Profile::Trt => g.ints(&[1], &[-TRT_LOGITS]),
    };
    let (end, axis) = (g.ints(&[1], &[i64::from(i32::MAX)]), g.ints(&[1], &[1]));
    g.op("Slice", &[x, &start, &end, &axis])
}

/// The residual stream on its way into layer `index`.
struct Stream<'a> {
    index: usize,
    residual: &'a str,
    /// The previous layer's MLP output, not yet added; none before the first layer.
    delta: Option<String>,
}

/// Adds a layer; returns its MLP output and the residual before it.
fn add_layer(g: &mut GraphBuilder, text: &TextConfig, wiring: &Wiring, stream: &Stream) -> Result<(String, String)> {
    let prefix = format!("model.layers.{}", stream.index);
    let (normed, residual) = add_norm(g, text, &format!("{prefix}.input_layernorm.weight"), stream)?;
    let attended = add_attention(g, text, wiring, &Attention { index: stream.index, x: &normed })?;
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

fn add_attention(g: &mut GraphBuilder, text: &TextConfig, wiring: &Wiring, attention: &Attention) -> Result<String> {
    let Attention { index, x } = attention;
    let prefix = format!("model.layers.{index}.self_attn");
    let prefixes = ["q", "k", "v"].map(|part| format!("{prefix}.{part}_proj"));
    let project = |part: usize, heads: usize| Linear {
        prefix: &prefixes[part],
        input: text.hidden_size,
        output: heads * text.head_dim,
        bias: true,
    };
    let (queries, keys) = (text.num_attention_heads, text.num_key_value_heads);
    let layers = [project(0, queries), project(1, keys), project(2, keys)];
    let [query, key, value] = g.linears(x, &format!("{prefix}.qkv_proj"), layers)?;
    let projections = Projections { query, key, value };
    let context = match wiring {
        Wiring::Growing(growing) => growing.attend(g, text, *index, &projections),
        Wiring::Static(fixed) => fixed.attend(g, text, *index, &projections),
    };
    let output = format!("{prefix}.o_proj");
    let (input, bias) = (text.num_attention_heads * text.head_dim, false);
    g.linear(&context, &Linear { prefix: &output, input, output: text.hidden_size, bias })
}
