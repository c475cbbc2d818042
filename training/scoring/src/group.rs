//! Rewards that look at a whole group of completions (Video-R1, arXiv 2503.21776), and the cost of running long.

use serde::{Deserialize, Serialize};

/// Accuracies above this count as right.
const RIGHT: f64 = 0.1;
/// What the right completions of a group gain if they need the frames' order.
const TEMPORAL_BONUS: f64 = 0.3;
/// Ordered frames must reach this share of what shuffled ones do.
const TEMPORAL_SHARE: f64 = 0.8;
/// What a right completion of a good length gains.
const LENGTH_BONUS: f64 = 0.2;
/// Good lengths, tokens.
const GOOD_LENGTH: std::ops::RangeInclusive<usize> = 320..=512;

/// The temporal bonus of each completion: 0.3 for each of `ordered` with an accuracy over 0.1, if their mean is at least
/// 0.8 of that of `shuffled`, completions of the same prompt with its frames in random order. Without any of those, none.
#[must_use]
pub fn temporal_bonus(ordered: &[f64], shuffled: &[f64]) -> Vec<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let earned = !shuffled.is_empty() && mean(ordered) >= TEMPORAL_SHARE * mean(shuffled);
    ordered.iter().map(|accuracy| if earned && *accuracy > RIGHT { TEMPORAL_BONUS } else { 0.0 }).collect()
}

/// The length bonus of each completion from its accuracy and its length in tokens: if at least two of the group have an
/// accuracy over 0.1, each of those that is 320 to 512 tokens long gains 0.2.
#[must_use]
pub fn length_bonus(completions: &[(f64, usize)]) -> Vec<f64> {
    let right = |accuracy: f64| accuracy > RIGHT;
    let earned = completions.iter().filter(|(accuracy, _)| right(*accuracy)).count() >= 2;
    let bonus = |&(accuracy, tokens): &(f64, usize)| {
        if earned && right(accuracy) && GOOD_LENGTH.contains(&tokens) { LENGTH_BONUS } else { 0.0 }
    };
    completions.iter().map(bonus).collect()
}

/// Soft overlong punishment (DAPO, arXiv 2503.14476, equation 13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlongShaping {
    /// Longest completion that is not an outright failure, tokens: `L_max`.
    pub max_tokens: usize,
    /// Tokens before that within which the punishment grows: `L_cache`.
    pub cache_tokens: usize,
}

impl OverlongShaping {
    /// 0 up to `max_tokens − cache_tokens`, falling to −1 at `max_tokens`, −1 above.
    #[must_use]
    pub fn punishment(&self, tokens: usize) -> f64 {
        let free = self.max_tokens.saturating_sub(self.cache_tokens);
        if tokens <= free {
            return 0.0;
        }
        (-((tokens - free) as f64) / self.cache_tokens.max(1) as f64).max(-1.0)
    }
}
