//! `trt_profile.json`, written beside the graphs of the `trt` profile: the shapes TensorRT builds its engines for.
//!
//! Two optimisation profiles for the decoder, `decode` (1 token) and `prefill` (1, 512, 2048 tokens, or as many as the cache
//! holds), one for the vision tower (4, 576, 4096 patches where four are merged). The cache has one length in all of them.
//! `provider_options` has them as ONNX Runtime's TensorRT provider reads them (`trt_profile_{min,opt,max}_shapes`, an input
//! named once for each profile). A shape outside is an error of the caller's, not a reason to build anew.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use processor::config::ModelConfig;

/// Name of the file; it also marks a finished export.
pub(crate) const FILE: &str = "trt_profile.json";
/// Longest static KV cache unless asked otherwise, tokens.
const DEFAULT_CAPACITY: usize = 8192;
/// Tokens of a prefill chunk: what kernels are chosen for, and the most.
const PREFILL: [usize; 2] = [512, 2048];
/// Patches of a vision call: one frame pair of 448×252, and the most (896×896).
const PATCHES: [usize; 2] = [576, 4096];

/// Slots of the static KV cache: `asked`, or by default the context length, at most [`DEFAULT_CAPACITY`].
///
/// # Errors
/// `KvCapacity` outside 1..=context length.
pub(crate) fn capacity(config: &ModelConfig, asked: Option<usize>) -> Result<usize> {
    let most = config.text.max_position_embeddings;
    match asked {
        None => Ok(most.min(DEFAULT_CAPACITY)),
        Some(found) if (1..=most).contains(&found) => Ok(found),
        Some(found) => Err(Error::KvCapacity { expected: most, found }),
    }
}

/// Input shapes of one optimisation profile: smallest, best, largest.
struct Shapes {
    name: &'static str,
    inputs: Vec<(String, [Vec<usize>; 3])>,
}

/// Writes `dir/trt_profile.json`.
pub(crate) fn write(config: &ModelConfig, dir: &Path, capacity: usize) -> Result<()> {
    let most = PREFILL[1].min(capacity);
    let decoder = [
        decoder_shapes(config, capacity, ("decode", [1, 1, 1])),
        decoder_shapes(config, capacity, ("prefill", [1, PREFILL[0].min(most), most])),
    ];
    let profile = json!({
        "profile": "trt",
        "opset": 21,
        "kv_capacity": capacity,
        "graphs": {
            "model.onnx": graph(&decoder),
            "vision.onnx": graph(&[vision_shapes(config)]),
            "embedding.onnx": { "provider": "CPUExecutionProvider" },
        },
    });
    let path = dir.join(FILE);
    std::fs::write(&path, format!("{profile:#}\n")).map_err(Error::io(&path))
}

fn decoder_shapes(config: &ModelConfig, capacity: usize, (name, steps): (&'static str, [usize; 3])) -> Shapes {
    let text = &config.text;
    let fixed = |dims: &[usize]| [dims.to_vec(), dims.to_vec(), dims.to_vec()];
    let mut inputs = vec![
        ("inputs_embeds".to_owned(), steps.map(|step| vec![1, step, text.hidden_size])),
        ("cos".to_owned(), steps.map(|step| vec![step, text.head_dim / 2])),
        ("sin".to_owned(), steps.map(|step| vec![step, text.head_dim / 2])),
        ("past_length".to_owned(), fixed(&[1])),
    ];
    for index in 0..text.num_hidden_layers {
        for part in ["key", "value"] {
            let cache = [1, text.num_key_value_heads, capacity, text.head_dim];
            inputs.push((format!("past_key_values.{index}.{part}"), fixed(&cache)));
        }
    }
    Shapes { name, inputs }
}

fn vision_shapes(config: &ModelConfig) -> Shapes {
    let vision = &config.vision;
    let counts = [vision.spatial_merge_size * vision.spatial_merge_size, PATCHES[0], PATCHES[1]];
    let half = vision.head_dim() / 2;
    let inputs = vec![
        ("pixel_values".to_owned(), counts.map(|n| vec![n, vision.patch_dim()])),
        ("cos".to_owned(), counts.map(|n| vec![n, half])),
        ("sin".to_owned(), counts.map(|n| vec![n, half])),
        ("window_ids".to_owned(), counts.map(|n| vec![n])),
        ("pair_ids".to_owned(), counts.map(|n| vec![n])),
    ];
    Shapes { name: "frame_pair", inputs }
}

fn graph(profiles: &[Shapes]) -> Value {
    let shapes: Vec<Value> = profiles
        .iter()
        .map(|profile| {
            let inputs: Map<String, Value> = profile
                .inputs
                .iter()
                .map(|(name, [min, opt, max])| (name.clone(), json!({ "min": min, "opt": opt, "max": max })))
                .collect();
            json!({ "name": profile.name, "inputs": inputs })
        })
        .collect();
    let option = |which: usize| {
        let all = profiles.iter().flat_map(|profile| &profile.inputs);
        all.map(|(name, shapes)| format!("{name}:{}", joined(&shapes[which]))).collect::<Vec<_>>().join(",")
    };
    json!({
        "optimization_profiles": shapes,
        "provider_options": {
            "trt_profile_min_shapes": option(0),
            "trt_profile_opt_shapes": option(1),
            "trt_profile_max_shapes": option(2),
        },
    })
}

fn joined(dims: &[usize]) -> String {
    dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}
