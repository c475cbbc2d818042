//! The network in its three roles: the policy that is trained, the same weights for rollouts, and the reference policy.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::VarBuilder;
use policy::{Adapter, LoraSettings, Qwen25Vl, checkpoint, init};
use processor::config::ModelConfig;

use crate::{Error, Result};

/// The weights of a hub checkpoint with a single file.
const WEIGHTS: &str = "model.safetensors";

/// Three views of one network. The first two share their weights.
pub struct Policies {
    /// Gradients reach its variables.
    pub trained: Qwen25Vl,
    /// The trained policy without gradients, as it is at any moment.
    pub behaviour: Qwen25Vl,
    /// The starting policy: with LoRA the same weights with the adapter off, else a frozen copy.
    pub reference: Option<Qwen25Vl>,
    /// What is trained, by name, sorted.
    pub variables: Vec<(String, Var)>,
    adapter: Option<Adapter>,
}

/// What is trained.
#[derive(Clone, Debug, PartialEq)]
pub enum Trained {
    /// Every weight.
    Everything,
    /// A LoRA adapter over frozen weights, fresh from this seed.
    Adapter(LoraSettings, u64),
}

impl Policies {
    /// Reads the checkpoint in `dir`; `reference` says whether a reference policy will be asked.
    ///
    /// # Errors
    /// When a weight is missing or has another shape, or the adapter does not fit.
    pub fn load(dir: &Path, trained: &Trained, reference: bool, device: &Device) -> Result<Self> {
        let config = ModelConfig::from_dir(dir)?;
        let single = dir.join(WEIGHTS);
        let path = if single.is_file() { single.as_path() } else { dir };
        let vars = checkpoint::load_varmap(path, device)?;
        init::check(&config, &vars)?;
        let all = checkpoint::named_vars(&vars);
        let view = |of: &dyn Fn(&Var) -> candle_core::Result<Tensor>| -> Result<VarBuilder<'static>> {
            let tensors: candle_core::Result<HashMap<String, Tensor>> =
                all.iter().map(|(name, var)| Ok((name.clone(), of(var)?))).collect();
            Ok(VarBuilder::from_tensors(tensors?, DType::F32, device))
        };
        let frozen = view(&|var| Ok(var.as_detached_tensor()))?;
        match trained {
            Trained::Everything => {
                let copy = reference.then(|| view(&|var| var.as_detached_tensor().copy())).transpose()?;
                let names: Vec<String> = init::weights(&config).into_iter().map(|(name, ..)| name).collect();
                Ok(Self {
                    trained: Qwen25Vl::new(&config, VarBuilder::from_varmap(&vars, DType::F32, device))?,
                    behaviour: Qwen25Vl::new(&config, frozen)?,
                    reference: copy.map(|copy| Qwen25Vl::new(&config, copy)).transpose()?,
                    variables: all
                        .iter()
                        .filter(|(n, _)| names.contains(n))
                        .map(|(n, v)| (n.clone(), v.clone()))
                        .collect(),
                    adapter: None,
                })
            }
            Trained::Adapter(settings, seed) => {
                let adapter = Adapter::fresh(&config, settings.clone(), *seed, device)?;
                let over = |adapter: &Adapter| Qwen25Vl::with_adapter(&config, frozen.clone(), Some(adapter));
                Ok(Self {
                    trained: over(&adapter)?,
                    behaviour: over(&adapter.detached())?,
                    reference: reference.then(|| Qwen25Vl::new(&config, frozen.clone())).transpose()?,
                    variables: adapter.named_vars().iter().map(|(n, v)| (n.clone(), v.clone())).collect(),
                    adapter: Some(adapter),
                })
            }
        }
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
        std::fs::create_dir_all(dir).map_err(|source| Error::File { path: dir.to_owned(), source })?;
        if let Some(adapter) = &self.adapter {
            return Ok(adapter.write(dir, &base.to_string_lossy())?);
        }
        let weights = self.variables.iter().map(|(name, variable)| (name.as_str(), variable.as_tensor().clone()));
        Ok(candle_core::safetensors::save(&weights.collect::<HashMap<_, _>>(), dir.join(WEIGHTS))?)
    }
}
