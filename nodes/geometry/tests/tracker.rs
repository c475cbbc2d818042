//! Promises of the camera's tracker: robots as they are built, and what goes wrong on them.

use std::f64::consts::{FRAC_PI_2, PI};

use geometry::{
    CalibrationMessage, CameraTracker, ExifTurn, GeometryError, Inserted, QuarterTurn, RigidTransform, StampKind,
    StampedTransform, TrackerSettings,
};
use nalgebra::{Translation3, UnitQuaternion, Vector3};

const SECOND: i64 = 1_000_000_000;
const SIZE: (u32, u32) = (640, 480);

fn euler(roll: f64, pitch: f64, yaw: f64) -> UnitQuaternion<f64> {
    UnitQuaternion::from_euler_angles(roll, pitch, yaw)
}

/// x right, y down, z forward, pitched down by `down_deg` and rolled to the right about its axis.
fn optical(down_deg: f64, roll_deg: f64) -> UnitQuaternion<f64> {
    let level = euler(-FRAC_PI_2, 0.0, -FRAC_PI_2);
    let roll = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), roll_deg.to_radians());
    euler(0.0, down_deg.to_radians(), 0.0) * level * roll
}

fn transform(parent: &str, child: &str, z: f64, turn: UnitQuaternion<f64>, stamp: Option<i64>) -> StampedTransform {
    StampedTransform {
        parent: parent.to_owned(),
        child: child.to_owned(),
        stamp_nanos: stamp,
        parent_from_child: RigidTransform::from_parts(Translation3::new(0.0, 0.0, z), turn),
    }
}

fn tracker() -> CameraTracker {
    CameraTracker::new(TrackerSettings::default())
}

/// A camera 1.2 m over the floor, on a base whose frame is at `base_m`.
fn robot(base_m: f64, footprint: bool) -> CameraTracker {
    let mut tracker = tracker();
    let camera = transform("base_link", "camera_optical_frame", 1.2 - base_m, optical(10.0, 0.0), None);
    tracker.take_transform(&camera, 0).expect("valid");
    if footprint {
        let below = transform("base_footprint", "base_link", base_m, UnitQuaternion::identity(), None);
        tracker.take_transform(&below, 0).expect("valid");
    }
    tracker
}

fn calibration() -> CalibrationMessage {
    let k = [320.0, 0.0, 320.0, 0.0, 320.0, 240.0, 0.0, 0.0, 1.0];
    CalibrationMessage { size: SIZE, k, ..CalibrationMessage::default() }
}

#[test]
fn the_floor_is_under_the_footprint_wherever_base_link_is() {
    for base_m in [0.0, 0.13, 0.32, 0.5] {
        let mut robot = robot(base_m, true);
        robot.see("camera_optical_frame", SIZE, false, ExifTurn::default());
        let report = robot.report();
        assert!((report.height.value.expect("known") - 1.2).abs() < 1e-6, "{report}");
        assert!(report.height.source.contains("base_footprint"), "{report}");
        assert!((report.pitch.value.expect("known") + 10.0).abs() < 1e-4, "{report}");
    }
}

#[test]
fn without_a_footprint_the_base_is_as_high_as_one_says() {
    let mut low = robot(0.5, false);
    low.see("camera_optical_frame", SIZE, false, ExifTurn::default());
    assert!((low.report().height.value.expect("known") - 0.7).abs() < 1e-6);
    assert!(low.report().height.source.contains("taken to lie on the floor"), "{}", low.report());
    let settings = TrackerSettings { base_height_m: Some(0.5), ..TrackerSettings::default() };
    let mut told = CameraTracker::new(settings);
    let camera = transform("base_link", "camera_optical_frame", 0.7, optical(10.0, 0.0), None);
    told.take_transform(&camera, 0).expect("valid");
    told.see("camera_optical_frame", SIZE, false, ExifTurn::default());
    assert!((told.report().height.value.expect("known") - 1.2).abs() < 1e-6, "{}", told.report());
}

#[test]
fn an_unknown_frame_is_said_and_a_prefix_found() {
    let mut unknown = robot(0.0, false);
    unknown.see("oak_rgb_camera_optical_frame", SIZE, false, ExifTurn::default());
    let report = unknown.report();
    assert_eq!((report.height.value, report.pitch.value), (None, None));
    assert!(report.to_string().contains("oak_rgb_camera_optical_frame"), "{report}");
    let mut prefixed = tracker();
    let camera = transform("robot1/base_link", "robot1/camera", 1.2, optical(10.0, 0.0), None);
    prefixed.take_transform(&camera, 0).expect("valid");
    prefixed.see("/robot1/camera", SIZE, false, ExifTurn::default());
    assert!(prefixed.report().height.source.contains("robot1/base_link"), "{}", prefixed.report());
}

