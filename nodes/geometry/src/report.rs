//! What the model is told about the camera, with where each fact comes from or why it is unknown.

use std::fmt;

use crate::CameraFacts;

/// One fact.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fact {
    /// The value, in the fact's unit, where it is known.
    pub value: Option<f32>,
    /// Where it comes from; the reason where it is unknown.
    pub source: String,
}

impl Fact {
    /// A known fact.
    pub fn known(value: f64, source: impl Into<String>) -> Self {
        Self { value: Some(value as f32), source: source.into() }
    }

    /// An unknown one.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { value: None, source: why.into() }
    }

    /// Whether two readings of it are worth telling apart: another source, or a value that differs by `step` and more.
    fn differs(&self, other: &Self, step: f32) -> bool {
        let apart = match (self.value, other.value) {
            (Some(a), Some(b)) => (a - b).abs() >= step,
            (a, b) => a.is_some() != b.is_some(),
        };
        apart || self.source != other.source
    }
}

/// All that is told about a camera.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraReport {
    /// Width and height of the pictures as sent, pixels; `None` before the first one.
    pub picture: Option<(u32, u32)>,
    /// Horizontal field of view of the upright, straight picture, degrees.
    pub fov: Fact,
    /// Height of the camera over the floor, metres.
    pub height: Fact,
    /// Pitch, degrees; negative looks down.
    pub pitch: Fact,
    /// How far the picture leans to the right once it is upright, degrees. The model is not told.
    pub roll: Fact,
    /// The lens, and what becomes of its distortion.
    pub lens: String,
    /// What is done to make the pictures upright; empty where nothing is.
    pub view: String,
    /// Whether it is known where the camera is, and in which frame.
    pub pose: String,
}

impl CameraReport {
    /// What goes into the prompt.
    pub fn facts(&self) -> CameraFacts {
        CameraFacts { horizontal_fov_deg: self.fov.value, height_m: self.height.value, pitch_deg: self.pitch.value }
    }

    /// Whether somebody who reads a log should hear of it again: other sources, or values that differ by a degree or
    /// five centimetres and more.
    pub fn differs(&self, other: &Self) -> bool {
        self.picture != other.picture
            || [&self.lens, &self.view, &self.pose] != [&other.lens, &other.view, &other.pose]
            || self.fov.differs(&other.fov, 1.0)
            || self.height.differs(&other.height, 0.05)
            || self.pitch.differs(&other.pitch, 2.0)
            || self.roll.differs(&other.roll, 2.0)
    }

    /// Each fact by its name, as diagnostics show them.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        let size = self.picture.map_or_else(|| "unknown".to_owned(), |(width, height)| format!("{width}x{height}"));
        vec![
            ("picture", size),
            ("horizontal_fov_deg", number(&self.fov, 1)),
            ("horizontal_fov_source", self.fov.source.clone()),
            ("height_m", number(&self.height, 2)),
            ("height_source", self.height.source.clone()),
            ("pitch_deg", number(&self.pitch, 1)),
            ("pitch_source", self.pitch.source.clone()),
            ("roll_deg", number(&self.roll, 1)),
            ("lens", self.lens.clone()),
            ("view", self.view.clone()),
            ("pose", self.pose.clone()),
        ]
    }
}

fn number(fact: &Fact, digits: usize) -> String {
    fact.value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.digits$}"))
}

/// One line, for instance `640x480; fov 69 deg (camera_info); height 1.18 m (TF, over base_footprint); pitch -13 deg (TF);
/// lens none; pose in odom`.
impl fmt::Display for CameraReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((width, height)) = self.picture {
            write!(out, "{width}x{height}; ")?;
        }
        let facts =
            [("fov", &self.fov, 0, " deg"), ("height", &self.height, 2, " m"), ("pitch", &self.pitch, 0, " deg")];
        for (name, fact, digits, unit) in facts {
            let unit = if fact.value.is_some() { unit } else { "" };
            write!(out, "{name} {}{unit} ({}); ", number(fact, digits), fact.source)?;
        }
        if let Some(roll) = self.roll.value.filter(|roll| roll.abs() >= 5.0) {
            write!(out, "leans {roll:.0} deg; ")?;
        }
        write!(out, "lens {}", self.lens)?;
        for more in [&self.view, &self.pose] {
            if !more.is_empty() {
                write!(out, "; {more}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> CameraReport {
        CameraReport {
            picture: Some((640, 480)),
            fov: Fact::known(69.3, "camera_info"),
            height: Fact::known(1.18, "TF, over base_footprint"),
            pitch: Fact::unknown("no transform"),
            roll: Fact::known(0.4, "TF"),
            lens: "none".to_owned(),
            view: String::new(),
            pose: "pose in odom".to_owned(),
        }
    }

    #[test]
    fn a_line_says_what_is_known_from_where_and_why_not() {
        let expected = "640x480; fov 69 deg (camera_info); height 1.18 m (TF, over base_footprint); pitch unknown (no \
                        transform); lens none; pose in odom";
        assert_eq!(report().to_string(), expected);
        let leaning = CameraReport { roll: Fact::known(-20.0, "TF"), ..report() };
        assert!(leaning.to_string().contains("leans -20 deg"), "{leaning}");
    }

    #[test]
    fn a_swaying_robot_is_not_told_again_and_a_lost_fact_is() {
        let swaying = CameraReport {
            roll: Fact::known(0.9, "TF"),
            height: Fact::known(1.19, "TF, over base_footprint"),
            ..report()
        };
        assert!(!swaying.differs(&report()));
        for other in [
            CameraReport { height: Fact::known(1.3, "TF, over base_footprint"), ..report() },
            CameraReport { height: Fact::known(1.18, "TF, over base_link"), ..report() },
            CameraReport { fov: Fact::unknown("no camera_info"), ..report() },
            CameraReport { pose: "pose unknown".to_owned(), ..report() },
        ] {
            assert!(other.differs(&report()), "{other}");
        }
    }
}
