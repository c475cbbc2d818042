//! `obj_appearance_order`: in which order four classes first filled enough of a frame.

use super::ask::{Answer, Ask, Draft, Topic};
use super::rel_distance::fours;
use super::stage::Stage;
use super::tally::Tally;

/// Least time between two first appearances, seconds.
const APART_SECS: f64 = 1.0;

/// Quadruples of classes, none of which the first frame shows. Large things tend to come into sight first, so the place
/// of the largest is what one might guess.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally) -> Vec<Draft> {
    let topic = Topic::ObjAppearanceOrder;
    let mut late: Vec<(f64, &str)> = Vec::new();
    for (class, instances) in stage.askable() {
        let Some(first) = stage.first_frame(instances) else { continue };
        if tally.passes(topic, "class in the first frame", first > 0) {
            late.push((stage.frames[first].pose.stamp_secs, class));
        }
    }
    late.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut drafts = Vec::new();
    for four in fours(late.len()) {
        let four = four.map(|index| late[index]);
        let told_apart = four.windows(2).all(|pair| pair[1].0 - pair[0].0 >= APART_SECS - 1e-9);
        if tally.passes(topic, "two appear within 1 s", told_apart) {
            let sizes = four.map(|(_, class)| stage.largest(class));
            let first_guess = (0..4).max_by(|&a, &b| sizes[a].total_cmp(&sizes[b]));
            let mut asked = four.map(|(_, class)| class.to_owned());
            let answer = Answer::Words(asked.join(", "));
            asked.sort();
            drafts.push(Draft { guess: first_guess, ..Draft::walk(Ask::Order(asked), answer) });
        }
    }
    drafts
}
