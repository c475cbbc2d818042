//! Gradient checkpointing of the decoder (see [`crate::recompute`]).

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor};

use super::{Decoder, Plan};
use crate::ops;
use crate::recompute::pull_back;

/// What [`Decoder::forward_checkpointed`] keeps for [`Decoder::backward_checkpointed`]; the former's inputs in memory.
pub struct Tape {
    /// The input of every layer and, last, of the final norm, each [b · s, h].
    inputs: Vec<Tensor>,
    plan: Plan,
    dims: (usize, usize, usize),
    /// Layers whose input the loss reads too, with its gradient there.
    taps: Vec<(usize, Tensor)>,
}

impl Tape {
    /// The input of layer `index`, [b · s, h], with no graph behind it; that of the final norm behind the last one.
    #[must_use]
    pub fn layer_input(&self, index: usize) -> Option<&Tensor> {
        self.inputs.get(index)
    }

    /// Adds the gradient, [b · s, h], of a loss that reads [`Tape::layer_input`].
    pub fn add_gradient(&mut self, index: usize, gradient: Tensor) {
        self.taps.push((index, gradient));
    }
}

impl Decoder {
    /// [`Decoder::forward`] whose result has no graph behind it.
    ///
    /// # Errors
    /// When shapes disagree.
    pub fn forward_checkpointed(
        &self,
        inputs_embeds: &Tensor,
        position_ids: &Tensor,
        mask: Option<&Tensor>,
    ) -> Result<(Tensor, Tape)> {
        let dims = inputs_embeds.dims3()?;
        let (batch, len, hidden) = dims;
        let plan = self.plan(position_ids, mask, batch, len)?;
        let mut inputs = vec![inputs_embeds.detach().reshape((batch * len, hidden))?];
        let mut x = inputs_embeds.detach().reshape((batch * len, hidden))?;
        for layer in &self.layers {
            x = layer.forward(&x, &self.config, &plan)?.detach();
            inputs.push(x.clone());
        }
        let out = ops::rms_norm(&x, &self.norm, self.config.rms_norm_eps)?.detach().reshape(dims)?;
        Ok((out, Tape { inputs, plan, dims, taps: Vec::new() }))
    }

    /// From the gradient of the loss with respect to the hidden states [b, s, h] to that with respect to the input
    /// embeddings [b, s, h]. `collect` gets the gradients of each layer's variables as they are found, last layer first.
    ///
    /// # Errors
    /// When shapes disagree, or `collect` fails.
    pub fn backward_checkpointed(
        &self,
        tape: Tape,
        gradient: &Tensor,
        mut collect: impl FnMut(&GradStore) -> Result<()>,
    ) -> Result<Tensor> {
        let Tape { inputs, plan, dims, taps } = tape;
        let mut gradient = gradient.reshape((dims.0 * dims.1, dims.2))?;
        for (index, input) in inputs.iter().enumerate().rev() {
            gradient = match self.layers.get(index) {
                Some(layer) => pull_back(input, &gradient, |x| layer.forward(x, &self.config, &plan), &mut collect)?,
                None => {
                    let norm = |x: &Tensor| ops::rms_norm(x, &self.norm, self.config.rms_norm_eps);
                    pull_back(input, &gradient, norm, &mut collect)?
                }
            };
            for (_, tapped) in taps.iter().filter(|(tapped, _)| *tapped == index) {
                gradient = (gradient + tapped)?;
            }
        }
        gradient.reshape(dims)
    }
}
