//! What TF, odometry and calibration tell: where the robot is, and how its camera is mounted. ROS messages in front of
//! [`geometry::CameraTracker`], which decides.

use frame_ring::Shot;
use geometry::{
    CalibrationMessage, CameraReport, CameraTracker, ExifTurn, GeometryError, Inserted, PlanPose, StampKind,
    StampedTransform, TrackerSettings, rigid_transform, transform_parts,
};
use perception::{Pose, ViewMap};
use r2r::geometry_msgs::msg::{Quaternion, TransformStamped};
use r2r::nav_msgs::msg::Odometry;
use r2r::sensor_msgs::msg::CameraInfo;

use crate::time::nanos_from_time;

/// Transforms and calibration, kept up to date. Every change of what the model is told is logged.
pub struct RobotState {
    tracker: CameraTracker,
    map: ViewMap,
    rectified: bool,
    logged: Option<CameraReport>,
    stamp_kind: StampKind,
    last_error: String,
}

/// A picture as far as its header goes.
pub struct PictureHeader<'a> {
    /// The frame, empty where the driver names none.
    pub frame_id: &'a str,
    /// Width and height, pixels.
    pub size: (u32, u32),
    /// As sent, nanoseconds.
    pub stamp_nanos: i64,
    /// What the file of a compressed one says; nothing of a raw one.
    pub exif: ExifTurn,
}

impl RobotState {
    /// Nothing is known yet. `rectified`: pictures are straight as they are sent.
    pub fn new(settings: TrackerSettings, rectified: bool) -> Self {
        Self {
            tracker: CameraTracker::new(settings),
            map: ViewMap::default(),
            rectified,
            logged: None,
            stamp_kind: StampKind::AsSent,
            last_error: String::new(),
        }
    }

    /// Takes in the transforms of `/tf` or, `fixed`, of `/tf_static`, which arrived at `now_nanos` of ROS time. Broken
    /// ones are logged and left out.
    pub fn take_transforms(&mut self, transforms: &[TransformStamped], fixed: bool, now_nanos: i64) {
        for transform in transforms {
            let (at, turn) = (&transform.transform.translation, &transform.transform.rotation);
            let taken = self.tracker.take_transform(
                &StampedTransform {
                    parent: transform.header.frame_id.clone(),
                    child: transform.child_frame_id.clone(),
                    stamp_nanos: (!fixed).then(|| nanos_from_time(&transform.header.stamp)),
                    parent_from_child: rigid_transform([at.x, at.y, at.z], quaternion(turn)),
                },
                now_nanos,
            );
            self.note_insertion(&transform.child_frame_id, taken);
        }
    }

    /// Takes in odometry, for robots whose TF does not tell how they move.
    pub fn take_odometry(&mut self, odometry: &Odometry, now_nanos: i64) {
        let (at, turn) = (&odometry.pose.pose.position, &odometry.pose.pose.orientation);
        let taken = self.tracker.take_odometry(
            &StampedTransform {
                parent: odometry.header.frame_id.clone(),
                child: odometry.child_frame_id.clone(),
                stamp_nanos: Some(nanos_from_time(&odometry.header.stamp)),
                parent_from_child: rigid_transform([at.x, at.y, at.z], quaternion(turn)),
            },
            now_nanos,
        );
        self.note_insertion(&odometry.child_frame_id, taken);
    }

    /// Takes in a calibration; what is wrong with it the camera's report says.
    pub fn take_camera_info(&mut self, info: &CameraInfo) {
        let roi = &info.roi;
        self.tracker.take_calibration(CalibrationMessage {
            size: (info.width, info.height),
            k: numbers(&info.k),
            p: numbers(&info.p),
            distortion_model: info.distortion_model.clone(),
            d: info.d.clone(),
            binning: (info.binning_x, info.binning_y),
            roi: [roi.x_offset, roi.y_offset, roi.width, roi.height],
        });
    }

