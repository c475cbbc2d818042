//! Scores of one number against another.

const FIRST_THRESHOLD: f64 = 0.5;
const LAST_THRESHOLD: f64 = 0.95;
const THRESHOLDS: u32 = 10;

/// |prediction − truth| / |truth|; 0 where both are 0, infinite where the truth alone is 0 or either is not finite.
pub fn relative_error(prediction: f64, truth: f64) -> f64 {
    if prediction == truth && truth.is_finite() {
        return 0.0;
    }
    let error = (prediction - truth).abs() / truth.abs();
    if error.is_finite() { error } else { f64::INFINITY }
}

/// MRA: the share of thresholds θ in 0.50, 0.55, …, 0.95 with a relative error of at most 1 − θ.
///
/// The thresholds are to the last bit those of the released code, nine equal steps from 0.5 and then 0.95, so that errors of
/// exactly 5, 10, 15 … % fall on the same side.
pub fn mean_relative_accuracy(prediction: f64, truth: f64) -> f64 {
    let error = relative_error(prediction, truth);
    let step = (LAST_THRESHOLD - FIRST_THRESHOLD) / f64::from(THRESHOLDS - 1);
    let threshold =
        |index| if index + 1 == THRESHOLDS { LAST_THRESHOLD } else { FIRST_THRESHOLD + f64::from(index) * step };
    let held = (0..THRESHOLDS).filter(|index| error <= 1.0 - threshold(*index)).count();
    held as f64 / f64::from(THRESHOLDS)
}

/// The reward of a `regression` problem: `1 − clamp((|p − t| + 1e-9) / (|t| + 1e-9), 0, 1)`; 0 for what is not finite.
pub fn regression_accuracy(prediction: f64, truth: f64) -> f64 {
    let error = ((prediction - truth).abs() + 1e-9) / (truth.abs() + 1e-9);
    if error.is_nan() { 0.0 } else { 1.0 - error.clamp(0.0, 1.0) }
}

/// The median, of two middle values their mean; `None` for no values. Infinities count as largest.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(sorted.len() / 2 - 1)?;
    // Halves first: two infinities of one sign stay what they are.
    Some(lower / 2.0 + upper / 2.0)
}
