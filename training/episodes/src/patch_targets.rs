//! Dense truths per patch, from the simulator's depth and object ids.

use sim::clip::Clip;

use crate::sample::PatchTargets;

/// Patches per side of a merged vision token.
const MERGE: usize = 2;

/// The truths of the newest frame of each pair, in `pixel_values` row order (t, h/2, w/2, 2, 2).
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
            push_patch(&mut targets, clip, (frame, row * side, column * side, side), classes);
        }
    }
    targets
}

fn push_patch(
    targets: &mut PatchTargets,
    clip: &Clip,
    (frame, top, left, side): (usize, usize, usize, usize),
    classes: &[String],
) {
    let width = clip.camera.width;
    let pixels = (0..side * side).map(|i| (top + i / side) * width + left + i % side);
    let (mut sum, mut hits) = (0.0, 0usize);
    let mut votes: Vec<(u16, usize)> = Vec::new();
    for pixel in pixels {
        let depth = clip.depth[frame][pixel];
        if depth.is_finite() && depth > 0.0 {
            sum += depth;
            hits += 1;
        }
        let id = clip.ids[frame][pixel];
        match votes.iter_mut().find(|(seen, _)| *seen == id) {
            Some((_, n)) => *n += 1,
            None => votes.push((id, 1)),
        }
    }
    let majority = votes.iter().max_by_key(|(id, n)| (*n, std::cmp::Reverse(*id))).map_or(0, |(id, _)| *id);
    let name = clip.classes.get(usize::from(majority));
    let class = name.and_then(|name| classes.iter().position(|c| c == name)).unwrap_or(0);
    let object = clip.seen.iter().find(|object| object.id == majority);
    targets.classes.push(class as u32);
    targets.log_depth.push(if hits > 0 { (sum / hits as f32).ln() } else { f32::NAN });
    targets.log_distance.push(object.map_or(f32::NAN, |o| (o.distance_m.max(0.05) as f32).ln()));
}
