//! `route_planning`: the turns of a walk from one object, facing a second, past a third to a fourth.
//!
//! As in all questions about directions, somebody stands at the middle of an object and looks at, or goes to, that of
//! another; so no answer hangs on where exactly one stops. It is asked only about what can be walked: from a free spot
//! beside the first object straight to one beside the third, and straight on to one beside the fourth. Every such route
//! that is at most 20 % longer than the shortest takes the same turns.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::angle::{APART_M, apart, towards, turn_deg};
use super::ask::{Answer, Ask, Draft, Topic};
use super::stage::Stage;
use super::tally::Tally;
use crate::plan::{FreeFloor, WALKING_CLEARANCE_M};

/// How many walks past three objects are tried in one exam.
const TRIES: usize = 600;
/// A stop is at most this far from the object's outline, metres.
const REACH_M: f64 = 1.0;
/// Routes up to this much longer than the shortest take the same turns.
const DETOUR_SHARE: f64 = 0.2;
/// Least share of the free floor that hangs together: else it is left to chance on which part one walks.
const LEAST_TOGETHER: f64 = 0.75;

const FLOOR_IN_PARTS: &str = "the free floor falls into parts";
const TOO_NEAR: &str = "middles nearer than 0.8 m";
const NO_ROUTE: &str = "no free route";
const UNCLEAR_TURN: &str = "a turn not within 60–120° or 150–180°";
const OTHER_TURNS: &str = "other turns within 20 % of the shortest route";

/// The words of one turn.
pub(super) const TURNS: [&str; 3] = ["turn left", "turn right", "turn back"];

/// Two straight legs from beside one object past a second to a third.
#[derive(Debug, Clone, Copy)]
struct Route {
    from: [f64; 2],
    /// Along the legs, metres.
    legs: [[f64; 2]; 2],
}

impl Route {
    fn length_m(&self) -> f64 {
        self.legs.iter().map(|[x, y]| x.hypot(*y)).sum()
    }

    /// Both turns of a walker who first looks at a point, degrees.
    fn turns(&self, looked_at: [f64; 2]) -> [f64; 2] {
        [turn_deg(towards(self.from, looked_at), self.legs[0]), turn_deg(self.legs[0], self.legs[1])]
    }
}

/// Quadruples of unique objects with clear turns and one route.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally, rng: &mut ChaCha8Rng) -> Vec<Draft> {
    let unique = stage.unique();
    let mut walker = Walker::new(stage);
    let mut drafts = Vec::new();
    for walk in walks(&unique, rng) {
        let faces: Vec<usize> = unique.iter().copied().filter(|object| !walk.contains(object)).collect();
        match walker.near_shortest(walk) {
            Ok(routes) => drafts.extend(faces.iter().filter_map(|&face| draft(stage, tally, &routes, walk, face))),
            Err(reason) => tally.drop(Topic::RoutePlanning, reason, faces.len()),
        }
    }
    drafts
}

/// Up to [`TRIES`] ordered choices of three objects.
fn walks(unique: &[usize], rng: &mut ChaCha8Rng) -> Vec<[usize; 3]> {
    let pairs = unique.iter().flat_map(|&start| unique.iter().map(move |&via| (start, via)));
    let all = pairs.flat_map(|(start, via)| unique.iter().map(move |&goal| [start, via, goal]));
    let mut walks: Vec<[usize; 3]> = all.filter(|[a, b, c]| a != b && b != c && a != c).collect();
    walks.shuffle(rng);
    walks.truncate(TRIES);
    walks
}

/// The question about a walk between the middles of three objects, by somebody who first faces a fourth; `None` where a
/// turn is not clear, or one of `routes` takes other turns.
fn draft(stage: &Stage, tally: &mut Tally, routes: &[Route], walk: [usize; 3], face: usize) -> Option<Draft> {
    let topic = Topic::RoutePlanning;
    let [start, via, goal] = walk.map(|object| stage.centre(object));
    let looked_at = stage.centre(face);
    if !tally.passes(topic, TOO_NEAR, apart(start, looked_at) >= APART_M) {
        return None;
    }
    let turns = Route { from: start, legs: [towards(start, via), towards(via, goal)] }.turns(looked_at);
    if !tally.passes(topic, UNCLEAR_TURN, turns.into_iter().all(is_clear)) {
        return None;
    }
    let words = turns.map(turn_words);
    let same = routes.iter().all(|route| route.turns(looked_at).map(turn_words) == words);
    if !tally.passes(topic, OTHER_TURNS, same) {
        return None;
    }
    let [Some(first), Some(second)] = words else { return None };
    let [start, via, goal] = walk.map(|object| stage.class(object).to_owned());
    let face = stage.class(face).to_owned();
    Some(Draft::walk(Ask::Route { start, face, via, goal }, Answer::Words(format!("{first}, {second}"))))
}

struct Walker<'s, 'a> {
    stage: &'s Stage<'a>,
    floor: FreeFloor<'s>,
    stops: BTreeMap<usize, Vec<[f64; 2]>>,
    /// The free legs between two objects, as pairs of indices into their stops.
    legs: BTreeMap<(usize, usize), Vec<(usize, usize)>>,
}

impl<'s, 'a> Walker<'s, 'a> {
    fn new(stage: &'s Stage<'a>) -> Self {
        let floor = FreeFloor::new(&stage.plan, stage.objects, WALKING_CLEARANCE_M);
        Self { stage, floor, stops: BTreeMap::new(), legs: BTreeMap::new() }
    }

    /// The routes that are at most 20 % longer than the shortest; or why nothing can be asked about this walk, whatever
    /// one faces.
    fn near_shortest(&mut self, walk: [usize; 3]) -> Result<Vec<Route>, &'static str> {
        if self.floor.largest_share() < LEAST_TOGETHER {
            return Err(FLOOR_IN_PARTS);
        }
        let [start, via, goal] = walk.map(|object| self.stage.centre(object));
        if apart(start, via) < APART_M || apart(via, goal) < APART_M {
            return Err(TOO_NEAR);
        }
        if !is_clear(turn_deg(towards(start, via), towards(via, goal))) {
            return Err(UNCLEAR_TURN);
        }
        let mut routes = self.routes(walk);
        let shortest = routes.iter().map(Route::length_m).fold(f64::INFINITY, f64::min);
        routes.retain(|route| route.length_m() <= (1.0 + DETOUR_SHARE) * shortest);
        if routes.is_empty() { Err(NO_ROUTE) } else { Ok(routes) }
    }

    fn routes(&mut self, [start, via, goal]: [usize; 3]) -> Vec<Route> {
        let (out, on) = (self.legs(start, via), self.legs(via, goal));
        let (from, mid, to) = (self.stops(start), self.stops(via), self.stops(goal));
        let pairs =
            out.iter().flat_map(|&(a, b)| on.iter().filter(move |leg| leg.0 == b).map(move |&(_, c)| (a, b, c)));
        let route = |(a, b, c)| Route { from: from[a], legs: [towards(from[a], mid[b]), towards(mid[b], to[c])] };
        pairs.map(route).collect()
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
            pairs.filter(|&(a, b)| floor.line_is_free(starts[a], ends[b])).collect()
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
