//! The first reading of a bag: everything but pixels and distances.

use std::path::Path;

use geometry::RigidTransform;
use recording::messages::{Odometry, StringMessage, TfMessage};
use recording::spacer_messages::{AnswerFeedback, SpatialAnswer, SpatialQuery};
use recording::{BagMessage, BagReader, SimTruth};

use super::topics::Topics;
use super::track::Track;

/// A message and when it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heard<M> {
    pub log_nanos: u64,
    pub message: M,
}

/// What a bag says, in the order of recording.
#[derive(Debug, Default)]
pub(super) struct Logbook {
    pub image_stamps: Vec<i64>,
    pub track: Track,
    pub asks: Vec<Heard<StringMessage>>,
    pub queries: Vec<Heard<SpatialQuery>>,
    pub answers: Vec<Heard<SpatialAnswer>>,
    pub feedback: Vec<Heard<AnswerFeedback>>,
    /// Sorted by stamp.
    pub truths: Vec<SimTruth>,
    /// What could not be read, in words.
    pub left_out: Vec<String>,
}

impl Logbook {
    /// Reads the whole bag. Where no odometry is recorded, TF tells where `base_frame` was.
    pub fn read(bag: &BagReader, topics: &Topics, base_frame: &str) -> Self {
        let mut log = Self::default();
        let mut messages = bag.messages();
        for message in &mut messages {
            if let Err(reason) = log.note(&message, topics, base_frame) {
                log.left_out.push(reason);
            }
        }
        log.left_out.extend(messages.damage().iter().map(ToString::to_string));
        log.image_stamps.sort_unstable();
        log.image_stamps.dedup();
        log.track.sort();
        log.truths.sort_by_key(|truth| truth.stamp_nanos);
        log
    }

    fn note(&mut self, message: &BagMessage, topics: &Topics, base_frame: &str) -> Result<(), String> {
        let (topic, log_nanos) = (Some(message.topic()), message.log_time_nanos());
        let text = |error: recording::Error| error.to_string();
        if topic == Some(&topics.image) {
            self.image_stamps.push(message.picture_stamp_nanos().map_err(text)?);
        } else if topic == topics.odometry.as_deref() {
            let odometry: Odometry = message.decode().map_err(text)?;
            let stamp = message.stamp_nanos(odometry.header.stamp.nanos());
            self.track.push(stamp, RigidTransform::from(&odometry.pose.pose));
        } else if topics.odometry.is_none() && message.is::<TfMessage>() && !message.topic().ends_with("tf_static") {
            for link in message.decode::<TfMessage>().map_err(text)?.transforms {
                if link.child_frame_id.trim_start_matches('/') == base_frame {
                    self.track.push(link.header.stamp.nanos(), RigidTransform::from(&link.transform));
                }
            }
        } else if topic == topics.ask.as_deref() {
            self.asks.push(Heard { log_nanos, message: message.decode().map_err(text)? });
        } else if topic == topics.query.as_deref() {
            self.queries.push(Heard { log_nanos, message: message.decode().map_err(text)? });
        } else if topic == topics.answer.as_deref() {
            self.answers.push(Heard { log_nanos, message: message.decode().map_err(text)? });
        } else if topic == topics.feedback.as_deref() {
            self.feedback.push(Heard { log_nanos, message: message.decode().map_err(text)? });
        } else if topic == topics.truth.as_deref() {
            let message: StringMessage = message.decode().map_err(text)?;
            let truth = serde_json::from_str(&message.data);
            self.truths
                .push(truth.map_err(|error| format!("{}: {error}", topics.truth.as_deref().unwrap_or_default()))?);
        }
        Ok(())
    }

    /// The truth at the newest frame up to a stamp.
    pub fn truth_at(&self, stamp_nanos: i64) -> Option<&SimTruth> {
        let after = self.truths.partition_point(|truth| truth.stamp_nanos <= stamp_nanos);
        after.checked_sub(1).and_then(|index| self.truths.get(index))
    }
}

/// The id of the episode of a bag: the folder's or file's name.
pub(super) fn bag_id(path: &Path) -> String {
    let name = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    crate::episode::file_safe(&name.file_stem().unwrap_or_default().to_string_lossy())
}
