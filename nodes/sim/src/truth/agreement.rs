//! Whether the analytic truth and the second opinion agree, and by how much they differ.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::witness::{PixelCounts, Witness};
use crate::camera::Pose;
use crate::catalogue::Catalogue;
use crate::questions::absence::without;
use crate::questions::ask::{Answer, Topic, Video};
use crate::questions::exam::{ExamQuestion, exam_questions};
use crate::questions::walk::{stretches, world_after};
use crate::questions::wording::WordingError;
use crate::raster::{Renderer, Shot};
use crate::watch::{Watch, WatchSettings};
use crate::world::{RoomSplit, World};

/// Frames that are rendered again without a removed object: those that showed most of it.
const RERENDERED: usize = 4;
/// Disagreements that a report spells out.
const SPELT_OUT: usize = 20;

/// Largest difference that counts as agreement: `absolute` in the unit of the answer, plus `share` of the truth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tolerance {
    /// In the answer's unit.
    pub absolute: f64,
    /// Share of the truth.
    pub share: f64,
}

/// The tolerance of a topic whose answers are numbers: what the spacing of the points leaves open.
pub fn tolerance(topic: Topic) -> Tolerance {
    let (absolute, share) = match topic {
        Topic::ObjectAbsDistance | Topic::EgoDistance => (0.04, 0.02),
        Topic::ObjectSizeEstimation => (4.0, 0.02),
        Topic::RoomSizeEstimation => (0.0, 0.02),
        Topic::CameraDistance => (1e-6, 0.0),
        Topic::CameraTurn => (1e-6, 0.0),
        _ => (0.0, 0.0),
    };
    Tolerance { absolute, share }
}

/// What became of the questions of one topic.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TopicAgreement {
    /// Asked of both.
    pub questions: usize,
    /// Differ by more than the tolerance, or one of them has no answer.
    pub disagreements: usize,
    /// Largest difference, in shares of the tolerance.
    pub worst: f64,
}

/// What became of many questions.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// Scenes.
    pub scenes: usize,
    /// Questions.
    pub questions: usize,
    /// Disagreements.
    pub disagreements: usize,
    /// By topic.
    pub topics: BTreeMap<Topic, TopicAgreement>,
    /// The first of the disagreements, in words.
    pub examples: Vec<String>,
}

impl Agreement {
    /// Adds another's numbers.
    pub fn merge(&mut self, other: Self) {
        self.scenes += other.scenes;
        self.questions += other.questions;
        self.disagreements += other.disagreements;
        for (topic, more) in other.topics {
            let sum = self.topics.entry(topic).or_default();
            sum.questions += more.questions;
            sum.disagreements += more.disagreements;
            sum.worst = sum.worst.max(more.worst);
        }
        self.examples.extend(other.examples);
        self.examples.truncate(SPELT_OUT);
    }

    fn add(&mut self, question: &ExamQuestion, second: Option<&Answer>, place: &str) {
        let off = second.map_or(f64::INFINITY, |second| difference(question, second));
        let topic = self.topics.entry(question.topic).or_default();
        topic.questions += 1;
        self.questions += 1;
        topic.worst = topic.worst.max(off);
        if off > 1.0 {
            topic.disagreements += 1;
            self.disagreements += 1;
            if self.examples.len() < SPELT_OUT {
                let said = second.map_or_else(|| "nothing".to_owned(), |answer| format!("{answer:?}"));
                self.examples.push(format!("{place}: {}: {:?} against {said}", question.text, question.answer));
            }
        }
    }
}

/// The difference of an answer from the truth in shares of the tolerance: over 1 is a disagreement.
fn difference(question: &ExamQuestion, second: &Answer) -> f64 {
    match (&question.answer, second) {
        (Answer::Number(truth), Answer::Number(value)) => {
            let allowed = tolerance(question.topic);
            let allowed = allowed.absolute + allowed.share * truth.abs();
            if truth == value { 0.0 } else { (truth - value).abs() / allowed }
        }
        (truth, second) if truth == second => 0.0,
        _ => f64::INFINITY,
    }
}

/// Examines the scene of a seed and asks the witness the same.
///
/// # Errors
/// If the bundled templates are damaged.
pub fn check_scene(
    seed: u64,
    split: RoomSplit,
    catalogue: &Catalogue,
    settings: &WatchSettings,
    renderer: &mut Renderer,
) -> Result<Agreement, WordingError> {
    let scene = settings.scene(seed, split, catalogue);
    let mut rng: ChaCha8Rng = split.rng(seed, "exam");
    let mut pixels = PixelCounts::default();
    let watch = Watch::scene(&scene, settings, renderer, |view| pixels.add(view));
    let poses: Vec<Pose> = watch.frames.iter().map(|frame| frame.pose).collect();
    let mut agreement = Agreement { scenes: 1, ..Agreement::default() };
    for frames in stretches(&watch) {
        let world = world_after(&scene, &watch, &frames);
        let witness = Witness::new(&world, &pixels, &poses, renderer);
        for question in exam_questions(&world, &watch, frames, &mut rng)?.questions {
            let second = match question.video {
                Video::Without(id) => {
                    let shots = best_shots(&watch, &pixels, &question, id);
                    gone(&world, id, &question, &shots, renderer).then_some(Answer::NotSeen)
                }
                _ => witness.answer(&question),
            };
            agreement.add(&question, second.as_ref(), &format!("seed {seed}"));
        }
    }
    Ok(agreement)
}

/// The frames of a question that showed most of an object.
fn best_shots(watch: &Watch, pixels: &PixelCounts, question: &ExamQuestion, id: u16) -> Vec<Shot> {
    let mut frames: Vec<usize> = question.frames.clone().collect();
    frames.sort_by_key(|&frame| std::cmp::Reverse(pixels.of(frame, id)));
    let poses = frames.into_iter().take(RERENDERED).filter_map(|frame| watch.frames.get(frame));
    poses.map(|frame| Shot { camera: watch.camera, pose: frame.pose, supersample: 1 }).collect()
}

/// Whether, rendered again without an object, nothing of its class is in sight.
fn gone(world: &World, id: u16, question: &ExamQuestion, shots: &[Shot], renderer: &mut Renderer) -> bool {
    let emptied = without(world, id);
    let classes = question.ask.classes();
    let ids: Vec<u16> = emptied
        .objects
        .iter()
        .filter(|object| classes.contains(&object.class.as_str()))
        .map(|object| object.id)
        .collect();
    let clear = |shot: &Shot, renderer: &mut Renderer| {
        let view = renderer.render(emptied.bodies(), &emptied.lighting, shot);
        !view.ids.iter().any(|id| ids.contains(id))
    };
    emptied.objects.len() + 1 == world.objects.len() && shots.iter().all(|shot| clear(shot, renderer))
}
