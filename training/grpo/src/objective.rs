//! The objective over the tokens of a group, and its gradient with respect to their log-probabilities.
//!
//! GRPO (arXiv 2402.03300, equation 3) as SpaceR's released code has it; clip-higher and token-level normalisation of DAPO
//! (arXiv 2503.14476), constant normalisation of Dr. GRPO (arXiv 2503.20783). A token counts a few numbers, so this is
//! plain arithmetic: the network's backward pass starts from [`Evaluated::gradient`].

use serde::{Deserialize, Serialize};

/// Bound of the log-ratio to the reference policy.
const LOG_RATIO_LIMIT: f64 = 10.0;

/// How far a token's ratio to the rollout policy may move the loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// ε_low: ratios below 1 − ε_low earn nothing more.
    pub epsilon_low: f64,
    /// ε_high: ratios above 1 + ε_high earn nothing more. Larger than ε_low in DAPO.
    pub epsilon_high: f64,
}

/// What the sum over tokens is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// Each completion by its length, then by the group's size: GRPO, SpaceR.
    #[default]
    Completion,
    /// By the tokens of the whole group: DAPO.
    Token,
    /// By group size times the longest allowed completion: Dr. GRPO.
    Constant,
}

/// The options of the objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectiveSettings {
    /// β, the weight of the divergence from the reference policy.
    pub kl_beta: f64,
    /// Bounds of the ratio; none = unclipped.
    pub clip: Option<Clip>,
    /// What the sum over tokens is divided by.
    pub normalisation: Normalisation,
    /// Longest allowed completion, tokens, for [`Normalisation::Constant`].
    pub max_completion_tokens: usize,
}

/// Log-probabilities of the tokens of a group, completion behind completion.
#[derive(Clone, Copy, Debug)]
pub struct GroupLogProbs<'a> {
    /// Of the policy that is trained.
    pub policy: &'a [f32],
    /// Of the policy that sampled; none = the trained one itself.
    pub rollout: Option<&'a [f32]>,
    /// Of the reference policy; none without a divergence term.
    pub reference: Option<&'a [f32]>,
    /// What each token's surrogate counts, where another policy than the trained one's past self sampled; none = 1.
    pub weights: Option<&'a [f32]>,
    /// Tokens of each completion.
    pub lengths: &'a [usize],
}

/// The objective of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluated {
    /// The loss.
    pub loss: f64,
    /// Its derivative by each token's log-probability.
    pub gradient: Vec<f32>,
    /// Sum over tokens of the divergence k.
    pub kl: f64,
    /// Tokens whose ratio is clipped.
    pub clipped: usize,
}

/// Evaluates the objective for completions with the given `advantages`.
#[must_use]
pub fn objective(log_probs: GroupLogProbs, advantages: &[f64], settings: &ObjectiveSettings) -> Evaluated {
    let GroupLogProbs { policy, rollout, reference, weights, lengths } = log_probs;
    let total: usize = lengths.iter().sum();
    let mut evaluated = Evaluated { gradient: Vec::with_capacity(total), ..Evaluated::default() };
    let owners = lengths.iter().zip(advantages).flat_map(|(&length, &advantage)| {
        std::iter::repeat_n((advantage, 1.0 / divisor(settings, length, total, lengths.len())), length)
    });
    for (i, ((advantage, weight), &log_prob)) in owners.zip(policy).enumerate() {
        let at = |values: Option<&[f32]>| values.and_then(|values| values.get(i)).map(|&value| f64::from(value));
        let log_prob = f64::from(log_prob);
        let surrogate = surrogate(log_prob, at(rollout), advantage * at(weights).unwrap_or(1.0), settings.clip);
        let divergence = at(reference).map_or(Term::default(), |reference| divergence(log_prob, reference));
        evaluated.loss += weight * (settings.kl_beta * divergence.value - surrogate.value);
        evaluated.gradient.push((weight * (settings.kl_beta * divergence.slope - surrogate.slope)) as f32);
        evaluated.kl += divergence.value;
        evaluated.clipped += usize::from(surrogate.clipped);
    }
    evaluated
}

fn divisor(settings: &ObjectiveSettings, length: usize, total: usize, group: usize) -> f64 {
    let tokens = match settings.normalisation {
        Normalisation::Completion => length * group,
        Normalisation::Token => total,
        Normalisation::Constant => settings.max_completion_tokens * group,
    };
    tokens.max(1) as f64
}

/// A term of one token and its derivative by the token's log-probability.
#[derive(Clone, Copy, Debug, Default)]
struct Term {
    value: f64,
    slope: f64,
    clipped: bool,
}

/// `min(ρ·A, clip(ρ, 1 − ε_low, 1 + ε_high)·A)` with ρ = π / π_rollout.
fn surrogate(log_prob: f64, rollout: Option<f64>, advantage: f64, clip: Option<Clip>) -> Term {
    let ratio = rollout.map_or(1.0, |rollout| (log_prob - rollout).exp());
    let bound = clip.and_then(|Clip { epsilon_low, epsilon_high }| match advantage > 0.0 {
        true => (ratio > 1.0 + epsilon_high).then_some(1.0 + epsilon_high),
        false => (advantage < 0.0 && ratio < 1.0 - epsilon_low).then_some(1.0 - epsilon_low),
    });
    match bound {
        Some(bound) => Term { value: bound * advantage, slope: 0.0, clipped: true },
        None => Term { value: ratio * advantage, slope: ratio * advantage, clipped: false },
    }
}

