//! How truths are written as numbers in completions.
//!
//! A distance has as many digits as its measurement deserves: steps of 0.05 m below 2 m, 0.1 m above. Each such
//! number is one token of the nano tokenizer, so a distribution over distances is a distribution over tokens.

/// Every distance that can be written, ascending, in metres, with its text.
pub fn distance_grid() -> Vec<(f64, String)> {
    let near = (1..40).map(|i| f64::from(i) * 0.05).map(|v| (v, format!("{v:.2}")));
    let far = (20..=120).map(|i| f64::from(i) * 0.1).map(|v| (v, format!("{v:.1}")));
    near.chain(far).collect()
}

/// The text of the grid's number closest to `metres`, clamped to the grid's ends.
pub fn distance_text(metres: f64) -> String {
    if metres < 1.975 {
        format!("{:.2}", (metres / 0.05).round().max(1.0) * 0.05)
    } else {
        format!("{:.1}", ((metres / 0.1).round() * 0.1).min(12.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_members_of_the_grid_and_close() {
        let grid = distance_grid();
        for i in 1..1300 {
            let metres = f64::from(i) * 0.01;
            let text = distance_text(metres);
            let (value, _) = grid.iter().find(|(_, t)| *t == text).unwrap_or_else(|| panic!("{metres} -> {text}"));
            assert!((value - metres.clamp(0.05, 12.0)).abs() <= 0.051, "{metres} -> {text}");
        }
    }
}
