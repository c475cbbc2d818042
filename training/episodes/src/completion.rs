//! What the model is taught to write.
//!
//! The statement with the answer comes before the map and `<answer>` repeats it: it is read off the frames, not off a
//! map that at run time holds the model's own errors, and a robot that streams tokens knows it early. Where a question
//! is about where things are, the statement first says where they are, in metres: the answer is then a matter of
//! reckoning, and who reads along sees what it rests on. Where it is about when things came into sight, it says in which
//! frame.

use std::ops::Range;

use grounding::prompt::unit_words;
use msgs::{ImaginedMap, QuestionKind, Unit};
use sim::questions::ask::Answer;

use crate::evidence::{Coordinate, Figure, Place, figure_text, placed, working};
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
    /// `<think>I see the door at +2.2-1.1; the door 2.4 m away.`
    pub statement: String,
    /// The bytes of the statement's other numbers, which place things and work the answer out, with their exact values.
    pub figures: Vec<(Range<usize>, Figure)>,
    /// The bytes of the statement that answer: the number or the words; empty where nothing is in sight.
    pub value: Range<usize>,
    /// The byte of the statement that is the letter of the words, where they are an option: `; B.`. Behind the map, which
    /// is long, it needs only be repeated.
    pub letter: Range<usize>,
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

/// The completion that answers truthfully, with the true map. `places`: what was seen, nearest first.
pub fn completion(exercise: &Exercise, map: &ImaginedMap, places: &[Place]) -> Completion {
    let (before, value, after) = statement(exercise);
    let mut text = Figured::default();
    text.words(PRESENCE_PREFIX);
    match before.strip_prefix(SEE) {
        Some(rest) => {
            text.words(SEE);
            let placed = placed(exercise, places);
            text.sights(exercise.question.kind, &placed);
            text.workings(working(exercise, &placed));
            text.words(if placed.is_empty() { rest } else { rest.trim_start_matches(',') });
        }
        None => {
            text.words(&before);
        }
    }
    let value = text.words(&value);
    let letter = exercise.letter().map(String::from).unwrap_or_default();
    text.words(if letter.is_empty() { "" } else { "; " });
    let letter = text.words(&letter);
    text.words(&after);
    Completion {
        statement: text.text,
        figures: text.figures,
        value,
        letter,
        map: format!("<map>{}</map>", imagined_map::to_dictionary(map)),
        answer: format!("</think><answer>{}</answer>", exercise.answer()),
    }
}

/// A text that is being written, and the bytes of its figures.
#[derive(Default)]
struct Figured {
    text: String,
    figures: Vec<(Range<usize>, Figure)>,
}

impl Figured {
    /// Writes words; returns their bytes.
    fn words(&mut self, words: &str) -> Range<usize> {
        let start = self.text.len();
        self.text += words;
        start..self.text.len()
    }

    fn figure(&mut self, figure: Figure) {
        let bytes = self.words(&figure_text(figure));
        self.figures.push((bytes, figure));
    }

    /// ` the bed at +1.0+0.0, the door at +3.0+0.0;`, or for orders of appearance ` the bed in 9, the door in 3;`.
    fn sights(&mut self, kind: QuestionKind, placed: &[(String, Vec<&Place>)]) {
        for (nth, (name, instances)) in placed.iter().enumerate() {
            self.words(if nth == 0 { " " } else { ", " });
            self.words(name);
            if kind == QuestionKind::ObjAppearanceOrder {
                self.words(" in ");
                self.figure(Figure::Frame(instances.iter().map(|place| place.first_frame).min().unwrap_or_default()));
                continue;
            }
            self.words(" at");
            for (nth, place) in instances.iter().enumerate() {
                self.words(if nth == 0 { " " } else { ", " });
                let range_m = place.ahead_m.hypot(place.left_m);
                for metres in [place.ahead_m, place.left_m] {
                    self.figure(Figure::Coordinate(Coordinate { metres, range_m }));
                }
            }
        }
        self.words(if placed.is_empty() { "" } else { ";" });
    }

    /// ` +0, +90, +90;`
    fn workings(&mut self, figures: Vec<Figure>) {
        let last = figures.len();
        for (nth, figure) in (1..).zip(figures) {
            self.words(" ");
            self.figure(figure);
            self.words(if nth < last { "," } else { ";" });
        }
    }
}

