//! Interval widths by split conformal prediction (Lei et al. 2018, arXiv 1604.04173), and the operating point of
//! "not seen".

use std::collections::BTreeMap;

use episodes::completion::ABSENT_WORD;
use grounding::Outcome;
use model_dir::{Abstention, CurvePoint, KindCalibration, Width};
use msgs::{QuestionKind, Unit};
use sim::questions::ask::Topic;

use crate::exam::Truth;
use crate::judge::Answered;
use crate::{Error, Result};

/// Least number of answers for a quantile worth stating.
pub const MIN_ANSWERS: usize = 50;
/// Coverages whose widths are kept beside the one that answers state.
const CURVE: [f64; 6] = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/// The topics of walks that a calibration needs: numbers, and what is not to be seen.
pub const TOPICS: [Topic; 11] = [
    Topic::EgoDistance,
    Topic::ObjectCounting,
    Topic::ObjectAbsDistance,
    Topic::ObjectSizeEstimation,
    Topic::RoomSizeEstimation,
    Topic::CameraDistance,
    Topic::CameraTurn,
    Topic::AbsentClass,
    Topic::RemovedObject,
    Topic::BlackVideo,
    Topic::FrozenVideo,
];

/// The intervals of all kinds whose answers are numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intervals {
    /// By kind.
    pub kinds: BTreeMap<String, KindCalibration>,
    /// The kinds that were answered and get no interval: fewer than [`MIN_ANSWERS`], or none wide enough for
    /// the coverage, with the number found.
    pub too_few: BTreeMap<&'static str, usize>,
}

/// Widths that hold the truth in a share `coverage` of cases, from answers of the split named `split`.
pub fn intervals(answers: &[Answered], coverage: f64, split: &str) -> Intervals {
    let mut found = Intervals::default();
    for kind in QuestionKind::ALL.into_iter().filter(|kind| kind.unit() != Unit::None) {
        let mut asked = answers
            .iter()
            .filter(|answer| answer.kind == kind && !answer.is_unsupported && answer.item.truth.number().is_some());
        let residuals: Vec<f64> = asked.clone().filter_map(log_ratio).collect();
        let enough = Some(&residuals).filter(|residuals| residuals.len() >= MIN_ANSWERS);
        let width = |coverage| enough.and_then(|residuals| conformal_quantile(residuals, coverage));
        match width(coverage) {
            Some(stated) => {
                let point = |coverage| {
                    let width = Width::RelativeWidth(width(coverage)?);
                    Some(CurvePoint { coverage, width })
                };
                let entry = KindCalibration {
                    coverage,
                    width: Width::RelativeWidth(stated),
                    n: residuals.len() as u64,
                    split: split.to_owned(),
                    curve: CURVE.into_iter().filter_map(point).collect(),
                };
                found.kinds.insert(kind.name().to_owned(), entry);
            }
            None if asked.next().is_some() => {
                found.too_few.insert(kind.name(), residuals.len());
            }
            None => {}
        }
    }
    found
}

/// The bias on the token of "not seen" with which a share `recognised` of the absent objects is called so, from answers
/// that were given without a bias.
///
/// # Errors
/// [`Error::TooFewAnswers`].
pub fn abstention(answers: &[Answered], recognised: f64, split: &str) -> Result<Abstention> {
    let of = |absent: bool| -> Vec<f64> {
        let asked = answers.iter().filter(|answer| (answer.item.truth == Truth::NotSeen) == absent);
        asked.filter_map(|answer| answer.not_seen_log_odds).collect()
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
    match (&answer.outcome, answer.item.truth.number()) {
        (Outcome::Number(value), Some(truth)) if *value > 0.0 && truth > 0.0 => Some((truth / value).ln().abs()),
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
    use crate::exam::Item;

    fn answered(kind: QuestionKind, truth: f64, value: f64) -> Answered {
        let (text, truth) = (String::new(), Truth::Number(truth));
        Answered {
            item: Item { group: kind.name().to_owned(), text, options: Vec::new(), truth },
            kind,
            outcome: Outcome::Number(value),
            is_unsupported: false,
            answer_text: String::new(),
            map: None,
            interval: None,
            completion: String::new(),
            not_seen_log_odds: None,
        }
    }

    #[test]
    fn kinds_with_enough_answers_get_a_curve_and_the_rest_are_named() {
        let few = (0..MIN_ANSWERS - 1).map(|_| answered(QuestionKind::CameraTurn, 90.0, 80.0));
        let many = (1..=99).map(|i| answered(QuestionKind::RoomSizeEstimation, 20.0 * f64::from(i).exp2(), 20.0));
        let answers: Vec<Answered> = few.chain(many).collect();
        let found = intervals(&answers, 0.9, "calibration");
        assert_eq!(found.too_few, BTreeMap::from([("camera_turn", MIN_ANSWERS - 1)]));
        let room = &found.kinds["room_size_estimation"];
        assert_eq!((found.kinds.len(), room.n), (1, 99));
        // The ⌈100 · 0.9⌉ = 90th of the residuals i · ln 2.
        assert!((room.width.get() - 90.0 * 2f64.ln()).abs() < 1e-9, "{room:?}");
        let halves = room.curve[0];
        assert!(halves.coverage == 0.5 && (halves.width.get() - 50.0 * 2f64.ln()).abs() < 1e-9, "{halves:?}");
    }

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
