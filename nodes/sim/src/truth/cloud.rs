//! Points of every object, unprojected from depth and ids. Metres, world frame.
//!
//! Shares no geometry with the analytic truth: it has its own unprojection, and knows of an object only what a picture
//! of it shows.

use std::collections::{BTreeMap, HashSet};

use crate::body::{Body, Lighting};
use crate::camera::{Camera, Pose};
use crate::raster::{Renderer, Rendering, Shot};

/// Two points of one object are at least about this far apart; the error of a distance between surfaces is about this.
pub const SPACING_M: f64 = 0.015;
/// Distance of an orbiting camera from the middle of an object, in radii of its bounding sphere.
const ORBIT_RADII: f64 = 2.5;
/// Elevations from which an object is looked at, radians; eight views each.
const ELEVATIONS: [f64; 3] = [-0.6, 0.0, 0.6];

/// Calls `take` with the id and the world point of every pixel that shows something.
pub fn unproject(shot: &Shot, view: &Rendering, mut take: impl FnMut(u16, [f64; 3])) {
    let (width, height) = (view.width as f64, view.height as f64);
    let half = (shot.camera.horizontal_fov / 2.0).tan();
    let (pitch, yaw, eye) = (shot.pose.pitch, shot.pose.yaw, shot.pose.position);
    let forward = [pitch.cos() * yaw.cos(), pitch.cos() * yaw.sin(), pitch.sin()];
    let up = [-pitch.sin() * yaw.cos(), -pitch.sin() * yaw.sin(), pitch.cos()];
    let left = [-yaw.sin(), yaw.cos(), 0.0];
    for (at, (&id, &depth)) in view.ids.iter().zip(&view.depth).enumerate() {
        if depth > 0.0 {
            let across = half * (1.0 - 2.0 * ((at % view.width) as f64 + 0.5) / width);
            let above = half * (height - 2.0 * ((at / view.width) as f64 + 0.5)) / width;
            let ray: [f64; 3] = std::array::from_fn(|i| forward[i] + across * left[i] + above * up[i]);
            take(id, std::array::from_fn(|i| eye[i] + f64::from(depth) * ray[i]));
        }
    }
}

/// A pinhole camera for probing.
pub fn probe(width: usize, height: usize, horizontal_fov: f64) -> Camera {
    Camera::pinhole(width, height, horizontal_fov)
}

/// The points of one object.
#[derive(Debug, Clone, Default)]
pub struct Cloud {
    points: Vec<[f64; 3]>,
}

impl Cloud {
    /// Draws a body alone, from all around, and gathers what shows.
    pub fn around(body: &Body, lighting: &Lighting, renderer: &mut Renderer) -> Self {
        let radius = f64::from(body.radius).max(0.02);
        let fov = 2.0 * (1.05 / ORBIT_RADII).asin();
        let side = ((2.0 * ORBIT_RADII * radius * (fov / 2.0).tan() / SPACING_M) as usize).clamp(48, 192);
        let camera = probe(side, side, fov);
        let mut taken: HashSet<[i64; 3]> = HashSet::new();
        let mut points = Vec::new();
        let around = ELEVATIONS.iter().flat_map(|&pitch| (0..8).map(move |k| (f64::from(k) * 0.785, pitch)));
        for (yaw, pitch) in around.chain([(0.3, -1.5), (0.3, 1.5)]) {
            let looks = [pitch.cos() * yaw.cos(), pitch.cos() * yaw.sin(), pitch.sin()];
            let position = std::array::from_fn(|i| f64::from(body.centre[i]) - ORBIT_RADII * radius * looks[i]);
            let shot = Shot { camera, pose: Pose { position, yaw, pitch, ..Pose::default() }, supersample: 1 };
            unproject(&shot, renderer.render(std::iter::once(body), lighting, &shot), |_, p| {
                if taken.insert(p.map(|v| (v / (0.7 * SPACING_M)).floor() as i64)) {
                    points.push(p);
                }
            });
        }
        Self { points }
    }

    /// The points.
    pub fn points(&self) -> &[[f64; 3]] {
        &self.points
    }

