//! A walking camera: from one free spot to the next, looking at things, never through them.

use std::collections::VecDeque;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::camera::Pose;
use crate::world::World;

const CELL_M: f64 = 0.1;
const CLEARANCE_M: f64 = 0.3;
/// Seconds between the poses of a walk.
pub const STEP_SECS: f64 = 0.05;
const MAX_YAW_RATE: f64 = std::f64::consts::PI / 3.0;

/// How the camera is carried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carriage {
    /// Height of the optical centre over the floor, metres.
    pub height_m: f64,
    /// Elevation of the optical axis, radians; negative looks down.
    pub pitch: f64,
}

/// Cells of the floor where the camera may be.
#[derive(Debug, Clone)]
pub struct FreeSpace {
    columns: usize,
    rows: usize,
    free: Vec<bool>,
}

impl FreeSpace {
    /// The largest connected part of the floor that is 0.3 m from walls and from what stands lower than 2 m. In a
    /// room too full for that the clearance shrinks until there is space.
    pub fn of(world: &World) -> Self {
        let clearances = [CLEARANCE_M, 0.2, 0.1, 0.0];
        let spaces = clearances.iter().map(|&clearance| Self::with_clearance(world, clearance));
        let mut last = Self { columns: 1, rows: 1, free: vec![false] };
        for space in spaces {
            last = space;
            if last.free.iter().filter(|&&free| free).count() >= 100 {
                break;
            }
        }
        last
    }

    fn with_clearance(world: &World, clearance: f64) -> Self {
        let [columns, rows] = world.room.size_m.map(|side| (side / CELL_M).ceil() as usize);
        let mut space = Self { columns, rows, free: vec![false; columns * rows] };
        for index in 0..columns * rows {
            space.free[index] = world.room.contains(space.centre(index), clearance);
        }
        for object in world.objects.iter().filter(|object| object.span_m[0] < 2.0) {
            space.block(&object.plan, clearance);
        }
        space.keep_largest();
        space
    }

    fn block(&mut self, plan: &crate::footprint::PlanBox, clearance: f64) {
        let reach = plan.half[0].hypot(plan.half[1]) + clearance;
        let range = |centre: f64, count: usize| {
            let index = |v: f64| (v / CELL_M).floor().clamp(0.0, count as f64) as usize;
            index(centre - reach)..index(centre + reach + CELL_M)
        };
        for row in range(plan.centre[1], self.rows) {
            for column in range(plan.centre[0], self.columns) {
                let index = row * self.columns + column;
                if self.free[index] && plan.distance(self.centre(index)) < clearance {
                    self.free[index] = false;
                }
            }
        }
    }

    fn centre(&self, index: usize) -> [f64; 2] {
        [(index % self.columns) as f64, (index / self.columns) as f64].map(|v| (v + 0.5) * CELL_M)
    }

    fn keep_largest(&mut self) {
        let mut part = vec![0u32; self.free.len()];
        let (mut best, mut best_size, mut parts) = (0, 0, 0);
        for start in 0..self.free.len() {
            if !self.free[start] || part[start] != 0 {
                continue;
            }
            parts += 1;
            let size = self.flood(start, |index| std::mem::replace(&mut part[index], parts) == 0);
            if size > best_size {
                (best, best_size) = (parts, size);
            }
        }
        self.free = part.iter().map(|&p| p != 0 && p == best).collect();
    }

    /// Visits free cells breadth first while `enter` agrees; returns how many.
    fn flood(&self, start: usize, mut enter: impl FnMut(usize) -> bool) -> usize {
        let mut queue = VecDeque::from([start]);
        enter(start);
        let mut size = 0;
        while let Some(index) = queue.pop_front() {
            size += 1;
            for next in self.neighbours(index) {
                if enter(next) {
                    queue.push_back(next);
                }
            }
        }
        size
    }

    fn neighbours(&self, index: usize) -> impl Iterator<Item = usize> {
        let (x, y) = (index % self.columns, index / self.columns);
        let (columns, rows) = (self.columns, self.rows);
        [(-1, 0), (1, 0), (0, -1), (0, 1)]
            .into_iter()
            .filter_map(move |(dx, dy)| {
                let (x, y) = (x.checked_add_signed(dx)?, y.checked_add_signed(dy)?);
                (x < columns && y < rows).then_some(y * columns + x)
            })
            .filter(|&next| self.free[next])
    }

