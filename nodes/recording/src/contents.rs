//! What is in one file of a bag: topics and counts, from the file's summary or, where it has none, from reading it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use mcap::sans_io::summary_reader::{SummaryReadEvent, SummaryReader, SummaryReaderOptions};

use crate::definitions::short_name;
use crate::error::{Error, Result};
use crate::messages::RosMessage;
use crate::qos::Qos;
use crate::stream::{MAX_RECORD_BYTES, Messages};

/// Key in a channel's metadata.
pub(crate) const QOS_KEY: &str = "offered_qos_profiles";

/// One topic of a bag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicInfo {
    /// For instance `/spacer/image_raw`.
    pub name: String,
    /// For instance `sensor_msgs/msg/Image`; empty where the bag doesn't say.
    pub type_name: String,
    /// Number of messages.
    pub message_count: u64,
    /// How it was offered, where the bag says.
    pub qos: Option<Qos>,
}

impl TopicInfo {
    /// Whether its messages are of type `M`.
    pub fn is<M: RosMessage>(&self) -> bool {
        short_name(&self.type_name) == short_name(M::TYPE_NAME)
    }

    pub(crate) fn of(channel: &mcap::Channel<'_>) -> Self {
        Self {
            name: channel.topic.clone(),
            type_name: channel.schema.as_ref().map(|schema| schema.name.clone()).unwrap_or_default(),
            message_count: 0,
            qos: channel.metadata.get(QOS_KEY).and_then(|text| Qos::from_yaml(text)),
        }
    }
}

/// Topics in the order of their names, and first and last log time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    pub topics: Vec<TopicInfo>,
    pub log_times_nanos: Option<(u64, u64)>,
}

impl Contents {
    pub fn message_count(&self) -> u64 {
        self.topics.iter().map(|topic| topic.message_count).sum()
    }

    /// Counts `topic.message_count` messages more.
    pub fn count(&mut self, topic: &TopicInfo) {
        match self.topics.binary_search_by(|known| known.name.cmp(&topic.name)) {
            Ok(at) => {
                if let Some(known) = self.topics.get_mut(at) {
                    known.message_count += topic.message_count;
                    known.qos = known.qos.or(topic.qos);
                }
            }
            Err(at) => self.topics.insert(at, topic.clone()),
        }
    }

    /// Widens the times to hold another.
    pub fn widen(&mut self, log_time_nanos: u64) {
        let (first, last) = self.log_times_nanos.unwrap_or((log_time_nanos, log_time_nanos));
        self.log_times_nanos = Some((first.min(log_time_nanos), last.max(log_time_nanos)));
    }

    pub fn extend(&mut self, other: &Self) {
        other.topics.iter().for_each(|topic| self.count(topic));
        if let Some((first, last)) = other.log_times_nanos {
            self.widen(first);
            self.widen(last);
        }
    }

    /// Looks into a file. One without a readable summary, as a crash leaves it, is read up to its damage.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn of_file(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path))?;
        // A broken summary is no worse than none.
        if let Ok(Some(summary)) = read_summary(file)
            && let Some(contents) = Self::of_summary(&summary)
        {
            return Ok(contents);
        }
        let mut contents = Self::default();
        let mut counted: BTreeMap<u16, TopicInfo> = BTreeMap::new();
        for message in Messages::new([path.to_owned()]) {
            let channel = message.channel();
            counted.entry(channel.id).or_insert_with(|| TopicInfo::of(channel)).message_count += 1;
            contents.widen(message.log_time_nanos());
        }
        counted.values().for_each(|topic| contents.count(topic));
        Ok(contents)
    }

    fn of_summary(summary: &mcap::Summary) -> Option<Self> {
        let stats = summary.stats.as_ref()?;
        let mut contents = Self::default();
        for (id, channel) in &summary.channels {
            let message_count = stats.channel_message_counts.get(id).copied().unwrap_or(0);
            contents.count(&TopicInfo { message_count, ..TopicInfo::of(channel) });
        }
        if stats.message_count > 0 {
            contents.widen(stats.message_start_time);
            contents.widen(stats.message_end_time);
        }
        // Some writers leave the counts of the channels out.
        (contents.message_count() == stats.message_count).then_some(contents)
    }
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
