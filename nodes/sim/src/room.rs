//! The empty room: a rectangle, an L that lacks the corner of greatest x and y, or a flat: a rectangle that an inner
//! wall with a doorway parts in two rooms.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::footprint::PlanBox;

/// An empty room. World frame: metres, z up, the floor is `z = 0`, one corner is the origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    /// Extent along x and y, metres.
    pub size_m: [f64; 2],
    /// Ceiling height, metres.
    pub height_m: f64,
    /// Extent of the corner that an L-shaped room lacks, metres.
    pub notch_m: Option<[f64; 2]>,
    /// The inner wall of a flat.
    pub partition: Option<Partition>,
}

/// A straight inner wall from one side of a flat to the other, with one doorway.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Partition {
    /// The axis that the wall crosses: 0 for a wall along y, 1 for a wall along x.
    pub axis: usize,
    /// Its middle on that axis, metres.
    pub at_m: f64,
    /// Metres.
    pub thickness_m: f64,
    /// Where the doorway begins and ends along the wall, metres.
    pub doorway_m: [f64; 2],
    /// Height of the doorway, metres.
    pub doorway_height_m: f64,
}

impl Partition {
    /// The two faces on the crossed axis, metres.
    pub fn faces_m(&self) -> [f64; 2] {
        [self.at_m - self.thickness_m / 2.0, self.at_m + self.thickness_m / 2.0]
    }

    /// The plan point at a coordinate on the crossed axis and one along the wall.
    pub fn point(&self, across: f64, along: f64) -> [f64; 2] {
        if self.axis == 0 { [across, along] } else { [along, across] }
    }

    /// A stretch of it as a box.
    fn stretch(&self, from: f64, to: f64) -> PlanBox {
        let half = self.point(self.thickness_m / 2.0, (to - from) / 2.0);
        PlanBox { centre: self.point(self.at_m, (from + to) / 2.0), half, yaw: 0.0 }
    }
}

/// What an empty room looks like from above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Four corners.
    Rectangle,
    /// Six corners.
    L,
    /// Two rooms and a doorway.
    Flat,
}

/// A straight piece of wall; its inner side is on the left of start → end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wall {
    /// First corner, metres.
    pub start: [f64; 2],
    /// Second corner, metres.
    pub end: [f64; 2],
}

impl Wall {
    /// Metres.
    pub fn length_m(&self) -> f64 {
        (self.end[0] - self.start[0]).hypot(self.end[1] - self.start[1])
    }

    /// Unit vector into the room.
    pub fn inward(&self) -> [f64; 2] {
        let length = self.length_m();
        [(self.start[1] - self.end[1]) / length, (self.end[0] - self.start[0]) / length]
    }

    /// Rotation of an object whose back is at this wall, radians.
    pub fn yaw(&self) -> f64 {
        let n = self.inward();
        n[0].atan2(-n[1])
    }

    /// The point `along` metres from the start and `off` metres into the room.
    pub fn point(&self, along: f64, off: f64) -> [f64; 2] {
        let (length, n) = (self.length_m(), self.inward());
        std::array::from_fn(|i| self.start[i] + (self.end[i] - self.start[i]) * along / length + n[i] * off)
    }
}

impl Room {
    /// Draws a room: 70 % rectangles, 10–50 m² with most between 12 and 30, 2.4–3.0 m high.
    pub fn generate(rng: &mut ChaCha8Rng) -> Self {
        let area = 10.0 + 40.0 * rng.random::<f64>().powf(1.7);
        let aspect: f64 = rng.random_range(0.6..1.0);
        let notch = rng.random_bool(0.3).then(|| [rng.random_range(0.3..0.55), rng.random_range(0.3..0.55)]);
        let kept = 1.0 - notch.map_or(0.0, |n: [f64; 2]| n[0] * n[1]);
        let long = (area / kept / aspect).sqrt();
        let mut size_m = [long, long * aspect].map(|side| side.max(2.4));
        if rng.random_bool(0.5) {
            size_m.reverse();
        }
        let notch_m = notch.map(|n| [n[0] * size_m[0], n[1] * size_m[1]]);
        Self { size_m, height_m: rng.random_range(2.4..3.0), notch_m, partition: None }
    }

    /// Draws a room of the whole specification: 70 % rectangles, 15 % L, 15 % flats; 10–50 m², flats 20–50 m².
    pub fn draw(rng: &mut ChaCha8Rng) -> Self {
        let shape = match rng.random_range(0..20) {
            0..14 => Shape::Rectangle,
            14..17 => Shape::L,
            _ => Shape::Flat,
        };
        Self::of_shape(shape, rng)
    }

