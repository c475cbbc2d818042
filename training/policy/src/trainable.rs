//! A network with what of it is trained: every weight, or a LoRA adapter over frozen ones.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Error, Result, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use processor::config::ModelConfig;

use crate::checkpoint::{load_varmap, named_vars, save_safetensors};
use crate::{Adapter, Compute, LoraSettings, Qwen25Vl, init};

/// The weights of a hub checkpoint with a single file.
const WEIGHTS: &str = "model.safetensors";

/// What is trained.
#[derive(Clone, Debug, PartialEq)]
pub enum Trained {
    /// Every weight.
    Everything,
    /// A LoRA adapter over frozen weights, fresh from this seed.
    Adapter(LoraSettings, u64),
    /// The LoRA adapter that this folder holds in PEFT's format, over frozen weights.
    AdapterIn(PathBuf),
}

impl Trained {
    /// What a recipe asks for: the adapter in a folder, a new one, or neither.
    #[must_use]
    pub fn chosen(adapter: Option<&Path>, lora: Option<&LoraSettings>, seed: u64) -> Self {
        match (adapter, lora) {
            (Some(dir), _) => Self::AdapterIn(dir.to_owned()),
            (None, Some(lora)) => Self::Adapter(lora.clone(), seed),
            (None, None) => Self::Everything,
        }
    }

    /// Whether it is an adapter.
    #[must_use]
    pub fn is_adapter(&self) -> bool {
        *self != Self::Everything
    }

    /// Name, shape and beginning of the variables that are trained in the network of `config`.
    ///
    /// # Errors
    /// When the adapter can't be read, or does not fit the network.
    pub fn weights(&self, config: &ModelConfig) -> Result<Vec<init::Weight>> {
        match self {
            Self::Everything => Ok(init::weights(config)),
            Self::Adapter(settings, _) => Adapter::weights(config, settings),
            Self::AdapterIn(dir) => Adapter::weights(config, &LoraSettings::read(dir)?),
        }
    }
}

/// A network whose variables are trained. Its views share their weights.
pub struct Trainable {
    config: ModelConfig,
    weights: BTreeMap<String, Var>,
    adapter: Option<Adapter>,
    /// Whether the starting policy is the network with the adapter off.
    starts_bare: bool,
    compute: Compute,
}

impl Trainable {
    /// The checkpoint in `dir`.
    ///
    /// # Errors
    /// When a weight is missing or has another shape, or the adapter does not fit.
    pub fn load(dir: &Path, trained: &Trained, compute: &Compute) -> Result<Self> {
        let config = ModelConfig::from_dir(dir).map_err(Error::wrap)?;
        let (single, device) = (dir.join(WEIGHTS), &compute.device);
        let held = held_in(trained.is_adapter(), compute);
        let vars = load_varmap(if single.is_file() { &single } else { dir }, held, device)?;
        init::check(&config, &vars)?;
        let adapter = match trained {
            Trained::Everything => None,
            Trained::Adapter(settings, seed) => Some(Adapter::fresh(&config, settings.clone(), *seed, device)?),
            Trained::AdapterIn(dir) => Some(Adapter::read(dir, &config, device)?),
        };
        let starts_bare = matches!(trained, Trained::Adapter(..));
        Ok(Self { adapter, starts_bare, ..Self::new(&config, &vars, compute) })
    }

    /// A network of `config` with new weights from `seed`, all of them trained.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn fresh(config: &ModelConfig, seed: u64, compute: &Compute) -> Result<Self> {
        Ok(Self::new(config, &init::fresh(config, seed, &compute.device)?, compute))
    }

    fn new(config: &ModelConfig, vars: &VarMap, compute: &Compute) -> Self {
        let mut all = named_vars(vars);
        let names = init::weights(config).into_iter().map(|(name, ..)| name);
        let weights = names.filter_map(|name| all.remove_entry(&name)).collect();
        Self { config: config.clone(), weights, adapter: None, starts_bare: false, compute: compute.clone() }
    }

    /// The network whose gradients reach [`Self::variables`].
    ///
    /// # Errors
    /// When a weight has another shape than the network's.
    pub fn trained(&self) -> Result<Qwen25Vl> {
        match &self.adapter {
            None => self.view(None, |var| Ok(var.as_tensor().clone())),
            adapter => self.view(adapter.as_ref(), |var| Ok(var.as_detached_tensor())),
        }
    }

    /// The trained network without gradients, as it is at any moment.
    ///
    /// # Errors
    /// As [`Self::trained`].
    pub fn behaviour(&self) -> Result<Qwen25Vl> {
        self.view(self.adapter.as_ref().map(Adapter::detached).as_ref(), |var| Ok(var.as_detached_tensor()))
    }

    /// The network as it is before the first update, whatever is learnt later: the adapter off or as it was read, or a
    /// copy of every weight.
    ///
    /// # Errors
    /// As [`Self::trained`], or when the device has no room.
    pub fn reference(&self) -> Result<Qwen25Vl> {
        match &self.adapter {
            None => self.view_in(self.compute.dtype, None, |var| var.as_detached_tensor().copy()),
            Some(_) if self.starts_bare => self.view(None, |var| Ok(var.as_detached_tensor())),
            Some(adapter) => self.view(Some(&adapter.frozen()?), |var| Ok(var.as_detached_tensor())),
        }
    }

    /// The network over its weights as they are held: cast, they would no longer follow updates.
    fn view(&self, adapter: Option<&Adapter>, tensor: impl Fn(&Var) -> Result<Tensor>) -> Result<Qwen25Vl> {
        self.view_in(held_in(self.adapter.is_some(), &self.compute), adapter, tensor)
    }

    fn view_in(
        &self,
        weights: DType,
        adapter: Option<&Adapter>,
        tensor: impl Fn(&Var) -> Result<Tensor>,
    ) -> Result<Qwen25Vl> {
        let tensors = self.weights.iter().map(|(name, var)| Ok((name.clone(), tensor(var)?)));
        let tensors = tensors.collect::<Result<HashMap<_, _>>>()?;
        let Compute { device, dtype } = &self.compute;
        let builder = VarBuilder::from_tensors(tensors, weights, device);
        Ok(Qwen25Vl::with_adapter(&self.config, builder, adapter)?.computing_in(*dtype))
    }

    /// What is trained, by name.
    #[must_use]
    pub fn variables(&self) -> &BTreeMap<String, Var> {
        self.adapter.as_ref().map_or(&self.weights, Adapter::named_vars)
    }

    /// Writes what is trained into `dir`: `model.safetensors`, or the adapter in PEFT's format over `base`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, dir: &Path, base: &Path) -> Result<()> {
        std::fs::create_dir_all(dir)?;
        match &self.adapter {
            Some(adapter) => adapter.write(dir, &base.to_string_lossy()),
            None => save_safetensors(&self.weights, &dir.join(WEIGHTS)),
        }
    }
}

/// The type of the network's own weights: trained ones are f32, those under an adapter as coarse as activations.
fn held_in(under_adapter: bool, compute: &Compute) -> DType {
    if under_adapter { compute.dtype } else { DType::F32 }
}
