//! What `config.json` says about a Qwen2.5-VL network.
//!
//! Two layouts are read: the hub's flat one (`rope_scaling.mrope_section`) and transformers 5's nested one
//! (`text_config`, `rope_parameters`). Everything that another architecture would change is checked.

use crate::error::{ProcessorError, Result};
use crate::json::{self, Fields};
use crate::mrope::MropeConfig;
use model_dir::Files;
use serde_json::Value;
use std::path::Path;

pub use crate::preprocessor_config::{PixelLimits, PreprocessorConfig};

/// The whole network.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// The decoder.
    pub text: TextConfig,
    /// The vision tower.
    pub vision: VisionConfig,
    /// Special tokens.
    pub tokens: TokenIds,
    /// Does the output layer share the input embedding's weight?
    pub tie_word_embeddings: bool,
}

/// The decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct TextConfig {
    /// Rows of the token embedding.
    pub vocab_size: usize,
    /// Width.
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads.
    pub num_key_value_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Longest sequence in tokens.
    pub max_position_embeddings: usize,
    /// ε of RMSNorm.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Rotary frequencies that follow time, height and width; they add up to `head_dim / 2`.
    pub mrope_section: [usize; 3],
}

/// The vision tower.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionConfig {
    /// Blocks.
    pub depth: usize,
    /// Width.
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Attention heads.
    pub num_heads: usize,
    /// Colour channels: 3.
    pub in_channels: usize,
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Patches per merge block's side: 2.
    pub spatial_merge_size: usize,
    /// Frames per patch: 2.
    pub temporal_patch_size: usize,
    /// Side of an attention window in pixels.
    pub window_size: usize,
    /// Blocks that attend over the whole frame pair.
    pub fullatt_block_indexes: Vec<usize>,
    /// Width of a merged token, the decoder's `hidden_size`.
    pub out_hidden_size: usize,
    /// Time ids per second of video.
    pub tokens_per_second: f32,
    /// ε of RMSNorm: the architecture fixes it at 1e-6.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies: 10,000.
    pub rope_theta: f64,
}

impl VisionConfig {
    /// Width of a row of `pixel_values`: channels · frames · side².
    pub fn patch_dim(&self) -> usize {
        self.in_channels * self.temporal_patch_size * self.patch_size * self.patch_size
    }

    /// Width of a head.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_heads
    }
}

/// Special tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenIds {
    /// `<|image_pad|>`.
    pub image: u32,
    /// `<|video_pad|>`.
    pub video: u32,
    /// `<|vision_start|>`.
    pub vision_start: u32,
    /// `<|vision_end|>`.
    pub vision_end: Option<u32>,
    /// Any of these ends a completion: `config.json`'s and `generation_config.json`'s.
    pub eos: Vec<u32>,
    /// Fills up batches.
    pub pad: Option<u32>,
}

impl ModelConfig {
    /// Reads `config.json` of a model directory, and the ids of `generation_config.json` where there is one.
    ///
    /// # Errors
    /// As [`ModelConfig::from_files`].
    pub fn from_dir(dir: &Path) -> Result<Self> {
        Self::from_files(&Files::unverified(dir))
    }

    /// As [`ModelConfig::from_dir`], of a model directory's files.
    ///
    /// # Errors
    /// [`ProcessorError::File`], [`ProcessorError::Json`], [`ProcessorError::Config`].
    pub fn from_files(files: &Files) -> Result<Self> {
        let mut config = Self::from_value(&json::read(files, "config.json")?)?;
        let generation = "generation_config.json";
        if files.has(generation) {
            let value = json::read(files, generation)?;
            let fields = Fields::root(generation, &value)?;
            config.tokens.eos.extend(fields.ids("eos_token_id")?);
            config.tokens.eos.sort_unstable();
            config.tokens.eos.dedup();
            config.tokens.pad = config.tokens.pad.or(fields.opt("pad_token_id", "a token id")?);
        }
        Ok(config)
    }

    /// Parses the text of a `config.json`.
    ///
    /// # Errors
    /// [`ProcessorError::Json`], [`ProcessorError::Config`].
    pub fn from_json(text: &str) -> Result<Self> {
        let value =
            serde_json::from_str(text).map_err(|source| ProcessorError::Json { path: "config.json".into(), source })?;
        Self::from_value(&value)
    }

