//! Poses seen from above.

use nalgebra::{UnitQuaternion, Vector3};

use crate::RigidTransform;

/// Where something stands in a fixed frame and which way it faces, in plan view.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlanPose {
    /// Metres along x of the fixed frame.
    pub x: f64,
    /// Metres along y of the fixed frame.
    pub y: f64,
    /// Heading, radians from x towards y.
    pub yaw_rad: f64,
}

impl PlanPose {
    /// The plan view of `fixed_from_base`: roll and pitch are left out.
    pub fn from_transform(fixed_from_base: &RigidTransform) -> Self {
        Self::facing(fixed_from_base, Vector3::x())
    }

    /// The plan view of a camera with the optical axis as its heading: roll and pitch are left out. Of a camera that
    /// looks straight up or down the heading means nothing.
    pub fn of_camera(fixed_from_optical: &RigidTransform) -> Self {
        Self::facing(fixed_from_optical, Vector3::z())
    }

    fn facing(transform: &RigidTransform, axis: Vector3<f64>) -> Self {
        let forward = transform.rotation * axis;
        let translation = transform.translation;
        Self { x: translation.x, y: translation.y, yaw_rad: forward.y.atan2(forward.x) }
    }

    /// A point (forward, left) of the robot's frame, in the fixed frame, metres.
    pub fn fixed_from_base(&self, forward_m: f64, left_m: f64) -> (f64, f64) {
        let (sin, cos) = self.yaw_rad.sin_cos();
        (self.x + cos * forward_m - sin * left_m, self.y + sin * forward_m + cos * left_m)
    }

    /// This pose as `other` has it: x metres ahead of it, y metres to its left, turned to the left by the yaw, in
    /// (-π, π].
    #[must_use]
    pub fn seen_from(&self, other: &Self) -> Self {
        let (sin, cos) = other.yaw_rad.sin_cos();
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        let (turn_sin, turn_cos) = (self.yaw_rad - other.yaw_rad).sin_cos();
        Self { x: cos * dx + sin * dy, y: cos * dy - sin * dx, yaw_rad: turn_sin.atan2(turn_cos) }
    }
}

/// The pose as a transform `fixed_from_base`, on the ground.
impl From<PlanPose> for RigidTransform {
    fn from(pose: PlanPose) -> Self {
        let rotation = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), pose.yaw_rad);
        Self::from_parts(nalgebra::Translation3::new(pose.x, pose.y, 0.0), rotation)
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, PI};

    use super::*;

    #[test]
    fn a_pose_is_seen_from_another_ahead_left_and_turned() {
        let here = PlanPose { x: 1.0, y: 2.0, yaw_rad: FRAC_PI_2 };
        let seen = PlanPose { x: 0.0, y: 5.0, yaw_rad: -FRAC_PI_2 }.seen_from(&here);
        assert!((seen.x - 3.0).abs() < 1e-12 && (seen.y - 1.0).abs() < 1e-12, "{seen:?}");
        assert!((seen.yaw_rad.abs() - PI).abs() < 1e-12, "{seen:?}");
        let (x, y) = here.fixed_from_base(seen.x, seen.y);
        assert!((x, y) == (0.0, 5.0) || (x.abs() < 1e-12 && (y - 5.0).abs() < 1e-12));
    }

    #[test]
    fn a_camera_faces_where_its_optical_axis_points() {
        // Optical z along y of the fixed frame, then 20 degrees down.
        let level = UnitQuaternion::from_euler_angles(-FRAC_PI_2, 0.0, 0.0);
        let down = UnitQuaternion::from_euler_angles(-20f64.to_radians(), 0.0, 0.0);
        let camera =
            PlanPose::of_camera(&RigidTransform::from_parts(nalgebra::Translation3::new(1.0, 2.0, 1.2), down * level));
        assert!((camera.yaw_rad - FRAC_PI_2).abs() < 1e-9, "{camera:?}");
        assert_eq!((camera.x, camera.y), (1.0, 2.0));
    }
}
