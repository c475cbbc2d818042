//! `object_abs_distance`: metres between the closest points of two objects' meshes.

use super::ask::{Answer, Ask, Draft, Topic};
use super::stage::Stage;
use super::tally::Tally;
use crate::closest::box_distance;

/// Nearer objects are not asked about, metres.
const LEAST_M: f64 = 0.3;
/// Largest difference between the meshes' and the boxes' distance, as a share of the meshes'.
const BOX_MESH_SHARE: f64 = 0.1;

/// Pairs of unique objects whose boxes are as far apart as their meshes.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally) -> Vec<Draft> {
    let topic = Topic::ObjectAbsDistance;
    let unique = stage.unique();
    let mut drafts = Vec::new();
    for (at, &a) in unique.iter().enumerate() {
        for &b in &unique[at + 1..] {
            let boxes = box_distance(&stage.objects[a], &stage.objects[b]);
            if !tally.passes(topic, "boxes 0.3 m apart or less", boxes > LEAST_M) {
                continue;
            }
            let meshes = stage.distance(a, b);
            if tally.passes(
                topic,
                "meshes and boxes differ by over 10 %",
                (meshes - boxes).abs() <= BOX_MESH_SHARE * meshes,
            ) {
                let ask = Ask::Between([a, b].map(|object| stage.class(object).to_owned()));
                drafts.push(Draft::walk(ask, Answer::Number(meshes)));
            }
        }
    }
    drafts
}