    /// Draws a room of a shape.
    pub fn of_shape(shape: Shape, rng: &mut ChaCha8Rng) -> Self {
        let least = if shape == Shape::Flat { 20.0 } else { 10.0 };
        let area = least + (50.0 - least) * rng.random::<f64>().powf(1.7);
        let aspect: f64 = if shape == Shape::Flat { rng.random_range(0.5..0.8) } else { rng.random_range(0.6..1.0) };
        let notch: Option<[f64; 2]> =
            (shape == Shape::L).then(|| [rng.random_range(0.3..0.55), rng.random_range(0.3..0.55)]);
        // An L of the least area loses a corner, a flat the floor under its inner wall.
        let outer = (area / (1.0 - notch.map_or(0.0, |n| n[0] * n[1]))).max(least * 1.05);
        let long = (outer / aspect).sqrt();
        let mut size_m = [long, long * aspect];
        if rng.random_bool(0.5) {
            size_m.reverse();
        }
        let notch_m = notch.map(|n| [n[0] * size_m[0], n[1] * size_m[1]]);
        let height_m = rng.random_range(2.4..3.0);
        let partition = (shape == Shape::Flat).then(|| Self::partition(size_m, rng));
        Self { size_m, height_m, notch_m, partition }
    }

    /// An inner wall across the longer side; each room gets a third of it or more.
    fn partition(size_m: [f64; 2], rng: &mut ChaCha8Rng) -> Partition {
        let axis = usize::from(size_m[1] > size_m[0]);
        let across = size_m[1 - axis];
        let width = rng.random_range(1.0..1.15);
        let from = rng.random_range(0.45..across - width - 0.45);
        Partition {
            axis,
            at_m: size_m[axis] * rng.random_range(0.36..0.64),
            thickness_m: rng.random_range(0.1..0.16),
            doorway_m: [from, from + width],
            doorway_height_m: rng.random_range(2.0..2.1),
        }
    }

    /// Floor area without inner walls, m².
    pub fn area_m2(&self) -> f64 {
        let outer = self.size_m[0] * self.size_m[1] - self.notch_m.map_or(0.0, |n| n[0] * n[1]);
        outer - self.partition.map_or(0.0, |p| p.thickness_m * self.size_m[1 - p.axis])
    }

    /// The rooms: corners counter-clockwise, metres. Two for a flat, without the doorway's floor; else one.
    pub fn polygons(&self) -> Vec<Vec<[f64; 2]>> {
        let Some(partition) = self.partition else { return vec![self.corners()] };
        let (end, across) = (self.size_m[partition.axis], self.size_m[1 - partition.axis]);
        let [near, far] = partition.faces_m();
        let room = |from: f64, to: f64| {
            let corners = [(from, 0.0), (to, 0.0), (to, across), (from, across)];
            let mut corners: Vec<_> = corners.into_iter().map(|(a, b)| partition.point(a, b)).collect();
            if partition.axis == 1 {
                corners.reverse();
            }
            corners
        };
        vec![room(0.0, near), room(far, end)]
    }

    /// The corners of all the floor: those of [`Self::corners`], of a flat those of its rooms and of the doorway between
    /// them. In either direction, metres.
    pub fn floor_corners(&self) -> Vec<[f64; 2]> {
        let Some(partition) = self.partition else { return self.corners() };
        let (end, across) = (self.size_m[partition.axis], self.size_m[1 - partition.axis]);
        let ([near, far], [from, to]) = (partition.faces_m(), partition.doorway_m);
        let lower = [(0.0, 0.0), (near, 0.0), (near, from), (far, from), (far, 0.0), (end, 0.0)];
        let upper = [(end, across), (far, across), (far, to), (near, to), (near, across), (0.0, across)];
        lower.into_iter().chain(upper).map(|(a, b)| partition.point(a, b)).collect()
    }

    /// The outer corners, counter-clockwise.
    pub fn corners(&self) -> Vec<[f64; 2]> {
        let [w, d] = self.size_m;
        match self.notch_m {
            None => vec![[0.0, 0.0], [w, 0.0], [w, d], [0.0, d]],
            Some([nw, nd]) => vec![[0.0, 0.0], [w, 0.0], [w, d - nd], [w - nw, d - nd], [w - nw, d], [0.0, d]],
        }
    }

    /// The walls: the outer ones counter-clockwise, then the faces of the inner wall.
    pub fn walls(&self) -> Vec<Wall> {
        let mut walls = self.outer_walls();
        for solid in self.partition_boxes() {
            let corners = solid.corners();
            let edges = (0..4).map(|i| Wall { start: corners[(i + 1) % 4], end: corners[i] });
            walls.extend(edges.filter(|wall| self.contains(wall.point(wall.length_m() / 2.0, 1e-3), 0.0)));
        }
        walls
    }

    /// The outer walls, counter-clockwise.
    pub fn outer_walls(&self) -> Vec<Wall> {
        let corners = self.corners();
        (0..corners.len()).map(|i| Wall { start: corners[i], end: corners[(i + 1) % corners.len()] }).collect()
    }

    /// Whether a plan point is inside and at least `margin` metres from every wall.
    pub fn contains(&self, p: [f64; 2], margin: f64) -> bool {
        let [w, d] = self.size_m;
        let inside = p[0] >= margin && p[1] >= margin && p[0] <= w - margin && p[1] <= d - margin;
        inside && self.solids().all(|solid| solid.distance(p) >= margin.max(1e-9))
    }

