//! What can be wrong with a model directory; every message names the file, what was expected and what was found.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A model directory that can't be used, and why.
#[derive(Debug, Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The model directory itself is not there.
    #[error("{path}: expected a model directory, found none")]
    NoDirectory {
        /// The path asked for.
        path: PathBuf,
    },
    /// A file of the layout, or one that the manifest lists, is absent.
    #[error("{path}: expected a file{}, found none", digest_clause(.expected))]
    MissingFile {
        /// The absent file.
        path: PathBuf,
        /// Its SHA-256 by the manifest, where it is listed.
        expected: Option<String>,
    },
    /// A folder, a FIFO, a socket or a device stands where a file is expected, or a link to a folder.
    #[error("{path}: expected a regular file, found {found}")]
    NotRegular {
        /// What stands there.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// A file is longer than one of its kind can be.
    #[error("{path}: expected at most {most} bytes, found {found}")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Most bytes of such a file.
        most: u64,
        /// Its bytes, or as many as were read.
        found: u64,
    },
    /// A file of text is not UTF-8.
    #[error("{path}: expected UTF-8 text, found other bytes at byte {at}")]
    Text {
        /// The file.
        path: PathBuf,
        /// Bytes before the first that is wrong.
        at: usize,
    },
    /// A directory holds more than a model has.
    #[error("{path}: expected a model directory of at most {most} files, found more")]
    TooMany {
        /// The directory.
        path: PathBuf,
        /// Most files.
        most: usize,
    },
    /// A TOML file does not parse, or has unknown or absent keys.
    #[error("{path}: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, column and reason.
        source: Box<toml::de::Error>,
    },
    /// A value can't be written as TOML.
    #[error("{path}: {source}")]
    Format {
        /// The file that was to be written.
        path: PathBuf,
        /// Reason.
        source: Box<toml::ser::Error>,
    },
    /// A file of tensors can't be read or written.
    #[error("{path}: {source}")]
    Tensors {
        /// The file.
        path: PathBuf,
        /// Reason.
        source: safetensors::SafeTensorError,
    },
    /// A value is out of its range.
    #[error("{path}: {key}: expected {expected}, found {found}")]
    Value {
        /// The file.
        path: PathBuf,
        /// Dotted key.
        key: String,
        /// The range.
        expected: &'static str,
        /// The value.
        found: String,
    },
    /// A file has another length than the manifest says.
    #[error("{path}: {}: expected {expected_bytes} bytes with sha256 {expected}, found {found_bytes} bytes with sha256 {found}", length_word(*.expected_bytes, *.found_bytes))]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes by the manifest.
        expected_bytes: u64,
        /// Bytes on the disk.
        found_bytes: u64,
        /// SHA-256 by the manifest, lower-case hexadecimal.
        expected: String,
        /// SHA-256 of the file, lower-case hexadecimal.
        found: String,
    },
    /// A file has the length of the manifest but other bytes.
    #[error("{path}: tampered or damaged: expected sha256 {expected}, found {found}")]
    Digest {
        /// The file.
        path: PathBuf,
        /// SHA-256 by the manifest, lower-case hexadecimal.
        expected: String,
        /// SHA-256 of the file, lower-case hexadecimal.
        found: String,
    },
    /// A file was written to, replaced or removed while the directory was read.
    #[error(
        "{path}: expected files that stay as they are while they are read, found this one changed meanwhile: try again"
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file lies in the directory that the manifest does not list.
    #[error("{path}: expected only files listed in manifest.toml, found this one unlisted")]
    Unlisted {
        /// The file.
        path: PathBuf,
    },
}

impl Error {
    /// Adapter for `map_err`: attaches `path` to an I/O error.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { path, source }
    }
}

fn digest_clause(expected: &Option<String>) -> String {
    expected.as_ref().map_or_else(String::new, |digest| format!(" with sha256 {digest}"))
}

fn length_word(expected: u64, found: u64) -> &'static str {
    if found < expected { "truncated" } else { "too long" }
}
