//! Scores of one number against another.

/// |prediction − truth| / truth; infinite where the truth is 0 and the prediction is not, or either is not finite.
pub fn relative_error(prediction: f64, truth: f64) -> f64 {
    if prediction == truth && truth.is_finite() {
        return 0.0;
    }
    let error = (prediction - truth).abs() / truth.abs();
    if error.is_finite() { error } else { f64::INFINITY }
}

/// MRA: the share of thresholds θ in 0.50, 0.55, …, 0.95 with a relative error of at most 1 − θ.
pub fn mean_relative_accuracy(prediction: f64, truth: f64) -> f64 {
    let error = relative_error(prediction, truth);
    let held = (0..10).filter(|step| error <= 1.0 - (0.50 + 0.05 * f64::from(*step))).count();
    held as f64 / 10.0
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