/// The k3 estimate of the divergence from the reference policy: `exp(Δ) − Δ − 1`, Δ = log π_ref − log π within ±10
/// (<http://joschu.net/blog/kl-approx.html>).
fn divergence(log_prob: f64, reference: f64) -> Term {
    let free = reference - log_prob;
    let delta = free.clamp(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT);
    let slope = if delta == free { 1.0 - delta.exp() } else { 0.0 };
    Term { value: delta.exp() - delta - 1.0, slope, clipped: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: ObjectiveSettings = ObjectiveSettings {
        kl_beta: 0.04,
        clip: None,
        normalisation: Normalisation::Completion,
        max_completion_tokens: 10,
    };
    const CLIP: Clip = Clip { epsilon_low: 0.2, epsilon_high: 0.28 };

    fn at<'a>(policy: &'a [f32], lengths: &'a [usize]) -> GroupLogProbs<'a> {
        GroupLogProbs { policy, rollout: None, reference: None, weights: None, lengths }
    }

    #[test]
    fn means_of_tokens_then_of_the_group() {
        // Ratio 1 throughout: each token is worth its advantage.
        let found = objective(at(&[-1.0, -2.0, -3.0], &[1, 2]), &[1.5, -0.5], &PLAIN);
        assert!((found.loss + (1.5 + -0.5) / 2.0).abs() < 1e-12);
        assert_eq!(found.gradient, [-0.75, 0.125, 0.125]);
        let token = ObjectiveSettings { normalisation: Normalisation::Token, ..PLAIN };
        let found = objective(at(&[-1.0, -2.0, -3.0], &[1, 2]), &[1.5, -0.5], &token);
        assert!((found.loss + (1.5 - 0.5 - 0.5) / 3.0).abs() < 1e-12);
        let constant = ObjectiveSettings { normalisation: Normalisation::Constant, ..PLAIN };
        let found = objective(at(&[-1.0, -2.0, -3.0], &[1, 2]), &[1.5, -0.5], &constant);
        assert!((found.loss + 0.5 / 20.0).abs() < 1e-12);
    }

    #[test]
    fn divergence_by_hand() {
        // Δ = ln 2: k = 2 − ln 2 − 1.
        let (policy, reference) = ([-2f32.ln()], [0f32]);
        let log_probs = GroupLogProbs { reference: Some(&reference), ..at(&policy, &[1]) };
        let found = objective(log_probs, &[0.0], &PLAIN);
        assert!((found.kl - (1.0 - 2f64.ln())).abs() < 1e-7);
        assert!((found.loss - 0.04 * (1.0 - 2f64.ln())).abs() < 1e-7);
        assert!((found.gradient[0] + 0.04).abs() < 1e-7);
        // Beyond the limit: exp(10) − 11, and no more pull.
        let far = GroupLogProbs { policy: &[-30.0], ..log_probs };
        let found = objective(far, &[0.0], &PLAIN);
        assert!((found.kl - (10f64.exp() - 11.0)).abs() < 1e-6 && found.gradient == [0.0]);
    }

    #[test]
    fn clip_higher_by_hand() {
        let settings = ObjectiveSettings { clip: Some(CLIP), kl_beta: 0.0, ..PLAIN };
        for (ratio, advantage, value, clipped) in [
            (1.25f32, 1.0, 1.25, false),
            (1.5, 1.0, 1.28, true),
            (1.5, -1.0, -1.5, false),
            (0.5, -1.0, -0.8, true),
            (0.5, 1.0, 0.5, false),
        ] {
            let (policy, rollout) = ([ratio.ln()], [0f32]);
            let log_probs = GroupLogProbs { rollout: Some(&rollout), ..at(&policy, &[1]) };
            let found = objective(log_probs, &[advantage], &settings);
            assert!((found.loss + value).abs() < 1e-6, "{ratio} {advantage}: {}", found.loss);
            assert_eq!(found.clipped == 1, clipped);
            assert_eq!(found.gradient[0] == 0.0, clipped);
        }
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let (policy, rollout, reference) =
            ([-1.0f32, -0.4, -2.2, -0.9], [-1.1f32, -0.2, -2.6, -0.7], [-0.8f32, -0.5, -2.0, -1.5]);
        for normalisation in [Normalisation::Completion, Normalisation::Token, Normalisation::Constant] {
            let settings = ObjectiveSettings { clip: Some(CLIP), normalisation, ..PLAIN };
            let loss = |policy: &[f32]| {
                let log_probs = GroupLogProbs {
                    rollout: Some(&rollout),
                    reference: Some(&reference),
                    weights: Some(&[1.0, 0.3, 2.0, 1.5]),
                    ..at(policy, &[3, 1])
                };
                objective(log_probs, &[0.7, -1.3], &settings)
            };
            let found = loss(&policy);
            for i in 0..policy.len() {
                let moved = |delta: f32| {
                    let mut moved = policy;
                    moved[i] += delta;
                    loss(&moved).loss
                };
                let slope = (moved(1e-3) - moved(-1e-3)) / 2e-3;
                assert!((slope - f64::from(found.gradient[i])).abs() < 1e-4, "{i}: {slope} {}", found.gradient[i]);
            }
        }
    }
}
