//! Running the decoder of the `ort` export profile: `attention_mask` and `position_ids` in, keys and values appended
//! in place.
//!
//! GroupQueryAttention writes its present where its past lies when both are one tensor, so each tensor of the cache is
//! bound as the input and as the output. A tensor longer than the past is fine: the mask tells what counts.
//!
//! On CUDA the cache lives on the device, else ONNX Runtime would carry it there and back in every run.

use ort::session::IoBinding;

use crate::decoder::Feed;
use crate::engine::{Engine, LOGITS_TO_KEEP};
use crate::error::Result;
use crate::kv_cache::{Contents, KvCache};
use crate::tensor;

impl Engine {
    /// Reads `feed` behind the first `feed.past` tokens of `cache`; logits \[batch, length, vocab\].
    pub(crate) fn run_growing(&self, cache: &KvCache, feed: Feed) -> Result<ort::value::DynValue> {
        let Feed { embeds, positions, past, batch, length, wanted } = feed;
        let integers = |shape, data| tensor::from_i64(shape, data).map_err(|error| self.model.failed(error));
        let total = past + length;
        let positions = positions.concat();
        let mut inputs = vec![
            ("inputs_embeds", embeds),
            ("attention_mask", integers(vec![batch, total], vec![1; batch * total])?),
            ("position_ids", integers(vec![3, batch, length], positions)?),
        ];
        if self.keeps_logits {
            // 0 would stand for all.
            let kept = wanted.div_ceil(batch).max(1);
            inputs.push((LOGITS_TO_KEEP, integers(vec![1], vec![kept as i64])?));
        }
        let mut contents = cache.contents();
        let mut binding = match contents.binding.take() {
            Some(binding) => binding,
            None => self.bind(&mut contents)?,
        };
        let logits = self.model.run_bound(&mut binding, inputs, "logits")?;
        contents.binding = Some(binding);
        Ok(logits)
    }

    /// Names every tensor of a cache as a layer's past and present.
    fn bind(&self, contents: &mut Contents) -> Result<IoBinding> {
        let failed = |error| self.model.failed(error);
        let mut binding = self.model.binding()?;
        let names = self.past_names.iter().zip(&self.present_names);
        for ((past, present), value) in names.zip(&mut contents.tensors) {
            binding.bind_input(past.as_str(), value).map_err(failed)?;
            binding.bind_output(present.as_str(), value).map_err(failed)?;
        }
        Ok(binding)
    }
}
