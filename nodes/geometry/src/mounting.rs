//! How a camera is mounted: which way its picture is up, how high it hangs, how it is pitched.

use std::f64::consts::{FRAC_PI_2, PI};

use nalgebra::{Rotation3, UnitQuaternion, Vector3};

use crate::RigidTransform;

/// A frame whose z axis points up within this is no optical frame (whose z is the viewing direction) but a body frame.
const BODY_Z_WITHIN_RAD: f64 = 30.0 * PI / 180.0;
/// Of a camera that looks up or down more steeply than this no side of the picture is the upper one.
const STEEPEST_RAD: f64 = 70.0 * PI / 180.0;

/// A picture's turn that makes it upright.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QuarterTurn {
    /// It is upright.
    #[default]
    None,
    /// By 90 degrees to the left.
    Left,
    /// By 180 degrees.
    Half,
    /// By 90 degrees to the right.
    Right,
}

impl QuarterTurn {
    /// Degrees to the left.
    pub fn degrees_left(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Left => 90,
            Self::Half => 180,
            Self::Right => 270,
        }
    }

    /// The size (width, height) of a picture after the turn.
    pub fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Self::None | Self::Half => (width, height),
            Self::Left | Self::Right => (height, width),
        }
    }

    /// Where a point of the turned picture was in the picture as sent, of `size` (width, height); pixels, centres at
    /// half integers.
    pub fn as_sent(self, [x, y]: [f64; 2], (width, height): (u32, u32)) -> [f64; 2] {
        let (width, height) = (f64::from(width), f64::from(height));
        match self {
            Self::None => [x, y],
            Self::Left => [width - y, x],
            Self::Half => [width - x, height - y],
            Self::Right => [y, height - x],
        }
    }

    /// Where a point of the picture as sent, of `size` (width, height), is in the turned one.
    pub fn upright(self, [x, y]: [f64; 2], (width, height): (u32, u32)) -> [f64; 2] {
        let (width, height) = (f64::from(width), f64::from(height));
        match self {
            Self::None => [x, y],
            Self::Left => [y, width - x],
            Self::Half => [width - x, height - y],
            Self::Right => [height - y, x],
        }
    }

    /// Takes directions of the turned picture's optical frame to that of the picture as sent.
    pub(crate) fn sent_from_upright(self) -> UnitQuaternion<f64> {
        let angle = match self {
            Self::None => 0.0,
            Self::Left => FRAC_PI_2,
            Self::Half => PI,
            Self::Right => -FRAC_PI_2,
        };
        UnitQuaternion::from_axis_angle(&Vector3::z_axis(), angle)
    }
}

/// How a camera is mounted over a floor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mounting {
    /// Whether the frame of its images is a body frame (x forward, z up), as Gazebo's are, and no optical one.
    pub is_body_frame: bool,
    /// The turn that makes its pictures upright.
    pub turn: QuarterTurn,
    /// Height of the camera over the floor, metres.
    pub height_m: f64,
    /// Pitch of the viewing direction, degrees; negative looks down.
    pub pitch_deg: f64,
    /// How far the picture still leans to the right once it is turned, degrees, -45 to 45.
    pub roll_deg: f64,
    /// Takes points of the turned picture's optical frame to the frame of the images.
    pub image_frame_from_optical: UnitQuaternion<f64>,
}

impl Mounting {
    /// Reads `floor_from_image`, where the frame of the images, `image_frame`, is in a frame that lies on the floor with z
    /// up and x forward.
    ///
    /// A frame whose z points down is an optical one that looks at the floor, or a body frame that hangs upside down. It is
    /// taken for the latter where its x points forward, as no optical frame has it that looks down and has the way ahead at
    /// its upper edge, and its name does not say `optical`.
    pub fn new(floor_from_image: &RigidTransform, image_frame: &str) -> Self {
        let up = floor_from_image.rotation.inverse() * Vector3::z();
        let ahead = floor_from_image.rotation * Vector3::x();
        let hangs = up.angle(&-Vector3::z()) < BODY_Z_WITHIN_RAD
            && ahead.angle(&Vector3::x()) < BODY_Z_WITHIN_RAD
            && !image_frame.to_ascii_lowercase().contains("optical");
        let is_body_frame = hangs || up.angle(&Vector3::z()) < BODY_Z_WITHIN_RAD;
        let frame = if is_body_frame { body_from_optical() } else { UnitQuaternion::identity() };
        // Where the world's up lies in the picture as sent.
        let up = frame.inverse() * up;
        let pitch = (-up.z).clamp(-1.0, 1.0).asin();
        // Turned to the right by this from the picture's own up.
        let lean = if pitch.abs() < STEEPEST_RAD { up.x.atan2(-up.y) } else { 0.0 };
        let turn = turn_of(lean);
        Self {
            is_body_frame,
            turn,
            height_m: floor_from_image.translation.z,
            // The viewing direction points up where the world's up lies behind the picture's plane.
            pitch_deg: -pitch.to_degrees(),
            roll_deg: rest_of(lean),
            image_frame_from_optical: frame * turn.sent_from_upright(),
        }
    }
}

/// Optical axes (x right, y down, z forward) in a body frame (x forward, y left, z up); REP-103.
fn body_from_optical() -> UnitQuaternion<f64> {
    let columns = [-Vector3::y(), -Vector3::z(), Vector3::x()];
    UnitQuaternion::from_rotation_matrix(&Rotation3::from_basis_unchecked(&columns))
}

