//! A walk through a simulated room that never ends, frame by frame, with the truth about the newest frames.
//!
//! Simulated time starts at [`START_NANOS`] and grows by one period a frame, whatever rendering costs, so that a seed
//! always gives the same stamps and pictures.

use std::collections::VecDeque;

use anyhow::{Context, bail};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use sim::camera::{Camera, Pose};
use sim::catalogue::Catalogue;
use sim::clip::Scene;
use sim::raster::{Renderer, Rendering, Shot};
use sim::truth::{ROBOT_CELL, Sightings, seen_objects};
use sim::variety::Variety;
use sim::world::{RoomSplit, World};

/// Stamp of the first frame: not zero, which ROS reads as "no time".
pub const START_NANOS: i64 = 1_000_000_000_000;
/// Frames that the truth is about, as many as a question is asked about.
const WINDOW_FRAMES: usize = 2;
/// Rate of those frames.
const WINDOW_RATE_HZ: f64 = 2.0;
/// Length of the walk before it turns round.
const WALK_SECS: f64 = 300.0;
const SIDES_PX: std::ops::RangeInclusive<usize> = 16..=4096;
const RATES_HZ: std::ops::RangeInclusive<f64> = 0.1..=240.0;

/// Share of the full rooms in which something moves.
const MOVING_SHARE: f64 = 0.2;

/// How varied the simulated world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorldKind {
    /// Plain rooms, a pinhole carried level, perfect odometry: what `spacer-nano` was trained on.
    Clip,
    /// Flats, shadows, lenses, JPEG, hand-held cameras, odometry that drifts, things that move.
    Full,
}

impl WorldKind {
    fn variety(self) -> Variety {
        match self {
            Self::Clip => Variety::default(),
            Self::Full => Variety { moving_share: MOVING_SHARE, ..Variety::full() },
        }
    }
}

/// What room, and how it is filmed.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulationSettings {
    /// Chooses the room, its objects and the path.
    pub seed: u64,
    /// Set of rooms: `train`, `heldout`, `novel` or `calibration`.
    pub rooms: String,
    /// How varied the world is: `clip` or `full`, see [`WorldKind`].
    pub world: String,
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Frames a second of simulated time.
    pub rate_hz: f64,
}

/// One frame of the walk.
pub struct SimFrame {
    /// Simulated time, nanoseconds.
    pub stamp_nanos: i64,
    /// Where the camera is.
    pub pose: Pose,
    /// Where odometry has it.
    pub believed: Pose,
    /// RGB, three bytes a pixel, rows from the top.
    pub rgb: Vec<u8>,
    /// The contract of `sim/truth`, see [`Simulation::next_frame`].
    pub truth: Value,
}

/// Ids that were visible in one frame, kept for the truth.
struct View {
    stamp_nanos: i64,
    shares: Rendering,
}

/// A room with a camera in it.
pub struct Simulation {
    scene: Scene,
    kind: WorldKind,
    camera: Camera,
    renderer: Renderer,
    rng: ChaCha8Rng,
    rate_hz: f64,
    frames: u64,
    views: VecDeque<View>,
}

impl Simulation {
    /// Builds the room.
    ///
    /// # Errors
    /// When a setting is out of range; the text says expected and found.
    pub fn new(settings: &SimulationSettings) -> anyhow::Result<Self> {
        let SimulationSettings { seed, rooms, world, width, height, rate_hz } = settings;
        let split: RoomSplit = serde_json::from_value(Value::String(rooms.clone()))
            .map_err(|_| anyhow::anyhow!("rooms: expected train, heldout, novel or calibration, found {rooms:?}"))?;
        let kind: WorldKind = serde_json::from_value(Value::String(world.clone()))
            .map_err(|_| anyhow::anyhow!("world: expected clip or full, found {world:?}"))?;
        for (name, side) in [("width", width), ("height", height)] {
            if !SIDES_PX.contains(side) {
                bail!("{name}: expected {} to {} pixels, found {side}", SIDES_PX.start(), SIDES_PX.end());
            }
        }
        if !RATES_HZ.contains(rate_hz) {
            bail!("rate_hz: expected {} to {} Hz, found {rate_hz}", RATES_HZ.start(), RATES_HZ.end());
        }
        let catalogue = Catalogue::bundled().context("furniture")?;
        let scene = Scene::generate_with(*seed, split, catalogue, (WALK_SECS, &kind.variety()));
        let camera = scene.camera.resized(*width, *height);
        let rng = split.rng(*seed, "node");
        let renderer = Renderer::new();
        Ok(Self { scene, kind, camera, renderer, rng, rate_hz: *rate_hz, frames: 0, views: VecDeque::new() })
    }

    /// The camera.
    pub fn camera(&self) -> Camera {
        self.camera
    }

    /// How varied the world is.
    pub fn kind(&self) -> WorldKind {
        self.kind
    }

