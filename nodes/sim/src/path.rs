//! A walking camera: from one free spot to the next, looking at things, never through them.

mod planned;
mod route;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::camera::Pose;
use crate::free_space::FreeSpace;
use crate::odometry::{Drift, odometry};
use crate::world::World;

pub use planned::Bearer;

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
            if let Some(from) = space.cell_at(walker.position).or(cell) {
                for corner in space.way(from, to).into_iter().skip(1) {
                    walker.go(corner, steps, rng);
                }
            }
            cell = Some(to);
        }
        Self { poses: walker.poses }
    }

    /// A walk of these poses, [`STEP_SECS`] apart.
    pub(crate) fn of_poses(poses: Vec<Pose>) -> Self {
        Self { poses }
    }

    /// The poses, [`STEP_SECS`] apart.
    pub fn poses(&self) -> &[Pose] {
        &self.poses
    }

    /// The walk as odometry has it.
    pub fn believed(&self, drift: &Drift, rng: &mut ChaCha8Rng) -> Self {
        if *drift == Drift::default() { self.clone() } else { Self { poses: odometry(&self.poses, drift, rng) } }
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
            pitch: a.pitch + (b.pitch - a.pitch) * t,
            roll: a.roll + (b.roll - a.roll) * t,
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

/// Direction from one plan point to another; `None` where they are the same.
fn bearing(from: [f64; 2], to: [f64; 2]) -> Option<f64> {
    let d = [to[0] - from[0], to[1] - from[1]];
    (d[0].hypot(d[1]) > 0.05).then(|| d[1].atan2(d[0]))
}
