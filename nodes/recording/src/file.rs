//! One MCAP file being written, chunk by whole chunk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mcap::records::MessageHeader;
use mcap::write::NoSeek;

use crate::channel::{CDR, QOS_KEY, TopicInfo};
use crate::contents::Contents;
use crate::error::{Error, Result};
use crate::writer::{Compression, Topic};

/// What was flushed is on the disk so much later at most, as long as there are flushes: a power cut takes no more.
const SYNC_EVERY: Duration = Duration::from_millis(500);

/// A file that grows by what was written between two flushes, or not at all.
struct WholeWrites {
    file: File,
    synced_at: Instant,
    pending: Vec<u8>,
    flushed_bytes: u64,
    failed: bool,
}

impl Write for WholeWrites {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("a write failed before"));
        }
        if let Err(error) = self.file.write_all(&self.pending) {
            self.failed = true;
            // Half a chunk would read as damage; where it can't be cut off it is just that.
            let _ = self.file.set_len(self.flushed_bytes);
            let _ = self.file.seek(SeekFrom::Start(self.flushed_bytes));
            return Err(error);
        }
        self.flushed_bytes += self.pending.len() as u64;
        self.pending.clear();
        if self.synced_at.elapsed() >= SYNC_EVERY { self.sync() } else { Ok(()) }
    }
}

impl WholeWrites {
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.synced_at = Instant::now();
        Ok(())
    }
}

/// A topic that had a message.
struct Channel {
    id: u16,
    info: TopicInfo,
}

/// A file and what is in it. Dropped without [`BagFile::finish`] it keeps the chunks that were flushed.
pub(crate) struct BagFile {
    path: PathBuf,
    writer: mcap::Writer<NoSeek<WholeWrites>>,
    /// By the number of the topic.
    channels: BTreeMap<usize, Channel>,
    log_times_nanos: Option<(u64, u64)>,
    /// Bytes of messages, flushed or not.
    message_bytes: u64,
}

impl BagFile {
    pub fn create(path: &Path, compression: Compression) -> Result<Self> {
        let file = File::create_new(path).map_err(Error::io(path))?;
        let options = mcap::WriteOptions::new()
            .profile("ros2")
            .library(concat!("spacer recording ", env!("CARGO_PKG_VERSION")))
            .compression(compression.into())
            // Whoever owns the file says when a chunk ends.
            .chunk_size(None)
            .disable_seeking(true);
        let writes =
            WholeWrites { file, synced_at: Instant::now(), pending: Vec::new(), flushed_bytes: 0, failed: false };
        let writer = options.create(NoSeek::new(writes)).map_err(Error::mcap(path))?;
        let (path, channels) = (path.to_owned(), BTreeMap::new());
        let mut file = Self { path, writer, channels, log_times_nanos: None, message_bytes: 0 };
        file.flush()?;
        Ok(file)
    }

    /// Adds a message of topic number `id` to the open chunk.
    pub fn write(&mut self, (id, topic): (usize, &Topic), log_time_nanos: u64, cdr: &[u8]) -> Result<()> {
        let channel_id = match self.channels.get_mut(&id) {
            Some(channel) => {
                channel.info.message_count += 1;
                channel.id
            }
            None => self.add_channel(id, topic)?,
        };
        let (log_time, publish_time) = (log_time_nanos, log_time_nanos);
        let header = MessageHeader { channel_id, sequence: 0, log_time, publish_time };
        self.writer.write_to_known_channel(&header, cdr).map_err(Error::mcap(&self.path))?;
        let (first, last) = self.log_times_nanos.unwrap_or((log_time, log_time));
        self.log_times_nanos = Some((first.min(log_time), last.max(log_time)));
        self.message_bytes += cdr.len() as u64;
        Ok(())
    }

    fn add_channel(&mut self, number: usize, topic: &Topic) -> Result<u16> {
        let Topic { name, type_name, qos, schema } = topic;
        let profiles = qos.to_yaml().map_err(|source| Error::Metadata { path: self.path.clone(), source })?;
        let metadata = BTreeMap::from([(QOS_KEY.to_owned(), profiles)]);
        let schema = self.writer.add_schema(type_name, "ros2msg", schema.as_bytes());
        let id = schema.and_then(|schema| self.writer.add_channel(schema, name, CDR, &metadata));
        let id = id.map_err(Error::mcap(&self.path))?;
        let (name, type_name, qos) = (name.clone(), type_name.clone(), Some(*qos));
        let info = TopicInfo { name, type_name, serialization: CDR.to_owned(), message_count: 1, qos };
        self.channels.insert(number, Channel { id, info });
        Ok(id)
    }

    /// Ends the chunk and hands it to the operating system. After an error the file ends with the chunk before.
    pub fn flush(&mut self) -> Result<()> {
        self.writer.flush().map_err(Error::mcap(&self.path))
    }

    /// Bytes of all messages so far, before compression.
    pub fn message_bytes(&self) -> u64 {
        self.message_bytes
    }

    /// What is in it, flushed or not, and its name.
    pub fn contents(&self) -> (String, Contents) {
        let mut contents = Contents { topics: Vec::new(), log_times_nanos: self.log_times_nanos };
        self.channels.values().for_each(|channel| contents.count(&channel.info));
        (self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(), contents)
    }

    /// Ends the file with its index.
    pub fn finish(mut self) -> Result<(String, Contents)> {
        self.flush()?;
        self.writer.finish().map_err(Error::mcap(&self.path))?;
        let contents = self.contents();
        let mut writes = self.writer.into_inner().into_inner();
        writes.flush().and_then(|()| writes.sync()).map_err(Error::io(&self.path))?;
        Ok(contents)
    }
}
