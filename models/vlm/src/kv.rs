//! What the decoder has read: keys and values in ONNX Runtime's own tensors.
//!
//! A clone of a state shares its keys and values. Whoever of them reads on first
//! appends in place, behind what they share; another that reads on meanwhile gets
//! a copy. So several questions fork one prefix, and one after the other they cost
//! no copy at all.

use std::sync::Arc;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::kv_cache::{KvCache, Lease};
use crate::tensor;

/// Caches grow by a quarter and this many tokens, so that they seldom do.
const HEADROOM_TOKENS: usize = 256;

/// Keys and values of everything read so far, and the logits after it.
#[derive(Debug, Clone)]
pub struct KvState {
    /// Its length is that of `ids`.
    pub(crate) lease: Lease,
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

    /// Memory that the state refers to, in bytes: keys and values with the room behind them, logits and ids. Clones
    /// share their keys and values until two of them read on.
    pub fn bytes(&self) -> usize {
        let cache: usize = self.lease.cache().contents().tensors.iter().map(tensor::bytes).sum();
        cache + self.logits.len() * size_of::<f32>() + self.ids.len() * size_of::<u32>()
    }

    /// Whether both refer to the same keys and values in memory.
    pub fn shares_cache_with(&self, other: &Self) -> bool {
        self.lease.shares_cache_with(&other.lease)
    }
}

impl Engine {
    /// A state that has read nothing.
    pub fn empty_state(&self) -> KvState {
        let lease = Lease::new(Arc::new(KvCache::new([1, 0], Vec::new())), 0);
        KvState { lease, ids: Vec::new(), rope_delta: 0, logits: Vec::new() }
    }

    /// Forgets all but the first `tokens`. The logits are gone; the rope delta stays, so cut only behind the last
    /// picture or set it anew.
    ///
    /// # Errors
    /// [`Error::Shape`] when `state` has read fewer.
    pub fn truncate(&self, state: &mut KvState, tokens: usize) -> Result<()> {
        if tokens > state.tokens() {
            return Err(Error::Shape {
                what: "tokens to keep",
                expected: format!("at most {}", state.tokens()),
                found: tokens.to_string(),
            });
        }
        if tokens < state.tokens() {
            state.lease.shrink(tokens);
            state.ids.truncate(tokens);
            state.logits = Vec::new();
        }
        Ok(())
    }

    /// Makes room for `further` tokens, so that reading them copies nothing. Clones made afterwards share it.
    ///
    /// # Errors
    /// [`Error::TooLong`] beyond the context, [`Error::Run`] when the memory can't be had.
    pub fn reserve(&self, state: &mut KvState, further: usize) -> Result<()> {
        let total = state.tokens() + further;
        if total > self.context() {
            return Err(Error::TooLong { expected: self.context(), found: total });
        }
        if total > state.lease.cache().capacity {
            state.lease = self.copied(&state.lease, &[0], total)?;
        }
        Ok(())
    }

    /// Lets `lease` write its tokens up to `total`: where it is, or in a copy.
    pub(crate) fn make_room(&self, lease: &mut Lease, total: usize) -> Result<()> {
        if lease.claim(total) {
            return Ok(());
        }
        let rows: Vec<usize> = (0..lease.cache().rows).collect();
        let mut copy = self.copied(lease, &rows, total)?;
        if !copy.claim(total) {
            return Err(Error::TooLong { expected: copy.cache().capacity, found: total });
        }
        *lease = copy;
        Ok(())
    }

    /// Rows `rows` of a cache, in that order, in one of their own with room for `total` tokens and some more.
    pub(crate) fn copied(&self, lease: &Lease, rows: &[usize], total: usize) -> Result<Lease> {
        let capacity = match self.profile.fixed_capacity() {
            Some(capacity) => capacity,
            None => (total + total / 4 + HEADROOM_TOKENS).min(self.dims.context.max(total)),
        };
        let contents = lease.cache().contents();
        let tensors = if contents.tensors.is_empty() {
            let shape = || vec![rows.len(), self.dims.kv_heads, capacity, self.dims.head_dim];
            let empty = |name: &String| tensor::zeros(self.model.input_type(name), shape());
            self.past_names.iter().map(|name| self.kv_place.take(empty(name)?)).collect::<ort::Result<Vec<_>>>()
        } else {
            let sizes = [lease.len(), capacity];
            let copy = |value| tensor::with_capacity(&*self.kv_place.read(value)?, rows, sizes);
            contents.tensors.iter().map(|value| self.kv_place.take(copy(value)?)).collect()
        };
        let tensors = tensors.map_err(|error| self.model.failed(error))?;
        Ok(Lease::new(Arc::new(KvCache::new([rows.len(), capacity], tensors)), lease.len()))
    }
}
