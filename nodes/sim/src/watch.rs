//! What a walking camera saw: how much of every object and of every wall, frame by frame.

use crate::body::{Body, FIRST_OBJECT_ID, Lighting, WALL_ID};
use crate::camera::{Camera, Pose};
use crate::catalogue::Catalogue;
use crate::clip::Scene;
use crate::footprint::{PlanBox, distance_to_segment};
use crate::plan::FloorPlan;
use crate::raster::{Renderer, Rendering, Shot};
use crate::truth::{Sighting, is_enough};
use crate::variety::Variety;
use crate::world::{Object, RoomSplit};

/// Every so many columns and rows a pixel tells which wall it shows.
const WALL_STRIDE: usize = 2;

/// What scenes are walked through; size and timing of the frames.
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
    /// How varied rooms, cameras and walks are.
    pub variety: Variety,
}

impl Default for WatchSettings {
    fn default() -> Self {
        // Shadows change neither depth nor ids.
        let variety = Variety { shadows: false, moving_share: 0.2, ..Variety::full() };
        Self { width: 112, height: 84, rate_hz: 2.0, walk_secs: 60.0, variety }
    }
}

impl WatchSettings {
    /// The scene of a seed.
    pub fn scene(&self, seed: u64, split: RoomSplit, catalogue: &Catalogue) -> Scene {
        Scene::generate_with(seed, split, catalogue, (self.walk_secs, &self.variety))
    }

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
    /// Where every object was, by index.
    boxes: Vec<PlanBox>,
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
        shares.filter(|&&share| is_enough(share)).count()
    }

    /// Where the object of this index was.
    pub fn plan_of(&self, object: usize) -> Option<&PlanBox> {
        self.boxes.get(object)
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

/// What is watched at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// Floor, walls, ceiling.
    pub surfaces: &'a [Body],
    /// Everything that was placed.
    pub objects: &'a [Object],
    /// The light that falls on it.
    pub lighting: &'a Lighting,
    /// The walls.
    pub plan: &'a FloorPlan,
}

impl FrameView {
    /// Renders one frame; the picture stays in the renderer's buffers until the next.
    pub fn take<'r>(sight: &Sight, shot: &Shot, renderer: &'r mut Renderer) -> (Self, &'r Rendering) {
        let bodies = sight.objects.iter().map(|object| &object.body).chain(sight.surfaces);
        let rendering = renderer.render(bodies, sight.lighting, shot);
        let view = Self {
            pose: shot.pose,
            visible: rendering.visible.clone(),
            unoccluded: rendering.unoccluded.clone(),
            walls: wall_shares(sight.plan, shot, rendering),
            boxes: sight.objects.iter().map(|object| object.plan).collect(),
        };
        (view, rendering)
    }
}

impl Watch {
    /// Watches a scene's walk; each picture is shown to `look` before its buffers are used again.
    pub fn scene(
        scene: &Scene,
        settings: &WatchSettings,
        renderer: &mut Renderer,
        mut look: impl FnMut(&Rendering),
    ) -> Self {
        let plan = FloorPlan::of(&scene.world);
        let camera = scene.camera.resized(settings.width, settings.height);
        let frames = settings.poses(scene).into_iter().map(|pose| {
            let world = scene.world.at(pose.stamp_secs);
            let sight =
                Sight { surfaces: &world.surfaces, objects: &world.objects, lighting: &world.lighting, plan: &plan };
            let (view, rendering) = FrameView::take(&sight, &Shot { camera, pose, supersample: 1 }, renderer);
            look(rendering);
            view
        });
        Self { camera, frames: frames.collect() }
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
