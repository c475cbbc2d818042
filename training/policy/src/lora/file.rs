//! `adapter_config.json` and `adapter_model.safetensors`, as PEFT writes and reads them.
//!
//! Layers are named as PEFT finds them in transformers 4.52 and later, `model.language_model.layers.0`; older files, with
//! `model.layers.0`, are read too.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Error, Result, bail};
use processor::config::ModelConfig;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Adapter, LoraSettings, PREFIX};
use crate::checkpoint::{hub_name, nested_name, save_safetensors};

const CONFIG: &str = "adapter_config.json";
const TENSORS: &str = "adapter_model.safetensors";

/// What of PEFT's `LoraConfig` a plain adapter has.
#[derive(Serialize, Deserialize)]
struct Config {
    peft_type: String,
    #[serde(default)]
    base_model_name_or_path: Option<String>,
    #[serde(default)]
    task_type: Option<String>,
    r: usize,
    lora_alpha: f64,
    #[serde(default)]
    lora_dropout: f64,
    target_modules: Vec<String>,
    #[serde(default = "none")]
    bias: String,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    fan_in_fan_out: bool,
    #[serde(default, skip_serializing)]
    rank_pattern: Option<HashMap<String, Value>>,
    #[serde(default, skip_serializing)]
    alpha_pattern: Option<HashMap<String, Value>>,
}

impl Config {
    /// Whether W + (alpha / r) · B · A with one rank and one scale is all there is to it.
    fn is_plain(&self) -> bool {
        let empty = |pattern: &Option<HashMap<String, Value>>| pattern.as_ref().is_none_or(HashMap::is_empty);
        self.peft_type == "LORA"
            && self.bias == none()
            && !(self.use_rslora || self.use_dora || self.fan_in_fan_out)
            && empty(&self.rank_pattern)
            && empty(&self.alpha_pattern)
    }
}

fn none() -> String {
    "none".to_owned()
}

/// An adapter's tensor with its layer named otherwise.
fn renamed(name: &str, layer: fn(&str) -> String) -> String {
    name.strip_prefix(PREFIX).map_or_else(|| name.to_owned(), |rest| format!("{PREFIX}{}", layer(rest)))
}

impl LoraSettings {
    /// Size and place of the adapter in `dir`.
    ///
    /// # Errors
    /// When it is no plain LoRA: another type, DoRA, rank-stabilised, with biases, with several ranks or scales.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(CONFIG);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::wrap(e).with_path(&path))?;
        let file: Config = serde_json::from_str(&text).map_err(|e| Error::wrap(e).with_path(&path))?;
        if !file.is_plain() {
            let not = "biases, use_rslora, use_dora, fan_in_fan_out, rank_pattern, alpha_pattern";
            bail!("{}: expected a plain LoRA (no {not})", path.display());
        }
        Ok(Self { rank: file.r, alpha: file.lora_alpha, targets: file.target_modules })
    }
}

impl Adapter {
    /// Writes the adapter into `dir`; `base_model` is what PEFT will look for as the base model's name or path.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, dir: &Path, base_model: &str) -> Result<()> {
        let config = Config {
            peft_type: "LORA".to_owned(),
            base_model_name_or_path: Some(base_model.to_owned()),
            task_type: Some("CAUSAL_LM".to_owned()),
            r: self.settings.rank,
            lora_alpha: self.settings.alpha,
            lora_dropout: 0.0,
            target_modules: self.settings.targets.clone(),
            bias: none(),
            use_rslora: false,
            use_dora: false,
            fan_in_fan_out: false,
            rank_pattern: None,
            alpha_pattern: None,
        };
        std::fs::create_dir_all(dir)?;
        std::fs::write(dir.join(CONFIG), serde_json::to_string_pretty(&config).map_err(Error::wrap)?)?;
        save_safetensors(self.variables.iter().map(|(name, var)| (renamed(name, nested_name), var)), &dir.join(TENSORS))
    }

    /// Reads an adapter over the network of `config` from `dir`.
    ///
    /// # Errors
    /// When it is no plain LoRA (another type, DoRA, rank-stabilised, with biases), or its tensors are not those of the
    /// layers that it names.
    pub fn read(dir: &Path, config: &ModelConfig, device: &Device) -> Result<Self> {
        let adapter = Self::fresh(config, LoraSettings::read(dir)?, 0, device)?;
        let path = dir.join(TENSORS);
        let tensors = candle_core::safetensors::load(&path, device)?.into_iter();
        let mut tensors: HashMap<_, _> = tensors.map(|(name, tensor)| (renamed(&name, hub_name), tensor)).collect();
        for (name, var) in &adapter.variables {
            match tensors.remove(name) {
                Some(tensor) if tensor.dims() == var.dims() => var.set(&tensor.to_dtype(var.dtype())?)?,
                Some(tensor) => {
                    bail!("{}: {name}: expected {:?}, found {:?}", path.display(), var.dims(), tensor.dims())
                }
                None => bail!("{}: expected {name}, found nothing", path.display()),
            }
        }
        match tensors.keys().next() {
            Some(name) => bail!("{}: {name} belongs to no layer that target_modules names", path.display()),
            None => Ok(adapter),
        }
    }
}
