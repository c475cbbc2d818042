//! Where TF says that the robot was, at the moments of pictures.
//!
//! The robot's frame may stand at any place of the tree: below `base_footprint`, which a TurtleBot's odometry moves, or
//! with the robot's name before it. Memory is bounded: transforms of the last seconds, and the stamps that wait for
//! theirs.

use std::collections::{BTreeSet, VecDeque};

use geometry::{GeometryError, RigidTransform, TransformBuffer, frame_named};
use recording::messages::TfMessage;

use super::track::Track;

/// As tf2's.
const HISTORY_SECS: f64 = 10.0;
/// Most stamps that wait for transforms of their moment.
const MOST_WAITING: usize = 1024;
/// Most frames whose names are remembered.
const MOST_FRAMES: usize = 1024;
/// How far outside the known transforms a stamp may lie to get the nearest, nanoseconds.
const SLACK_NANOS: u64 = 100_000_000;
/// The robot's frame where TF doesn't know the one that was meant.
const OTHER_BASES: [&str; 2] = ["base_footprint", "base_link"];
/// So long pictures wait for the frame that was meant, before another is taken, nanoseconds.
const PATIENCE_NANOS: u64 = 5_000_000_000;
/// Frame names that an error lists.
const MOST_LISTED: usize = 10;

/// Poses of the robot, as transforms and pictures come by.
pub(super) struct WhereWas {
    base_frame: String,
    transforms: TransformBuffer,
    frames: BTreeSet<String>,
    waiting: VecDeque<i64>,
    track: Track,
}

impl WhereWas {
    /// `base_frame`: the robot's, with or without prefix.
    pub fn new(base_frame: &str) -> Self {
        Self {
            base_frame: base_frame.trim_start_matches('/').to_owned(),
            transforms: TransformBuffer::new(HISTORY_SECS),
            frames: BTreeSet::new(),
            waiting: VecDeque::new(),
            track: Track::default(),
        }
    }

    /// The robot's frame as TF calls it, or `base_footprint` or `base_link` where TF doesn't know the one that was
    /// meant; `None` where TF knows no such frame, or several.
    pub fn base_frame(&self) -> Option<&str> {
        let others = OTHER_BASES.iter().find_map(|other| self.frame_named(other));
        self.frame_named(&self.base_frame).or(others)
    }

    fn frame_named(&self, name: &str) -> Option<&str> {
        frame_named(self.frames.iter().map(String::as_str), name)
    }

    /// Takes in transforms; `fixed`: of `/tf_static`.
    pub fn hear(&mut self, message: &TfMessage, fixed: bool) {
        for link in &message.transforms {
            let stamped = link.stamped(fixed);
            for name in [&stamped.parent, &stamped.child] {
                if self.frames.len() < MOST_FRAMES && !self.frames.contains(name) {
                    self.frames.insert(name.clone());
                }
            }
            // One broken transform leaves its frame unknown.
            let _ = self.transforms.insert(&stamped);
        }
        self.place_waiting(false);
    }

    /// A picture was taken at that stamp.
    pub fn see(&mut self, stamp_nanos: i64) {
        self.waiting.push_back(stamp_nanos);
        if self.waiting.len() > MOST_WAITING {
            self.waiting.pop_front();
        }
        self.place_waiting(false);
    }

    /// The poses, after the last message.
    pub fn finish(mut self) -> Track {
        self.place_waiting(true);
        self.track
    }

    /// What a user should know about the robot's frame: that another was taken, or why there is none.
    pub fn note(&self) -> Option<String> {
        let expected = &self.base_frame;
        if self.frames.is_empty() || self.frame_named(expected).is_some() {
            return None;
        }
        if let Some(taken) = self.base_frame() {
            return Some(format!("TF: {taken}, in place of {expected}; another is taken by --base-frame"));
        }
        let names: Vec<&str> = self.frames.iter().take(MOST_LISTED).map(String::as_str).collect();
        let more = if self.frames.len() > MOST_LISTED { ", …" } else { "" };
        let found = names.join(", ");
        Some(format!("TF: expected the robot's frame {expected}, found {found}{more}; name it by --base-frame"))
    }

