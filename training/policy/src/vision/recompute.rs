//! Gradient checkpointing of the vision tower (see [`crate::recompute`]).

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, bail};

use super::{Plan, VisionTower};
use crate::recompute::pull_back;

/// What [`VisionTower::forward_checkpointed`] keeps for [`VisionTower::backward_checkpointed`].
pub struct VisionTape {
    pixel_values: Tensor,
    /// The input of every block and, last, of the merger, each [patches, hidden_size] in window order.
    inputs: Vec<Tensor>,
    plan: Plan,
    /// The gradient at [`VisionTower::patches`] of a loss that reads them too.
    at_patches: Option<Tensor>,
}

impl VisionTape {
    /// Adds the gradient, [patches, hidden_size], of a loss that reads [`VisionTower::patches`].
    pub fn add_gradient(&mut self, at_patches: Tensor) {
        self.at_patches = Some(at_patches);
    }
}

impl VisionTower {
    /// The merged tokens of [`VisionTower::forward`], `[patches / merge², out_hidden_size]`, with no graph behind them.
    ///
    /// # Errors
    /// When the patches are not those of the grids.
    pub fn forward_checkpointed(&self, pixel_values: &Tensor, grids: &[[usize; 3]]) -> Result<(Tensor, VisionTape)> {
        self.check(pixel_values, grids)?;
        let plan = self.plan(grids, pixel_values)?;
        let mut x = self.embed_patches(pixel_values, &plan)?.detach();
        let mut inputs = vec![x.clone()];
        for block in &self.blocks {
            x = block.forward(&x, &self.config, &plan)?.detach();
            inputs.push(x.clone());
        }
        let embeds = self.merge(&self.unpermute(&x, &plan)?)?.detach();
        Ok((embeds, VisionTape { pixel_values: pixel_values.clone(), inputs, plan, at_patches: None }))
    }

    /// The output of the last block, `[patches, hidden_size]`, in the order of the pixels: [`VisionOutput::patches`]
    /// with no graph behind it.
    ///
    /// [`VisionOutput::patches`]: super::VisionOutput::patches
    ///
    /// # Errors
    /// When the device has no room.
    pub fn patches(&self, tape: &VisionTape) -> Result<Tensor> {
        match tape.inputs.last() {
            Some(last) => self.unpermute(last, &tape.plan),
            None => bail!("vision: expected a tape of at least one block"),
        }
    }

    /// From the gradient of the loss with respect to the merged tokens to those of the tower's variables, which `collect`
    /// gets as they are found.
    ///
    /// # Errors
    /// When shapes disagree, or `collect` fails.
    pub fn backward_checkpointed(
        &self,
        tape: VisionTape,
        gradient: &Tensor,
        mut collect: impl FnMut(&GradStore) -> Result<()>,
    ) -> Result<()> {
        let VisionTape { pixel_values, mut inputs, plan, at_patches } = tape;
        let mut gradient = gradient.clone();
        if let Some(input) = inputs.pop() {
            let merge = |x: &Tensor| self.merge(&self.unpermute(x, &plan)?);
            gradient = pull_back(&input, &gradient, merge, &mut collect)?;
        }
        if let Some(at_patches) = at_patches {
            gradient = (gradient + self.permuted(at_patches, &plan)?)?;
        }
        for (block, input) in self.blocks.iter().zip(inputs).rev() {
            gradient = pull_back(&input, &gradient, |x| block.forward(x, &self.config, &plan), &mut collect)?;
        }
        let embedded = self.embed_patches(&pixel_values, &plan)?;
        match embedded.track_op() {
            true => collect(&(embedded * gradient)?.sum_all()?.backward()?),
            false => Ok(()),
        }
    }

    /// Patch embeddings in window order.
    fn embed_patches(&self, pixel_values: &Tensor, plan: &Plan) -> Result<Tensor> {
        self.permuted(self.patches_embedded(pixel_values)?, plan)
    }

    /// From the order of the pixels to window order.
    fn permuted(&self, x: Tensor, plan: &Plan) -> Result<Tensor> {
        match &plan.order {
            Some((order, _)) => self.permute(&x, order),
            None => Ok(x),
        }
    }

    /// From window order to that of the pixels.
    fn unpermute(&self, x: &Tensor, plan: &Plan) -> Result<Tensor> {
        match &plan.order {
            Some((_, reverse)) => self.permute(x, reverse),
            None => Ok(x.clone()),
        }
    }
}