#[test]
fn a_body_frame_is_turned_and_said() {
    let mut body = tracker();
    body.take_transform(&transform("base_link", "camera_link", 1.2, euler(0.0, 0.2, 0.0), None), 0).expect("valid");
    let view = body.see("camera_link", SIZE, false, ExifTurn::default()).clone();
    assert!(view.is_as_sent());
    assert!((view.image_frame_from_optical * Vector3::z() - Vector3::x()).norm() < 1e-9);
    let report = body.report();
    assert!((report.pitch.value.expect("known") + 0.2f32.to_degrees()).abs() < 1e-3, "{report}");
    assert!(report.view.contains("camera_link is no optical frame"), "{report}");
}

#[test]
fn cameras_on_their_head_or_side_give_upright_pictures() {
    for (roll_deg, turn, size) in [
        (180.0, QuarterTurn::Half, SIZE),
        (90.0, QuarterTurn::Right, (480, 640)),
        (-90.0, QuarterTurn::Left, (480, 640)),
    ] {
        let mut tracker = tracker();
        tracker.take_calibration(calibration());
        let camera = transform("base_link", "camera", 1.2, optical(10.0, roll_deg), None);
        tracker.take_transform(&camera, 0).expect("valid");
        let view = tracker.see("camera", SIZE, false, ExifTurn::default());
        assert_eq!((view.turn, view.upright_size()), (turn, size), "{roll_deg}");
        let report = tracker.report();
        assert!((report.pitch.value.expect("known") + 10.0).abs() < 1e-4, "{roll_deg}: {report}");
        let fov = if roll_deg == 180.0 { 90.0 } else { 2.0 * 0.75f32.atan().to_degrees() };
        assert!((report.fov.value.expect("known") - fov).abs() < 1e-3, "{roll_deg}: {report}");
        assert!(report.view.contains("turned"), "{report}");
    }
}

/// A driver that says in EXIF what TF says, too, and one of a camera that TF does not know.
#[test]
fn a_picture_is_turned_once_by_tf_or_else_by_its_file() {
    let side = ExifTurn::new(1, false);
    let mut hanging = tracker();
    hanging.take_calibration(calibration());
    hanging.take_transform(&transform("base_link", "camera", 1.2, optical(0.0, 180.0), None), 0).expect("valid");
    for exif in [ExifTurn::default(), ExifTurn::new(2, false), side] {
        assert_eq!(hanging.see("camera", SIZE, false, exif).turn, QuarterTurn::Half, "{exif:?}");
    }
    let mut alone = tracker();
    alone.take_calibration(calibration());
    let view = alone.see("camera", SIZE, false, side);
    assert_eq!((view.turn, view.upright_size(), view.calibration.is_some()), (QuarterTurn::Right, (480, 640), true));
    assert!(alone.report().view.contains("as their files say"), "{}", alone.report());
}

#[test]
fn calibration_that_is_missing_or_of_another_shape_is_said() {
    let mut tracker = robot(0.0, true);
    tracker.see("camera_optical_frame", SIZE, false, ExifTurn::default());
    assert!(tracker.report().to_string().contains("fov unknown (no camera_info)"), "{}", tracker.report());
    tracker.take_calibration(CalibrationMessage { k: [0.0; 9], ..calibration() });
    tracker.see("camera_optical_frame", SIZE, false, ExifTurn::default());
    assert!(tracker.report().to_string().contains("uncalibrated"), "{}", tracker.report());
    tracker.take_calibration(calibration());
    tracker.see("camera_optical_frame", (1280, 720), false, ExifTurn::default());
    assert!(tracker.report().fov.source.contains("1280x720"), "{}", tracker.report());
    tracker.see("camera_optical_frame", (320, 240), false, ExifTurn::default());
    assert!((tracker.report().fov.value.expect("scaled") - 90.0).abs() < 1e-4);
}

#[test]
fn a_lens_that_is_not_known_leaves_the_field_of_view_unknown() {
    let mut tracker = robot(0.0, true);
    let (distortion_model, d) = ("double_sphere".to_owned(), vec![0.2, 0.6]);
    tracker.take_calibration(CalibrationMessage { distortion_model, d, ..calibration() });
    tracker.see("camera_optical_frame", SIZE, false, ExifTurn::default());
    let fov = &tracker.report().fov;
    assert_eq!(fov.value, None);
    assert!(fov.source.contains("double_sphere"), "{}", fov.source);
}

