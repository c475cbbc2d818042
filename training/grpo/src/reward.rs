//! Reward: what each completion of a group earns (SG-RLVR; the parts are functions of [`scoring`]).

use scoring::{AbstentionReward, MapScoreSettings, OverlongShaping};
use serde::{Deserialize, Serialize};

use crate::scene::Problem;

/// Which rewards are given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RewardSettings {
    /// Whether maps are rewarded; none = they are not looked at.
    pub map: Option<MapScoreSettings>,
    /// Whether a good length gains.
    pub length: bool,
    /// What long completions lose.
    pub overlong: Option<OverlongShaping>,
    /// What a number for something absent costs.
    pub abstention: AbstentionReward,
}

/// A completion as rewards see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Its text, without the end-of-sequence token.
    pub text: String,
    /// Its length in tokens.
    pub tokens: usize,
}

/// The parts of one completion's reward; they add up to `total`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reward {
    /// 1 for the whole completion in the required format.
    pub format: f64,
    /// Accuracy by the problem's type, with the map's share: in 0..=2, below 0 for a number for what is absent.
    pub accuracy: f64,
    /// The map's score, where it was looked at.
    pub map: Option<f64>,
    /// For the interval, where one was asked for.
    pub interval: f64,
    /// For answers that need the frames' order.
    pub temporal: f64,
    /// For a good length.
    pub length: f64,
    /// For running long; at most 0.
    pub overlong: f64,
    /// The sum.
    pub total: f64,
}

/// Judges a group. `shuffled` are completions of the same prompt with its frames in random order; they only serve the
/// temporal comparison.
#[must_use]
pub fn judge(group: &[Judged], shuffled: &[Judged], problem: &Problem, settings: &RewardSettings) -> Vec<Reward> {
    let mut rewards: Vec<Reward> = group.iter().map(|completion| alone(completion, problem, settings)).collect();
    let accuracies: Vec<f64> = rewards.iter().map(|reward| reward.accuracy).collect();
    let shuffled: Vec<f64> = shuffled.iter().map(|completion| alone(completion, problem, settings).accuracy).collect();
    let temporal = scoring::temporal_bonus(&accuracies, &shuffled);
    let lengths: Vec<(f64, usize)> = accuracies.iter().copied().zip(group.iter().map(|c| c.tokens)).collect();
    let length = if settings.length { scoring::length_bonus(&lengths) } else { vec![0.0; group.len()] };
    for ((reward, temporal), length) in rewards.iter_mut().zip(temporal).zip(length) {
        (reward.temporal, reward.length) = (temporal, length);
        reward.total = reward.format + reward.accuracy + reward.interval + temporal + length + reward.overlong;
    }
    rewards
}

