//! Which of the possible questions are asked: few a topic, and their answers as even as the room allows.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::ask::{Answer, Ask, Draft, Level, Topic};
use super::tally::Tally;

/// Most questions of one topic in one exam.
pub const PER_TOPIC: usize = 6;
/// Most questions of one topic with the same words for an answer.
const PER_ANSWER: usize = 2;
/// The same where there are but two words.
const PER_ANSWER_OF_TWO: usize = 3;
/// Cameras look where they go, and rooms rarely have many of a kind: of the questions chosen, these answers keep only
/// such a share, so that over many rooms no answer is much more frequent than the others.
const SHARES: [(Topic, &str, f64); 13] = [
    (Topic::ObjectCounting, "2", 0.3),
    (Topic::ObjectCounting, "3", 0.65),
    (Topic::ObjectRelDirectionMedium, "back", 0.82),
    (Topic::ObjectRelDirectionHard, "front-left", 0.75),
    (Topic::ObjectRelDirectionHard, "front-right", 0.75),
    (Topic::EgoDirectionSide, "front", 0.9),
    (Topic::EgoDirectionClock, "12 o'clock", 0.45),
    (Topic::EgoDirectionClock, "1 o'clock", 0.8),
    (Topic::EgoDirectionClock, "11 o'clock", 0.8),
    (Topic::CameraDirection, "front", 0.42),
    (Topic::CameraDirection, "right", 0.9),
    (Topic::CameraTurnSide, "left, less than 90 degrees", 0.8),
    (Topic::CameraTurnSide, "right, less than 90 degrees", 0.8),
];

/// Draws the questions of every topic; what is left out is counted.
pub(super) fn balance(drafts: Vec<Draft>, tally: &mut Tally, rng: &mut ChaCha8Rng) -> Vec<Draft> {
    let mut topics: BTreeMap<Topic, Vec<Draft>> = BTreeMap::new();
    for draft in drafts {
        topics.entry(draft.topic).or_default().push(draft);
    }
    let mut kept = Vec::new();
    for (topic, drafts) in topics {
        let possible = drafts.len();
        let mut chosen = evenly(drafts, rng);
        tally.drop(topic, "enough of this topic", possible - chosen.len());
        let drawn = chosen.len();
        chosen.retain(|draft| is_drawn(draft, rng));
        tally.drop(topic, "common answer, drawn by lot", drawn - chosen.len());
        tally.keep(topic, chosen.len());
        kept.extend(chosen);
    }
    kept
}

fn is_drawn(draft: &Draft, rng: &mut ChaCha8Rng) -> bool {
    let bin = bin(draft);
    let share = SHARES.iter().find(|(topic, answer, _)| *topic == draft.topic && *answer == bin);
    share.is_none_or(|(_, _, share)| rng.random_bool(*share))
}

/// Up to [`PER_TOPIC`] drafts, one answer after the other in random order.
fn evenly(drafts: Vec<Draft>, rng: &mut ChaCha8Rng) -> Vec<Draft> {
    let mut by_answer: BTreeMap<String, Vec<Draft>> = BTreeMap::new();
    for draft in drafts {
        by_answer.entry(bin(&draft)).or_default().push(draft);
    }
    let mut bins: Vec<Vec<Draft>> = by_answer.into_values().collect();
    bins.shuffle(rng);
    for bin in &mut bins {
        bin.shuffle(rng);
        let most = bin.first().map_or(PER_TOPIC, per_answer);
        bin.truncate(most);
    }
    let mut chosen = Vec::new();
    while chosen.len() < PER_TOPIC && bins.iter().any(|bin| !bin.is_empty()) {
        for bin in &mut bins {
            if chosen.len() < PER_TOPIC {
                chosen.extend(bin.pop());
            }
        }
    }
    chosen
}

fn per_answer(draft: &Draft) -> usize {
    match (&draft.answer, &draft.ask) {
        (Answer::Words(_), Ask::Direction { level: Level::Easy, .. }) => PER_ANSWER_OF_TWO,
        (Answer::Words(_), _) => PER_ANSWER,
        (Answer::Number(_) | Answer::NotSeen, _) => PER_TOPIC,
    }
}

/// What counts as the same answer: what one might guess, else the words; of numbers the count or a step of about a quarter.
fn bin(draft: &Draft) -> String {
    if let Some(guess) = draft.guess {
        return guess.to_string();
    }
    match (&draft.answer, &draft.ask) {
        (Answer::Number(count), Ask::Count(_)) => format!("{count}"),
        (Answer::Number(value), _) => format!("{:.0}", value.max(1e-3).ln() * 4.0),
        (Answer::Words(words), _) => words.clone(),
        (Answer::NotSeen, ask) => ask.topic().name().to_owned(),
    }
}
