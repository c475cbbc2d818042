//! What the model is taught to write.
//!
//! The statement with the answer comes before the map and `<answer>` repeats it: it is read off the frames, not off a
//! map that at run time holds the model's own errors, and a robot that streams tokens knows it early.

use std::ops::Range;

use msgs::{ImaginedMap, QuestionKind, Unit};
use sim::questions::ask::Answer;

use crate::exercise::Exercise;
use crate::number_grid::number_text;

/// What every completion begins with; the next token says whether the object is in sight.
pub const PRESENCE_PREFIX: &str = "<think>I";
/// The token there that begins "do not see".
pub const ABSENT_WORD: &str = " do";
/// The words of `answer` when the object is not in sight.
pub const NOT_SEEN: &str = "not seen";

/// One completion in three parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// `<think>I see the door 2.4 m away.`
    pub statement: String,
    /// The bytes of the statement that answer: the number or the words; empty where nothing is in sight.
    pub value: Range<usize>,
    /// `<map>{…}</map>`
    pub map: String,
    /// `</think><answer>2.4</answer>`
    pub answer: String,
}

impl Completion {
    /// The whole text.
    pub fn text(&self) -> String {
        format!("{}{}{}", self.statement, self.map, self.answer)
    }
}

/// The completion that answers truthfully, with the true map.
pub fn completion(exercise: &Exercise, map: &ImaginedMap) -> Completion {
    let (before, value, after) = statement(exercise);
    let start = PRESENCE_PREFIX.len() + before.len();
    Completion {
        statement: format!("{PRESENCE_PREFIX}{before}{value}{after}"),
        value: start..start + value.len(),
        map: format!("<map>{}</map>", imagined_map::to_dictionary(map)),
        answer: format!("</think><answer>{}</answer>", exercise.answer()),
    }
}

/// What stands behind [`PRESENCE_PREFIX`]: words, the value, words.
fn statement(exercise: &Exercise) -> (String, String, String) {
    let question = &exercise.question;
    let object = question.object.as_deref();
    let the = |class: Option<&str>| class.map_or_else(|| "it".to_owned(), |class| format!("the {class}"));
    let words = |before: String, value: &str, after: &str| (before, value.to_owned(), after.to_owned());
    match (&exercise.truth, question.kind) {
        (Answer::NotSeen, QuestionKind::ObjectCounting) => {
            words(format!(" do not see any {}.", object.map_or_else(|| "such".to_owned(), grounding::plural)), "", "")
        }
        (Answer::NotSeen, _) => {
            words(format!(" do not see {}.", object.map_or_else(|| "it".to_owned(), |o| format!("a {o}"))), "", "")
        }
        (Answer::Words(value), QuestionKind::CameraDirection) => words(" see that I moved: ".into(), value, "."),
        (Answer::Words(value), QuestionKind::CameraTurn) => words(" see that I turned: ".into(), value, "."),
        (Answer::Words(value), QuestionKind::ObjectRelDistance) => {
            words(format!(" see, nearest to {}: ", the(object)), value, ".")
        }
        (
            Answer::Words(value),
            QuestionKind::ObjectRelDirectionEasy
            | QuestionKind::ObjectRelDirectionMedium
            | QuestionKind::ObjectRelDirectionHard,
        ) => words(format!(" see {}: ", the(question.others.last().map(String::as_str))), value, "."),
        (Answer::Words(value), QuestionKind::RoutePlanning) => words(" see the way: ".into(), value, "."),
        (Answer::Words(value), QuestionKind::ObjAppearanceOrder) => words(" see, in this order: ".into(), value, "."),
        (Answer::Words(value), _) => words(format!(" see {}: ", the(object)), value, "."),
        (Answer::Number(value), kind) => {
            let number = number_text(kind.unit(), *value);
            let (before, after) = match kind {
                QuestionKind::ObjectCounting if number == "1" => {
                    ("".into(), format!(" {}.", object.unwrap_or("thing")))
                }
                QuestionKind::ObjectCounting => {
                    ("".into(), format!(" {}.", grounding::plural(object.unwrap_or("thing"))))
                }
                QuestionKind::ObjectAbsDistance => (
                    format!("{} ", the(object)),
                    format!(" m from {}.", the(question.others.first().map(String::as_str))),
                ),
                QuestionKind::ObjectSizeEstimation => (format!("{} ", the(object)), " cm long.".to_owned()),
                QuestionKind::RoomSizeEstimation => ("a room of ".into(), " m2.".to_owned()),
                QuestionKind::CameraDistance => ("that I moved ".into(), " m.".to_owned()),
                QuestionKind::CameraTurn => ("that I turned ".into(), " degrees.".to_owned()),
                kind if kind.unit() == Unit::Metre => (format!("{} ", the(object)), " m away.".to_owned()),
                kind => (format!("{} ", the(object)), format!(" {}.", kind.unit().symbol())),
            };
            (format!(" see {before}"), number, after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_stated_in_a_sentence() {
        let words = |value: &str| Answer::Words(value.into());
        let cases = [
            ("how far is the door?", Answer::Number(2.437), "<think>I see the door 2.4 m away.", "2.4"),
            ("how many chairs are there?", Answer::Number(3.0), "<think>I see 3 chairs.", "3"),
            ("how many chairs are there?", Answer::Number(1.0), "<think>I see 1 chair.", "1"),
            ("how many chairs are there?", Answer::NotSeen, "<think>I do not see any chairs.", ""),
            ("how far is the door?", Answer::NotSeen, "<think>I do not see a door.", ""),
            (
                "How far is the bed from the sofa?",
                Answer::Number(0.52),
                "<think>I see the bed 0.50 m from the sofa.",
                "0.50",
            ),
            ("How big is the bed?", Answer::Number(203.0), "<think>I see the bed 200 cm long.", "200"),
            ("How big is the room?", Answer::Number(20.4), "<think>I see a room of 20 m2.", "20"),
            ("Where is the bed?", words("left"), "<think>I see the bed: left.", "left"),
            (
                "How far did I move in the last 5 seconds?",
                Answer::Number(1.0),
                "<think>I see that I moved 1.00 m.",
                "1.00",
            ),
            (
                "How much did I turn in the last 5 seconds?",
                Answer::Number(44.0),
                "<think>I see that I turned 45 degrees.",
                "45",
            ),
            (
                "Standing at the bed and facing the door, is the desk on my left or on my right?",
                words("left"),
                "<think>I see the desk: left.",
                "left",
            ),
            ("Which way did I move in the last 5 seconds?", words("back"), "<think>I see that I moved: back.", "back"),
        ];
        for (text, truth, stated, value) in cases {
            let completion = completion(&Exercise::new(text, truth).unwrap(), &ImaginedMap::default());
            assert_eq!(completion.statement, stated);
            assert_eq!(&completion.statement[completion.value.clone()], value);
        }
    }
}
