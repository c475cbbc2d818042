//! What TF, odometry and calibration tell: where the robot is, and how its camera is mounted.

use std::collections::HashSet;

use geometry::{Camera, CameraFacts, PlanPose, StampedTransform, TransformBuffer, rigid_transform, transform_parts};
use perception::Pose;
use r2r::geometry_msgs::msg::{Quaternion, TransformStamped};
use r2r::nav_msgs::msg::Odometry;
use r2r::sensor_msgs::msg::CameraInfo;

use crate::placed_map::MapFrames;
use crate::time::nanos_from_time;

/// How much of every moving frame is remembered: the oldest answer's frame plus a long decode.
const HISTORY_SECS: f64 = 60.0;

/// Transforms and calibration, kept up to date.
pub struct RobotState {
    buffer: TransformBuffer,
    /// Frames whose parent TF tells; odometry is not asked about them.
    told_by_tf: HashSet<String>,
    camera: Option<Camera>,
    frames: MapFrames,
    last_error: String,
}

impl RobotState {
    /// Nothing is known yet.
    pub fn new(frames: MapFrames) -> Self {
        Self {
            buffer: TransformBuffer::new(HISTORY_SECS),
            told_by_tf: HashSet::new(),
            camera: None,
            frames,
            last_error: String::new(),
        }
    }

    /// Takes in the transforms of `/tf` or, `fixed`, of `/tf_static`. Broken ones are logged and left out.
    pub fn take_transforms(&mut self, transforms: &[TransformStamped], fixed: bool) {
        for transform in transforms {
            let (at, turn) = (&transform.transform.translation, &transform.transform.rotation);
            let taken = self.insert(StampedTransform {
                parent: frame_name(&transform.header.frame_id),
                child: frame_name(&transform.child_frame_id),
                stamp_nanos: (!fixed).then(|| nanos_from_time(&transform.header.stamp)),
                parent_from_child: rigid_transform([at.x, at.y, at.z], quaternion(turn)),
            });
            // The buffer bounds the number of frames, and so of these.
            if taken {
                self.told_by_tf.insert(frame_name(&transform.child_frame_id));
            }
        }
    }

    /// Takes in odometry, for robots that publish no TF.
    pub fn take_odometry(&mut self, odometry: &Odometry) {
        let child = frame_name(&odometry.child_frame_id);
        if self.told_by_tf.contains(&child) {
            return;
        }
        let (at, turn) = (&odometry.pose.pose.position, &odometry.pose.pose.orientation);
        self.insert(StampedTransform {
            parent: frame_name(&odometry.header.frame_id),
            child,
            stamp_nanos: Some(nanos_from_time(&odometry.header.stamp)),
            parent_from_child: rigid_transform([at.x, at.y, at.z], quaternion(turn)),
        });
    }

    /// Takes in a calibration; one of an uncalibrated driver is as good as none.
    pub fn take_camera_info(&mut self, info: &CameraInfo) {
        let Ok(k) = <[f64; 9]>::try_from(info.k.as_slice()) else { return };
        match Camera::from_k(&k, info.width, info.height) {
            Ok(camera) => self.camera = Some(camera),
            Err(error) => self.note(format!("camera_info: {error}")),
        }
    }

    /// Forgets what moves: stamps jumped back.
    pub fn restart(&mut self) {
        self.buffer.clear_moving();
    }

    /// What the model is told about the camera. Its mounting is taken at the newest stamps.
    pub fn camera_facts(&self, camera_frame: &str) -> CameraFacts {
        let mounting = self.buffer.lookup(&self.frames.base, &frame_name(camera_frame), None).ok();
        CameraFacts::new(self.camera.as_ref(), mounting.as_ref())
    }

    /// The robot's pose in the fixed frame at a stamp, where TF knows it for that very moment.
    pub fn robot_at(&self, stamp_nanos: i64) -> Option<PlanPose> {
        let found = self.buffer.lookup(&self.frames.fixed, &self.frames.base, Some(stamp_nanos));
        found.ok().map(|fixed_from_base| PlanPose::from_transform(&fixed_from_base))
    }

    /// The camera's pose in the fixed frame at a stamp, or the newest known one where TF is not that far yet.
    pub fn camera_at(&self, camera_frame: &str, stamp_nanos: i64) -> Option<Pose> {
        let found = self.buffer.lookup_near(&self.frames.fixed, &frame_name(camera_frame), stamp_nanos).ok()?;
        let (position_m, orientation) = transform_parts(&found);
        Some(Pose { position_m, orientation })
    }

    fn insert(&mut self, transform: StampedTransform) -> bool {
        let result = self.buffer.insert(&transform);
        if let Err(error) = &result {
            self.note(error.to_string());
        }
        result.is_ok()
    }

