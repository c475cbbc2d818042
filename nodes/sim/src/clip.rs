//! A clip: a few frames of a walk through a new room, with everything that is true about them.

use msgs::ImaginedMap;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::camera::{Camera, Pose};
use crate::catalogue::Catalogue;
use crate::noise::Sensor;
use crate::path::{Carriage, Walk};
use crate::questions::{Question, questions};
use crate::raster::{Renderer, Shot};
use crate::truth::{SeenObject, Sightings, seen_objects};
use crate::world::{RoomSplit, World};

/// Length of the walk that a clip is cut from, seconds.
const WALK_SECS: f64 = 24.0;
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
}

impl Default for ClipSettings {
    fn default() -> Self {
        Self { frames: 4, width: 140, height: 112, rate_hz: 2.0, supersample: 2 }
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
    /// How its pictures are spoilt.
    pub sensor: Sensor,
}

impl Scene {
    /// The scene of a seed: the same room, walk and camera at any resolution.
    pub fn generate(seed: u64, split: RoomSplit, catalogue: &Catalogue, walk_secs: f64) -> Self {
        let world = World::generate(seed, split, catalogue);
        let mut rng = split.rng(seed, "camera");
        let degrees = |rng: &mut ChaCha8Rng, low: f64, high: f64| rng.random_range(low..high).to_radians();
        let camera = Camera::pinhole(640, 480, degrees(&mut rng, 55.0, 80.0));
        let height_m = rng.random_range(0.3..1.7);
        // Low cameras look less far down, else they would see nothing but floor.
        let steepest = -8.0 - 17.0 * ((height_m - 0.3) / 1.0f64).min(1.0);
        let carriage = Carriage { height_m, pitch: degrees(&mut rng, steepest, -5.0) };
        let walk = Walk::generate(&world, carriage, walk_secs, &mut split.rng(seed, "walk"));
        Self { world, camera, walk, sensor: Sensor::generate(&mut split.rng(seed, "sensor")) }
    }
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
        let mut scene = Scene::generate(seed, split, catalogue, WALK_SECS);
        let mut rng = split.rng(seed, "clip");
        let end = good_end(&scene, settings, &mut rng);
        let poses = poses_before(&scene.walk, end, settings);
        let camera = scene.camera.resized(settings.width, settings.height);
        let mut clip = Self::of_poses(&scene.world, camera, poses, |shot, sightings| {
            let rendering = renderer.render(
                scene.world.bodies(),
                &scene.world.lighting,
                &Shot { supersample: settings.supersample, ..shot },
            );
            sightings.add(rendering);
            let mut rgb = Vec::new();
            scene.sensor.develop(rendering, &mut rng, &mut rgb);
            (rgb, rendering.depth.clone(), rendering.ids.clone())
        });
        clip.questions = questions(&scene.world, &clip.seen, &mut split.rng(seed, "questions"));
        clip
    }

    fn of_poses(
        world: &World,
        camera: Camera,
        poses: Vec<Pose>,
        mut take: impl FnMut(Shot, &mut Sightings) -> (Vec<u8>, Vec<f32>, Vec<u16>),
    ) -> Self {
        let mut sightings = Sightings::default();
        let (mut frames, mut depth, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for &pose in &poses {
            let (rgb, metres, id) = take(Shot { camera, pose, supersample: 1 }, &mut sightings);
            frames.push(rgb);
            depth.push(metres);
            ids.push(id);
        }
        let newest = poses[poses.len() - 1];
        let (seen, map) = seen_objects(world, &sightings, &newest);
        let fixed = ["nothing", "floor", "ceiling", "wall"].map(str::to_owned);
        let classes = fixed.into_iter().chain(world.objects.iter().map(|object| object.class.clone())).collect();
        Self { frames, depth, ids, camera, poses, classes, seen, map, questions: Vec::new() }
    }
}

/// The poses of the frames that end at `end_secs`, oldest first.
pub fn poses_before(walk: &Walk, end_secs: f64, settings: &ClipSettings) -> Vec<Pose> {
    let count = settings.frames.max(1);
    (0..count).map(|i| walk.pose_at(end_secs - (count - 1 - i) as f64 / settings.rate_hz)).collect()
}

/// Of a few moments, one that shows much furniture from not too close.
fn good_end(scene: &Scene, settings: &ClipSettings, rng: &mut ChaCha8Rng) -> f64 {
    let window = (settings.frames.max(1) - 1) as f64 / settings.rate_hz;
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
