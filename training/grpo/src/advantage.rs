//! Advantage: how much better a completion is than its group (GRPO, arXiv 2402.03300, section 4.1.2).

/// Added to the standard deviation.
const EPSILON: f64 = 1e-4;

/// Mean and standard deviation with Bessel's correction; the latter is 0 for fewer than two values.
#[must_use]
pub fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count.max(1.0);
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}

/// `(r − mean) / (std + 1e-4)` of each reward of a group; without `divide_by_std` only `r − mean` (Dr. GRPO, arXiv
/// 2503.20783).
#[must_use]
pub fn advantages(rewards: &[f64], divide_by_std: bool) -> Vec<f64> {
    let (mean, std) = mean_and_std(rewards);
    let scale = if divide_by_std { std + EPSILON } else { 1.0 };
    rewards.iter().map(|reward| (reward - mean) / scale).collect()
}

/// Whether a group has anything to teach: its rewards are not all equal (dynamic sampling, DAPO, arXiv 2503.14476).
#[must_use]
pub fn has_signal(rewards: &[f64]) -> bool {
    rewards.windows(2).any(|pair| pair[0] != pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let rewards = [3.0, 1.0, 1.0, 1.0];
        assert_eq!(mean_and_std(&rewards), (1.5, 1.0));
        let found = advantages(&rewards, true);
        for (found, expected) in found.iter().zip([1.49985, -0.49995, -0.49995, -0.49995]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert_eq!(advantages(&rewards, false), [1.5, -0.5, -0.5, -0.5]);
    }

    #[test]
    fn equal_rewards_have_no_signal() {
        assert_eq!(advantages(&[2.0, 2.0], true), [0.0, 0.0]);
        assert!(!has_signal(&[2.0, 2.0]) && !has_signal(&[1.0]) && has_signal(&[1.0, 2.0]));
        assert_eq!(mean_and_std(&[2.0]), (2.0, 0.0));
    }
}
