//! A pinhole camera, where it stands, and how points and pixels map to each other.
//!
//! World frame: metres, z up. Optical frame (REP-103): x right, y down, z forward. Pixel `(0, 0)` is the top left one
//! and its centre has the image coordinates `(0.5, 0.5)`; the principal point is the middle of the picture.

use crate::lens::Distortion;

/// A camera with square pixels: a pinhole, behind a lens or not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Columns of the picture.
    pub width: usize,
    /// Rows of the picture.
    pub height: usize,
    /// Horizontal field of view before distortion, radians, in (0, π).
    pub horizontal_fov: f64,
    /// What the lens bends.
    pub distortion: Distortion,
}

impl Camera {
    /// A camera without distortion.
    pub fn pinhole(width: usize, height: usize, horizontal_fov: f64) -> Self {
        Self { width, height, horizontal_fov, distortion: Distortion::default() }
    }

    /// Focal length in pixels, the same along both axes.
    pub fn focal_px(&self) -> f64 {
        self.width as f64 / 2.0 / (self.horizontal_fov / 2.0).tan()
    }

    /// The intrinsic matrix K, row-major, for image coordinates whose pixel centres end in `.5`.
    pub fn k(&self) -> [f64; 9] {
        let focal = self.focal_px();
        let (cx, cy) = (self.width as f64 / 2.0, self.height as f64 / 2.0);
        [focal, 0.0, cx, 0.0, focal, cy, 0.0, 0.0, 1.0]
    }

    /// The same view at another resolution; the field of view and the lens stay.
    pub fn resized(&self, width: usize, height: usize) -> Self {
        Self { width, height, ..*self }
    }

    /// Image coordinates of a point in the optical frame; `None` behind the camera.
    pub fn project(&self, point: [f64; 3]) -> Option<[f64; 2]> {
        let [x, y, z] = point;
        if z <= 1e-6 {
            return None;
        }
        let focal = self.focal_px();
        if self.distortion.is_none() {
            return Some([focal * x / z + self.width as f64 / 2.0, focal * y / z + self.height as f64 / 2.0]);
        }
        let [x, y] = self.distortion.distort([x / z, y / z]);
        Some([focal * x + self.width as f64 / 2.0, focal * y + self.height as f64 / 2.0])
    }

    /// The point in the optical frame, metres, seen at image coordinates `(u, v)` at `depth_m` along the optical axis.
    /// Where the lens lets no ray through, the pinhole's.
    pub fn unproject(&self, image: [f64; 2], depth_m: f64) -> [f64; 3] {
        let focal = self.focal_px();
        let landed = [(image[0] - self.width as f64 / 2.0) / focal, (image[1] - self.height as f64 / 2.0) / focal];
        let [x, y] = self.distortion.undistort(landed).unwrap_or(landed);
        [x * depth_m, y * depth_m, depth_m]
    }
}

/// Where the camera's optical centre is and where it looks, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pose {
    /// Optical centre, metres, world frame.
    pub position: [f64; 3],
    /// Heading, radians, counter-clockwise from the world's x axis.
    pub yaw: f64,
    /// Elevation of the optical axis, radians; negative looks down.
    pub pitch: f64,
    /// Rotation about the optical axis, radians; positive turns the camera clockwise, the picture the other way.
    pub roll: f64,
    /// Seconds since the walk began.
    pub stamp_secs: f64,
}

impl Pose {
    /// Rotation rows right, down, forward in the world frame: row `i` is optical axis `i`.
    pub fn optical_axes(&self) -> [[f64; 3]; 3] {
        let (sy, cy) = self.yaw.sin_cos();
        let (sp, cp) = self.pitch.sin_cos();
        let right = [sy, -cy, 0.0];
        let forward = [cp * cy, cp * sy, sp];
        let down = [sp * cy, sp * sy, -cp];
        if self.roll == 0.0 {
            return [right, down, forward];
        }
        let (sr, cr) = self.roll.sin_cos();
        let turned = |a: [f64; 3], b: [f64; 3], by: f64| std::array::from_fn(|i| cr * a[i] + by * b[i]);
        [turned(right, down, sr), turned(down, right, -sr), forward]
    }

    /// A world point in the optical frame.
    pub fn to_optical(&self, world: [f64; 3]) -> [f64; 3] {
        let d = [world[0] - self.position[0], world[1] - self.position[1], world[2] - self.position[2]];
        self.optical_axes().map(|axis| axis[0] * d[0] + axis[1] * d[1] + axis[2] * d[2])
    }

    /// An optical point in the world frame.
    pub fn to_world(&self, optical: [f64; 3]) -> [f64; 3] {
        let axes = self.optical_axes();
        std::array::from_fn(|i| self.position[i] + (0..3).map(|axis| axes[axis][i] * optical[axis]).sum::<f64>())
    }

    /// A world plan point in the robot's plan frame: metres to the right and metres ahead of the camera's ground point.
    pub fn to_plan(&self, world: [f64; 2]) -> [f64; 2] {
        let d = [world[0] - self.position[0], world[1] - self.position[1]];
        let (sin, cos) = self.yaw.sin_cos();
        [d[0] * sin - d[1] * cos, d[0] * cos + d[1] * sin]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSE: Pose = Pose { position: [1.0, 2.0, 1.2], yaw: 0.7, pitch: -0.3, roll: 0.4, stamp_secs: 0.0 };

    #[test]
    fn optical_frame_is_right_handed_and_inverts() {
        let p = [2.5, 3.0, 0.4];
        let back = POSE.to_world(POSE.to_optical(p));
        assert!(p.iter().zip(back).all(|(a, b)| (a - b).abs() < 1e-12));
        let [r, d, f] = POSE.optical_axes();
        let cross = [r[1] * d[2] - r[2] * d[1], r[2] * d[0] - r[0] * d[2], r[0] * d[1] - r[1] * d[0]];
        assert!(cross.iter().zip(f).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn pixels_and_points_invert() {
        let distortion = Distortion { k1: -0.2, k2: 0.03, p1: 0.001, p2: -0.001, k3: 0.0 };
        let camera = Camera { distortion, ..Camera::pinhole(160, 120, 1.1) };
        let image = camera.project(camera.unproject([12.5, 100.25], 3.0)).unwrap();
        assert!((image[0] - 12.5).abs() < 1e-6 && (image[1] - 100.25).abs() < 1e-6);
        assert_eq!(camera.project([0.0, 0.0, -1.0]), None);
    }

    #[test]
    fn plan_frame_has_heading_up() {
        let pose =
            Pose { position: [0.0; 3], yaw: std::f64::consts::FRAC_PI_2, pitch: 0.0, roll: 0.0, stamp_secs: 0.0 };
        let [right, ahead] = pose.to_plan([1.0, 2.0]);
        assert!((right - 1.0).abs() < 1e-12 && (ahead - 2.0).abs() < 1e-12);
    }
}
