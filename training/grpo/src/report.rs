//! What a step and an evaluation say about themselves.

use serde::Serialize;

use crate::advantage::mean_and_std;
use crate::reward::Reward;

/// Means of the parts of rewards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct RewardMeans {
    /// The whole reward.
    pub reward: f64,
    /// Format.
    pub format: f64,
    /// Accuracy with the map's share.
    pub accuracy: f64,
    /// Map score over the completions whose map was looked at; 0 without any.
    pub map: f64,
    /// Share of completions whose map was looked at.
    pub map_share: f64,
    /// Interval.
    pub interval: f64,
    /// Temporal.
    pub temporal: f64,
    /// Length.
    pub length: f64,
    /// Overlong.
    pub overlong: f64,
}

impl RewardMeans {
    /// Of some completions.
    #[must_use]
    pub fn of(rewards: &[Reward]) -> Self {
        let mean = |part: fn(&Reward) -> f64| rewards.iter().map(part).sum::<f64>() / rewards.len().max(1) as f64;
        let maps: Vec<f64> = rewards.iter().filter_map(|reward| reward.map).collect();
        Self {
            reward: mean(|reward| reward.total),
            format: mean(|reward| reward.format),
            accuracy: mean(|reward| reward.accuracy),
            map: mean_and_std(&maps).0,
            map_share: maps.len() as f64 / rewards.len().max(1) as f64,
            interval: mean(|reward| reward.interval),
            temporal: mean(|reward| reward.temporal),
            length: mean(|reward| reward.length),
            overlong: mean(|reward| reward.overlong),
        }
    }
}

/// Rewards over the groups of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct GroupMeans {
    /// Mean over groups of the standard deviation within a group.
    pub reward_std: f64,
    /// Share of groups whose every reward is at most 1.
    pub all_wrong: f64,
    /// Share of groups whose every reward is at least 2.
    pub all_right: f64,
    /// Share of groups whose rewards are all equal.
    pub without_signal: f64,
}

impl GroupMeans {
    /// Of the rewards of some groups.
    #[must_use]
    pub fn of(groups: &[Vec<Reward>]) -> Self {
        let share = |holds: &dyn Fn(&[Reward]) -> bool| {
            groups.iter().filter(|group| holds(group)).count() as f64 / groups.len().max(1) as f64
        };
        let totals = |group: &[Reward]| group.iter().map(|reward| reward.total).collect::<Vec<_>>();
        let stds = groups.iter().map(|group| mean_and_std(&totals(group)).1).sum::<f64>();
        Self {
            reward_std: stds / groups.len().max(1) as f64,
            all_wrong: share(&|group| group.iter().all(|reward| reward.total <= 1.0)),
            all_right: share(&|group| group.iter().all(|reward| reward.total >= 2.0)),
            without_signal: share(&|group| !crate::advantage::has_signal(&totals(group))),
        }
    }
}

/// One step, as logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StepReport {
    /// Counted from 1.
    pub step: u64,
    /// Parts of the rewards.
    #[serde(flatten)]
    pub rewards: RewardMeans,
    /// Rewards over groups.
    #[serde(flatten)]
    pub groups: GroupMeans,
    /// The loss, of the last update on the step's rollouts.
    pub loss: f64,
    /// Mean divergence from the reference policy per token, of the last update.
    pub kl: f64,
    /// Share of tokens whose ratio was clipped, of the last update.
    pub clipped: f64,
    /// Mean ratio of a token's probability under the trained policy to that under the server's; none without a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance_ratio: Option<f64>,
    /// Share of tokens whose ratio was truncated; none without a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance_truncated: Option<f64>,
    /// Mean length of completions, tokens.
    pub completion_tokens: f64,
    /// Share of completions that ended by themselves.
    pub finished: f64,
    /// L2 norm of the last update's gradients before clipping.
    pub gradient_norm: f64,
    /// The rate of the last update.
    pub learning_rate: f64,
    /// Completion tokens per second of the step.
    pub tokens_per_second: f64,
    /// Scenes used so far: the data position.
    pub scenes: u64,
    /// Seconds of training so far, over all sessions of the run.
    pub seconds: f64,
}

/// A completion of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Held-out scene.
    pub scene: u64,
    /// What was written.
    pub completion: String,
    /// What was right.
    pub solution: String,
    /// What it earned.
    pub reward: Reward,
}

/// An evaluation on held-out scenes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evaluation {
    /// The step after which it was made.
    pub step: u64,
    /// Parts of the rewards.
    #[serde(flatten)]
    pub rewards: RewardMeans,
    /// Questions asked.
    pub questions: usize,
    /// Mean length of completions, tokens.
    pub completion_tokens: f64,
    /// Some completions.
    pub samples: Vec<Sample>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_by_hand() {
        let reward = |total, map| Reward { total, map, ..Reward::default() };
        let groups = [
            vec![reward(1.0, None), reward(0.0, None)],
            vec![reward(2.0, Some(0.5)), reward(2.0, Some(1.0))],
            vec![reward(1.5, None), reward(0.5, None)],
        ];
        let found = GroupMeans::of(&groups);
        assert!((found.reward_std - 2.0 * 0.5f64.sqrt() / 3.0).abs() < 1e-12);
        assert_eq!([found.all_wrong, found.all_right, found.without_signal], [1.0 / 3.0; 3]);
        let means = RewardMeans::of(&groups.concat());
        assert!((means.reward - 7.0 / 6.0).abs() < 1e-12);
        assert_eq!((means.map, means.map_share), (0.75, 1.0 / 3.0));
    }
}
