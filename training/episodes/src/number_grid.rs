//! How truths are written as numbers in completions.
//!
//! A measurement has as many digits as it deserves: metres in steps of 0.05 below 2 and of 0.1 above, centimetres in
//! steps of 5 below 100 and of 10 above, whole square metres, degrees in steps of 5. Each such number is one token of
//! the nano tokenizer, so a distribution over numbers is a distribution over tokens. Counts are exact and have no grid.

use msgs::Unit;

/// The units whose numbers lie on a grid.
pub const GRID_UNITS: [Unit; 4] = [Unit::Metre, Unit::Centimetre, Unit::SquareMetre, Unit::Degree];

/// Every number that can be written in `unit`, ascending, with its text; empty for a unit without a grid.
pub fn number_grid(unit: Unit) -> Vec<(f64, String)> {
    let whole = |v: u32| (f64::from(v), v.to_string());
    match unit {
        Unit::Metre => {
            let near = (1..40).map(|i| f64::from(i) * 0.05).map(|v| (v, format!("{v:.2}")));
            let far = (20..=120).map(|i| f64::from(i) * 0.1).map(|v| (v, format!("{v:.1}")));
            near.chain(far).collect()
        }
        Unit::Centimetre => (1..20).map(|i| whole(5 * i)).chain((10..=60).map(|i| whole(10 * i))).collect(),
        Unit::SquareMetre => (3..=150).map(whole).collect(),
        Unit::Degree => (1..=36).map(|i| whole(5 * i)).collect(),
        Unit::None | Unit::Count => Vec::new(),
    }
}

/// The text of the number closest to `value`: on the grid of its unit, clamped to the grid's ends; whole where there is
/// no grid.
pub fn number_text(unit: Unit, value: f64) -> String {
    let on = |step: f64, low: f64, high: f64| ((value / step).round() * step).clamp(low, high);
    match unit {
        Unit::Metre if value < 1.975 => format!("{:.2}", on(0.05, 0.05, 2.0)),
        Unit::Metre => format!("{:.1}", on(0.1, 2.0, 12.0)),
        Unit::Centimetre if value < 97.5 => format!("{:.0}", on(5.0, 5.0, 95.0)),
        Unit::Centimetre => format!("{:.0}", on(10.0, 100.0, 600.0)),
        Unit::SquareMetre => format!("{:.0}", on(1.0, 3.0, 150.0)),
        Unit::Degree => format!("{:.0}", on(5.0, 5.0, 180.0)),
        Unit::None | Unit::Count => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_members_of_the_grid_and_close() {
        for (unit, step, scale) in [
            (Unit::Metre, 0.051, 0.01),
            (Unit::Centimetre, 5.1, 0.5),
            (Unit::SquareMetre, 0.51, 0.1),
            (Unit::Degree, 2.51, 0.15),
        ] {
            let grid = number_grid(unit);
            let ends = (grid[0].0, grid[grid.len() - 1].0);
            for i in 1..1300 {
                let truth = f64::from(i) * scale;
                let text = number_text(unit, truth);
                let (value, _) = grid.iter().find(|(_, t)| *t == text).unwrap_or_else(|| panic!("{truth} -> {text}"));
                assert!((value - truth.clamp(ends.0, ends.1)).abs() <= step, "{truth} {unit:?} -> {text}");
            }
        }
    }
}
