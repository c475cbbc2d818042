//! What can be wrong with a recording.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a bag can't be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The MCAP library refused; a full disk is `Io` inside.
    #[error("{}: {source}{}", path.display(), cause(source))]
    Mcap {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: mcap::McapError,
    },
    /// A folder is no bag.
    #[error("{}: expected a rosbag2 folder with metadata.yaml and *.mcap, or one .mcap file, found neither", .0.display())]
    NoBag(PathBuf),
    /// `metadata.yaml` can't be read or written.
    #[error("{}: {source}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_yaml_ng::Error,
    },
    /// A bag of a kind that isn't read here.
    #[error("{}: expected {expected}, found {found:?}", path.display())]
    Storage {
        /// The bag.
        path: PathBuf,
        /// What is read.
        expected: &'static str,
        /// What the bag says.
        found: String,
    },
    /// A new bag would overwrite something.
    #[error("{}: expected no such folder, or an empty one, found files in it", .0.display())]
    NotEmpty(PathBuf),
    /// A topic that isn't there, or none, or several, where one was wanted.
    #[error("expected {expected}, found {found}; topics of the bag:\n{topics}")]
    Topic {
        /// What was wanted.
        expected: String,
        /// What there is.
        found: String,
        /// Every topic with its type and number of messages.
        topics: String,
    },
    /// A message of another type or encoding.
    #[error("{topic}: expected {expected}, found {found:?}")]
    Type {
        /// The topic.
        topic: String,
        /// Type or encoding that was asked for.
        expected: String,
        /// Type or encoding that the bag states.
        found: String,
    },
    /// A message whose bytes are not what its type says.
    #[error("{topic}: expected a serialized {type_name}, found {bytes} bytes that are none: {reason}")]
    Cdr {
        /// The topic.
        topic: String,
        /// Its type.
        type_name: String,
        /// Length of the message.
        bytes: usize,
        /// What the decoder said.
        reason: String,
    },
    /// A compressed picture that can't be decoded.
    #[error("{topic} (format {format:?}): {source}")]
    Picture {
        /// The topic.
        topic: String,
        /// What the message says about itself.
        format: String,
        /// What the decoder said.
        source: pictures::Error,
    },
    /// No definition for a type, or for one that it uses.
    #[error("{type_name}: expected a definition of {missing}, found none")]
    Definition {
        /// The type that was to be recorded.
        type_name: String,
        /// The one without definition.
        missing: String,
    },
    /// A time before 1970.
    #[error("{topic}: expected a time since 1970 in nanoseconds, found {found}")]
    Time {
        /// The topic.
        topic: String,
        /// Nanoseconds.
        found: i64,
    },
    /// A topic that was added to another writer.
    #[error("topic {found}: expected one of the {expected} of this writer")]
    UnknownTopic {
        /// Number of the topic.
        found: usize,
        /// How many the writer has.
        expected: usize,
    },
    /// The recording ended with an error before.
    #[error("{}: the recording has ended", .0.display())]
    Ended(PathBuf),
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn mcap(path: &Path) -> impl FnOnce(mcap::McapError) -> Self + '_ {
        |source| Self::Mcap { path: path.to_owned(), source }
    }
}

/// The MCAP library doesn't say what the operating system said.
pub(crate) fn cause(error: &mcap::McapError) -> String {
    std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default()
}
