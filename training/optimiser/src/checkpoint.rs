//! What a run writes so that it can go on: weights, optimiser state, progress.
//!
//! A checkpoint is a folder that appears whole or not at all, also where the power is cut: files and folders are on the
//! disk before they get their names. A run keeps one ([`save`] over the old one) or the last few ([`save_step`]); where
//! the newest can't be read all the same, [`load_newest`] takes the one before.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor, Var};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Optimiser, Result};

const WEIGHTS: &str = "weights.safetensors";
const OPTIMISER: &str = "optimiser.safetensors";
const PROGRESS: &str = "progress.json";
/// What the folders of [`save_step`] begin with.
const STEP: &str = "step-";

/// Where a run stands.
pub trait Progress: Serialize + DeserializeOwned {
    /// Updates that the optimiser has made.
    fn optimiser_steps(&self) -> u64;
}

/// Writes a checkpoint folder beside the old one and then takes its place.
///
/// # Errors
/// When the disk refuses; the old checkpoint is then still whole.
pub fn save(folder: &Path, variables: &[(String, Var)], optimiser: &Optimiser, progress: &impl Progress) -> Result<()> {
    let fresh = folder.with_extension("new");
    let file = |source| Error::File { path: folder.to_owned(), source };
    std::fs::create_dir_all(&fresh).map_err(file)?;
    let weights: HashMap<String, Tensor> = variables.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
    candle_core::safetensors::save(&weights, fresh.join(WEIGHTS))?;
    candle_core::safetensors::save(&optimiser.state(), fresh.join(OPTIMISER))?;
    let text = serde_json::to_string(progress).map_err(|e| file(e.into()))?;
    std::fs::write(fresh.join(PROGRESS), text).map_err(file)?;
    for name in [WEIGHTS, OPTIMISER, PROGRESS] {
        sync(&fresh.join(name))?;
    }
    sync(&fresh)?;
    let old = folder.with_extension("old");
    if folder.exists() {
        std::fs::rename(folder, &old).map_err(file)?;
    }
    std::fs::rename(&fresh, folder).map_err(file)?;
    sync(folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    if old.exists() {
        std::fs::remove_dir_all(&old).map_err(file)?;
    }
    Ok(())
}

/// Brings a file, or the names in a folder, onto the disk.
fn sync(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|source| Error::File { path: path.to_owned(), source })
}

/// Writes the checkpoint of a step into `run`, and removes all but the last `keep`.
///
/// # Errors
/// When the disk refuses; the earlier checkpoints are then still there.
pub fn save_step(
    run: &Path,
    keep: usize,
    variables: &[(String, Var)],
    optimiser: &Optimiser,
    progress: &impl Progress,
) -> Result<()> {
    let folder = run.join(format!("{STEP}{:08}", progress.optimiser_steps()));
    save(&folder, variables, optimiser, progress)?;
    let mut old = steps(run)?;
    old.truncate(old.len().saturating_sub(keep.max(1)));
    old.into_iter().try_for_each(|(_, folder)| {
        std::fs::remove_dir_all(&folder).map_err(|source| Error::File { path: folder.clone(), source })
    })
}

/// Loads the newest checkpoint that [`save_step`] has finished in `run`; `None` where there is none. One that can't be
/// read is passed over for the one before, with a warning.
///
/// # Errors
/// When the folder can't be read, a checkpoint is of another model, or none of several can be read: then what is wrong
/// with the newest.
pub fn load_newest<P: Progress>(
    run: &Path,
    variables: &[(String, Var)],
    optimiser: &mut Optimiser,
    device: &Device,
) -> Result<Option<P>> {
    let mut unreadable = None;
    for (_, folder) in steps(run)?.into_iter().rev() {
        match load(&folder, variables, optimiser, device) {
            Ok(progress) => return Ok(Some(progress)),
            // The ones before are of that model, too.
            Err(error @ Error::Checkpoint { .. }) => return Err(error),
            Err(error) => {
                tracing::warn!("{}: this checkpoint is passed over: {error}", folder.display());
                unreadable.get_or_insert(error);
            }
        }
    }
    unreadable.map_or(Ok(None), Err)
}

