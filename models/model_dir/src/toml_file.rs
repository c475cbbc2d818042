//! Reading and writing the directory's TOML files.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ModelDirError, Result};

/// Reads a file; an absent one has an error of its own.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ModelDirError::Missing { path: path.to_owned() },
        _ => ModelDirError::File { path: path.to_owned(), source },
    })?;
    toml::from_str(&text).map_err(|e| ModelDirError::Format { path: path.to_owned(), reason: e.to_string() })
}

/// Writes a file beside its place and moves it there.
pub(crate) fn write<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let reason = |e: toml::ser::Error| ModelDirError::Format { path: path.to_owned(), reason: e.to_string() };
    let text = toml::to_string_pretty(value).map_err(reason)?;
    let fresh = path.with_extension("toml.new");
    let file = |source| ModelDirError::File { path: path.to_owned(), source };
    std::fs::write(&fresh, text).map_err(file)?;
    std::fs::rename(&fresh, path).map_err(file)
}
