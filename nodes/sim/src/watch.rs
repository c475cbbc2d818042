//! What a walking camera saw: how much of every object and of every wall, frame by frame.

use crate::body::{Body, FIRST_OBJECT_ID, Lighting, WALL_ID};
use crate::camera::{Camera, Pose};
use crate::clip::Scene;
use crate::footprint::distance_to_segment;
use crate::plan::FloorPlan;
use crate::raster::{Renderer, Rendering, Shot};
use crate::truth::{SEEN_SHARE, Sighting};

/// Every so many columns and rows a pixel tells which wall it shows.
const WALL_STRIDE: usize = 2;

/// Size and timing of the frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WatchSettings {
    /// Columns of each frame.
    pub width: usize,
    /// Rows of each frame.
    pub height: usize,
    /// Frames per second.
    pub rate_hz: f64,
    /// Length of the walk, seconds.
    pub walk_secs: f64,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self { width: 112, height: 84, rate_hz: 2.0, walk_secs: 60.0 }
    }
}

impl WatchSettings {
    /// The poses of a scene's walk at the frame rate, oldest first.
    pub fn poses(&self, scene: &Scene) -> Vec<Pose> {
        let end = scene.walk.duration_secs().min(self.walk_secs);
        let count = (end * self.rate_hz + 1e-6).floor() as usize + 1;
        (0..count).map(|i| scene.walk.pose_at(i as f64 / self.rate_hz)).collect()
    }
}

/// One frame of a watch.
#[derive(Debug, Clone)]
pub struct FrameView {
    /// Where it was taken.
    pub pose: Pose,
    /// By id: share of the picture.
    visible: Vec<f32>,
    /// By id: share of the picture that it would fill if nothing stood before it.
    unoccluded: Vec<f32>,
    /// By wall of the floor plan: share of the picture.
    walls: Vec<f32>,
}

impl FrameView {
    /// How an object shows here.
    pub fn of(&self, id: u16) -> Sighting {
        let at = |shares: &[f32]| shares.get(usize::from(id)).copied().unwrap_or(0.0);
        Sighting { visible: at(&self.visible), unoccluded: at(&self.unoccluded) }
    }

    /// How many objects fill enough of the picture to be seen.
    pub fn objects_in_sight(&self) -> usize {
        let shares = self.visible.iter().skip(usize::from(FIRST_OBJECT_ID));
        shares.filter(|&&share| share >= SEEN_SHARE).count()
    }

    /// Share of the picture that each wall fills.
    pub fn walls(&self) -> &[f32] {
        &self.walls
    }
}

/// A walk as seen by its camera.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The camera of all frames.
    pub camera: Camera,
    /// Oldest first.
    pub frames: Vec<FrameView>,
}

/// What is watched.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a, B> {
    /// What is drawn.
    pub bodies: B,
    /// The light that falls on it.
    pub lighting: &'a Lighting,
    /// The walls.
    pub plan: &'a FloorPlan,
}

impl Watch {
    /// Renders the frames; each is shown to `look` (its index, the picture) before its buffers are used again.
    pub fn of<'a, B: Iterator<Item = &'a Body> + Clone>(
        sight: &Sight<'a, B>,
        camera: Camera,
        poses: &[Pose],
        renderer: &mut Renderer,
        mut look: impl FnMut(usize, &Rendering),
    ) -> Self {
        let mut frames = Vec::with_capacity(poses.len());
        for (index, &pose) in poses.iter().enumerate() {
            let shot = Shot { camera, pose, supersample: 1 };
            let rendering = renderer.render(sight.bodies.clone(), sight.lighting, &shot);
            let walls = wall_shares(sight.plan, &shot, rendering);
            frames.push(FrameView {
                pose,
                visible: rendering.visible.clone(),
                unoccluded: rendering.unoccluded.clone(),
                walls,
            });
            look(index, rendering);
        }
        Self { camera, frames }
    }

    /// Watches a scene's walk.
    pub fn scene(scene: &Scene, settings: &WatchSettings, renderer: &mut Renderer) -> Self {
        let plan = FloorPlan::of(&scene.world);
        let sight = Sight { bodies: scene.world.bodies(), lighting: &scene.world.lighting, plan: &plan };
        let camera = scene.camera.resized(settings.width, settings.height);
        Self::of(&sight, camera, &settings.poses(scene), renderer, |_, _| {})
    }
}

fn wall_shares(plan: &FloorPlan, shot: &Shot, view: &Rendering) -> Vec<f32> {
    let mut counts = vec![0usize; plan.corners().len()];
    let rows = (0..view.height).step_by(WALL_STRIDE);
    for (x, y) in rows.flat_map(|y| (0..view.width).step_by(WALL_STRIDE).map(move |x| (x, y))) {
        let at = y * view.width + x;
        if view.ids[at] != WALL_ID {
            continue;
        }
        let optical = shot.camera.unproject([x as f64 + 0.5, y as f64 + 0.5], f64::from(view.depth[at]));
        let [px, py, _] = shot.pose.to_world(optical);
        let distances = plan.walls().map(|[a, b]| distance_to_segment(a, b, [px, py]));
        let nearest = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        if let Some(count) = nearest.and_then(|(wall, _)| counts.get_mut(wall)) {
            *count += 1;
        }
    }
    let pixels = (view.width * view.height) as f32 / (WALL_STRIDE * WALL_STRIDE) as f32;
    counts.into_iter().map(|count| count as f32 / pixels).collect()
}
