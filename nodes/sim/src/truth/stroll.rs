//! The second opinion on routes: every pair of legs between stops, the shortest wins.

use super::cloud::Cloud;
use super::survey::Survey;

/// How far the middle of a walker's cell keeps from that of every cell that holds something, metres: 0.3 less a diagonal.
pub const CLEARANCE_M: f64 = 0.26;
/// A stop is at most this far from the object's points, metres.
const REACH_M: f64 = 1.0;
/// Least leg, metres.
const LEG_M: f64 = 0.8;
/// Steps straight out from the middle of an object, metres.
const STEP_M: f64 = 0.05;

/// Where one can stop beside an object: sixteen ways out from its middle.
pub fn stops(survey: &Survey, cloud: &Cloud, yaw: f64) -> Vec<[f64; 2]> {
    let middle = cloud.middle(yaw);
    let mut stops = Vec::new();
    for way in 0..16 {
        let way = yaw + f64::from(way) * std::f64::consts::TAU / 16.0;
        let mut inside_reach = true;
        let mut off = 0.0;
        // The points of a hollow object may be out of reach from its own middle.
        while inside_reach {
            let p = [middle[0] + off * way.cos(), middle[1] + off * way.sin()];
            inside_reach = off < 3.0 && (off < 0.5 || cloud.floor_distance(p) <= REACH_M);
            if inside_reach && survey.walkable(p) {
                stops.push(p);
                break;
            }
            off += STEP_M;
        }
    }
    stops
}

/// The shortest walk with two free legs.
pub fn shortest(survey: &Survey, from: &[[f64; 2]], mid: &[[f64; 2]], to: &[[f64; 2]]) -> Option<[[f64; 2]; 3]> {
    let mut best: Option<(f64, [[f64; 2]; 3])> = None;
    for &b in mid {
        let leg = |p: &[f64; 2]| (p[0] - b[0]).hypot(p[1] - b[1]);
        let ends = |all: &[[f64; 2]]| {
            let free = all.iter().filter(|p| leg(p) >= LEG_M && survey.straight(**p, b));
            free.min_by(|p, q| leg(p).total_cmp(&leg(q))).copied()
        };
        let (Some(a), Some(c)) = (ends(from), ends(to)) else { continue };
        let length = leg(&a) + leg(&c);
        if best.is_none_or(|(known, _)| length < known) {
            best = Some((length, [a, b, c]));
        }
    }
    best.map(|(_, walk)| walk)
}

/// The turns of a walk in words; `None` where it goes straight on.
pub fn words(looked_at: [f64; 2], [a, b, c]: [[f64; 2]; 3]) -> Option<String> {
    let first = turn(a, looked_at, b)?;
    let beyond = [2.0 * b[0] - a[0], 2.0 * b[1] - a[1]];
    let second = turn(b, beyond, c)?;
    Some(format!("turn {first}, turn {second}"))
}

fn turn(at: [f64; 2], facing: [f64; 2], to: [f64; 2]) -> Option<&'static str> {
    match super::bearing::quarter(super::bearing::right_of(at, facing, to)) {
        "front" => None,
        way => Some(way),
    }
}
