//! The network reproduces transformers on every case of `tests/golden` (see its README).

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use policy::model::GreedyPrompt;
use policy::vision::VisionTrace;
use policy::{Qwen25Vl, checkpoint};
use processor::config::ModelConfig;

const CASES: [&str; 6] = ["image", "text", "video8", "video5odd", "video_sampled", "mixed"];

struct Golden {
    model: Qwen25Vl,
    oracle: HashMap<String, Tensor>,
}

impl Golden {
    fn load() -> Result<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/qwen2_5_vl_tiny");
        let model_dir = root.join("tiny-qwen2_5_vl");
        let config = ModelConfig::from_dir(&model_dir).map_err(candle_core::Error::wrap)?;
        let tensors = checkpoint::load_tensors(&model_dir, DType::F32, &Device::Cpu)?;
        let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
        let oracle = candle_core::safetensors::load(root.join("oracle.safetensors"), &Device::Cpu)?;
        Ok(Self { model: Qwen25Vl::new(&config, vb)?, oracle })
    }

    fn get(&self, case: &str, name: &str) -> Option<&Tensor> {
        self.oracle.get(&format!("{case}.{name}"))
    }

    fn expect(&self, case: &str, name: &str) -> &Tensor {
        self.get(case, name).unwrap_or_else(|| panic!("no {case}.{name}"))
    }

    fn ids(&self, case: &str) -> Result<Vec<u32>> {
        self.expect(case, "input_ids").to_dtype(DType::U32)?.flatten_all()?.to_vec1()
    }

    /// The merged embeddings of the image, then the video; every intermediate is compared on the way.
    fn image_embeds(&self, case: &str) -> Result<Option<Tensor>> {
        let mut embeds = Vec::new();
        for (kind, pixels) in [("image", "pixel_values"), ("video", "pixel_values_videos")] {
            let Some(pixels) = self.get(case, pixels) else { continue };
            let grids = self.expect(case, &format!("{kind}_grid_thw")).to_vec2::<i64>()?;
            let grids: Vec<[usize; 3]> = grids.iter().map(|g| [g[0] as usize, g[1] as usize, g[2] as usize]).collect();
            let mut trace = VisionTrace::default();
            let out = self.model.vision_tower().forward_traced(pixels, &grids, Some(&mut trace))?;
            if let (Some(found), Some(expected)) = (&trace.patch_embed, self.get(case, &format!("{kind}_patch_embed")))
            {
                close(found, expected, &format!("{case} {kind} patch_embed"))?;
            }
            for (i, found) in trace.blocks.iter().enumerate() {
                close(
                    found,
                    self.expect(case, &format!("{kind}_block{i}_windowed_order")),
                    &format!("{case} block{i}"),
                )?;
            }
            close(&out.image_embeds, self.expect(case, &format!("{kind}_embeds")), &format!("{case} {kind}_embeds"))?;
            embeds.push(out.image_embeds);
        }
        if embeds.is_empty() { Ok(None) } else { Tensor::cat(&embeds, 0).map(Some) }
    }
}

/// Largest difference within 1e-4 of the largest expected value.
fn close(found: &Tensor, expected: &Tensor, what: &str) -> Result<()> {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let difference = (found - expected)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    let scale = expected.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    println!("{what}: {difference:.2e} of {scale:.2}");
    assert!(difference <= 1e-4 * scale, "{what}: differs by {difference} of {scale}");
    Ok(())
}

#[test]
fn every_case_gives_the_hidden_states_and_logits_of_transformers() -> Result<()> {
    let golden = Golden::load()?;
    for case in CASES {
        let (ids, image_embeds) = (golden.ids(case)?, golden.image_embeds(case)?);
        let embeds = golden.model.embed(std::slice::from_ref(&ids), image_embeds.as_ref())?;
        let position_ids = golden.expect(case, "position_ids_legacy").reshape((3, 1, ids.len()))?;
        let mut trace = Vec::new();
        let hidden = golden.model.decoder().forward_traced(&embeds, &position_ids, None, Some(&mut trace))?;
        let last8 = |x: &Tensor| x.squeeze(0)?.narrow(0, ids.len() - 8, 8);
        for (layer, found) in trace.iter().enumerate() {
            let name = format!("hidden_legacy_{layer}_last8");
            close(&last8(found)?, golden.expect(case, &name), &format!("{case} {name}"))?;
        }
        let logits = golden.model.logits(&last8(&hidden)?)?;
        close(&logits, golden.expect(case, "logits_legacy_last8"), &format!("{case} logits"))?;
    }
    Ok(())
}

#[test]
fn every_case_continues_with_the_same_24_tokens() -> Result<()> {
    let golden = Golden::load()?;
    for case in CASES {
        let (ids, image_embeds) = (golden.ids(case)?, golden.image_embeds(case)?);
        let axes = golden.expect(case, "position_ids_legacy").to_vec2::<i64>()?;
        let position_ids = [axes[0].clone(), axes[1].clone(), axes[2].clone()];
        let image_embeds = image_embeds.as_ref();
        let tokens =
            golden.model.greedy(&GreedyPrompt { ids: &ids, position_ids, image_embeds, count: 24, stop: false })?;
        let expected = golden.expect(case, "greedy_legacy").to_dtype(DType::U32)?.to_vec1::<u32>()?;
        assert_eq!(tokens, expected, "{case}");
    }
    Ok(())
}

#[test]
fn an_additive_causal_mask_equals_the_default() -> Result<()> {
    let golden = Golden::load()?;
    let (ids, image_embeds) = (golden.ids("image")?, golden.image_embeds("image")?);
    let len = ids.len();
    let embeds = golden.model.embed(&[ids], image_embeds.as_ref())?;
    let position_ids = golden.expect("image", "position_ids_legacy").reshape((3, 1, len))?;
    let mask = (0..len * len).map(|i| if i % len > i / len { f32::NEG_INFINITY } else { 0.0 }).collect::<Vec<_>>();
    let mask = Tensor::from_vec(mask, (1, 1, len, len), &Device::Cpu)?;
    let masked = golden.model.decode(&embeds, &position_ids, Some(&mask))?;
    close(&masked, &golden.model.decode(&embeds, &position_ids, None)?, "masked")
}

#[test]
fn clips_in_one_call_equal_clips_alone() -> Result<()> {
    let golden = Golden::load()?;
    let (a, b) = (golden.expect("image", "pixel_values"), golden.expect("mixed", "pixel_values_videos"));
    let grid = |case: &str, kind: &str| -> Result<[usize; 3]> {
        let g = golden.expect(case, &format!("{kind}_grid_thw")).to_vec2::<i64>()?;
        Ok([g[0][0] as usize, g[0][1] as usize, g[0][2] as usize])
    };
    let grids = [grid("image", "image")?, grid("mixed", "video")?];
    let both = golden.model.vision(&Tensor::cat(&[a, b], 0)?, &grids)?;
    let alone = [golden.model.vision(a, &grids[..1])?, golden.model.vision(b, &grids[1..])?];
    let join = |f: fn(&policy::VisionOutput) -> &Tensor| Tensor::cat(&[f(&alone[0]), f(&alone[1])], 0);
    close(&both.image_embeds, &join(|o| &o.image_embeds)?, "image_embeds")?;
    close(&both.patches, &join(|o| &o.patches)?, "patches")
}
