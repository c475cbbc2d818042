//! Running graphs of the `trt` export profile, which is made of standard operators and shapes that never change.
//!
//! The decoder takes a cache of a fixed number of slots and gives the new tokens' keys and values, which are written
//! behind the others here. What the `ort` profile computes inside its graphs, rotary angles and who attends whom in the
//! vision tower, is given from here. One sequence at a time.

use std::borrow::Cow;

use ort::value::{DynValue, ValueType};
use processor::rotary;
use processor::window::{cu_seqlens, window_index};
use processor::{ModelConfig, TextConfig, VisionConfig};

use crate::decoder::Feed;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::graph::{Graph, Inputs};
use crate::kv_cache::KvCache;
use crate::tensor;

/// What the graphs of a `trt` export take for granted.
#[derive(Debug)]
pub(crate) struct FixedShapes {
    /// Slots of the KV cache.
    pub(crate) capacity: usize,
    text: TextConfig,
    vision: VisionConfig,
}

impl FixedShapes {
    /// Those of `model`, if it is of the `trt` profile.
    pub(crate) fn of(model: &Graph, config: &ModelConfig) -> Option<Self> {
        model.inputs.iter().find(|slot| slot.name == "past_length")?;
        let cache = model.inputs.iter().find(|slot| slot.name == "past_key_values.0.key")?;
        let ValueType::Tensor { shape, .. } = &cache.dtype else { return None };
        let capacity = usize::try_from(*shape.get(2)?).ok()?;
        Some(Self { capacity, text: config.text.clone(), vision: config.vision.clone() })
    }
}

impl Engine {
    /// Reads `feed` behind the first `feed.past` tokens of `cache`; logits \[1, length, vocab\].
    pub(crate) fn run_fixed(&self, fixed: &FixedShapes, cache: &KvCache, feed: Feed) -> Result<DynValue> {
        let Feed { embeds, positions, past, batch, length, .. } = feed;
        let failed = |error| self.model.failed(error);
        if batch != 1 {
            return Err(Error::Setting {
                name: "batch",
                expected: "1 on graphs of the trt profile",
                found: batch.to_string(),
            });
        }
        let angles = rotary::text_angles(&positions, &fixed.text);
        let [cos, sin] = cos_and_sin(&angles, length, fixed.text.head_dim / 2).map_err(failed)?;
        let past_length = tensor::from_i64(vec![1], vec![past as i64]).map_err(failed)?;
        let mut contents = cache.contents();
        let mut inputs: Inputs<'_> = vec![
            ("inputs_embeds".into(), embeds.into()),
            ("cos".into(), cos.into()),
            ("sin".into(), sin.into()),
            ("past_length".into(), past_length.into()),
        ];
        let caches = self.past_names.iter().zip(&contents.tensors);
        inputs.extend(caches.map(|(name, value)| (Cow::from(name.as_str()), value.into())));
        let mut outputs: Vec<Option<DynValue>> = self.model.run(inputs)?.into_iter().map(Some).collect();
        for (&index, value) in self.present.iter().zip(&mut contents.tensors) {
            let new = outputs.get(index).and_then(Option::as_ref).ok_or_else(|| self.model.missing_output(index))?;
            tensor::append_tokens(value, past, new).map_err(failed)?;
        }
        let logits = outputs.get_mut(self.logits).and_then(Option::take);
        logits.ok_or_else(|| self.model.missing_output(self.logits))
    }
}

impl FixedShapes {
    /// What the vision tower takes beside the patches of a frame pair, `[n]` of them: `cos` and `sin` of their angles,
    /// the number of their window and of their frame pair.
    pub(crate) fn vision_inputs(&self, grid: [usize; 3], graph: &Graph) -> Result<Inputs<'static>> {
        let failed = |error| graph.failed(error);
        let patches = grid.iter().product();
        let angles = rotary::vision_angles(grid, &self.vision)?;
        let [cos, sin] = cos_and_sin(&angles, patches, self.vision.head_dim() / 2).map_err(failed)?;
        let window_ids = tensor::from_i64(vec![patches], self.window_ids(grid)?).map_err(failed)?;
        let pair_ids = tensor::from_i64(vec![patches], numbered(&cu_seqlens(&[grid]))).map_err(failed)?;
        Ok(vec![
            ("cos".into(), cos.into()),
            ("sin".into(), sin.into()),
            ("window_ids".into(), window_ids.into()),
            ("pair_ids".into(), pair_ids.into()),
        ])
    }

    /// Number of the attention window of each patch.
    fn window_ids(&self, grid: [usize; 3]) -> Result<Vec<i64>> {
        let windows = window_index(&[grid], &self.vision)?;
        let area = self.vision.spatial_merge_size.pow(2);
        let in_window_order = numbered(&windows.cu_window_seqlens);
        let mut ids = vec![0; in_window_order.len()];
        for (place, &block) in windows.index.iter().enumerate() {
            let (from, to) = (place * area, block as usize * area);
            ids[to..to + area].copy_from_slice(&in_window_order[from..from + area]);
        }
        Ok(ids)
    }
}

/// Of bounds 0, a, b, …: 0 a times, 1 b − a times, ….
fn numbered(bounds: &[u32]) -> Vec<i64> {
    let stretches = bounds.windows(2).enumerate();
    stretches.flat_map(|(number, ends)| std::iter::repeat_n(number as i64, (ends[1] - ends[0]) as usize)).collect()
}

/// Cosine and sine of `angles` \[rows, columns\].
fn cos_and_sin(angles: &[f32], rows: usize, columns: usize) -> ort::Result<[DynValue; 2]> {
    let of = |function: fn(f32) -> f32| {
        let values: Vec<f32> = angles.iter().map(|&angle| function(angle)).collect();
        tensor::from_f32(ort::value::TensorElementType::Float32, vec![rows, columns], &values)
    };
    Ok([of(f32::cos)?, of(f32::sin)?])
}
