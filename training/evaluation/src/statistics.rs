//! Means with what is known about them.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Share of cases in which intervals hold the mean, unless another is asked for.
pub const CONFIDENCE: f64 = 0.95;
/// Resamples of a bootstrap beyond either end of its interval.
const RESAMPLES_BEYOND: f64 = 50.0;
/// Any fixed seed: the same answers give the same interval.
const SEED: u64 = 95;

/// A mean with its interval, of 95 % unless said otherwise; NaN of nothing.
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
    if values.is_empty() {
        return Estimate { mean: f64::NAN, lower: f64::NAN, upper: f64::NAN, count: 0 };
    }
    bootstrap((mean(values), values.len()), CONFIDENCE, |random| resampled(values, random))
}

/// Puts the percentile-bootstrap interval of `confidence` around a mean of `count` values; `draw` computes the mean
/// again from resampled values.
pub fn bootstrap(
    (mean, count): (f64, usize),
    confidence: f64,
    mut draw: impl FnMut(&mut ChaCha8Rng) -> f64,
) -> Estimate {
    let beyond = (1.0 - confidence) / 2.0;
    let resamples = (RESAMPLES_BEYOND / beyond).round() as usize;
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut means: Vec<f64> = (0..resamples).map(|_| draw(&mut random)).collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means.get(((share * resamples as f64) as usize).min(resamples - 1)).copied();
    let end = |share| at(share).unwrap_or(f64::NAN);
    Estimate { mean, lower: end(beyond), upper: end(1.0 - beyond), count }
}

/// The mean; NaN of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean of as many values drawn with replacement; NaN of nothing.
pub fn resampled(values: &[f64], random: &mut ChaCha8Rng) -> f64 {
    let count = values.len();
    (0..count).map(|_| values[random.random_range(0..count)]).sum::<f64>() / count as f64
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

/// The [`share`] of `items` that `hit` holds for.
pub fn share_of<T>(items: impl IntoIterator<Item = T>, hit: impl Fn(&T) -> bool) -> Estimate {
    let (mut hits, mut count) = (0, 0);
    for item in items {
        hits += usize::from(hit(&item));
        count += 1;
    }
    share(hits, count)
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
        // 3.09 standard deviations of 0.025.
        let surer = bootstrap((0.5, 400), 0.998, |random| resampled(&values, random));
        assert!((surer.upper - 0.577).abs() < 0.01, "{surer:?}");
    }

    #[test]
    fn a_share_of_all_is_not_certain() {
        // Wilson's interval of 10 of 10 is [0.722, 1].
        let found = share(10, 10);
        assert!((found.lower - 0.722).abs() < 1e-3 && (found.upper - 1.0).abs() < 1e-9, "{found:?}");
    }
}
