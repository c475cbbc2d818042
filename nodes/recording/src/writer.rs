//! Recording a bag.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cdr::to_cdr;
use crate::contents::Contents;
use crate::definitions::Definitions;
use crate::error::{Error, Result};
use crate::file::BagFile;
use crate::messages::RosMessage;
use crate::metadata;
use crate::qos::Qos;

/// How chunks are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all: least work, for cameras at full rate.
    #[default]
    None,
    /// Fast, little gain.
    Lz4,
    /// Slower, more gain.
    Zstd,
}

impl From<Compression> for Option<mcap::Compression> {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::None => None,
            Compression::Lz4 => Some(mcap::Compression::Lz4),
            Compression::Zstd => Some(mcap::Compression::Zstd),
        }
    }
}

/// How much a crash may cost, and how large files become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterSettings {
    /// How chunks are compressed.
    pub compression: Compression,
    /// Messages of so many bytes end a chunk.
    pub chunk_bytes: u64,
    /// The oldest message of a chunk is at most so old; [`BagWriter::flush_if_due`] sees to it while none
    /// arrive.
    pub chunk_age: Duration,
    /// Messages of so many bytes end a file; 0 = never.
    pub split_bytes: u64,
}

impl Default for WriterSettings {
    /// No compression, chunks of 4 MiB and half a second, one file.
    fn default() -> Self {
        let (chunk_bytes, chunk_age) = (4 << 20, Duration::from_millis(500));
        Self { compression: Compression::None, chunk_bytes, chunk_age, split_bytes: 0 }
    }
}

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// For instance `/spacer/image_raw`.
    pub name: String,
    /// For instance `sensor_msgs/msg/Image`.
    pub type_name: String,
    /// `ros2msg` definition, with those of the types that it uses; see [`Definitions::schema`].
    pub schema: String,
    /// How it is offered.
    pub qos: Qos,
}

impl Topic {
    /// A topic of a known type, offered as by default.
    ///
    /// # Errors
    /// When the type's definition is unknown.
    pub fn of<M: RosMessage>(name: &str, definitions: &Definitions) -> Result<Self> {
        let schema = definitions.schema(M::TYPE_NAME)?;
        Ok(Self { name: name.to_owned(), type_name: M::TYPE_NAME.to_owned(), schema, qos: Qos::default() })
    }
}

/// A topic of one [`BagWriter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicId(usize);

struct AddedTopic {
    topic: Topic,
    /// Whether it has a message.
    is_recorded: bool,
}

/// Messages of the open chunk.
struct OpenChunk {
    since: Instant,
    messages: u64,
    bytes: u64,
}

/// Writes a rosbag2 folder. The first error ends the recording; what was flushed before stays readable.
pub struct BagWriter {
    folder: PathBuf,
    settings: WriterSettings,
    topics: Vec<AddedTopic>,
    /// `None` after an error.
    file: Option<BagFile>,
    finished: Vec<(String, Contents)>,
    chunk: Option<OpenChunk>,
    flushed_messages: u64,
}

