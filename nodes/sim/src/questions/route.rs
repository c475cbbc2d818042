//! `route_planning`: the turns of a walk from one object, facing a second, past a third to a fourth.
//!
//! A walker stops beside objects: straight out from the middle of the box, in one of sixteen directions, at the first
//! free spot. Legs are straight and free. The route that is asked about is the shortest; it is unique where every
//! route that is at most 20 % longer takes the same turns, and there are several: for this walker, for rivals who come
//! nearer to walls and furniture, and for one who keeps farther away. So no answer hangs on a few centimetres.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::angle::{apart, towards, turn_deg};
use super::ask::{Answer, Ask, Draft, Topic};
use super::stage::Stage;
use super::tally::Tally;
use crate::closest::box_distance;
use crate::plan::{FreeFloor, Keepout, WALKING_CLEARANCE_M};

/// How many quadruples of objects are tried in one exam.
const TRIES: usize = 720;
/// What rivals keep away from, and how far, metres.
const RIVALS: [(Keepout, f64); 4] =
    [(Keepout::Boxes, 0.35), (Keepout::Outlines, 0.28), (Keepout::Outlines, 0.25), (Keepout::Outlines, 0.2)];
/// A stop is at most this far from the object's outline, metres.
pub const REACH_M: f64 = 1.0;
/// Least length of a leg, metres.
pub const LEAST_LEG_M: f64 = 0.8;
/// A walker who finds fewer routes than this hangs on the choice of a stop.
const LEAST_ROUTES: usize = 4;
/// Routes up to this much longer than the shortest take the same turns.
pub const RIVAL_SHARE: f64 = 0.2;

/// The words of one turn.
pub(super) const TURNS: [&str; 3] = ["turn left", "turn right", "turn back"];

/// What a walker does: two turns, in degrees.
#[derive(Debug, Clone, Copy)]
struct Route {
    length_m: f64,
    turns: [f64; 2],
}

/// Quadruples of unique objects with one clear route.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally, rng: &mut ChaCha8Rng) -> Vec<Draft> {
    let mut unique = stage.unique();
    let mut quadruples = Vec::new();
    while quadruples.len() < TRIES && unique.len() >= 4 {
        unique.shuffle(rng);
        if let Some(&four) = unique.first_chunk::<4>() {
            quadruples.push(four);
        }
    }
    quadruples.sort_unstable();
    quadruples.dedup();
    let mut walker = Walker::new(stage, Keepout::Boxes, WALKING_CLEARANCE_M);
    let mut rivals = RIVALS.map(|(keepout, clearance)| Walker::new(stage, keepout, clearance));
    quadruples.into_iter().filter_map(|four| draft(&mut walker, &mut rivals, tally, four)).collect()
}

struct Walker<'s, 'a> {
    stage: &'s Stage<'a>,
    floor: FreeFloor<'s>,
    stops: BTreeMap<usize, Vec<[f64; 2]>>,
    /// The free legs between two objects, as pairs of indices into their stops.
    legs: BTreeMap<(usize, usize), Vec<(usize, usize)>>,
}

/// The question whose answer is the turns of the walker's shortest route, if those of nobody's routes differ.
fn draft(walker: &mut Walker, rivals: &mut [Walker], tally: &mut Tally, four: [usize; 4]) -> Option<Draft> {
    let topic = Topic::RoutePlanning;
    let [start, _, via, goal] = four.map(|object| &walker.stage.objects[object]);
    let apart = box_distance(start, via).min(box_distance(via, goal));
    if !tally.passes(topic, "objects of a leg nearer than 0.8 m", apart >= LEAST_LEG_M) {
        return None;
    }
    let shortest = walker.routes(four).into_iter().min_by(|a, b| a.length_m.total_cmp(&b.length_m));
    let Some(shortest) = shortest else {
        tally.drop(topic, "no free route with legs of 0.8 m", 1);
        return None;
    };
    if !tally.passes(topic, "a turn not within 60–120° or 150–180°", shortest.turns.into_iter().all(is_clear)) {
        return None;
    }
    let words = shortest.turns.map(turn_words);
    let longest = (1.0 + RIVAL_SHARE) * shortest.length_m;
    let agrees = |walker: &mut Walker| {
        let mut routes = walker.routes(four);
        routes.retain(|route| route.length_m <= longest);
        routes.len() >= LEAST_ROUTES && routes.iter().all(|route| route.turns.map(turn_words) == words)
    };
    let same = agrees(walker) && rivals.iter_mut().all(agrees);
    let [Some(first), Some(second)] = words else { return None };
    let [start, face, via, goal] = four.map(|object| walker.stage.class(object).to_owned());
    let answer = Answer::Words(format!("{first}, {second}"));
    tally
        .passes(topic, "few routes within 20 %, or other turns among them", same)
        .then(|| Draft::walk(Ask::Route { start, face, via, goal }, answer))
}

