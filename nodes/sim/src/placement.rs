//! Where furniture stands: large things with their backs at walls, chairs at tables, small things on tops.
//!
//! Oriented boxes keep [`GAP_M`] apart; things at different heights (a picture over a sofa) may share floor.

mod ways;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::footprint::PlanBox;
use crate::room::{Room, Wall};
use ways::Ways;

/// Least distance between two boxes, metres.
pub const GAP_M: f64 = 0.05;
const TRIES: usize = 24;

/// A box that takes up space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    /// Footprint.
    pub plan: PlanBox,
    /// Lowest point over the floor, metres.
    pub bottom_m: f64,
    /// Highest point over the floor, metres.
    pub top_m: f64,
}

impl Slot {
    fn collides(&self, other: &Self) -> bool {
        self.bottom_m < other.top_m + GAP_M
            && other.bottom_m < self.top_m + GAP_M
            && self.plan.grown(GAP_M).overlaps(&other.plan)
    }
}

/// Where a kind of furniture wants to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Back at a wall, on the floor or at its elevation.
    Wall,
    /// Anywhere on the floor, in any direction.
    Free,
    /// At a table if there is one, facing it.
    AtTable,
    /// On a table or cabinet, else on the floor.
    OnTop,
}

impl Habit {
    /// The habit of a class; `on_top` and `elevation_m` are the model's.
    pub fn of(class: &str, on_top: bool, elevation_m: f32) -> Self {
        if on_top {
            return Self::OnTop;
        }
        match class {
            _ if elevation_m > 0.0 => Self::Wall,
            "chair" | "stool" | "office chair" => Self::AtTable,
            "table" | "coffee table" | "dining table" | "armchair" | "plant" | "lamp" | "floor lamp" | "box"
            | "bin" | "trash can" | "vase" | "bicycle" | "exercise bike" | "rug" | "ladder" => Self::Free,
            _ => Self::Wall,
        }
    }
}

/// What is to be placed.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// Width, depth and height, metres.
    pub size_m: [f64; 3],
    /// Height of its bottom over the floor, metres, unless it stands on something.
    pub elevation_m: f64,
    /// Where it wants to stand.
    pub habit: Habit,
}

/// The space of a room that is still free.
#[derive(Debug)]
pub struct Placer<'a> {
    room: &'a Room,
    taken: Vec<Slot>,
    tables: Vec<PlanBox>,
    tops: Vec<Slot>,
    /// Where a camera may still be carried, if that is to stay in one piece.
    ways: Option<Ways>,
}

impl<'a> Placer<'a> {
    /// An empty room.
    pub fn new(room: &'a Room) -> Self {
        Self { room, taken: Vec::new(), tables: Vec::new(), tops: Vec::new(), ways: None }
    }

    /// Keeps a space clear, for instance before a door.
    pub fn reserve(&mut self, slot: Slot) {
        self.taken.push(slot);
    }

    /// Says that chairs may stand around this box.
    pub fn offer_table(&mut self, plan: PlanBox) {
        self.tables.push(plan);
    }

    /// Says that small things may stand on this.
    pub fn offer_top(&mut self, slot: Slot) {
        self.tops.push(slot);
    }

    /// Finds a place; `None` if there is none after some tries.
    pub fn place(&mut self, piece: &Piece, rng: &mut ChaCha8Rng) -> Option<Slot> {
        if piece.elevation_m + piece.size_m[2] > self.room.height_m {
            return None;
        }
        for _ in 0..TRIES {
            let slot = self.candidate(piece, rng);
            let fits = self.room.contains_box(&slot.plan) && !self.taken.iter().any(|other| other.collides(&slot));
            if fits && slot.top_m < self.room.height_m {
                self.taken.push(slot);
                return Some(slot);
            }
        }
        None
    }

    /// Puts a fixture into a wall, clear of the others; its back is flush with the wall.
    pub fn place_fixture(&mut self, piece: &Piece, rng: &mut ChaCha8Rng) -> Option<Slot> {
        self.place(&Piece { habit: Habit::Wall, ..*piece }, rng)
    }

