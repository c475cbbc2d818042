//! From what the simulator knows to messages.

use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};
use recording::messages as ros;
use recording::messages::{CameraInfo, Header, Odometry, TfMessage, Time, Transform, TransformStamped};
use recording::{CellMap, SimTruth, TrueObject};
use sim::camera::{Camera, Pose};
use sim::clip::Clip;
use sim::world::World;

/// Optical frame of the camera.
pub(crate) const OPTICAL_FRAME: &str = "camera_optical_frame";
const BASE_FRAME: &str = "base_link";
const ODOM_FRAME: &str = "odom";

pub(crate) fn header(stamp_nanos: i64, frame_id: &str) -> Header {
    Header { stamp: Time::from_nanos(stamp_nanos), frame_id: frame_id.to_owned() }
}

/// `sim` puts pixel centres at `.5`, ROS at whole numbers: half a pixel less at the principal point.
pub(crate) fn camera_info(camera: &Camera, stamp_nanos: i64) -> CameraInfo {
    let [fx, _, cx, _, fy, cy, ..] = camera.k();
    let (cx, cy) = (cx - 0.5, cy - 0.5);
    CameraInfo {
        header: header(stamp_nanos, OPTICAL_FRAME),
        height: camera.height as u32,
        width: camera.width as u32,
        distortion_model: "plumb_bob".to_owned(),
        d: camera.distortion.coefficients().to_vec(),
        k: [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p: [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
        ..CameraInfo::default()
    }
}

/// The robot's base: on the ground under the camera, looking where it looks.
fn odom_from_base(camera: &Pose) -> Isometry3<f64> {
    let [x, y, _] = camera.position;
    let turn = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), camera.yaw);
    Isometry3::from_parts(Translation3::new(x, y, 0.0), turn)
}

fn odom_from_optical(camera: &Pose) -> Isometry3<f64> {
    let [right, down, forward] = camera.optical_axes().map(Vector3::from);
    let axes = Rotation3::from_matrix_unchecked(Matrix3::from_columns(&[right, down, forward]));
    Isometry3::from_parts(Translation3::from(camera.position), UnitQuaternion::from_rotation_matrix(&axes))
}

pub(crate) fn odometry(camera: &Pose, stamp_nanos: i64) -> Odometry {
    let transform = transform(&odom_from_base(camera));
    let mut odometry = Odometry {
        header: header(stamp_nanos, ODOM_FRAME),
        child_frame_id: BASE_FRAME.to_owned(),
        ..Odometry::default()
    };
    odometry.pose.pose = ros::Pose { position: transform.translation, orientation: transform.rotation };
    odometry
}

/// `odom` to `base_link` to the optical frame: a carried camera moves on its robot.
pub(crate) fn moving(camera: &Pose, stamp_nanos: i64) -> TfMessage {
    let base = odom_from_base(camera);
    let base_from_optical = base.inverse() * odom_from_optical(camera);
    TfMessage {
        transforms: vec![
            link(ODOM_FRAME, BASE_FRAME, &base, stamp_nanos),
            link(BASE_FRAME, OPTICAL_FRAME, &base_from_optical, stamp_nanos),
        ],
    }
}

/// `map` to `odom`, which are the same.
pub(crate) fn fixed(stamp_nanos: i64) -> TfMessage {
    TfMessage { transforms: vec![link("map", ODOM_FRAME, &Isometry3::identity(), stamp_nanos)] }
}

fn link(parent: &str, child: &str, parent_from_child: &Isometry3<f64>, stamp_nanos: i64) -> TransformStamped {
    let (header, child_frame_id) = (header(stamp_nanos, parent), child.to_owned());
    TransformStamped { header, child_frame_id, transform: transform(parent_from_child) }
}

fn transform(isometry: &Isometry3<f64>) -> Transform {
    let (at, turn) = (&isometry.translation.vector, isometry.rotation.coords);
    Transform {
        translation: ros::Vector3 { x: at.x, y: at.y, z: at.z },
        rotation: ros::Quaternion { x: turn.x, y: turn.y, z: turn.z, w: turn.w },
    }
}

/// What is true at the newest frame.
pub(crate) fn truth(clip: &Clip, world: &World, stamp_nanos: i64) -> SimTruth {
    let here = clip.poses.last().map_or([0.0; 2], |pose| [pose.position[0], pose.position[1]]);
    let objects = world.objects.iter().map(|object| TrueObject {
        category: object.class.clone(),
        distance_m: object.plan_distance(here),
        x_m: object.plan.centre[0],
        y_m: object.plan.centre[1],
        seen: clip.seen.iter().any(|seen| seen.id == object.id),
    });
    SimTruth { stamp_nanos, objects: objects.collect(), map: CellMap::from(&clip.map) }
}
