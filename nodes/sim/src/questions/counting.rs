//! `object_counting`: how many instances of a class the room has.

use super::ask::{Answer, Ask, Draft, Topic};
use super::stage::Stage;
use super::tally::Tally;

/// Classes with two instances or more, all seen.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally) -> Vec<Draft> {
    let topic = Topic::ObjectCounting;
    let mut drafts = Vec::new();
    for (class, instances) in stage.classes() {
        let seen = instances.iter().all(|&object| stage.is_seen(object));
        if tally.passes(topic, "an instance was not seen", seen)
            && tally.passes(topic, "fewer than two instances", instances.len() >= 2)
        {
            drafts.push(Draft::walk(Ask::Count(class.to_owned()), Answer::Number(instances.len() as f64)));
        }
    }
    drafts
}