    /// Places the stamps whose transforms are there; with `all` also those that are a little too new for them.
    fn place_waiting(&mut self, all: bool) {
        let waited = self.waiting.front().zip(self.waiting.back()).map_or(0, |(first, last)| first.abs_diff(*last));
        let meant = self.frame_named(&self.base_frame);
        let other = if all || waited > PATIENCE_NANOS { self.base_frame() } else { None };
        let Some(base) = meant.or(other).map(str::to_owned) else { return };
        while let Some(&stamp_nanos) = self.waiting.front() {
            match self.pose(&base, stamp_nanos) {
                Ok(pose) => self.track.push(stamp_nanos, pose),
                Err(GeometryError::Extrapolation { earliest_nanos, latest_nanos, .. }) => {
                    let is_too_new = stamp_nanos > latest_nanos;
                    if is_too_new && !all {
                        return;
                    }
                    let nearest = if is_too_new { latest_nanos } else { earliest_nanos };
                    let is_near = nearest.abs_diff(stamp_nanos) <= SLACK_NANOS;
                    if let Some(pose) = is_near.then(|| self.pose(&base, nearest).ok()).flatten() {
                        self.track.push(stamp_nanos, pose);
                    }
                }
                // Nothing moves yet.
                Err(_) => return,
            }
            self.waiting.pop_front();
        }
    }

    /// The robot in the frame of its odometry, which doesn't jump, or in the topmost.
    fn pose(&self, base: &str, stamp_nanos: i64) -> Result<RigidTransform, GeometryError> {
        let prefix = base.rsplit_once('/').map(|(prefix, _)| format!("{prefix}/")).unwrap_or_default();
        let odom = format!("{prefix}odom");
        let unknown = || GeometryError::UnknownFrame { found: base.to_owned() };
        let world = self.transforms.world_of(base).ok_or_else(unknown)?;
        let fixed = if self.transforms.lookup(&odom, base, None).is_ok() { odom.as_str() } else { world };
        self.transforms.lookup(fixed, base, Some(stamp_nanos))
    }
}

#[cfg(test)]
mod tests {
    use recording::messages::{Header, Time, Transform, TransformStamped, Vector3};

    use super::*;

    fn link(parent: &str, child: &str, stamp_nanos: i64, x: f64) -> TfMessage {
        let header = Header { stamp: Time::from_nanos(stamp_nanos), frame_id: parent.to_owned() };
        let transform = Transform { translation: Vector3 { x, ..Vector3::default() }, ..Transform::default() };
        TfMessage { transforms: vec![TransformStamped { header, child_frame_id: child.to_owned(), transform }] }
    }

    /// A robot that moves a metre a second, seen at 1.5 s and 2.05 s.
    fn poses(base_frame: &str, [odom, moved, fixed]: [&str; 3]) -> (Vec<Option<f64>>, Option<String>) {
        let mut tf = WhereWas::new(base_frame);
        tf.hear(&link(moved, fixed, 0, 0.1), true);
        tf.hear(&link("map", odom, 0, 100.0), true);
        tf.hear(&link(odom, moved, 1_000_000_000, 1.0), false);
        tf.see(1_500_000_000);
        tf.hear(&link(odom, moved, 2_000_000_000, 2.0), false);
        tf.see(2_050_000_000);
        let note = tf.note();
        let track = tf.finish();
        let at = |stamp| track.at(stamp).map(|pose| (pose.translation.x * 1e3).round() / 1e3);
        (vec![at(1_500_000_000), at(2_050_000_000)], note)
    }

    #[test]
    fn the_robot_is_found_wherever_its_frame_hangs() {
        let turtlebot = ["odom", "base_footprint", "base_link"];
        assert_eq!(poses("base_link", turtlebot), (vec![Some(1.6), Some(2.1)], None));
        assert_eq!(poses("base_footprint", turtlebot), (vec![Some(1.5), Some(2.0)], None));
        let prefixed = ["robot1/odom", "robot1/base_footprint", "robot1/base_link"];
        assert_eq!(poses("base_link", prefixed), (vec![Some(1.6), Some(2.1)], None));
        let (other, note) = poses("base_link", ["odom", "base_footprint", "lid"]);
        assert_eq!(other, [Some(1.5), Some(2.0)]);
        assert!(note.is_some_and(|text| text.contains("base_footprint, in place of base_link")));
        let (none, note) = poses("base_link", ["odom", "chassis", "lid"]);
        assert_eq!(none, [None, None]);
        assert!(note.is_some_and(|text| text.contains("--base-frame") && text.contains("chassis")));
    }
}
