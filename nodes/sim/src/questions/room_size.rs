//! `room_size_estimation`: floor area, m².

use super::ask::{Answer, Ask, Draft, Topic};
use super::stage::Stage;
use super::tally::Tally;

/// One question about a room all of whose walls were seen.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally) -> Vec<Draft> {
    let seen = tally.passes(Topic::RoomSizeEstimation, "a wall was not seen", stage.all_walls_seen());
    let draft = seen.then(|| Draft::walk(Ask::RoomArea, Answer::Number(stage.plan.area_m2())));
    draft.into_iter().collect()
}
