//! Folders that a command is given, here or in an object store.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use storage::RemoteFolder;

/// Where a run is written: a local folder, and what it is a copy of.
pub struct RunFolder {
    local: PathBuf,
    remote: Option<RemoteFolder>,
    /// Held as long as the run goes on.
    _lock: Option<File>,
}

impl RunFolder {
    /// Opens a folder, or a URL's local copy after bringing it up to date. `writes`: whether this process will write
    /// there; then no other may, as long as this one lives. One that does not needs no copy.
    pub fn open(path: &Path, writes: bool) -> Result<Self> {
        if !writes {
            return Ok(Self { local: path.to_owned(), remote: None, _lock: None });
        }
        if !storage::is_url(path) {
            return Ok(Self { local: path.to_owned(), remote: None, _lock: lock(path)? });
        }
        let remote = RemoteFolder::open(&path.to_string_lossy())?;
        let _lock = lock(&remote.local_copy(&cache()?))?;
        let (remote, local, _) = fetched(path)?;
        Ok(Self { local, remote: Some(remote), _lock })
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

/// Makes a folder that this process alone writes; `None` where the file system has no locks.
fn lock(folder: &Path) -> Result<Option<File>> {
    let writable = || format!("{}: expected a folder that can be written", folder.display());
    std::fs::create_dir_all(folder).with_context(writable)?;
    tempfile::tempfile_in(folder).with_context(writable)?;
    let file = File::open(folder).with_context(writable)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => bail!(
            "{}: expected a folder that no other run writes, found one at work there; wait for its end, or name another",
            folder.display()
        ),
        Err(TryLockError::Error(error)) => {
            tracing::warn!(%error, "{}: can't be locked; no other run may write there", folder.display());
            Ok(None)
        }
    }
}

/// Says before the work whether a file can be written at its end.
///
/// # Errors
/// When it is a folder, or there is none that it can be written into.
pub fn check_writable(path: &Path) -> Result<()> {
    ensure!(!path.is_dir(), "{}: expected the name of a file, found a folder", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let probe = tempfile::tempfile_in(folder);
    probe.map(drop).with_context(|| format!("{}: expected a file in a folder that can be written", path.display()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_its_folder_for_itself() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("runs/one");
        let first = RunFolder::open(&folder, true).unwrap();
        let error = RunFolder::open(&folder, true).map(drop).unwrap_err().to_string();
        assert!(error.contains("runs/one") && error.contains("no other run"), "{error}");
        RunFolder::open(&folder, false).unwrap();
        drop(first);
        RunFolder::open(&folder, true).unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is left there");
    }

    #[test]
    fn what_can_not_be_written_is_said_before_the_work() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("file");
        check_writable(&file).unwrap();
        std::fs::write(&file, "x").unwrap();
        for wrong in [scratch.path().to_owned(), scratch.path().join("no/page.html"), file.join("page.html")] {
            assert!(check_writable(&wrong).unwrap_err().to_string().contains(&wrong.display().to_string()));
        }
        assert!(RunFolder::open(&file, true).is_err());
        check_writable(Path::new("answers.jsonl")).unwrap();
    }
}
