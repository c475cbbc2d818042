//! Dense truths per patch, from the simulator's depth and object ids.

use std::collections::BTreeMap;

use sim::clip::Clip;

use crate::sample::PatchTargets;

/// Patches per side of a merged vision token.
const MERGE: usize = 2;

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
    let object = clip.seen.iter().find(|object| object.id == majority);
    targets.log_distance.push(object.map_or(f32::NAN, |o| (o.distance_m.max(0.05) as f32).ln()));
    push_shares(&mut targets.class_shares, clip, &ids, classes);
    push_shares(&mut targets.older_class_shares, clip, &id_shares(clip, older, patch), classes);
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
