//! What is in a file of a bag, or in a whole one: topics with their numbers of messages, and the time that they span.

use crate::channel::TopicInfo;

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
                    if known.type_name.is_empty() {
                        known.type_name.clone_from(&topic.type_name);
                    }
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
}
