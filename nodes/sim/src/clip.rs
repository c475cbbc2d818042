//! A clip: a few frames of a walk through a new room, with everything that is true about them.

use msgs::ImaginedMap;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::camera::{Camera, Pose};
use crate::catalogue::Catalogue;
use crate::footprint::PlanBox;
use crate::lens::Distortion;
use crate::noise::Sensor;
use crate::path::{Bearer, Carriage, Walk};
use crate::questions::{Question, questions};
use crate::raster::{Renderer, Rendering, Shot};
use crate::truth::{SeenObject, Sightings, seen_objects};
use crate::variety::Variety;
use crate::world::{RoomSplit, World};

/// Length of the walk that a clip is cut from, seconds, if the clip isn't longer itself.
const WALK_SECS: f64 = 24.0;
/// How much longer a walk is than the clip that is cut from it.
const WALK_PER_CLIP: f64 = 2.0;
/// Ends that are compared before one is taken.
const ENDS: usize = 5;

/// Size and timing of clips.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipSettings {
    /// Frames per clip.
    pub frames: usize,
    /// Columns of each frame.
    pub width: usize,
    /// Rows of each frame.
    pub height: usize,
    /// Frames per second.
    pub rate_hz: f64,
    /// Samples per pixel along each axis, 1 or 2.
    pub supersample: usize,
    /// How varied rooms, cameras and walks are.
    pub variety: Variety,
}

impl Default for ClipSettings {
    fn default() -> Self {
        Self { frames: 4, width: 140, height: 112, rate_hz: 2.0, supersample: 2, variety: Variety::default() }
    }
}

impl ClipSettings {
    /// Clips of the whole specification: 16 frames of 224 × 168 at 1 Hz.
    pub fn full() -> Self {
        Self { frames: 16, width: 224, height: 168, rate_hz: 1.0, supersample: 2, variety: Variety::full() }
    }

    /// From the first to the last frame, seconds.
    fn window_secs(&self) -> f64 {
        (self.frames.max(1) - 1) as f64 / self.rate_hz
    }
}

/// Frames, depth, ids, poses, truth. Per-frame vectors run from the oldest to the newest frame.
#[derive(Debug, Clone)]
pub struct Clip {
    /// RGB, three bytes a pixel, rows from the top.
    pub frames: Vec<Vec<u8>>,
    /// Metres along the optical axis, one a pixel; 0 where nothing was drawn.
    pub depth: Vec<Vec<f32>>,
    /// One a pixel: 0 nothing, 1 floor, 2 ceiling, 3 wall, then objects.
    pub ids: Vec<Vec<u16>>,
    /// The camera, the same for all frames.
    pub camera: Camera,
    /// Where each frame was taken.
    pub poses: Vec<Pose>,
    /// Where odometry has each frame taken.
    pub odometry: Vec<Pose>,
    /// The boxes of all objects in each frame, by index.
    pub boxes: Vec<Vec<PlanBox>>,
    /// Class by id; the first four are `nothing`, `floor`, `ceiling`, `wall`.
    pub classes: Vec<String>,
    /// Objects that count as seen, nearest first, measured from the newest pose.
    pub seen: Vec<SeenObject>,
    /// The true map: the seen objects that lie on it.
    pub map: ImaginedMap,
    /// What can be asked, with the truth.
    pub questions: Vec<Question>,
}

/// Everything a camera on a robot in a room needs, apart from the renderer.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The room.
    pub world: World,
    /// Field of view and resolution.
    pub camera: Camera,
    /// Where the camera goes.
    pub walk: Walk,
    /// Where odometry believes that it goes.
    pub believed: Walk,
    /// How its pictures are spoilt.
    pub sensor: Sensor,
}

impl Scene {
    /// The scene of a seed: the same room, walk and camera at any resolution.
    pub fn generate(seed: u64, split: RoomSplit, catalogue: &Catalogue, walk_secs: f64) -> Self {
        Self::generate_with(seed, split, catalogue, (walk_secs, &Variety::default()))
    }

