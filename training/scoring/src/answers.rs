//! Scores of a typed answer.

use grounding::{Outcome, parse_completion};
use msgs::QuestionKind;

/// Accuracy of a completion of a numeric kind in 0..=1: MRA where the object is there (`truth` is a number), and 1 for
/// "not seen", else 0, where it is not (`truth` is `None`).
pub fn accuracy(completion: &str, kind: QuestionKind, truth: Option<f64>) -> f64 {
    numeric_accuracy(&parse_completion(completion, kind).outcome, truth)
}

/// As [`accuracy`], of an answer that is already parsed.
pub fn numeric_accuracy(outcome: &Outcome, truth: Option<f64>) -> f64 {
    match (outcome, truth) {
        (Outcome::Number(prediction), Some(truth)) => crate::mean_relative_accuracy(*prediction, truth),
        (Outcome::NotSeen, None) => 1.0,
        _ => 0.0,
    }
}

/// What abstaining and not abstaining earns where nothing is to be seen; ours, not the paper's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AbstentionReward {
    /// The accuracy of a number given for what is absent. Below 0, so that silence, which earns 0, is better.
    pub number_for_absent: f64,
}

impl Default for AbstentionReward {
    fn default() -> Self {
        Self { number_for_absent: -0.5 }
    }
}

/// As [`numeric_accuracy`], but a number for what is absent (`truth` is `None`) earns less than silence.
pub fn numeric_reward(outcome: &Outcome, truth: Option<f64>, abstention: AbstentionReward) -> f64 {
    match (outcome, truth) {
        (Outcome::Number(_), None) => abstention.number_for_absent,
        _ => numeric_accuracy(outcome, truth),
    }
}

/// How often a model abstains, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbstentionCounts {
    /// Questions about objects that are there.
    pub present: u64,
    /// Of these, answered "not seen".
    pub present_not_seen: u64,
    /// Questions about objects that are not there.
    pub absent: u64,
    /// Of these, answered "not seen".
    pub absent_not_seen: u64,
}

impl AbstentionCounts {
    /// Counts one answer.
    pub fn add(&mut self, outcome: &Outcome, present: bool) {
        let not_seen = u64::from(*outcome == Outcome::NotSeen);
        if present {
            self.present += 1;
            self.present_not_seen += not_seen;
        } else {
            self.absent += 1;
            self.absent_not_seen += not_seen;
        }
    }

    /// Share of absent objects answered "not seen" (higher is better); `None` without such questions.
    pub fn absent_rate(&self) -> Option<f64> {
        (self.absent > 0).then(|| self.absent_not_seen as f64 / self.absent as f64)
    }

    /// Share of present objects answered "not seen" (lower is better); `None` without such questions.
    pub fn present_rate(&self) -> Option<f64> {
        (self.present > 0).then(|| self.present_not_seen as f64 / self.present as f64)
    }
}
