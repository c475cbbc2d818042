//! A folder of the store beside its local copy.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::store::Store;
use crate::{Error, Result};

/// The object that says which objects make up the folder. It is written last, so that a crash between two uploads leaves
/// the folder as it was; folders that others have filled have none.
const INDEX: &str = "spacer-files.json";

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Index {
    /// Sizes in bytes by name.
    files: BTreeMap<String, u64>,
}

/// An object of the store.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// Relative to the folder.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was put there.
    pub modified: SystemTime,
}

/// A folder under a URL.
pub struct RemoteFolder {
    url: String,
    store: Store,
    /// Size and time of change of the files that the store has as they are here.
    known: BTreeMap<String, (u64, SystemTime)>,
}

impl RemoteFolder {
    /// Opens `s3://bucket/folder`; nothing is read yet.
    ///
    /// # Errors
    /// When it is no such URL, or the environment does not name a usable store.
    pub fn open(url: &str) -> Result<Self> {
        Ok(Self { url: url.to_owned(), store: Store::open(url)?, known: BTreeMap::new() })
    }

    /// A folder of the cache for this URL's local copy.
    pub fn local_copy(&self, cache: &Path) -> PathBuf {
        let rest = self.url.trim_start_matches("s3://");
        let parts = rest.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
        parts.fold(cache.join("s3"), |path, part| path.join(part))
    }

    /// Brings the local copy up to date: fetches what is not there or older here, removes nothing. Returns the number of
    /// files that the folder has.
    ///
    /// # Errors
    /// When the store can't be read, an object is gone, or the disk refuses.
    pub fn fetch(&mut self, into: &Path) -> Result<usize> {
        let mut objects = self.store.list()?;
        match self.store.get(INDEX)? {
            Some(bytes) => {
                let Index { files } = self.read_index(&bytes)?;
                objects.retain(|object| files.contains_key(&object.name));
                if let Some(gone) = files.keys().find(|name| objects.iter().all(|object| object.name != **name)) {
                    return Err(self.not_an_index(format!("no object {gone:?}")));
                }
            }
            None => objects.retain(|object| object.name != INDEX),
        }
        for Object { name, size, modified } in &objects {
            let is_inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
            if !is_inside {
                return Err(self.not_an_index(format!("the name {name:?}")));
            }
            let path = into.join(name);
            let here = std::fs::metadata(&path).and_then(|found| found.modified()).ok();
            if here.is_none_or(|here| here < *modified) {
                self.fetch_file(name, *size, &path)?;
            }
            let found = std::fs::metadata(&path).map_err(io(&path))?;
            if found.len() == *size {
                self.known.insert(name.clone(), (*size, found.modified().map_err(io(&path))?));
            }
        }
        Ok(objects.len())
    }

    /// Fetches a file that appears whole or not at all.
    fn fetch_file(&self, name: &str, size: u64, path: &Path) -> Result<()> {
        let folder = path.parent().unwrap_or(path);
        std::fs::create_dir_all(folder).map_err(io(folder))?;
        // Processes of one run may fetch the same file.
        let fresh = path.with_extension(format!("fetched-{}", std::process::id()));
        let fetched = self.store.fetch(name, size, &fresh);
        let placed = fetched.and_then(|file| {
            file.sync_all().map_err(io(&fresh))?;
            std::fs::rename(&fresh, path).map_err(io(path))
        });
        if placed.is_err() {
            // What can't be removed is only left over.
            let _ = std::fs::remove_file(&fresh);
        }
        placed
    }

    /// Puts up what changed in the local copy since it was fetched or last put up, then the index, then removes what
    /// is in neither.
    ///
    /// # Errors
    /// When a file can't be read or the store refuses; the folder is then as it was, but for files that grow.
    pub fn put(&mut self, from: &Path) -> Result<()> {
        let mut index = Index::default();
        for (name, path) in files_of(from)? {
            let found = std::fs::metadata(&path).map_err(io(&path))?;
            index.files.insert(name.clone(), found.len());
            let state = (found.len(), found.modified().map_err(io(&path))?);
            if self.known.get(&name) != Some(&state) {
                self.store.put_file(&name, found.len(), &path)?;
                self.known.insert(name, state);
            }
        }
        let text = serde_json::to_vec_pretty(&index).map_err(|error| self.not_an_index(error.to_string()))?;
        self.store.put(INDEX, &text)?;
        let gone: Vec<String> = self.known.keys().filter(|name| !index.files.contains_key(*name)).cloned().collect();
        for name in gone {
            self.store.delete(&name)?;
            self.known.remove(&name);
        }
        Ok(())
    }

    fn read_index(&self, bytes: &[u8]) -> Result<Index> {
        serde_json::from_slice(bytes).map_err(|error| self.not_an_index(error.to_string()))
    }

    fn not_an_index(&self, found: String) -> Error {
        Error::Index { url: format!("{}/{INDEX}", self.url.trim_end_matches('/')), found }
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::Io { path, source }
}

/// Every file below a folder with its name relative to it, in order.
fn files_of(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let (mut files, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder_here) = open.pop() {
        for entry in std::fs::read_dir(&folder_here).map_err(io(&folder_here))? {
            let entry = entry.map_err(io(&folder_here))?;
            let path = entry.path();
            if entry.file_type().map_err(io(&path))?.is_dir() {
                open.push(path);
            } else if let Some(name) = path.strip_prefix(folder).ok().and_then(Path::to_str) {
                files.push((name.replace(std::path::MAIN_SEPARATOR, "/"), path));
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_relative_to_their_folder() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(scratch.path().join("b/step-1")).unwrap();
        std::fs::write(scratch.path().join("b/step-1/progress.json"), b"{}").unwrap();
        std::fs::write(scratch.path().join("a.txt"), b"a").unwrap();
        let names: Vec<String> = files_of(scratch.path()).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a.txt", "b/step-1/progress.json"]);
    }

    #[test]
    fn a_url_says_what_is_wrong_with_it() {
        assert!(crate::is_url(Path::new("s3://bucket/run")) && !crate::is_url(Path::new("runs/s3")));
        for url in ["s3://", "s3://bucket", "s3:///folder", "https://bucket/folder"] {
            let error = RemoteFolder::open(url).map(drop).unwrap_err().to_string();
            assert!(error.starts_with(url), "{error}");
        }
    }
}
