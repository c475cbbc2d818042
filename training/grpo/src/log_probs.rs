//! Log-probabilities of a group's tokens, all completions in one row behind their prompt.

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use episodes::Tokens;
use policy::{Qwen25Vl, ops};

use crate::Result;
use crate::rollout::Completion;

/// What an additive mask holds where attention is forbidden.
const FORBIDDEN: f32 = -1e9;

/// A prompt and its completions as one row: a completion's tokens see the prompt and themselves, never each other.
pub struct PackedGroup {
    ids: Vec<u32>,
    /// Tokens of the prompt.
    prompt: usize,
    /// [3, 1, s].
    position_ids: Tensor,
    /// Additive, [1, 1, s, s].
    mask: Tensor,
    /// For each token of each completion the row that predicts it.
    rows: Tensor,
    targets: Vec<u32>,
    /// Tokens of each completion.
    pub lengths: Vec<usize>,
}

impl PackedGroup {
    /// Packs `completions` of `prompt`.
    ///
    /// # Errors
    /// When the prompt is empty, or the device has no room.
    pub fn new(prompt: &Tokens, completions: &[Completion], device: &Device) -> Result<Self> {
        let start = prompt.ids.len();
        let Some(last) = start.checked_sub(1) else {
            return Err(candle_core::Error::Msg("expected a prompt of at least one token, found none".into()).into());
        };
        let lengths: Vec<usize> = completions.iter().map(|completion| completion.ids.len()).collect();
        // The last token of a completion predicts nothing.
        let bounds: Vec<(usize, usize)> = lengths
            .iter()
            .scan(start, |end, &length| {
                let first = *end;
                *end += length.saturating_sub(1);
                Some((first, *end))
            })
            .collect();
        let total = bounds.last().map_or(start, |&(_, end)| end);
        let (mut ids, mut positions, mut rows) = (prompt.ids.clone(), prompt.positions.clone(), Vec::new());
        let mut mask = vec![FORBIDDEN; total * total];
        let mut see = |row: usize, from: usize, to: usize| mask[row * total + from..=row * total + to].fill(0.0);
        (0..start).for_each(|row| see(row, 0, row));
        let next = 1 + prompt.positions.iter().flatten().copied().max().unwrap_or(-1);
        for (completion, &(first, end)) in completions.iter().zip(&bounds) {
            ids.extend(completion.ids.iter().take(end - first));
            rows.extend(completion.ids.first().map(|_| last as u32));
            for row in first..end {
                positions.iter_mut().for_each(|axis| axis.push(next + (row - first) as i64));
                rows.push(row as u32);
                see(row, 0, last);
                see(row, first, row);
            }
        }
        Ok(Self {
            ids,
            prompt: start,
            position_ids: Tensor::from_vec(positions.concat(), (3, 1, total), device)?,
            mask: Tensor::from_vec(mask, (1, 1, total, total), device)?,
            rows: Tensor::new(rows, device)?,
            targets: completions.iter().flat_map(|completion| completion.ids.iter().copied()).collect(),
            lengths,
        })
    }

    /// Tokens that the network reads.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// [1, s, h]. A placeholder in a completion is a word like any other, as it was when it was sampled.
    fn embed(&self, model: &Qwen25Vl, image_embeds: Option<&Tensor>) -> Result<Tensor> {
        let (prompt, completions) = self.ids.split_at(self.prompt);
        let seen = model.embed(&[prompt.to_vec()], image_embeds)?;
        if completions.is_empty() {
            return Ok(seen);
        }
        let said = model.embed_tokens(&Tensor::from_slice(completions, (1, completions.len()), model.device())?)?;
        Ok(Tensor::cat(&[&seen, &said], 1)?)
    }

    /// Log-probabilities `[tokens]` from hidden states [1, s, h].
    fn read(&self, model: &Qwen25Vl, hidden: &Tensor) -> Result<Tensor> {
        let logits = model.logits(&hidden.squeeze(0)?.index_select(&self.rows, 0)?)?.to_dtype(DType::F32)?;
        Ok(ops::token_log_probs(&logits, &self.targets)?)
    }

    /// The log-probability of every token of every completion, completion behind completion.
    ///
    /// # Errors
    /// When the prompt does not fit its embeddings.
    pub fn log_probs(&self, model: &Qwen25Vl, image_embeds: Option<&Tensor>) -> Result<Vec<f32>> {
        let embeds = self.embed(model, image_embeds)?;
        let hidden = model.decode(&embeds, &self.position_ids, Some(&self.mask))?;
        Ok(self.read(model, &hidden)?.detach().to_vec1()?)
    }

    /// Forward and backward: `slope` maps the log-probabilities to the loss's derivatives by them; `collect` gets gradients
    /// of variables, in one or several stores whose sum counts. With `recompute` layers are run again in the backward pass
    /// instead of being kept.
    ///
    /// # Errors
    /// When the prompt does not fit its embeddings, or a callback fails.
    pub fn backward(
        &self,
        model: &Qwen25Vl,
        image_embeds: Option<&Tensor>,
        recompute: bool,
        backward: Backward,
    ) -> Result<()> {
        let Backward { slope, collect } = backward;
        let embeds = self.embed(model, image_embeds)?;
        let mut surrogate = |log_probs: &Tensor| -> Result<Tensor> {
            let slopes = slope(log_probs.detach().to_vec1()?)?;
            Ok((log_probs * Tensor::new(slopes, log_probs.device())?)?.sum_all()?)
        };
        if !recompute {
            let hidden = model.decode(&embeds, &self.position_ids, Some(&self.mask))?;
            return collect(&surrogate(&self.read(model, &hidden)?)?.backward()?);
        }
        let (hidden, tape) = model.decoder().forward_checkpointed(&embeds, &self.position_ids, Some(&self.mask))?;
        let leaf = Var::from_tensor(&hidden)?;
        let head = surrogate(&self.read(model, leaf.as_tensor())?)?.backward()?;
        collect(&head)?;
        let at_hidden =
            head.get(leaf.as_tensor()).map_or_else(|| hidden.zeros_like(), |gradient| Ok(gradient.clone()))?;
        let mut failed = None;
        let at_embeds = model.decoder().backward_checkpointed(tape, &at_hidden, |store| {
            if let Err(error) = collect(store) {
                failed.get_or_insert(error);
            }
            Ok(())
        })?;
        match failed {
            Some(error) => Err(error),
            None if embeds.track_op() => collect(&(embeds * at_embeds)?.sum_all()?.backward()?),
            None => Ok(()),
        }
    }
}

/// What [`PackedGroup::backward`] calls.
pub struct Backward<'a> {
    /// From log-probabilities to the loss's derivatives by them; called once.
    pub slope: &'a mut dyn FnMut(Vec<f32>) -> Result<Vec<f32>>,
    /// Takes gradients.
    pub collect: &'a mut dyn FnMut(&GradStore) -> Result<()>,
}
