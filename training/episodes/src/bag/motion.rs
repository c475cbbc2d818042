//! Questions about the robot's own motion, which odometry answers: how far it moved, which way it turned.

use serde::Deserialize;

use super::track::Track;
use crate::episode::{Label, LabelSource, ProblemType, Question, Span, number_text};

/// Shorter ways are not asked about, metres.
const LEAST_MOVE_M: f64 = 0.3;
/// A turn of less is none, degrees; one between the two is not asked about.
const NO_TURN_DEG: f64 = 3.0;
/// A turn of at least so much has a side, degrees.
const LEAST_TURN_DEG: f64 = 15.0;
/// One of more may be taken for the other side's.
const MOST_TURN_DEG: f64 = 165.0;
const OPTIONS: [&str; 3] = ["A. left", "B. right", "C. hardly at all"];

const WORDING: &str = include_str!("motion.toml");

#[derive(Deserialize)]
struct Wording {
    distance: Vec<String>,
    turn: Vec<String>,
}

/// Questions about stretches of `window_nanos`, one after the other, of frames with these stamps.
pub(super) fn questions(track: &Track, stamps: &[i64], window_nanos: i64) -> Vec<Question> {
    // The file is part of the program; a test reads it.
    let Ok(wording) = toml::from_str::<Wording>(WORDING) else { return Vec::new() };
    let mut questions = Vec::new();
    let mut rest = stamps;
    let mut number = 0;
    while let Some(first) = rest.first() {
        let count = rest.partition_point(|stamp| *stamp <= first.saturating_add(window_nanos));
        let (stretch, behind) = rest.split_at(count);
        rest = behind;
        let Some(moved) = Motion::over(track, stretch) else { continue };
        questions.extend(moved.distance().map(|label| moved.ask("camera_distance", &wording.distance, number, label)));
        questions.extend(moved.side().map(|label| Question {
            problem_type: ProblemType::MultipleChoice,
            options: OPTIONS.map(str::to_owned).to_vec(),
            ..moved.ask("camera_turn_side", &wording.turn, number, label)
        }));
        number += 1;
    }
    questions
}

/// How the robot moved over the frames of one stretch.
struct Motion {
    span: Span,
    moved_m: f64,
    /// Counter-clockwise, over more than half a turn too.
    turned_deg: f64,
}

impl Motion {
    fn over(track: &Track, stretch: &[i64]) -> Option<Self> {
        let poses: Option<Vec<_>> = stretch.iter().map(|stamp| track.at(*stamp)).collect();
        let poses = poses?;
        let (first, last) = (poses.first()?, poses.last()?);
        let moved = last.translation.vector - first.translation.vector;
        let turns = poses.windows(2).filter_map(|pair| match pair {
            [before, after] => Some((before.inverse() * after).rotation.euler_angles().2),
            _ => None,
        });
        let span = Span { from_nanos: *stretch.first()?, until_nanos: *stretch.last()? };
        Some(Self { span, moved_m: moved.x.hypot(moved.y), turned_deg: turns.sum::<f64>().to_degrees() })
    }

    fn distance(&self) -> Option<Label> {
        (self.moved_m >= LEAST_MOVE_M).then(|| Label::new(number_text(self.moved_m), LabelSource::Odometry))
    }

    fn side(&self) -> Option<Label> {
        let letter = match self.turned_deg.abs() {
            turn if turn <= NO_TURN_DEG => "C",
            turn if !(LEAST_TURN_DEG..=MOST_TURN_DEG).contains(&turn) => return None,
            _ if self.turned_deg > 0.0 => "A",
            _ => "B",
        };
        (self.span.from_nanos < self.span.until_nanos).then(|| Label::new(letter, LabelSource::Odometry))
    }

    fn ask(&self, kind: &str, phrasings: &[String], number: usize, label: Label) -> Question {
        let seconds = (self.span.until_nanos - self.span.from_nanos) as f64 / 1e9;
        let phrasing = phrasings.get(number % phrasings.len().max(1)).cloned().unwrap_or_default();
        Question {
            id: format!("{kind}-{number}"),
            text: phrasing.replace("{seconds}", &number_text((seconds * 10.0).round() / 10.0)),
            problem_type: ProblemType::Numerical,
            kind: kind.to_owned(),
            label: Some(label),
            span: Some(self.span),
            ..Question::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use geometry::rigid_transform;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    /// A quarter turn to the left on a circle of 1 m in 4 s, then straight on at 0.5 m/s.
    fn track() -> Track {
        let mut track = Track::default();
        for step in 0..=120 {
            let secs = f64::from(step) / 10.0;
            let angle = secs.min(4.0) / 4.0 * std::f64::consts::FRAC_PI_2;
            let (x, y) = (angle.sin(), 1.0 - angle.cos() + (secs - 4.0).max(0.0) * 0.5);
            let turn = [0.0, 0.0, (angle / 2.0).sin(), (angle / 2.0).cos()];
            track.push((secs * 1e9) as i64, rigid_transform([x, y, 0.0], turn));
        }
        track.sort();
        track
    }

    #[test]
    fn odometry_answers_how_far_and_which_way() {
        let stamps: Vec<i64> = (0..=16).map(|half| half * SECOND / 2).collect();
        let found = questions(&track(), &stamps, 4 * SECOND);
        let label = |id: &str| {
            let question = found.iter().find(|question| question.id == id);
            question.and_then(|question| Some((question.label.clone()?.text, question.text.clone())))
        };
        assert_eq!(label("camera_distance-0").unwrap().0, "1.414");
        assert_eq!(label("camera_turn_side-0").unwrap().0, "A");
        assert_eq!(label("camera_distance-1").unwrap().0, "1.75");
        let (letter, text) = label("camera_turn_side-1").unwrap();
        assert!(letter == "C" && text.contains("3.5 seconds"), "{letter} {text}");
        assert!(found.iter().all(|question| question.label.as_ref().unwrap().source == LabelSource::Odometry));
        let none = questions(&Track::default(), &stamps, 4 * SECOND);
        assert!(none.is_empty(), "no odometry, no question");
    }
}
