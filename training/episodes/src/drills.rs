//! Drills: questions whose places are given, so that what follows from places is learnt without looking.
//!
//! How places make a side or a distance is the same in every room, and takes many more examples than a sample has questions
//! that see its frames. Drills cost little, and the same question comes as other viewpoints would have its places.

use std::collections::BTreeSet;
use std::f64::consts::TAU;

use msgs::QuestionKind;
use rand::RngExt;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use crate::evidence::{Place, follows_from};
use crate::exercise::Exercise;
use crate::walks::FRAMES;

/// Farthest along either axis that another viewpoint is from the camera, metres.
const FARTHEST_VIEWPOINT_M: f64 = 3.0;

/// `places` as another viewpoint has them, where they can still be stated from there; as they are, where not. What came into
/// sight first does so still, but in other frames.
pub fn from_elsewhere(exercise: &Exercise, places: &[Place], random: &mut ChaCha8Rng) -> Vec<Place> {
    if exercise.question.kind == QuestionKind::ObjAppearanceOrder {
        return in_other_frames(exercise, places, random);
    }
    let [ahead_m, left_m] = [(); 2].map(|()| random.random_range(-FARTHEST_VIEWPOINT_M..=FARTHEST_VIEWPOINT_M));
    let (sin, cos) = random.random_range(0.0..TAU).sin_cos();
    let moved = places.iter().map(|place| Place {
        ahead_m: cos * place.ahead_m - sin * place.left_m + ahead_m,
        left_m: sin * place.ahead_m + cos * place.left_m + left_m,
        ..place.clone()
    });
    let moved: Vec<Place> = moved.collect();
    if follows_from(exercise, &moved) { moved } else { places.to_vec() }
}

/// What is asked about in random frames, in its own order.
fn in_other_frames(exercise: &Exercise, places: &[Place], random: &mut ChaCha8Rng) -> Vec<Place> {
    let asked =
        |place: &&Place| exercise.question.object.iter().chain(&exercise.question.others).any(|c| *c == place.class);
    let asked: Vec<Place> = places.iter().filter(asked).cloned().collect();
    let known: BTreeSet<usize> = asked.iter().map(|place| place.first_frame).collect();
    let mut others = sample(random, FRAMES.max(known.len()), known.len()).into_vec();
    others.sort_unstable();
    let other = |frame: usize| others[known.range(..frame).count()];
    asked.into_iter().map(|place| Place { first_frame: other(place.first_frame), ..place }).collect()
}

/// Whether a kind is drilled: its answers follow from places, and are the same wherever the camera stands.
pub fn is_drilled(kind: QuestionKind) -> bool {
    matches!(
        kind,
        QuestionKind::ObjectAbsDistance
            | QuestionKind::ObjectCounting
            | QuestionKind::ObjAppearanceOrder
            | QuestionKind::ObjectRelDistance
            | QuestionKind::ObjectRelDirectionEasy
            | QuestionKind::ObjectRelDirectionMedium
            | QuestionKind::ObjectRelDirectionHard
            | QuestionKind::RoutePlanning
    )
}
