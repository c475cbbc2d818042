//! A pinhole camera, where it stands, and how points and pixels map to each other.
//!
//! World frame: metres, z up. Optical frame (REP-103): x right, y down, z forward. Pixel `(0, 0)` is the top left one
//! and its centre has the image coordinates `(0.5, 0.5)`; the principal point is the middle of the picture.

/// A pinhole camera with square pixels and no distortion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Columns of the picture.
    pub width: usize,
    /// Rows of the picture.
    pub height: usize,
    /// Horizontal field of view, radians, in (0, π).
    pub horizontal_fov: f64,
}

impl Camera {
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

    /// The same view at another resolution; the field of view stays.
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
        Some([focal * x / z + self.width as f64 / 2.0, focal * y / z + self.height as f64 / 2.0])
    }

    /// The point in the optical frame, metres, seen at image coordinates `(u, v)` at `depth_m` along the optical axis.
    pub fn unproject(&self, image: [f64; 2], depth_m: f64) -> [f64; 3] {
        let focal = self.focal_px();
        let x = (image[0] - self.width as f64 / 2.0) / focal * depth_m;
        let y = (image[1] - self.height as f64 / 2.0) / focal * depth_m;
        [x, y, depth_m]
    }
}

/// Where the camera's optical centre is and where it looks, at one moment. There is no roll.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Optical centre, metres, world frame.
    pub position: [f64; 3],
    /// Heading, radians, counter-clockwise from the world's x axis.
    pub yaw: f64,
    /// Elevation of the optical axis, radians; negative looks down.
    pub pitch: f64,
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
        [right, down, forward]
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

    const POSE: Pose = Pose { position: [1.0, 2.0, 1.2], yaw: 0.7, pitch: -0.3, stamp_secs: 0.0 };

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
        let camera = Camera { width: 160, height: 120, horizontal_fov: 1.1 };
        let image = camera.project(camera.unproject([12.5, 100.25], 3.0)).unwrap();
        assert!((image[0] - 12.5).abs() < 1e-9 && (image[1] - 100.25).abs() < 1e-9);
        assert_eq!(camera.project([0.0, 0.0, -1.0]), None);
    }

    #[test]
    fn plan_frame_has_heading_up() {
        let pose = Pose { position: [0.0; 3], yaw: std::f64::consts::FRAC_PI_2, pitch: 0.0, stamp_secs: 0.0 };
        let [right, ahead] = pose.to_plan([1.0, 2.0]);
        assert!((right - 1.0).abs() < 1e-12 && (ahead - 2.0).abs() < 1e-12);
    }
}
