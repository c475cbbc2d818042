//! The floor as depth pictures of the empty room show it, and where one may walk among the objects' points.

use crate::body::{Body, Lighting};
use crate::camera::Pose;
use crate::parts::keep_largest;
use crate::raster::{Renderer, Shot};

use super::cloud::{Cloud, probe, unproject};

/// Side of a cell, metres.
pub const CELL_M: f64 = 0.025;
/// Directions of one all-round look.
const RAYS: usize = 2048;
/// What is higher is walked under, metres.
const OVERHEAD_M: f64 = 2.0;

/// A grid over the floor.
#[derive(Debug, Clone)]
pub struct Survey {
    origin: [f64; 2],
    columns: usize,
    rows: usize,
    inside: Vec<bool>,
    walkable: Vec<bool>,
}

impl Survey {
    /// Looks around at each of `eyes`, with nothing but walls, floor and ceiling in the room: a cell is inside if some
    /// eye sees past it.
    pub fn of_room(surfaces: &[Body], lighting: &Lighting, eyes: &[[f64; 3]], renderer: &mut Renderer) -> Self {
        let looks: Vec<([f64; 2], Vec<f64>)> =
            eyes.iter().map(|&eye| ([eye[0], eye[1]], ranges(surfaces, lighting, eye, renderer))).collect();
        let hits = looks.iter().flat_map(|([x, y], ranges)| {
            ranges.iter().enumerate().map(move |(ray, range)| {
                let angle = (ray as f64 + 0.5) / RAYS as f64 * std::f64::consts::TAU;
                [x + range * angle.cos(), y + range * angle.sin()]
            })
        });
        let start = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        let (low, high) = hits.fold(start, |(low, high), p| {
            (std::array::from_fn(|i| p[i].min(low[i])), std::array::from_fn(|i: usize| p[i].max(high[i])))
        });
        let origin = low.map(|v| v - 2.0 * CELL_M);
        let [columns, rows] =
            [0, 1].map(|i: usize| ((high[i] - origin[i]) / CELL_M).ceil().clamp(0.0, 2000.0) as usize + 2);
        let mut survey = Self { origin, columns, rows, inside: vec![false; columns * rows], walkable: Vec::new() };
        for at in 0..survey.inside.len() {
            let p = survey.centre(at);
            survey.inside[at] = looks.iter().any(|(eye, ranges)| sees_past(*eye, ranges, p));
        }
        survey.walkable = survey.inside.clone();
        survey
    }

    /// Area of what is inside, m².
    pub fn area_m2(&self) -> f64 {
        self.inside.iter().filter(|&&inside| inside).count() as f64 * CELL_M * CELL_M
    }

    /// Keeps walkers `clearance_m` from whatever is not inside and from the clouds' points below a head, and out of
    /// pockets that are cut off from the rest.
    pub fn furnish<'a>(&mut self, clouds: impl Iterator<Item = &'a Cloud>, clearance_m: f64) {
        let mut blocked: Vec<bool> = self.inside.iter().map(|inside| !inside).collect();
        for cloud in clouds.filter(|cloud| cloud.heights()[0] < OVERHEAD_M) {
            for p in cloud.points() {
                if let Some(at) = self.index([p[0], p[1]]) {
                    blocked[at] = true;
                }
            }
        }
        let reach = (clearance_m / CELL_M).ceil() as i64;
        let disc: Vec<(i64, i64)> = (-reach..=reach).flat_map(|y| (-reach..=reach).map(move |x| (x, y))).collect();
        let near = |(x, y): &(i64, i64)| ((x * x + y * y) as f64).sqrt() * CELL_M < clearance_m;
        let disc: Vec<(i64, i64)> = disc.into_iter().filter(near).collect();
        let (columns, rows) = (self.columns as i64, self.rows as i64);
        self.walkable = (0..blocked.len())
            .map(|at| {
                let (x, y) = (at as i64 % columns, at as i64 / columns);
                self.inside[at]
                    && disc.iter().all(|(dx, dy)| {
                        let (x, y) = (x + dx, y + dy);
                        (0..columns).contains(&x) && (0..rows).contains(&y) && !blocked[(y * columns + x) as usize]
                    })
            })
            .collect();
        keep_largest(&mut self.walkable, self.columns);
    }

    /// Whether one may stand at a point.
    pub fn walkable(&self, p: [f64; 2]) -> bool {
        self.index(p).is_some_and(|at| self.walkable[at])
    }

    /// Whether one may walk straight.
    pub fn straight(&self, from: [f64; 2], to: [f64; 2]) -> bool {
        let steps = ((to[0] - from[0]).hypot(to[1] - from[1]) / (CELL_M * 0.5)).ceil().max(1.0) as usize;
        (0..=steps).all(|i| {
            let t = i as f64 / steps as f64;
            self.walkable([from[0] * (1.0 - t) + to[0] * t, from[1] * (1.0 - t) + to[1] * t])
        })
    }

    fn centre(&self, at: usize) -> [f64; 2] {
        let cell = [at % self.columns, at / self.columns];
        std::array::from_fn(|i| self.origin[i] + (cell[i] as f64 + 0.5) * CELL_M)
    }

    fn index(&self, p: [f64; 2]) -> Option<usize> {
        let [x, y] = [0, 1].map(|i| ((p[i] - self.origin[i]) / CELL_M).floor());
        let fits = x >= 0.0 && y >= 0.0 && x < self.columns as f64 && y < self.rows as f64;
        fits.then(|| y as usize * self.columns + x as usize)
    }
}

/// Distance on the floor to the farthest that is seen in each direction from an eye.
fn ranges(surfaces: &[Body], lighting: &Lighting, eye: [f64; 3], renderer: &mut Renderer) -> Vec<f64> {
    let mut ranges = vec![0.0f64; RAYS];
    let camera = probe(1280, 4, std::f64::consts::FRAC_PI_2);
    for quarter in 0..4 {
        let yaw = f64::from(quarter) * std::f64::consts::FRAC_PI_2;
        let shot = Shot { camera, pose: Pose { position: eye, yaw, ..Pose::default() }, supersample: 1 };
        unproject(&shot, renderer.render(surfaces.iter(), lighting, &shot), |_, p| {
            let off = [p[0] - eye[0], p[1] - eye[1]];
            let range = &mut ranges[ray_of(off)];
            *range = range.max(off[0].hypot(off[1]));
        });
    }
    ranges
}

/// The ray that points along an offset.
fn ray_of(off: [f64; 2]) -> usize {
    let turns = off[1].atan2(off[0]) / std::f64::consts::TAU;
    ((turns.rem_euclid(1.0) * RAYS as f64) as usize).min(RAYS - 1)
}

fn sees_past(eye: [f64; 2], ranges: &[f64], p: [f64; 2]) -> bool {
    let off = [p[0] - eye[0], p[1] - eye[1]];
    off[0].hypot(off[1]) < ranges[ray_of(off)]
}
