//! The empty room: a rectangle, or an L that lacks the corner of greatest x and y.

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
        Self { size_m, height_m: rng.random_range(2.4..3.0), notch_m }
    }

    /// Floor area, m².
    pub fn area_m2(&self) -> f64 {
        self.size_m[0] * self.size_m[1] - self.notch_m.map_or(0.0, |n| n[0] * n[1])
    }

    /// The corners, counter-clockwise.
    pub fn corners(&self) -> Vec<[f64; 2]> {
        let [w, d] = self.size_m;
        match self.notch_m {
            None => vec![[0.0, 0.0], [w, 0.0], [w, d], [0.0, d]],
            Some([nw, nd]) => vec![[0.0, 0.0], [w, 0.0], [w, d - nd], [w - nw, d - nd], [w - nw, d], [0.0, d]],
        }
    }

    /// The walls, counter-clockwise.
    pub fn walls(&self) -> Vec<Wall> {
        let corners = self.corners();
        (0..corners.len()).map(|i| Wall { start: corners[i], end: corners[(i + 1) % corners.len()] }).collect()
    }

    /// Whether a plan point is inside and at least `margin` metres from every wall.
    pub fn contains(&self, p: [f64; 2], margin: f64) -> bool {
        let [w, d] = self.size_m;
        let inside = p[0] >= margin && p[1] >= margin && p[0] <= w - margin && p[1] <= d - margin;
        inside && self.notch_box().is_none_or(|notch| notch.distance(p) >= margin.max(1e-9))
    }

    /// Whether a box lies wholly inside.
    pub fn contains_box(&self, plan: &PlanBox) -> bool {
        let [w, d] = self.size_m;
        let fits = |p: &[f64; 2]| p[0] >= -1e-6 && p[1] >= -1e-6 && p[0] <= w + 1e-6 && p[1] <= d + 1e-6;
        plan.corners().iter().all(fits) && self.notch_box().is_none_or(|notch| !notch.grown(-1e-6).overlaps(plan))
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
        let notch = self.notch_m.unwrap_or_default();
        std::array::from_fn(|i| (self.size_m[i] - notch[i] * 0.7) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const L: Room = Room { size_m: [5.0, 4.0], height_m: 2.5, notch_m: Some([2.0, 1.0]) };

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
}
