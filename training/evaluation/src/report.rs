//! The figures of an exam.

use std::collections::BTreeMap;

use model_dir::Calibration;
use msgs::QuestionKind;
use rand_chacha::ChaCha8Rng;
use scoring::{median, relative_error};
use serde::Serialize;
use sim::questions::ask::Topic;

use crate::baselines::best_constant;
use crate::judged::{Form, Judged};
use crate::statistics::{CONFIDENCE, Estimate, bootstrap, estimate, mean, resampled, share_of};
use crate::vsi;

/// Figures of one group of questions. Scores are mean relative accuracies of numbers and shares of right letters, right
/// "not seen" and right texts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The model's score.
    pub score: Estimate,
    /// The same model's on black frames.
    pub blind: Estimate,
    /// Score less blind score, question by question.
    pub above_blind: Estimate,
    /// The score of the best constant answer.
    pub constant_score: f64,
    /// That answer.
    pub constant: String,
    /// Share answered "not seen".
    pub not_seen: Estimate,
    /// How many were not answered because the model was not taught such questions; they score 0.
    pub unsupported: usize,
    /// Errors, where the truths are numbers.
    pub numeric: Option<Numeric>,
}

/// Errors of numbers. A question that was not answered with one counts as an error of 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Numeric {
    /// Median of |answer − truth| / truth.
    pub median_relative_error: f64,
    /// The same of the best constant.
    pub best_constant_median_relative_error: f64,
}

/// How often the model says that it does not see what it is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Abstention {
    /// Of questions about what the frames don't show.
    pub absent: Estimate,
    /// Of questions about what they show.
    pub present: Estimate,
    /// Of questions that were put with black frames because the exam wants it.
    pub black: Estimate,
    /// Of questions about what the frames show, put again with black frames.
    pub black_present: Estimate,
}

/// The intervals of one kind of question.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Intervals {
    /// The kind.
    pub kind: QuestionKind,
    /// The coverage that they state.
    pub stated: f64,
    /// The share that hold the truth.
    pub measured: Estimate,
    /// Median of their width over the answer.
    pub median_relative_width: f64,
}

/// A point of the calibration curve, over the numeric answers of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// The kind; none over all kinds.
    pub kind: Option<QuestionKind>,
    /// The coverage that a width was calibrated for.
    pub stated: f64,
    /// The share of truths within it.
    pub measured: Estimate,
}

/// The mean over VSI-Bench's types.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VsiMean {
    /// Score, blind score and constant score; none while a group is missing.
    pub score: Option<Estimate>,
    /// On black frames.
    pub blind: Option<f64>,
    /// Of the best constants.
    pub constant: Option<f64>,
    /// The groups that the exam has no question of.
    pub missing: Vec<&'static str>,
}

/// Figures of an exam.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Name of the exam.
    pub exam: String,
    /// By group, the simulator's topics first and in their order.
    pub groups: Vec<Group>,
    /// Mean over VSI-Bench's types.
    pub vsi: VsiMean,
    /// "Not seen".
    pub abstention: Abstention,
    /// By kind.
    pub intervals: Vec<Intervals>,
    /// Share of all intervals that hold the truth.
    pub coverage: Estimate,
    /// The coverage that the first of them states.
    pub stated_coverage: Option<f64>,
    /// Stated against measured coverage; empty without a calibration.
    pub curve: Vec<CurvePoint>,
    /// Agreement of imagined maps with true ones, where both are there.
    pub map_score: Estimate,
    /// Questions in all.
    pub questions: usize,
    /// Completions that no answer could be read from.
    pub unreadable: usize,
    /// Questions that the model was not taught to answer, which it was not asked.
    pub unsupported: usize,
}

/// Sums up a judged exam; `calibration` is the model's.
pub fn report(judged: &[Judged], calibration: &Calibration) -> Report {
    let mut by_name: BTreeMap<String, Vec<&Judged>> = BTreeMap::new();
    judged.iter().for_each(|answer| by_name.entry(answer.group.clone()).or_default().push(answer));
    let vsi = vsi_mean(&by_name);
    let mut groups: Vec<Group> = by_name.into_iter().map(|(name, answers)| group(name, &answers)).collect();
    groups.sort_by_key(|group| Topic::ALL.iter().position(|topic| topic.name() == group.name).unwrap_or(usize::MAX));
    let maps: Vec<f64> = judged.iter().filter_map(|answer| answer.map_score).collect();
    Report {
        exam: judged.first().map(|answer| answer.exam.clone()).unwrap_or_default(),
        groups,
        vsi,
        abstention: abstention(judged),
        intervals: intervals(judged),
        coverage: share_of(judged.iter().filter_map(Judged::interval_holds), |holds| *holds),
        stated_coverage: judged.iter().find_map(|answer| answer.interval).map(|interval| interval.coverage),
        curve: curve(judged, calibration),
        map_score: estimate(&maps),
        questions: judged.len(),
        unreadable: judged.iter().filter(|answer| answer.form == Form::Unreadable).count(),
        unsupported: judged.iter().filter(|answer| answer.form == Form::Unsupported).count(),
    }
}

fn values(answers: &[&Judged], of: impl Fn(&Judged) -> f64) -> Vec<f64> {
    answers.iter().map(|answer| of(answer)).collect()
}

