//! A directory that appears complete or not at all.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::trt_profile;

/// The file that marks a finished export of the `ort` profile; `trt_profile.json` marks the other's.
pub(crate) const MARKER: &str = "genai_config.json";

/// An output directory being filled beside its final place; dropped without `publish`, it vanishes.
pub(crate) struct Staging {
    staged: TempDir,
    target: PathBuf,
    parent: PathBuf,
}

impl Staging {
    /// Starts filling what will become `target`; creates missing parents.
    ///
    /// # Errors
    /// `OutputOccupied` if something that is not an earlier export stands there, `Io`.
    pub fn begin(target: &Path) -> Result<Self> {
        refuse_occupied(target)?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        std::fs::create_dir_all(&parent).map_err(Error::io(&parent))?;
        let staged = staging_dir(&parent)?;
        Ok(Self { staged, target: target.to_path_buf(), parent })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        self.staged.path()
    }

    /// Moves the filled directory to its place; an earlier export there is replaced.
    pub fn publish(self) -> Result<()> {
        refuse_occupied(&self.target)?;
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

fn refuse_occupied(target: &Path) -> Result<()> {
    if !target.exists() {
        return Ok(());
    }
    let empty = || target.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    if [MARKER, trt_profile::FILE].iter().any(|marker| target.join(marker).is_file()) || empty() {
        return Ok(());
    }
    Err(Error::OutputOccupied { path: target.to_path_buf() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpublished_directory_vanishes() {
        let parent = tempfile::tempdir().unwrap();
        let staging = Staging::begin(&parent.path().join("onnx")).unwrap();
        std::fs::write(staging.path().join(MARKER), "{}").unwrap();
        drop(staging);
        assert_eq!(parent.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn publish_replaces_an_earlier_export_only() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("onnx");
        for text in ["first", "second"] {
            let staging = Staging::begin(&target).unwrap();
            std::fs::write(staging.path().join(MARKER), text).unwrap();
            staging.publish().unwrap();
        }
        assert_eq!(std::fs::read_to_string(target.join(MARKER)).unwrap(), "second");
        assert_eq!(parent.path().read_dir().unwrap().count(), 1);
        std::fs::remove_file(target.join(MARKER)).unwrap();
        std::fs::write(target.join("thesis.tex"), "").unwrap();
        assert!(matches!(Staging::begin(&target), Err(Error::OutputOccupied { .. })));
    }
}