    /// The scene of a seed, as varied as asked for, with a walk of so many seconds.
    pub fn generate_with(
        seed: u64,
        split: RoomSplit,
        catalogue: &Catalogue,
        (walk_secs, variety): (f64, &Variety),
    ) -> Self {
        let world = World::generate_with(seed, split, catalogue, variety);
        let mut rng = split.rng(seed, "camera");
        let mut camera = Camera::pinhole(640, 480, degrees(&mut rng, 55.0, 80.0));
        let bearer = if variety.planned_walks && rng.random_bool(0.4) { Bearer::Hand } else { Bearer::Robot };
        let drawn = rng.random_range(if bearer == Bearer::Hand { 1.1..1.7 } else { 0.3..1.7 });
        let height_m = variety.camera_height_m.unwrap_or(drawn);
        // Low cameras look less far down, else they would see nothing but floor.
        let steepest = -8.0 - 17.0 * ((height_m - 0.3) / 1.0f64).min(1.0);
        let carriage = Carriage { height_m, pitch: degrees(&mut rng, steepest, -5.0) };
        let mut walk_rng = split.rng(seed, "walk");
        let walk = if variety.planned_walks {
            Walk::planned(&world, (carriage, bearer), walk_secs, &mut walk_rng)
        } else {
            Walk::generate(&world, carriage, walk_secs, &mut walk_rng)
        };
        let believed = walk.believed(&variety.drift, &mut split.rng(seed, "odometry"));
        let mut sensor = Sensor::generate(&mut split.rng(seed, "sensor"));
        if variety.lenses {
            let mut rng = split.rng(seed, "lens");
            camera.distortion = lens(&camera, &mut rng);
            sensor.jpeg_quality = rng.random_bool(0.8).then(|| rng.random_range(55..=95));
        }
        Self { world, camera, walk, believed, sensor }
    }
}

fn degrees(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    rng.random_range(low..high).to_radians()
}

/// A lens, or none in one case of four: corners land up to 10 % nearer to the middle or 4 % farther away.
fn lens(camera: &Camera, rng: &mut ChaCha8Rng) -> Distortion {
    let half = (camera.horizontal_fov / 2.0).tan();
    let corner2 = half * half * (1.0 + (camera.height as f64 / camera.width as f64).powi(2));
    let mut at_corner = |low: f64, high: f64, power: i32| rng.random_range(low..high) / corner2.powi(power);
    let bent = Distortion {
        k1: at_corner(-0.1, 0.04, 1),
        k2: at_corner(-0.01, 0.02, 2),
        k3: at_corner(-0.003, 0.003, 3),
        p1: at_corner(-0.0015, 0.0015, 0),
        p2: at_corner(-0.0015, 0.0015, 0),
    };
    if rng.random_bool(0.75) { bent } else { Distortion::default() }
}

impl Clip {
    /// The clip of a seed.
    pub fn generate(
        seed: u64,
        split: RoomSplit,
        catalogue: &Catalogue,
        settings: &ClipSettings,
        renderer: &mut Renderer,
    ) -> Self {
        let variety = &settings.variety;
        let walk_secs = WALK_SECS.max(WALK_PER_CLIP * settings.window_secs());
        let mut scene = Scene::generate_with(seed, split, catalogue, (walk_secs, variety));
        let mut rng = split.rng(seed, "clip");
        let end = good_end(&scene, settings, &mut rng);
        let mut clip = Self::film(&mut scene, end, settings, renderer, &mut rng);
        clip.questions = questions(&scene.world.at(end), &clip.seen, &mut split.rng(seed, "questions"));
        clip
    }

    /// The frames that end at `end_secs` of a scene's walk, without questions.
    fn film(
        scene: &mut Scene,
        end_secs: f64,
        settings: &ClipSettings,
        renderer: &mut Renderer,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let poses = poses_before(&scene.walk, end_secs, settings);
        let camera = scene.camera.resized(settings.width, settings.height);
        let mut reel = Reel::default();
        for &pose in &poses {
            let world = scene.world.at(pose.stamp_secs);
            let shot = Shot { camera, pose, supersample: settings.supersample };
            let rendering = renderer.render(world.bodies(), &world.lighting, &shot);
            reel.add(rendering, &world, &mut scene.sensor, rng);
        }
        let odometry = poses_before(&scene.believed, end_secs, settings);
        Self { odometry, ..reel.clip(&scene.world.at(end_secs), camera, poses) }
    }
}

