//! What can go wrong between here and an object store.

use std::path::PathBuf;

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such URL.
    #[error("{url}: expected s3://bucket/folder, found {found}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        found: String,
    },
    /// The store refused, or could not be reached.
    #[error("{url}: {reason}")]
    Store {
        /// The folder.
        url: String,
        /// What the client said.
        reason: String,
    },
    /// There is nothing under a URL that something was expected under.
    #[error("{url}: expected objects, found none")]
    Empty {
        /// The folder.
        url: String,
    },
    /// The list of a folder's files is none, or names files outside of it.
    #[error("{url}: expected a list of the folder's files, found {found}")]
    Index {
        /// The list.
        url: String,
        /// What is there.
        found: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
}
