//! The prompt's words, from the templates of a model directory. Training and robot both call these functions.

use geometry::{CameraFacts, PlanPose};
use model_dir::fill;
use msgs::Unit;

/// What stands for a fact that is not known.
pub const UNKNOWN: &str = "unknown";

/// A unit as completions write it behind a number and a space.
pub fn unit_words(unit: Unit) -> &'static str {
    match unit {
        Unit::Degree => "degrees",
        unit => unit.symbol(),
    }
}

/// Fills `{fov}`, `{height}` and `{pitch}` of the system template: whole degrees, metres in steps of 0.05 with two
/// decimals, whole degrees (negative looks down); [`UNKNOWN`] where a fact is missing or not finite. `{path}` is where
/// `cameras`, one for each pair of frames, were as the newest has it: see [`path`].
pub fn system(template: &str, facts: &CameraFacts, cameras: Option<&[PlanPose]>) -> String {
    let degrees = |value: f32| format!("{}", value.round() as i32);
    let metres = |value: f32| format!("{:.2}", (f64::from(value) * 20.0).round() / 20.0);
    let fov = fact(facts.horizontal_fov_deg, degrees);
    let height = fact(facts.height_m, metres);
    let pitch = fact(facts.pitch_deg, degrees);
    let path = path(cameras.unwrap_or_default());
    fill(template, &[("fov", &fov), ("height", &height), ("pitch", &pitch), ("path", &path)])
}

/// Farthest that a coordinate can be written, metres.
pub const FARTHEST_M: f64 = 9.9;
/// Degrees that headings are rounded to.
const TURN_STEP_DEG: f64 = 5.0;
/// Such steps in a full turn.
const TURNS: f64 = 360.0 / TURN_STEP_DEG;

/// A camera's way as the newest of `cameras` has it, oldest first: for each `+1.2-0.4+30;`, metres ahead and to the left,
/// in steps of 0.1 and no farther than 9.9, and the degrees that it faced to the left, in steps of 5 from -175 to 180.
/// [`UNKNOWN`] without a camera, or where a number is not finite.
///
/// Odometry is what tells a robot how its own camera moved; a model that is told needs not guess it from pictures.
pub fn path(cameras: &[PlanPose]) -> String {
    let is_known = |pose: &PlanPose| [pose.x, pose.y, pose.yaw_rad].into_iter().all(f64::is_finite);
    let Some(newest) = cameras.last().filter(|_| cameras.iter().all(is_known)) else { return UNKNOWN.to_owned() };
    cameras.iter().map(|camera| step_text(&camera.seen_from(newest))).collect()
}

/// A coordinate as paths and places write it: metres with sign and one decimal, no farther than [`FARTHEST_M`].
pub fn coordinate(metres: f64) -> String {
    // Adding zero makes -0 a +0.
    format!("{:+.1}", (metres.clamp(-FARTHEST_M, FARTHEST_M) * 10.0).round() / 10.0 + 0.0)
}

/// Every coordinate that can be written, metres, ascending.
pub fn coordinates() -> impl Iterator<Item = f64> {
    (-99..=99).map(|tenths| f64::from(tenths) / 10.0)
}

/// A heading or a turn as paths and completions write it: degrees with sign in steps of 5, -175 to 180.
pub fn heading(degrees: f64) -> String {
    let steps = (degrees / TURN_STEP_DEG).round().rem_euclid(TURNS);
    let steps = if 2.0 * steps > TURNS { steps - TURNS } else { steps };
    // Adding zero makes -0 a +0.
    format!("{:+.0}", steps * TURN_STEP_DEG + 0.0)
}

/// Every heading that can be written, degrees, ascending.
pub fn headings() -> impl Iterator<Item = f64> {
    (-35..=36).map(|steps| f64::from(steps) * TURN_STEP_DEG)
}

fn step_text(seen: &PlanPose) -> String {
    format!("{}{}{};", coordinate(seen.x), coordinate(seen.y), heading(seen.yaw_rad.to_degrees()))
}

/// Every number that a path is written with, each with its sign.
pub fn path_numbers() -> impl Iterator<Item = String> {
    coordinates().map(coordinate).chain(headings().map(heading))
}

/// Fills `{object}` and `{objects}` (its plural) of a phrasing.
pub fn phrase(template: &str, object: &str) -> String {
    fill(template, &[("objects", &crate::plural(object)), ("object", object)])
}

fn fact(value: Option<f32>, write: impl Fn(f32) -> String) -> String {
    value.filter(|value| value.is_finite()).map_or_else(|| UNKNOWN.to_owned(), write)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "camera: fov {fov} height {height} pitch {pitch}";

    #[test]
    fn facts_are_rounded_and_unknowns_named() {
        let facts = CameraFacts { horizontal_fov_deg: Some(69.4), height_m: Some(1.234), pitch_deg: Some(-12.6) };
        assert_eq!(system(TEMPLATE, &facts, None), "camera: fov 69 height 1.25 pitch -13");
        let unknown = "camera: fov unknown height unknown pitch unknown";
        assert_eq!(system(TEMPLATE, &CameraFacts::default(), None), unknown);
        let broken = CameraFacts { horizontal_fov_deg: Some(f32::NAN), height_m: Some(f32::INFINITY), pitch_deg: None };
        assert_eq!(system(TEMPLATE, &broken, None), unknown);
        let level = CameraFacts { pitch_deg: Some(-0.2), height_m: Some(0.01), ..facts };
        assert_eq!(system(TEMPLATE, &level, None), "camera: fov 69 height 0.00 pitch 0");
    }

    #[test]
    fn a_path_is_told_as_the_newest_camera_has_it() {
        let camera = |x: f64, y: f64, degrees: f64| PlanPose { x, y, yaw_rad: degrees.to_radians() };
        let cameras = [camera(1.0, 2.0, 0.0), camera(1.04, 30.0, 268.0), camera(3.0, 2.0, 90.0)];
        assert_eq!(path(&cameras), "+0.0+2.0-90;+9.9+2.0+180;+0.0+0.0+0;");
        assert_eq!(system("path: {path}", &CameraFacts::default(), Some(&cameras[2..])), "path: +0.0+0.0+0;");
        for unknown in [vec![], vec![camera(f64::NAN, 0.0, 0.0), camera(0.0, 0.0, 0.0)]] {
            assert_eq!(path(&unknown), UNKNOWN);
        }
    }

    #[test]
    fn all_that_a_path_is_written_with_is_known() {
        let numbers: std::collections::BTreeSet<String> = path_numbers().collect();
        for i in -200..200 {
            let (along, degrees) = (f64::from(i) * 0.07, f64::from(i) * 1.9);
            let camera = PlanPose { x: along, y: -along, yaw_rad: degrees.to_radians() };
            let text = path(&[camera, PlanPose::default()]);
            let first = text.split(';').next().unwrap();
            let starts: Vec<usize> = first.match_indices(['+', '-']).map(|(at, _)| at).chain([first.len()]).collect();
            let written: Vec<&str> = starts.windows(2).map(|ends| &first[ends[0]..ends[1]]).collect();
            assert!(written.len() == 3 && written.iter().all(|number| numbers.contains(*number)), "{text}");
        }
    }

    #[test]
    fn a_question_is_not_a_template() {
        assert_eq!(phrase("how many {objects}? a {object}", "shelf"), "how many shelves? a shelf");
    }
}
