//! What every trainer needs besides a loss: the update of named variables, and checkpoints that a run resumes from.
//!
//! - [`Optimiser`]: [`AdamW`](adamw), and [Muon](muon) for the matrices of hidden layers where it is given a rate;
//! - [`gradients`]: adding and clipping; [`schedule`]: the learning rate over a run;
//! - [`ranges`]: whether a recipe's numbers can be meant;
//! - [`ranks`]: the same over the processes of a run;
//! - [`checkpoint`]: weights, optimiser state and progress, written so that a crash loses nothing.

pub mod adamw;
pub mod checkpoint;
mod error;
pub mod gradients;
pub mod muon;
pub mod ranges;
pub mod ranks;
pub mod schedule;

use std::collections::HashMap;

use candle_core::{Device, Tensor, Var};

use adamw::AdamW;
use muon::Muon;

pub use adamw::AdamWSettings;
pub use error::{Error, Result};
pub use gradients::{Gradients, accumulate, clip_global_norm, named_gradients};
pub use schedule::{Schedule, ScheduleKind};

/// AdamW for all variables, or for those that Muon does not take.
pub struct Optimiser {
    adamw: AdamW,
    muon: Muon,
    /// Muon's learning rate over AdamW's.
    matrix_rate: f64,
}

/// Whether Muon may have a variable: a matrix between hidden layers, not an embedding, an input or an output layer.
fn is_hidden_matrix(name: &str, variable: &Var) -> bool {
    variable.rank() == 2 && [".blocks.", ".layers.", ".merger."].iter().any(|part| name.contains(part))
}

impl Optimiser {
    /// Fresh state. `matrix_rate` is Muon's learning rate over AdamW's; without it AdamW has everything.
    pub fn new(
        variables: &[(String, Var)],
        settings: AdamWSettings,
        matrix_rate: Option<f64>,
        threads: usize,
    ) -> Result<Self> {
        let of_muon = |(name, variable): &&(String, Var)| matrix_rate.is_some() && is_hidden_matrix(name, variable);
        let matrices: Vec<_> = variables.iter().filter(of_muon).cloned().collect();
        let others: Vec<_> = variables.iter().filter(|pair| !of_muon(pair)).cloned().collect();
        Ok(Self {
            adamw: AdamW::new(&others, settings)?,
            muon: Muon::new(&matrices, settings.weight_decay, threads)?,
            matrix_rate: matrix_rate.unwrap_or(1.0),
        })
    }

    /// One update with AdamW's learning rate `rate`. A variable without a gradient is left as it is.
    pub fn step(&mut self, gradients: &Gradients, rate: f64) -> Result<()> {
        self.adamw.step(gradients, rate)?;
        Ok(self.muon.step(gradients, rate * self.matrix_rate)?)
    }

    /// Moments and momenta by name.
    pub fn state(&self) -> HashMap<String, Tensor> {
        let mut state = self.adamw.state();
        state.extend(self.muon.state());
        state
    }

    /// Takes back what [`Optimiser::state`] gave after `steps` updates. Unknown names are ignored, missing ones left.
    pub fn restore(&mut self, state: &HashMap<String, Tensor>, steps: u64, device: &Device) -> Result<()> {
        self.adamw.restore(state, steps, device)?;
        Ok(self.muon.restore(state, device)?)
    }
}
