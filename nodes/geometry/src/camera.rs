//! The pinhole camera and what can be told about its mounting.

use nalgebra::{Point3, Vector3};
use serde::{Deserialize, Serialize};

use crate::{GeometryError, RigidTransform};

/// A pinhole camera without distortion. Optical frame: x right, y down, z forward; pixel centres at half integers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Focal length along x, pixels.
    pub fx: f64,
    /// Focal length along y, pixels.
    pub fy: f64,
    /// Principal point, pixels from the left edge.
    pub cx: f64,
    /// Principal point, pixels from the top edge.
    pub cy: f64,
    /// Width of the picture, pixels.
    pub width: u32,
    /// Height of the picture, pixels.
    pub height: u32,
}

impl Camera {
    /// Reads the row-major 3x3 matrix K of `sensor_msgs/CameraInfo`.
    ///
    /// # Errors
    /// [`GeometryError::Camera`] if the matrix is not that of a camera; an uncalibrated driver sends zeros.
    pub fn from_k(k: &[f64; 9], width: u32, height: u32) -> Result<Self, GeometryError> {
        let [fx, _, cx, _, fy, cy, ..] = *k;
        let sizes = [("width", f64::from(width)), ("height", f64::from(height))];
        for (name, found) in [("fx", fx), ("fy", fy), ("cx", cx), ("cy", cy)].into_iter().chain(sizes) {
            if !(found.is_finite() && found > 0.0) {
                return Err(GeometryError::Camera { name, found });
            }
        }
        Ok(Self { fx, fy, cx, cy, width, height })
    }

    /// Horizontal field of view between the left and right edges, radians.
    pub fn horizontal_fov_rad(&self) -> f64 {
        (self.cx / self.fx).atan() + ((f64::from(self.width) - self.cx) / self.fx).atan()
    }

    /// Vertical field of view between the top and bottom edges, radians.
    pub fn vertical_fov_rad(&self) -> f64 {
        (self.cy / self.fy).atan() + ((f64::from(self.height) - self.cy) / self.fy).atan()
    }

    /// Pixel of a point in the optical frame (metres); `None` at or behind the camera's plane.
    pub fn project(&self, point: &Point3<f64>) -> Option<[f64; 2]> {
        (point.z > 1e-9).then(|| [self.fx * point.x / point.z + self.cx, self.fy * point.y / point.z + self.cy])
    }

    /// Direction in the optical frame, with z = 1, of a pixel.
    pub fn ray(&self, pixel: [f64; 2]) -> Vector3<f64> {
        Vector3::new((pixel[0] - self.cx) / self.fx, (pixel[1] - self.cy) / self.fy, 1.0)
    }
}

/// What the model is told about the camera; each fact may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CameraFacts {
    /// Horizontal field of view, degrees.
    pub horizontal_fov_deg: Option<f32>,
    /// Height of the optical centre above the ground, metres.
    pub height_m: Option<f32>,
    /// Pitch of the optical axis, degrees; positive looks up, so that a camera aimed at the floor has a negative pitch.
    pub pitch_deg: Option<f32>,
}

impl CameraFacts {
    /// Gathers what a calibrated camera and its mounting tell; `base_from_optical` places the optical frame in a base
    /// frame whose origin lies on the ground and whose z points up (REP-103).
    pub fn new(camera: Option<&Camera>, base_from_optical: Option<&RigidTransform>) -> Self {
        let forward = base_from_optical.map(|transform| transform.rotation * Vector3::z());
        Self {
            horizontal_fov_deg: camera.map(|camera| camera.horizontal_fov_rad().to_degrees() as f32),
            height_m: base_from_optical.map(|transform| transform.translation.z as f32),
            pitch_deg: forward.map(|forward| forward.z.clamp(-1.0, 1.0).asin().to_degrees() as f32),
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Translation3, UnitQuaternion};

    use super::*;

    const K: [f64; 9] = [320.0, 0.0, 320.0, 0.0, 320.0, 240.0, 0.0, 0.0, 1.0];

    #[test]
    fn field_of_view_of_a_square_triangle_is_ninety_degrees() {
        let camera = Camera::from_k(&K, 640, 480).expect("calibrated");
        assert!((camera.horizontal_fov_rad().to_degrees() - 90.0).abs() < 1e-9);
    }

    #[test]
    fn an_uncalibrated_camera_is_an_error() {
        assert_eq!(Camera::from_k(&[0.0; 9], 640, 480), Err(GeometryError::Camera { name: "fx", found: 0.0 }));
        assert!(Camera::from_k(&[f64::NAN; 9], 640, 480).is_err());
        assert!(Camera::from_k(&K, 0, 480).is_err());
    }

    #[test]
    fn projection_and_ray_agree() {
        let camera = Camera::from_k(&K, 640, 480).expect("calibrated");
        let point = Point3::new(0.4, -0.3, 2.0);
        let pixel = camera.project(&point).expect("in front");
        assert_eq!(pixel, [384.0, 192.0]);
        assert!((camera.ray(pixel) * 2.0 - point.coords).norm() < 1e-12);
        assert_eq!(camera.project(&Point3::new(0.0, 0.0, -1.0)), None);
    }

    #[test]
    fn facts_of_a_camera_that_looks_down() {
        // Optical axes in base: x right = -y, y down = -z, z forward = x; then pitched 10 degrees down about y.
        let level = UnitQuaternion::from_euler_angles(-90f64.to_radians(), 0.0, -90f64.to_radians());
        let pitch = UnitQuaternion::from_euler_angles(0.0, 10f64.to_radians(), 0.0);
        let transform = RigidTransform::from_parts(Translation3::new(0.1, 0.0, 1.2), pitch * level);
        let facts = CameraFacts::new(None, Some(&transform));
        assert!((facts.pitch_deg.expect("known") + 10.0).abs() < 1e-4);
        assert!((facts.height_m.expect("known") - 1.2).abs() < 1e-6);
        assert_eq!(facts.horizontal_fov_deg, None);
    }
}