impl<'s, 'a> Walker<'s, 'a> {
    fn new(stage: &'s Stage<'a>, keepout: Keepout, clearance_m: f64) -> Self {
        let floor = FreeFloor::new(&stage.plan, stage.objects, keepout, clearance_m);
        Self { stage, floor, stops: BTreeMap::new(), legs: BTreeMap::new() }
    }

    fn routes(&mut self, [start, face, via, goal]: [usize; 4]) -> Vec<Route> {
        let (out, on) = (self.legs(start, via), self.legs(via, goal));
        let looked_at = self.stage.centre(face);
        let (from, mid, to) = (self.stops(start), self.stops(via), self.stops(goal));
        let mut routes = Vec::new();
        for &(a, b) in &out {
            for &(_, c) in on.iter().filter(|leg| leg.0 == b) {
                let (first, second) = (towards(from[a], mid[b]), towards(mid[b], to[c]));
                routes.push(Route {
                    length_m: apart(from[a], mid[b]) + apart(mid[b], to[c]),
                    turns: [turn_deg(towards(from[a], looked_at), first), turn_deg(first, second)],
                });
            }
        }
        routes
    }

    fn stops(&mut self, object: usize) -> Vec<[f64; 2]> {
        let (stage, floor) = (self.stage, &self.floor);
        self.stops.entry(object).or_insert_with(|| stops(stage, floor, object)).clone()
    }

    fn legs(&mut self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let (starts, ends) = (self.stops(from), self.stops(to));
        let floor = &self.floor;
        let legs = self.legs.entry((from, to)).or_insert_with(|| {
            let pairs = (0..starts.len()).flat_map(|a| (0..ends.len()).map(move |b| (a, b)));
            let walkable = |&(a, b): &(usize, usize)| {
                apart(starts[a], ends[b]) >= LEAST_LEG_M && floor.line_is_free(starts[a], ends[b])
            };
            pairs.filter(walkable).collect()
        });
        legs.clone()
    }
}

/// The first spot that one can get to in each of sixteen directions, counted from the front of the object.
fn stops(stage: &Stage, floor: &FreeFloor, object: usize) -> Vec<[f64; 2]> {
    let object = &stage.objects[object];
    let outwards = (0..16).map(|k| object.plan.yaw + f64::from(k) * std::f64::consts::FRAC_PI_8);
    let stop = |yaw: f64| {
        let [dx, dy] = super::angle::heading(yaw);
        let at = |step: u32| {
            let off = 0.05 * f64::from(step);
            [object.plan.centre[0] + off * dx, object.plan.centre[1] + off * dy]
        };
        (0..).map(at).take_while(|&p| object.plan_distance(p) <= REACH_M).find(|&p| floor.is_reachable(p))
    };
    outwards.filter_map(stop).collect()
}

fn is_clear(turn: f64) -> bool {
    (60.0..=120.0).contains(&turn.abs()) || turn.abs() >= 150.0
}

/// The turn in words; `None` for straight on.
fn turn_words(turn: f64) -> Option<&'static str> {
    match turn {
        t if t.abs() < 45.0 => None,
        t if t.abs() > 135.0 => Some(TURNS[2]),
        t => Some(TURNS[usize::from(t < 0.0)]),
    }
}
