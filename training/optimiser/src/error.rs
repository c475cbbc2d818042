//! What can go wrong between two steps.

use std::path::PathBuf;

/// The error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// Ranks could not speak to each other.
    #[error(transparent)]
    Ranks(#[from] parallel::Error),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file of a checkpoint can't be read: it is cut off or broken.
    #[error("{path}: expected a whole file of a checkpoint, found {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint does not fit the model.
    #[error("{path}: expected {expected}, found {found}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What the model needs.
        expected: String,
        /// What the file holds.
        found: String,
    },
}

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
