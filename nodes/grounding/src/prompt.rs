//! The prompt's words, from the templates of a model directory. Training and robot both call these two functions.

use geometry::CameraFacts;

/// What stands for a fact that is not known.
pub const UNKNOWN: &str = "unknown";

/// Fills `{fov}`, `{height}` and `{pitch}` of the system template: whole degrees, metres in steps of 0.05 with two
/// decimals, whole degrees (negative looks down); [`UNKNOWN`] where a fact is missing or not finite.
pub fn system(template: &str, facts: &CameraFacts) -> String {
    let degrees = |value: f32| format!("{}", value.round() as i32);
    let metres = |value: f32| format!("{:.2}", (f64::from(value) * 20.0).round() / 20.0);
    fill(
        template,
        &[
            ("{fov}", fact(facts.horizontal_fov_deg, degrees)),
            ("{height}", fact(facts.height_m, metres)),
            ("{pitch}", fact(facts.pitch_deg, degrees)),
        ],
    )
}

/// Fills `{question}` of the user template.
pub fn user(template: &str, question: &str) -> String {
    fill(template, &[("{question}", question.to_owned())])
}

/// Fills `{object}` and `{objects}` (its plural) of a phrasing.
pub fn phrase(template: &str, object: &str) -> String {
    fill(template, &[("{objects}", crate::plural(object)), ("{object}", object.to_owned())])
}

fn fact(value: Option<f32>, write: impl Fn(f32) -> String) -> String {
    value.filter(|value| value.is_finite()).map_or_else(|| UNKNOWN.to_owned(), write)
}

/// Replaces from left to right in one pass, so that a filled-in text is never searched.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        rest = match values.iter().find(|(name, _)| from.starts_with(name)) {
            Some((name, value)) => {
                filled.push_str(value);
                &from[name.len()..]
            }
            None => {
                filled.push('{');
                &from[1..]
            }
        };
    }
    filled.push_str(rest);
    filled
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
        assert_eq!(user("Q: {question} {other}", "{question} {fov}?"), "Q: {question} {fov}? {other}");
        assert_eq!(phrase("how many {objects}? a {object}", "shelf"), "how many shelves? a shelf");
    }
}