fn group(name: String, answers: &[&Judged]) -> Group {
    Group {
        name,
        score: estimate(&values(answers, |answer| answer.score)),
        blind: estimate(&values(answers, |answer| answer.blind_score)),
        above_blind: estimate(&values(answers, |answer| answer.score - answer.blind_score)),
        constant_score: mean(&values(answers, |answer| answer.constant_score)),
        constant: answers.first().map(|answer| answer.constant.clone()).unwrap_or_default(),
        not_seen: share_of(answers, |answer| answer.form == Form::NotSeen),
        unsupported: answers.iter().filter(|answer| answer.form == Form::Unsupported).count(),
        numeric: numeric(answers),
    }
}

fn numeric(answers: &[&Judged]) -> Option<Numeric> {
    let truths: Vec<f64> = answers.iter().filter_map(|answer| answer.true_value).collect();
    let (constant, _) = best_constant(&truths)?;
    let of_constant: Vec<f64> = truths.iter().map(|truth| relative_error(constant, *truth)).collect();
    let error = |answer: &&Judged| {
        let truth = answer.true_value?;
        Some(answer.value.map_or(1.0, |value| relative_error(value, truth)))
    };
    let errors: Vec<f64> = answers.iter().filter_map(error).collect();
    Some(Numeric {
        median_relative_error: median(&errors)?,
        best_constant_median_relative_error: median(&of_constant)?,
    })
}

fn vsi_mean(groups: &BTreeMap<String, Vec<&Judged>>) -> VsiMean {
    let types = match vsi::types(groups) {
        Ok(types) => types,
        Err(missing) => return VsiMean { score: None, blind: None, constant: None, missing },
    };
    let of = |of: fn(&Judged) -> f64| vsi::mean_over(&types, |answers| mean(&values(answers, of)));
    let count = types.iter().flatten().map(|answers| answers.len()).sum();
    let scores: BTreeMap<String, Vec<f64>> =
        groups.iter().map(|(name, answers)| (name.clone(), values(answers, |answer| answer.score))).collect();
    let scores = vsi::types(&scores).unwrap_or_default();
    let draw = |random: &mut ChaCha8Rng| vsi::mean_over(&scores, |scores| resampled(scores, random));
    VsiMean {
        score: Some(bootstrap((of(|answer| answer.score), count), CONFIDENCE, draw)),
        blind: Some(of(|answer| answer.blind_score)),
        constant: Some(of(|answer| answer.constant_score)),
        missing: Vec::new(),
    }
}

fn abstention(judged: &[Judged]) -> Abstention {
    let is_black = |answer: &&Judged| answer.group == Topic::BlackVideo.name();
    let abstains = |answer: &&Judged| answer.form == Form::NotSeen;
    let present = || judged.iter().filter(|answer| !answer.is_absent);
    Abstention {
        absent: share_of(judged.iter().filter(|answer| answer.is_absent && !is_black(answer)), abstains),
        present: share_of(present(), abstains),
        black: share_of(judged.iter().filter(is_black), abstains),
        black_present: share_of(present(), |answer| answer.blind_form == Form::NotSeen),
    }
}

fn intervals(judged: &[Judged]) -> Vec<Intervals> {
    let of_kind = |kind: &QuestionKind| {
        let stated: Vec<&Judged> =
            judged.iter().filter(|answer| answer.kind == *kind && answer.interval_holds().is_some()).collect();
        let widths = stated.iter().filter_map(|answer| {
            let interval = answer.interval?;
            Some((interval.upper - interval.lower) / answer.value?)
        });
        Some(Intervals {
            kind: *kind,
            stated: stated.first()?.interval?.coverage,
            measured: share_of(&stated, |answer| answer.interval_holds() == Some(true)),
            median_relative_width: median(&widths.collect::<Vec<_>>()).unwrap_or(f64::NAN),
        })
    };
    QuestionKind::ALL.iter().filter_map(of_kind).collect()
}

/// At each coverage that the calibration holds a width for: the share of truths within that width of the answer.
fn curve(judged: &[Judged], calibration: &Calibration) -> Vec<CurvePoint> {
    let mut points = Vec::new();
    // Coverages as per mille, which can be keys.
    let mut over_all: BTreeMap<u64, Vec<bool>> = BTreeMap::new();
    for kind in QuestionKind::ALL {
        let Some(entry) = calibration.kinds.get(kind.name()) else { continue };
        let numbers: Vec<(f64, f64)> =
            judged.iter().filter(|answer| answer.kind == kind).filter_map(Judged::numbers).collect();
        let mut widths: Vec<(f64, model_dir::Width)> =
            entry.curve.iter().map(|point| (point.coverage, point.width)).collect();
        if !widths.iter().any(|(coverage, _)| *coverage == entry.coverage) {
            widths.push((entry.coverage, entry.width));
        }
        widths.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (stated, width) in widths.into_iter().filter(|_| !numbers.is_empty()) {
            let holds = |(truth, value): &(f64, f64)| {
                let (lower, upper) = width.interval(*value);
                (lower..=upper).contains(truth)
            };
            let held: Vec<bool> = numbers.iter().map(holds).collect();
            points.push(CurvePoint { kind: Some(kind), stated, measured: share_of(&held, |held| **held) });
            over_all.entry((stated * 1000.0).round() as u64).or_default().extend(held);
        }
    }
    let all = over_all.into_iter().map(|(per_mille, held)| CurvePoint {
        kind: None,
        stated: per_mille as f64 / 1000.0,
        measured: share_of(held, |held| *held),
    });
    all.collect::<Vec<_>>().into_iter().chain(points).collect()
}
