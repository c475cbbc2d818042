//! `camera_distance`, `camera_direction`, `camera_turn`, `camera_turn_side`: how the camera moved over the last seconds.

use super::angle::{BORDER_DEG, SIDE_BORDERS, apart, clear_of, heading, side, towards, turn_deg};
use super::ask::{Answer, Ask, Draft, Topic};
use super::stage::Stage;
use super::tally::Tally;

/// The stretches that are asked about, seconds before the newest frame.
pub const STRETCHES_SECS: [u32; 8] = [3, 5, 8, 10, 15, 20, 30, 40];
/// Shorter ways are not asked about, metres.
const LEAST_M: f64 = 0.3;
/// Least way whose direction is asked about, metres.
const LEAST_DIRECTION_M: f64 = 0.5;
/// Where the words of a turn change, degrees.
const TURN_BORDERS: [f64; 4] = [0.0, 90.0, 180.0, -90.0];

/// What [`Ask::TurnedSide`] chooses from.
pub(super) const TURNS: [&str; 4] = [
    "left, less than 90 degrees",
    "left, more than 90 degrees",
    "right, less than 90 degrees",
    "right, more than 90 degrees",
];

/// Every stretch that lies within the frames.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally) -> Vec<Draft> {
    let newest = stage.newest();
    let now = [newest.position[0], newest.position[1]];
    let mut drafts = Vec::new();
    for secs in STRETCHES_SECS {
        let Some(old) = stage.pose_before(secs) else { continue };
        let then = [old.position[0], old.position[1]];
        let way = apart(then, now);
        if tally.passes(Topic::CameraDistance, "less than 0.3 m", way >= LEAST_M) {
            drafts.push(Draft::walk(Ask::Moved(secs), Answer::Number(way)));
        }
        let angle = turn_deg(heading(old.yaw), towards(then, now));
        let topic = Topic::CameraDirection;
        if tally.passes(topic, "less than 0.5 m", way >= LEAST_DIRECTION_M)
            && tally.passes(topic, "within 15° of a border", clear_of(angle, &SIDE_BORDERS, BORDER_DEG))
        {
            drafts.push(Draft::walk(Ask::MovedWay(secs), Answer::Words(side(angle).to_owned())));
        }
        let turn = turn_deg(heading(old.yaw), heading(newest.yaw));
        let clear = clear_of(turn, &[0.0, 180.0], BORDER_DEG);
        if tally.passes(Topic::CameraTurn, "within 15° of no or half a turn", clear) {
            drafts.push(Draft::walk(Ask::Turned(secs), Answer::Number(turn.abs())));
        }
        if tally.passes(Topic::CameraTurnSide, "within 15° of a border", clear_of(turn, &TURN_BORDERS, BORDER_DEG)) {
            let words = TURNS[usize::from(turn < 0.0) * 2 + usize::from(turn.abs() > 90.0)];
            drafts.push(Draft::walk(Ask::TurnedSide(secs), Answer::Words(words.to_owned())));
        }
    }
    drafts
}