    /// Least and greatest coordinate along a direction on the floor at `yaw`.
    pub fn extent(&self, yaw: f64) -> [f64; 2] {
        self.range(|p| p[0] * yaw.cos() + p[1] * yaw.sin())
    }

    /// Least and greatest height.
    pub fn heights(&self) -> [f64; 2] {
        self.range(|p| p[2])
    }

    /// Middle of the box with axes at `yaw` around the points, on the floor.
    pub fn middle(&self, yaw: f64) -> [f64; 2] {
        let [along, across] = [yaw, yaw + std::f64::consts::FRAC_PI_2].map(|yaw| {
            let [low, high] = self.extent(yaw);
            (low + high) / 2.0
        });
        [along * yaw.cos() - across * yaw.sin(), along * yaw.sin() + across * yaw.cos()]
    }

    /// Distance on the floor from a point to the nearest of the points.
    pub fn floor_distance(&self, from: [f64; 2]) -> f64 {
        let squares = self.points.iter().map(|p| (p[0] - from[0]).powi(2) + (p[1] - from[1]).powi(2));
        squares.fold(f64::INFINITY, f64::min).sqrt()
    }

    fn range(&self, of: impl Fn(&[f64; 3]) -> f64) -> [f64; 2] {
        self.points.iter().map(of).fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], v| [l.min(v), h.max(v)])
    }
}

/// Points by the cell of a coarse grid, to skip cells that are too far away.
#[derive(Debug, Clone)]
pub struct Blocks {
    blocks: Vec<(Cuboid, Vec<[f64; 3]>)>,
}

#[derive(Debug, Clone, Copy)]
struct Cuboid {
    low: [f64; 3],
    high: [f64; 3],
}

impl Blocks {
    const SIDE_M: f64 = 0.15;

    /// Sorts a cloud into blocks.
    pub fn new(cloud: &Cloud) -> Self {
        let mut cells: BTreeMap<[i64; 3], Vec<[f64; 3]>> = BTreeMap::new();
        for &p in cloud.points() {
            cells.entry(p.map(|v| (v / Self::SIDE_M).floor() as i64)).or_default().push(p);
        }
        let around = |points: &[[f64; 3]]| {
            let start = Cuboid { low: [f64::INFINITY; 3], high: [f64::NEG_INFINITY; 3] };
            points.iter().fold(start, |c, p| Cuboid {
                low: std::array::from_fn(|i| c.low[i].min(p[i])),
                high: std::array::from_fn(|i| c.high[i].max(p[i])),
            })
        };
        Self { blocks: cells.into_values().map(|points| (around(&points), points)).collect() }
    }

    /// Least distance between two points of two clouds.
    pub fn distance(&self, other: &Self) -> f64 {
        let pairs = || self.blocks.iter().flat_map(|a| other.blocks.iter().map(move |b| (a, b)));
        // Somewhere in two blocks there are points no farther apart than the blocks' far corners.
        let mut best = pairs().map(|(a, b)| span(&a.0, &b.0)[1]).fold(f64::INFINITY, f64::min);
        for (a, b) in pairs() {
            if span(&a.0, &b.0)[0] < best {
                let between = a.1.iter().flat_map(|p| b.1.iter().map(move |q| square(p, q)));
                best = best.min(between.fold(f64::INFINITY, f64::min));
            }
        }
        best.sqrt()
    }
}

/// Squares of the least and the greatest distance between points of two cuboids.
fn span(a: &Cuboid, b: &Cuboid) -> [f64; 2] {
    let mut squares = [0.0; 2];
    for i in 0..3 {
        squares[0] += (a.low[i] - b.high[i]).max(b.low[i] - a.high[i]).max(0.0).powi(2);
        squares[1] += (a.high[i] - b.low[i]).max(b.high[i] - a.low[i]).powi(2);
    }
    squares
}

fn square(p: &[f64; 3], q: &[f64; 3]) -> f64 {
    (p[0] - q[0]).powi(2) + (p[1] - q[1]).powi(2) + (p[2] - q[2]).powi(2)
}
