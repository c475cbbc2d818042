//! The figures of an exam.

use grounding::Outcome;
use scoring::{AbstentionCounts, mean_relative_accuracy, median, relative_error};
use serde::Serialize;
use sim::questions::Truth;

use crate::baselines::best_constant;
use crate::exam::Group;
use crate::judge::Answered;

/// Figures of one numeric group. A present object that was not answered with a number counts as an error of 1 and an
/// MRA of 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Numeric {
    /// Questions.
    pub questions: usize,
    /// Median of |answer − truth| / truth.
    pub median_relative_error: f64,
    /// Mean relative accuracy (VSI-Bench).
    pub mra: f64,
    /// MRA of the best constant answer.
    pub best_constant_mra: f64,
    /// Median relative error of that constant.
    pub best_constant_median_relative_error: f64,
    /// MRA of the same model on black frames.
    pub black_frames_mra: f64,
    /// Share of intervals that hold the truth, over the answers that carry one.
    pub coverage: f64,
    /// Median width of the intervals over the answer.
    pub median_relative_width: f64,
}

/// Figures of an exam.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// "How far is the …?"
    pub ego_distance: Numeric,
    /// "How many … are there?"
    pub object_counting: Numeric,
    /// Share of absent objects answered "not seen".
    pub absent_not_seen: f64,
    /// Share of present objects answered "not seen".
    pub present_not_seen: f64,
    /// The same on black frames, where "not seen" is right.
    pub black_frames_present_not_seen: f64,
    /// Share of all intervals that hold the truth.
    pub coverage: f64,
    /// The coverage that the intervals state.
    pub stated_coverage: f64,
    /// Questions in all.
    pub questions: usize,
    /// Completions that no answer could be read from.
    pub unreadable: usize,
}

/// Sums up the answers to an exam, with those of the same model on black frames.
pub fn report(answers: &[Answered], on_black: &[Answered]) -> Report {
    let abstention = abstention(answers);
    let intervals: Vec<bool> = answers.iter().filter_map(holds_truth).collect();
    Report {
        ego_distance: numeric(Group::EgoDistance, answers, on_black),
        object_counting: numeric(Group::ObjectCounting, answers, on_black),
        absent_not_seen: abstention.absent_rate().unwrap_or(f64::NAN),
        present_not_seen: abstention.present_rate().unwrap_or(f64::NAN),
        black_frames_present_not_seen: self::abstention(on_black).present_rate().unwrap_or(f64::NAN),
        coverage: share(&intervals),
        stated_coverage: answers.iter().find_map(|a| a.interval.map(|i| i.coverage)).unwrap_or(f64::NAN),
        questions: answers.len(),
        unreadable: answers.iter().filter(|a| a.outcome == Outcome::Unreadable).count(),
    }
}

fn abstention(answers: &[Answered]) -> AbstentionCounts {
    let mut counts = AbstentionCounts::default();
    for answer in answers {
        counts.add(&answer.outcome, answer.item.group != Group::Absent);
    }
    counts
}

fn numeric(group: Group, answers: &[Answered], on_black: &[Answered]) -> Numeric {
    let of_group = |answers: &[Answered]| -> Vec<(f64, Option<f64>)> {
        let asked = answers.iter().filter(|a| a.item.group == group);
        asked.filter_map(|a| Some((truth(a)?, number(a)))).collect()
    };
    let pairs = of_group(answers);
    let truths: Vec<f64> = pairs.iter().map(|(truth, _)| *truth).collect();
    let (constant, best_constant_mra) = best_constant(&truths).unwrap_or((f64::NAN, f64::NAN));
    let constant_errors: Vec<f64> = truths.iter().map(|truth| relative_error(constant, *truth)).collect();
    let asked: Vec<&Answered> = answers.iter().filter(|a| a.item.group == group).collect();
    let held: Vec<bool> = asked.iter().copied().filter_map(holds_truth).collect();
    let widths: Vec<f64> =
        asked.iter().filter_map(|a| Some((a.interval?.upper - a.interval?.lower) / number(a)?)).collect();
    Numeric {
        questions: pairs.len(),
        median_relative_error: median(&errors(&pairs)).unwrap_or(f64::NAN),
        mra: mra(&pairs),
        best_constant_mra,
        best_constant_median_relative_error: median(&constant_errors).unwrap_or(f64::NAN),
        black_frames_mra: mra(&of_group(on_black)),
        coverage: share(&held),
        median_relative_width: median(&widths).unwrap_or(f64::NAN),
    }
}

fn errors(pairs: &[(f64, Option<f64>)]) -> Vec<f64> {
    pairs.iter().map(|(truth, answer)| answer.map_or(1.0, |value| relative_error(value, *truth))).collect()
}

fn mra(pairs: &[(f64, Option<f64>)]) -> f64 {
    let scores = pairs.iter().map(|(truth, answer)| answer.map_or(0.0, |value| mean_relative_accuracy(value, *truth)));
    scores.sum::<f64>() / pairs.len().max(1) as f64
}

fn truth(answer: &Answered) -> Option<f64> {
    match answer.item.question.truth {
        Truth::Number(value) => Some(value),
        Truth::NotSeen => None,
    }
}

fn number(answer: &Answered) -> Option<f64> {
    match answer.outcome {
        Outcome::Number(value) => Some(value),
        _ => None,
    }
}

/// Whether an answer's interval holds the truth; `None` without interval or without a number as truth.
fn holds_truth(answer: &Answered) -> Option<bool> {
    let interval = answer.interval?;
    Some((interval.lower..=interval.upper).contains(&truth(answer)?))
}

fn share(hits: &[bool]) -> f64 {
    if hits.is_empty() { f64::NAN } else { hits.iter().filter(|hit| **hit).count() as f64 / hits.len() as f64 }
}