/// What a clip keeps of the frames taken so far.
#[derive(Debug, Default)]
pub(crate) struct Reel {
    frames: Vec<Vec<u8>>,
    depth: Vec<Vec<f32>>,
    ids: Vec<Vec<u16>>,
    boxes: Vec<Vec<PlanBox>>,
    sightings: Sightings,
}

impl Reel {
    /// Takes in one more frame.
    pub fn add(&mut self, rendering: &Rendering, world: &World, sensor: &mut Sensor, rng: &mut ChaCha8Rng) {
        self.sightings.add(rendering);
        let mut rgb = Vec::new();
        sensor.develop(rendering, rng, &mut rgb);
        self.frames.push(rgb);
        self.depth.push(rendering.depth.clone());
        self.ids.push(rendering.ids.clone());
        self.boxes.push(world.objects.iter().map(|object| object.plan).collect());
    }

    /// Every frame becomes the first, noise included.
    pub fn freeze(&mut self) {
        if let Some(first) = self.frames.first().cloned() {
            self.frames.fill(first);
        }
    }

    /// The light was off: black frames, nothing seen, nothing drawn.
    pub fn darken(&mut self) {
        self.sightings = Sightings::default();
        self.frames.iter_mut().for_each(|frame| frame.fill(0));
        self.depth.iter_mut().for_each(|depth| depth.fill(0.0));
        self.ids.iter_mut().for_each(|ids| ids.fill(0));
    }

    /// The clip of these frames, without odometry and questions; `world` is as it is at the newest pose.
    pub fn clip(self, world: &World, camera: Camera, poses: Vec<Pose>) -> Clip {
        let newest = poses.last().copied().unwrap_or_default();
        let (seen, map) = seen_objects(world, &self.sightings, &newest);
        let fixed = ["nothing", "floor", "ceiling", "wall"].map(str::to_owned);
        let classes = fixed.into_iter().chain(world.objects.iter().map(|object| object.class.clone())).collect();
        let Self { frames, depth, ids, boxes, .. } = self;
        Clip {
            frames,
            depth,
            ids,
            camera,
            poses,
            odometry: Vec::new(),
            boxes,
            classes,
            seen,
            map,
            questions: Vec::new(),
        }
    }
}

/// The poses of the frames that end at `end_secs`, oldest first.
pub fn poses_before(walk: &Walk, end_secs: f64, settings: &ClipSettings) -> Vec<Pose> {
    let count = settings.frames.max(1);
    (0..count).map(|i| walk.pose_at(end_secs - (count - 1 - i) as f64 / settings.rate_hz)).collect()
}

/// Of a few moments, one that shows much furniture from not too close.
fn good_end(scene: &Scene, settings: &ClipSettings, rng: &mut ChaCha8Rng) -> f64 {
    let window = settings.window_secs();
    let last = scene.walk.duration_secs();
    let ends = (0..ENDS).map(|_| rng.random_range(window.min(last * 0.9)..last));
    let scored: Vec<(f64, f64)> = ends
        .collect::<Vec<_>>()
        .into_iter()
        .map(|end| (interest(scene, end, settings) + rng.random_range(0.0..2.0), end))
        .collect();
    scored.into_iter().fold((f64::NEG_INFINITY, window), |a, b| if b.0 > a.0 { b } else { a }).1
}

/// Number of objects whose middle is in view and 0.6 m away or more, in the last two frames.
fn interest(scene: &Scene, end: f64, settings: &ClipSettings) -> f64 {
    let inside = |pose: &Pose, object: &crate::world::Object| {
        let [x, y] = object.plan.centre;
        let middle = [x, y, (object.span_m[0] + object.span_m[1]) / 2.0];
        let near = object.plan_distance([pose.position[0], pose.position[1]]) < 0.6;
        let on = scene.camera.project(pose.to_optical(middle));
        !near && on.is_some_and(|[u, v]| (0.0..640.0).contains(&u) && (0.0..480.0).contains(&v))
    };
    let poses = poses_before(&scene.walk, end, settings);
    let views = poses.iter().rev().take(2);
    views.map(|pose| scene.world.objects.iter().filter(|object| inside(pose, object)).count() as f64).sum::<f64>() / 2.0
}