    /// Frames a second of simulated time.
    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// Renders the next frame. Its truth: `stamp_nanos`; `objects`, each with `category`, `distance_m` (from the
    /// camera's ground point to the outline), `x_m`, `y_m` (map frame) and `seen` (within the last two seconds);
    /// `map` with `cell_size_m`, `robot` and `objects` (category to cells), as a perfect model would write it.
    pub fn next_frame(&mut self) -> SimFrame {
        let elapsed_secs = self.frames as f64 / self.rate_hz;
        let stamp_nanos = START_NANOS + (elapsed_secs * 1e9).round() as i64;
        self.frames += 1;
        let walk = &self.scene.walk;
        let walk_secs = there_and_back(elapsed_secs, walk.duration_secs());
        let (pose, believed) = (walk.pose_at(walk_secs), self.scene.believed.pose_at(walk_secs));
        let shot = Shot { camera: self.camera, pose, supersample: 1 };
        let world = self.scene.world.at(walk_secs);
        let rendering = self.renderer.render(world.bodies(), &world.lighting, &shot);
        let mut rgb = Vec::new();
        self.scene.sensor.develop(rendering, &mut self.rng, &mut rgb);
        let shares = Rendering {
            visible: rendering.visible.clone(),
            unoccluded: rendering.unoccluded.clone(),
            ..Rendering::default()
        };
        self.views.push_back(View { stamp_nanos, shares });
        let sightings = sightings(&mut self.views, stamp_nanos);
        let truth = truth(&world, &sightings, stamp_nanos, &pose);
        SimFrame { stamp_nanos, pose, believed, rgb, truth }
    }
}

/// What is true at the newest frame.
fn truth(world: &World, sightings: &Sightings, stamp_nanos: i64, pose: &Pose) -> Value {
    let (seen, map) = seen_objects(world, sightings, pose);
    let here = [pose.position[0], pose.position[1]];
    let objects = world.objects.iter().map(|object| {
        json!({
            "category": object.class,
            "distance_m": object.plan_distance(here),
            "x_m": object.plan.centre[0],
            "y_m": object.plan.centre[1],
            "seen": seen.iter().any(|known| known.id == object.id),
        })
    });
    let mut cells = Map::new();
    for object in &map.objects {
        let list = cells.entry(object.category.clone()).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(json!([object.cell.x, object.cell.y]));
        }
    }
    json!({
        "stamp_nanos": stamp_nanos,
        "objects": objects.collect::<Vec<_>>(),
        "map": {
            // As many digits as the prompt's: 0.6, not 0.6000000238418579.
            "cell_size_m": map.cell_size_m.map(|size| (f64::from(size) * 1e3).round() / 1e3),
            "robot": [ROBOT_CELL.x, ROBOT_CELL.y],
            "objects": cells,
        },
    })
}

/// The best views of the frames that a window ending now holds; older ones are forgotten.
fn sightings(views: &mut VecDeque<View>, now_nanos: i64) -> Sightings {
    let period_nanos = 1e9 / WINDOW_RATE_HZ;
    let oldest = now_nanos - (period_nanos * (WINDOW_FRAMES - 1) as f64) as i64;
    while views.len() > 1 && views[0].stamp_nanos < oldest {
        views.pop_front();
    }
    let mut sightings = Sightings::default();
    for step in 0..WINDOW_FRAMES {
        let wanted = now_nanos - (period_nanos * step as f64) as i64;
        if let Some(view) = views.iter().min_by_key(|view| (view.stamp_nanos - wanted).abs()) {
            sightings.add(&view.shares);
        }
    }
    sightings
}

/// A time that runs to `duration`, back to 0, and so on.
fn there_and_back(secs: f64, duration: f64) -> f64 {
    let at = secs.rem_euclid(2.0 * duration.max(1e-3));
    if at > duration { 2.0 * duration - at } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> SimulationSettings {
        SimulationSettings {
            seed: 3,
            rooms: "heldout".into(),
            world: "clip".into(),
            width: 160,
            height: 120,
            rate_hz: 5.0,
        }
    }

    #[test]
    fn a_seed_gives_the_same_frames_and_stamps_that_only_grow() {
        for world in ["clip", "full"] {
            let settings = SimulationSettings { world: world.into(), ..settings() };
            let mut runs = [Simulation::new(&settings).expect("valid"), Simulation::new(&settings).expect("valid")];
            let mut last = 0;
            for _ in 0..3 {
                let [a, b] = runs.each_mut().map(Simulation::next_frame);
                assert_eq!((a.stamp_nanos, &a.rgb, &a.truth), (b.stamp_nanos, &b.rgb, &b.truth));
                assert_eq!(a.rgb.len(), 160 * 120 * 3);
                assert!(a.stamp_nanos > last);
                last = a.stamp_nanos;
            }
        }
    }

    #[test]
    fn the_walk_turns_round_at_its_end() {
        assert_eq!([0.0, 3.0, 4.0, 5.0, 8.0, 9.0].map(|t| there_and_back(t, 4.0)), [0.0, 3.0, 4.0, 3.0, 0.0, 1.0]);
    }

    #[test]
    fn settings_out_of_range_say_what_was_found() {
        let wrong = [
            SimulationSettings { rooms: "palace".into(), ..settings() },
            SimulationSettings { world: "flat".into(), ..settings() },
            SimulationSettings { width: 0, ..settings() },
            SimulationSettings { rate_hz: f64::NAN, ..settings() },
        ];
        let texts = wrong.map(|wrong| Simulation::new(&wrong).err().map(|error| error.to_string()).unwrap_or_default());
        for (text, found) in texts.iter().zip(["palace", "flat", "found 0", "NaN"]) {
            assert!(text.contains("expected") && text.contains(found), "{text}");
        }
    }
}
