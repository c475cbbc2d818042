//! The inputs and outputs that the three graphs must have, by export profile.

use crate::engine::{Dimensions, Profile};
use crate::error::Result;
use crate::graph::Graph;
use crate::signature::{self, F32, FLOAT, I64, Port};

/// Checks the graphs against the configuration.
pub(crate) fn check(dims: &Dimensions, profile: &Profile, [vision, embedding, model]: [&Graph; 3]) -> Result<()> {
    let hidden = Some(dims.hidden);
    let pixels = Port::new("pixel_values", F32, &[None, Some(dims.patch_values)]);
    let features = || Port::new("image_features", FLOAT, &[None, hidden]);
    let about_patches = match profile {
        Profile::Growing => vec![Port::new("image_grid_thw", I64, &[None, Some(3)])],
        Profile::Fixed(_) => {
            let angles = ["cos", "sin"].map(|name| Port::new(name, F32, &[None, None]));
            angles.into_iter().chain(["window_ids", "pair_ids"].map(|name| Port::new(name, I64, &[None]))).collect()
        }
    };
    let inputs: Vec<Port> = std::iter::once(pixels).chain(about_patches).collect();
    signature::check(vision, &inputs, &[features()])?;

    let ids = Port::new("input_ids", I64, &[None, None]);
    let embeds = || Port::new("inputs_embeds", FLOAT, &[None, None, hidden]);
    signature::check(embedding, &[ids, features()], &[embeds()])?;

    let about_tokens = match profile {
        Profile::Growing => {
            vec![
                Port::new("attention_mask", I64, &[None, None]),
                Port::new("position_ids", I64, &[Some(3), None, None]),
            ]
        }
        Profile::Fixed(_) => {
            let angles = ["cos", "sin"].map(|name| Port::new(name, F32, &[None, Some(dims.head_dim / 2)]));
            angles.into_iter().chain([Port::new("past_length", I64, &[Some(1)])]).collect()
        }
    };
    let caches = |prefix, tokens| {
        let shape = [None, Some(dims.kv_heads), tokens, Some(dims.head_dim)];
        layer_names(prefix, dims.layers).into_iter().map(move |name| Port::new(name, FLOAT, &shape))
    };
    let past = caches("past_key_values", profile.fixed_capacity());
    let inputs: Vec<Port> = std::iter::once(embeds()).chain(about_tokens).chain(past).collect();
    let logits = Port::new("logits", FLOAT, &[None, None, Some(dims.vocab)]);
    let outputs: Vec<Port> = std::iter::once(logits).chain(caches("present", None)).collect();
    signature::check(model, &inputs, &outputs)
}

/// `prefix.0.key`, `prefix.0.value`, `prefix.1.key`, …
pub(crate) fn layer_names(prefix: &str, layers: usize) -> Vec<String> {
    (0..layers).flat_map(|layer| ["key", "value"].map(|part| format!("{prefix}.{layer}.{part}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_names_are_key_then_value() {
        assert_eq!(layer_names("present", 2), ["present.0.key", "present.0.value", "present.1.key", "present.1.value"]);
    }
}
