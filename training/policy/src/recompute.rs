//! Gradient checkpointing (<https://arxiv.org/abs/1604.06174>): a forward pass keeps the input of every block only, and the
//! backward pass runs each block again.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

/// The gradient with respect to `input` of what has gradient `gradient` at `f(input)`; the others go to `collect`.
pub(crate) fn pull_back(
    input: &Tensor,
    gradient: &Tensor,
    f: impl Fn(&Tensor) -> Result<Tensor>,
    collect: &mut impl FnMut(&GradStore) -> Result<()>,
) -> Result<Tensor> {
    let leaf = Var::from_tensor(input)?;
    let mut store = (f(leaf.as_tensor())? * gradient.detach())?.sum_all()?.backward()?;
    let found = store.remove(leaf.as_tensor());
    collect(&store)?;
    found.map_or_else(|| input.zeros_like(), Ok)
}
