//! Intervals that a model states itself, such as `2.4 [2.1, 2.8]`.

/// The interval between the last square brackets of an answer: two finite numbers, the lower one first, separated by a
/// comma. Units behind the numbers are passed over. `None` where there is none.
#[must_use]
pub fn stated_interval(answer: &str) -> Option<[f64; 2]> {
    let (_, rest) = answer.rsplit_once('[')?;
    let (inside, _) = rest.split_once(']')?;
    let (lower, upper) = inside.split_once(',')?;
    let interval = [number(lower)?, number(upper)?];
    (interval[0] <= interval[1]).then_some(interval)
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    text.get(..end)?.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The reward of a stated interval that shall hold the truth with probability `coverage`: `1 − clamp(S / (2·|t|), 0, 1)` with
/// the interval score `S = width + 2 / (1 − coverage) · (how far the truth lies outside)`.
///
/// The interval score (Gneiting & Raftery 2007, <https://doi.org/10.1198/016214506000001437>, section 6.2) is proper:
/// stating the true quantiles is best, and neither wide nor bold intervals pay.
#[must_use]
pub fn interval_reward([lower, upper]: [f64; 2], truth: f64, coverage: f64) -> f64 {
    let outside = (lower - truth).max(truth - upper).max(0.0);
    let score = (upper - lower) + 2.0 / (1.0 - coverage) * outside;
    let reward = 1.0 - (score / (2.0 * truth.abs())).clamp(0.0, 1.0);
    if reward.is_nan() { 0.0 } else { reward }
}
