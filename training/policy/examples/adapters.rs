//! What `tests/python/test_adapters.py` compares with PEFT: `adapters CHECKPOINT OUT` writes an adapter to `OUT/ours`, and to
//! `OUT/reference.safetensors` a prompt with a picture and the logits of all its tokens: without an adapter (`base`), with
//! that one (`ours`) and with the one that PEFT has written to `OUT/peft` (`peft`).

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Error, Result, Tensor};
use candle_nn::VarBuilder;
use policy::{Adapter, LoraSettings, Qwen25Vl, checkpoint};
use processor::{Content, Message, ModelInputs, Processor, RgbView};

const CPU: Device = Device::Cpu;
/// Width and height of the picture in pixels.
const PICTURE: [usize; 2] = [140, 112];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [checkpoint, out] = arguments.as_slice() else { candle_core::bail!("usage: adapters CHECKPOINT OUT") };
    let (checkpoint, out) = (Path::new(checkpoint), Path::new(out));
    let processor = Processor::from_dir(checkpoint).map_err(Error::wrap)?;
    let config = processor.config();
    let inputs = inputs(&processor).map_err(Error::wrap)?;

    let targets = ["q_proj", "v_proj", "down_proj", "attn.qkv"].map(str::to_owned).to_vec();
    let ours = Adapter::fresh(config, LoraSettings { rank: 4, alpha: 8.0, targets }, 1, &CPU)?;
    for (i, (_, var)) in ours.named_vars().iter().filter(|(name, _)| name.contains("lora_B")).enumerate() {
        let wave = (0..var.elem_count()).map(|j| 0.05 * ((i + j) as f32).sin()).collect();
        var.set(&Tensor::from_vec(wave, var.dims(), &CPU)?)?;
    }
    ours.write(&out.join("ours"), &checkpoint.to_string_lossy())?;
    let peft = Adapter::read(&out.join("peft"), config, &CPU)?;

    let weights = checkpoint::load_tensors(checkpoint, DType::F32, &CPU)?;
    let logits = |adapter: Option<&Adapter>| {
        let builder = VarBuilder::from_tensors(weights.clone(), DType::F32, &CPU);
        logits(&Qwen25Vl::with_adapter(config, builder, adapter)?, &inputs)
    };
    let ids: Vec<i64> = inputs.input_ids.iter().map(|&id| i64::from(id)).collect();
    let (pixels, grid) = pixels(&inputs)?;
    let grid: Vec<i64> = grid.iter().map(|&size| size as i64).collect();
    let reference = HashMap::from([
        ("input_ids", Tensor::new(ids, &CPU)?),
        ("position_ids", position_ids(&inputs)?),
        ("pixel_values", pixels),
        ("image_grid_thw", Tensor::new(grid, &CPU)?),
        ("base", logits(None)?),
        ("ours", logits(Some(&ours))?),
        ("peft", logits(Some(&peft))?),
    ]);
    candle_core::safetensors::save(&reference, out.join("reference.safetensors"))
}

/// A question about a gradient.
fn inputs(processor: &Processor) -> processor::Result<ModelInputs> {
    let [width, height] = PICTURE;
    let pixel = |i: usize| [(i % width + 60) as u8, (i / width + 80) as u8, 120];
    let picture: Vec<u8> = (0..width * height).flat_map(pixel).collect();
    let image = processor.image(&RgbView::new(width, height, &picture)?)?;
    let content = vec![Content::Image, Content::Text("how far is the chair?".into())];
    processor.prepare(&[Message::new("user", content)], vec![image], Vec::new())
}

/// The picture, [patches, patch_dim], and its grid.
fn pixels(inputs: &ModelInputs) -> Result<(Tensor, [usize; 3])> {
    let [image] = inputs.images.as_slice() else { candle_core::bail!("expected one image") };
    let patches = image.grid_thw.iter().product::<usize>();
    Ok((Tensor::from_slice(&image.pixel_values, (patches, ()), &CPU)?, image.grid_thw))
}

/// [3, 1, tokens].
fn position_ids(inputs: &ModelInputs) -> Result<Tensor> {
    Tensor::from_vec(inputs.position_ids.concat(), (3, 1, inputs.input_ids.len()), &CPU)
}

/// Of all tokens, [tokens, vocabulary].
fn logits(model: &Qwen25Vl, inputs: &ModelInputs) -> Result<Tensor> {
    let (pixels, grid) = pixels(inputs)?;
    let seen = model.vision(&pixels, &[grid])?.image_embeds;
    let embeds = model.embed(std::slice::from_ref(&inputs.input_ids), Some(&seen))?;
    model.logits(&model.decode(&embeds, &position_ids(inputs)?, None)?.squeeze(0)?)
}
