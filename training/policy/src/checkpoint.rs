//! Weights on disk: safetensors with the names of hub checkpoints.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::PoisonError;

use candle_core::{DType, Device, Result, Tensor, Var, bail};
use candle_nn::VarMap;

/// The hub name of a weight that transformers 5 may have written with nested prefixes.
///
/// `model.visual.x` → `visual.x`, `model.language_model.x` → `model.x`, all else as it is.
#[must_use]
pub fn hub_name(name: &str) -> String {
    if name.starts_with("model.visual.") {
        return name["model.".len()..].to_owned();
    }
    match name.strip_prefix("model.language_model.") {
        Some(rest) => format!("model.{rest}"),
        None => name.to_owned(),
    }
}

/// The name that transformers 4.52 and later give what a hub checkpoint calls `name`; [`hub_name`]'s inverse.
#[must_use]
pub fn nested_name(name: &str) -> String {
    match name.strip_prefix("model.") {
        Some(rest) => format!("model.language_model.{rest}"),
        None if name.starts_with("visual.") => format!("model.{name}"),
        None => name.to_owned(),
    }
}

/// Where the weights of a model directory lie whose graphs read them too.
const SHARED: &str = "onnx/model.safetensors";

/// All weights of a safetensors file, or of every `*.safetensors` in a folder, under their hub names; where a folder has
/// none, those that its graphs read in `onnx`.
///
/// # Errors
/// When nothing is there or a file is not safetensors.
pub fn load_tensors(path: &Path, dtype: DType, device: &Device) -> Result<HashMap<String, Tensor>> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path)?.collect::<std::io::Result<Vec<_>>>()?;
        files = entries.into_iter().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "safetensors"));
        files.sort();
        if files.is_empty() {
            files.extend(Some(path.join(SHARED)).filter(|shared| shared.is_file()));
        }
    }
    if files.is_empty() {
        bail!("expected *.safetensors in {}, found none", path.display());
    }
    let mut tensors = HashMap::new();
    for file in files {
        for (name, tensor) in candle_core::safetensors::load(&file, device)? {
            tensors.insert(hub_name(&name), tensor.to_dtype(dtype)?);
        }
    }
    Ok(tensors)
}

/// Trainable variables from a checkpoint: build the model with `VarBuilder::from_varmap`.
///
/// A weight that the checkpoint lacks would silently be made up by that builder: check with [`crate::init::check`].
///
/// # Errors
/// See [`load_tensors`].
pub fn load_varmap(path: &Path, dtype: DType, device: &Device) -> Result<VarMap> {
    let vars = VarMap::new();
    for (name, tensor) in load_tensors(path, dtype, device)? {
        insert(&vars, name, Var::from_tensor(&tensor)?);
    }
    Ok(vars)
}

/// Adds or replaces a variable.
pub(crate) fn insert(vars: &VarMap, name: String, var: Var) {
    vars.data().lock().unwrap_or_else(PoisonError::into_inner).insert(name, var);
}

/// All variables by name, sorted: an order that does not change between runs.
#[must_use]
pub fn named_vars(vars: &VarMap) -> BTreeMap<String, Var> {
    let data = vars.data().lock().unwrap_or_else(PoisonError::into_inner);
    data.iter().map(|(name, var)| (name.clone(), var.clone())).collect()
}

/// Writes variables under their names, sorted.
///
/// # Errors
/// When the file cannot be written.
pub fn save_safetensors<'a, N>(variables: impl IntoIterator<Item = (N, &'a Var)>, path: &Path) -> Result<()>
where
    N: AsRef<str> + Ord + std::fmt::Display,
{
    let tensors = variables.into_iter().map(|(name, var)| (name, var.as_tensor().clone()));
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize_to_file(tensors, Some(format), path).map_err(candle_core::Error::wrap)
}
