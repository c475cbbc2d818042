//! The second opinion on routes: the turns from middle to middle, where one can walk at all.

use super::cloud::Cloud;
use super::survey::Survey;

/// How far the middle of a walker's cell keeps from that of every cell that holds something, metres: less than those who
/// are asked, so that whoever finds a way is not held up by the size of a cell.
pub const CLEARANCE_M: f64 = 0.15;
/// A stop is at most this far from the object's points, metres.
const REACH_M: f64 = 1.0;
/// Between stops on one way out from the middle of an object, metres.
const STEP_M: f64 = 0.1;

/// Where one can stop beside an object: all along sixteen ways out from its middle.
pub fn stops(survey: &Survey, cloud: &Cloud, yaw: f64) -> Vec<[f64; 2]> {
    let middle = cloud.middle(yaw);
    let spots = (0..16).flat_map(|way| (0..30).map(move |step| (way, step))).map(|(way, step)| {
        let way = yaw + f64::from(way) * std::f64::consts::TAU / 16.0;
        let off = f64::from(step) * STEP_M;
        [middle[0] + off * way.cos(), middle[1] + off * way.sin()]
    });
    spots.filter(|&p| survey.walkable(p) && cloud.floor_distance(p) <= REACH_M).collect()
}

/// Whether one can walk straight from one of these spots to one of the next, and from there straight to one of the last.
pub fn can_be_walked(survey: &Survey, [from, mid, to]: [&[[f64; 2]]; 3]) -> bool {
    let reaches = |ends: &[[f64; 2]], b: [f64; 2]| ends.iter().any(|&end| survey.straight(end, b));
    mid.iter().any(|&b| reaches(from, b) && reaches(to, b))
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
