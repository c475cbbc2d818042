//! Dense truths per patch, from the simulator's depth and object ids.

use std::collections::BTreeMap;

use sim::body::FIRST_OBJECT_ID;
use sim::clip::Clip;

use crate::sample::{Name, PatchTargets};

/// Patches per side of a merged vision token.
const MERGE: usize = 2;
/// One of so many pixels tells where a patch is.
const PLACE_STRIDE: usize = 5;

/// The truths of each pair of frames, in `pixel_values` row order (t, h/2, w/2, 2, 2).
///
/// The clip's frames must have the very size of the grid, `patch · grid`.
pub fn patch_targets(clip: &Clip, grid_thw: [usize; 3], classes: &[String]) -> PatchTargets {
    let [pairs, rows, columns] = grid_thw;
    let side = clip.camera.width / columns;
    let mut targets = PatchTargets::default();
    for pair in 0..pairs {
        let frame = (2 * pair + 1).min(clip.frames.len() - 1);
        for block in 0..rows * columns {
            let (inner, outer) = (block % (MERGE * MERGE), block / (MERGE * MERGE));
            let row = outer / (columns / MERGE) * MERGE + inner / MERGE;
            let column = outer % (columns / MERGE) * MERGE + inner % MERGE;
            let patch = Patch { top: row * side, left: column * side, side };
            push_patch(&mut targets, clip, (2 * pair, frame), patch, classes);
        }
    }
    targets
}

/// Least share of a vision token that makes a class one of its names.
const LEAST_NAMED: f32 = 0.05;

/// The names of what each vision token of `targets` shows, over both frames of its pair; `tokens_of` has the tokens that
/// spell each class.
pub fn names(targets: &PatchTargets, tokens_of: &[Vec<u32>]) -> Vec<Name> {
    let classes = tokens_of.len();
    let per_token = MERGE * MERGE * classes;
    let tokens = targets.class_shares.chunks_exact(per_token).zip(targets.older_class_shares.chunks_exact(per_token));
    let mut names = Vec::new();
    for (place, (newer, older)) in tokens.enumerate() {
        let mut shares = vec![0.0; classes];
        for patch in newer.chunks_exact(classes).chain(older.chunks_exact(classes)) {
            shares.iter_mut().zip(patch).for_each(|(sum, share)| *sum += share / (2 * MERGE * MERGE) as f32);
        }
        let named: f32 = shares.iter().filter(|share| **share >= LEAST_NAMED).sum();
        for (share, tokens) in shares.iter().zip(tokens_of).filter(|(share, _)| **share >= LEAST_NAMED) {
            let share = share / named / tokens.len() as f32;
            names.extend(tokens.iter().map(|&token| Name { place: place as u32, token, share }));
        }
    }
    names
}

/// A square of pixels.
#[derive(Clone, Copy)]
struct Patch {
    top: usize,
    left: usize,
    side: usize,
}

impl Patch {
    fn pixels(self, width: usize) -> impl Iterator<Item = usize> {
        (0..self.side * self.side).map(move |i| (self.top + i / self.side) * width + self.left + i % self.side)
    }
}

fn push_patch(
    targets: &mut PatchTargets,
    clip: &Clip,
    (older, newer): (usize, usize),
    patch: Patch,
    classes: &[String],
) {
    let depths = patch.pixels(clip.camera.width).map(|pixel| clip.depth[newer][pixel]);
    let hits: Vec<f32> = depths.filter(|depth| depth.is_finite() && *depth > 0.0).collect();
    let mean = hits.iter().sum::<f32>() / hits.len() as f32;
    targets.log_depth.push(if hits.is_empty() { f32::NAN } else { mean.ln() });
    let ids = id_shares(clip, newer, patch);
    let majority = ids.iter().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(id, _)| *id);
    let box_of = |id: u16| clip.boxes.get(newer)?.get(usize::from(id.checked_sub(FIRST_OBJECT_ID)?));
    let ground = clip.poses.get(newer).map(|pose| [pose.position[0], pose.position[1]]);
    let distance = box_of(majority).zip(ground).map(|(outline, ground)| outline.distance(ground));
    targets.log_distance.push(distance.map_or(f32::NAN, |metres| (metres.max(0.05) as f32).ln()));
    targets.place_m.extend(place(clip, (newer, majority), patch).map_or([f32::NAN; 2], |at| at.map(|m| m as f32)));
    push_shares(&mut targets.class_shares, clip, &ids, classes);
    push_shares(&mut targets.older_class_shares, clip, &id_shares(clip, older, patch), classes);
}

/// Mean plan position of a patch's pixels of one id, metres to the right and ahead of the newest camera.
fn place(clip: &Clip, (frame, id): (usize, u16), patch: Patch) -> Option<[f64; 2]> {
    let (newest, pose) = (clip.poses.last()?, clip.poses.get(frame)?);
    let (mut sum, mut count) = ([0.0, 0.0], 0);
    for pixel in patch.pixels(clip.camera.width).step_by(PLACE_STRIDE) {
        let depth = f64::from(clip.depth[frame][pixel]);
        if clip.ids[frame][pixel] == id && depth.is_finite() && depth > 0.0 {
            let image = [pixel % clip.camera.width, pixel / clip.camera.width].map(|at| at as f64 + 0.5);
            let [x, y, _] = pose.to_world(clip.camera.unproject(image, depth));
            let at = newest.to_plan([x, y]);
            sum = [sum[0] + at[0], sum[1] + at[1]];
            count += 1;
        }
    }
    (count > 0).then(|| sum.map(|total| total / f64::from(count)))
}

/// Share of a patch's pixels by object id, in ascending order of ids.
fn id_shares(clip: &Clip, frame: usize, patch: Patch) -> BTreeMap<u16, f32> {
    let mut shares = BTreeMap::new();
    for pixel in patch.pixels(clip.camera.width) {
        *shares.entry(clip.ids[frame][pixel]).or_insert(0.0) += 1.0 / (patch.side * patch.side) as f32;
    }
    shares
}

/// Appends a patch's shares by class; whatever is no object counts for class 0.
fn push_shares(shares: &mut Vec<f32>, clip: &Clip, ids: &BTreeMap<u16, f32>, classes: &[String]) {
    let first = shares.len();
    shares.resize(first + classes.len(), 0.0);
    for (&id, share) in ids {
        let name = clip.classes.get(usize::from(id));
        let class = name.and_then(|name| classes.iter().position(|c| c == name)).unwrap_or(0);
        shares[first + class] += share;
    }
}
