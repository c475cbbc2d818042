//! Questions whose honest answer is "not seen": a class the room never had, an object that was taken away before the
//! frames were rendered again, a black video, a video stuck on one frame.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::ask::{Answer, Ask, Draft, Topic, Video};
use super::stage::Stage;
use super::tally::Tally;
use crate::decor::{self, Patterns};
use crate::footprint::PlanBox;
use crate::world::{Object, World};

/// Share of exams in which a topic asks for a distance, and in which it asks for a count: so that of all questions for
/// distances and for counts about a third is about what is not seen.
const DISTANCE_SHARE: f64 = 0.52;
const COUNT_SHARE: f64 = 0.22;
/// What begins lower than this stands on the floor and darkens it, metres.
const STANDS_M: f64 = 0.05;

/// All four topics; what an object stands under cannot be taken away.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally, rng: &mut ChaCha8Rng) -> Vec<Draft> {
    let had: Vec<&str> = stage.classes().map(|(class, _)| class).collect();
    let never: Vec<&String> = stage.menu.iter().filter(|class| !had.contains(&class.as_str())).collect();
    let absent = never.choose(rng).map(|class| (class.as_str(), Video::Walk));
    let mut unique = stage.unique();
    unique.shuffle(rng);
    let removed = unique
        .iter()
        .find(|&&object| tally.passes(Topic::RemovedObject, "something stands on it", !carries(stage, object)));
    let removed = removed.map(|&object| (stage.class(object), Video::Without(stage.objects[object].id)));
    let black = unique.last().map(|&object| (stage.class(object), Video::Black));
    let by_topic = [
        (Topic::AbsentClass, absent),
        (Topic::RemovedObject, removed),
        (Topic::BlackVideo, black),
        (Topic::FrozenVideo, frozen(stage, tally, rng)),
    ];
    by_topic.into_iter().filter_map(|(topic, about)| draft(topic, about?, rng)).collect()
}

/// A class that a frame does not show, and that frame.
fn frozen<'a>(stage: &Stage<'a>, tally: &mut Tally, rng: &mut ChaCha8Rng) -> Option<(&'a str, Video)> {
    let frame = rng.random_range(0..stage.frames.len());
    let shows = |object: &usize| stage.frames[frame].of(stage.objects[*object].id).visible > 0.0;
    let hidden = stage
        .askable()
        .filter(|(_, instances)| tally.passes(Topic::FrozenVideo, "the frame shows it", !instances.iter().any(shows)));
    let hidden: Vec<&str> = hidden.map(|(class, _)| class).collect();
    hidden.choose(rng).map(|class| (*class, Video::Frozen(frame)))
}

fn draft(topic: Topic, (class, video): (&str, Video), rng: &mut ChaCha8Rng) -> Option<Draft> {
    let lot: f64 = rng.random();
    let ask = match lot {
        lot if lot < DISTANCE_SHARE => Ask::EgoDistance(class.to_owned()),
        lot if lot < DISTANCE_SHARE + COUNT_SHARE => Ask::Count(class.to_owned()),
        _ => return None,
    };
    Some(Draft { topic, ask, answer: Answer::NotSeen, video, guess: None })
}

/// Whether another object stands on this one.
fn carries(stage: &Stage, object: usize) -> bool {
    let below = &stage.objects[object];
    let on_it = |above: &Object| {
        above.id != below.id && (above.span_m[0] - below.span_m[1]).abs() < 0.1 && above.plan.overlaps(&below.plan)
    };
    stage.objects.iter().any(on_it)
}

/// The world without one object. The ids after it move down by one, so that they still have no gaps; the floor under
/// it is as light as the rest.
pub fn without(world: &World, id: u16) -> World {
    let mut world = world.clone();
    world.objects.retain(|object| object.id != id);
    for object in world.objects.iter_mut().filter(|object| object.id > id) {
        object.id -= 1;
        object.body.id -= 1;
    }
    world.motions.retain(|motion| motion.id != id);
    for motion in world.motions.iter_mut().filter(|motion| motion.id > id) {
        motion.id -= 1;
    }
    let standing: Vec<PlanBox> = world.objects.iter().filter(|o| o.span_m[0] < STANDS_M).map(|o| o.plan).collect();
    // How light a surface is does not depend on the patterns, which are drawn at random.
    let lit = decor::surfaces(&world.room, &standing, Patterns::Known, &mut ChaCha8Rng::seed_from_u64(0));
    for (surface, lit) in world.surfaces.iter_mut().zip(lit) {
        surface.openness = lit.openness;
    }
    if world.lighting.shadows.is_some() {
        world.cast_shadows();
    }
    world
}