    /// Reads a picture's stamp, which arrived at `now_nanos` of ROS time: in TF's clock, nanoseconds.
    pub fn read_stamp(&mut self, stamp_nanos: i64, now_nanos: i64) -> i64 {
        let (read, kind) = self.tracker.read_stamp(stamp_nanos, now_nanos);
        if kind != self.stamp_kind {
            match kind {
                StampKind::AsSent => tracing::info!("pictures are stamped with TF's clock again"),
                StampKind::Arrival => {
                    tracing::warn!("pictures have no stamp: the time of arrival stands in for it");
                }
                StampKind::Moved(by) => {
                    let by_secs = by as f64 * 1e-9;
                    tracing::warn!(by_secs, "the camera's clock is not TF's: its stamps are moved");
                }
            }
            self.stamp_kind = kind;
        }
        read
    }

    /// Where the camera of a picture was, and how the picture is made upright and straight. `picture.stamp_nanos` is in
    /// TF's clock.
    pub fn shot(&mut self, picture: &PictureHeader<'_>) -> Shot {
        let view = self.tracker.see(picture.frame_id, picture.size, self.rectified, picture.exif);
        // A size that no picture has is refused by the ring, by name.
        let pixel_map = self.map.get(view).unwrap_or_default();
        let camera = self.tracker.camera_at(picture.stamp_nanos).ok();
        let pose = camera.map(|fixed_from_optical| {
            let (position_m, orientation) = transform_parts(&fixed_from_optical);
            Pose { position_m, orientation }
        });
        self.log_changes();
        Shot { pose, pixel_map }
    }

    /// What the model is told about the camera.
    pub fn camera(&self) -> CameraReport {
        self.tracker.report().clone()
    }

    /// Age of the newest transform or odometry at `now_nanos` of ROS time, seconds.
    pub fn tf_age_secs(&self, now_nanos: i64) -> Option<f64> {
        self.tracker.tf_age_secs(now_nanos)
    }

    /// The frame of the newest picture.
    pub fn camera_frame(&self) -> &str {
        self.tracker.image_frame()
    }

    /// The robot's pose in the fixed frame at a stamp, where TF knows it for that very moment.
    pub fn robot_at(&self, stamp_nanos: i64) -> Option<PlanPose> {
        self.tracker.robot_at(stamp_nanos)
    }

    fn log_changes(&mut self) {
        let report = self.tracker.report();
        if self.logged.as_ref().is_none_or(|logged| report.differs(logged)) {
            tracing::info!("camera: {report}");
            self.logged = Some(report.clone());
        }
    }

    fn note_insertion(&mut self, frame: &str, taken: Result<Inserted, GeometryError>) {
        match taken {
            Ok(Inserted::Kept) => {}
            Ok(Inserted::Restarted { back_nanos }) => {
                let back_secs = back_nanos as f64 * 1e-9;
                tracing::warn!(frame, back_secs, "the clock of this transform went back; its history begins anew");
            }
            Err(error) => self.note(error.to_string()),
        }
    }

    /// Logs a reason once, until another one comes.
    fn note(&mut self, error: String) {
        // Numbers differ with every message of one kind.
        let kind: String = error.chars().filter(|c| !c.is_ascii_digit()).collect();
        if self.last_error != kind {
            tracing::warn!("left out: {error}");
            self.last_error = kind;
        }
    }
}

fn quaternion(turn: &Quaternion) -> [f64; 4] {
    [turn.x, turn.y, turn.z, turn.w]
}

