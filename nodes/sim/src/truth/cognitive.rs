//! SpaceR's cognitive map (arXiv 2504.01805): object centres on a 10×10 grid over the room's bounding square.
//!
//! The square is as long as the longer side of the room's bounds and has the same middle; `x` grows with the world's x,
//! `y` with the world's y. Our other map, metric and centred on the robot, is [`super::seen_objects`]'s.

use msgs::{Cell, GRID_SIZE};

use crate::questions::stage::Stage;

/// A centre this near a border, in cells, is accepted on both sides.
pub const BORDER_CELLS: f64 = 0.05;

/// One object on a cognitive map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedObject {
    /// What a person would call it.
    pub class: String,
    /// The cells that are right, the one that holds the centre first.
    pub accepted: Vec<Cell>,
}

/// The square that a cognitive map covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Square {
    /// Corner of least x and y, metres.
    pub origin: [f64; 2],
    /// Side of a cell, metres.
    pub cell_m: f64,
}

impl Square {
    /// The bounding square of a stage's plan.
    pub fn of(stage: &Stage) -> Self {
        let [low, high] = stage.plan.bounds();
        let side = (high[0] - low[0]).max(high[1] - low[1]);
        let origin = std::array::from_fn(|i| (low[i] + high[i] - side) / 2.0);
        Self { origin, cell_m: side / GRID_SIZE as f64 }
    }

    /// The cells that are right for a point, the one that holds it first; a point outside counts to the nearest cell.
    pub fn accepted(&self, p: [f64; 2]) -> Vec<Cell> {
        accepted([0, 1].map(|i: usize| (p[i] - self.origin[i]) / self.cell_m))
    }
}

/// The cells that are right for a point in cells from the corner, the one that holds it first.
pub(super) fn accepted(at: [f64; 2]) -> Vec<Cell> {
    let [columns, rows] = at.map(indices);
    rows.iter().flat_map(|&y| columns.iter().map(move |&x| Cell { x, y })).collect()
}

/// The index that holds a coordinate, then its neighbour where the border is near.
fn indices(at: f64) -> Vec<u8> {
    let last = GRID_SIZE as f64 - 1.0;
    let own = at.floor().clamp(0.0, last);
    let mut indices = vec![own as u8];
    for (border, neighbour) in [(own, own - 1.0), (own + 1.0, own + 1.0)] {
        if (at - border).abs() <= BORDER_CELLS && (0.0..=last).contains(&neighbour) {
            indices.push(neighbour as u8);
        }
    }
    indices
}

/// The cognitive map of all instances seen in any frame, in the order of the objects.
pub fn cognitive_map(stage: &Stage) -> Vec<MappedObject> {
    let square = Square::of(stage);
    let seen = (0..stage.objects.len()).filter(|&object| stage.is_seen(object));
    seen.map(|object| MappedObject {
        class: stage.class(object).to_owned(),
        accepted: square.accepted(stage.centre(object)),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn border_cells_accept_both_sides() {
        let square = Square { origin: [0.0, 0.0], cell_m: 0.5 };
        let cells = |p| square.accepted(p).into_iter().map(|cell| (cell.x, cell.y)).collect::<Vec<_>>();
        assert_eq!(cells([0.75, 1.25]), [(1, 2)]);
        assert_eq!(cells([1.02, 1.25]), [(2, 2), (1, 2)], "0.04 cells over the border");
        assert_eq!(cells([1.03, 1.25]), [(2, 2)], "0.06 cells over the border");
        assert_eq!(cells([0.98, 0.99]), [(1, 1), (2, 1), (1, 2), (2, 2)], "a corner accepts four");
        assert_eq!(cells([0.01, 4.99]), [(0, 9)], "the edge of the map has no other side");
        assert_eq!(cells([-0.3, 5.2]), [(0, 9)]);
    }
}