    /// Logs a reason once, until another one comes.
    fn note(&mut self, error: String) {
        if self.last_error != error {
            tracing::warn!("left out: {error}");
            self.last_error = error;
        }
    }
}

/// TF1 wrote a leading slash, and some drivers still do.
fn frame_name(name: &str) -> String {
    name.strip_prefix('/').unwrap_or(name).to_owned()
}

fn quaternion(turn: &Quaternion) -> [f64; 4] {
    [turn.x, turn.y, turn.z, turn.w]
}

#[cfg(test)]
mod tests {
    use sim::camera::Pose as CameraPose;

    use super::*;
    use crate::sim_messages::{camera_info, fixed_transforms, moving_transforms, odometry};
    use crate::simulation::WorldKind;

    const POSE: CameraPose =
        CameraPose { position: [1.0, 2.0, 0.7], yaw: 0.5, pitch: -0.2, roll: 0.1, stamp_secs: 0.0 };

    fn state() -> RobotState {
        RobotState::new(MapFrames { fixed: "map".into(), base: "base_link".into() })
    }

    #[test]
    fn the_simulated_robot_is_where_the_simulator_says() {
        let mut state = state();
        state.take_transforms(&fixed_transforms(WorldKind::Clip, &POSE, 5).transforms, true);
        state.take_transforms(&moving_transforms(WorldKind::Clip, &POSE, &POSE, 5).transforms, false);
        let robot = state.robot_at(5).expect("known");
        assert!((robot.x - 1.0).abs() + (robot.y - 2.0).abs() + (robot.yaw_rad - 0.5).abs() < 1e-9, "{robot:?}");
        let camera = state.camera_at("camera_optical_frame", 5).expect("known");
        assert!(camera.position_m.iter().zip(POSE.position).all(|(found, expected)| (found - expected).abs() < 1e-9));
        let plan = PlanPose::of_camera(&rigid_transform(camera.position_m, camera.orientation));
        assert!((plan.yaw_rad - POSE.yaw).abs() < 1e-9, "{plan:?}");
        assert_eq!(state.camera_at("camera_optical_frame", 6), Some(camera), "the newest that is known");
        assert!(state.robot_at(6).is_none(), "nothing is guessed beyond the newest stamp");
        let camera = sim::camera::Camera::pinhole(640, 480, 1.2);
        state.take_camera_info(&camera_info(&camera, 5));
        let facts = state.camera_facts("camera_optical_frame");
        let wanted = [(facts.height_m, 0.7), (facts.pitch_deg, (-0.2f32).to_degrees())];
        for (found, expected) in wanted {
            assert!((found.expect("mounted") - expected).abs() < 1e-4, "{facts:?}");
        }
        assert!((facts.horizontal_fov_deg.expect("calibrated") - 1.2f32.to_degrees()).abs() < 0.1, "{facts:?}");
    }

    #[test]
    fn drifting_odometry_is_put_right_and_a_swaying_camera_is_where_it_is() {
        let believed = CameraPose { position: [1.3, 1.8, 0.7], yaw: 0.65, ..POSE };
        let mut state = state();
        state.take_transforms(&fixed_transforms(WorldKind::Full, &POSE, 5).transforms, true);
        state.take_transforms(&moving_transforms(WorldKind::Full, &POSE, &believed, 5).transforms, false);
        let robot = state.robot_at(5).expect("known");
        assert!((robot.x - 1.0).abs() + (robot.y - 2.0).abs() + (robot.yaw_rad - 0.5).abs() < 1e-9, "{robot:?}");
        let found = state.buffer.lookup("map", "camera_optical_frame", Some(5)).expect("known");
        // What lies at (0.4, -0.3, 2.0) for the camera.
        let point = found * nalgebra::Point3::new(0.4, -0.3, 2.0);
        let expected = POSE.to_world([0.4, -0.3, 2.0]);
        assert!((0..3).all(|axis| (point[axis] - expected[axis]).abs() < 1e-9), "{point} is not {expected:?}");
    }

    #[test]
    fn odometry_serves_where_tf_is_silent() {
        let mut state = state();
        state.frames.fixed = "odom".into();
        state.take_odometry(&odometry(&POSE, None, 0.1, 7));
        assert!(state.robot_at(7).is_some());
        state.restart();
        assert!(state.robot_at(7).is_none());
    }

    #[test]
    fn an_uncalibrated_camera_is_unknown() {
        let mut state = state();
        state.take_camera_info(&CameraInfo::default());
        assert_eq!(state.camera_facts("camera_optical_frame"), CameraFacts::default());
    }
}
