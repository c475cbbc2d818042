//! Checks of a recipe's numbers; a refusal says what was expected and what was found.

use std::ops::RangeInclusive;

/// Refuses too few things.
///
/// # Errors
/// When a number of things is smaller than `least`.
pub fn at_least(name: &str, found: u64, least: u64) -> Result<(), String> {
    match found >= least {
        true => Ok(()),
        false => Err(format!("{name}: expected at least {least}, found {found}")),
    }
}

/// Refuses what is out of range.
///
/// # Errors
/// When a number lies outside a range, or is NaN.
pub fn within(name: &str, found: f64, range: RangeInclusive<f64>) -> Result<(), String> {
    match range.contains(&found) {
        true => Ok(()),
        false => Err(format!("{name}: expected {} to {}, found {found}", range.start(), range.end())),
    }
}

/// Refuses what is not above zero.
///
/// # Errors
/// When a number is not above zero, or not finite.
pub fn positive(name: &str, found: f64) -> Result<(), String> {
    match found.is_finite() && found > 0.0 {
        true => Ok(()),
        false => Err(format!("{name}: expected a finite number above 0, found {found}")),
    }
}
