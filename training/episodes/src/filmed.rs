//! What is kept of a walk between its visits: not its pictures, but what is made of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use geometry::PlanPose;
use processor::VisionInput;
use sim::camera::Pose;
use sim::clip::Clip;
use sim::truth::SeenObject;

use crate::evidence::Place;
use crate::sample::{Name, PatchTargets};
use crate::walks::Walk;

/// A vision tower that is not trained: from patch rows [patches, patch width] of a grid (t, h, w) to the embeds of its
/// merged tokens, row after row.
pub type FrozenTower = Box<dyn Fn(&[f32], [usize; 3]) -> Result<Vec<f32>, String> + Send + Sync>;

/// What a model sees of some frames.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The grid; without patch rows where there are embeds.
    pub vision: VisionInput,
    /// What a tower that is not trained made of the patches.
    pub image_embeds: Option<Arc<[f32]>>,
    /// Dense truths.
    pub patches: PatchTargets,
}

impl Seen {
    /// Memory of what is large, bytes.
    fn bytes(&self) -> usize {
        let PatchTargets { class_shares, older_class_shares, log_depth, log_distance, place_m, names } = &self.patches;
        let numbers = [&self.vision.pixel_values, class_shares, older_class_shares, log_depth, log_distance, place_m];
        let embeds = self.image_embeds.as_ref().map_or(0, |embeds| embeds.len());
        let count = embeds + numbers.into_iter().map(Vec::len).sum::<usize>();
        count * size_of::<f32>() + names.len() * size_of::<Name>()
    }
}

/// A walk with what a model sees of it.
pub struct Filmed {
    /// Questions, poses, the map; no pictures.
    pub walk: Walk,
    /// What is seen.
    pub seen: Seen,
}

/// Most memory that kept walks take, bytes; the others are filmed again.
const MOST_BYTES: usize = 8 << 30;

/// Walks by their place in the stream. The same place always holds the same walk, so that nothing depends on what was
/// kept.
#[derive(Default)]
pub struct KeptWalks(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    walks: HashMap<u64, Arc<Filmed>>,
    bytes: usize,
}

impl KeptWalks {
    /// The walk of a place, where it was filmed before and kept.
    pub fn get(&self, place: u64) -> Option<Arc<Filmed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).walks.get(&place).cloned()
    }

    /// Keeps the walk of a place, where there is room for it.
    pub fn keep(&self, place: u64, filmed: &Arc<Filmed>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = kept.bytes + filmed.seen.bytes();
        if bytes <= MOST_BYTES && kept.walks.insert(place, Arc::clone(filmed)).is_none() {
            kept.bytes = bytes;
        }
    }
}

/// Where odometry has the camera at the newer frame of each pair, oldest first.
pub fn cameras(clip: &Clip) -> Vec<PlanPose> {
    clip.odometry.chunks(2).filter_map(|pair| pair.last()).map(plan).collect()
}

fn plan(pose: &Pose) -> PlanPose {
    PlanPose { x: pose.position[0], y: pose.position[1], yaw_rad: pose.yaw }
}

/// Where the seen objects are, nearest first.
pub fn places(clip: &Clip) -> Vec<Place> {
    let place = |object: &SeenObject| {
        let [right_m, ahead_m] = object.plan_m;
        Place { class: object.class.clone(), ahead_m, left_m: -right_m, first_frame: object.first_frame }
    };
    clip.seen.iter().map(place).collect()
}