/// The parts that do not look at the rest of the group.
fn alone(completion: &Judged, problem: &Problem, settings: &RewardSettings) -> Reward {
    let answer = problem.answer_of(&completion.text);
    let accuracy = scoring::problem_accuracy(problem.problem_type, &answer, &problem.solution, settings.abstention);
    let looked_at = settings.map.zip(problem.map.as_ref()).filter(|_| problem.problem_type.is_good(accuracy));
    let map = looked_at.and_then(|(settings, truth)| {
        scoring::stated_map_score(&completion.text, &truth.map, &truth.categories, settings)
    });
    let truth = problem.solution.parse::<f64>().ok();
    let interval = problem.interval_coverage.zip(truth).zip(scoring::stated_interval(&answer));
    Reward {
        format: scoring::format_reward(&completion.text),
        accuracy: scoring::accuracy_with_map(accuracy, map),
        map,
        interval: interval.map_or(0.0, |((coverage, truth), stated)| scoring::interval_reward(stated, truth, coverage)),
        overlong: settings.overlong.map_or(0.0, |shaping| shaping.punishment(completion.tokens)),
        ..Reward::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use scoring::ProblemType;
    use vlm::{AnswerFormat, AnswerShape};

    use super::*;
    use crate::scene::TrueMap;

    const SETTINGS: RewardSettings = RewardSettings {
        map: Some(MapScoreSettings { penalise_extra: false, matching: scoring::Matching::Greedy }),
        length: true,
        overlong: Some(OverlongShaping { max_tokens: 600, cache_tokens: 100 }),
        abstention: AbstentionReward { number_for_absent: -0.5 },
    };

    fn problem(solution: &str) -> Problem {
        let map = imagined_map::parse("{\"chair\": [[2,2],[8,8]]}").unwrap();
        let categories = BTreeSet::from(["chair".to_owned()]);
        Problem {
            problem_type: ProblemType::Numerical,
            solution: solution.to_owned(),
            map: Some(TrueMap { map, categories }),
            interval_coverage: Some(0.9),
            format: None,
        }
    }

    fn judged(text: &str, tokens: usize) -> Judged {
        Judged { text: text.to_owned(), tokens }
    }

    #[test]
    fn the_parts_add_up() {
        let group = [
            judged("<think><map>{\"chair\": [[2,2]]}</map></think><answer>2.0 [1.8, 2.2]</answer>", 400),
            judged("<think><map>{}</map></think><answer>2.0</answer>", 550),
            judged("<answer>2.64</answer>", 400),
            judged("", 9),
        ];
        let found = judge(&group, &[judged("<answer>2</answer>", 9)], &problem("2"), &SETTINGS);
        // Half the chairs are on the map; one of two bonuses each; width 0.4 of 4.
        assert_eq!((found[0].format, found[0].accuracy, found[0].map), (1.0, 1.5, Some(0.5)));
        assert!((found[0].interval - 0.9).abs() < 1e-9);
        assert_eq!((found[0].temporal, found[0].length), (0.0, 0.2));
        assert!((found[0].total - (1.0 + 1.5 + 0.9 + 0.2)).abs() < 1e-9);
        // A map without chairs cancels the answer; 50 of the last 100 tokens.
        assert_eq!((found[1].accuracy, found[1].map, found[1].overlong), (0.0, Some(0.0), -0.5));
        assert_eq!(found[1].total, 0.5);
        // MRA 0.4 at 32 %: right enough for the length, not for a map.
        assert_eq!((found[2].format, found[2].accuracy, found[2].map, found[2].length), (0.0, 0.4, None, 0.2));
        assert_eq!(found[3].total, 0.0);
    }

    #[test]
    fn what_the_robot_goes_by_is_judged() {
        let answer = AnswerShape::StatedNumber { unit: "m".to_owned() };
        let format = AnswerFormat { answer, abstention: Some("not seen".to_owned()), map_required: false };
        let stated = Problem { format: Some(format.clone()), ..problem("2") };
        let settings = RewardSettings { map: None, ..SETTINGS };
        let accuracy = |problem: &Problem, text: &str| judge(&[judged(text, 9)], &[], problem, &settings)[0].accuracy;
        let contradicted = "<think>I see it 2.0 m away.</think><answer>3.5</answer>";
        assert_eq!((accuracy(&stated, contradicted), accuracy(&problem("2"), contradicted)), (1.0, 0.0));
        assert_eq!(accuracy(&stated, "<think>I see it 3.5 m away.</think><answer>2.0</answer>"), 0.0);
        assert_eq!(accuracy(&stated, "<think>I see it.</think>2.0"), 0.0);
        let answered = AnswerFormat { answer: AnswerShape::Number, ..format };
        assert_eq!(accuracy(&Problem { format: Some(answered), ..problem("2") }, contradicted), 0.0);
    }

    #[test]
    fn order_that_helps_and_abstention() {
        let group = [judged("<answer>2</answer>", 9), judged("", 9)];
        let found = judge(&group, &[judged("<answer>2.64</answer>", 9)], &problem("2"), &SETTINGS);
        assert_eq!((found[0].temporal, found[1].temporal), (0.3, 0.0));
        let absent = [judged("<answer>not seen</answer>", 9), judged("<answer>2</answer>", 9), judged("", 9)];
        let found = judge(&absent, &[], &problem("not seen"), &RewardSettings { map: None, ..SETTINGS });
        assert_eq!([found[0].total, found[1].total, found[2].total], [1.0, -0.5, 0.0]);
    }
}