impl BagWriter {
    /// Makes the folder and the first file in it.
    ///
    /// # Errors
    /// When the folder holds something already or can't be written.
    pub fn create(folder: &Path, settings: WriterSettings) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        if std::fs::read_dir(folder).map_err(Error::io(folder))?.next().is_some() {
            return Err(Error::NotEmpty(folder.to_owned()));
        }
        let mut writer = Self {
            folder: folder.to_owned(),
            settings,
            topics: Vec::new(),
            file: None,
            finished: Vec::new(),
            chunk: None,
            flushed_messages: 0,
        };
        writer.file = Some(writer.next_file()?);
        Ok(writer)
    }

    /// Where the bag is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds a topic; it is in the bag from its first message on.
    pub fn add_topic(&mut self, topic: Topic) -> TopicId {
        self.topics.push(AddedTopic { topic, is_recorded: false });
        TopicId(self.topics.len() - 1)
    }

    /// Tells how a topic is offered, where that was not known when it was added. From its first message on the
    /// topic stays as it is: readers take topics of files and of `metadata.yaml` for one where both say the same.
    pub fn set_offered(&mut self, topic: TopicId, qos: Qos) {
        if let Some(added) = self.topics.get_mut(topic.0).filter(|added| !added.is_recorded) {
            added.topic.qos = qos;
        }
    }

    /// Records a message that is serialized already, header included.
    ///
    /// # Errors
    /// When it can't be written, for instance to a full disk; then the recording has ended.
    pub fn write(&mut self, topic: TopicId, log_time_nanos: u64, cdr: &[u8]) -> Result<()> {
        let unknown = Error::UnknownTopic { found: topic.0, expected: self.topics.len() };
        let added = self.topics.get_mut(topic.0).ok_or(unknown)?;
        let file = self.file.as_mut().ok_or_else(|| Error::Ended(self.folder.clone()))?;
        let written = file.write((topic.0, &added.topic), log_time_nanos, cdr);
        added.is_recorded = true;
        self.or_end(written)?;
        let chunk = self.chunk.get_or_insert_with(|| OpenChunk { since: Instant::now(), messages: 0, bytes: 0 });
        chunk.messages += 1;
        chunk.bytes += cdr.len() as u64;
        if chunk.bytes >= self.settings.chunk_bytes {
            return self.flush();
        }
        self.flush_if_due()
    }

    /// Records a message.
    ///
    /// # Errors
    /// As [`BagWriter::write`]; [`Error::Time`] for a time before 1970.
    pub fn write_message<M: RosMessage + Serialize>(
        &mut self,
        topic: TopicId,
        log_time_nanos: i64,
        message: &M,
    ) -> Result<()> {
        let name = || self.topics.get(topic.0).map(|added| added.topic.name.clone()).unwrap_or_default();
        let time = u64::try_from(log_time_nanos).map_err(|_| Error::Time { topic: name(), found: log_time_nanos })?;
        let cdr = to_cdr(message).map_err(|reason| {
            let type_name = M::TYPE_NAME.to_owned();
            Error::Cdr { topic: name(), type_name, bytes: 0, reason }
        })?;
        self.write(topic, time, &cdr)
    }

    /// Ends the chunk if it has reached its age; to be called while no messages arrive.
    ///
    /// # Errors
    /// As [`BagWriter::write`].
    pub fn flush_if_due(&mut self) -> Result<()> {
        match &self.chunk {
            Some(chunk) if chunk.since.elapsed() >= self.settings.chunk_age => self.flush(),
            _ => Ok(()),
        }
    }

    /// Ends the chunk: what was written so far survives a crash of this process, and half a second later a power cut.
    ///
    /// # Errors
    /// As [`BagWriter::write`].
    pub fn flush(&mut self) -> Result<()> {
        let file = self.file.as_mut().ok_or_else(|| Error::Ended(self.folder.clone()))?;
        let flushed = file.flush();
        let is_full = self.settings.split_bytes > 0 && file.message_bytes() >= self.settings.split_bytes;
        self.or_end(flushed)?;
        self.flushed_messages += self.chunk.take().map_or(0, |chunk| chunk.messages);
        if is_full {
            let split = self.split();
            self.or_end(split)?;
        }
        Ok(())
    }

    /// Messages that survive a crash of this process.
    pub fn flushed_messages(&self) -> u64 {
        self.flushed_messages
    }

    /// Ends the bag: index and `metadata.yaml`.
    ///
    /// # Errors
    /// As [`BagWriter::write`].
    pub fn close(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let file = self.file.take().ok_or_else(|| Error::Ended(self.folder.clone()))?;
        self.finished.push(file.finish()?);
        metadata::write(&self.folder, &self.finished)
    }

    fn split(&mut self) -> Result<()> {
        if let Some(file) = self.file.take() {
            self.finished.push(file.finish()?);
        }
        self.file = Some(self.next_file()?);
        Ok(())
    }

    fn next_file(&self) -> Result<BagFile> {
        let stem = self.folder.file_name().unwrap_or("bag".as_ref()).to_string_lossy();
        let path = self.folder.join(format!("{stem}_{}.mcap", self.finished.len()));
        let file = BagFile::create(&path, self.settings.compression)?;
        metadata::sync(&self.folder)?;
        Ok(file)
    }

    /// After an error nothing more is written.
    fn or_end(&mut self, written: Result<()>) -> Result<()> {
        if written.is_err() {
            self.file = None;
        }
        written
    }
}

impl Drop for BagWriter {
    /// Closes what [`BagWriter::close`] did not; whoever wants to know whether that worked calls it.
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = self.end();
        }
    }
}
