//! The language model (`embedding.onnx`, `model.onnx`): prefill and decode. The KV
//! state that both extend is `kv`'s; how a run feeds the graph is `growing`'s and `fixed`'s.

use std::ops::Range;

use ort::value::DynValue;
use processor::ModelInputs;

use crate::engine::{Engine, Profile};
use crate::error::{Error, Result};
use crate::kv::KvState;
use crate::kv_cache::Lease;
use crate::tensor;
use crate::vision::ImageEmbeds;

/// Tokens of one run of the decoder. A longer stretch is read in several: attention scores take memory by the product of
/// a run's tokens and all tokens so far, logits by that of its tokens and the vocabulary.
const RUN_TOKENS: usize = 512;

/// A stretch of prompt to add to a KV state.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    /// Token ids, placeholders included.
    pub input_ids: &'a [u32],
    /// mrope positions (time, height, width), each as long as `input_ids`.
    pub position_ids: [&'a [i64]; 3],
    /// Embeds for the placeholders of this stretch, in their order.
    pub image_embeds: &'a [ImageEmbeds],
}

impl<'a> Chunk<'a> {
    /// The whole of a prompt.
    pub fn whole(inputs: &'a ModelInputs, image_embeds: &'a [ImageEmbeds]) -> Self {
        let [time, height, width] = &inputs.position_ids;
        Self { input_ids: &inputs.input_ids, position_ids: [time, height, width], image_embeds }
    }
}

/// Rows of logits.
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    /// Positions.
    pub rows: usize,
    /// Vocabulary size.
    pub vocab: usize,
    /// \[rows, vocab\].
    pub data: Vec<f32>,
}

/// Inputs of one run of the decoder.
pub(crate) struct Feed {
    /// \[batch, length, hidden\].
    pub(crate) embeds: DynValue,
    /// Of each axis \[batch, length\].
    pub(crate) positions: [Vec<i64>; 3],
    /// Tokens of each row that the cache holds.
    pub(crate) past: usize,
    pub(crate) batch: usize,
    /// New tokens of each row.
    pub(crate) length: usize,
    /// Of the last positions of all rows together, how many need logits.
    pub(crate) wanted: usize,
}

impl Engine {
    /// Reads a whole prompt; `image_embeds` in the order of the placeholders
    /// (see [`Engine::encode_all`]).
    ///
    /// # Errors
    /// [`Error::Shape`] when ids, positions and embeds disagree, [`Error::TooLong`], [`Error::Run`].
    pub fn prefill(&self, inputs: &ModelInputs, image_embeds: &[ImageEmbeds]) -> Result<KvState> {
        let mut state = self.empty_state();
        self.extend(&mut state, &Chunk::whole(inputs, image_embeds))?;
        state.set_rope_delta(inputs.rope_delta);
        Ok(state)
    }

    /// Reads a further stretch of prompt. On an error `state` is unchanged.
    ///
    /// # Errors
    /// As [`Self::prefill`].
    pub fn extend(&self, state: &mut KvState, chunk: &Chunk<'_>) -> Result<()> {
        self.forward(state, chunk, 1).map(|logits| state.logits = logits.data)
    }

    /// Reads one token at `position` (all three axes): one step of decode.
    ///
    /// # Errors
    /// As [`Self::prefill`].
    pub fn step(&self, state: &mut KvState, token: u32, position: i64) -> Result<()> {
        let positions = [position];
        let chunk = Chunk { input_ids: &[token], position_ids: [&positions; 3], image_embeds: &[] };
        self.extend(state, &chunk)
    }

    /// Logits of the last `rows` positions of a prompt, without a KV state to keep:
    /// what parity with a reference is measured on. Fewer rows come back when the
    /// prompt, or what the graph computes, is shorter.
    ///
    /// # Errors
    /// As [`Self::prefill`].
    pub fn prompt_logits(&self, inputs: &ModelInputs, image_embeds: &[ImageEmbeds], rows: usize) -> Result<Logits> {
        self.forward(&mut self.empty_state(), &Chunk::whole(inputs, image_embeds), rows)
    }

    /// Reads `chunk` and returns the logits of its last `rows` positions. On an error `state` is unchanged.
    pub(crate) fn forward(&self, state: &mut KvState, chunk: &Chunk<'_>, rows: usize) -> Result<Logits> {
        let total = self.check_chunk(state, chunk)?;
        let length = chunk.input_ids.len();
        let embeds = self.embed([1, length], chunk.input_ids, chunk.image_embeds)?;
        let mut lease = state.lease.clone();
        self.make_room(&mut lease, total)?;
        let mut logits = Logits { rows: 0, vocab: self.dims.vocab, data: Vec::new() };
        for (range, embeds) in self.in_runs(embeds, length)? {
            let wanted = rows.saturating_sub(length - range.end).min(range.len());
            let positions = chunk.position_ids.map(|axis| axis[range.clone()].to_vec());
            let feed =
                Feed { embeds, positions, past: state.tokens() + range.start, batch: 1, length: range.len(), wanted };
            let run_logits = self.run_decoder(&lease, feed)?;
            logits.rows += run_logits.rows;
            logits.data.extend(run_logits.data);
        }
        state.lease = lease;
        state.ids.extend_from_slice(chunk.input_ids);
        Ok(logits)
    }

