//! Doors that swing: in outer walls, and in the doorway of a flat. The object is the leaf; its frame belongs to the wall.

use std::f64::consts::PI;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::before;
use crate::body::{Body, Placement, WALL_ID};
use crate::fixtures::{self, Fixture, LEAF_M};
use crate::footprint::PlanBox;
use crate::placement::{Habit, Piece, Placer, Slot};
use crate::room::Partition;

/// Space between a leaf and its frame, metres.
const GAP_M: f64 = 0.01;
/// Depth of a frame on a wall, metres.
const FRAME_DEPTH_M: f64 = 0.1;
/// How far a door in an outer wall opens, radians.
const WIDEST: f64 = 1.8;

/// A line about which a leaf turns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hinge {
    /// Plan point, metres.
    pub at: [f64; 2],
    /// Heading of the closed leaf from here to its handle, radians.
    pub closed: f64,
    /// 1 if the door opens counter-clockwise, else −1.
    pub side: f64,
}

impl Hinge {
    /// The leaf's box when it is open by an angle.
    fn leaf(&self, angle: f64, leaf: &Fixture) -> Slot {
        let line = PlanBox { centre: self.at, half: [0.0; 2], yaw: self.closed + self.side * angle };
        let [width, depth, height] = leaf.size_m;
        let centre = line.to_world([width / 2.0, -self.side * LEAF_M / 2.0]);
        Slot { plan: PlanBox { centre, half: [width / 2.0, depth / 2.0], yaw: line.yaw }, bottom_m: 0.0, top_m: height }
    }
}

/// A door in place.
pub(super) struct SwingDoor {
    pub leaf: Fixture,
    pub slot: Slot,
    pub hinge: Hinge,
    /// How far it is open, radians.
    pub angle: f64,
    /// Its frame, and what is kept clear before it.
    pub reserved: [Slot; 2],
    /// What is drawn of the wall around it.
    pub frame: Body,
}

/// A door in an outer wall, closed in one case of three.
pub(super) fn swing_door(placer: &mut Placer, rng: &mut ChaCha8Rng) -> Option<SwingDoor> {
    let opening = [rng.random_range(0.78..0.96), rng.random_range(2.0..2.12)];
    let frame = fixtures::frame(opening, FRAME_DEPTH_M, rng);
    let leaf = fixtures::leaf(opening[0] - 2.0 * GAP_M, opening[1] - GAP_M, rng);
    let piece = Piece { size_m: frame.size_m, elevation_m: 0.0, habit: Habit::Wall };
    let at = placer.outer_wall_slot(&piece, rng)?;
    let side = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
    // The front of a slot is −y. A leaf hinged at −x opens clockwise, towards it.
    let local = [-side * (opening[0] / 2.0 - GAP_M), -at.plan.half[1] + GAP_M];
    let closed = at.plan.yaw + if side > 0.0 { 0.0 } else { PI };
    let hinge = Hinge { at: at.plan.to_world(local), closed, side: -side };
    let mut angles = vec![0.0];
    if rng.random_bool(2.0 / 3.0) {
        angles.insert(0, rng.random_range(0.6..WIDEST));
    }
    let taken = angles.into_iter().map(|angle| (angle, hinge.leaf(angle, &leaf)));
    let (angle, slot) = taken.into_iter().find(|(_, slot)| placer.take(*slot, Some(&at)))?;
    let reserved = [at, before(&at, opening[0])];
    reserved.iter().for_each(|slot| placer.reserve(*slot));
    let [x, y] = at.plan.centre;
    let placement = Placement { position: [x, y, 0.0], yaw: at.plan.yaw, scale: [1.0; 3] };
    let frame = Body::new(WALL_ID, &frame.mesh, frame.skin, &placement);
    Some(SwingDoor { leaf, slot, hinge, angle, reserved, frame })
}

/// The door of a flat's doorway: mostly open, sometimes closed, sometimes none. Keeps both sides of the doorway clear.
pub(super) fn doorway(partition: &Partition, placer: &mut Placer, rng: &mut ChaCha8Rng) -> Option<(Fixture, Slot)> {
    let [from, to] = partition.doorway_m;
    let width = to - from;
    let fixture = fixtures::leaf(width - 2.0 * GAP_M, partition.doorway_height_m - GAP_M, rng);
    let (closed, none) = (rng.random_bool(0.2), rng.random_bool(0.15));
    // Beyond a right angle it would meet the wall.
    let angle = if closed { 0.0 } else { rng.random_range(0.47 * PI..0.5 * PI) };
    let hinges = hinges(partition);
    let hinge = hinges[rng.random_range(0..hinges.len())];
    let leaf = hinge.leaf(angle, &fixture);
    let hung = !none && placer.hang(leaf, closed);
    let [near, far] = partition.faces_m();
    for centre in [near - 0.45, far + 0.45] {
        let half = partition.point(0.45, width / 2.0 + 0.1);
        let plan = PlanBox { centre: partition.point(centre, (from + to) / 2.0), half, yaw: 0.0 };
        placer.reserve(Slot { plan, bottom_m: 0.0, top_m: leaf.top_m });
    }
    hung.then_some((fixture, leaf))
}

/// The four ways to hang a door in a doorway: at either jamb, opening into either room.
fn hinges(partition: &Partition) -> [Hinge; 4] {
    let [from, to] = partition.doorway_m;
    let along = if partition.axis == 0 { PI / 2.0 } else { 0.0 };
    std::array::from_fn(|i| {
        let (at_end, beyond) = (i % 2 == 1, i / 2 == 1);
        let (at, closed) = if at_end { (to - GAP_M, along + PI) } else { (from + GAP_M, along) };
        let across = partition.faces_m()[usize::from(beyond)];
        // Counter-clockwise from +y goes to −x; from +x to +y.
        let towards_far = if partition.axis == 0 { -1.0 } else { 1.0 };
        let side = towards_far * if beyond { 1.0 } else { -1.0 } * if at_end { -1.0 } else { 1.0 };
        Hinge { at: partition.point(across, at), closed, side }
    })
}