    fn from_value(value: &Value) -> Result<Self> {
        let root = Fields::root("config.json", value)?;
        let model_type: String = root.get("model_type", "\"qwen2_5_vl\"")?;
        if model_type != "qwen2_5_vl" {
            return Err(root.mismatch("model_type", "\"qwen2_5_vl\"", format!("\"{model_type}\"")));
        }
        let nested = root.object("text_config")?;
        let text_fields = nested.as_ref().unwrap_or(&root);
        let vision_fields =
            root.object("vision_config")?.ok_or_else(|| root.mismatch("vision_config", "an object", "nothing"))?;
        let text = text_config(text_fields, &root)?;
        let vision = vision_config(&vision_fields, &text)?;
        let tied = |fields: &Fields| fields.opt("tie_word_embeddings", "true or false");
        let tie_word_embeddings = tied(&root)?.or(tied(text_fields)?).unwrap_or(false);
        Ok(Self { tokens: token_ids(&root, text_fields)?, text, vision, tie_word_embeddings })
    }

    /// What position ids depend on.
    pub fn mrope(&self) -> MropeConfig {
        MropeConfig {
            tokens_per_second: self.vision.tokens_per_second,
            spatial_merge_size: self.vision.spatial_merge_size,
            image_token_id: self.tokens.image,
            video_token_id: self.tokens.video,
        }
    }
}

fn text_config(fields: &Fields, root: &Fields) -> Result<TextConfig> {
    let num_attention_heads = fields.size("num_attention_heads")?;
    let hidden_size = fields.size("hidden_size")?;
    let (rope_theta, mrope_section) = rope(fields, root)?;
    let text = TextConfig {
        vocab_size: fields.size("vocab_size")?,
        hidden_size,
        intermediate_size: fields.size("intermediate_size")?,
        num_hidden_layers: fields.size("num_hidden_layers")?,
        num_attention_heads,
        num_key_value_heads: fields.opt_size("num_key_value_heads")?.unwrap_or(num_attention_heads),
        head_dim: fields.opt_size("head_dim")?.unwrap_or(hidden_size / num_attention_heads),
        max_position_embeddings: fields.opt_size("max_position_embeddings")?.unwrap_or(32768),
        rms_norm_eps: fields.opt("rms_norm_eps", "a number")?.unwrap_or(1e-6),
        rope_theta,
        mrope_section,
    };
    fields.expect_at_most(&[
        ("vocab_size", text.vocab_size, 1 << 22),
        ("hidden_size", hidden_size, 1 << 17),
        ("intermediate_size", text.intermediate_size, 1 << 20),
        ("num_hidden_layers", text.num_hidden_layers, 1 << 10),
        ("num_attention_heads", num_attention_heads, 1 << 12),
        ("num_key_value_heads", text.num_key_value_heads, 1 << 12),
        ("head_dim", text.head_dim, 1 << 12),
        ("max_position_embeddings", text.max_position_embeddings, 1 << 24),
    ])?;
    expect_activation(fields)?;
    expect_multiple(fields, "hidden_size", hidden_size, num_attention_heads)?;
    expect_multiple(fields, "num_attention_heads", num_attention_heads, text.num_key_value_heads)?;
    if fields.opt("use_sliding_window", "true or false")? == Some(true) {
        return Err(fields.mismatch("use_sliding_window", "false", "true"));
    }
    let sum = mrope_section.into_iter().fold(0, usize::saturating_add);
    if sum.saturating_mul(2) != text.head_dim {
        let expected = format!("three counts that add up to head_dim / 2 = {}", text.head_dim as f64 / 2.0);
        return Err(fields.mismatch("mrope_section", expected, format!("{mrope_section:?}")));
    }
    Ok(text)
}

/// The rotary base and sections, wherever this layout keeps them.
fn rope(fields: &Fields, root: &Fields) -> Result<(f64, [usize; 3])> {
    let (mut theta, mut section) = (None, None);
    for place in [fields, root] {
        for key in ["rope_parameters", "rope_scaling"] {
            let Some(rope) = place.object(key)? else { continue };
            theta = theta.or(rope.opt("rope_theta", "a number")?);
            section = section.or(rope.opt("mrope_section", "three counts")?);
            for kind in ["rope_type", "type"] {
                let found: Option<String> = rope.opt(kind, "\"default\" or \"mrope\"")?;
                if let Some(found) = found.filter(|found| found != "default" && found != "mrope") {
                    return Err(rope.mismatch(kind, "\"default\" or \"mrope\"", format!("\"{found}\"")));
                }
            }
        }
        theta = theta.or(place.opt("rope_theta", "a number")?);
    }
    let place = "rope_scaling.mrope_section or rope_parameters.mrope_section";
    let section = section.ok_or_else(|| fields.mismatch(place, "three counts", "nothing"))?;
    let theta = theta.ok_or_else(|| fields.mismatch("rope_theta", "a number", "nothing"))?;
    Ok((theta, section))
}

