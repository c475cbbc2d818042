//! Low-rank adapters (LoRA, <https://arxiv.org/abs/2106.09685>): W + (alpha / rank) · B · A with W frozen.
//!
//! Names, files and initialisation are those of PEFT (`LoraConfig`, `save_pretrained`): A uniform in ±1/√in, B zero, so
//! that a fresh adapter changes nothing.

mod file;

use std::collections::BTreeMap;

use candle_core::{Device, Result, Var, bail};
use candle_nn::VarMap;
use processor::config::ModelConfig;
use serde::{Deserialize, Serialize};

use crate::checkpoint::named_vars;
use crate::init::{self, Init};
use crate::projection::LowRank;

/// What PEFT puts before the name of an adapted layer.
const PREFIX: &str = "base_model.model.";
const A: &str = ".lora_A.weight";
const B: &str = ".lora_B.weight";

/// Size and place of an adapter.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LoraSettings {
    /// Inner dimension, PEFT's `r`.
    pub rank: usize,
    /// Numerator of the scale, PEFT's `lora_alpha`.
    pub alpha: f64,
    /// Ends of the names of adapted layers, PEFT's `target_modules`: `q_proj`, or `self_attn.q_proj`.
    pub targets: Vec<String>,
}

/// An adapter over one network.
pub struct Adapter {
    settings: LoraSettings,
    /// By name, as [`Adapter::named_vars`] gives them.
    variables: BTreeMap<String, Var>,
    trained: bool,
}

impl Adapter {
    /// A new adapter, which changes nothing yet; the same for the same seed.
    ///
    /// # Errors
    /// As [`Self::weights`], or when the device has no room.
    pub fn fresh(config: &ModelConfig, settings: LoraSettings, seed: u64, device: &Device) -> Result<Self> {
        let vars = VarMap::new();
        init::add(&vars, &Self::weights(config, &settings)?, seed, device)?;
        Ok(Self { settings, variables: named_vars(&vars), trained: true })
    }

    /// Name, shape and beginning of the variables of an adapter over the network of `config`.
    ///
    /// # Errors
    /// When the rank is 0, or a target is no linear layer of the network.
    pub fn weights(config: &ModelConfig, settings: &LoraSettings) -> Result<Vec<init::Weight>> {
        if settings.rank == 0 {
            bail!("lora: expected a rank of at least 1, found 0");
        }
        let layers = linear_layers(config);
        let is_target = |layer: &str, target: &String| layer == target || layer.ends_with(&format!(".{target}"));
        for target in &settings.targets {
            if !layers.iter().any(|(layer, _)| is_target(layer, target)) {
                bail!("lora: expected the name of a linear layer such as q_proj, found {target:?}");
            }
        }
        let mut weights = Vec::new();
        for (layer, [outputs, inputs]) in layers {
            if settings.targets.iter().any(|target| is_target(&layer, target)) {
                let bound = 1.0 / (inputs as f64).sqrt();
                weights.push((format!("{PREFIX}{layer}{A}"), vec![settings.rank, inputs], Init::Uniform(bound)));
                weights.push((format!("{PREFIX}{layer}{B}"), vec![outputs, settings.rank], Init::Zeros));
            }
        }
        Ok(weights)
    }

    /// Its size and place.
    #[must_use]
    pub fn settings(&self) -> &LoraSettings {
        &self.settings
    }

    /// Its variables by name: PEFT's `base_model.model.<layer>.lora_{A,B}.weight` with the layer's hub name.
    #[must_use]
    pub fn named_vars(&self) -> &BTreeMap<String, Var> {
        &self.variables
    }

    /// The same variables for a network that no gradient is asked of; it follows their updates.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self { settings: self.settings.clone(), variables: self.variables.clone(), trained: false }
    }

    /// A copy that stays as this adapter is now.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn frozen(&self) -> Result<Self> {
        let copy = |(name, var): (&String, &Var)| Ok((name.clone(), Var::from_tensor(&var.as_detached_tensor())?));
        let variables = self.variables.iter().map(copy).collect::<Result<_>>()?;
        Ok(Self { settings: self.settings.clone(), variables, trained: false })
    }

    /// What it adds to the layer `name`.
    pub(crate) fn low_rank(&self, name: &str) -> Option<LowRank> {
        let part = |suffix| {
            let var = self.variables.get(&format!("{PREFIX}{name}{suffix}"))?;
            Some(if self.trained { var.as_tensor().clone() } else { var.as_detached_tensor() })
        };
        Some(LowRank { a: part(A)?, b: part(B)?, scale: self.settings.alpha / self.settings.rank as f64 })
    }
}

/// Name and [out, in] of every linear layer between the embeddings and the output.
fn linear_layers(config: &ModelConfig) -> Vec<(String, [usize; 2])> {
    let layer = |(name, shape, _): init::Weight| {
        let name = name.strip_suffix(".weight")?.to_owned();
        match shape[..] {
            [outputs, inputs] if name != "model.embed_tokens" => Some((name, [outputs, inputs])),
            _ => None,
        }
    };
    init::weights(config).into_iter().filter_map(layer).collect()
}