    /// Whether a box lies wholly inside.
    pub fn contains_box(&self, plan: &PlanBox) -> bool {
        let [w, d] = self.size_m;
        let fits = |p: &[f64; 2]| p[0] >= -1e-6 && p[1] >= -1e-6 && p[0] <= w + 1e-6 && p[1] <= d + 1e-6;
        plan.corners().iter().all(fits) && self.solids().all(|solid| !solid.grown(-1e-6).overlaps(plan))
    }

    /// What of the outer rectangle is wall.
    fn solids(&self) -> impl Iterator<Item = PlanBox> {
        self.notch_box().into_iter().chain(self.partition_boxes())
    }

    /// The inner wall on both sides of its doorway.
    pub(crate) fn partition_boxes(&self) -> impl Iterator<Item = PlanBox> {
        let size_m = self.size_m;
        let boxes = self.partition.map(|partition| {
            let [from, to] = partition.doorway_m;
            [partition.stretch(0.0, from), partition.stretch(to, size_m[1 - partition.axis])]
        });
        boxes.into_iter().flatten()
    }

    /// Where a line across the plan meets inner corners, on one axis, metres.
    pub(crate) fn cuts_m(&self, axis: usize) -> Vec<f64> {
        let mut cuts: Vec<f64> = self.notch_m.map(|n| self.size_m[axis] - n[axis]).into_iter().collect();
        if let Some(partition) = self.partition {
            cuts.extend(if partition.axis == axis { partition.faces_m() } else { partition.doorway_m });
        }
        cuts
    }

    fn notch_box(&self) -> Option<PlanBox> {
        let [w, d] = self.size_m;
        self.notch_m.map(|[nw, nd]| PlanBox {
            centre: [w - nw / 2.0, d - nd / 2.0],
            half: [nw / 2.0, nd / 2.0],
            yaw: 0.0,
        })
    }

    /// A point well inside, metres.
    pub fn middle(&self) -> [f64; 2] {
        if let Some(partition) = self.partition {
            let [near, far] = partition.faces_m();
            let end = self.size_m[partition.axis];
            let across = if near > end - far { near / 2.0 } else { (far + end) / 2.0 };
            return partition.point(across, self.size_m[1 - partition.axis] / 2.0);
        }
        let notch = self.notch_m.unwrap_or_default();
        std::array::from_fn(|i| (self.size_m[i] - notch[i] * 0.7) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const L: Room = Room { size_m: [5.0, 4.0], height_m: 2.5, notch_m: Some([2.0, 1.0]), partition: None };
    const FLAT: Room = Room {
        size_m: [8.0, 4.0],
        height_m: 2.5,
        notch_m: None,
        partition: Some(Partition {
            axis: 0,
            at_m: 5.0,
            thickness_m: 0.1,
            doorway_m: [1.0, 2.0],
            doorway_height_m: 2.0,
        }),
    };

    #[test]
    fn walls_face_inwards_and_close() {
        for wall in L.walls() {
            let n = wall.inward();
            let p = wall.point(wall.length_m() / 2.0, 0.2);
            assert!(L.contains(p, 0.1), "{wall:?} {n:?}");
            let (s, c) = wall.yaw().sin_cos();
            assert!((s - n[0]).abs() < 1e-9 && (-c - n[1]).abs() < 1e-9, "the front, −y, looks inwards");
        }
        assert_eq!(L.area_m2(), 18.0);
    }

    #[test]
    fn the_notch_is_outside() {
        assert!(!L.contains([4.5, 3.5], 0.0));
        assert!(L.contains([2.0, 3.5], 0.0));
        let big = PlanBox { centre: [3.5, 2.8], half: [1.0, 0.5], yaw: 0.0 };
        assert!(!L.contains_box(&big));
    }

    #[test]
    fn a_flat_is_two_rooms_and_a_doorway() {
        assert!((FLAT.area_m2() - 31.6).abs() < 1e-9);
        assert!(FLAT.contains([5.0, 1.5], 0.45) && !FLAT.contains([5.0, 3.0], 0.0));
        let twice = |p: &[[f64; 2]]| {
            (0..p.len()).map(|i| (p[i], p[(i + 1) % p.len()])).map(|(a, b)| a[0] * b[1] - a[1] * b[0]).sum::<f64>()
        };
        let areas: Vec<f64> = FLAT.polygons().iter().map(|polygon| twice(polygon) / 2.0).collect();
        assert!((areas[0] - 19.8).abs() < 1e-9 && (areas[1] - 11.8).abs() < 1e-9, "{areas:?}");
        // Four outer walls; of each stretch of the inner wall, two faces and a jamb.
        assert_eq!(FLAT.walls().len(), 4 + 2 * 3);
        for wall in FLAT.walls() {
            assert!(FLAT.contains(wall.point(wall.length_m() / 2.0, 0.05), 0.04), "{wall:?}");
        }
    }
}
