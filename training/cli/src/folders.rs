//! Folders that a command is given, here or in an object store.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use storage::RemoteFolder;

/// Where a run is written: a local folder, and what it is a copy of.
pub struct RunFolder {
    local: PathBuf,
    remote: Option<RemoteFolder>,
}

impl RunFolder {
    /// Opens a folder, or a URL's local copy after bringing it up to date. `leads`: whether this process is the one that
    /// writes; the others need no copy.
    pub fn open(path: &Path, leads: bool) -> Result<Self> {
        if !storage::is_url(path) || !leads {
            return Ok(Self { local: path.to_owned(), remote: None });
        }
        let (remote, local, _) = fetched(path)?;
        Ok(Self { local, remote: Some(remote) })
    }

    /// The local folder.
    pub fn local(&self) -> &Path {
        &self.local
    }

    /// Puts up what was written, where the run is kept in a store.
    pub fn publish(&mut self) -> Result<()> {
        self.remote.as_mut().map_or(Ok(()), |remote| Ok(remote.put(&self.local)?))
    }
}

/// A folder to read: itself, or the local copy of a URL.
pub fn to_read(path: &Path) -> Result<PathBuf> {
    if !storage::is_url(path) {
        return Ok(path.to_owned());
    }
    let (_, local, files) = fetched(path)?;
    anyhow::ensure!(files > 0, storage::Error::Empty { url: path.display().to_string() });
    Ok(local)
}

fn fetched(url: &Path) -> Result<(RemoteFolder, PathBuf, usize)> {
    let mut remote = RemoteFolder::open(&url.to_string_lossy())?;
    let local = remote.local_copy(&cache()?);
    let files = remote.fetch(&local)?;
    tracing::info!(files, from = %url.display(), to = %local.display(), "fetched");
    Ok((remote, local, files))
}

/// A folder to write: itself, or an empty local folder that is put up to a URL when all is written.
pub fn to_write(path: &Path) -> Result<(PathBuf, Option<RemoteFolder>)> {
    if !storage::is_url(path) {
        return Ok((path.to_owned(), None));
    }
    let remote = RemoteFolder::open(&path.to_string_lossy())?;
    let local = remote.local_copy(&cache()?);
    if local.exists() {
        std::fs::remove_dir_all(&local).with_context(|| local.display().to_string())?;
    }
    Ok((local, Some(remote)))
}

fn cache() -> Result<PathBuf> {
    vlm::runtime::cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")
}