    /// Embeds \[1, length, hidden\] cut into runs.
    fn in_runs(&self, embeds: DynValue, length: usize) -> Result<Vec<(Range<usize>, DynValue)>> {
        if length <= RUN_TOKENS {
            return Ok(vec![(0..length, embeds)]);
        }
        let ranges = (0..length).step_by(RUN_TOKENS).map(|from| from..length.min(from + RUN_TOKENS));
        let cut = |range: Range<usize>| Ok((range.clone(), tensor::tokens(&embeds, range)?));
        ranges.map(cut).collect::<ort::Result<_>>().map_err(|error| self.embedding.failed(error))
    }

    /// One run of `model.onnx` on `lease`, whose holder has claimed the feed's tokens; the logits that it wants.
    pub(crate) fn run_decoder(&self, lease: &Lease, feed: Feed) -> Result<Logits> {
        let rows = feed.wanted;
        let logits = match &self.profile {
            Profile::Growing => self.run_growing(lease.cache(), feed)?,
            Profile::Fixed(fixed) => self.run_fixed(fixed, lease.cache(), feed)?,
        };
        self.read_logits(&logits, rows)
    }

    /// `token_embeds` with the placeholders' rows replaced: \[batch, len, hidden\], still ONNX Runtime's tensor.
    pub(crate) fn embed(
        &self,
        [batch, length]: [usize; 2],
        ids: &[u32],
        image_embeds: &[ImageEmbeds],
    ) -> Result<DynValue> {
        let graph = &self.embedding;
        let failed = |error| graph.failed(error);
        let ids = ids.iter().map(|&id| i64::from(id)).collect();
        let ids = tensor::from_i64(vec![batch, length], ids).map_err(failed)?;
        let rows: usize = image_embeds.iter().map(|embeds| embeds.rows).sum();
        let shape = vec![rows, self.dims.hidden];
        let element = graph.input_type("image_features");
        let features = match image_embeds {
            [] => tensor::empty(element, shape),
            [one] => tensor::from_f32(element, shape, &one.data),
            many => tensor::from_f32(
                element,
                shape,
                &many.iter().flat_map(|embeds| embeds.data.iter().copied()).collect::<Vec<_>>(),
            ),
        };
        let features = features.map_err(failed)?;
        let inputs = vec![("input_ids".into(), ids.into()), ("image_features".into(), features.into())];
        Ok(graph.run(inputs)?.swap_remove(self.inputs_embeds))
    }

    /// Total length after `chunk`; an error when its parts disagree or the context is too short.
    fn check_chunk(&self, state: &KvState, chunk: &Chunk<'_>) -> Result<usize> {
        let length = chunk.input_ids.len();
        let mismatch = |what, expected: String, found: String| Err(Error::Shape { what, expected, found });
        if length == 0 {
            return mismatch("input_ids", "at least one token".into(), "none".into());
        }
        if let Some(axis) = chunk.position_ids.iter().find(|axis| axis.len() != length) {
            return mismatch("position_ids", format!("{length} for each axis"), axis.len().to_string());
        }
        let dims = &self.dims;
        if let Some(&id) = chunk.input_ids.iter().find(|&&id| id as usize >= dims.vocab) {
            return mismatch("input_ids", format!("ids below {}", dims.vocab), id.to_string());
        }
        let placeholders = chunk.input_ids.iter().filter(|id| self.is_placeholder(**id)).count();
        let rows: usize = chunk.image_embeds.iter().map(|embeds| embeds.rows).sum();
        if rows != placeholders {
            return mismatch(
                "image_embeds",
                format!("{placeholders} rows, one for each placeholder"),
                rows.to_string(),
            );
        }
        let ragged = chunk.image_embeds.iter().find(|embeds| embeds.data.len() != embeds.rows * dims.hidden);
        if let Some(embeds) = ragged {
            return mismatch(
                "image_embeds",
                format!("{} × {} values", embeds.rows, dims.hidden),
                embeds.data.len().to_string(),
            );
        }
        let total = state.tokens() + length;
        if total > dims.context {
            return Err(Error::TooLong { expected: dims.context, found: total });
        }
        Ok(total)
    }

    fn read_logits(&self, value: &DynValue, rows: usize) -> Result<Logits> {
        if rows == 0 {
            return Ok(Logits { rows, vocab: self.dims.vocab, data: Vec::new() });
        }
        let (vocab, data) = tensor::last_rows(value, rows).map_err(|error| self.model.failed(error))?;
        if vocab != self.dims.vocab || data.is_empty() {
            let found = format!("{:?}", tensor::shape(value));
            return Err(Error::Shape {
                what: "logits of model.onnx",
                expected: format!("[1, ≥1, {}]", self.dims.vocab),
                found,
            });
        }
        Ok(Logits { rows: data.len() / vocab, vocab, data })
    }
}
