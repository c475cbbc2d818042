//! Reading one MCAP file, plain or compressed as a whole.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use mcap::io::MessageReader;
use mcap::sans_io::LinearReaderOptions;
use mcap::sans_io::summary_reader::{SummaryReadEvent, SummaryReader, SummaryReaderOptions};

use crate::channel::TopicInfo;
use crate::contents::Contents;
use crate::error::cause;
use crate::stream::{MAX_RECORD_BYTES, Recorded};

/// The messages of a file in the order of recording, up to damage. Memory is bounded by the largest chunk.
pub(crate) struct McapMessages {
    reader: MessageReader<Box<dyn Read + Send>>,
    channels: HashMap<u16, Arc<TopicInfo>>,
    types: Arc<BTreeMap<String, String>>,
}

impl McapMessages {
    /// Opens a file. `types`: of topics for which it states none.
    ///
    /// # Errors
    /// What the operating system said.
    pub fn open(path: &Path, is_compressed: bool, types: Arc<BTreeMap<String, String>>) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let source: Box<dyn Read + Send> =
            if is_compressed { Box::new(zstd::Decoder::new(file)?) } else { Box::new(BufReader::new(file)) };
        let options =
            LinearReaderOptions::default().with_prevalidate_chunk_crcs(true).with_record_length_limit(MAX_RECORD_BYTES);
        Ok(Self { reader: MessageReader::new_with_options(source, options), channels: HashMap::new(), types })
    }
}

impl Iterator for McapMessages {
    type Item = Result<Recorded, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let message = match self.reader.next()? {
            Ok(message) => message,
            Err(error) => return Some(Err(format!("{error}{}", cause(&error)))),
        };
        let channel = &message.channel;
        let new = || Arc::new(with_type(TopicInfo::of(channel), &self.types));
        let topic = self.channels.entry(channel.id).or_insert_with(new).clone();
        Some(Ok(Recorded { topic, log_time_nanos: message.log_time, data: message.data.into_owned() }))
    }
}

fn with_type(topic: TopicInfo, types: &BTreeMap<String, String>) -> TopicInfo {
    let stated = types.get(&topic.name).filter(|_| topic.type_name.is_empty());
    TopicInfo { type_name: stated.cloned().unwrap_or(topic.type_name), ..topic }
}

/// What is in a file as its summary says; `None` for one without, as a crash leaves it, or with one that is wrong.
pub(crate) fn summarised(path: &Path, types: &BTreeMap<String, String>) -> Option<Contents> {
    // A broken summary is no worse than none.
    let summary = File::open(path).ok().and_then(|file| read_summary(file).ok().flatten())?;
    let stats = summary.stats.as_ref()?;
    let mut contents = Contents::default();
    for (id, channel) in &summary.channels {
        let message_count = stats.channel_message_counts.get(id).copied().unwrap_or(0);
        contents.count(&TopicInfo { message_count, ..with_type(TopicInfo::of(channel), types) });
    }
    if stats.message_count > 0 {
        contents.widen(stats.message_start_time);
        contents.widen(stats.message_end_time);
    }
    // Some writers leave the counts of the channels out.
    (contents.message_count() == stats.message_count).then_some(contents)
}

fn read_summary(mut file: File) -> mcap::McapResult<Option<mcap::Summary>> {
    let size = file.metadata()?.len();
    let options = SummaryReaderOptions::default().with_file_size(size).with_record_length_limit(MAX_RECORD_BYTES);
    let mut reader = SummaryReader::new_with_options(options);
    while let Some(event) = reader.next_event() {
        match event? {
            SummaryReadEvent::ReadRequest(length) => {
                let read = file.read(reader.insert(length))?;
                reader.notify_read(read);
            }
            SummaryReadEvent::SeekRequest(to) => reader.notify_seeked(file.seek(to)?),
        }
    }
    Ok(reader.finish())
}
