//! What a run writes so that it can go on: weights, optimiser state, step.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};

use crate::optimiser::Optimiser;
use crate::{Error, Result};

const WEIGHTS: &str = "weights.safetensors";
const OPTIMISER: &str = "optimiser.safetensors";
const PROGRESS: &str = "progress.json";

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Optimiser steps made.
    pub step: u64,
    /// Seconds of training so far, over all sessions of the run.
    pub seconds: f64,
}

/// Writes a checkpoint folder beside the old one and then takes its place.
///
/// # Errors
/// When the disk refuses; the old checkpoint is then still whole.
pub fn save(folder: &Path, variables: &[(String, Var)], optimiser: &Optimiser, progress: Progress) -> Result<()> {
    let fresh = folder.with_extension("new");
    let file = |source| Error::File { path: folder.to_owned(), source };
    std::fs::create_dir_all(&fresh).map_err(file)?;
    let weights: HashMap<String, Tensor> = variables.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
    candle_core::safetensors::save(&weights, fresh.join(WEIGHTS))?;
    candle_core::safetensors::save(&optimiser.state(), fresh.join(OPTIMISER))?;
    let text = serde_json::to_string(&progress).map_err(|e| file(e.into()))?;
    std::fs::write(fresh.join(PROGRESS), text).map_err(file)?;
    let old = folder.with_extension("old");
    if folder.exists() {
        std::fs::rename(folder, &old).map_err(file)?;
    }
    std::fs::rename(&fresh, folder).map_err(file)?;
    if old.exists() {
        std::fs::remove_dir_all(&old).map_err(file)?;
    }
    Ok(())
}

/// Loads a checkpoint into `variables` and `optimiser`. A folder that a crash left renamed to `.old` is found too.
///
/// # Errors
/// When a variable is missing or of another shape.
pub fn load(
    folder: &Path,
    variables: &[(String, Var)],
    optimiser: &mut Optimiser,
    device: &Device,
) -> Result<Progress> {
    let folder = if folder.exists() { folder.to_owned() } else { folder.with_extension("old") };
    let weights = candle_core::safetensors::load(folder.join(WEIGHTS), device)?;
    for (name, variable) in variables {
        let found = weights.get(name);
        if found.map(Tensor::shape) != Some(variable.shape()) {
            return Err(Error::Checkpoint {
                path: folder.join(WEIGHTS),
                expected: format!("{name} of shape {:?}", variable.shape()),
                found: found.map_or_else(|| "nothing".to_owned(), |t| format!("{:?}", t.shape())),
            });
        }
        if let Some(tensor) = found {
            variable.set(tensor)?;
        }
    }
    let progress = read_progress(&folder.join(PROGRESS))?;
    optimiser.restore(&candle_core::safetensors::load(folder.join(OPTIMISER), device)?, progress.step, device)?;
    Ok(progress)
}

/// Whether there is a checkpoint to resume from.
pub fn exists(folder: &Path) -> bool {
    folder.join(PROGRESS).exists() || folder.with_extension("old").join(PROGRESS).exists()
}

fn read_progress(path: &PathBuf) -> Result<Progress> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.clone(), source })?;
    serde_json::from_str(&text).map_err(|e| Error::Config { path: path.clone(), reason: e.to_string() })
}