    /// Whether the camera may be at a plan point.
    pub fn is_free(&self, p: [f64; 2]) -> bool {
        let [x, y] = p.map(|v| (v / CELL_M).floor());
        x >= 0.0
            && y >= 0.0
            && (x as usize) < self.columns
            && (y as usize) < self.rows
            && self.free[y as usize * self.columns + x as usize]
    }

    fn any(&self, rng: &mut ChaCha8Rng) -> Option<usize> {
        let count = self.free.iter().filter(|&&free| free).count();
        let nth = if count == 0 { return None } else { rng.random_range(0..count) };
        (0..self.free.len()).filter(|&index| self.free[index]).nth(nth)
    }

    /// Corner points of a short way between two cells of the free space.
    fn way(&self, from: usize, to: usize) -> Vec<[f64; 2]> {
        let mut came = vec![usize::MAX; self.free.len()];
        let mut queue = VecDeque::from([from]);
        came[from] = from;
        while let Some(index) = queue.pop_front() {
            if index == to {
                break;
            }
            for next in self.neighbours(index) {
                if came[next] == usize::MAX {
                    came[next] = index;
                    queue.push_back(next);
                }
            }
        }
        let mut cells = vec![to];
        while let Some(&last) = cells.last()
            && last != from
            && came[last] != usize::MAX
        {
            cells.push(came[last]);
        }
        cells.reverse();
        self.straighten(cells.into_iter().map(|cell| self.centre(cell)).collect())
    }

    /// Drops corners that a straight free line can skip.
    fn straighten(&self, points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
        let mut kept = Vec::new();
        let mut at = 0;
        while at < points.len() {
            kept.push(points[at]);
            let next = (at + 1..points.len()).rev().step_by(3).find(|&to| self.line_is_free(points[at], points[to]));
            at = next.unwrap_or(at + 1);
        }
        kept
    }

    fn line_is_free(&self, a: [f64; 2], b: [f64; 2]) -> bool {
        let steps = ((b[0] - a[0]).hypot(b[1] - a[1]) / (CELL_M * 0.5)).ceil().max(1.0);
        (0..=steps as usize).all(|i| self.is_free(std::array::from_fn(|k| a[k] + (b[k] - a[k]) * i as f64 / steps)))
    }
}

/// A walk through one room: poses every [`STEP_SECS`], continuous in position and heading.
#[derive(Debug, Clone)]
pub struct Walk {
    poses: Vec<Pose>,
}

impl Walk {
    /// Walks for about `duration_secs`; a room without free space gives a camera that stands and turns.
    pub fn generate(world: &World, carriage: Carriage, duration_secs: f64, rng: &mut ChaCha8Rng) -> Self {
        let space = FreeSpace::of(world);
        let start = space.any(rng).map_or_else(|| world.room.middle(), |cell| space.centre(cell));
        let mut walker = Walker::new(world, start, carriage, rng);
        let steps = (duration_secs / STEP_SECS).ceil() as usize + 1;
        let mut cell = space.any(rng);
        while walker.poses.len() < steps {
            walker.dwell(steps, rng);
            let Some(to) = space.any(rng) else { continue };
            if let Some(from) = walker.cell_in(&space).or(cell) {
                for corner in space.way(from, to).into_iter().skip(1) {
                    walker.go(corner, steps, rng);
                }
            }
            cell = Some(to);
        }
        Self { poses: walker.poses }
    }

    /// Seconds from the first to the last pose.
    pub fn duration_secs(&self) -> f64 {
        (self.poses.len() - 1) as f64 * STEP_SECS
    }

    /// The pose at a time, interpolated; before the start and after the end the camera stands.
    pub fn pose_at(&self, secs: f64) -> Pose {
        let at = (secs / STEP_SECS).clamp(0.0, (self.poses.len() - 1) as f64);
        let index = (at.floor() as usize).min(self.poses.len().saturating_sub(2));
        let t = at - index as f64;
        let (a, b) = (self.poses[index], self.poses[(index + 1).min(self.poses.len() - 1)]);
        Pose {
            position: std::array::from_fn(|i| a.position[i] + (b.position[i] - a.position[i]) * t),
            yaw: a.yaw + wrap(b.yaw - a.yaw) * t,
            pitch: a.pitch,
            roll: 0.0,
            stamp_secs: secs,
        }
    }
}

