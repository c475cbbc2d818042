//! The questions that a clip or a walk can answer, with their truth.
//!
//! [`questions`] asks about a clip of a few frames, in two kinds; how those are worded is decided elsewhere.
//! [`exam::exam_questions`] asks about a walk of many frames, in all kinds and in words. Each rule has a file of its
//! own, named after its topic; a rule lists what may be asked and counts in a [`tally::Tally`] what its filters drop.

mod abs_distance;
pub mod absence;
pub mod angle;
mod appearance;
pub mod ask;
pub mod balance;
pub mod blind;
pub mod choice;
mod counting;
mod ego;
pub mod exam;
pub mod examined;
pub mod film;
pub mod motion;
mod rel_direction;
mod rel_distance;
mod room_size;
pub mod route;
mod size;
pub mod stage;
pub mod stats;
pub mod tally;
pub mod walk;
pub mod wording;

use msgs::QuestionKind;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::truth::SeenObject;
use crate::world::World;

/// Distances that are asked about, metres.
pub const DISTANCE_RANGE_M: std::ops::RangeInclusive<f64> = 0.4..=8.0;
/// How many absent classes are asked about per clip, each with both kinds of question.
pub const ABSENT_CLASSES: usize = 4;

/// The true answer.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// Metres or a number of instances, as the kind says.
    Number(f64),
    /// There is no such thing in the room.
    NotSeen,
}

/// One question about a class of objects.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Question {
    /// What is asked.
    pub kind: QuestionKind,
    /// About which class, lower case.
    pub class: String,
    /// The true answer.
    pub truth: Truth,
}

impl Question {
    /// Whether the benchmark's filter keeps it: it asks for counts of two and more only.
    pub fn is_official(&self) -> bool {
        self.kind != QuestionKind::ObjectCounting || !matches!(self.truth, Truth::Number(n) if n < 2.0)
    }
}

/// All valid questions of a clip: a class with an instance in the room that was not seen is not asked about.
pub fn questions(world: &World, seen: &[SeenObject], rng: &mut ChaCha8Rng) -> Vec<Question> {
    let mut all = Vec::new();
    let mut absent = Vec::new();
    for class in &world.menu {
        let instances: Vec<&SeenObject> = seen.iter().filter(|object| object.class == *class).collect();
        let ask = |kind, truth| Question { kind, class: class.clone(), truth };
        match world.count(class) {
            0 => absent.push(class),
            count if count == instances.len() => {
                if count == 1 && DISTANCE_RANGE_M.contains(&instances[0].distance_m) {
                    all.push(ask(QuestionKind::EgoDistance, Truth::Number(instances[0].distance_m)));
                }
                all.push(ask(QuestionKind::ObjectCounting, Truth::Number(count as f64)));
            }
            _ => {}
        }
    }
    absent.shuffle(rng);
    for class in absent.into_iter().take(ABSENT_CLASSES) {
        for kind in [QuestionKind::EgoDistance, QuestionKind::ObjectCounting] {
            all.push(Question { kind, class: class.clone(), truth: Truth::NotSeen });
        }
    }
    all
}
