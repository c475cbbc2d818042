//! Interval widths by split conformal prediction (Lei et al. 2018, arXiv 1604.04173), and the operating point of
//! "not seen".

use std::collections::BTreeMap;

use episodes::completion::ABSENT_WORD;
use grounding::Outcome;
use model_dir::{Abstention, KindCalibration, Width};
use msgs::QuestionKind;
use sim::questions::Truth;

use crate::exam::Group;
use crate::judge::Answered;
use crate::{Error, Result};

/// The kinds of question whose answers carry an interval.
const KINDS: [QuestionKind; 2] = [QuestionKind::EgoDistance, QuestionKind::ObjectCounting];
/// Least number of answers for a quantile worth stating.
const MIN_ANSWERS: usize = 50;

/// Widths that hold the truth in a share `coverage` of cases, from answers of the split named `split`.
///
/// # Errors
/// [`Error::TooFewAnswers`].
pub fn intervals(answers: &[Answered], coverage: f64, split: &str) -> Result<BTreeMap<String, KindCalibration>> {
    let mut kinds = BTreeMap::new();
    for kind in KINDS {
        let residuals: Vec<f64> =
            answers.iter().filter(|a| a.item.question.kind == kind).filter_map(log_ratio).collect();
        let too_few = || Error::TooFewAnswers { kind: kind.name(), expected: MIN_ANSWERS, found: residuals.len() };
        let width = conformal_quantile(&residuals, coverage).filter(|_| residuals.len() >= MIN_ANSWERS);
        let entry = KindCalibration {
            coverage,
            width: Width::RelativeWidth(width.ok_or_else(too_few)?),
            n: residuals.len() as u64,
            split: split.to_owned(),
        };
        kinds.insert(kind.name().to_owned(), entry);
    }
    Ok(kinds)
}

/// The bias on the token of "not seen" with which a share `recognised` of the absent objects is called so, from answers
/// that were given without a bias.
///
/// # Errors
/// [`Error::TooFewAnswers`].
pub fn abstention(answers: &[Answered], recognised: f64, split: &str) -> Result<Abstention> {
    let of = |absent: bool| -> Vec<f64> {
        let asked = answers.iter().filter(|a| (a.item.group == Group::Absent) == absent);
        asked.filter_map(|a| a.not_seen_log_odds).collect()
    };
    let (absent, present) = (of(true), of(false));
    let found = absent.len().min(present.len());
    if found < MIN_ANSWERS {
        return Err(Error::TooFewAnswers { kind: "not seen", expected: MIN_ANSWERS, found });
    }
    let logit_bias = -operating_point(&absent, recognised);
    let share = |odds: &[f64]| odds.iter().filter(|&&o| o + logit_bias >= 0.0).count() as f64 / odds.len() as f64;
    Ok(Abstention {
        token: ABSENT_WORD.to_owned(),
        logit_bias,
        absent_not_seen: share(&absent),
        present_not_seen: share(&present),
        n: (absent.len() + present.len()) as u64,
        split: split.to_owned(),
    })
}

/// The largest value that a share `at_least` of the values reaches.
fn operating_point(values: &[f64], at_least: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let rank = (values.len() as f64 * at_least).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

/// |ln(truth / answer)| of a present object answered with a number.
fn log_ratio(answer: &Answered) -> Option<f64> {
    match (&answer.outcome, answer.item.question.truth) {
        (Outcome::Number(value), Truth::Number(truth)) if *value > 0.0 => Some((truth / value).ln().abs()),
        _ => None,
    }
}

/// The ⌈(n + 1) · coverage⌉-th smallest residual: an interval of this width holds a new truth with at least this
/// probability if it is exchangeable with the calibration answers. `None` with too few residuals.
pub fn conformal_quantile(residuals: &[f64], coverage: f64) -> Option<f64> {
    let mut sorted = residuals.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = ((sorted.len() + 1) as f64 * coverage).ceil() as usize;
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operating_point_by_hand() {
        // Four of five are 80 %: the fourth largest.
        assert_eq!(operating_point(&[3.0, -2.0, 1.0, 0.5, 2.0], 0.8), 0.5);
        assert_eq!(operating_point(&[1.0, 2.0], 0.8), 1.0);
    }

    #[test]
    fn quantile_by_hand() {
        let residuals: Vec<f64> = (1..=19).map(f64::from).collect();
        // ⌈20 · 0.9⌉ = 18th smallest.
        assert_eq!(conformal_quantile(&residuals, 0.9), Some(18.0));
        assert_eq!(conformal_quantile(&residuals[..3], 0.9), None);
    }
}