/// An angle brought into −π..π.
pub fn wrap(angle: f64) -> f64 {
    (angle + std::f64::consts::PI).rem_euclid(std::f64::consts::TAU) - std::f64::consts::PI
}

struct Walker {
    poses: Vec<Pose>,
    position: [f64; 2],
    yaw: f64,
    yaw_rate: f64,
    speed: f64,
    carriage: Carriage,
    target: [f64; 2],
    targets: Vec<[f64; 2]>,
    retarget_in: f64,
}

impl Walker {
    fn new(world: &World, position: [f64; 2], carriage: Carriage, rng: &mut ChaCha8Rng) -> Self {
        let mut targets: Vec<[f64; 2]> = world.objects.iter().map(|object| object.plan.centre).collect();
        targets.push(world.room.middle());
        let target = targets[rng.random_range(0..targets.len())];
        let yaw = bearing(position, target).unwrap_or(0.0) + rng.random_range(-0.5..0.5);
        Self {
            poses: Vec::new(),
            position,
            yaw,
            yaw_rate: 0.0,
            speed: 0.0,
            carriage,
            target,
            targets,
            retarget_in: 0.0,
        }
    }

    fn cell_in(&self, space: &FreeSpace) -> Option<usize> {
        let [x, y] = self.position.map(|v| (v / CELL_M).floor() as usize);
        space.is_free(self.position).then_some(y * space.columns + x)
    }

    /// Stands for a moment and looks at something.
    fn dwell(&mut self, steps: usize, rng: &mut ChaCha8Rng) {
        let end = (self.poses.len() + rng.random_range(20..50)).min(steps);
        while self.poses.len() < end {
            self.speed = (self.speed - 0.05).max(0.0);
            self.step(rng);
        }
    }

    fn go(&mut self, to: [f64; 2], steps: usize, rng: &mut ChaCha8Rng) {
        let wanted = rng.random_range(0.2..0.6);
        while self.poses.len() < steps {
            let d = [to[0] - self.position[0], to[1] - self.position[1]];
            let left = d[0].hypot(d[1]);
            let stride = self.speed * STEP_SECS;
            if left <= stride.max(1e-3) {
                self.position = to;
                return;
            }
            self.speed += (wanted - self.speed).clamp(-0.05, 0.05);
            self.position = std::array::from_fn(|i| self.position[i] + d[i] / left * stride);
            self.step(rng);
        }
    }

    /// Turns the head and records the pose.
    fn step(&mut self, rng: &mut ChaCha8Rng) {
        self.retarget_in -= STEP_SECS;
        let close = (self.target[0] - self.position[0]).hypot(self.target[1] - self.position[1]) < 0.7;
        if self.retarget_in <= 0.0 || close {
            self.retarget(rng);
        }
        let error = bearing(self.position, self.target).map_or(0.0, |b| wrap(b - self.yaw));
        let wanted = (error * 2.0).clamp(-MAX_YAW_RATE, MAX_YAW_RATE);
        self.yaw_rate += (wanted - self.yaw_rate).clamp(-0.12, 0.12);
        self.yaw = wrap(self.yaw + self.yaw_rate * STEP_SECS);
        let [x, y] = self.position;
        self.poses.push(Pose {
            position: [x, y, self.carriage.height_m],
            yaw: self.yaw,
            pitch: self.carriage.pitch,
            roll: 0.0,
            stamp_secs: self.poses.len() as f64 * STEP_SECS,
        });
    }

    /// Picks the next thing to look at: of three, the farthest, so that the view is wide more often than not.
    fn retarget(&mut self, rng: &mut ChaCha8Rng) {
        self.retarget_in = rng.random_range(1.0..3.0);
        let mut best = -1.0;
        for _ in 0..3 {
            let candidate = self.targets[rng.random_range(0..self.targets.len())];
            let far = (candidate[0] - self.position[0]).hypot(candidate[1] - self.position[1]);
            if far > best {
                (best, self.target) = (far, candidate);
            }
        }
    }
}

fn bearing(from: [f64; 2], to: [f64; 2]) -> Option<f64> {
    let d = [to[0] - from[0], to[1] - from[1]];
    (d[0].hypot(d[1]) > 0.05).then(|| d[1].atan2(d[0]))
}
