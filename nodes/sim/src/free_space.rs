//! Where a camera may be carried.

use std::collections::VecDeque;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::footprint::PlanBox;
use crate::parts::{keep_largest, neighbours, parts};
use crate::room::Room;
use crate::world::World;

/// Side of a cell, metres.
pub const CELL_M: f64 = 0.1;
/// Distance that cameras keep from walls and boxes, metres.
pub const CLEARANCE_M: f64 = 0.3;
/// Distance of a cell's middle at which all of the cell keeps [`CLEARANCE_M`], also half a [`FINE_STEP_M`] beside it.
const CELL_CLEARANCE_M: f64 = CLEARANCE_M + CELL_M * std::f64::consts::FRAC_1_SQRT_2 + 0.005;
/// Distance between the points of a line that are looked at.
const COARSE_STEP_M: f64 = 0.05;
/// The same where the whole line has to keep its clearance.
pub(crate) const FINE_STEP_M: f64 = 0.01;
/// What hangs higher than this may be walked under, metres.
pub const HEADROOM_M: f64 = 2.0;

/// Cells of the floor where the camera may be.
#[derive(Debug, Clone)]
pub struct FreeSpace {
    columns: usize,
    rows: usize,
    free: Vec<bool>,
}

impl FreeSpace {
    /// The largest connected part of the floor that is 0.3 m from walls and from what stands lower than 2 m. In a
    /// room too full for that the clearance shrinks until there is space.
    pub fn of(world: &World) -> Self {
        let clearances = [CLEARANCE_M, 0.2, 0.1, 0.0];
        let spaces = clearances.iter().map(|&clearance| Self::with_clearance(world, clearance));
        let mut last = Self { columns: 1, rows: 1, free: vec![false] };
        for space in spaces {
            last = space;
            if last.free.iter().filter(|&&free| free).count() >= 100 {
                break;
            }
        }
        last
    }

    /// The largest connected part of the floor of which every point is [`CLEARANCE_M`] from walls and from what stands
    /// or moves lower than [`HEADROOM_M`].
    pub fn for_walks(world: &World) -> Self {
        let mut space = Self::all_of(world);
        keep_largest(&mut space.free, space.columns);
        space
    }

    /// The same in all its parts.
    pub fn all_of(world: &World) -> Self {
        let mut space = Self::unfurnished(&world.room);
        for plan in world.obstacles() {
            space.block(&plan, CELL_CLEARANCE_M);
        }
        space
    }

    /// The floor of a room without anything in it, in as many parts as it has.
    pub(crate) fn unfurnished(room: &Room) -> Self {
        Self::clear_of_walls(room, CELL_CLEARANCE_M)
    }

    /// What is left when a box stands in it, in as many parts as that gives.
    pub(crate) fn without(&self, plan: &PlanBox) -> Self {
        let mut left = self.clone();
        left.block(plan, CELL_CLEARANCE_M);
        left
    }

    fn clear_of_walls(room: &Room, clearance: f64) -> Self {
        let [columns, rows] = room.size_m.map(|side| (side / CELL_M).ceil() as usize);
        let mut space = Self { columns, rows, free: vec![false; columns * rows] };
        for index in 0..columns * rows {
            space.free[index] = room.contains(space.centre(index), clearance);
        }
        space
    }

    fn with_clearance(world: &World, clearance: f64) -> Self {
        let mut space = Self::clear_of_walls(&world.room, clearance);
        for object in world.objects.iter().filter(|object| object.span_m[0] < HEADROOM_M) {
            space.block(&object.plan, clearance);
        }
        keep_largest(&mut space.free, space.columns);
        space
    }

    fn block(&mut self, plan: &PlanBox, clearance: f64) {
        let reach = plan.half[0].hypot(plan.half[1]) + clearance;
        let range = |centre: f64, count: usize| {
            let index = |v: f64| (v / CELL_M).floor().clamp(0.0, count as f64) as usize;
            index(centre - reach)..index(centre + reach + CELL_M)
        };
        for row in range(plan.centre[1], self.rows) {
            for column in range(plan.centre[0], self.columns) {
                let index = row * self.columns + column;
                if self.free[index] && plan.distance(self.centre(index)) < clearance {
                    self.free[index] = false;
                }
            }
        }
    }

    /// The middle of a cell, metres.
    pub(crate) fn centre(&self, index: usize) -> [f64; 2] {
        [(index % self.columns) as f64, (index / self.columns) as f64].map(|v| (v + 0.5) * CELL_M)
    }

