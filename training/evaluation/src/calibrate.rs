//! Interval widths by split conformal prediction (Lei et al. 2018, arXiv 1604.04173).

use grounding::Outcome;
use model_dir::{Calibration, KindCalibration, Width};
use msgs::QuestionKind;
use sim::questions::Truth;

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
pub fn calibrate(answers: &[Answered], coverage: f64, split: &str) -> Result<Calibration> {
    let mut calibration = Calibration::default();
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
        calibration.kinds.insert(kind.name().to_owned(), entry);
    }
    Ok(calibration)
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
    fn quantile_by_hand() {
        let residuals: Vec<f64> = (1..=19).map(f64::from).collect();
        // ⌈20 · 0.9⌉ = 18th smallest.
        assert_eq!(conformal_quantile(&residuals, 0.9), Some(18.0));
        assert_eq!(conformal_quantile(&residuals[..3], 0.9), None);
    }
}
