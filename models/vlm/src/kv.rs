//! What the decoder has read: keys and values in ONNX Runtime's own tensors.
//!
//! A tensor is never written to, only replaced, so a clone of a state is a few
//! reference counts: that is how several questions fork one prefix. The first run
//! of a fork writes its keys and values behind a copy that it would make anyway.

use std::sync::Arc;

use ort::value::DynValue;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::tensor;

/// Keys and values of everything read so far, and the logits after it.
#[derive(Debug, Clone)]
pub struct KvState {
    /// key 0, value 0, key 1, …; each \[1, kv heads, tokens, head size\].
    pub(crate) past: Vec<Arc<DynValue>>,
    /// Every token read.
    pub(crate) ids: Vec<u32>,
    pub(crate) rope_delta: i64,
    /// \[vocab\].
    pub(crate) logits: Vec<f32>,
}

impl KvState {
    /// Tokens read so far.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// Ids of the tokens read so far, placeholders included.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Position of the next token on all three axes: tokens + rope delta.
    pub fn next_position(&self) -> i64 {
        self.ids.len() as i64 + self.rope_delta
    }

    /// Logits \[vocab\] after the last token; empty before the first and after [`Engine::truncate`].
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// Sets the offset between a later token's index and its position, which
    /// follows from the pictures and videos read so far (`ModelInputs::rope_delta`).
    pub fn set_rope_delta(&mut self, rope_delta: i64) {
        self.rope_delta = rope_delta;
    }

    /// Memory that the state refers to, in bytes: keys, values, logits and ids. Clones share their keys and values
    /// until they read on.
    pub fn bytes(&self) -> usize {
        let cache: usize = self.past.iter().map(|value| tensor::bytes(value)).sum();
        cache + self.logits.len() * size_of::<f32>() + self.ids.len() * size_of::<u32>()
    }

    /// Whether both refer to the same keys and values in memory.
    pub fn shares_cache_with(&self, other: &Self) -> bool {
        self.past.len() == other.past.len() && self.past.iter().zip(&other.past).all(|(a, b)| Arc::ptr_eq(a, b))
    }
}

impl Engine {
    /// A state that has read nothing.
    ///
    /// # Errors
    /// [`Error::Run`] when the empty tensors can't be made.
    pub fn empty_state(&self) -> Result<KvState> {
        let dims = &self.dims;
        let past = self.past_names.iter().map(|name| {
            let shape = vec![1, dims.kv_heads, 0, dims.head_dim];
            tensor::empty(self.model.input_type(name), shape).map(Arc::new).map_err(|error| self.model.failed(error))
        });
        Ok(KvState { past: past.collect::<Result<_>>()?, ids: Vec::new(), rope_delta: 0, logits: Vec::new() })
    }

    /// Forgets all but the first `tokens`. The logits are gone; the rope delta stays, so cut only behind the last
    /// picture or set it anew.
    ///
    /// # Errors
    /// [`Error::Shape`] when `state` has read fewer, [`Error::Run`].
    pub fn truncate(&self, state: &mut KvState, tokens: usize) -> Result<()> {
        if tokens > state.tokens() {
            return Err(Error::Shape {
                what: "tokens to keep",
                expected: format!("at most {}", state.tokens()),
                found: tokens.to_string(),
            });
        }
        if tokens < state.tokens() {
            let cut = |value: &Arc<DynValue>| tensor::first_tokens(value, tokens).map(Arc::new);
            let past = state.past.iter().map(cut).collect::<ort::Result<_>>();
            state.past = past.map_err(|error| self.model.failed(error))?;
            state.ids.truncate(tokens);
            state.logits = Vec::new();
        }
        Ok(())
    }
}
