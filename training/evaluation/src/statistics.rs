//! Means with what is known about them.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Resamples of a bootstrap.
const RESAMPLES: usize = 2000;
/// Any fixed seed: the same answers give the same interval.
const SEED: u64 = 95;

/// A mean with its 95 % interval; NaN of nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Values it is the mean of.
    pub count: usize,
}

/// The mean of `values` with the percentile-bootstrap interval (Efron 1979).
pub fn estimate(values: &[f64]) -> Estimate {
    let count = values.len();
    if count == 0 {
        return Estimate { mean: f64::NAN, lower: f64::NAN, upper: f64::NAN, count };
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut resampled = || (0..count).map(|_| values[random.random_range(0..count)]).sum::<f64>() / count as f64;
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| resampled()).collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[((share * RESAMPLES as f64) as usize).min(RESAMPLES - 1)];
    Estimate { mean: values.iter().sum::<f64>() / count as f64, lower: at(0.025), upper: at(0.975), count }
}

/// A share of `count` cases with its 95 % interval, which is honest at 0 and 1 too (Wilson 1927).
pub fn share(hits: usize, count: usize) -> Estimate {
    if count == 0 {
        return estimate(&[]);
    }
    let (n, p, z) = (count as f64, hits as f64 / count as f64, 1.96_f64);
    let (scale, middle) = (1.0 + z * z / n, p + z * z / (2.0 * n));
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    Estimate { mean: p, lower: (middle - half) / scale, upper: (middle + half) / scale, count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bootstrap_is_near_the_normal_interval() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let found = estimate(&values);
        assert_eq!((found.mean, found.count), (0.5, 400));
        assert!((found.lower - 0.451).abs() < 0.01 && (found.upper - 0.549).abs() < 0.01, "{found:?}");
        assert!(estimate(&[]).mean.is_nan());
    }

    #[test]
    fn a_share_of_all_is_not_certain() {
        // Wilson's interval of 10 of 10 is [0.722, 1].
        let found = share(10, 10);
        assert!((found.lower - 0.722).abs() < 1e-3 && (found.upper - 1.0).abs() < 1e-9, "{found:?}");
    }
}
