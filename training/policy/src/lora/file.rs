//! `adapter_config.json` and `adapter_model.safetensors`, as PEFT writes and reads them.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Error, Result, Tensor, bail};
use processor::config::ModelConfig;
use serde::{Deserialize, Serialize};

use super::{Adapter, LoraSettings};

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
}

fn none() -> String {
    "none".to_owned()
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
        };
        std::fs::create_dir_all(dir)?;
        std::fs::write(dir.join(CONFIG), serde_json::to_string_pretty(&config).map_err(Error::wrap)?)?;
        let tensors: Vec<(&String, Tensor)> = self.variables.iter().map(|(n, v)| (n, v.as_tensor().clone())).collect();
        let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize_to_file(tensors, Some(format), &dir.join(TENSORS)).map_err(Error::wrap)
    }

    /// Reads an adapter over the network of `config` from `dir`.
    ///
    /// # Errors
    /// When it is no plain LoRA (another type, DoRA, rank-stabilised, with biases), or its tensors are not those of the
    /// layers that it names.
    pub fn read(dir: &Path, config: &ModelConfig, device: &Device) -> Result<Self> {
        let path = dir.join(CONFIG);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::wrap(e).with_path(&path))?;
        let file: Config = serde_json::from_str(&text).map_err(|e| Error::wrap(e).with_path(&path))?;
        if file.peft_type != "LORA" || file.bias != none() || file.use_rslora || file.use_dora || file.fan_in_fan_out {
            bail!("{}: expected a plain LoRA (no biases, use_rslora, use_dora, fan_in_fan_out)", path.display());
        }
        let settings = LoraSettings { rank: file.r, alpha: file.lora_alpha, targets: file.target_modules };
        let adapter = Self::fresh(config, settings, 0, device)?;
        let path = dir.join(TENSORS);
        let mut tensors = candle_core::safetensors::load(&path, device)?;
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
