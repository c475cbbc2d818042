//! A LoRA adapter in PEFT's format: W + (alpha / r) · B · A, merged into the weights as they are read or kept apart.
//!
//! `adapter_config.json` gives rank and alpha (`use_rslora` divides by √r); `adapter_model.safetensors` holds
//! `base_model.model.<module>.lora_A.weight` [r, in] and `lora_B.weight` [out, r] for each adapted linear layer.
//! Reference: PEFT's `LoraConfig` and `save_pretrained`. What can't be merged exactly here (DoRA, trained biases, whole
//! modules saved, ranks by pattern) is refused.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::{SafeTensors, tensor::TensorView};
use serde_json::Value;

use crate::checkpoint::hub_name;
use crate::error::{Error, Result};
use crate::weight::Weight;

/// What an adapter adds to one weight [out, in]: B · A.
#[derive(Clone, Debug, PartialEq)]
pub struct LowRank {
    out: usize,
    input: usize,
    a: Vec<f32>,
    b: Vec<f32>,
}

impl LowRank {
    /// Shape [out, in] of the weight it belongs to.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        [self.out, self.input]
    }

    /// r, the inner dimension.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.b.len() / self.out.max(1)
    }

    /// A, [r, in], row-major.
    #[must_use]
    pub fn a(&self) -> &[f32] {
        &self.a
    }

    /// B, [out, r], row-major, scaled by alpha / r.
    #[must_use]
    pub fn b(&self) -> &[f32] {
        &self.b
    }

    /// Adds row `row` from column `first` on.
    pub(crate) fn add(&self, row: usize, first: usize, values: &mut [f32]) {
        let rank = self.rank();
        for (b, a) in self.b[row * rank..(row + 1) * rank].iter().zip(self.a.chunks_exact(self.input)) {
            values.iter_mut().zip(&a[first..]).for_each(|(value, a)| *value += b * a);
        }
    }
}

/// Reads the adapter in `dir`; what it adds by hub name of the weight (`model.layers.0.self_attn.q_proj.weight`).
///
/// # Errors
/// [`Error::Io`], [`Error::Json`], [`Error::Safetensors`], [`Error::Adapter`] for what is not a plain LoRA,
/// [`Error::Shape`], [`Error::Dtype`], [`Error::NotFinite`].
pub fn read_adapter(dir: &Path) -> Result<BTreeMap<String, LowRank>> {
    let config_path = dir.join("adapter_config.json");
    let text = std::fs::read_to_string(&config_path).map_err(Error::io(&config_path))?;
    let config: Value = serde_json::from_str(&text).map_err(Error::json(&config_path))?;
    let refuse = |expected: &str, found: String| Error::Adapter {
        path: config_path.clone(),
        expected: expected.to_owned(),
        found,
    };
    let scale = scale(&config).map_err(|(expected, found)| refuse(expected, found))?;
    let path = dir.join("adapter_model.safetensors");
    let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
    let tensors =
        SafeTensors::deserialize(&bytes).map_err(|source| Error::Safetensors { path: path.clone(), source })?;
    let (mut down, mut up) = (BTreeMap::new(), BTreeMap::new());
    for (name, view) in tensors.iter() {
        let part = name.strip_prefix("base_model.model.").and_then(|rest| {
            rest.strip_suffix(".lora_A.weight")
                .map(|module| (module, true))
                .or_else(|| rest.strip_suffix(".lora_B.weight").map(|module| (module, false)))
        });
        let Some((module, is_down)) = part else {
            return Err(refuse("tensors base_model.model.*.lora_{A,B}.weight only", name.to_owned()));
        };
        let values = values(name, &view)?;
        if is_down { &mut down } else { &mut up }.insert(format!("{}.weight", hub_name(module)), values);
    }
    let mut deltas = BTreeMap::new();
    for (name, (a, [rank, input])) in down {
        let Some((mut b, [out, found])) = up.remove(&name) else {
            return Err(refuse("lora_B beside every lora_A", format!("none for {name}")));
        };
        if found != rank {
            return Err(Error::Shape {
                name: format!("{name} lora_B"),
                expected: vec![out, rank],
                found: vec![out, found],
            });
        }
        b.iter_mut().for_each(|value| *value *= scale);
        deltas.insert(name, LowRank { out, input, a, b });
    }
    match up.keys().next() {
        Some(name) => Err(refuse("lora_A beside every lora_B", format!("none for {name}"))),
        None => Ok(deltas),
    }
}

/// alpha / r, or what was expected and found.
fn scale(config: &Value) -> std::result::Result<f32, (&'static str, String)> {
    let text = |key: &str| config[key].to_string();
    let is_unset = |key: &str| match &config[key] {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(word) => word == "none",
        _ => false,
    };
    if config["peft_type"] != "LORA" {
        return Err(("peft_type \"LORA\"", text("peft_type")));
    }
    for key in ["use_dora", "modules_to_save", "rank_pattern", "alpha_pattern", "bias", "fan_in_fan_out"] {
        if !is_unset(key) {
            return Err((
                "a plain LoRA (no use_dora, modules_to_save, rank_pattern, alpha_pattern, bias)",
                format!("{key} {}", text(key)),
            ));
        }
    }
    let (Some(rank), Some(alpha)) = (config["r"].as_u64().filter(|&rank| rank > 0), config["lora_alpha"].as_f64())
    else {
        return Err(("r ≥ 1 and lora_alpha", format!("r {}, lora_alpha {}", text("r"), text("lora_alpha"))));
    };
    let rank = rank as f64;
    let divisor = if config["use_rslora"] == Value::Bool(true) { rank.sqrt() } else { rank };
    Ok((alpha / divisor) as f32)
}

fn values(name: &str, view: &TensorView) -> Result<(Vec<f32>, [usize; 2])> {
    let &[rows, columns] = view.shape() else {
        return Err(Error::Shape { name: name.to_owned(), expected: vec![0, 0], found: view.shape().to_vec() });
    };
    Error::check_float(name, view.dtype())?;
    let weight = Weight { name, dtype: view.dtype(), shape: view.shape(), bytes: view.data(), offset: 0, delta: None };
    let mut values = vec![0.0; rows * columns];
    for (row, out) in values.chunks_exact_mut(columns.max(1)).enumerate() {
        weight.read(row, 0, out)?;
    }
    Ok((values, [rows, columns]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_delta_is_the_product() {
        let delta = LowRank { out: 2, input: 3, a: vec![1.0, 2.0, 3.0, 10.0, 20.0, 30.0], b: vec![1.0, 0.0, 0.5, 2.0] };
        let mut row = [100.0, 100.0];
        delta.add(1, 1, &mut row);
        assert_eq!(row, [100.0 + 0.5 * 2.0 + 2.0 * 20.0, 100.0 + 0.5 * 3.0 + 2.0 * 30.0]);
    }

    #[test]
    fn rank_alpha_and_what_is_not_plain() {
        let plain = json!({ "peft_type": "LORA", "r": 16, "lora_alpha": 8, "bias": "none" });
        assert_eq!(scale(&plain), Ok(0.5));
        let mut other = plain.clone();
        other["use_rslora"] = json!(true);
        assert_eq!(scale(&other), Ok(2.0));
        for (key, value) in
            [("use_dora", json!(true)), ("bias", json!("all")), ("r", json!(0)), ("peft_type", json!("IA3"))]
        {
            let mut other = plain.clone();
            other[key] = value;
            assert!(scale(&other).is_err(), "{key}");
        }
    }
}
