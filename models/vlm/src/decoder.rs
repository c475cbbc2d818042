//! The language model (`embedding.onnx`, `model.onnx`): prefill, decode, KV state.
//!
//! The KV cache stays in ONNX Runtime's own tensors from one step to the next.
//! A state is never written to, only replaced, so a clone is a few reference
//! counts: that is how several questions fork one prefix.

use std::borrow::Cow;
use std::sync::Arc;

use ort::value::DynValue;
use processor::ModelInputs;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::graph::Inputs;
use crate::tensor;
use crate::vision::ImageEmbeds;

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

/// Keys and values of everything read so far, and the logits after it.
#[derive(Debug, Clone)]
pub struct KvState {
    /// key 0, value 0, key 1, …; each \[1, kv heads, tokens, head size\].
    past: Vec<Arc<DynValue>>,
    tokens: usize,
    rope_delta: i64,
    logits: Vec<f32>,
}

impl KvState {
    /// Tokens read so far.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Position of the next token on all three axes: tokens + rope delta.
    pub fn next_position(&self) -> i64 {
        self.tokens as i64 + self.rope_delta
    }

    /// Logits \[vocab\] after the last token; empty before the first.
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// Sets the offset between a later token's index and its position, which
    /// follows from the pictures and videos read so far (`ModelInputs::rope_delta`).
    pub fn set_rope_delta(&mut self, rope_delta: i64) {
        self.rope_delta = rope_delta;
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

impl Engine {
    /// A state that has read nothing.
    ///
    /// # Errors
    /// [`Error::Run`] when the empty tensors can't be made.
    pub fn empty_state(&self) -> Result<KvState> {
        let dims = &self.dims;
        let names = self.past_names.iter();
        let past = names.map(|name| {
            let shape = vec![1, dims.kv_heads, 0, dims.head_dim];
            tensor::empty(self.model.input_type(name), shape).map(Arc::new).map_err(|error| self.model.failed(error))
        });
        Ok(KvState { past: past.collect::<Result<_>>()?, tokens: 0, rope_delta: 0, logits: Vec::new() })
    }

    /// Reads a whole prompt; `image_embeds` in the order of the placeholders
    /// (see [`Engine::encode_all`]).
    ///
    /// # Errors
    /// [`Error::Shape`] when ids, positions and embeds disagree, [`Error::TooLong`], [`Error::Run`].
    pub fn prefill(&self, inputs: &ModelInputs, image_embeds: &[ImageEmbeds]) -> Result<KvState> {
        let mut state = self.empty_state()?;
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
        self.forward(&mut self.empty_state()?, &Chunk::whole(inputs, image_embeds), rows)
    }

    fn forward(&self, state: &mut KvState, chunk: &Chunk<'_>, rows: usize) -> Result<Logits> {
        let total = self.check_chunk(state, chunk)?;
        let length = chunk.input_ids.len();
        let embeds = self.embed(chunk)?;
        let failed = |error| self.model.failed(error);
        let positions: Vec<i64> = chunk.position_ids.iter().flat_map(|axis| axis.iter().copied()).collect();
        let mut inputs: Inputs<'_> = Vec::with_capacity(3 + state.past.len());
        inputs.push(("inputs_embeds".into(), embeds.into()));
        inputs
            .push(("attention_mask".into(), tensor::from_i64(vec![1, total], vec![1; total]).map_err(failed)?.into()));
        inputs.push(("position_ids".into(), tensor::from_i64(vec![3, 1, length], positions).map_err(failed)?.into()));
        let past = self.past_names.iter().zip(&state.past);
        inputs.extend(past.map(|(name, value)| (Cow::from(name.as_str()), value.as_ref().into())));
        let outputs = self.model.run(inputs)?;
        let logits = self.read_logits(&outputs[self.logits], rows)?;
        let mut outputs: Vec<Option<DynValue>> = outputs.into_iter().map(Some).collect();
        let mut present = Vec::with_capacity(self.present.len());
        for &index in &self.present {
            let value =
                outputs[index].take().ok_or_else(|| self.model.failed(ort::Error::new("an output was used twice")))?;
            self.check_present(&value, total)?;
            present.push(Arc::new(value));
        }
        (state.past, state.tokens) = (present, total);
        Ok(logits)
    }

    /// `token_embeds` with the placeholders' rows replaced: \[1, len, hidden\], still ONNX Runtime's tensor.
    fn embed(&self, chunk: &Chunk<'_>) -> Result<DynValue> {
        let graph = &self.embedding;
        let failed = |error| graph.failed(error);
        let ids = chunk.input_ids.iter().map(|&id| i64::from(id)).collect();
        let ids = tensor::from_i64(vec![1, chunk.input_ids.len()], ids).map_err(failed)?;
        let rows: usize = chunk.image_embeds.iter().map(|embeds| embeds.rows).sum();
        let shape = vec![rows, self.dims.hidden];
        let element = graph.input_type("image_features");
        let features = match chunk.image_embeds {
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
        let is_placeholder = |id: &&u32| **id == dims.image_token_id || **id == dims.video_token_id;
        let placeholders = chunk.input_ids.iter().filter(is_placeholder).count();
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
        let total = state.tokens + length;
        if total > dims.context {
            return Err(Error::TooLong { expected: dims.context, found: total });
        }
        Ok(total)
    }

    fn read_logits(&self, value: &DynValue, rows: usize) -> Result<Logits> {
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

    fn check_present(&self, value: &DynValue, total: usize) -> Result<()> {
        let (expected, found) = ([1, self.dims.kv_heads, total, self.dims.head_dim], tensor::shape(value));
        if found == expected {
            return Ok(());
        }
        Err(Error::Shape {
            what: "present of model.onnx",
            expected: format!("{expected:?}"),
            found: format!("{found:?}"),
        })
    }
}
