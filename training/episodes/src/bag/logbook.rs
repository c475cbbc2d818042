//! The first reading of a bag: everything but pixels and distances.

use std::path::Path;

use geometry::RigidTransform;
use recording::messages::{Odometry, RosMessage, StringMessage, TfMessage};
use recording::spacer_messages::{AnswerFeedback, SpatialAnswer, SpatialQuery};
use recording::{BagMessage, BagReader, SimTruth};
use serde::Deserialize;

use super::left_out::LeftOut;
use super::topics::Topics;
use super::track::Track;
use super::where_was::WhereWas;

/// Most messages of one kind that are remembered: a recording of a year has fewer.
const MOST_HEARD: usize = 200_000;

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
    /// The robot's frame as TF calls it, where TF knows it.
    pub base_frame: Option<String>,
    /// What a user should know about that.
    pub note: Option<String>,
    pub asks: Vec<Heard<StringMessage>>,
    pub queries: Vec<Heard<SpatialQuery>>,
    pub answers: Vec<Heard<SpatialAnswer>>,
    pub feedback: Vec<Heard<AnswerFeedback>>,
    /// Sorted by stamp.
    pub truths: Vec<SimTruth>,
    /// What could not be read.
    pub left_out: LeftOut,
}

impl Logbook {
    /// Reads the whole bag. Where no odometry is recorded, TF tells where `base_frame` was.
    pub fn read(bag: &BagReader, topics: &Topics, base_frame: &str) -> Self {
        let mut log = Self::default();
        let mut where_was = WhereWas::new(base_frame);
        let mut messages = bag.messages();
        for message in &mut messages {
            if let Err(reason) = log.note(&message, topics, &mut where_was) {
                log.left_out.push(reason);
            }
        }
        messages.damage().iter().for_each(|damage| log.left_out.push(damage.to_string()));
        log.image_stamps.sort_unstable();
        log.image_stamps.dedup();
        log.base_frame = where_was.base_frame().map(str::to_owned);
        log.note = where_was.note();
        if topics.odometry.is_none() {
            log.track = where_was.finish();
        }
        log.track.sort();
        log.truths.sort_by_key(|truth| truth.stamp_nanos);
        log
    }

    fn note(&mut self, message: &BagMessage, topics: &Topics, where_was: &mut WhereWas) -> Result<(), String> {
        let topic = Some(message.topic());
        let text = |error: recording::Error| error.to_string();
        if topic == Some(&topics.image) {
            let stamp = message.picture_stamp_nanos().map_err(text)?;
            self.image_stamps.push(stamp);
            if topics.odometry.is_none() {
                where_was.see(stamp);
            }
        } else if topic == topics.odometry.as_deref() {
            let odometry: Odometry = message.decode().map_err(text)?;
            let stamp = message.stamp_nanos(odometry.header.stamp.nanos());
            self.track.push_of(&odometry.child_frame_id, stamp, RigidTransform::from(&odometry.pose.pose));
        } else if message.is::<TfMessage>() {
            // One that can't be decoded is named by the second reading.
            if let Ok(transforms) = message.decode() {
                where_was.hear(&transforms, message.topic().ends_with("tf_static"));
            }
        } else if topic == topics.ask.as_deref() {
            hear(message, &mut self.asks)?;
        } else if topic == topics.query.as_deref() {
            hear(message, &mut self.queries)?;
        } else if topic == topics.answer.as_deref() {
            hear(message, &mut self.answers)?;
        } else if topic == topics.feedback.as_deref() {
            hear(message, &mut self.feedback)?;
        } else if topic == topics.truth.as_deref() {
            self.hear_truth(message)?;
        }
        Ok(())
    }

    fn hear_truth(&mut self, message: &BagMessage) -> Result<(), String> {
        let StringMessage { data } = message.decode().map_err(|error| error.to_string())?;
        let truth = serde_json::from_str(&data).map_err(|error| format!("{}: {error}", message.topic()))?;
        is_room(&self.truths, message)?;
        self.truths.push(truth);
        Ok(())
    }

    /// The truth at the newest frame up to a stamp.
    pub fn truth_at(&self, stamp_nanos: i64) -> Option<&SimTruth> {
        let after = self.truths.partition_point(|truth| truth.stamp_nanos <= stamp_nanos);
        after.checked_sub(1).and_then(|index| self.truths.get(index))
    }
}

fn hear<'a, M: RosMessage + Deserialize<'a>>(message: &'a BagMessage, heard: &mut Vec<Heard<M>>) -> Result<(), String> {
    is_room(heard, message)?;
    let decoded = message.decode().map_err(|error| error.to_string())?;
    heard.push(Heard { log_nanos: message.log_time_nanos(), message: decoded });
    Ok(())
}

fn is_room<T>(heard: &[T], message: &BagMessage) -> Result<(), String> {
    if heard.len() < MOST_HEARD {
        return Ok(());
    }
    Err(format!("{}: expected at most {MOST_HEARD} messages, found more", message.topic()))
}

/// The id of the episode of a bag: the folder's or file's name.
pub(super) fn bag_id(path: &Path) -> String {
    let name = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    crate::episode::file_safe(&name.file_stem().unwrap_or_default().to_string_lossy())
}
