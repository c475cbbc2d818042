//! The network in its three roles: the policy that is trained, the same weights for rollouts, and the reference policy.

use std::path::Path;

use candle_core::Var;
use policy::{Compute, Qwen25Vl, Trainable};

use crate::Result;

pub use policy::Trained;

/// Three views of one network. The first two share their weights.
pub struct Policies {
    /// Gradients reach its variables.
    pub trained: Qwen25Vl,
    /// The trained policy without gradients, as it is at any moment.
    pub behaviour: Qwen25Vl,
    /// The starting policy: with LoRA the same weights with the adapter off, or as it was read; else a frozen copy.
    pub reference: Option<Qwen25Vl>,
    /// What is trained, by name, sorted.
    pub variables: Vec<(String, Var)>,
    trainable: Trainable,
}

impl Policies {
    /// Reads the checkpoint in `dir`; `reference` says whether a reference policy will be asked.
    ///
    /// # Errors
    /// When a weight is missing or has another shape, or the adapter does not fit.
    pub fn load(dir: &Path, trained: &Trained, reference: bool, compute: &Compute) -> Result<Self> {
        let trainable = Trainable::load(dir, trained, compute)?;
        Ok(Self {
            trained: trainable.trained()?,
            behaviour: trainable.behaviour()?,
            reference: reference.then(|| trainable.reference()).transpose()?,
            variables: trainable.variables().iter().map(|(name, var)| (name.clone(), var.clone())).collect(),
            trainable,
        })
    }

    /// Whether any variable belongs to the vision tower.
    #[must_use]
    pub fn trains_vision(&self) -> bool {
        self.variables.iter().any(|(name, _)| name.contains("visual."))
    }

    /// Number of trained parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.variables.iter().map(|(_, variable)| variable.elem_count()).sum()
    }

    /// Writes what was trained into `dir`: `model.safetensors`, or the adapter in PEFT's format over `base`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, dir: &Path, base: &Path) -> Result<()> {
        Ok(self.trainable.write(dir, base)?)
    }
}
