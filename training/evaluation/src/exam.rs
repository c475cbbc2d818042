//! An exam: questions with truths about windows of frames, wherever they come from ([`crate::clips`],
//! [`crate::walks`], [`crate::logged`]).

use episodes::completion::NOT_SEEN;
use frame_ring::Window;
use geometry::CameraFacts;
use grounding::Outcome;
use msgs::{ImaginedMap, ProblemType, SpatialQuery};
use scoring::{AbstentionReward, numeric_accuracy, problem_accuracy};

/// A judge gives 0 for what is wrong, and no less.
const NO_PENALTY: AbstentionReward = AbstentionReward { number_for_absent: 0.0 };

/// Name of the group of questions about what a clip or a logged episode does not show.
pub const ABSENT: &str = "absent";

/// A set of questions that models are compared on.
#[derive(Clone, Debug)]
pub struct Exam {
    /// What it is drawn from, such as `walks heldout`. Scores of exams of one name may be compared.
    pub name: String,
    /// The questions by the frames that they are about.
    pub sheets: Vec<Sheet>,
}

/// The questions about one window.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Where the frames are from, of its own within what the exam is drawn from.
    pub scene: String,
    /// The ring's frames.
    pub window: Window,
    /// Rate at which they were kept, frames per second.
    pub frame_rate_hz: f64,
    /// What the robot knows of its camera.
    pub facts: CameraFacts,
    /// The true map at the newest frame, where anybody knows it.
    pub map: Option<ImaginedMap>,
    /// The questions.
    pub items: Vec<Item>,
}

/// One question as a robot would get it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it counts for, such as `ego_distance`.
    pub group: String,
    /// In words.
    pub text: String,
    /// The texts of a multiple-choice question, `A` first; empty for an open one.
    pub options: Vec<String>,
    /// The true answer.
    pub truth: Truth,
}

/// A true answer, which says how answers are scored.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// In the unit of the question's kind: mean relative accuracy.
    Number(f64),
    /// The letter of an option: right or wrong.
    Option(char),
    /// The frames do not show it: "not seen" is right, all else is wrong.
    NotSeen,
    /// The text of a data set's solution, scored by the type of its problem.
    Solution(ProblemType, String),
}

impl Item {
    /// The query that a robot would receive.
    pub fn query(&self) -> SpatialQuery {
        SpatialQuery { text: self.text.clone(), options: self.options.clone(), ..SpatialQuery::default() }
    }

    /// The text of an option.
    pub fn option(&self, letter: char) -> Option<&str> {
        let place = (letter as usize).checked_sub('A' as usize)?;
        self.options.get(place).map(String::as_str)
    }

    /// The letter of an option of this text.
    pub fn letter_of(&self, words: &str) -> Option<char> {
        ('A'..='Z').zip(&self.options).find(|(_, option)| *option == words).map(|(letter, _)| letter)
    }
}

impl Truth {
    /// Accuracy in 0..=1 of an answer: what the robot's parser read, and the text that it read it from.
    pub fn score(&self, outcome: &Outcome, answer_text: &str) -> f64 {
        match self {
            Self::Number(truth) => numeric_accuracy(outcome, Some(*truth)),
            Self::NotSeen => numeric_accuracy(outcome, None),
            Self::Option(truth) => {
                let chosen = match outcome {
                    Outcome::Option(letter) => letter.to_string(),
                    _ => String::new(),
                };
                problem_accuracy(ProblemType::MultipleChoice, &chosen, &truth.to_string(), NO_PENALTY)
            }
            Self::Solution(problem, text) => problem_accuracy(*problem, answer_text, text, NO_PENALTY),
        }
    }

    /// In words.
    pub fn in_words(&self) -> String {
        match self {
            Self::Number(value) => format!("{value:.2}"),
            Self::Option(letter) => letter.to_string(),
            Self::NotSeen => NOT_SEEN.to_owned(),
            Self::Solution(_, text) => text.clone(),
        }
    }

    /// The number, where it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_truth_has_its_own_scale() {
        assert_eq!(Truth::Number(2.0).score(&Outcome::Number(2.52), "2.52"), 0.5);
        assert_eq!(Truth::Number(2.0).score(&Outcome::NotSeen, "not seen"), 0.0);
        assert_eq!(Truth::NotSeen.score(&Outcome::NotSeen, "not seen"), 1.0);
        assert_eq!(Truth::NotSeen.score(&Outcome::Number(2.0), "2.0"), 0.0);
        assert_eq!(Truth::Option('B').score(&Outcome::Option('B'), "B. the sofa"), 1.0);
        assert_eq!(Truth::Option('B').score(&Outcome::Option('Q'), "Q"), 0.0);
        assert_eq!(Truth::Option('B').score(&Outcome::NotSeen, "not seen"), 0.0);
        let solution = Truth::Solution(ProblemType::Ocr, "exit here".to_owned());
        assert_eq!(solution.score(&Outcome::Text, "exit there"), 0.5);
        assert_eq!(solution.score(&Outcome::Unreadable, ""), 0.0);
    }
}
