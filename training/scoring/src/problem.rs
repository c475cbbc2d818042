//! The accuracy reward by the type of a problem (SG-RLVR, arXiv 2504.01805, and its released code).

use grounding::{Outcome, outcome};
use msgs::{ProblemType, QuestionKind};

use crate::answers::{AbstentionReward, numeric_reward};
use crate::numbers::regression_accuracy;
use crate::text::{rouge, word_error_rate};

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
