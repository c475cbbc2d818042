//! One scene walked through and examined.

use std::borrow::Cow;
use std::ops::Range;

use rand_chacha::ChaCha8Rng;

use super::exam::{Exam, exam_questions};
use super::wording::WordingError;
use crate::clip::Scene;
use crate::raster::Renderer;
use crate::watch::{Watch, WatchSettings};
use crate::world::World;

/// A scene's watch and its exams.
#[derive(Debug, Clone)]
pub struct ExaminedWalk {
    /// What the camera saw.
    pub watch: Watch,
    /// One exam a stretch of [`stretches`].
    pub exams: Vec<Exam>,
}

/// The stretches of a watch that are examined: two videos of the same room, which begin and end at different moments,
/// and the whole. The two begin, within a sixth of the walk, where fewest objects are in sight, so that the rest come into sight later.
pub fn stretches(watch: &Watch) -> [Range<usize>; 3] {
    let count = watch.frames.len();
    let quiet = |first: usize, last: usize| {
        let objects = |frame: &usize| watch.frames[*frame].objects_in_sight();
        (first..last.max(first + 1).min(count)).min_by_key(objects).unwrap_or(first)
    };
    [quiet(0, count / 6)..count * 2 / 3, quiet(count / 3, count / 2)..count, 0..count]
}

/// The world of a scene as it is at the newest frame of a stretch.
pub fn world_after<'a>(scene: &'a Scene, watch: &Watch, frames: &Range<usize>) -> Cow<'a, World> {
    let newest = frames.end.checked_sub(1).and_then(|frame| watch.frames.get(frame));
    scene.world.at(newest.map_or(0.0, |frame| frame.pose.stamp_secs))
}

/// Renders the walk and draws the exams.
///
/// # Errors
/// If the bundled templates are damaged.
pub fn examine(
    scene: &Scene,
    settings: &WatchSettings,
    rng: &mut ChaCha8Rng,
    renderer: &mut Renderer,
) -> Result<ExaminedWalk, WordingError> {
    let watch = Watch::scene(scene, settings, renderer, |_| {});
    let exams =
        stretches(&watch).map(|frames| exam_questions(&world_after(scene, &watch, &frames), &watch, frames, rng));
    let exams = exams.into_iter().collect::<Result<_, _>>()?;
    Ok(ExaminedWalk { watch, exams })
}
