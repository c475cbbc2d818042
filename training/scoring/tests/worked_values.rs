//! The worked values of `spec/sg-rlvr.md`.

use grounding::Outcome;
use imagined_map::parse;
use msgs::QuestionKind::{EgoDistance, ObjectCounting};
use proptest::prelude::*;
use scoring::*;

fn score(predicted: &str, truth: &str, penalise_extra: bool) -> f64 {
    let map = |text| parse(text).expect("a map");
    map_score(&map(predicted), &map(truth), MapScoreSettings { penalise_extra, ..Default::default() })
}

#[test]
fn mra_by_relative_error() {
    for (error, expected) in [(0.04, 1.0), (0.06, 0.9), (0.32, 0.4), (0.49, 0.1), (0.51, 0.0)] {
        assert_eq!(mean_relative_accuracy(1.0 + error, 1.0), expected, "{error}");
        assert_eq!(mean_relative_accuracy(4.0 * (1.0 - error), 4.0), expected, "{error}");
    }
    assert_eq!(mean_relative_accuracy(0.0, 0.0), 1.0);
    assert_eq!(mean_relative_accuracy(1.0, 0.0), 0.0);
    assert_eq!(mean_relative_accuracy(f64::NAN, 1.0), 0.0);
}

#[test]
fn map_scores() {
    assert_eq!(score(r#"{"chair":[[2,2]]}"#, r#"{"chair":[[2,2],[8,8]]}"#, false), 0.5);
    assert_eq!(score(r#"{"chair":[[2,2]],"sofa":[[1,1]]}"#, r#"{"chair":[[2,2]]}"#, false), 1.0);
    assert_eq!(score(r#"{"chair":[[2,2]],"sofa":[[1,1]]}"#, r#"{"chair":[[2,2]]}"#, true), 0.5);
    assert_eq!(score("{}", "{}", false), 1.0);
    assert_eq!(score(r#"{"chair":[[2,2]]}"#, "{}", false), 0.0);
    assert_eq!(score("{}", r#"{"chair":[[2,2]]}"#, false), 0.0);
    // One cell off along one axis.
    let near = score(r#"{"bed":[[2,3]]}"#, r#"{"bed":[[2,2]]}"#, false);
    assert!((near - (1.0 - 1.0 / (10.0 * 2f64.sqrt()))).abs() < 1e-12);
}

#[test]
fn typed_answers() {
    assert_eq!(accuracy("<think>x</think><answer>2.0</answer>", EgoDistance, Some(2.0)), 1.0);
    assert_eq!(accuracy("<think>x</think><answer>three</answer>", ObjectCounting, Some(3.0)), 1.0);
    assert_eq!(accuracy("<think>x</think><answer>not seen</answer>", EgoDistance, None), 1.0);
    assert_eq!(accuracy("<think>x</think><answer>not seen</answer>", EgoDistance, Some(2.0)), 0.0);
    assert_eq!(accuracy("<think>x</think><answer>2.0</answer>", EgoDistance, None), 0.0);
    assert_eq!(accuracy("garbage", EgoDistance, Some(2.0)), 0.0);
}

#[test]
fn regression_and_median() {
    assert!((regression_accuracy(3.0, 4.0) - 0.75).abs() < 1e-6);
    assert_eq!(regression_accuracy(f64::NAN, 4.0), 0.0);
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(median(&[f64::INFINITY, f64::INFINITY]), Some(f64::INFINITY));
}

#[test]
fn abstention_rates() {
    let mut counts = AbstentionCounts::default();
    assert_eq!((counts.absent_rate(), counts.present_rate()), (None, None));
    for (outcome, present) in [
        (Outcome::NotSeen, false),
        (Outcome::Number(1.0), false),
        (Outcome::Number(2.0), true),
        (Outcome::NotSeen, true),
    ] {
        counts.add(&outcome, present);
    }
    assert_eq!((counts.absent_rate(), counts.present_rate()), (Some(0.5), Some(0.5)));
}

proptest! {
    #[test]
    fn scores_stay_in_range(p in any::<f64>(), t in any::<f64>(), a in ".{0,80}", b in ".{0,80}") {
        for score in [mean_relative_accuracy(p, t), regression_accuracy(p, t)] {
            prop_assert!((0.0..=1.0).contains(&score));
        }
        let map = |text: &str| parse(&format!("{{chair: {text}")).unwrap_or_default();
        prop_assert!((0.0..=1.0).contains(&map_score(&map(&a), &map(&b), MapScoreSettings::default())));
    }
}
