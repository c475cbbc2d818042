//! Walks that are planned: shortest ways between free spots, stops to look at things, one full turn.

use std::f64::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::route::route;
use super::{Carriage, STEP_SECS, Walk, bearing, wrap};
use crate::camera::Pose;
use crate::free_space::FreeSpace;
use crate::world::World;

/// Fastest turn of the body, radians a second: what a hand adds stays below 60° a second in all.
const TURN_RATE: f64 = 55.0 * TAU / 360.0;
/// Change of that a step.
const TURN_STEP: f64 = 0.12;
/// Change of speed a step, metres a second.
const SPEED_STEP: f64 = 0.03;
/// How far ahead on its way a walker looks, metres.
const LOOK_AHEAD_M: f64 = 0.5;
/// A walker that looks farther away from its way than this turns before it walks, radians.
const TOO_FAR_OFF: f64 = 0.7;
/// Stops that find no way to go before the walk ends where it is.
const LOST: usize = 50;

/// Who carries the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// Wheels: level and steady.
    Robot,
    /// A person: sways, bobs and rolls.
    Hand,
}

impl Walk {
    /// Walks for `duration_secs` at 0.2–0.6 m/s, at least 0.3 m from everything, turning at up to 60° a second; looks
    /// where it goes, stops to look at things, and turns round fully once. Without free space it stands and turns.
    pub fn planned(
        world: &World,
        (carriage, bearer): (Carriage, Bearer),
        duration_secs: f64,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let space = FreeSpace::for_walks(world);
        let position = space.any(rng).map_or_else(|| world.room.middle(), |cell| space.centre(cell));
        let steps = (duration_secs / STEP_SECS).ceil() as usize + 1;
        let mut walker = Walker {
            poses: Vec::with_capacity(steps),
            steps,
            position,
            yaw: rng.random_range(0.0..TAU),
            yaw_rate: 0.0,
            speed: 0.0,
            carriage,
            turn_round_at: (steps as f64 * rng.random_range(0.0..0.45)) as usize,
        };
        walker.walk(world, &space, rng);
        if bearer == Bearer::Hand {
            sway(&mut walker.poses, rng);
        }
        Self::of_poses(walker.poses)
    }
}

struct Walker {
    poses: Vec<Pose>,
    /// How many poses there are to be.
    steps: usize,
    position: [f64; 2],
    yaw: f64,
    yaw_rate: f64,
    speed: f64,
    carriage: Carriage,
    /// The step of the full turn; past the end once it is done.
    turn_round_at: usize,
}

impl Walker {
    fn walk(&mut self, world: &World, space: &FreeSpace, rng: &mut ChaCha8Rng) {
        let mut lost = 0;
        while !self.done() {
            self.look_at_something(world, rng);
            let way = space.cell_at(self.position).zip(space.any(rng)).and_then(|(from, to)| route(space, from, to));
            match way {
                Some(way) if lost < LOST => self.follow(&way, rng),
                _ => lost += 1,
            }
        }
    }

    fn done(&self) -> bool {
        self.poses.len() >= self.steps
    }

    /// Stops, turns to a thing, and looks at it for a moment.
    fn look_at_something(&mut self, world: &World, rng: &mut ChaCha8Rng) {
        let far = |p: &[f64; 2]| (p[0] - self.position[0]).hypot(p[1] - self.position[1]);
        let thing = |rng: &mut ChaCha8Rng| {
            let count = world.objects.len();
            let chosen = world.objects.get(rng.random_range(0..count.max(1)));
            chosen.map_or_else(|| world.room.middle(), |object| object.plan.centre)
        };
        // Of two, the farther, so that the view is wide more often than not.
        let (a, b) = (thing(rng), thing(rng));
        let target = if far(&a) > far(&b) { a } else { b };
        let mut left = (rng.random_range(0.6..2.0) / STEP_SECS) as usize;
        while left > 0 && !self.done() {
            let error = bearing(self.position, target).map_or(0.0, |to| wrap(to - self.yaw));
            left -= usize::from(error.abs() < 0.1);
            self.step(0.0, error * 2.0);
        }
    }

