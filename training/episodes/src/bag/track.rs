//! Where the robot was, over a whole recording.

use geometry::{RigidTransform, interpolate};

/// How far outside the recorded poses a stamp may lie to get the first or last one, nanoseconds.
const SLACK_NANOS: i64 = 100_000_000;

/// Closer poses say nothing new, nanoseconds.
const LEAST_APART_NANOS: u64 = 1_000_000;

/// Poses of the robot in the odometry's frame.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    /// The frame that the poses are of, where it may be another than the base: `base_footprint` on many robots.
    frame: Option<String>,
    poses: Vec<(i64, RigidTransform)>,
}

impl Track {
    /// Adds a pose; one that is not finite is left out.
    pub fn push(&mut self, stamp_nanos: i64, fixed_from_base: RigidTransform) {
        let (at, turn) = (&fixed_from_base.translation.vector, &fixed_from_base.rotation.coords);
        if at.iter().chain(turn.iter()).all(|value| value.is_finite()) {
            self.poses.push((stamp_nanos, fixed_from_base));
        }
    }

    /// Adds a pose of odometry, which is of its own frame.
    pub fn push_of(&mut self, child_frame_id: &str, stamp_nanos: i64, fixed_from_child: RigidTransform) {
        let is_new = |(last, _): &(i64, RigidTransform)| last.abs_diff(stamp_nanos) >= LEAST_APART_NANOS;
        if !self.poses.last().is_none_or(is_new) {
            return;
        }
        let frame = child_frame_id.trim_start_matches('/');
        if self.frame.is_none() && !frame.is_empty() {
            self.frame = Some(frame.to_owned());
        }
        self.push(stamp_nanos, fixed_from_child);
    }

    /// The frame that the poses are of, where odometry says.
    pub fn frame(&self) -> Option<&str> {
        self.frame.as_deref()
    }

    /// Puts the poses in order.
    pub fn sort(&mut self) {
        self.poses.sort_by_key(|(stamp, _)| *stamp);
    }

    /// The pose at a stamp, between the poses before and after it.
    pub fn at(&self, stamp_nanos: i64) -> Option<RigidTransform> {
        let after = self.poses.partition_point(|(stamp, _)| *stamp < stamp_nanos);
        let near = |(stamp, pose): &(i64, RigidTransform)| {
            (stamp.abs_diff(stamp_nanos) <= SLACK_NANOS as u64).then_some(*pose)
        };
        match (after.checked_sub(1).and_then(|before| self.poses.get(before)), self.poses.get(after)) {
            (_, Some((stamp, pose))) if *stamp == stamp_nanos => Some(*pose),
            (Some((t0, a)), Some((t1, b))) => Some(interpolate(a, b, (stamp_nanos - t0) as f64 / (t1 - t0) as f64)),
            (Some(last), None) => near(last),
            (None, Some(first)) => near(first),
            (None, None) => None,
        }
    }
}
