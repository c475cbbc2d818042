//! `object_size_estimation`: the longest side of an object's box, centimetres.

use super::ask::{Answer, Ask, Draft, Topic};
use super::stage::Stage;
use super::tally::Tally;
use crate::camera::Pose;

/// Smaller objects are not asked about, centimetres.
const LEAST_CM: f64 = 30.0;

/// Unique objects that stand wholly within the picture of some frame: the best one to tell a size from.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally) -> Vec<Draft> {
    let topic = Topic::ObjectSizeEstimation;
    let mut drafts = Vec::new();
    for index in stage.unique() {
        let object = &stage.objects[index];
        let sides = [2.0 * object.plan.half[0], 2.0 * object.plan.half[1], object.span_m[1] - object.span_m[0]];
        let longest = 100.0 * sides.into_iter().fold(0.0, f64::max);
        if tally.passes(topic, "shorter than 30 cm", longest >= LEAST_CM)
            && tally.passes(topic, "cut off in every frame that shows enough", shown_whole(stage, index))
        {
            drafts.push(Draft::walk(Ask::Size(object.class.clone()), Answer::Number(longest)));
        }
    }
    drafts
}

/// Whether some frame that shows enough of an object has every vertex of its mesh on the picture.
fn shown_whole(stage: &Stage, object: usize) -> bool {
    let [width, height] = [stage.camera.width, stage.camera.height].map(|side| side as f64);
    let on_picture = |pose: &Pose, p: &[f32; 3]| {
        let on = stage.camera.project(pose.to_optical(p.map(f64::from)));
        on.is_some_and(|[u, v]| (0.0..=width).contains(&u) && (0.0..=height).contains(&v))
    };
    let object = &stage.objects[object];
    let frames = stage.frames.iter().filter(|frame| frame.of(object.id).seen());
    frames.map(|frame| &frame.pose).any(|pose| object.body.positions.iter().all(|p| on_picture(pose, p)))
}
