//! The messages of a bag, one after the other, up to any damage.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use mcap::io::MessageReader;
use mcap::sans_io::LinearReaderOptions;
use serde::Deserialize;

use crate::cdr::from_cdr;
use crate::definitions::short_name;
use crate::error::{Error, Result, cause};
use crate::messages::RosMessage;

/// Largest record or chunk that is believed; more would only be a broken length.
pub(crate) const MAX_RECORD_BYTES: usize = 512 << 20;

/// One message as recorded.
#[derive(Clone, Debug)]
pub struct BagMessage(mcap::Message<'static>);

impl BagMessage {
    /// The topic, for instance `/spacer/image_raw`.
    pub fn topic(&self) -> &str {
        &self.0.channel.topic
    }

    /// The type, for instance `sensor_msgs/msg/Image`; empty where the bag doesn't say.
    pub fn type_name(&self) -> &str {
        self.0.channel.schema.as_ref().map_or("", |schema| &schema.name)
    }

    /// When it was recorded, nanoseconds of the recorder's clock.
    pub fn log_time_nanos(&self) -> u64 {
        self.0.log_time
    }

    /// The message as it was on the wire, header included.
    pub fn cdr(&self) -> &[u8] {
        &self.0.data
    }

    /// Whether it is a message of type `M`.
    pub fn is<M: RosMessage>(&self) -> bool {
        short_name(self.type_name()) == short_name(M::TYPE_NAME)
    }

    /// The message's fields. Pictures borrow their bytes from `self`.
    ///
    /// # Errors
    /// When it is of another type, or its bytes are not what the type says.
    pub fn decode<'a, M: RosMessage + Deserialize<'a>>(&'a self) -> Result<M> {
        let topic = || self.topic().to_owned();
        if !self.is::<M>() {
            let (expected, found) = (M::TYPE_NAME.to_owned(), self.type_name().to_owned());
            return Err(Error::Type { topic: topic(), expected, found });
        }
        if self.0.channel.message_encoding != "cdr" {
            let (expected, found) = ("encoding cdr".to_owned(), self.0.channel.message_encoding.clone());
            return Err(Error::Type { topic: topic(), expected, found });
        }
        from_cdr(&self.0.data).map_err(|reason| Error::Cdr {
            topic: topic(),
            type_name: M::TYPE_NAME.to_owned(),
            bytes: self.0.data.len(),
            reason,
        })
    }

    pub(crate) fn channel(&self) -> &mcap::Channel<'static> {
        &self.0.channel
    }
}

/// Where a file could not be read further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// Messages of it that were read before.
    pub messages: u64,
    /// What was found there.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, messages, reason } = self;
        write!(out, "{}: read up to message {messages}, then: {reason}", path.display())
    }
}

/// The messages of a bag's files in the order of recording. Memory is bounded by the largest chunk.
///
/// A chunk whose checksum is wrong gives no message. Behind damage the next file goes on; [`Messages::damage`] tells.
pub struct Messages {
    files: VecDeque<PathBuf>,
    open: Option<(PathBuf, MessageReader<BufReader<File>>)>,
    read: u64,
    damage: Vec<Damage>,
}

impl Messages {
    pub(crate) fn new(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { files: files.into_iter().collect(), open: None, read: 0, damage: Vec::new() }
    }

    /// What could not be read so far; complete after the last message.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    fn open_next(&mut self) -> Option<()> {
        let path = self.files.pop_front()?;
        self.read = 0;
        match File::open(&path) {
            Ok(file) => {
                let options = LinearReaderOptions::default()
                    .with_prevalidate_chunk_crcs(true)
                    .with_record_length_limit(MAX_RECORD_BYTES);
                self.open = Some((path, MessageReader::new_with_options(BufReader::new(file), options)));
            }
            Err(error) => self.damage.push(Damage { path, messages: 0, reason: error.to_string() }),
        }
        Some(())
    }
}

impl Iterator for Messages {
    type Item = BagMessage;

    fn next(&mut self) -> Option<BagMessage> {
        loop {
            let Some((path, reader)) = &mut self.open else {
                self.open_next()?;
                continue;
            };
            match reader.next() {
                Some(Ok(message)) => {
                    self.read += 1;
                    return Some(BagMessage(message));
                }
                Some(Err(error)) => {
                    let reason = format!("{error}{}", cause(&error));
                    self.damage.push(Damage { path: std::mem::take(path), messages: self.read, reason });
                    self.open = None;
                }
                None => self.open = None,
            }
        }
    }
}
