//! The floor plan as a polygon, and what of it a person may walk on. Metres, world x and y.
//!
//! Everything here works for any simple polygon: a rectangle, an L, or two rooms joined by a doorway's throat.

use crate::footprint::distance_to_segment;
use crate::parts::keep_largest;
use crate::world::{Object, World};

/// Least distance from walls and furniture for somebody who walks, metres.
pub const WALKING_CLEARANCE_M: f64 = 0.3;
/// Side of a cell by which what belongs together is told, metres.
const CELL_M: f64 = 0.05;
/// Furniture that hangs higher than this is walked under, metres.
const OVERHEAD_M: f64 = 2.0;

/// The corners of a room on the floor, counter-clockwise.
#[derive(Debug, Clone, PartialEq)]
pub struct FloorPlan {
    corners: Vec<[f64; 2]>,
}

impl FloorPlan {
    /// The plan with these corners, in either direction.
    pub fn new(mut corners: Vec<[f64; 2]>) -> Self {
        if signed_area(&corners) < 0.0 {
            corners.reverse();
        }
        Self { corners }
    }

    /// The plan of a world; that of a flat is its two rooms and the floor of the doorway.
    pub fn of(world: &World) -> Self {
        Self::new(world.room.floor_corners())
    }

    /// The corners, counter-clockwise.
    pub fn corners(&self) -> &[[f64; 2]] {
        &self.corners
    }

    /// The walls, each from one corner to the next.
    pub fn walls(&self) -> impl Iterator<Item = [[f64; 2]; 2]> + '_ {
        let next = self.corners.iter().cycle().skip(1);
        self.corners.iter().zip(next).map(|(&start, &end)| [start, end])
    }

    /// Floor area, m².
    pub fn area_m2(&self) -> f64 {
        signed_area(&self.corners)
    }

    /// Whether a point is inside: a ray to the right crosses the walls an odd number of times.
    pub fn contains(&self, p: [f64; 2]) -> bool {
        let crosses = |[a, b]: &[[f64; 2]; 2]| {
            (a[1] > p[1]) != (b[1] > p[1]) && p[0] < a[0] + (p[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
        };
        self.walls().filter(crosses).count() % 2 == 1
    }

    /// Distance from a point to the nearest wall, metres.
    pub fn wall_distance(&self, p: [f64; 2]) -> f64 {
        self.walls().map(|[a, b]| distance_to_segment(a, b, p)).fold(f64::INFINITY, f64::min)
    }

    /// Lowest and highest x and y.
    pub fn bounds(&self) -> [[f64; 2]; 2] {
        let fold = |start: f64, pick: fn(f64, f64) -> f64| {
            self.corners.iter().fold([start; 2], |acc, p| std::array::from_fn(|i| pick(acc[i], p[i])))
        };
        [fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max)]
    }
}

/// Twice the shoelace sum over two: positive for counter-clockwise corners.
fn signed_area(corners: &[[f64; 2]]) -> f64 {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum::<f64>() / 2.0
}

/// The floor that somebody may stand on: inside, and clear of walls and of what is lower than a head.
#[derive(Debug, Clone)]
pub struct FreeFloor<'a> {
    plan: &'a FloorPlan,
    objects: Vec<&'a Object>,
    clearance_m: f64,
    /// Free cells of the largest connected part, row by row.
    largest: Vec<bool>,
    largest_share: f64,
    columns: usize,
}

impl<'a> FreeFloor<'a> {
    /// The free floor of a furnished plan.
    pub fn new(plan: &'a FloorPlan, objects: &'a [Object], clearance_m: f64) -> Self {
        let objects = objects.iter().filter(|object| object.span_m[0] < OVERHEAD_M).collect();
        let [low, high] = plan.bounds();
        let [columns, rows] = [0, 1].map(|i: usize| ((high[i] - low[i]) / CELL_M).ceil() as usize);
        let mut floor = Self { plan, objects, clearance_m, largest: Vec::new(), largest_share: 0.0, columns };
        let middle = |cell: usize, i: usize| low[i] + ([cell % columns, cell / columns][i] as f64 + 0.5) * CELL_M;
        floor.largest = (0..columns * rows).map(|cell| floor.is_free([middle(cell, 0), middle(cell, 1)])).collect();
        floor.largest_share = keep_largest(&mut floor.largest, columns);
        floor
    }

    /// Whether somebody may stand at a point.
    pub fn is_free(&self, p: [f64; 2]) -> bool {
        self.objects.iter().all(|object| object.plan.distance(p) >= self.clearance_m)
            && self.plan.contains(p)
            && self.plan.wall_distance(p) >= self.clearance_m
    }

    /// Whether somebody may stand at a point and get there from most of the free floor.
    pub fn is_reachable(&self, p: [f64; 2]) -> bool {
        let [low, _] = self.plan.bounds();
        let [x, y] = [0, 1].map(|i: usize| ((p[i] - low[i]) / CELL_M).floor());
        let fits = x >= 0.0 && y >= 0.0 && (x as usize) < self.columns;
        fits && self.largest.get(y as usize * self.columns + x as usize) == Some(&true) && self.is_free(p)
    }

    /// The largest connected part's share of the floor that somebody may stand on.
    pub fn largest_share(&self) -> f64 {
        self.largest_share
    }

    /// Whether somebody may walk straight from one point to another.
    pub fn line_is_free(&self, from: [f64; 2], to: [f64; 2]) -> bool {
        let steps = ((to[0] - from[0]).hypot(to[1] - from[1]) / 0.05).ceil().max(1.0);
        let at = |i: usize| std::array::from_fn(|k| from[k] + (to[k] - from[k]) * i as f64 / steps);
        (0..=steps as usize).all(|i| self.is_free(at(i)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Body;

    #[test]
    fn an_l_has_its_area_and_its_notch_is_outside() {
        let l = FloorPlan::new(vec![[0.0, 0.0], [0.0, 4.0], [3.0, 4.0], [3.0, 2.0], [5.0, 2.0], [5.0, 0.0]]);
        assert!((l.area_m2() - 16.0).abs() < 1e-12, "clockwise corners are turned round");
        assert!(l.contains([4.5, 1.5]) && l.contains([2.5, 3.5]) && !l.contains([4.5, 3.5]));
        assert!((l.wall_distance([2.0, 3.0]) - 1.0).abs() < 1e-12);
        assert_eq!(l.bounds(), [[0.0, 0.0], [5.0, 4.0]]);
    }

    #[test]
    fn nobody_walks_through_a_box() {
        let plan = FloorPlan::new(vec![[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]);
        let block = crate::footprint::PlanBox { centre: [2.0, 2.0], half: [0.5, 0.5], yaw: 0.0 };
        let objects = [Object {
            id: 4,
            class: "column".into(),
            model: "column".into(),
            plan: block,
            span_m: [0.0, 1.0],
            outline: Vec::new(),
            body: Body::default(),
        }];
        let floor = FreeFloor::new(&plan, &objects, 0.3);
        assert!(floor.is_free([1.0, 2.0]) && !floor.is_free([1.3, 2.0]) && !floor.is_free([0.2, 2.0]));
        assert!(floor.line_is_free([0.5, 0.5], [3.5, 0.5]) && !floor.line_is_free([0.5, 2.0], [3.5, 2.0]));
    }
}
