//! Decoding a group of completions over one prompt: the prompt is read once, its keys and values are shared.

use candle_core::{Result, Tensor, bail};

use super::{Decoder, shape};
use crate::ops::{self, KeysValues, Mask, Rotary, Segment};

/// Keys and values of a prompt, and of the completions that continue it.
///
/// No gradient is meant to pass: build the network from detached weights, or every token keeps the whole past's graph.
#[derive(Clone, Debug)]
pub struct GroupCache {
    layers: Vec<LayerCache>,
    /// Where the next token stands, on all three axes.
    next_position: i64,
}

#[derive(Clone, Debug)]
struct LayerCache {
    prompt: KeysValues,
    own: Option<KeysValues>,
}

impl GroupCache {
    /// Keeps the sequences `rows` (indices into the present group) and drops the others.
    ///
    /// # Errors
    /// When an index is past the group.
    pub fn keep(&mut self, rows: &[u32]) -> Result<()> {
        for layer in &mut self.layers {
            let kv_heads = layer.prompt.keys.dim(0)?;
            let Some(own) = layer.own.as_mut() else { continue };
            let index = Tensor::from_slice(rows, rows.len(), own.keys.device())?;
            for part in [&mut own.keys, &mut own.values] {
                let (sequences, tokens, width) = part.dims3()?;
                let by_sequence = part.reshape((sequences / kv_heads, kv_heads, tokens, width))?;
                *part = by_sequence.index_select(&index, 0)?.reshape((rows.len() * kv_heads, tokens, width))?;
            }
        }
        Ok(())
    }
}

impl LayerCache {
    /// Adds one token of each sequence: keys and values [g, kv_heads, 1, head_dim].
    fn push(&mut self, keys: &Tensor, values: &Tensor) -> Result<&KeysValues> {
        let token = KeysValues { keys: keys.flatten_to(1)?, values: values.flatten_to(1)? };
        let own = match self.own.take() {
            None => token,
            Some(past) => KeysValues {
                keys: Tensor::cat(&[&past.keys, &token.keys], 1)?,
                values: Tensor::cat(&[&past.values, &token.values], 1)?,
            },
        };
        Ok(self.own.insert(own))
    }
}

impl Decoder {
    /// Reads a prompt: `inputs_embeds` [1, s, h], `position_ids` [3, 1, s] → the hidden state of its last token, [1, h].
    ///
    /// # Errors
    /// When shapes disagree.
    pub fn prefill(&self, inputs_embeds: &Tensor, position_ids: &Tensor) -> Result<(Tensor, GroupCache)> {
        let (batch, len, hidden) = inputs_embeds.dims3()?;
        if batch != 1 || len == 0 {
            bail!("prefill: expected one prompt of at least one token, found {batch} of {len}");
        }
        let plan = self.plan(position_ids, None, 1, len)?;
        let (config, shape) = (&self.config, shape(&self.config));
        let mut x = inputs_embeds.reshape((len, hidden))?;
        let mut layers = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let qkv = layer.project(&x, config)?;
            let [_, keys, values] = ops::split_heads(&qkv, shape, &plan.rotary, Segment { start: 0, count: 1, len })?;
            let prompt = KeysValues { keys: keys.squeeze(0)?, values: values.squeeze(0)? };
            layers.push(LayerCache { prompt, own: None });
            let mixed = ops::attention(&qkv, shape, &plan.rotary, &plan.segments, &Mask::Causal)?;
            x = layer.finish(&x, &mixed, config)?;
        }
        let last = ops::rms_norm(&x.narrow(0, len - 1, 1)?, &self.norm, config.rms_norm_eps)?;
        let positions = position_ids.to_dtype(candle_core::DType::I64)?.flatten_all()?.to_vec1::<i64>()?;
        Ok((last, GroupCache { layers, next_position: 1 + positions.into_iter().max().unwrap_or(-1) }))
    }

    /// Reads the next token of each sequence of the group: `inputs_embeds` [g, h] → hidden states [g, h].
    ///
    /// # Errors
    /// When the group is another than the cache's.
    pub fn extend(&self, inputs_embeds: &Tensor, cache: &mut GroupCache) -> Result<Tensor> {
        let (group, _) = inputs_embeds.dims2()?;
        let (config, shape) = (&self.config, shape(&self.config));
        let positions = vec![cache.next_position; group];
        let rotary = Rotary::mrope(
            [&positions; 3].map(Vec::as_slice),
            &config.mrope_section,
            config.head_dim,
            config.rope_theta,
        );
        let segment = Segment { start: 0, count: group, len: 1 };
        let mut x = inputs_embeds.clone();
        for (layer, cache) in self.layers.iter().zip(&mut cache.layers) {
            let qkv = layer.project(&x, config)?;
            let [queries, keys, values] = ops::split_heads(&qkv, shape, &rotary, segment)?;
            cache.push(&keys, &values)?;
            let LayerCache { prompt, own: Some(own) } = &*cache else { bail!("extend: expected the pushed token") };
            x = layer.finish(&x, &ops::group_attention(&queries, shape, prompt, own)?, config)?;
        }
        cache.next_position += 1;
        ops::rms_norm(&x, &self.norm, config.rms_norm_eps)
    }
}
