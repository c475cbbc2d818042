//! What the model is taught to write.
//!
//! The statement with the number comes before the map and the answer repeats it: the number is read off the frames,
//! not off a map that at run time holds the model's own errors, and a robot that streams tokens knows it early.

use msgs::{ImaginedMap, QuestionKind};
use sim::questions::{Question, Truth};

use crate::distance_grid::distance_text;

/// What every completion begins with; the next token says whether the object is in sight.
pub const PRESENCE_PREFIX: &str = "<think>I";
/// The token there that begins "do not see".
pub const ABSENT_WORD: &str = " do";
/// The words of `answer` when the object is not in sight.
pub const NOT_SEEN: &str = "not seen";

/// One completion in two parts: `statement` ends where the map begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// `<think>I see the door 2.4 m away.`
    pub statement: String,
    /// `<map>{…}</map></think><answer>2.4</answer>`
    pub rest: String,
    /// The number as written in both parts; `None` for [`NOT_SEEN`].
    pub number: Option<String>,
}

impl Completion {
    /// The whole text.
    pub fn text(&self) -> String {
        format!("{}{}", self.statement, self.rest)
    }
}

/// The completion that answers `question` truthfully, with the true map.
pub fn completion(question: &Question, map: &ImaginedMap) -> Completion {
    let number = number_text(question);
    let class = question.class.as_str();
    let statement = match (&number, question.kind) {
        (None, QuestionKind::ObjectCounting) => format!("<think>I do not see any {}.", grounding::plural(class)),
        (None, _) => format!("<think>I do not see a {class}."),
        (Some(n), QuestionKind::ObjectCounting) if n == "1" => format!("<think>I see {n} {class}."),
        (Some(n), QuestionKind::ObjectCounting) => format!("<think>I see {n} {}.", grounding::plural(class)),
        (Some(n), _) => format!("<think>I see the {class} {n} m away."),
    };
    let answer = number.as_deref().unwrap_or(NOT_SEEN);
    let map = imagined_map::to_dictionary(map);
    let rest = format!("<map>{map}</map></think><answer>{answer}</answer>");
    Completion { statement, rest, number }
}

fn number_text(question: &Question) -> Option<String> {
    match question.truth {
        Truth::NotSeen => None,
        Truth::Number(value) if question.kind == QuestionKind::ObjectCounting => Some(format!("{value:.0}")),
        Truth::Number(value) => Some(distance_text(value)),
    }
}
