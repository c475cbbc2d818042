//! Drills: questions whose places are given, so that what follows from places is learnt without looking.
//!
//! How places make a side or a distance is the same in every room, and takes many more examples than a sample has questions
//! that see its frames. Drills cost little, and the same question comes as other viewpoints would have its places.

use std::f64::consts::TAU;

use msgs::QuestionKind;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::completion::{Place, follows_from};
use crate::exercise::Exercise;

/// Farthest along either axis that another viewpoint is from the camera, metres.
const FARTHEST_VIEWPOINT_M: f64 = 3.0;

/// `places` as another viewpoint has them, where the answer is the same from there and they can still be stated; as they
/// are, where not.
pub fn from_elsewhere(exercise: &Exercise, places: &[Place], random: &mut ChaCha8Rng) -> Vec<Place> {
    let [ahead_m, left_m] = [(); 2].map(|()| random.random_range(-FARTHEST_VIEWPOINT_M..=FARTHEST_VIEWPOINT_M));
    let (sin, cos) = random.random_range(0.0..TAU).sin_cos();
    let moved = places.iter().map(|place| Place {
        ahead_m: cos * place.ahead_m - sin * place.left_m + ahead_m,
        left_m: sin * place.ahead_m + cos * place.left_m + left_m,
        ..place.clone()
    });
    let moved: Vec<Place> = moved.collect();
    let is_apt = is_free_of_camera(exercise.question.kind) && follows_from(exercise, &moved);
    if is_apt { moved } else { places.to_vec() }
}

/// Whether answers of a kind are the same wherever the camera stands.
fn is_free_of_camera(kind: QuestionKind) -> bool {
    matches!(
        kind,
        QuestionKind::ObjectCounting
            | QuestionKind::ObjectAbsDistance
            | QuestionKind::ObjectRelDistance
            | QuestionKind::ObjectRelDirectionEasy
            | QuestionKind::ObjectRelDirectionMedium
            | QuestionKind::ObjectRelDirectionHard
            | QuestionKind::RoutePlanning
    )
}
