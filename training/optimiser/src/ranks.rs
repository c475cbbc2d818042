//! Gradients and state over the ranks of a run.

use std::collections::BTreeMap;

use candle_core::{Tensor, Var};
use parallel::World;

use crate::checkpoint::Progress;
use crate::{Gradients, Optimiser, Result};

/// The sum of what all parts of a step give, on every rank. `parts` are this rank's, in order; `owners` names the rank of
/// each part of the whole step.
///
/// Additions are made in the order of the parts whatever ranks they lie on: the sum wanders from owner to owner. So it
/// equals that of one process bit for bit, where a reduction of MPI's own would add in another order for every number of
/// ranks. While one rank adds to a variable, the ranks before it are already at the next ones.
///
/// # Errors
/// When a gradient is not of f32, or ranks disagree about what there is.
pub fn sum_in_order(
    world: &World,
    variables: &[(String, Var)],
    parts: Vec<Gradients>,
    owners: &[usize],
) -> Result<Gradients> {
    let held = |part: &Gradients| variables.iter().map(|(name, _)| part.contains_key(name)).collect::<Vec<bool>>();
    let held = world.gather(parts.iter().map(held).collect(), owners)?;
    let mut sum = Gradients::new();
    for (i, (name, variable)) in variables.iter().enumerate() {
        let reached = |part: &&Vec<bool>| part.get(i).copied().unwrap_or_default();
        let way: Vec<usize> =
            held.iter().zip(owners).filter(|(part, _)| reached(part)).map(|(_, owner)| *owner).collect();
        let own = parts.iter().filter_map(|part| part.get(name));
        if let Some(total) = wander(world, variable.as_tensor(), own, &way)? {
            sum.insert(name.clone(), total);
        }
    }
    Ok(sum)
}

/// One variable's sum: `own` gradients are added whenever the `way` from rank to rank comes by here.
fn wander<'a>(
    world: &World,
    like: &Tensor,
    mut own: impl Iterator<Item = &'a Tensor>,
    way: &[usize],
) -> Result<Option<Tensor>> {
    let (mut sum, mut last): (Option<Tensor>, Option<usize>) = (None, None);
    for &owner in way {
        match last {
            Some(from) if from != owner && world.rank() == from => {
                if let Some(sum) = sum.take() {
                    world.send(owner, &values(&sum)?);
                }
            }
            Some(from) if from != owner && world.rank() == owner => {
                let mut values = vec![0.0; like.elem_count()];
                world.receive(from, &mut values);
                sum = Some(Tensor::from_vec(values, like.shape(), like.device())?);
            }
            _ => {}
        }
        if world.rank() == owner
            && let Some(gradient) = own.next()
        {
            sum = Some(sum.map_or_else(|| Ok(gradient.clone()), |sum| sum + gradient)?);
        }
        last = Some(owner);
    }
    let Some(last) = last.filter(|_| world.size() > 1) else { return Ok(sum) };
    let mut values = sum.as_ref().map_or_else(|| Ok(vec![0.0; like.elem_count()]), values)?;
    world.broadcast(last, &mut values);
    Ok(Some(Tensor::from_vec(values, like.shape(), like.device())?))
}

/// Gives every rank the weights, the optimiser's state and the progress of rank 0, the one that reads checkpoints.
///
/// # Errors
/// When ranks have different variables.
pub fn share_state<P: Progress>(
    world: &World,
    variables: &[(String, Var)],
    optimiser: &mut Optimiser,
    progress: P,
) -> Result<P> {
    if world.size() == 1 {
        return Ok(progress);
    }
    let shapes: Vec<_> = variables.iter().map(|(name, variable)| format!("{name} {:?}", variable.shape())).collect();
    world.agree("names and shapes of variables", &shapes.join("\n"))?;
    for (_, variable) in variables {
        variable.set(&from_lead(world, variable.as_tensor())?)?;
    }
    let progress = world.lead_value(progress)?;
    let mut state: BTreeMap<String, Tensor> = optimiser.state().into_iter().collect();
    for tensor in state.values_mut() {
        *tensor = from_lead(world, tensor)?;
    }
    if let Some((_, variable)) = variables.first() {
        optimiser.restore(&state.into_iter().collect(), progress.optimiser_steps(), variable.device())?;
    }
    Ok(progress)
}

fn from_lead(world: &World, tensor: &Tensor) -> Result<Tensor> {
    let mut values = values(tensor)?;
    world.broadcast(0, &mut values);
    Ok(Tensor::from_vec(values, tensor.shape(), tensor.device())?)
}

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn a_part_may_lack_a_variable_and_no_part_reaches_the_last() {
        let vector = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
        let named = |name: &str| (name.to_owned(), Var::from_tensor(&vector(&[0.0, 0.0])).unwrap());
        let variables = ["a", "b", "c"].map(named);
        let part = |name: &str, values: &[f32]| (name.to_owned(), vector(values));
        let parts = vec![
            Gradients::from([part("a", &[1.0, 2.0])]),
            Gradients::from([part("a", &[0.5, 0.5]), part("b", &[3.0, 4.0])]),
        ];
        let sum = sum_in_order(&World::single(), &variables, parts, &[0, 0]).unwrap();
        let found: Vec<(&str, Vec<f32>)> = sum.iter().map(|(n, t)| (n.as_str(), t.to_vec1().unwrap())).collect();
        assert_eq!(found, [("a", vec![1.5, 2.5]), ("b", vec![3.0, 4.0])]);
    }
}
