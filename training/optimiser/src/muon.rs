//! Muon: momentum whose direction is made orthogonal, for the weight matrices of hidden layers.
//!
//! Source: Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>; the update's size and the decoupled weight
//! decay are those of Liu et al., arXiv 2502.16982, so that its learning rate is comparable with AdamW's.

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor, Var};

use crate::Gradients;

/// Decay of the momentum (Nesterov).
const MOMENTUM: f64 = 0.95;
/// Root mean square of an update at learning rate 1, AdamW's usual one.
const UPDATE_RMS: f64 = 0.2;
/// Newton–Schulz iterations and the quintic's coefficients: singular values end between 0.7 and 1.2.
const ITERATIONS: usize = 5;
const QUINTIC: (f64, f64, f64) = (3.4445, -4.7750, 2.0315);

struct Slot {
    name: String,
    variable: Var,
    momentum: Tensor,
}

/// Muon with one slot per matrix.
pub struct Muon {
    weight_decay: f64,
    threads: usize,
    slots: Vec<Slot>,
}

impl Muon {
    /// Fresh momentum for `variables`, which must be matrices. `threads` share the work of a step.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn new(variables: &[(String, Var)], weight_decay: f64, threads: usize) -> Result<Self> {
        let slot = |(name, variable): &(String, Var)| {
            let momentum = variable.as_tensor().zeros_like()?;
            Ok(Slot { name: name.clone(), variable: variable.clone(), momentum })
        };
        Ok(Self { weight_decay, threads, slots: variables.iter().map(slot).collect::<Result<_>>()? })
    }

    /// One update with learning rate `rate`. A matrix without a gradient is left as it is.
    ///
    /// # Errors
    /// When shapes disagree.
    pub fn step(&mut self, gradients: &Gradients, rate: f64) -> Result<()> {
        let decay = self.weight_decay;
        let share = self.slots.len().div_ceil(self.threads.max(1)).max(1);
        std::thread::scope(|scope| {
            let update = |slots| scope.spawn(move || update_all(slots, gradients, rate, decay));
            let workers: Vec<_> = self.slots.chunks_mut(share).map(update).collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    /// The momenta as tensors named `momentum.<variable>`.
    pub fn state(&self) -> HashMap<String, Tensor> {
        self.slots.iter().map(|slot| (key(slot), slot.momentum.clone())).collect()
    }

    /// Takes back what [`Muon::state`] gave. Unknown names are ignored, missing ones left.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn restore(&mut self, state: &HashMap<String, Tensor>, device: &Device) -> Result<()> {
        for slot in &mut self.slots {
            if let Some(tensor) = state.get(&key(slot)) {
                slot.momentum = tensor.to_device(device)?;
            }
        }
        Ok(())
    }
}

fn key(slot: &Slot) -> String {
    format!("momentum.{}", slot.name)
}

fn update_all(slots: &mut [Slot], gradients: &Gradients, rate: f64, decay: f64) -> Result<()> {
    for slot in slots {
        let Some(gradient) = gradients.get(&slot.name) else { continue };
        slot.momentum = ((&slot.momentum * MOMENTUM)? + (gradient * (1.0 - MOMENTUM))?)?;
        let ahead = ((&slot.momentum * MOMENTUM)? + (gradient * (1.0 - MOMENTUM))?)?;
        let (rows, columns) = ahead.dims2()?;
        let size = UPDATE_RMS * (rows.max(columns) as f64).sqrt();
        let weights = slot.variable.as_tensor().detach();
        let next = ((&weights * (1.0 - rate * decay))? - (orthogonal(&ahead)? * (rate * size))?)?;
        slot.variable.set(&next)?;
    }
    Ok(())
}

/// About U·Vᵀ of `matrix` = U·S·Vᵀ, by Newton–Schulz iterations.
fn orthogonal(matrix: &Tensor) -> Result<Tensor> {
    let (rows, columns) = matrix.dims2()?;
    let tall = rows > columns;
    let wide = if tall { matrix.t()?.contiguous()? } else { matrix.clone() };
    let norm = f64::from(wide.sqr()?.sum_all()?.to_scalar::<f32>()?).sqrt();
    let mut x = (wide / (norm + 1e-7))?;
    let (a, b, c) = QUINTIC;
    for _ in 0..ITERATIONS {
        let gram = x.matmul(&x.t()?)?;
        let polynomial = ((&gram * b)? + (gram.matmul(&gram)? * c)?)?;
        x = ((&x * a)? + polynomial.matmul(&x)?)?;
    }
    if tall { x.t()?.contiguous() } else { Ok(x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_update_are_about_orthonormal() {
        let values: Vec<f32> = (0..6 * 9).map(|i| ((i * i * 7 + 3 * i) % 23) as f32 - 11.0).collect();
        for shape in [(6, 9), (9, 6)] {
            let x = orthogonal(&Tensor::from_vec(values.clone(), shape, &Device::Cpu).unwrap()).unwrap();
            let x = if shape.0 > shape.1 { x.t().unwrap() } else { x };
            let gram: Vec<Vec<f32>> = x.matmul(&x.t().unwrap()).unwrap().to_vec2().unwrap();
            for (i, row) in gram.iter().enumerate() {
                for (j, value) in row.iter().enumerate() {
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((value - expected).abs() < 0.55, "({i}, {j}): {value}");
                }
            }
        }
    }

    #[test]
    fn a_step_has_the_stated_size_whatever_the_gradient_scale() {
        let gradient = Tensor::new(&[[1e-4f32, 2e-4], [-3e-4, 1e-4]], &Device::Cpu).unwrap();
        let variable = Var::zeros((2, 2), candle_core::DType::F32, &Device::Cpu).unwrap();
        let named = [("w".to_owned(), variable.clone())];
        let mut muon = Muon::new(&named, 0.0, 2).unwrap();
        muon.step(&Gradients::from([("w".to_owned(), gradient)]), 0.1).unwrap();
        let moved = variable.as_tensor().sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
        assert!((0.7..1.25).contains(&(moved / 0.02)), "root mean square {moved}, expected about 0.02");
    }
}