fn vision_config(fields: &Fields, text: &TextConfig) -> Result<VisionConfig> {
    let spatial_merge_size = fields.opt_size("spatial_merge_size")?.unwrap_or(2);
    let patch_size = fields.opt_size("patch_size")?.unwrap_or(14);
    let rope_theta = fields.object("rope_parameters")?.map(|rope| rope.opt("rope_theta", "a number")).transpose()?;
    let in_channels = fields.opt_size("in_channels")?.or(fields.opt_size("in_chans")?).unwrap_or(3);
    let vision = VisionConfig {
        depth: fields.size("depth")?,
        hidden_size: fields.size("hidden_size")?,
        intermediate_size: fields.size("intermediate_size")?,
        num_heads: fields.size("num_heads")?,
        in_channels,
        patch_size,
        spatial_merge_size,
        temporal_patch_size: fields.opt_size("temporal_patch_size")?.unwrap_or(2),
        window_size: fields.opt_size("window_size")?.unwrap_or(112),
        fullatt_block_indexes: fields
            .opt("fullatt_block_indexes", "a list of block numbers")?
            .unwrap_or_else(|| vec![7, 15, 23, 31]),
        out_hidden_size: fields.opt_size("out_hidden_size")?.unwrap_or(text.hidden_size),
        tokens_per_second: fields.opt("tokens_per_second", "a number")?.unwrap_or(4.0),
        rms_norm_eps: 1e-6,
        rope_theta: rope_theta.flatten().unwrap_or(10_000.0),
    };
    check_vision(fields, &vision, text)?;
    Ok(vision)
}

fn check_vision(fields: &Fields, vision: &VisionConfig, text: &TextConfig) -> Result<()> {
    fields.expect_at_most(&[
        ("depth", vision.depth, 1 << 10),
        ("hidden_size", vision.hidden_size, 1 << 17),
        ("intermediate_size", vision.intermediate_size, 1 << 20),
        ("num_heads", vision.num_heads, 1 << 12),
        ("patch_size", vision.patch_size, 1 << 10),
        ("window_size", vision.window_size, 1 << 14),
    ])?;
    expect_activation(fields)?;
    expect_multiple(fields, "hidden_size", vision.hidden_size, vision.num_heads * 4)?;
    for (key, found, expected) in [
        ("in_channels", vision.in_channels, 3),
        ("spatial_merge_size", vision.spatial_merge_size, 2),
        ("temporal_patch_size", vision.temporal_patch_size, 2),
        ("out_hidden_size", vision.out_hidden_size, text.hidden_size),
    ] {
        if found != expected {
            return Err(fields.mismatch(key, expected, found));
        }
    }
    let block = vision.patch_size * vision.spatial_merge_size;
    if vision.window_size < block {
        return Err(fields.mismatch("window_size", format!("at least {block}"), vision.window_size));
    }
    let rate = vision.tokens_per_second;
    if !(rate.is_finite() && rate > 0.0) {
        return Err(fields.mismatch("tokens_per_second", "a number over 0", rate));
    }
    Ok(())
}

fn expect_activation(fields: &Fields) -> Result<()> {
    let found: Option<String> = fields.opt("hidden_act", "\"silu\"")?;
    match found {
        Some(found) if found != "silu" => Err(fields.mismatch("hidden_act", "\"silu\"", format!("\"{found}\""))),
        _ => Ok(()),
    }
}

fn expect_multiple(fields: &Fields, key: &str, found: usize, of: usize) -> Result<()> {
    if found.is_multiple_of(of) { Ok(()) } else { Err(fields.mismatch(key, format!("a multiple of {of}"), found)) }
}

fn token_ids(root: &Fields, text: &Fields) -> Result<TokenIds> {
    let mut eos = root.ids("eos_token_id")?;
    eos.extend(text.ids("eos_token_id")?);
    eos.sort_unstable();
    eos.dedup();
    Ok(TokenIds {
        image: root.id("image_token_id")?,
        video: root.id("video_token_id")?,
        vision_start: root.id("vision_start_token_id")?,
        vision_end: root.opt("vision_end_token_id", "a token id")?,
        eos,
        pad: root.opt("pad_token_id", "a token id")?.or(text.opt("pad_token_id", "a token id")?),
    })
}
