//! A directory that appears complete or not at all.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{Error, Result};

/// An output directory being filled beside its final place; dropped without [`Staging::publish`], it vanishes.
#[derive(Debug)]
pub struct Staging {
    staged: TempDir,
    target: PathBuf,
    parent: PathBuf,
    markers: &'static [&'static str],
}

impl Staging {
    /// Starts filling what will become `target`; creates missing parents. A directory that stands there will be replaced
    /// if it is empty or holds a file named by `markers`.
    ///
    /// # Errors
    /// [`Error::OutputOccupied`] if anything else stands there, [`Error::Io`].
    pub fn begin(target: &Path, markers: &'static [&'static str]) -> Result<Self> {
        refuse_occupied(target, markers)?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        std::fs::create_dir_all(&parent).map_err(Error::io(&parent))?;
        let staged = staging_dir(&parent)?;
        Ok(Self { staged, target: target.to_path_buf(), parent, markers })
    }

    /// Where to write.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.staged.path()
    }

    /// Moves the filled directory to its place; what stood there is deleted.
    ///
    /// # Errors
    /// As [`Staging::begin`]; what stood there stays then.
    pub fn publish(self) -> Result<()> {
        refuse_occupied(&self.target, self.markers)?;
        // The old export leaves first and is deleted with `retired`; between the two renames nothing opens.
        let retired = staging_dir(&self.parent)?;
        let old = retired.path().join("old");
        if self.target.exists() {
            std::fs::rename(&self.target, &old).map_err(Error::io(&self.target))?;
        }
        if let Err(source) = std::fs::rename(self.staged.path(), &self.target) {
            if old.exists() {
                std::fs::rename(&old, &self.target).map_err(Error::io(&self.target))?;
            }
            return Err(Error::Io { path: self.target, source });
        }
        // Nothing is left under the staging name, so there is nothing for the guard to delete.
        let _moved = self.staged.keep();
        Ok(())
    }
}

fn staging_dir(parent: &Path) -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".onnx_export-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o755));
    }
    builder.tempdir_in(parent).map_err(Error::io(parent))
}

fn refuse_occupied(target: &Path, markers: &[&str]) -> Result<()> {
    if !target.exists() {
        return Ok(());
    }
    let empty = || target.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    if markers.iter().any(|marker| target.join(marker).is_file()) || empty() {
        return Ok(());
    }
    Err(Error::OutputOccupied { path: target.to_path_buf() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKERS: &[&str] = &["marker.json"];

    #[test]
    fn unpublished_directory_vanishes() {
        let parent = tempfile::tempdir().unwrap();
        let staging = Staging::begin(&parent.path().join("onnx"), MARKERS).unwrap();
        std::fs::write(staging.path().join(MARKERS[0]), "{}").unwrap();
        drop(staging);
        assert_eq!(parent.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn publish_replaces_an_earlier_export_only() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("onnx");
        for text in ["first", "second"] {
            let staging = Staging::begin(&target, MARKERS).unwrap();
            std::fs::write(staging.path().join(MARKERS[0]), text).unwrap();
            staging.publish().unwrap();
        }
        assert_eq!(std::fs::read_to_string(target.join(MARKERS[0])).unwrap(), "second");
        assert_eq!(parent.path().read_dir().unwrap().count(), 1);
        std::fs::remove_file(target.join(MARKERS[0])).unwrap();
        std::fs::write(target.join("thesis.tex"), "").unwrap();
        assert!(matches!(Staging::begin(&target, MARKERS), Err(Error::OutputOccupied { .. })));
    }
}
