//! `ego_distance`, `ego_direction_side`, `ego_direction_clock`: where an object is from the newest frame.

use super::angle::{
    APART_M, BORDER_DEG, SIDE_BORDERS, apart, clear_of, heading, hour, hour_margin, side, towards, turn_deg,
};
use super::ask::{Answer, Ask, Draft, Topic};
use super::stage::Stage;
use super::tally::Tally;
use crate::closest::floor_distance;
use crate::questions::DISTANCE_RANGE_M;

/// Least distance of a direction from the border between two hours, degrees.
const HOUR_BORDER_DEG: f64 = 5.0;

/// Unique objects at askable distances, and those in a clear direction.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally) -> Vec<Draft> {
    let camera = stage.newest();
    let ground = [camera.position[0], camera.position[1]];
    let mut drafts = Vec::new();
    for index in stage.unique() {
        let class = || stage.class(index).to_owned();
        let distance = floor_distance(&stage.objects[index].body, ground);
        if tally.passes(Topic::EgoDistance, "not within 0.4–8 m", DISTANCE_RANGE_M.contains(&distance)) {
            drafts.push(Draft::walk(Ask::EgoDistance(class()), Answer::Number(distance)));
        }
        let centre = stage.centre(index);
        let angle = turn_deg(heading(camera.yaw), towards(ground, centre));
        let far = apart(ground, centre) >= APART_M;
        let topic = Topic::EgoDirectionSide;
        if tally.passes(topic, "centre nearer than 0.8 m", far)
            && tally.passes(topic, "within 15° of a border", clear_of(angle, &SIDE_BORDERS, BORDER_DEG))
        {
            drafts.push(Draft::walk(Ask::EgoSide(class()), Answer::Words(side(angle).to_owned())));
        }
        let topic = Topic::EgoDirectionClock;
        if tally.passes(topic, "centre nearer than 0.8 m", far)
            && tally.passes(topic, "within 5° of a border", hour_margin(angle) >= HOUR_BORDER_DEG)
        {
            drafts.push(Draft::walk(Ask::EgoClock(class()), Answer::Words(clock_words(hour(angle)))));
        }
    }
    drafts
}

/// `3 o'clock`.
pub(super) fn clock_words(hour: u32) -> String {
    format!("{hour} o'clock")
}
