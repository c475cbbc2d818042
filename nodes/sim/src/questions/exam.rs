//! An exam: everything that can be asked about a walked scene, filtered, balanced, worded, with the truth.

use std::ops::Range;

use msgs::QuestionKind;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::ask::{Answer, Ask, Draft, Topic, Video};
use super::balance::balance;
use super::choice::{letter, options};
use super::stage::Stage;
use super::tally::Tally;
use super::wording::{Wording, WordingError};
use super::{
    abs_distance, absence, appearance, counting, ego, motion, rel_direction, rel_distance, room_size, route, size,
};
use crate::watch::Watch;
use crate::world::World;

/// One question of an exam.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExamQuestion {
    /// Where it is counted.
    pub topic: Topic,
    /// The kind that its words are read as.
    pub kind: QuestionKind,
    /// What is asked.
    pub ask: Ask,
    /// In words.
    pub text: String,
    /// The texts of a multiple-choice question, `A` first; empty where the answer is a number.
    pub options: Vec<String>,
    /// The truth.
    pub answer: Answer,
    /// Which pictures go with it.
    pub video: Video,
    /// Which frames of the watch.
    pub frames: Range<usize>,
}

impl ExamQuestion {
    /// The letter of the true option.
    pub fn letter(&self) -> Option<char> {
        letter(&self.options, &self.answer)
    }
}

/// The questions of a stretch of a watch, and what the filters dropped.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exam {
    /// By topic, in the order of [`Topic`].
    pub questions: Vec<ExamQuestion>,
    /// By topic: kept and dropped.
    pub tally: Tally,
}

/// The exam of a world, as it is at the newest of `frames`, as its watch saw it over them; an empty stretch has no
/// questions.
///
/// # Errors
/// If the bundled templates are damaged.
pub fn exam_questions(
    world: &World,
    watch: &Watch,
    frames: Range<usize>,
    rng: &mut ChaCha8Rng,
) -> Result<Exam, WordingError> {
    let wording = Wording::bundled()?;
    let mut tally = Tally::default();
    let Some(stage) = Stage::new(world, watch, frames.clone()) else {
        return Ok(Exam { questions: Vec::new(), tally });
    };
    let drafts = drafts(&stage, &mut tally, rng);
    let chosen = balance(drafts, &mut tally, rng);
    let finish = |draft: Draft| {
        let options = match &draft.answer {
            Answer::Words(truth) => options(&draft.ask, truth, rng),
            Answer::Number(_) | Answer::NotSeen => Vec::new(),
        };
        let text = wording.word(&draft.ask, rng);
        let Draft { topic, ask, answer, video, .. } = draft;
        let video = match video {
            Video::Frozen(frame) => Video::Frozen(frames.start + frame),
            other => other,
        };
        ExamQuestion { topic, kind: ask.kind(), ask, text, options, answer, video, frames: frames.clone() }
    };
    Ok(Exam { questions: chosen.into_iter().map(finish).collect(), tally })
}

/// Every question that passes its filters, before any is drawn.
pub fn drafts(stage: &Stage, tally: &mut Tally, rng: &mut ChaCha8Rng) -> Vec<Draft> {
    let by_rule: [fn(&Stage, &mut Tally) -> Vec<Draft>; 9] = [
        counting::drafts,
        abs_distance::drafts,
        size::drafts,
        room_size::drafts,
        rel_distance::drafts,
        rel_direction::drafts,
        appearance::drafts,
        ego::drafts,
        motion::drafts,
    ];
    let mut all: Vec<Draft> = by_rule.iter().flat_map(|rule| rule(stage, tally)).collect();
    all.extend(route::drafts(stage, tally, rng));
    all.extend(absence::drafts(stage, tally, rng));
    all
}
