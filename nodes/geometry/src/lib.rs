//! Frames, cameras and rigid transforms.
//!
//! Convention: lengths in metres, angles in radians unless the name says `deg`; frames follow REP-103 (base: x
//! forward, y left, z up; optical: x right, y down, z forward). A transform named `parent_from_child` takes points of
//! the child frame to the parent frame. Failure modes are [`GeometryError`].

mod buffer;
mod calibration;
mod camera;
mod clock;
mod description;
mod error;
mod exif_turn;
mod frame_names;
mod history;
mod lens;
mod mounting;
mod plan;
mod report;
mod tracker;
mod tracker_settings;
mod view;

pub use buffer::{MAX_FRAMES, MAX_NAME_BYTES, StampedTransform, TransformBuffer};
pub use calibration::{Calibration, CalibrationMessage, Region, is_rectified};
pub use camera::{Camera, CameraFacts};
pub use clock::{CameraClock, StampKind};
pub use error::GeometryError;
pub use exif_turn::ExifTurn;
pub use frame_names::frame_named;
pub use history::{Inserted, MAX_HISTORY};
pub use lens::Lens;
pub use mounting::{Mounting, QuarterTurn};
pub use plan::PlanPose;
pub use report::{CameraReport, Fact};
pub use tracker::CameraTracker;
pub use tracker_settings::TrackerSettings;
pub use view::CameraView;

/// A rotation followed by a translation, in metres.
pub type RigidTransform = nalgebra::Isometry3<f64>;

/// A transform from its parts as ROS messages carry them: translation (x, y, z) and quaternion (x, y, z, w).
///
/// The quaternion is normalised; a transform whose numbers are not finite stays so and is refused by
/// [`TransformBuffer::insert`]. A quaternion of no length becomes not-a-number likewise.
pub fn rigid_transform(translation: [f64; 3], quaternion: [f64; 4]) -> RigidTransform {
    let [x, y, z, w] = quaternion;
    let rotation = nalgebra::UnitQuaternion::from_quaternion(nalgebra::Quaternion::new(w, x, y, z));
    RigidTransform::from_parts(nalgebra::Translation3::from(translation), rotation)
}

/// The parts of a transform as ROS messages carry them; the inverse of [`rigid_transform`].
pub fn transform_parts(transform: &RigidTransform) -> ([f64; 3], [f64; 4]) {
    let (at, turn) = (transform.translation.vector, transform.rotation.coords);
    ([at.x, at.y, at.z], [turn.x, turn.y, turn.z, turn.w])
}

/// The transform `share` of the way from `a` to `b`: straight in position, at constant rate in rotation.
pub fn interpolate(a: &RigidTransform, b: &RigidTransform, share: f64) -> RigidTransform {
    let translation = a.translation.vector.lerp(&b.translation.vector, share);
    // `try_slerp` fails only for opposite rotations, where any way round is as good.
    let rotation =
        a.rotation.try_slerp(&b.rotation, share, 1e-9).unwrap_or(if share < 0.5 { a.rotation } else { b.rotation });
    RigidTransform::from_parts(translation.into(), rotation)
}
