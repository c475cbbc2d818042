//! The supervised loss: cross-entropy of the next token, with numbers as soft targets.

use candle_core::{D, Device, Tensor};
use episodes::SampleMaker;
use msgs::Unit;

use crate::Result;

/// The tokens that spell the numbers of a unit, with their values.
#[derive(Clone, Debug)]
pub struct NumberTokens {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Their values, ascending.
    pub values: Vec<f64>,
}

impl NumberTokens {
    /// Those of every unit that the model directory of `maker` spells with one token a number.
    pub fn by_unit(maker: &SampleMaker) -> Vec<(Unit, Self)> {
        let of_unit = |(unit, tokens): &(Unit, episodes::teacher::NumberTokens)| {
            let (ids, values) = tokens.iter().copied().unzip();
            (*unit, Self { ids, values })
        };
        maker.teacher().number_tokens().iter().map(of_unit).collect()
    }

    /// The target over these tokens for a true number: a Gaussian in its logarithm with deviation `sigma`, weighted by
    /// the width of each token's bin, summing to 1 (after HL-Gauss, Farebrother et al., arXiv 2403.03950).
    pub fn soft_target(&self, truth: f64, sigma: f64) -> Vec<f64> {
        let log_values: Vec<f64> = self.values.iter().map(|v| v.ln()).collect();
        let last = log_values.len() - 1;
        let bin_width = |i: usize| log_values[(i + 1).min(last)] - log_values[i.saturating_sub(1)];
        let density = |i: usize| (-0.5 * ((log_values[i] - truth.ln()) / sigma).powi(2)).exp();
        let raw: Vec<f64> = (0..=last).map(|i| bin_width(i) * density(i)).collect();
        let total: f64 = raw.iter().sum();
        raw.into_iter().map(|w| w / total).collect()
    }
}

/// A row of targets over the vocabulary, sparse.
#[derive(Clone, Debug, Default)]
pub struct TargetRow {
    /// (token id, probability × weight).
    pub entries: Vec<(u32, f32)>,
}

/// Σ over rows of −Σ target·log softmax(logits), divided by `normaliser`. `logits`: [rows, vocabulary].
pub fn cross_entropy(logits: &Tensor, targets: &[TargetRow], normaliser: f32) -> Result<Tensor> {
    let (rows, vocabulary) = logits.dims2()?;
    assert_eq!(rows, targets.len(), "one target row per row of logits");
    let mut dense = vec![0f32; rows * vocabulary];
    for (row, target) in targets.iter().enumerate() {
        for &(id, weight) in &target.entries {
            dense[row * vocabulary + id as usize] += weight;
        }
    }
    let dense = Tensor::from_vec(dense, (rows, vocabulary), logits.device())?;
    let log_probs = candle_nn::ops::log_softmax(logits, D::Minus1)?;
    Ok(((dense * log_probs)?.sum_all()? * f64::from(-1.0 / normaliser))?)
}

/// Mean of |prediction − target| over the entries where `weights` is 1; zero when there is none.
pub fn masked_l1(prediction: &Tensor, targets: &[f32], weights: &[f32], device: &Device) -> Result<Tensor> {
    let count = weights.iter().sum::<f32>().max(1.0);
    let targets = Tensor::from_slice(targets, prediction.shape(), device)?;
    let weights = Tensor::from_slice(weights, prediction.shape(), device)?;
    Ok((((prediction - targets)?.abs()? * weights)?.sum_all()? / f64::from(count))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_target_sums_to_one_and_peaks_at_the_truth() {
        let tokens = NumberTokens { ids: vec![0, 1, 2, 3], values: vec![1.0, 1.5, 2.0, 2.5] };
        let target = tokens.soft_target(2.02, 0.1);
        assert!((target.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(target[2] > 0.8, "{target:?}");
    }

    #[test]
    fn cross_entropy_by_hand() {
        // softmax of [0, ln 3] is [1/4, 3/4]; target all on the second, weight 2: −2 ln(3/4).
        let logits = Tensor::new(&[[0f32, 3f32.ln()]], &Device::Cpu).unwrap();
        let targets = [TargetRow { entries: vec![(1, 2.0)] }];
        let loss = cross_entropy(&logits, &targets, 1.0).unwrap().to_scalar::<f32>().unwrap();
        assert!((loss + 2.0 * 0.75f32.ln()).abs() < 1e-6, "{loss}");
    }
}