/// The message's numbers; those that are missing are zero.
fn numbers<const N: usize>(found: &[f64]) -> [f64; N] {
    std::array::from_fn(|index| found.get(index).copied().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use geometry::CameraFacts;
    use sim::camera::Pose as CameraPose;

    use super::*;
    use crate::sim_messages::{camera_info, fixed_transforms, moving_transforms, odometry};
    use crate::simulation::WorldKind;

    const POSE: CameraPose =
        CameraPose { position: [1.0, 2.0, 0.7], yaw: 0.5, pitch: -0.2, roll: 0.1, stamp_secs: 0.0 };
    const FRAME: &str = "camera_optical_frame";

    fn state(fixed: &str) -> RobotState {
        let fixed_frame = Some(fixed.to_owned());
        RobotState::new(TrackerSettings { fixed_frame, ..TrackerSettings::default() }, false)
    }

    fn shot_at(state: &mut RobotState, stamp_nanos: i64) -> Option<Pose> {
        let exif = ExifTurn::default();
        state.shot(&PictureHeader { frame_id: FRAME, size: (640, 480), stamp_nanos, exif }).pose
    }

    #[test]
    fn the_simulated_robot_is_where_the_simulator_says() {
        let mut state = state("map");
        state.take_transforms(&fixed_transforms(WorldKind::Clip, &POSE, 5).transforms, true, 0);
        state.take_transforms(&moving_transforms(WorldKind::Clip, &POSE, &POSE, 5).transforms, false, 0);
        let robot = state.robot_at(5).expect("known");
        assert!((robot.x - 1.0).abs() + (robot.y - 2.0).abs() + (robot.yaw_rad - 0.5).abs() < 1e-9, "{robot:?}");
        let camera = shot_at(&mut state, 5).expect("known");
        assert!(camera.position_m.iter().zip(POSE.position).all(|(found, expected)| (found - expected).abs() < 1e-9));
        let plan = PlanPose::of_camera(&rigid_transform(camera.position_m, camera.orientation));
        assert!((plan.yaw_rad - POSE.yaw).abs() < 1e-9, "{plan:?}");
        assert_eq!(shot_at(&mut state, 6), Some(camera), "the newest that is known");
        assert_eq!(shot_at(&mut state, 6_000_000_000), None, "transforms have stopped");
        assert!(state.robot_at(6).is_none(), "nothing is guessed beyond the newest stamp");
        let camera = sim::camera::Camera::pinhole(640, 480, 1.2);
        state.take_camera_info(&camera_info(&camera, 5));
        shot_at(&mut state, 5);
        let facts = state.camera().facts();
        let wanted = [(facts.height_m, 0.7), (facts.pitch_deg, (-0.2f32).to_degrees())];
        for (found, expected) in wanted {
            assert!((found.expect("mounted") - expected).abs() < 1e-4, "{facts:?}");
        }
        assert!((facts.horizontal_fov_deg.expect("calibrated") - 1.2f32.to_degrees()).abs() < 0.1, "{facts:?}");
    }

    #[test]
    fn drifting_odometry_is_put_right_and_a_swaying_camera_is_where_it_is() {
        let believed = CameraPose { position: [1.3, 1.8, 0.7], yaw: 0.65, ..POSE };
        let mut state = state("map");
        state.take_transforms(&fixed_transforms(WorldKind::Full, &POSE, 5).transforms, true, 0);
        state.take_transforms(&moving_transforms(WorldKind::Full, &POSE, &believed, 5).transforms, false, 0);
        let robot = state.robot_at(5).expect("known");
        assert!((robot.x - 1.0).abs() + (robot.y - 2.0).abs() + (robot.yaw_rad - 0.5).abs() < 1e-9, "{robot:?}");
        let found = state.tracker.transforms().lookup("map", FRAME, Some(5)).expect("known");
        // What lies at (0.4, -0.3, 2.0) for the camera.
        let point = found * nalgebra::Point3::new(0.4, -0.3, 2.0);
        let expected = POSE.to_world([0.4, -0.3, 2.0]);
        assert!((0..3).all(|axis| (point[axis] - expected[axis]).abs() < 1e-9), "{point} is not {expected:?}");
    }

    #[test]
    fn odometry_serves_where_tf_is_silent() {
        let mut state = state("odom");
        state.take_odometry(&odometry(&POSE, None, 0.1, 7), 0);
        assert!(state.robot_at(7).is_some());
    }

    #[test]
    fn an_uncalibrated_camera_is_unknown() {
        let mut state = state("map");
        state.take_camera_info(&CameraInfo::default());
        shot_at(&mut state, 5);
        assert_eq!(state.camera().facts(), CameraFacts::default());
        assert!(state.camera().to_string().contains("uncalibrated"), "{}", state.camera());
    }
}
