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
    /// A folder without recordings.
    #[error(
        "{}: expected a rosbag2 folder (*.mcap or *.db3, also *.zstd of them), or one such file, found neither{holds}",
        path.display()
    )]
    NoBag {
        /// The folder.
        path: PathBuf,
        /// What lies there instead, in words.
        holds: String,
    },
    /// A file that holds no recording of ROS 2.
    #[error("{}: expected a recording of ROS 2 (.mcap or .db3, also compressed by zstd), found {found}", path.display())]
    NotABag {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do.
        found: String,
    },
    /// Recordings that were not made as one.
    #[error("{}: expected one recording, found {}; pass one of them, or each on its own:{}", folder.display(),
        recordings.len(), lines(recordings))]
    Several {
        /// The folder.
        folder: PathBuf,
        /// Files or folders in it.
        recordings: Vec<PathBuf>,
    },
    /// No room for a file that must be unpacked to be read.
    #[error(
        "{}: can't unpack {} into it (TMPDIR names another folder, or `zstd -d` unpacks the file for good): {source}",
        folder.display(), packed.display()
    )]
    Unpacking {
        /// The folder of temporary files.
        folder: PathBuf,
        /// The file.
        packed: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A database can't be read.
    #[error("{}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// `metadata.yaml` can't be written.
    #[error("{}: {source}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_yaml_ng::Error,
    },
    /// A new bag would overwrite something.
    #[error("{}: expected no such folder, or an empty one, found files in it", .0.display())]
    NotEmpty(PathBuf),
    /// A topic that isn't there, or none, or several, where one was wanted.
    #[error("{}: expected {expected}, found {found}; {topics}", path.display())]
    Topic {
        /// The bag.
        path: PathBuf,
        /// What was wanted.
        expected: String,
        /// What there is.
        found: String,
        /// Every topic with its type and number of messages, or why there are none.
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

    /// The error without its path.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Io { source, .. } => source.to_string(),
            Self::NotABag { found, .. } => found.clone(),
            Self::Sqlite { source, .. } => source.to_string(),
            other => other.to_string(),
        }
    }

    pub(crate) fn sqlite(path: &Path) -> impl FnOnce(rusqlite::Error) -> Self + '_ {
        |source| Self::Sqlite { path: path.to_owned(), source }
    }

    pub(crate) fn several(folder: &Path, recordings: &[PathBuf]) -> Self {
        Self::Several { folder: folder.to_owned(), recordings: recordings.to_vec() }
    }

    /// For what is unpacked into the folder of temporary files.
    pub(crate) fn no_room<'a>(folder: &'a Path, packed: &'a Path) -> impl FnOnce(std::io::Error) -> Self + 'a {
        |source| Self::Unpacking { folder: folder.to_owned(), packed: packed.to_owned(), source }
    }

    pub(crate) fn mcap(path: &Path) -> impl FnOnce(mcap::McapError) -> Self + '_ {
        |source| Self::Mcap { path: path.to_owned(), source }
    }
}

/// Most paths that an error lists.
const MOST_LISTED: usize = 20;

fn lines(paths: &[PathBuf]) -> String {
    let more = paths.len().saturating_sub(MOST_LISTED);
    let mut lines: String = paths.iter().take(MOST_LISTED).map(|path| format!("\n  {}", path.display())).collect();
    if more > 0 {
        lines.push_str(&format!("\n  and {more} more"));
    }
    lines
}

/// The MCAP library doesn't say what the operating system said.
pub(crate) fn cause(error: &mcap::McapError) -> String {
    std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default()
}