/// The finished checkpoints of a run, oldest first.
fn steps(run: &Path) -> Result<Vec<(u64, PathBuf)>> {
    if !run.exists() {
        return Ok(Vec::new());
    }
    let file = |source| Error::File { path: run.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(run).map_err(file)? {
        let path = entry.map_err(file)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // A folder that a crash left unfinished ends in `.new`, which is no number.
        if let Some(step) = name.strip_prefix(STEP).and_then(|step| step.parse().ok()) {
            found.push((step, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Loads a checkpoint into `variables` and `optimiser`. A folder that a crash left renamed to `.old` is found too.
///
/// # Errors
/// When a variable is missing or of another shape.
pub fn load<P: Progress>(
    folder: &Path,
    variables: &[(String, Var)],
    optimiser: &mut Optimiser,
    device: &Device,
) -> Result<P> {
    let folder = if folder.exists() { folder.to_owned() } else { folder.with_extension("old") };
    let weights = read_tensors(&folder.join(WEIGHTS), device)?;
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
    let progress: P = read_progress(&folder.join(PROGRESS))?;
    let state = read_tensors(&folder.join(OPTIMISER), device)?;
    optimiser.restore(&state, progress.optimiser_steps(), device)?;
    Ok(progress)
}

/// Whether there is a checkpoint to resume from.
pub fn exists(folder: &Path) -> bool {
    folder.join(PROGRESS).exists() || folder.with_extension("old").join(PROGRESS).exists()
}

fn read_progress<P: Progress>(path: &Path) -> Result<P> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|e| Error::Unreadable { path: path.to_owned(), reason: e.to_string() })
}

fn read_tensors(path: &Path, device: &Device) -> Result<HashMap<String, Tensor>> {
    let read = candle_core::safetensors::load(path, device);
    read.map_err(|e| Error::Unreadable { path: path.to_owned(), reason: e.to_string() })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::AdamWSettings;

    #[derive(Serialize, Deserialize)]
    struct Steps {
        made: u64,
    }

    impl Progress for Steps {
        fn optimiser_steps(&self) -> u64 {
            self.made
        }
    }

    #[test]
    fn the_last_few_are_kept_and_unfinished_ones_passed_over() {
        let run = tempfile::tempdir().unwrap();
        let variables = [("w".to_owned(), Var::new(&[1f32, 2.0], &Device::Cpu).unwrap())];
        let mut optimiser = Optimiser::new(&variables, AdamWSettings::default(), None, 1).unwrap();
        for step in [8, 9, 10] {
            variables[0].1.set(&Tensor::new(&[step as f32, 0.0], &Device::Cpu).unwrap()).unwrap();
            save_step(run.path(), 2, &variables, &optimiser, &Steps { made: step }).unwrap();
        }
        std::fs::create_dir(run.path().join("step-00000011.new")).unwrap();
        let found: Vec<u64> = steps(run.path()).unwrap().into_iter().map(|(step, _)| step).collect();
        assert_eq!(found, [9, 10]);
        let mut newest = || {
            variables[0].1.set(&Tensor::new(&[0f32, 0.0], &Device::Cpu).unwrap()).unwrap();
            let progress: Option<Steps> = load_newest(run.path(), &variables, &mut optimiser, &Device::Cpu)?;
            Ok::<_, Error>(progress.map(|Steps { made }| (made, variables[0].1.to_vec1::<f32>().unwrap())))
        };
        assert_eq!(newest().unwrap(), Some((10, vec![10.0, 0.0])));
        // Whatever of it is torn, the one before is taken.
        let torn = run.path().join("step-00000010");
        for name in [WEIGHTS, OPTIMISER, PROGRESS] {
            let whole = std::fs::read(torn.join(name)).unwrap();
            for broken in [&whole[..whole.len() / 2], &[]] {
                std::fs::write(torn.join(name), broken).unwrap();
                assert_eq!(newest().unwrap(), Some((9, vec![9.0, 0.0])), "{name}");
            }
            std::fs::remove_file(torn.join(name)).unwrap();
            assert_eq!(newest().unwrap(), Some((9, vec![9.0, 0.0])), "no {name}");
            std::fs::write(torn.join(name), whole).unwrap();
        }
        assert_eq!(newest().unwrap(), Some((10, vec![10.0, 0.0])));
        for step in ["step-00000009", "step-00000010"] {
            std::fs::write(run.path().join(step).join(WEIGHTS), "torn").unwrap();
        }
        assert!(newest().unwrap_err().to_string().contains("step-00000010"));
        std::fs::remove_dir_all(run.path().join("step-00000010")).unwrap();
        std::fs::remove_dir_all(run.path().join("step-00000009")).unwrap();
        assert_eq!(newest().unwrap(), None);
    }

    #[test]
    fn a_checkpoint_of_another_model_is_an_error_and_no_reason_to_go_back() {
        let run = tempfile::tempdir().unwrap();
        let variables = |size: usize| [("w".to_owned(), Var::from_vec(vec![0f32; size], size, &Device::Cpu).unwrap())];
        let optimiser = |of: &[(String, Var)]| Optimiser::new(of, AdamWSettings::default(), None, 1).unwrap();
        for (step, size) in [(1, 2), (2, 3)] {
            let variables = variables(size);
            save_step(run.path(), 2, &variables, &optimiser(&variables), &Steps { made: step }).unwrap();
        }
        let small = variables(2);
        let loaded = load_newest::<Steps>(run.path(), &small, &mut optimiser(&small), &Device::Cpu);
        assert!(matches!(loaded, Err(Error::Checkpoint { .. })));
    }
}
