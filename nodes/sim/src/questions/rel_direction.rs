//! `object_rel_direction_*`: where an object is for somebody who stands at one object and faces another.

use super::angle::{APART_M, BORDER_DEG, apart, clear_of, towards, turn_deg};
use super::ask::{Answer, Ask, Draft, Level, Topic};
use super::stage::Stage;
use super::tally::Tally;

/// All three levels.
pub(super) const LEVELS: [Level; 3] = [Level::Easy, Level::Medium, Level::Hard];

impl Level {
    /// The answers to choose from.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Easy => &["left", "right"],
            Self::Medium => &["left", "right", "back"],
            Self::Hard => &["front-left", "front-right", "back-left", "back-right"],
        }
    }

    /// Where one answer ends and the next begins, degrees from the facing direction.
    pub fn borders(self) -> &'static [f64] {
        match self {
            Self::Easy => &[0.0, 180.0],
            Self::Medium => &[0.0, 135.0, -135.0],
            Self::Hard => &[0.0, 90.0, 180.0, -90.0],
        }
    }

    fn word(self, angle: f64) -> &'static str {
        let left = angle > 0.0;
        match (self, angle.abs()) {
            (Self::Medium, off) if off > 135.0 => "back",
            (Self::Easy | Self::Medium, _) => ["right", "left"][usize::from(left)],
            (Self::Hard, off) if off < 90.0 => ["front-right", "front-left"][usize::from(left)],
            (Self::Hard, _) => ["back-right", "back-left"][usize::from(left)],
        }
    }
}

/// Ordered triples of unique objects, at every level whose borders are far enough.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally) -> Vec<Draft> {
    let unique = stage.unique();
    let mut drafts = Vec::new();
    for level in LEVELS {
        for &stand in &unique {
            for &face in unique.iter().filter(|&&face| face != stand) {
                let targets = unique.iter().filter(|&&target| target != stand && target != face);
                let around: Vec<Draft> =
                    targets.filter_map(|&target| draft(stage, tally, level, [stand, face, target])).collect();
                drafts.extend(undecided(level, around, tally));
            }
        }
    }
    drafts
}

/// Nothing is at the back of somebody who stands at a wall and faces the room: of such places the middle level would
/// tell by their names alone that the answer is not "back".
fn undecided(level: Level, around: Vec<Draft>, tally: &mut Tally) -> Vec<Draft> {
    let back = |draft: &Draft| matches!(&draft.answer, Answer::Words(words) if words == "back");
    if level != Level::Medium || around.iter().any(back) {
        return around;
    }
    tally.drop(Topic::ObjectRelDirectionMedium, "nothing is at the back there", around.len());
    Vec::new()
}

fn draft(stage: &Stage, tally: &mut Tally, level: Level, objects: [usize; 3]) -> Option<Draft> {
    let [a, b, c] = objects.map(|object| stage.centre(object));
    let [stand, face, target] = objects.map(|object| stage.class(object).to_owned());
    let ask = Ask::Direction { level, stand, face, target };
    let far = [apart(a, b), apart(b, c), apart(a, c)].into_iter().all(|distance| distance >= APART_M);
    let angle = turn_deg(towards(a, b), towards(a, c));
    let holds = tally.passes(ask.topic(), "centres nearer than 0.8 m", far)
        && tally.passes(ask.topic(), "within 15° of a border", clear_of(angle, level.borders(), BORDER_DEG));
    holds.then(|| Draft::walk(ask, Answer::Words(level.word(angle).to_owned())))
}
