//! What a checkpoint computes, as plain numbers: the reference for exported graphs.

use std::path::Path;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use processor::ModelInputs;
use processor::config::ModelConfig;

use crate::{Qwen25Vl, checkpoint};

/// For each prompt the logits behind its last token, `[vocab]` each, in f32 on the CPU. Needs four bytes a weight.
///
/// # Errors
/// When the checkpoint in `dir` is not whole, or a prompt does not fit it.
pub fn last_logits(dir: &Path, prompts: &[ModelInputs]) -> Result<Vec<Vec<f32>>> {
    let config = ModelConfig::from_dir(dir).map_err(candle_core::Error::wrap)?;
    let tensors = checkpoint::load_tensors(dir, DType::F32, &Device::Cpu)?;
    let model = Qwen25Vl::new(&config, VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu))?;
    prompts.iter().map(|inputs| last(&model, inputs)).collect()
}

fn last(model: &Qwen25Vl, inputs: &ModelInputs) -> Result<Vec<f32>> {
    let mut embeds = Vec::new();
    for vision in inputs.images.iter().chain(&inputs.videos) {
        let patches = vision.grid_thw.iter().product::<usize>();
        let pixels = Tensor::from_slice(&vision.pixel_values, (patches, ()), model.device())?;
        embeds.push(model.vision(&pixels, &[vision.grid_thw])?.image_embeds);
    }
    let embeds = if embeds.is_empty() { None } else { Some(Tensor::cat(&embeds, 0)?) };
    let len = inputs.input_ids.len();
    let position_ids = Tensor::from_vec(inputs.position_ids.concat(), (3, 1, len), model.device())?;
    let hidden =
        model.decode(&model.embed(std::slice::from_ref(&inputs.input_ids), embeds.as_ref())?, &position_ids, None)?;
    model.logits(&hidden.narrow(1, len - 1, 1)?.flatten_to(1)?)?.squeeze(0)?.to_vec1()
}
