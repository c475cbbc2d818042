//! Placing that leaves free space in one piece, so that a camera can be carried everywhere.

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::{Habit, Piece, Placer, Slot, TRIES};
use crate::footprint::PlanBox;
use crate::free_space::{FreeSpace, HEADROOM_M};
use crate::room::Room;

/// Least size of a part of free space, cells.
const LEAST_PART: usize = 60;

/// Free space, and in how many parts it is.
#[derive(Debug, Clone)]
pub(super) struct Ways {
    space: FreeSpace,
    parts: usize,
}

impl Ways {
    fn of(space: FreeSpace) -> Self {
        Self { parts: space.part_sizes().len(), space }
    }

    /// What is left with more boxes; `None` if a part is lost, gained or too small.
    fn with(&self, boxes: &[PlanBox]) -> Option<Self> {
        let space = boxes.iter().fold(self.space.clone(), |space, plan| space.without(plan));
        let sizes = space.part_sizes();
        let whole = sizes.len() == self.parts && sizes.iter().all(|&size| size >= LEAST_PART);
        whole.then_some(Self { space, parts: self.parts })
    }
}

impl<'a> Placer<'a> {
    /// An empty room whose free space is to stay in one piece.
    pub(crate) fn keeping_ways(room: &'a Room) -> Self {
        Self { ways: Some(Ways::of(FreeSpace::unfurnished(room))), ..Self::new(room) }
    }

    /// Puts a door into a doorway. Closed, it parts the free space for good; open, it must not.
    pub(crate) fn hang(&mut self, leaf: Slot, closed: bool) -> bool {
        let Some(ways) = &self.ways else { return false };
        let hung = if closed { Some(Ways::of(ways.space.without(&leaf.plan))) } else { ways.with(&[leaf.plan]) };
        let Some(hung) = hung.filter(|_| self.room.contains_box(&leaf.plan)) else { return false };
        self.ways = Some(hung);
        self.taken.push(leaf);
        true
    }

    /// Takes a slot if it is free but for `support`, on which it stands or hangs, and ways stay open.
    pub(crate) fn take(&mut self, slot: Slot, support: Option<&Slot>) -> bool {
        let but_for: Vec<&Slot> = support.into_iter().collect();
        if !self.is_clear(&slot, &but_for) {
            return false;
        }
        if slot.bottom_m < HEADROOM_M && support.is_none_or(|support| support.bottom_m == slot.bottom_m) {
            let Some(ways) = self.ways.as_ref().and_then(|ways| ways.with(&[slot.plan])) else { return false };
            self.ways = Some(ways);
        }
        self.taken.push(slot);
        true
    }

    /// Whether what stands in `own` can move along `sweep`, also through what is `reserved` for it, and ways stay open
    /// around all of it.
    pub(crate) fn can_move(&self, own: &Slot, reserved: &[Slot], sweep: &[PlanBox]) -> bool {
        let but_for: Vec<&Slot> = reserved.iter().chain([own]).collect();
        let clear = |plan: &PlanBox| self.is_clear(&Slot { plan: *plan, ..*own }, &but_for);
        sweep.iter().all(clear) && self.ways.as_ref().is_some_and(|ways| ways.with(sweep).is_some())
    }

    fn is_clear(&self, slot: &Slot, but_for: &[&Slot]) -> bool {
        let others = self.taken.iter().filter(|other| !but_for.contains(other));
        slot.top_m < self.room.height_m
            && self.room.contains_box(&slot.plan)
            && !others.into_iter().any(|other| other.collides(slot))
    }

    /// Finds a place as [`Placer::place`] does, but on a top rather than through it, and with ways kept open.
    pub(crate) fn place_well(&mut self, piece: &Piece, rng: &mut ChaCha8Rng) -> Option<Slot> {
        (0..TRIES).find_map(|_| {
            let (slot, support) = self.supported(piece, rng);
            self.take(slot, support.as_ref()).then_some(slot)
        })
    }

    /// A free place at an outer wall, not yet taken.
    pub(crate) fn outer_wall_slot(&self, piece: &Piece, rng: &mut ChaCha8Rng) -> Option<Slot> {
        let half = [piece.size_m[0] / 2.0, piece.size_m[1] / 2.0];
        (0..TRIES).find_map(|_| {
            let plan = Self::at_one_of(self.room.outer_walls(), half, rng);
            let slot = Slot { plan, bottom_m: piece.elevation_m, top_m: piece.elevation_m + piece.size_m[2] };
            self.is_clear(&slot, &[]).then_some(slot)
        })
    }

    /// A candidate and what it stands on, if that isn't the floor.
    fn supported(&self, piece: &Piece, rng: &mut ChaCha8Rng) -> (Slot, Option<Slot>) {
        if piece.habit == Habit::OnTop
            && rng.random_bool(0.9)
            && let Some(top) = self.tops.choose(rng)
            && let Some(slot) = upon(top, piece, rng)
        {
            return (slot, Some(*top));
        }
        (self.candidate(&Piece { habit: standing(piece.habit), ..*piece }, rng), None)
    }
}

/// Where a thing goes that finds no top.
fn standing(habit: Habit) -> Habit {
    if habit == Habit::OnTop { Habit::Free } else { habit }
}

/// A place wholly on a top, turned a little; `None` if the thing is too large for it.
fn upon(top: &Slot, piece: &Piece, rng: &mut ChaCha8Rng) -> Option<Slot> {
    let half = [piece.size_m[0] / 2.0, piece.size_m[1] / 2.0];
    let turn: f64 = rng.random_range(-0.2..0.2);
    let (sin, cos) = (turn.sin().abs(), turn.cos());
    let reach = [half[0] * cos + half[1] * sin, half[0] * sin + half[1] * cos];
    let slack: [f64; 2] = std::array::from_fn(|i| top.plan.half[i] - reach[i]);
    if slack.iter().any(|&v| v <= 0.0) {
        return None;
    }
    let local = slack.map(|v| rng.random_range(-v..v));
    let plan = PlanBox { centre: top.plan.to_world(local), half, yaw: top.plan.yaw + turn };
    Some(Slot { plan, bottom_m: top.top_m, top_m: top.top_m + piece.size_m[2] })
}
