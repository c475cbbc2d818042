//! Questions whose honest answer is "not seen": a class the room never had, an object that was taken away before the
//! frames were rendered again, a black video, a video stuck on one frame.

use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::ask::{Answer, Ask, Draft, Topic, Video};
use super::stage::Stage;
use super::tally::Tally;
use crate::decor::{self, Patterns};
use crate::footprint::PlanBox;
use crate::world::{Object, World};

/// How many absent classes, removed objects and hidden classes are asked about in one exam.
const PER_EXAM: usize = 2;
/// What begins lower than this stands on the floor and darkens it, metres.
const STANDS_M: f64 = 0.05;

/// All four topics; what an object stands under cannot be taken away.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally, rng: &mut ChaCha8Rng) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let had: Vec<&str> = stage.classes().map(|(class, _)| class).collect();
    let mut never: Vec<&String> = stage.menu.iter().filter(|class| !had.contains(&class.as_str())).collect();
    never.shuffle(rng);
    for class in never.into_iter().take(PER_EXAM) {
        push_both(&mut drafts, Topic::AbsentClass, class, &Video::Walk);
    }
    let mut unique = stage.unique();
    unique.shuffle(rng);
    for &object in unique.iter().take(PER_EXAM) {
        if tally.passes(Topic::RemovedObject, "something stands on it", !carries(stage, object)) {
            push_both(
                &mut drafts,
                Topic::RemovedObject,
                stage.class(object),
                &Video::Without(stage.objects[object].id),
            );
        }
    }
    for &object in unique.iter().rev().take(PER_EXAM) {
        push_both(&mut drafts, Topic::BlackVideo, stage.class(object), &Video::Black);
    }
    let frames: Vec<usize> = (0..stage.frames.len()).collect();
    let Some(&frame) = frames.choose(rng) else { return drafts };
    let mut hidden: Vec<&str> = Vec::new();
    for (class, instances) in stage.askable() {
        let shows = instances.iter().any(|&object| stage.frames[frame].of(stage.objects[object].id).visible > 0.0);
        if tally.passes(Topic::FrozenVideo, "the frame shows it", !shows) {
            hidden.push(class);
        }
    }
    hidden.shuffle(rng);
    for class in hidden.into_iter().take(PER_EXAM) {
        push_both(&mut drafts, Topic::FrozenVideo, class, &Video::Frozen(frame));
    }
    drafts
}

fn push_both(drafts: &mut Vec<Draft>, topic: Topic, class: &str, video: &Video) {
    for ask in [Ask::EgoDistance(class.to_owned()), Ask::Count(class.to_owned())] {
        drafts.push(Draft { topic, ask, answer: Answer::NotSeen, video: video.clone() });
    }
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
