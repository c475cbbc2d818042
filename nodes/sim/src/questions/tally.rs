//! How many questions there could have been, how many were kept, and what each filter dropped.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ask::Topic;

/// The numbers of one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Questions of the exam.
    pub kept: usize,
    /// By the filter that dropped them; each candidate is dropped once, by the first filter that it fails.
    pub dropped: BTreeMap<&'static str, usize>,
}

/// The numbers of all topics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    topics: BTreeMap<Topic, Counts>,
}

impl Tally {
    /// Returns `holds`; counts a drop where it is false.
    pub fn passes(&mut self, topic: Topic, filter: &'static str, holds: bool) -> bool {
        if !holds {
            self.drop(topic, filter, 1);
        }
        holds
    }

    /// Counts questions that a filter dropped.
    pub fn drop(&mut self, topic: Topic, filter: &'static str, count: usize) {
        if count > 0 {
            *self.topics.entry(topic).or_default().dropped.entry(filter).or_default() += count;
        }
    }

    /// Counts questions that are in the exam.
    pub fn keep(&mut self, topic: Topic, count: usize) {
        self.topics.entry(topic).or_default().kept += count;
    }

    /// The numbers of one topic.
    pub fn of(&self, topic: Topic) -> Counts {
        self.topics.get(&topic).cloned().unwrap_or_default()
    }

    /// Adds the numbers of another exam.
    pub fn merge(&mut self, other: &Self) {
        for (&topic, counts) in &other.topics {
            self.keep(topic, counts.kept);
            for (&filter, &count) in &counts.dropped {
                self.drop(topic, filter, count);
            }
        }
    }
}
