//! The accuracy reward by the type of a problem (SG-RLVR, arXiv 2504.01805, and its released code).

use grounding::{Outcome, outcome};
use msgs::QuestionKind;
use serde::{Deserialize, Serialize};

use crate::answers::{AbstentionReward, numeric_reward};
use crate::numbers::regression_accuracy;
use crate::text::{rouge, word_error_rate};

/// `problem_type` of a record of SpaceR-151k.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProblemType {
    /// One option letter.
    #[serde(rename = "multiple choice")]
    MultipleChoice,
    /// A number that is judged by relative error, or "not seen".
    #[serde(rename = "numerical")]
    Numerical,
    /// A number that is judged by its distance.
    #[serde(rename = "regression")]
    Regression,
    /// Text read off the picture.
    #[serde(rename = "OCR")]
    Ocr,
    /// Text in one's own words.
    #[serde(rename = "free-form")]
    FreeForm,
}

impl ProblemType {
    /// Every type, in the order of the paper.
    pub const ALL: [Self; 5] = [Self::MultipleChoice, Self::Numerical, Self::Regression, Self::Ocr, Self::FreeForm];

    /// Whether an accuracy is *good* enough for the map to be looked at: a right option, a number with MRA over 0.5.
    #[must_use]
    pub fn is_good(self, accuracy: f64) -> bool {
        match self {
            Self::MultipleChoice => accuracy == 1.0,
            Self::Numerical => accuracy > 0.5,
            Self::Regression | Self::Ocr | Self::FreeForm => false,
        }
    }
}

/// Accuracy of `answer`, the text inside a completion's answer tags, against `solution`, the text inside the record's.
///
/// In 0..=1, but for a number given for what is absent ([`AbstentionReward`]). What can't be read scores 0.
#[must_use]
pub fn problem_accuracy(problem: ProblemType, answer: &str, solution: &str, abstention: AbstentionReward) -> f64 {
    let (answer, solution) = (answer.trim(), solution.trim());
    match problem {
        ProblemType::MultipleChoice => f64::from(u8::from(answer == solution)),
        ProblemType::Numerical => {
            // Distances and counts are read by one rule; the kind only has to be a numeric one.
            let read = |text| outcome(text, QuestionKind::EgoDistance);
            let truth = match read(solution) {
                Outcome::Number(truth) => Some(truth),
                Outcome::NotSeen => None,
                _ => return 0.0,
            };
            numeric_reward(&read(answer), truth, abstention)
        }
        ProblemType::Regression => match (plain_number(answer), plain_number(solution)) {
            (Some(prediction), Some(truth)) => regression_accuracy(prediction, truth),
            _ => 0.0,
        },
        ProblemType::Ocr => (1.0 - word_error_rate(answer, solution)).clamp(0.0, 1.0),
        ProblemType::FreeForm => rouge(answer, solution).mean(),
    }
}

/// A text that is one finite number, thousands commas removed.
fn plain_number(text: &str) -> Option<f64> {
    text.replace(',', "").trim().parse().ok().filter(|value: &f64| value.is_finite())
}
