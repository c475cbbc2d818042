//! Angles on the plan and the sectors they fall into. Degrees, counter-clockwise: positive is to the left.

/// Least distance of a direction from a sector's border, degrees.
pub const BORDER_DEG: f64 = 15.0;
/// Least distance of two points whose direction is asked about, metres.
pub const APART_M: f64 = 0.8;

/// From one direction to another, −180..180.
pub fn turn_deg(from: [f64; 2], to: [f64; 2]) -> f64 {
    let cross = from[0] * to[1] - from[1] * to[0];
    cross.atan2(from[0] * to[0] + from[1] * to[1]).to_degrees()
}

/// From one point to another.
pub fn towards(from: [f64; 2], to: [f64; 2]) -> [f64; 2] {
    [to[0] - from[0], to[1] - from[1]]
}

/// Distance of two points, metres.
pub fn apart(a: [f64; 2], b: [f64; 2]) -> f64 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

/// Unit vector of a heading, radians.
pub fn heading(yaw: f64) -> [f64; 2] {
    [yaw.cos(), yaw.sin()]
}

/// How far one angle is to the left of another, −180..180.
pub fn off_deg(angle: f64, from: f64) -> f64 {
    (angle - from + 180.0).rem_euclid(360.0) - 180.0
}

/// Whether an angle keeps `margin` degrees from every border.
pub fn clear_of(angle: f64, borders: &[f64], margin: f64) -> bool {
    borders.iter().all(|border| off_deg(angle, *border).abs() >= margin)
}

/// Borders of the four sides.
pub const SIDE_BORDERS: [f64; 4] = [45.0, 135.0, -135.0, -45.0];
/// Words for the four sides.
pub const SIDES: [&str; 4] = ["front", "left", "back", "right"];

/// The side that an angle falls into.
pub fn side(angle: f64) -> &'static str {
    match angle {
        a if a.abs() <= 45.0 => SIDES[0],
        a if a.abs() >= 135.0 => SIDES[2],
        a if a > 0.0 => SIDES[1],
        _ => SIDES[3],
    }
}

/// The hour of the clock that an angle points at; 12 is ahead, 3 is to the right.
pub fn hour(angle: f64) -> u32 {
    match (-angle / 30.0).round().rem_euclid(12.0) as u32 {
        0 => 12,
        hour => hour,
    }
}

/// Degrees from an angle to the border between two hours.
pub fn hour_margin(angle: f64) -> f64 {
    let off = (angle / 30.0 - (angle / 30.0).round()).abs() * 30.0;
    15.0 - off
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_is_counter_clockwise() {
        assert!((turn_deg([0.0, 1.0], [-1.0, 0.0]) - 90.0).abs() < 1e-9);
        assert_eq!((side(90.0), side(-90.0), side(-170.0), side(20.0)), ("left", "right", "back", "front"));
    }

    #[test]
    fn hours_run_clockwise() {
        assert_eq!((hour(0.0), hour(-90.0), hour(90.0), hour(180.0), hour(-14.0), hour(16.0)), (12, 3, 9, 6, 12, 11));
        assert!((hour_margin(-14.0) - 1.0).abs() < 1e-9 && (hour_margin(30.0) - 15.0).abs() < 1e-9);
    }

    #[test]
    fn borders_are_kept_on_both_sides() {
        assert!(
            !clear_of(-170.0, &[180.0], 15.0) && !clear_of(170.0, &[180.0], 15.0) && clear_of(160.0, &[180.0], 15.0)
        );
    }
}
