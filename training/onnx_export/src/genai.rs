//! The JSON files that onnxruntime-genai reads beside the graphs: `genai_config.json` and `processor_config.json`
//! (the latter in onnxruntime-extensions' form, not transformers').

use std::path::Path;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use processor::config::ModelConfig;

/// Name of the engine's configuration; it also marks a finished export.
pub(crate) const FILE: &str = "genai_config.json";
/// Pixel bounds of images when the checkpoint states none (Qwen2.5-VL's own).
const DEFAULT_PIXELS: [u64; 2] = [56 * 56, 28 * 28 * 16_384];
/// CLIP's colour statistics, when the checkpoint states none.
const DEFAULT_MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
/// See [`DEFAULT_MEAN`].
const DEFAULT_STD: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];
/// Files that onnxruntime-genai looks for beside its configuration.
const TOKENIZER_FILES: [&str; 3] = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];

/// Writes both files to `dir` and copies the tokenizer's.
pub(crate) fn write_runtime_files(checkpoint_dir: &Path, config: &ModelConfig, dir: &Path) -> Result<()> {
    copy_tokenizer(checkpoint_dir, dir)?;
    write_tokenizer_config(dir)?;
    write_json(&dir.join("processor_config.json"), &processor_config(checkpoint_dir, config)?)?;
    write_json(&dir.join(FILE), &genai_config(checkpoint_dir, config)?)
}

/// Copies the tokenizer's files from the checkpoint to `dir` where they exist.
pub(crate) fn copy_tokenizer(checkpoint_dir: &Path, dir: &Path) -> Result<()> {
    for name in TOKENIZER_FILES {
        let source = checkpoint_dir.join(name);
        if source.is_file() {
            let bytes = std::fs::read(&source).map_err(Error::io(&source))?;
            write(&dir.join(name), &bytes)?;
        }
    }
    Ok(())
}

/// onnxruntime-genai doesn't open a tokenizer without `tokenizer_config.json`; where the checkpoint has none, the class
/// of a bare `tokenizer.json` says enough.
fn write_tokenizer_config(dir: &Path) -> Result<()> {
    let path = dir.join("tokenizer_config.json");
    if path.is_file() || !dir.join("tokenizer.json").is_file() {
        return Ok(());
    }
    write_json(&path, &json!({ "tokenizer_class": "TokenizersBackend" }))
}

fn genai_config(checkpoint_dir: &Path, config: &ModelConfig) -> Result<Value> {
    let (text, vision, tokens) = (&config.text, &config.vision, &config.tokens);
    let generation = read_json(&checkpoint_dir.join("generation_config.json"))?;
    let raw = read_json(&checkpoint_dir.join("config.json"))?;
    let special = |key: &str| {
        [&generation[key], &raw[key], &raw["text_config"][key]]
            .into_iter()
            .find(|value| !value.is_null())
            .cloned()
            .unwrap_or(Value::Null)
    };
    let eos = special("eos_token_id");
    let pad = special("pad_token_id");
    let first_eos = eos.get(0).unwrap_or(&eos).clone();
    let ports =
        |names: &[&str]| names.iter().map(|&name| (name.to_owned(), json!(name))).collect::<serde_json::Map<_, _>>();
    let session = json!({ "log_id": "onnxruntime-genai", "provider_options": [] });
    Ok(json!({
        "model": {
            "type": "qwen2_5_vl",
            "bos_token_id": special("bos_token_id"), "eos_token_id": eos,
            "pad_token_id": if pad.is_null() { first_eos } else { pad },
            "image_token_id": tokens.image, "video_token_id": tokens.video,
            "vision_start_token_id": tokens.vision_start,
            "context_length": text.max_position_embeddings, "vocab_size": text.vocab_size,
            "decoder": {
                "session_options": session, "filename": "model.onnx",
                "head_size": text.head_dim, "hidden_size": text.hidden_size, "num_hidden_layers": text.num_hidden_layers,
                "num_attention_heads": text.num_attention_heads, "num_key_value_heads": text.num_key_value_heads,
                "inputs": {
                    "inputs_embeds": "inputs_embeds", "attention_mask": "attention_mask", "position_ids": "position_ids",
                    "past_key_names": "past_key_values.%d.key", "past_value_names": "past_key_values.%d.value",
                },
                "outputs": {
                    "logits": "logits",
                    "present_key_names": "present.%d.key", "present_value_names": "present.%d.value",
                },
            },
            "embedding": {
                "filename": "embedding.onnx",
                "inputs": ports(&["input_ids", "image_features"]), "outputs": ports(&["inputs_embeds"]),
            },
            "vision": {
                "filename": "vision.onnx", "config_filename": "processor_config.json",
                "spatial_merge_size": vision.spatial_merge_size, "patch_size": vision.patch_size, "window_size": vision.window_size,
                "tokens_per_second": vision.tokens_per_second,
                "inputs": ports(&["pixel_values", "image_grid_thw"]), "outputs": ports(&["image_features"]),
            },
        },
        "search": {
            "do_sample": false, "max_length": text.max_position_embeddings, "min_length": 0, "num_beams": 1,
            "num_return_sequences": 1, "past_present_share_buffer": false, "repetition_penalty": 1.0,
            "temperature": 1.0, "top_k": 1, "top_p": 1.0,
        },
    }))
}

