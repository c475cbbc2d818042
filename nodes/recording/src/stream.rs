//! The messages of a bag, one after the other, up to any damage.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use crate::cdr::from_cdr;
use crate::channel::{CDR, TopicInfo};
use crate::damage::{Damage, DamageList};
use crate::data_file::{DataFile, FileMessages};
use crate::error::{Error, Result};
use crate::messages::RosMessage;
use crate::storage::ZSTD_MAGIC;
use crate::unpack;

/// Largest record, chunk or message that is believed; more would only be a broken length.
pub(crate) const MAX_RECORD_BYTES: usize = 512 << 20;

/// A message as a file holds it.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub topic: Arc<TopicInfo>,
    pub log_time_nanos: u64,
    pub data: Vec<u8>,
}

/// One message as recorded.
#[derive(Clone, Debug)]
pub struct BagMessage(Recorded);

impl BagMessage {
    /// The topic, for instance `/spacer/image_raw`.
    pub fn topic(&self) -> &str {
        &self.0.topic.name
    }

    /// The type, for instance `sensor_msgs/msg/Image`; empty where the bag doesn't say.
    pub fn type_name(&self) -> &str {
        &self.0.topic.type_name
    }

    /// When it was recorded, nanoseconds of the recorder's clock.
    pub fn log_time_nanos(&self) -> u64 {
        self.0.log_time_nanos
    }

    /// The message as it was on the wire, header included.
    pub fn cdr(&self) -> &[u8] {
        &self.0.data
    }

    /// Whether it is a message of type `M`, in CDR.
    pub fn is<M: RosMessage>(&self) -> bool {
        self.0.topic.is::<M>()
    }

    /// The message's fields. Pictures borrow their bytes from `self`.
    ///
    /// # Errors
    /// When it is of another type, or its bytes are not what the type says.
    pub fn decode<'a, M: RosMessage + Deserialize<'a>>(&'a self) -> Result<M> {
        let TopicInfo { name, type_name, serialization, .. } = &*self.0.topic;
        if serialization != CDR {
            let (expected, found) = (format!("serialization {CDR}"), serialization.clone());
            return Err(Error::Type { topic: name.clone(), expected, found });
        }
        if !self.is::<M>() {
            let (expected, found) = (M::TYPE_NAME.to_owned(), type_name.clone());
            return Err(Error::Type { topic: name.clone(), expected, found });
        }
        from_cdr(&self.0.data).map_err(|reason| Error::Cdr {
            topic: name.clone(),
            type_name: M::TYPE_NAME.to_owned(),
            bytes: self.0.data.len(),
            reason,
        })
    }
}

/// The messages of a bag's files in the order of recording. Memory is bounded by the largest chunk.
///
/// A chunk whose checksum is wrong gives no message. Behind damage the next file goes on; [`Messages::damage`] tells.
pub struct Messages {
    files: VecDeque<DataFile>,
    open: Option<(PathBuf, FileMessages)>,
    read: u64,
    damage: DamageList,
}

impl Messages {
    /// `damage`: what is known already not to be there.
    pub(crate) fn new(files: &[DataFile], damage: DamageList) -> Self {
        Self { files: files.iter().cloned().collect(), open: None, read: 0, damage }
    }

    /// What could not be read so far, the first hundred of it; complete after the last message.
    pub fn damage(&self) -> &[Damage] {
        self.damage.as_slice()
    }

    fn open_next(&mut self) -> Option<()> {
        let file = self.files.pop_front()?;
        self.read = 0;
        match file.messages() {
            Ok(messages) => self.open = Some((file.path, messages)),
            Err(error) => {
                self.damage.push(Damage { path: file.path, messages: 0, reason: error.reason() });
            }
        }
        Some(())
    }

    /// The next message as its recorder got it: a bag may hold every one compressed.
    fn unpacked(message: Recorded) -> std::result::Result<BagMessage, String> {
        if !message.data.starts_with(&ZSTD_MAGIC) || message.topic.serialization != CDR {
            return Ok(BagMessage(message));
        }
        let data = unpack::message(&message.data).map_err(|reason| format!("{}: {reason}", message.topic.name))?;
        Ok(BagMessage(Recorded { data, ..message }))
    }
}

impl Iterator for Messages {
    type Item = BagMessage;

    fn next(&mut self) -> Option<BagMessage> {
        loop {
            let Some((path, messages)) = &mut self.open else {
                self.open_next()?;
                continue;
            };
            match messages.next().map(|message| message.and_then(Self::unpacked)) {
                Some(Ok(message)) => {
                    self.read += 1;
                    return Some(message);
                }
                Some(Err(reason)) => {
                    self.damage.push(Damage { path: path.clone(), messages: self.read, reason });
                }
                None => self.open = None,
            }
        }
    }
}