    /// Walks along points, rounding off what can't be turned at once by turning first.
    fn follow(&mut self, way: &[[f64; 2]], rng: &mut ChaCha8Rng) {
        let wanted = rng.random_range(0.25..0.6);
        let mut way = Way { points: way, walked: 0.0 };
        while !self.done() && way.left() > 1e-6 {
            if self.poses.len() >= self.turn_round_at {
                self.turn_round();
            }
            let ahead = way.at(way.walked + LOOK_AHEAD_M);
            let error = bearing(self.position, ahead).map_or(0.0, |to| wrap(to - self.yaw));
            // Enough to stop with steady braking.
            let braking = (2.0 * way.left() * SPEED_STEP / STEP_SECS).sqrt().max(0.02);
            let speed = if error.abs() > TOO_FAR_OFF { 0.0 } else { braking.min(wanted) };
            self.change_speed(speed);
            way.walked += self.speed * STEP_SECS;
            self.position = way.at(way.walked);
            self.step(self.speed, error * 2.0);
        }
        self.speed = 0.0;
    }

    /// Stops and turns by 360°.
    fn turn_round(&mut self) {
        self.turn_round_at = usize::MAX;
        let side = if self.yaw_rate < 0.0 { -1.0 } else { 1.0 };
        let mut left = TAU;
        while left > 0.0 && !self.done() {
            self.step(0.0, side * (left * 2.0).max(0.2));
            left -= self.yaw_rate * side * STEP_SECS;
        }
    }

    fn change_speed(&mut self, wanted: f64) {
        self.speed += (wanted - self.speed).clamp(-SPEED_STEP, SPEED_STEP);
    }

    /// Records a pose on the way to a turn rate.
    fn step(&mut self, speed: f64, turn_rate: f64) {
        self.speed = speed;
        let wanted = turn_rate.clamp(-TURN_RATE, TURN_RATE);
        self.yaw_rate += (wanted - self.yaw_rate).clamp(-TURN_STEP, TURN_STEP);
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
}

/// A line of points, and how far along it somebody is, metres.
struct Way<'a> {
    points: &'a [[f64; 2]],
    walked: f64,
}

impl Way<'_> {
    fn left(&self) -> f64 {
        self.points.windows(2).map(length).sum::<f64>() - self.walked
    }

    /// The point after so many metres, or the last one.
    fn at(&self, metres: f64) -> [f64; 2] {
        let mut left = metres;
        for leg in self.points.windows(2) {
            let length = length(leg);
            if left <= length && length > 0.0 {
                return std::array::from_fn(|i| leg[0][i] + (leg[1][i] - leg[0][i]) * left / length);
            }
            left -= length;
        }
        self.points.last().copied().unwrap_or_default()
    }
}

fn length(leg: &[[f64; 2]]) -> f64 {
    (leg[1][0] - leg[0][0]).hypot(leg[1][1] - leg[0][1])
}

/// Adds what a hand does: slow sway of all three angles, and a bob with the steps.
fn sway(poses: &mut [Pose], rng: &mut ChaCha8Rng) {
    let [yaw, pitch, roll] = [0.25, 0.6, 1.0].map(|degrees: f64| Sway::new(degrees.to_radians(), rng));
    let bob_m = rng.random_range(0.004..0.015);
    let step_hz = rng.random_range(1.5..2.0);
    let moving = |a: &Pose, b: &Pose| {
        ((b.position[0] - a.position[0]).hypot(b.position[1] - a.position[1]) / (0.4 * STEP_SECS)).min(1.0)
    };
    let mut gait = 0.0;
    for index in 0..poses.len() {
        let next = (index + 1).min(poses.len() - 1);
        gait += 0.1 * (moving(&poses[index], &poses[next]) - gait);
        let pose = &mut poses[index];
        let secs = pose.stamp_secs;
        pose.yaw = wrap(pose.yaw + yaw.at(secs));
        pose.pitch += pitch.at(secs);
        pose.roll += roll.at(secs);
        pose.position[2] += gait * bob_m * (TAU * step_hz * secs).sin();
    }
}

/// Three slow waves: amplitude, frequency in hertz, phase.
struct Sway([[f64; 3]; 3]);

impl Sway {
    fn new(amplitude: f64, rng: &mut ChaCha8Rng) -> Self {
        Self([0.3, 0.7, 1.2].map(|hertz| {
            [amplitude * rng.random_range(0.5..1.0), hertz * rng.random_range(0.8..1.2), rng.random_range(0.0..TAU)]
        }))
    }

    fn at(&self, secs: f64) -> f64 {
        self.0.iter().map(|[amplitude, hertz, phase]| amplitude * (TAU * hertz * secs + phase).sin()).sum()
    }
}
