//! Distances from depth images and range finders, at the cell where the robot's answer saw the object.
//!
//! What a sensor sees within the cell, above the floor, is taken for the object, and its closest point (the 5 % quantile,
//! against stray points) for the closest point of the object. So a label is as good as the map's cell: where nothing is
//! in the cell there is none, and of an object that is larger than its cell the part in the cell is measured. Only made
//! where [`crate::bag::BagSettings::cell_labels`] asks for them.

use geometry::{Camera, RigidTransform};
use nalgebra::Point3;
use recording::messages::Image;
use recording::range_messages::{LaserScan, Range};

use crate::episode::{Label, LabelSource, number_text};

/// How far apart in time the sensor and the answer's newest frame may be, nanoseconds.
pub(super) const NEAR_NANOS: u64 = 100_000_000;
/// Lower points are floor, metres over the base.
const FLOOR_M: f64 = 0.05;
/// Share of the points in a cell that may be stray and nearer than the object.
const STRAY_SHARE: f64 = 0.05;
/// Least number of pixels of a depth image.
const LEAST_PIXELS: usize = 20;
/// One pixel of so many is looked at, along each axis.
const STRIDE: usize = 2;

/// A cell to be measured, in the base's frame: metres ahead and to the left.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    pub question: usize,
    pub stamp_nanos: i64,
    centre_m: [f64; 2],
    half_m: f64,
    /// Time apart, and what was measured then.
    best: Option<(u64, Label)>,
}

/// Points that a sensor saw.
pub(super) struct Cloud {
    pub stamp_nanos: i64,
    /// In the base's frame.
    pub points: Vec<Point3<f64>>,
    pub source: LabelSource,
}

impl Target {
    pub fn new(question: usize, stamp_nanos: i64, centre_m: [f64; 2], half_m: f64) -> Self {
        Self { question, stamp_nanos, centre_m, half_m, best: None }
    }

    pub fn is_near(&self, stamp_nanos: i64) -> bool {
        self.stamp_nanos.abs_diff(stamp_nanos) <= NEAR_NANOS
    }

    /// Measures; the cloud nearest in time counts. `ground_m`: the camera's ground point in the base's frame.
    pub fn measure(&mut self, cloud: &Cloud, ground_m: [f64; 2]) {
        let apart = self.stamp_nanos.abs_diff(cloud.stamp_nanos);
        if !self.is_near(cloud.stamp_nanos) || self.best.as_ref().is_some_and(|(best, _)| *best <= apart) {
            return;
        }
        let least = if cloud.source == LabelSource::Depth { LEAST_PIXELS } else { 1 };
        let [x, y] = self.centre_m;
        let within =
            |p: &&Point3<f64>| p.z >= FLOOR_M && (p.x - x).abs() <= self.half_m && (p.y - y).abs() <= self.half_m;
        let distances = cloud.points.iter().filter(within).map(|p| (p.x - ground_m[0]).hypot(p.y - ground_m[1]));
        let mut distances: Vec<f64> = distances.collect();
        distances.sort_by(f64::total_cmp);
        let closest = distances.get((distances.len() as f64 * STRAY_SHARE) as usize);
        if let Some(closest) = closest.filter(|_| distances.len() >= least) {
            self.best = Some((apart, Label::new(number_text(*closest), cloud.source)));
        }
    }

    pub fn label(&self) -> Option<Label> {
        self.best.as_ref().map(|(_, label)| label.clone())
    }
}

/// Points of a depth image (`32FC1` metres, `16UC1` millimetres, REP-118) in the base's frame.
///
/// # Errors
/// What was expected of the message, and found.
pub(super) fn depth_points(
    image: &Image<'_>,
    camera: &Camera,
    base_from_optical: &RigidTransform,
) -> Result<Vec<Point3<f64>>, String> {
    let bytes = match image.encoding.as_str() {
        "32FC1" => 4,
        "16UC1" => 2,
        other => return Err(format!("depth: expected encoding 32FC1 or 16UC1, found {other:?}")),
    };
    let (width, height, step) = (image.width as usize, image.height as usize, image.step as usize);
    if step < width * bytes || image.data.len() < step * height {
        let found = format!("step {step} and {} bytes", image.data.len());
        return Err(format!(
            "depth: expected rows of {width} pixels of {bytes} bytes, {height} of them, found {found}"
        ));
    }
    let mut points = Vec::new();
    for (v, row) in image.data.chunks_exact(step.max(1)).take(height).enumerate().step_by(STRIDE) {
        for (u, pixel) in row.chunks_exact(bytes).take(width).enumerate().step_by(STRIDE) {
            let depth_m = metres(pixel, image.is_bigendian != 0);
            if depth_m.is_finite() && depth_m > 0.0 {
                let optical = Point3::from(camera.ray([u as f64, v as f64]) * depth_m);
                points.push(base_from_optical * optical);
            }
        }
    }
    Ok(points)
}

fn metres(pixel: &[u8], big_endian: bool) -> f64 {
    match *pixel {
        [a, b, c, d] if big_endian => f64::from(f32::from_be_bytes([a, b, c, d])),
        [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
        [a, b] if big_endian => f64::from(u16::from_be_bytes([a, b])) / 1e3,
        [a, b] => f64::from(u16::from_le_bytes([a, b])) / 1e3,
        _ => f64::NAN,
    }
}

/// Points of a laser scan in the base's frame.
pub(super) fn scan_points(scan: &LaserScan, base_from_laser: &RigidTransform) -> Vec<Point3<f64>> {
    let valid = scan.range_min..=scan.range_max;
    let beams = scan.ranges.iter().enumerate().filter(|(_, range)| valid.contains(range));
    let points = beams.map(|(index, range)| {
        let angle = f64::from(scan.angle_min) + index as f64 * f64::from(scan.angle_increment);
        let (sin, cos) = angle.sin_cos();
        base_from_laser * Point3::new(cos * f64::from(*range), sin * f64::from(*range), 0.0)
    });
    points.collect()
}

/// The point that a range finder sees, in the base's frame.
pub(super) fn range_points(range: &Range, base_from_sensor: &RigidTransform) -> Vec<Point3<f64>> {
    let valid = range.min_range..=range.max_range;
    let seen = valid.contains(&range.range).then(|| Point3::new(f64::from(range.range), 0.0, 0.0));
    seen.map(|point| base_from_sensor * point).into_iter().collect()
}
