//! Importance: how the loss accounts for completions that came from another policy than the trained one.
//!
//! Truncated importance sampling (Ionides 2008, <https://doi.org/10.1198/106186008X320456>), as Yao et al. 2025 use it
//! between an inference engine and a trainer that disagree about the same weights (<https://fengyao.notion.site/off-policy-rl>).

use serde::{Deserialize, Serialize};

/// How much the tokens of a group count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Importance {
    /// `min(π / μ, C)` of each token.
    pub weights: Vec<f32>,
    /// Their figures.
    pub figures: ImportanceFigures,
}

/// Figures over tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportanceFigures {
    /// Tokens.
    pub tokens: usize,
    /// Sum of the ratios, before truncation.
    pub ratios: f64,
    /// Tokens whose ratio was above C.
    pub truncated: usize,
}

impl ImportanceFigures {
    /// Adds those of further tokens.
    pub fn add(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.ratios += other.ratios;
        self.truncated += other.truncated;
    }
}

/// The importance of tokens with log-probabilities `policy` under the trained policy as it was when they were sampled, and
/// `sampler` under the one that sampled them; `cap` is C.
#[must_use]
pub fn importance(policy: &[f32], sampler: &[f32], cap: f64) -> Importance {
    let mut found = Importance::default();
    for (policy, sampler) in policy.iter().zip(sampler) {
        let ratio = (f64::from(*policy) - f64::from(*sampler)).exp();
        found.weights.push(ratio.min(cap) as f32);
        found.figures.add(ImportanceFigures { tokens: 1, ratios: ratio, truncated: usize::from(ratio > cap) });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let found = importance(&[0.5f32.ln(), 0.3f32.ln(), 0.9f32.ln()], &[0.5f32.ln(), 0.6f32.ln(), 0.3f32.ln()], 2.0);
        for (found, expected) in found.weights.iter().zip([1.0, 0.5, 2.0]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert_eq!((found.figures.tokens, found.figures.truncated), (3, 1));
        assert!((found.figures.ratios - 4.5).abs() < 1e-5);
    }
}