/// TurtleBot: odometry moves base_footprint; TF hangs base_link below it.
#[test]
fn odometry_moves_the_chain_that_tf_hangs_below() {
    for child in ["base_footprint", "base_link"] {
        let mut robot = robot(0.1, true);
        let pose = RigidTransform::from_parts(Translation3::new(2.0, 1.0, 0.0), euler(0.0, 0.0, PI / 2.0));
        let odometry = StampedTransform {
            parent: "odom".to_owned(),
            child: child.to_owned(),
            stamp_nanos: Some(5 * SECOND),
            parent_from_child: pose,
        };
        assert_eq!(robot.take_odometry(&odometry, 5 * SECOND), Ok(Inserted::Kept));
        robot.see("camera_optical_frame", SIZE, false, ExifTurn::default());
        let camera = robot.camera_at(5 * SECOND).expect("known");
        assert!((camera.translation.x - 2.0).abs() < 1e-9 && (camera.translation.y - 1.0).abs() < 1e-9, "{child}");
        assert_eq!(robot.report().pose, "pose in odom", "{child}");
        assert!(robot.robot_at(5 * SECOND).is_some(), "{child}");
    }
}

#[test]
fn tf_goes_before_odometry() {
    let mut robot = robot(0.0, false);
    let moving = transform("odom", "base_link", 0.0, UnitQuaternion::identity(), Some(SECOND));
    robot.take_transform(&moving, SECOND).expect("valid");
    let other = transform("wheels", "base_link", 3.0, UnitQuaternion::identity(), Some(SECOND));
    robot.take_odometry(&other, SECOND).expect("ignored");
    robot.see("camera_optical_frame", SIZE, false, ExifTurn::default());
    assert!((robot.camera_at(SECOND).expect("known").translation.z - 1.2).abs() < 1e-9);
    assert_eq!(robot.report().pose, "pose in odom");
}

#[test]
fn transforms_that_stopped_are_no_pose() {
    let mut robot = robot(0.0, false);
    let moving = transform("odom", "base_link", 0.0, UnitQuaternion::identity(), Some(SECOND));
    robot.take_transform(&moving, SECOND).expect("valid");
    robot.see("camera_optical_frame", SIZE, false, ExifTurn::default());
    assert!(robot.camera_at(SECOND + SECOND / 4).is_ok(), "a picture often comes before its transform");
    assert!(matches!(robot.camera_at(4 * SECOND), Err(GeometryError::Extrapolation { .. })));
    assert!(robot.report().pose.contains("base_link has stopped"), "{}", robot.report());
    assert_eq!(robot.tf_age_secs(4 * SECOND), Some(3.0));
}

/// Joints are stamped by a micro-controller that counts from boot, or go on where odometry has stopped.
#[test]
fn wheels_say_nothing_about_the_clock_of_tf() {
    let (mut robot, now) = (robot(0.0, false), 1_796_000_000 * SECOND);
    let moving =
        |child: &str, parent: &str, stamp| transform(parent, child, 0.0, UnitQuaternion::identity(), Some(stamp));
    robot.take_transform(&moving("base_link", "odom", now), now).expect("valid");
    for tenth in 1..=20 {
        let later = now + tenth * SECOND / 10;
        robot.take_transform(&moving("wheel", "base_link", 5 * SECOND + tenth), later).expect("valid");
        assert_eq!(robot.read_stamp(later, later), (later, StampKind::AsSent));
        robot.see("camera_optical_frame", SIZE, false, ExifTurn::default());
        robot.take_transform(&moving("other_wheel", "base_link", later), later).expect("valid");
    }
    assert_eq!(robot.tf_age_secs(now + 2 * SECOND), Some(2.0), "odometry has stopped");
}

#[test]
fn a_stamp_in_the_future_is_refused() {
    let mut robot = robot(0.0, false);
    let now = 100 * SECOND;
    let ahead = |stamp| transform("odom", "base_link", 0.0, UnitQuaternion::identity(), Some(stamp));
    assert!(robot.take_transform(&ahead(now + SECOND / 2), now).is_ok());
    let error = robot.take_transform(&ahead(now + 3600 * SECOND), now).expect_err("an hour ahead").to_string();
    assert!(error.contains("base_link") && error.contains("found 3700000000000"), "{error}");
    assert!(robot.take_odometry(&ahead(now + 3600 * SECOND), now).is_err());
    robot.read_stamp(now + 5 * SECOND, now);
    assert!(robot.take_transform(&ahead(now + 5 * SECOND), now).is_ok(), "the robot's clock is ahead of ours");
}
