//! One file of a bag, whatever it is stored as.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::channel::TopicInfo;
use crate::contents::Contents;
use crate::damage::Damage;
use crate::error::{Error, Result};
use crate::journal::Journal;
use crate::mcap_file::{self, McapMessages};
use crate::sqlite_file::SqliteMessages;
use crate::storage::{Format, Storage};
use crate::stream::Recorded;

/// A file that holds messages.
#[derive(Clone, Debug)]
pub(crate) struct DataFile {
    pub path: PathBuf,
    storage: Storage,
    /// Of a database whose recorder did not finish.
    journal: Option<Arc<Journal>>,
    /// Types of topics for which the file may state none.
    types: Arc<BTreeMap<String, String>>,
}

/// Its messages, up to damage. One is open at a time, so the larger one need not be boxed.
#[allow(clippy::large_enum_variant)]
pub(crate) enum FileMessages {
    Mcap(McapMessages),
    Sqlite(SqliteMessages),
}

impl Iterator for FileMessages {
    type Item = std::result::Result<Recorded, String>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Mcap(messages) => messages.next(),
            Self::Sqlite(messages) => messages.next(),
        }
    }
}

impl DataFile {
    /// Looks at what a file is.
    ///
    /// # Errors
    /// [`Error::NotABag`] when it is nothing that rosbag2 writes.
    pub fn new(path: &Path, types: Arc<BTreeMap<String, String>>) -> Result<Self> {
        let storage = Storage::of(path)?;
        let is_database = storage == Storage { format: Format::Sqlite, is_compressed: false };
        let journal = is_database.then(|| Journal::beside(path)).flatten().map(Arc::new);
        Ok(Self { path: path.to_owned(), storage, journal, types })
    }

    /// Opens it for reading from its beginning.
    ///
    /// # Errors
    /// When the operating system or the database refuses.
    pub fn messages(&self) -> Result<FileMessages> {
        let Storage { format, is_compressed } = self.storage;
        Ok(match format {
            Format::Mcap => {
                let messages = McapMessages::open(&self.path, is_compressed, self.types.clone());
                FileMessages::Mcap(messages.map_err(Error::io(&self.path))?)
            }
            Format::Sqlite => {
                let copy = self.journal.as_ref().and_then(|journal| journal.copy());
                let messages = SqliteMessages::open(&self.path, copy.as_deref(), is_compressed);
                FileMessages::Sqlite(messages.map_err(|error| self.with_unread(error))?)
            }
        })
    }

    /// What is in it, up to damage.
    ///
    /// # Errors
    /// As [`DataFile::messages`].
    pub fn contents(&self) -> Result<Contents> {
        if self.storage == (Storage { format: Format::Mcap, is_compressed: false })
            && let Some(contents) = mcap_file::summarised(&self.path, &self.types)
        {
            return Ok(contents);
        }
        let messages = self.messages()?;
        if let FileMessages::Sqlite(messages) = &messages {
            return Ok(messages.contents().clone());
        }
        Ok(counted(messages))
    }

    /// What its recorder left beside it and is not read.
    pub fn unfinished(&self) -> Option<Damage> {
        let reason = self.journal.as_ref()?.unread()?;
        Some(Damage { path: self.path.clone(), messages: 0, reason })
    }

    /// A database may lack its tables because they are in a journal that is not read.
    fn with_unread(&self, error: Error) -> Error {
        match (error, self.unfinished()) {
            (Error::NotABag { path, found }, Some(unread)) => {
                Error::NotABag { path, found: format!("{found}; {}", unread.reason) }
            }
            (error, _) => error,
        }
    }
}

/// What is in a file that has no summary.
fn counted(messages: FileMessages) -> Contents {
    let mut contents = Contents::default();
    let mut counts: BTreeMap<String, TopicInfo> = BTreeMap::new();
    for message in messages.flatten() {
        contents.widen(message.log_time_nanos);
        match counts.get_mut(&message.topic.name) {
            Some(topic) => topic.message_count += 1,
            None => {
                let topic = TopicInfo { message_count: 1, ..TopicInfo::clone(&message.topic) };
                counts.insert(topic.name.clone(), topic);
            }
        }
    }
    counts.values().for_each(|topic| contents.count(topic));
    contents
}
