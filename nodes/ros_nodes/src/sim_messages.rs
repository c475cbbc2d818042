//! From a simulated frame to the messages that a robot's drivers would send.

use r2r::geometry_msgs::msg::{Quaternion, Transform, TransformStamped, Vector3};
use r2r::nav_msgs::msg::Odometry;
use r2r::sensor_msgs::msg::{CameraInfo, Image};
use r2r::std_msgs::msg::Header;
use r2r::tf2_msgs::msg::TFMessage;
use sim::camera::{Camera, Pose};

use crate::convert::pose as ground_pose;
use crate::simulation::{SimFrame, WorldKind};
use crate::time::time_from_nanos;

/// Optical frame of the camera.
pub const OPTICAL_FRAME: &str = "camera_optical_frame";

fn header(stamp_nanos: i64, frame_id: &str) -> Header {
    Header { stamp: time_from_nanos(stamp_nanos), frame_id: frame_id.to_owned() }
}

/// The picture.
pub fn image(camera: &Camera, frame: SimFrame) -> Image {
    Image {
        header: header(frame.stamp_nanos, OPTICAL_FRAME),
        height: camera.height as u32,
        width: camera.width as u32,
        encoding: "rgb8".to_owned(),
        is_bigendian: 0,
        step: camera.width as u32 * 3,
        data: frame.rgb,
    }
}

/// The calibration. `sim` puts pixel centres at `.5`, ROS at whole numbers: half a pixel less at the principal point.
pub fn camera_info(camera: &Camera, stamp_nanos: i64) -> CameraInfo {
    let [fx, _, cx, _, fy, cy, ..] = camera.k();
    let (cx, cy) = (cx - 0.5, cy - 0.5);
    CameraInfo {
        header: header(stamp_nanos, OPTICAL_FRAME),
        height: camera.height as u32,
        width: camera.width as u32,
        distortion_model: "plumb_bob".to_owned(),
        d: camera.distortion.coefficients().to_vec(),
        k: vec![fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r: vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p: vec![fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
        ..CameraInfo::default()
    }
}

/// Where the robot's base is, and how fast it moved since the frame before.
pub fn odometry(pose: &Pose, before: Option<&Pose>, period_secs: f64, stamp_nanos: i64) -> Odometry {
    let mut odometry =
        Odometry { header: header(stamp_nanos, "odom"), child_frame_id: "base_link".to_owned(), ..Odometry::default() };
    odometry.pose.pose = ground_pose(pose.position[0], pose.position[1], pose.yaw);
    if let Some(before) = before {
        // In the base frame: ahead and to the left.
        let [right, ahead] = before.to_plan([pose.position[0], pose.position[1]]);
        odometry.twist.twist.linear = Vector3 { x: ahead / period_secs, y: -right / period_secs, z: 0.0 };
        odometry.twist.twist.angular.z = sim::path::wrap(pose.yaw - before.yaw) / period_secs;
    }
    odometry
}

/// `odom` to `base_link`: on the ground under where odometry has the camera. In a full world also `map` to `odom`, as a
/// localiser would tell it, and `base_link` to `camera_link`, which sways.
pub fn moving_transforms(kind: WorldKind, pose: &Pose, believed: &Pose, stamp_nanos: i64) -> TFMessage {
    let [x, y, _] = believed.position;
    let base = link(["odom", "base_link"], [x, y, 0.0], about_z(believed.yaw), stamp_nanos);
    let transforms = match kind {
        WorldKind::Clip => vec![base],
        WorldKind::Full => vec![localisation(pose, believed, stamp_nanos), base, mounting(pose, stamp_nanos)],
    };
    TFMessage { transforms }
}

/// `camera_link` to the optical frame; in a plain world also `map` to `odom` (the same) and `base_link` to `camera_link`.
pub fn fixed_transforms(kind: WorldKind, pose: &Pose, stamp_nanos: i64) -> TFMessage {
    let optical = Quaternion { x: -0.5, y: 0.5, z: -0.5, w: 0.5 };
    let optical = link(["camera_link", OPTICAL_FRAME], [0.0; 3], optical, stamp_nanos);
    let transforms = match kind {
        WorldKind::Clip => vec![localisation(pose, pose, stamp_nanos), mounting(pose, stamp_nanos), optical],
        WorldKind::Full => vec![optical],
    };
    TFMessage { transforms }
}

/// `map` to `odom`: what brings the believed pose to the true one.
fn localisation(pose: &Pose, believed: &Pose, stamp_nanos: i64) -> TransformStamped {
    let turn = sim::path::wrap(pose.yaw - believed.yaw);
    let (sin, cos) = turn.sin_cos();
    let ([x, y, _], [bx, by, _]) = (pose.position, believed.position);
    let at_m = [x - cos * bx + sin * by, y - sin * bx - cos * by, 0.0];
    link(["map", "odom"], at_m, about_z(turn), stamp_nanos)
}

/// `base_link` to `camera_link`.
fn mounting(pose: &Pose, stamp_nanos: i64) -> TransformStamped {
    // A positive turn about y points the nose down (REP-103); the simulator's pitch is positive upwards.
    let (sin, cos) = (-pose.pitch / 2.0).sin_cos();
    // Then a positive turn about x puts the right side down, as the simulator's roll does.
    let (sin_roll, cos_roll) = (pose.roll / 2.0).sin_cos();
    let nose = Quaternion { x: cos * sin_roll, y: sin * cos_roll, z: -sin * sin_roll, w: cos * cos_roll };
    link(["base_link", "camera_link"], [0.0, 0.0, pose.position[2]], nose, stamp_nanos)
}

fn about_z(yaw_rad: f64) -> Quaternion {
    let (sin, cos) = (yaw_rad / 2.0).sin_cos();
    Quaternion { x: 0.0, y: 0.0, z: sin, w: cos }
}

fn link(frames: [&str; 2], at_m: [f64; 3], rotation: Quaternion, stamp_nanos: i64) -> TransformStamped {
    let [x, y, z] = at_m;
    TransformStamped {
        header: header(stamp_nanos, frames[0]),
        child_frame_id: frames[1].to_owned(),
        transform: Transform { translation: Vector3 { x, y, z }, rotation },
    }
}

#[cfg(test)]
mod tests {
    use sim::lens::Distortion;

    use super::*;

    #[test]
    fn camera_info_has_the_lens_in_the_order_of_plumb_bob() {
        let distortion = Distortion { k1: -0.1, k2: 0.02, p1: 0.001, p2: -0.002, k3: 0.003 };
        let info = camera_info(&Camera { distortion, ..Camera::pinhole(640, 480, 1.2) }, 5);
        assert_eq!((info.distortion_model.as_str(), info.d), ("plumb_bob", vec![-0.1, 0.02, 0.001, -0.002, 0.003]));
    }
}
