//! Plan geometry: oriented boxes, convex outlines and distances on the floor. Metres, world x and y.

/// An oriented rectangle on the floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanBox {
    /// Centre, metres.
    pub centre: [f64; 2],
    /// Half width (local x) and half depth (local y), metres.
    pub half: [f64; 2],
    /// Rotation, radians, counter-clockwise.
    pub yaw: f64,
}

impl PlanBox {
    /// A local plan point in the world.
    pub fn to_world(&self, local: [f64; 2]) -> [f64; 2] {
        let (s, c) = self.yaw.sin_cos();
        [self.centre[0] + c * local[0] - s * local[1], self.centre[1] + s * local[0] + c * local[1]]
    }

    /// A world plan point in the box's own axes.
    pub fn to_local(&self, world: [f64; 2]) -> [f64; 2] {
        let (s, c) = self.yaw.sin_cos();
        let d = [world[0] - self.centre[0], world[1] - self.centre[1]];
        [c * d[0] + s * d[1], c * d[1] - s * d[0]]
    }

    /// The four corners, counter-clockwise.
    pub fn corners(&self) -> [[f64; 2]; 4] {
        let [w, d] = self.half;
        [[-w, -d], [w, -d], [w, d], [-w, d]].map(|corner| self.to_world(corner))
    }

    /// The box grown by `margin` metres on all sides.
    pub fn grown(&self, margin: f64) -> Self {
        Self { half: [self.half[0] + margin, self.half[1] + margin], ..*self }
    }

    /// Distance from a point to the box, 0 inside.
    pub fn distance(&self, point: [f64; 2]) -> f64 {
        let local = self.to_local(point);
        (local[0].abs() - self.half[0]).max(0.0).hypot((local[1].abs() - self.half[1]).max(0.0))
    }

    /// Whether two boxes share area (separating axis test).
    pub fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (self.corners(), other.corners());
        ![self.yaw, other.yaw].into_iter().any(|yaw| {
            let (s, c) = yaw.sin_cos();
            [[c, s], [-s, c]].into_iter().any(|axis| {
                let (low_a, high_a) = extent(&a, axis);
                let (low_b, high_b) = extent(&b, axis);
                high_a <= low_b || high_b <= low_a
            })
        })
    }
}

/// Least and greatest coordinate of the points along an axis.
fn extent(points: &[[f64; 2]], axis: [f64; 2]) -> (f64, f64) {
    points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| {
        let at = p[0] * axis[0] + p[1] * axis[1];
        (low.min(at), high.max(at))
    })
}

/// The convex hull, counter-clockwise (Andrew's monotone chain).
pub fn convex_hull(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let mut hull: Vec<[f64; 2]> = Vec::with_capacity(points.len());
    let mut chain = |iter: &mut dyn Iterator<Item = &[f64; 2]>| {
        let start = hull.len();
        for &p in iter {
            while hull.len() >= start + 2 && cross(hull[hull.len() - 2], hull[hull.len() - 1], p) <= 0.0 {
                hull.pop();
            }
            hull.push(p);
        }
        hull.pop();
    };
    chain(&mut points.iter());
    chain(&mut points.iter().rev());
    hull
}

fn cross(o: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
}

/// Distance from a point to a convex counter-clockwise outline, 0 inside; infinite for no points.
pub fn distance_to_outline(outline: &[[f64; 2]], point: [f64; 2]) -> f64 {
    let mut inside = outline.len() >= 3;
    let mut least = f64::INFINITY;
    for (i, &a) in outline.iter().enumerate() {
        let b = outline[(i + 1) % outline.len()];
        inside &= cross(a, b, point) >= 0.0;
        least = least.min(distance_to_segment(a, b, point));
    }
    if inside { 0.0 } else { least }
}

/// Distance from a point to the segment from `a` to `b`.
pub fn distance_to_segment(a: [f64; 2], b: [f64; 2], p: [f64; 2]) -> f64 {
    let d = [b[0] - a[0], b[1] - a[1]];
    let length2 = d[0] * d[0] + d[1] * d[1];
    let along = if length2 > 0.0 { ((p[0] - a[0]) * d[0] + (p[1] - a[1]) * d[1]) / length2 } else { 0.0 };
    let t = along.clamp(0.0, 1.0);
    (p[0] - a[0] - t * d[0]).hypot(p[1] - a[1] - t * d[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hull_of_a_square_with_inner_points() {
        let hull = convex_hull(vec![[0.0, 0.0], [1.0, 1.0], [0.5, 0.5], [1.0, 0.0], [0.0, 1.0], [0.5, 0.0]]);
        assert_eq!(hull, vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]);
        assert_eq!(distance_to_outline(&hull, [0.5, 0.5]), 0.0);
        assert_eq!(distance_to_outline(&hull, [4.0, 5.0]), 5.0);
    }

    #[test]
    fn boxes_overlap_only_when_they_share_area() {
        let a = PlanBox { centre: [0.0, 0.0], half: [1.0, 1.0], yaw: 0.0 };
        let b = PlanBox { centre: [2.2, 0.0], half: [1.0, 1.0], yaw: std::f64::consts::FRAC_PI_4 };
        assert!(a.overlaps(&b));
        assert!(!a.overlaps(&PlanBox { centre: [2.5, 0.0], ..b }));
        assert_eq!(a.distance([4.0, 5.0]), 5.0);
    }
}
