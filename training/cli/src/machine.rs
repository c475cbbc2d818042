//! What a command needs of the machine that it runs on.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// Threads of candle's matrix product and of rayon; read at their start.
const THREADS: &str = "RAYON_NUM_THREADS";

/// A file of the cache folder that set-up scripts fill.
pub fn in_cache(name: &str) -> Result<PathBuf> {
    let folder = vlm::runtime::cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?;
    let path = folder.join(name);
    anyhow::ensure!(path.is_file(), "{}: not found; `make furniture-extra` builds it", path.display());
    Ok(path)
}

/// With several workers on this machine, `workers` in each rank, each works on one core; candle's own threads would only
/// contend. The setting is read once per process, so the process starts itself again with it.
pub fn give_each_worker_one_thread(workers: usize) -> Result<()> {
    if workers * parallel::ranks_on_this_machine() > 1 && std::env::var_os(THREADS).is_none() {
        let error = std::process::Command::new(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .env(THREADS, "1")
            .exec();
        return Err(error).context("starting again with one thread a worker");
    }
    Ok(())
}
