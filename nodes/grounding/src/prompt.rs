//! The prompt's words, from the templates of a model directory. Training and robot both call these two functions.

use geometry::CameraFacts;
use model_dir::fill;

/// What stands for a fact that is not known.
pub const UNKNOWN: &str = "unknown";

/// Fills `{fov}`, `{height}` and `{pitch}` of the system template: whole degrees, metres in steps of 0.05 with two
/// decimals, whole degrees (negative looks down); [`UNKNOWN`] where a fact is missing or not finite.
pub fn system(template: &str, facts: &CameraFacts) -> String {
    let degrees = |value: f32| format!("{}", value.round() as i32);
    let metres = |value: f32| format!("{:.2}", (f64::from(value) * 20.0).round() / 20.0);
    let fov = fact(facts.horizontal_fov_deg, degrees);
    let height = fact(facts.height_m, metres);
    let pitch = fact(facts.pitch_deg, degrees);
    fill(template, &[("fov", &fov), ("height", &height), ("pitch", &pitch)])
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
        assert_eq!(system(TEMPLATE, &facts), "camera: fov 69 height 1.25 pitch -13");
        let unknown = "camera: fov unknown height unknown pitch unknown";
        assert_eq!(system(TEMPLATE, &CameraFacts::default()), unknown);
        let broken = CameraFacts { horizontal_fov_deg: Some(f32::NAN), height_m: Some(f32::INFINITY), pitch_deg: None };
        assert_eq!(system(TEMPLATE, &broken), unknown);
        let level = CameraFacts { pitch_deg: Some(-0.2), height_m: Some(0.01), ..facts };
        assert_eq!(system(TEMPLATE, &level), "camera: fov 69 height 0.00 pitch 0");
    }

    #[test]
    fn a_question_is_not_a_template() {
        assert_eq!(phrase("how many {objects}? a {object}", "shelf"), "how many shelves? a shelf");
    }
}
