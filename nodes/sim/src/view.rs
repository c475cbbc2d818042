//! One view in single precision: world to camera, and camera to samples.

use crate::camera::Pose;

/// Nothing closer to the optical centre than this along the axis is drawn, metres.
pub const NEAR_M: f32 = 0.05;

/// Where samples are taken from, and the grid of samples. The axis meets the grid's middle.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// Columns of samples.
    pub width: f32,
    /// Rows of samples.
    pub height: f32,
    /// Samples per unit of x/z.
    pub focal: f32,
    /// Rotation rows right, down, forward, world frame.
    pub axes: [[f32; 3]; 3],
    /// Optical centre, metres, world frame.
    pub position: [f32; 3],
}

impl View {
    /// `columns` × `rows` samples from a pose.
    pub fn new([columns, rows]: [usize; 2], focal: f64, pose: &Pose) -> Self {
        Self {
            width: columns as f32,
            height: rows as f32,
            focal: focal as f32,
            axes: pose.optical_axes().map(|axis| axis.map(|v| v as f32)),
            position: pose.position.map(|v| v as f32),
        }
    }

    /// A world point in the camera frame.
    pub fn to_camera(&self, world: [f32; 3]) -> [f32; 3] {
        self.turn(sub(world, self.position))
    }

    /// A world direction in the camera frame.
    pub fn turn(&self, world: [f32; 3]) -> [f32; 3] {
        self.axes.map(|axis| dot(axis, world))
    }

    /// A camera direction in the world frame.
    pub fn turn_back(&self, camera: [f32; 3]) -> [f32; 3] {
        std::array::from_fn(|i| (0..3).map(|axis| self.axes[axis][i] * camera[axis]).sum())
    }

    /// The camera point at sample coordinates and a depth.
    pub fn unproject(&self, at: [f32; 2], depth: f32) -> [f32; 3] {
        let scale = depth / self.focal;
        [(at[0] - self.width / 2.0) * scale, (at[1] - self.height / 2.0) * scale, depth]
    }

    /// Sample coordinates of a camera point before the near plane.
    pub fn project(&self, p: [f32; 3]) -> [f32; 2] {
        let scale = self.focal / p[2];
        [p[0] * scale + self.width / 2.0, p[1] * scale + self.height / 2.0]
    }

    /// Turns coefficients over the ray (x/z, y/z, 1) into coefficients over sample coordinates (x, y, 1).
    pub fn over_samples(&self, c: [f32; 3]) -> [f32; 3] {
        let (a, b) = (c[0] / self.focal, c[1] / self.focal);
        [a, b, c[2] - a * self.width / 2.0 - b * self.height / 2.0]
    }

    /// Whether a sphere may reach into the grid.
    pub fn sees(&self, centre: [f32; 3], radius: f32) -> bool {
        let c = self.to_camera(centre);
        let beyond = |across: f32, half: f32| (across * self.focal - c[2] * half) > radius * self.focal.hypot(half);
        c[2] + radius > NEAR_M && !beyond(c[0].abs(), self.width / 2.0) && !beyond(c[1].abs(), self.height / 2.0)
    }
}

pub(crate) fn sub(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(crate) fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(crate) fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