    fn candidate(&self, piece: &Piece, rng: &mut ChaCha8Rng) -> Slot {
        let half = [piece.size_m[0] / 2.0, piece.size_m[1] / 2.0];
        let stand = |plan: PlanBox, bottom: f64| Slot { plan, bottom_m: bottom, top_m: bottom + piece.size_m[2] };
        match piece.habit {
            Habit::OnTop if !self.tops.is_empty() && rng.random_bool(0.85) => {
                if let Some(slot) = self.on_top(half, rng) {
                    return stand(slot.0, slot.1);
                }
                stand(self.anywhere(half, rng), 0.0)
            }
            Habit::AtTable if !self.tables.is_empty() && rng.random_bool(0.75) => stand(self.at_table(half, rng), 0.0),
            Habit::Wall => stand(self.at_wall(half, rng), piece.elevation_m),
            _ => stand(self.anywhere(half, rng), 0.0),
        }
    }

    fn at_wall(&self, half: [f64; 2], rng: &mut ChaCha8Rng) -> PlanBox {
        Self::at_one_of(self.room.walls(), half, rng)
    }

    fn at_one_of(walls: Vec<Wall>, half: [f64; 2], rng: &mut ChaCha8Rng) -> PlanBox {
        let total: f64 = walls.iter().map(Wall::length_m).sum();
        let mut at = rng.random_range(0.0..total);
        let mut chosen = walls[0];
        for wall in walls {
            chosen = wall;
            if at < wall.length_m() {
                break;
            }
            at -= wall.length_m();
        }
        let slack = (chosen.length_m() - 2.0 * half[0] - 0.04).max(0.0);
        let along = half[0] + 0.02 + slack * rng.random::<f64>();
        PlanBox { centre: chosen.point(along, half[1] + 0.005), half, yaw: chosen.yaw() }
    }

    fn anywhere(&self, half: [f64; 2], rng: &mut ChaCha8Rng) -> PlanBox {
        let centre = self.room.size_m.map(|side| rng.random_range(0.0..side));
        let quarter = f64::from(rng.random_range(0..4)) * std::f64::consts::FRAC_PI_2;
        let yaw = if rng.random_bool(0.4) { rng.random_range(0.0..std::f64::consts::TAU) } else { quarter };
        PlanBox { centre, half, yaw }
    }

    fn at_table(&self, half: [f64; 2], rng: &mut ChaCha8Rng) -> PlanBox {
        let Some(table) = self.tables.choose(rng) else { return self.anywhere(half, rng) };
        let side = rng.random_range(0..4);
        let turn = f64::from(side) * std::f64::consts::FRAC_PI_2;
        let (long, across) =
            if side % 2 == 0 { (table.half[1], table.half[0]) } else { (table.half[0], table.half[1]) };
        let out = long + half[1] + rng.random_range(GAP_M * 1.1..0.3);
        let along = rng.random_range(-1.0..1.0) * (across - half[0] * 0.7).max(0.0);
        let (s, c) = turn.sin_cos();
        // Side 0 is local +y: the chair's front, −y, looks back at the table.
        let local = [c * along - s * out, s * along + c * out];
        PlanBox { centre: table.to_world(local), half, yaw: table.yaw + turn + rng.random_range(-0.25..0.25) }
    }

    fn on_top(&self, half: [f64; 2], rng: &mut ChaCha8Rng) -> Option<(PlanBox, f64)> {
        let top = self.tops.choose(rng)?;
        let room: [f64; 2] = std::array::from_fn(|i| top.plan.half[i] - half[i]);
        if room.iter().any(|&v| v < 0.0) {
            return None;
        }
        let local = room.map(|v| v * rng.random_range(-0.9..0.9));
        let yaw = top.plan.yaw + rng.random_range(-0.2..0.2);
        Some((PlanBox { centre: top.plan.to_world(local), half, yaw }, top.top_m))
    }
}
