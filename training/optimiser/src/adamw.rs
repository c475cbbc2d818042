//! AdamW (Loshchilov & Hutter, arXiv 1711.05101) over named variables, with a state that can be written and read.
//!
//! `candle_nn::AdamW` keeps its moments private, so a run could not be resumed from it.

use std::collections::{BTreeMap, HashMap};

use candle_core::{Device, Tensor, Var};

use crate::Result;
use crate::gradients::Gradients;

/// The constants of AdamW.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWSettings {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay; applied to matrices only, never to norms and biases.
    pub weight_decay: f64,
}

impl Default for AdamWSettings {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weight_decay: 0.02 }
    }
}

struct Slot {
    variable: Var,
    first: Tensor,
    second: Tensor,
}

/// AdamW with one slot per variable.
pub struct AdamW {
    settings: AdamWSettings,
    slots: BTreeMap<String, Slot>,
    steps: u64,
}

impl AdamW {
    /// Fresh moments for `variables`.
    pub fn new(variables: &[(String, Var)], settings: AdamWSettings) -> Result<Self> {
        let mut slots = BTreeMap::new();
        for (name, variable) in variables {
            let zeros = variable.as_tensor().zeros_like()?;
            let slot = Slot { variable: variable.clone(), first: zeros.clone(), second: zeros };
            slots.insert(name.clone(), slot);
        }
        Ok(Self { settings, slots, steps: 0 })
    }

    /// How many updates were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// One update with learning rate `rate`. A variable without a gradient is left as it is.
    pub fn step(&mut self, gradients: &Gradients, rate: f64) -> Result<()> {
        self.steps += 1;
        let s = self.settings;
        let correction1 = 1.0 - s.beta1.powi(self.steps as i32);
        let correction2 = 1.0 - s.beta2.powi(self.steps as i32);
        for (name, slot) in &mut self.slots {
            let Some(gradient) = gradients.get(name) else { continue };
            slot.first = ((&slot.first * s.beta1)? + (gradient * (1.0 - s.beta1))?)?;
            slot.second = ((&slot.second * s.beta2)? + (gradient.sqr()? * (1.0 - s.beta2))?)?;
            let denominator = ((&slot.second / correction2)?.sqrt()? + s.epsilon)?;
            let update = ((&slot.first / correction1)? / denominator)?;
            let weights = slot.variable.as_tensor().detach();
            let decay = if weights.rank() >= 2 { s.weight_decay } else { 0.0 };
            let next = ((&weights * (1.0 - rate * decay))? - (update * rate)?)?;
            slot.variable.set(&next)?;
        }
        Ok(())
    }

    /// The moments as tensors named `first.<variable>` and `second.<variable>`.
    pub fn state(&self) -> HashMap<String, Tensor> {
        let pairs = self.slots.iter().flat_map(|(name, slot)| {
            [(format!("first.{name}"), slot.first.clone()), (format!("second.{name}"), slot.second.clone())]
        });
        pairs.collect()
    }

    /// Takes back what [`AdamW::state`] gave after `steps` updates. Unknown names are ignored, missing ones left.
    pub fn restore(&mut self, state: &HashMap<String, Tensor>, steps: u64, device: &Device) -> Result<()> {
        self.steps = steps;
        for (name, slot) in &mut self.slots {
            for (part, moment) in [("first", &mut slot.first), ("second", &mut slot.second)] {
                if let Some(tensor) = state.get(&format!("{part}.{name}")) {
                    *moment = tensor.to_device(device)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(values: &[f32]) -> (String, Var) {
        ("w".to_owned(), Var::new(values, &Device::Cpu).unwrap())
    }

    #[test]
    fn first_step_moves_by_the_rate_against_the_sign() {
        let w = variable(&[1.0, -2.0]);
        let mut adam = AdamW::new(std::slice::from_ref(&w), AdamWSettings::default()).unwrap();
        let gradient = Tensor::new(&[0.5f32, -4.0], &Device::Cpu).unwrap();
        adam.step(&Gradients::from([("w".to_owned(), gradient)]), 0.1).unwrap();
        let moved = w.1.to_vec1::<f32>().unwrap();
        assert!((moved[0] - 0.9).abs() < 1e-4 && (moved[1] + 1.9).abs() < 1e-4, "{moved:?}");
    }

    #[test]
    fn restored_state_continues_bit_for_bit() {
        let gradient = |x: f32| Gradients::from([("w".to_owned(), Tensor::new(&[x, -x], &Device::Cpu).unwrap())]);
        let straight = variable(&[1.0, 2.0]);
        let mut one = AdamW::new(std::slice::from_ref(&straight), AdamWSettings::default()).unwrap();
        one.step(&gradient(0.3), 0.01).unwrap();
        let halfway = straight.1.to_vec1::<f32>().unwrap();
        let (state, steps) = (one.state(), one.steps());
        one.step(&gradient(0.7), 0.01).unwrap();

        let resumed = variable(&halfway);
        let mut two = AdamW::new(std::slice::from_ref(&resumed), AdamWSettings::default()).unwrap();
        two.restore(&state, steps, &Device::Cpu).unwrap();
        two.step(&gradient(0.7), 0.01).unwrap();
        assert_eq!(straight.1.to_vec1::<f32>().unwrap(), resumed.1.to_vec1::<f32>().unwrap());
    }
}
