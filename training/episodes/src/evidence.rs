//! What an answer rests on: where things are, when they came into sight, and how the answer is worked out from that.

use std::collections::BTreeSet;

use grounding::ParsedQuestion;
use grounding::prompt::{FARTHEST_M, coordinate, heading};
use msgs::{QuestionKind, Unit};
use sim::questions::ask::Answer;

use crate::exercise::Exercise;
use crate::number_grid::number_text;

/// Most instances of a class whose places are stated; those of a class with more are not.
const MOST_INSTANCES: usize = 8;

/// Where an object that was seen is, as the newest camera has it (REP-103).
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// What it is.
    pub class: String,
    /// Metres ahead of the camera's ground point.
    pub ahead_m: f64,
    /// Metres to the left of it.
    pub left_m: f64,
    /// The first frame that showed enough of it, from 0.
    pub first_frame: usize,
}

impl Place {
    /// The direction from here to another place, degrees, 0 where the camera looks, positive to the left.
    fn heading_to(&self, to: &Self) -> f64 {
        (to.left_m - self.left_m).atan2(to.ahead_m - self.ahead_m).to_degrees()
    }

    /// How far another place is; what stands one above the other counts as 0.1 m apart.
    fn metres_to(&self, to: &Self) -> f64 {
        (to.left_m - self.left_m).hypot(to.ahead_m - self.ahead_m).max(0.1)
    }
}

/// A number of a statement that is not the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// One of a place.
    Coordinate(Coordinate),
    /// A heading or a turn, degrees, positive to the left.
    Heading(f64),
    /// Between the middles of two objects, metres.
    Distance(f64),
    /// The frame in which something came into sight, from 0.
    Frame(usize),
}

/// One number of a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinate {
    /// Its exact value, metres.
    pub metres: f64,
    /// How far from the camera the placed object is, metres.
    pub range_m: f64,
}

/// The places that an answer rests on, by name: every instance of what is asked about; where the nearest is asked for, only
/// the nearest of each class.
pub(crate) fn placed<'a>(exercise: &Exercise, places: &'a [Place]) -> Vec<(String, Vec<&'a Place>)> {
    let Exercise { question, truth, .. } = exercise;
    let is_near = |place: &Place| place.ahead_m.abs().max(place.left_m.abs()) <= FARTHEST_M;
    let of = |class: &str| -> Vec<&'a Place> { places.iter().filter(|place| place.class == class).collect() };
    match question.kind {
        QuestionKind::ObjectSizeEstimation
        | QuestionKind::RoomSizeEstimation
        | QuestionKind::CameraDistance
        | QuestionKind::CameraDirection
        | QuestionKind::CameraTurn
        | QuestionKind::CameraTurnSide => Vec::new(),
        QuestionKind::ObjectCounting => {
            let Some(class) = &question.object else { return Vec::new() };
            let instances = of(class);
            let are_all = *truth == Answer::Number(instances.len() as f64);
            let are_told = are_all && instances.len() <= MOST_INSTANCES && instances.iter().all(|place| is_near(place));
            if are_told { vec![(grounding::plural(class), instances)] } else { Vec::new() }
        }
        _ => {
            let mut classes: Vec<&String> = question.object.iter().chain(&question.others).collect();
            let mut told = BTreeSet::new();
            classes.retain(|class| told.insert(*class));
            let of_time = question.kind == QuestionKind::ObjAppearanceOrder;
            let from = question.object.as_ref().filter(|_| question.kind == QuestionKind::ObjectRelDistance);
            let from = from.and_then(|from| of(from).first().copied());
            let stated = |class: &String| {
                let mut instances = of(class);
                if let Some(from) = from {
                    instances.sort_by(|a, b| from.metres_to(a).total_cmp(&from.metres_to(b)));
                    instances.truncate(1);
                }
                let is_near = instances.len() <= MOST_INSTANCES && instances.iter().all(|place| is_near(place));
                let is_told = !instances.is_empty() && (of_time || is_near);
                is_told.then(|| (format!("the {class}"), instances))
            };
            classes.into_iter().filter_map(stated).collect()
        }
    }
}

/// What an answer is worked out by, step by step, from the places of all that is asked about, in the order of the question:
/// where one looks and goes and how one turns, or how far each is; nothing where that is not needed, or a place lacks.
///
/// A side is a function of six numbers; a network learns it from far fewer examples by way of headings and their
/// differences.
pub(crate) fn working(exercise: &Exercise, placed: &[(String, Vec<&Place>)]) -> Vec<Figure> {
    let question = &exercise.question;
    let places: Vec<&Place> = placed.iter().filter_map(|(_, instances)| instances.first().copied()).collect();
    let is_whole = places.len() == question.object.iter().chain(&question.others).count();
    let turned = |legs: &[f64]| -> Vec<Figure> {
        let turns = legs.windows(2).map(|legs| legs[1] - legs[0]);
        legs.iter().copied().chain(turns).map(Figure::Heading).collect()
    };
    match (question.kind, places.as_slice()) {
        _ if !is_whole => Vec::new(),
        (
            QuestionKind::ObjectRelDirectionEasy
            | QuestionKind::ObjectRelDirectionMedium
            | QuestionKind::ObjectRelDirectionHard,
            [at, facing, other],
        ) => turned(&[at.heading_to(facing), at.heading_to(other)]),
        (QuestionKind::RoutePlanning, [start, facing, via, goal]) => {
            turned(&[start.heading_to(facing), start.heading_to(via), via.heading_to(goal)])
        }
        (QuestionKind::ObjectRelDistance, [from, others @ ..]) => {
            others.iter().map(|other| Figure::Distance(from.metres_to(other))).collect()
        }
        _ => Vec::new(),
    }
}

/// As it is written.
pub(crate) fn figure_text(figure: Figure) -> String {
    match figure {
        Figure::Coordinate(Coordinate { metres, .. }) => coordinate(metres),
        Figure::Heading(degrees) => heading(degrees),
        Figure::Distance(metres) => number_text(Unit::Metre, metres),
        Figure::Frame(frame) => (frame + 1).to_string(),
    }
}

/// Whether everything that an answer rests on has a place that can be stated: then it follows from these.
pub fn follows_from(exercise: &Exercise, places: &[Place]) -> bool {
    let question = &exercise.question;
    let named: BTreeSet<&String> = question.object.iter().chain(&question.others).collect();
    !named.is_empty() && placed(exercise, places).len() == named.len()
}

/// Asks where everything is that is the only one of its class, and when everything came into sight; what nothing can be
/// said about is not asked.
pub(crate) fn roll_calls(places: &[Place]) -> Vec<Exercise> {
    let is_only = |class: &String| places.iter().filter(|place| place.class == *class).count() == 1;
    let mut named = BTreeSet::new();
    let classes: Vec<String> = places.iter().map(|place| &place.class).filter(|c| named.insert(*c)).cloned().collect();
    let call = |kind, words: &str, others: Vec<String>| {
        let text = format!("{words} the {}?", others.join(", the "));
        let question = ParsedQuestion { kind, asked: kind, object: None, others, text, options: Vec::new() };
        Exercise { question, options: Vec::new(), truth: Answer::Words(String::new()), scored_as: None }
    };
    let only = classes.iter().filter(|class| is_only(class)).cloned().collect();
    let calls = [
        call(QuestionKind::EgoDirection, "Where are", only),
        call(QuestionKind::ObjAppearanceOrder, "In what order did you first see", classes),
    ];
    calls.into_iter().filter(|exercise| !placed(exercise, places).is_empty()).collect()
}