/// What statements about what is in sight begin with, behind [`PRESENCE_PREFIX`].
const SEE: &str = " see";

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
        (Answer::Words(value), QuestionKind::CameraTurnSide) => words(" see that I turned: ".into(), value, "."),
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
            let (number, unit) = (number_text(kind.unit(), *value), unit_words(kind.unit()));
            let (before, after) = match kind {
                QuestionKind::ObjectCounting if number == "1" => {
                    ("".into(), format!(" {}.", object.unwrap_or("thing")))
                }
                QuestionKind::ObjectCounting => {
                    ("".into(), format!(" {}.", grounding::plural(object.unwrap_or("thing"))))
                }
                QuestionKind::ObjectAbsDistance => (
                    format!("{} ", the(object)),
                    format!(" {unit} from {}.", the(question.others.first().map(String::as_str))),
                ),
                QuestionKind::ObjectSizeEstimation => (format!("{} ", the(object)), format!(" {unit} long.")),
                QuestionKind::RoomSizeEstimation => ("a room of ".into(), format!(" {unit}.")),
                QuestionKind::CameraDistance => ("that I moved ".into(), format!(" {unit}.")),
                QuestionKind::CameraTurn => ("that I turned ".into(), format!(" {unit}.")),
                kind if kind.unit() == Unit::Metre => (format!("{} ", the(object)), format!(" {unit} away.")),
                _ => (format!("{} ", the(object)), format!(" {unit}.")),
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
            let completion = completion(&Exercise::new(text, truth).unwrap(), &ImaginedMap::default(), &[]);
            assert_eq!(completion.statement, stated);
            assert_eq!(&completion.statement[completion.value.clone()], value);
        }
    }

    #[test]
    fn an_answer_is_worked_out_from_places() {
        let place = |class: &str, ahead_m, left_m| Place { class: class.into(), ahead_m, left_m, first_frame: 0 };
        let places = [
            place("bed", 1.0, 0.0),
            place("door", 3.0, 0.0),
            place("desk", 1.0, 2.0),
            place("sofa", -1.0, 2.0),
            place("lamp", 1.0, 0.02),
            place("lamp", -1.0, -2.0),
        ];
        let cases = [
            (
                "Standing at the bed and facing the door, is the desk on my left or on my right?",
                " see the bed at +1.0+0.0, the door at +3.0+0.0, the desk at +1.0+2.0; +0, +90, +90; the desk: .",
            ),
            (
                "Standing at the desk and facing the bed, is the sofa on my left or on my right?",
                " see the desk at +1.0+2.0, the bed at +1.0+0.0, the sofa at -1.0+2.0; -90, +180, -90; the sofa: .",
            ),
            (
                "A robot stands at the bed, facing the door. It walks to the desk and then on to the sofa. Which turns does it \
                 take before each leg?",
                " see the bed at +1.0+0.0, the door at +3.0+0.0, the desk at +1.0+2.0, the sofa at -1.0+2.0; \
                 +0, +90, +180, +90, +90; the way: .",
            ),
            (
                "Which is nearest to the bed: the desk, the lamp or the door?",
                " see the bed at +1.0+0.0, the desk at +1.0+2.0, the lamp at +1.0+0.0, the door at +3.0+0.0; \
                 2.0, 0.10, 2.0; nearest to the bed: .",
            ),
        ];
        for (text, stated) in cases {
            let exercise = Exercise::new(text, Answer::Words(String::new())).unwrap();
            let completion = completion(&exercise, &ImaginedMap::default(), &places);
            assert_eq!(completion.statement, format!("{PRESENCE_PREFIX}{stated}"));
        }
    }

    #[test]
    fn an_order_rests_on_frames_and_an_option_has_a_letter() {
        let place = |class: &str, first_frame| Place { class: class.into(), ahead_m: 1.0, left_m: 0.0, first_frame };
        let places = [place("bed", 8), place("door", 2), place("desk", 4), place("desk", 3)];
        let text = "In what order did you first see the bed, the desk and the door?";
        let options = ["bed, desk, door", "door, desk, bed"].map(str::to_owned).to_vec();
        let order = Exercise::new(text, Answer::Words(options[1].clone())).unwrap();
        let open = completion(&order, &ImaginedMap::default(), &places);
        let stated = "<think>I see the bed in 9, the desk in 4, the door in 3; in this order: door, desk, bed";
        assert_eq!((open.statement, open.letter.is_empty()), (format!("{stated}."), true));
        let chosen = completion(&Exercise { options, ..order }, &ImaginedMap::default(), &places);
        assert_eq!(chosen.statement, format!("{stated}; B."));
        assert_eq!(&chosen.statement[chosen.value], "door, desk, bed");
        assert_eq!(&chosen.statement[chosen.letter], "B");
        assert!(chosen.answer.ends_with("<answer>B</answer>"));
    }

    #[test]
    fn an_answer_says_what_it_rests_on() {
        let place = |class: &str, ahead_m, left_m| Place { class: class.into(), ahead_m, left_m, first_frame: 0 };
        let places =
            [place("chair", 1.04, -0.02), place("chair", 2.0, 1.26), place("door", -0.3, 9.9), place("bed", 12.0, 0.0)];
        let cases = [
            ("how many chairs are there?", Answer::Number(2.0), " see chairs at +1.0+0.0, +2.0+1.3; 2 chairs."),
            ("how many chairs are there?", Answer::Number(3.0), " see 3 chairs."),
            ("how far is the door?", Answer::Number(9.9), " see the door at -0.3+9.9; the door 9.9 m away."),
            (
                "How far is the chair from the door?",
                Answer::Number(1.0),
                " see the chair at +1.0+0.0, +2.0+1.3, the door at -0.3+9.9; the chair 1.00 m from the door.",
            ),
            ("Where is the bed?", Answer::Words("left".into()), " see the bed: left."),
            ("How big is the door?", Answer::Number(200.0), " see the door 200 cm long."),
            ("how far is the sofa?", Answer::NotSeen, " do not see a sofa."),
        ];
        for (text, truth, stated) in cases {
            let exercise = Exercise::new(text, truth).unwrap();
            let completion = completion(&exercise, &ImaginedMap::default(), &places);
            assert_eq!(completion.statement, format!("{PRESENCE_PREFIX}{stated}"));
            for (bytes, figure) in &completion.figures {
                let Figure::Coordinate(Coordinate { metres, .. }) = figure else { panic!("{figure:?}") };
                let written: f64 = completion.statement[bytes.clone()].parse().unwrap();
                assert!((written - metres).abs() <= 0.05, "{written} for {metres}");
            }
            let value = &completion.statement[completion.value.clone()];
            assert!(value.is_empty() == (exercise.truth == Answer::NotSeen) && exercise.answer().starts_with(value));
        }
    }
}
