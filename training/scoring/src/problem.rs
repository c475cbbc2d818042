//! The accuracy reward by the type of a problem (SG-RLVR, arXiv 2504.01805, and its released code).

use grounding::{Outcome, outcome};
use msgs::{ProblemType, QuestionKind};

use crate::answers::{AbstentionReward, numeric_reward};
use crate::numbers::regression_accuracy;
use crate::reading::{float, label_number, stated_number, trim};
use crate::text::{rouge, word_error_rate};

/// Accuracy of `answer`, the text inside a completion's answer tags, against `solution`, the text inside the record's.
///
/// In 0..=1, but for a number given for what is absent ([`AbstentionReward`]). What can't be read scores 0. By the type:
/// - `multiple choice`: 1 for the same text, white space at its ends aside.
/// - `numerical`: MRA. The answer is read as the first of `one` … `twenty`, `thirty` … `ninety`, `zero` that occurs in it,
///   in this order, else 1 for `a` or `an`, else its first decimal number without its sign: `forty-five` is 5, `1,200` is 1,
///   `-2.5` is 2.5, `.5` is 5. The solution is one number ([`crate::label_number`]).
/// - `regression`: both are one number each, thousands commas removed.
/// - `OCR`: 1 − word error rate. `free-form`: the mean of three ROUGE measures.
///
/// All that is as in the released code, to the last digit, but for this, where that code credits an answer that says
/// nothing, or none at all:
/// - What the robot takes for "not seen" is right where the solution says so, and states no number elsewhere.
/// - An empty option is never right.
/// - A solution of 0 is met by 0; there, everything scores 0.
/// - A negative solution is met by what is near it, sign included; there, by every number.
/// - `nan` and `inf` are no numbers; there, as an answer or a solution of `regression` they score 1.
#[must_use]
pub fn problem_accuracy(problem: ProblemType, answer: &str, solution: &str, abstention: AbstentionReward) -> f64 {
    let (answer, solution) = (trim(answer), trim(solution));
    match problem {
        ProblemType::MultipleChoice => f64::from(u8::from(answer == solution && !answer.is_empty())),
        ProblemType::Numerical => numerical_accuracy(answer, solution, abstention),
        ProblemType::Regression => match (plain_number(answer), plain_number(solution)) {
            (Some(prediction), Some(truth)) => regression_accuracy(prediction, truth),
            _ => 0.0,
        },
        ProblemType::Ocr => (1.0 - word_error_rate(answer, solution)).clamp(0.0, 1.0),
        ProblemType::FreeForm => rouge(answer, solution).mean(),
    }
}

fn numerical_accuracy(answer: &str, solution: &str, abstention: AbstentionReward) -> f64 {
    let truth = label_number(solution);
    if truth.is_none() && !says_not_seen(solution) {
        return 0.0;
    }
    let is_negative = truth.is_some_and(|truth| truth < 0.0);
    let read = || stated_number(answer, is_negative).map_or(Outcome::Unreadable, Outcome::Number);
    let given = if says_not_seen(answer) { Outcome::NotSeen } else { read() };
    numeric_reward(&given, truth, abstention)
}

/// Whether the robot would take a text for "not seen".
fn says_not_seen(text: &str) -> bool {
    outcome(text, QuestionKind::EgoDistance) == Outcome::NotSeen
}

/// A text that is one finite number, thousands commas removed.
fn plain_number(text: &str) -> Option<f64> {
    float(&text.replace(',', "")).filter(|value| value.is_finite())
}