fn processor_config(checkpoint_dir: &Path, config: &ModelConfig) -> Result<Value> {
    let vision = &config.vision;
    let hub = read_json(&checkpoint_dir.join("preprocessor_config.json"))?;
    let nested = read_json(&checkpoint_dir.join("processor_config.json"))?["image_processor"].take();
    let image = if hub.is_null() { nested } else { hub };
    let pixels = |flat: &str, edge: &str, default: u64| {
        image[flat].as_u64().or_else(|| image["size"][edge].as_u64()).unwrap_or(default)
    };
    let or = |key: &str, default: Value| if image[key].is_null() { default } else { image[key].clone() };
    let operation =
        |name: &str, kind: &str, attrs: Value| json!({ "operation": { "name": name, "type": kind, "attrs": attrs } });
    let factor = vision.patch_size * vision.spatial_merge_size;
    Ok(json!({
        "processor": {
            "name": "qwen2_5_image_processor",
            "transforms": [
                operation("decode_image", "DecodeImage", json!({ "color_space": "RGB" })),
                { "operation": { "name": "convert_to_rgb", "type": "ConvertRGB" } },
                operation("resize", "Resize", json!({
                    // Nominal sizes: smart_resize derives the real ones from each image.
                    "width": 16 * factor, "height": 16 * factor, "smart_resize": 1,
                    "min_pixels": pixels("min_pixels", "shortest_edge", DEFAULT_PIXELS[0]),
                    "max_pixels": pixels("max_pixels", "longest_edge", DEFAULT_PIXELS[1]),
                    "patch_size": vision.patch_size, "merge_size": vision.spatial_merge_size,
                })),
                operation("rescale", "Rescale", json!({ "rescale_factor": or("rescale_factor", json!(1.0 / 255.0)) })),
                operation("normalize", "Normalize", json!({
                    "mean": or("image_mean", json!(DEFAULT_MEAN)), "std": or("image_std", json!(DEFAULT_STD)),
                    "qwen2_5_vl": 1,
                })),
                operation("patch_image", "PatchImage", json!({
                    "patch_size": vision.patch_size, "temporal_patch_size": vision.temporal_patch_size, "merge_size": vision.spatial_merge_size,
                })),
            ],
        },
    }))
}

/// The file's JSON, or null if there is no such file.
fn read_json(path: &Path) -> Result<Value> {
    if !path.is_file() {
        return Ok(Value::Null);
    }
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    serde_json::from_str(&text).map_err(Error::json(path))
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    write(path, format!("{value:#}\n").as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(Error::io(path))
}
