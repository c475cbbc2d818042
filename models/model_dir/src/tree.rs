//! The list of files in a directory, and what they were when they were verified.

use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::files::{digest_file, kind};
use crate::manifest::FileDigest;

/// Most files of a model directory.
const MOST_FILES: usize = 10_000;

/// Digests of every file under `dir` but `skip`, by relative path; hidden files and directories are left out.
pub(crate) fn digest_tree(dir: &Path, skip: &str) -> Result<BTreeMap<String, FileDigest>> {
    let mut digests = BTreeMap::new();
    for name in list_files(dir)? {
        if name != skip {
            let digest = digest_file(&dir.join(&name))?;
            digests.insert(name, digest);
        }
    }
    Ok(digests)
}

/// Relative paths of every file under `dir`, with `/` between parts; hidden files and directories are left out.
///
/// # Errors
/// `NotRegular` for a link to a folder, which may lead in circles, and for what is neither file nor folder; `TooMany`,
/// `Io`.
pub(crate) fn list_files(dir: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut pending = vec![(dir.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = pending.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let entry = entry.map_err(Error::io(&folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            match look_at(&entry)? {
                Entry::Folder => pending.push((entry.path(), format!("{prefix}{name}/"))),
                Entry::File => files.push(format!("{prefix}{name}")),
            }
            if files.len() + pending.len() > MOST_FILES {
                return Err(Error::TooMany { path: dir.to_path_buf(), most: MOST_FILES });
            }
        }
    }
    files.sort();
    Ok(files)
}

enum Entry {
    File,
    Folder,
}

fn look_at(entry: &DirEntry) -> Result<Entry> {
    let path = entry.path();
    let own = entry.metadata().map_err(Error::io(&path))?;
    if own.is_dir() {
        return Ok(Entry::Folder);
    }
    if !own.is_symlink() && own.is_file() {
        return Ok(Entry::File);
    }
    match path.metadata() {
        Ok(target) if target.is_file() => Ok(Entry::File),
        Ok(target) if target.is_dir() => Err(Error::NotRegular { path, found: "a link to a folder" }),
        Ok(target) => Err(Error::NotRegular { path, found: kind(&target) }),
        Err(source) => Err(Error::Io { path, source }),
    }
}

/// What the files of a directory were at one moment, as far as that is told without reading them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamps {
    files: Vec<(PathBuf, Option<Stamp>)>,
}

/// Device, inode, length, and time of the last change of its content in seconds and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Stamps {
    pub(crate) fn of(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { files: Vec::new() }.and(files)
    }

    /// These and those of `files` now.
    pub(crate) fn and(mut self, files: impl IntoIterator<Item = PathBuf>) -> Self {
        self.files.extend(files.into_iter().map(|path| {
            let found = stamp(&path);
            (path, found)
        }));
        self
    }

    /// The first file that is another one now, or gone. Reads no file.
    pub fn changed(&self) -> Option<&Path> {
        let changed = self.files.iter().find(|(path, before)| stamp(path) != *before);
        changed.map(|(path, _)| path.as_path())
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = path.metadata().ok()?;
    let (device, inode) = (found.dev(), found.ino());
    Some(Stamp { device, inode, length: found.len(), changed: (found.mtime(), found.mtime_nsec()) })
}
