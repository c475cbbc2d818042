//! What is known of a frame beside its pixels.

use std::sync::Arc;

use crate::PixelMap;

/// Where the camera was: its optical frame (x right, y down, z forward) in a fixed frame whose z points up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// x, y, z, metres.
    pub position_m: [f64; 3],
    /// Unit quaternion x, y, z, w.
    pub orientation: [f64; 4],
}

impl Pose {
    pub(crate) fn metres_to(&self, other: &Self) -> f64 {
        let squares = self.position_m.iter().zip(other.position_m).map(|(a, b)| (a - b).powi(2));
        squares.sum::<f64>().sqrt()
    }

    pub(crate) fn degrees_to(&self, other: &Self) -> f64 {
        // q and -q are one rotation.
        let cosine: f64 = self.orientation.iter().zip(other.orientation).map(|(a, b)| a * b).sum();
        (2.0 * cosine.abs().min(1.0).acos()).to_degrees()
    }
}

/// How a frame was taken, as far as that is known.
#[derive(Clone, Debug, Default)]
pub struct Shot {
    /// Where the camera was.
    pub pose: Option<Pose>,
    /// How the picture is straightened and turned upright before it is downsized; `None` leaves it as it was sent.
    pub pixel_map: Option<Arc<PixelMap>>,
}

impl Shot {
    /// A shot from `pose` of a picture that is straight and upright as it was sent.
    pub fn at(pose: Option<Pose>) -> Self {
        Self { pose, pixel_map: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_the_angle_between_orientations() {
        let pose = |degrees: f64| Pose {
            position_m: [0.0; 3],
            orientation: [0.0, 0.0, (degrees.to_radians() / 2.0).sin(), (degrees.to_radians() / 2.0).cos()],
        };
        assert!((pose(10.0).degrees_to(&pose(13.0)) - 3.0).abs() < 1e-6);
        assert!((pose(359.0).degrees_to(&pose(1.0)) - 2.0).abs() < 1e-6);
    }
}