/// The turn that takes a lean to the right, radians, nearest to upright.
fn turn_of(lean: f64) -> QuarterTurn {
    match (lean / FRAC_PI_2).round() as i32 {
        1 => QuarterTurn::Left,
        -1 => QuarterTurn::Right,
        2 | -2 => QuarterTurn::Half,
        _ => QuarterTurn::None,
    }
}

/// What is left of a lean after the turn, degrees: the picture leans to the right where the world's up lies to the left.
fn rest_of(lean: f64) -> f64 {
    -(lean - (lean / FRAC_PI_2).round() * FRAC_PI_2).to_degrees()
}

#[cfg(test)]
mod tests {
    use nalgebra::Translation3;

    use super::*;

    /// An optical frame at 1.2 m, pitched down by 10 degrees, its picture rolled to the right by `roll_deg`.
    fn optical(roll_deg: f64) -> RigidTransform {
        let down = UnitQuaternion::from_euler_angles(0.0, 10f64.to_radians(), 0.0);
        let roll = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), roll_deg.to_radians());
        RigidTransform::from_parts(Translation3::new(0.1, 0.0, 1.2), down * body_from_optical() * roll)
    }

    #[test]
    fn an_upright_camera_is_left_as_it_is() {
        for roll_deg in [0.0, 20.0, -44.0] {
            let found = Mounting::new(&optical(roll_deg), "camera");
            assert_eq!((found.is_body_frame, found.turn), (false, QuarterTurn::None), "{roll_deg}");
            assert!((found.roll_deg - roll_deg).abs() < 1e-6, "{found:?}");
            assert!((found.pitch_deg + 10.0).abs() < 1e-9 && (found.height_m - 1.2).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn pictures_of_cameras_on_their_side_or_head_are_turned_upright() {
        for (roll_deg, turn) in [
            (180.0, QuarterTurn::Half),
            (-170.0, QuarterTurn::Half),
            (90.0, QuarterTurn::Right),
            (-90.0, QuarterTurn::Left),
        ] {
            let floor_from_image = optical(roll_deg);
            let found = Mounting::new(&floor_from_image, "camera");
            assert_eq!((found.is_body_frame, found.turn), (false, turn), "{roll_deg}");
            assert!((found.pitch_deg + 10.0).abs() < 1e-9, "{found:?}");
            // The turned picture's y axis points down in the world, but for what is left of the roll.
            let down = floor_from_image.rotation * found.image_frame_from_optical * Vector3::y();
            assert!(down.z < -0.9, "{roll_deg}: {down}");
        }
    }

    #[test]
    fn a_body_frame_is_seen_by_its_z_axis() {
        let down = UnitQuaternion::from_euler_angles(0.0, 12f64.to_radians(), 0.0);
        let found = Mounting::new(&RigidTransform::from_parts(Translation3::new(0.0, 0.0, 0.5), down), "camera_link");
        assert_eq!((found.is_body_frame, found.turn), (true, QuarterTurn::None));
        assert!((found.pitch_deg + 12.0).abs() < 1e-9 && found.roll_deg.abs() < 1e-9, "{found:?}");
        let forward = found.image_frame_from_optical * Vector3::z();
        assert!((forward - Vector3::x()).norm() < 1e-12);
    }

    #[test]
    fn a_body_frame_that_hangs_upside_down_is_known_by_its_x_axis_and_name() {
        let hanging = |yaw_deg: f64| {
            let turn = UnitQuaternion::from_euler_angles(PI, 12f64.to_radians(), yaw_deg.to_radians());
            RigidTransform::from_parts(Translation3::new(0.0, 0.0, 0.9), turn)
        };
        let found = Mounting::new(&hanging(0.0), "camera_link");
        assert_eq!((found.is_body_frame, found.turn), (true, QuarterTurn::Half));
        assert!((found.pitch_deg + 12.0).abs() < 1e-9, "{found:?}");
        // Of the turned picture right is the robot's right.
        let right = hanging(0.0).rotation * found.image_frame_from_optical * Vector3::x();
        assert!((right + Vector3::y()).norm() < 1e-9, "{right}");
        for (yaw_deg, name) in [(0.0, "camera_optical_frame"), (-90.0, "camera")] {
            let found = Mounting::new(&hanging(yaw_deg), name);
            assert!(!found.is_body_frame && found.pitch_deg < -70.0, "{name}: {found:?}");
        }
    }

    #[test]
    fn a_camera_that_looks_at_the_floor_has_no_upper_side() {
        let down = UnitQuaternion::from_euler_angles(0.0, 85f64.to_radians(), 0.0);
        let roll = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), PI);
        let found = Mounting::new(
            &RigidTransform::from_parts(Translation3::identity(), down * body_from_optical() * roll),
            "camera",
        );
        assert_eq!((found.turn, found.is_body_frame), (QuarterTurn::None, false));
        assert!((found.pitch_deg + 85.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn points_go_to_the_turned_picture_and_back() {
        let size = (4, 3);
        for turn in [QuarterTurn::None, QuarterTurn::Left, QuarterTurn::Half, QuarterTurn::Right] {
            let upright = turn.upright([0.5, 2.5], size);
            let (width, height) = turn.size(size);
            assert!(upright[0] < f64::from(width) && upright[1] < f64::from(height), "{turn:?}: {upright:?}");
            assert_eq!(turn.as_sent(upright, size), [0.5, 2.5], "{turn:?}");
        }
        // The top right corner of a picture turned to the left is at its top left.
        assert_eq!(QuarterTurn::Left.upright([3.5, 0.5], size), [0.5, 0.5]);
    }
}
