//! What a checkpoint computes, as plain numbers: the reference for exported graphs.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Result, Tensor, bail};
use candle_nn::VarBuilder;
use processor::ModelInputs;
use processor::config::ModelConfig;

use crate::{Qwen25Vl, checkpoint};

/// What a LoRA adapter adds to the weight `name` [out, in]: `b` · `a`.
#[derive(Clone, Copy, Debug)]
pub struct LowRank<'a> {
    /// Hub name of the weight.
    pub name: &'a str,
    /// Out and in.
    pub shape: [usize; 2],
    /// [r, in], row-major.
    pub a: &'a [f32],
    /// [out, r], row-major, scaled.
    pub b: &'a [f32],
}

/// For each prompt the logits behind its last token, `[vocab]` each, in f32 on the CPU, of the checkpoint in `dir` with
/// `adapter` merged into it. Needs four bytes a weight.
///
/// # Errors
/// When the checkpoint is not whole, the adapter is another checkpoint's, or a prompt does not fit.
pub fn last_logits(dir: &Path, adapter: &[LowRank], prompts: &[ModelInputs]) -> Result<Vec<Vec<f32>>> {
    let config = ModelConfig::from_dir(dir).map_err(candle_core::Error::wrap)?;
    let mut tensors = checkpoint::load_tensors(dir, DType::F32, &Device::Cpu)?;
    adapter.iter().try_for_each(|low_rank| merge(&mut tensors, low_rank))?;
    let model = Qwen25Vl::new(&config, VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu))?;
    prompts.iter().map(|inputs| last(&model, inputs)).collect()
}

fn merge(tensors: &mut HashMap<String, Tensor>, low_rank: &LowRank) -> Result<()> {
    let LowRank { name, shape: [out, input], a, b } = *low_rank;
    let Some(weight) = tensors.get_mut(name) else { bail!("adapter: expected the weight {name}, found none") };
    let a = Tensor::from_slice(a, ((), input), weight.device())?;
    let b = Tensor::from_slice(b, (out, ()), weight.device())?;
    *weight = (&*weight + b.matmul(&a)?)?;
    Ok(())
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