    /// Sizes of the connected parts, cells.
    pub fn part_sizes(&self) -> Vec<usize> {
        parts(&self.free, self.columns).1
    }

    /// The free cell that a plan point lies in.
    pub(crate) fn cell_at(&self, p: [f64; 2]) -> Option<usize> {
        let [x, y] = p.map(|v| (v / CELL_M).floor() as usize);
        self.is_free(p).then_some(y * self.columns + x)
    }

    /// The free cells around a cell, diagonals too, with the way there in tenths of a cell. No corner is cut.
    pub(crate) fn steps(&self, index: usize) -> impl Iterator<Item = (usize, u32)> {
        let free = |dx: isize, dy: isize| {
            let x = (index % self.columns).checked_add_signed(dx).filter(|&x| x < self.columns)?;
            let y = (index / self.columns).checked_add_signed(dy).filter(|&y| y < self.rows)?;
            Some(y * self.columns + x).filter(|&next| self.free[next])
        };
        let straight = [(-1, 0), (1, 0), (0, -1), (0, 1)].map(|(dx, dy)| free(dx, dy).map(|next| (next, 10)));
        let diagonal = [(-1, -1), (-1, 1), (1, -1), (1, 1)].map(|(dx, dy)| {
            free(dx, 0)?;
            free(0, dy)?;
            free(dx, dy).map(|next| (next, 14))
        });
        straight.into_iter().chain(diagonal).flatten()
    }

    /// A lower bound of the way between two cells, in tenths of a cell.
    pub(crate) fn least_way(&self, from: usize, to: usize) -> u32 {
        let d = [from % self.columns, from / self.columns].map(|v| v as u32);
        let e = [to % self.columns, to / self.columns].map(|v| v as u32);
        let (dx, dy) = (d[0].abs_diff(e[0]), d[1].abs_diff(e[1]));
        10 * dx.max(dy) + 4 * dx.min(dy)
    }

    /// Whether the camera may be at a plan point.
    pub fn is_free(&self, p: [f64; 2]) -> bool {
        let [x, y] = p.map(|v| (v / CELL_M).floor());
        x >= 0.0
            && y >= 0.0
            && (x as usize) < self.columns
            && (y as usize) < self.rows
            && self.free[y as usize * self.columns + x as usize]
    }

    /// Any free cell.
    pub(crate) fn any(&self, rng: &mut ChaCha8Rng) -> Option<usize> {
        let count = self.free.iter().filter(|&&free| free).count();
        let nth = if count == 0 { return None } else { rng.random_range(0..count) };
        (0..self.free.len()).filter(|&index| self.free[index]).nth(nth)
    }

    /// Corner points of a short way between two cells of the free space.
    pub(crate) fn way(&self, from: usize, to: usize) -> Vec<[f64; 2]> {
        let mut came = vec![usize::MAX; self.free.len()];
        let mut queue = VecDeque::from([from]);
        came[from] = from;
        while let Some(index) = queue.pop_front() {
            if index == to {
                break;
            }
            for next in neighbours(&self.free, self.columns, index) {
                if came[next] == usize::MAX {
                    came[next] = index;
                    queue.push_back(next);
                }
            }
        }
        let mut cells = vec![to];
        while let Some(&last) = cells.last()
            && last != from
            && came[last] != usize::MAX
        {
            cells.push(came[last]);
        }
        cells.reverse();
        self.straighten(cells.into_iter().map(|cell| self.centre(cell)).collect())
    }

    /// Drops corners that a straight free line can skip.
    fn straighten(&self, points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
        let mut kept = Vec::new();
        let mut at = 0;
        while at < points.len() {
            kept.push(points[at]);
            let next = (at + 1..points.len()).rev().step_by(3).find(|&to| self.line_is_free(points[at], points[to]));
            at = next.unwrap_or(at + 1);
        }
        kept
    }

    fn line_is_free(&self, a: [f64; 2], b: [f64; 2]) -> bool {
        self.line_is_free_by(COARSE_STEP_M, a, b)
    }

    /// Whether the straight way between two points is free at points not farther apart than `step_m`.
    pub(crate) fn line_is_free_by(&self, step_m: f64, a: [f64; 2], b: [f64; 2]) -> bool {
        let steps = ((b[0] - a[0]).hypot(b[1] - a[1]) / step_m).ceil().max(1.0);
        (0..=steps as usize).all(|i| self.is_free(std::array::from_fn(|k| a[k] + (b[k] - a[k]) * i as f64 / steps)))
    }
}
