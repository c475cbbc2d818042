//! Closest points of two bodies that do not cut each other: mesh to mesh, and box to box. Metres.

use crate::body::Body;
use crate::footprint::distance_to_segment;
use crate::world::Object;

type Point = [f64; 3];
type Corners = [Point; 3];

/// Distance between the boxes of two objects, which stand upright; 0 where they touch.
pub fn box_distance(a: &Object, b: &Object) -> f64 {
    let to = |from: &Object, to: &Object| from.plan.corners().map(|corner| to.plan.distance(corner));
    let apart = to(a, b).into_iter().chain(to(b, a)).fold(f64::INFINITY, f64::min);
    let level = if a.plan.overlaps(&b.plan) { 0.0 } else { apart };
    let height = (a.span_m[0] - b.span_m[1]).max(b.span_m[0] - a.span_m[1]).max(0.0);
    level.hypot(height)
}

/// Distance between the surfaces of two bodies; infinite where one has no triangles.
pub fn mesh_distance(a: &Body, b: &Body) -> f64 {
    let (a, b) = (Facets::of(a), Facets::of(b));
    let (towards_b, towards_a) = (a.sorted_by_distance(&b.whole), b.sorted_by_distance(&a.whole));
    let mut best = f64::INFINITY;
    for (bound, facet) in &towards_b {
        if *bound >= best {
            break;
        }
        for (bound, other) in &towards_a {
            if *bound >= best {
                break;
            }
            if facet.bounds.distance(&other.bounds) < best {
                best = best.min(triangle_distance(&facet.corners, &other.corners));
            }
        }
    }
    best
}

/// Distance on the floor from a point to the closest point of a body's surface; 0 above or below it.
pub fn floor_distance(body: &Body, from: [f64; 2]) -> f64 {
    let to_triangle = |facet: &Facet| {
        let corners = facet.corners.map(|[x, y, _]| [x, y]);
        let edges = [[0, 1], [1, 2], [2, 0]].map(|edge| edge.map(|corner| corners[corner]));
        let side = |[a, b]: [[f64; 2]; 2]| (b[0] - a[0]) * (from[1] - a[1]) - (b[1] - a[1]) * (from[0] - a[0]);
        let sides = edges.map(side);
        let inside = sides.iter().all(|&side| side > 0.0) || sides.iter().all(|&side| side < 0.0);
        let to_edge = edges.map(|[a, b]| distance_to_segment(a, b, from)).into_iter().fold(f64::INFINITY, f64::min);
        if inside { 0.0 } else { to_edge }
    };
    Facets::of(body).all.iter().map(to_triangle).fold(f64::INFINITY, f64::min)
}

/// An axis-aligned box.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    low: Point,
    high: Point,
}

impl Bounds {
    const NOTHING: Self = Self { low: [f64::INFINITY; 3], high: [f64::NEG_INFINITY; 3] };

    fn with(self, p: Point) -> Self {
        Self {
            low: std::array::from_fn(|i| self.low[i].min(p[i])),
            high: std::array::from_fn(|i| self.high[i].max(p[i])),
        }
    }

    fn distance(&self, other: &Self) -> f64 {
        let gap = |i: usize| (self.low[i] - other.high[i]).max(other.low[i] - self.high[i]).max(0.0);
        (0..3).map(|i| gap(i).powi(2)).sum::<f64>().sqrt()
    }
}

struct Facet {
    corners: Corners,
    bounds: Bounds,
}

struct Facets {
    all: Vec<Facet>,
    whole: Bounds,
}

impl Facets {
    fn of(body: &Body) -> Self {
        let point = |index: u32| body.positions.get(index as usize).map(|p| p.map(f64::from));
        let corners = body.triangles.iter().filter_map(|triangle| {
            let [a, b, c] = triangle.indices;
            Some([point(a)?, point(b)?, point(c)?])
        });
        let facet =
            |corners: Corners| Facet { bounds: corners.into_iter().fold(Bounds::NOTHING, Bounds::with), corners };
        let all: Vec<Facet> = corners.map(facet).collect();
        let whole = all.iter().flat_map(|facet| facet.corners).fold(Bounds::NOTHING, Bounds::with);
        Self { all, whole }
    }

    fn sorted_by_distance(&self, to: &Bounds) -> Vec<(f64, &Facet)> {
        let mut sorted: Vec<(f64, &Facet)> = self.all.iter().map(|facet| (facet.bounds.distance(to), facet)).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        sorted
    }
}

/// Distance between triangles that do not cut each other: it is met at a corner of one or between two edges.
fn triangle_distance(a: &Corners, b: &Corners) -> f64 {
    let corners = a.iter().map(|&p| point_triangle(p, b)).chain(b.iter().map(|&p| point_triangle(p, a)));
    let edges = (0..3).flat_map(|i| (0..3).map(move |j| (i, j)));
    let edges = edges.map(|(i, j)| segment_segment([a[i], a[(i + 1) % 3]], [b[j], b[(j + 1) % 3]]));
    corners.chain(edges).fold(f64::INFINITY, f64::min)
}

/// Over the triangle's inside the distance to its plane, else the distance to the nearest edge.
fn point_triangle(p: Point, [a, b, c]: &Corners) -> f64 {
    let normal = cross(sub(*b, *a), sub(*c, *a));
    let length2 = dot(normal, normal);
    let inside = |from: &Point, to: &Point| dot(cross(sub(*to, *from), sub(p, *from)), normal) >= 0.0;
    if length2 > 1e-18 && inside(a, b) && inside(b, c) && inside(c, a) {
        return dot(sub(p, *a), normal).abs() / length2.sqrt();
    }
    [[a, b], [b, c], [c, a]].into_iter().map(|[from, to]| point_segment(p, *from, *to)).fold(f64::INFINITY, f64::min)
}

fn point_segment(p: Point, from: Point, to: Point) -> f64 {
    let along = sub(to, from);
    let length2 = dot(along, along);
    let t = if length2 > 0.0 { (dot(sub(p, from), along) / length2).clamp(0.0, 1.0) } else { 0.0 };
    norm(sub(p, std::array::from_fn(|i| from[i] + t * along[i])))
}

/// The lines' common perpendicular where both feet lie on the segments, else an end of one.
fn segment_segment([p, q]: [Point; 2], [r, s]: [Point; 2]) -> f64 {
    let (u, v, w) = (sub(q, p), sub(s, r), sub(p, r));
    let (uu, uv, vv) = (dot(u, u), dot(u, v), dot(v, v));
    let (uw, vw) = (dot(u, w), dot(v, w));
    let determinant = uu * vv - uv * uv;
    if determinant > 1e-12 {
        let (t, o) = ((uv * vw - vv * uw) / determinant, (uu * vw - uv * uw) / determinant);
        if (0.0..=1.0).contains(&t) && (0.0..=1.0).contains(&o) {
            return norm(std::array::from_fn(|i| w[i] + t * u[i] - o * v[i]));
        }
    }
    let ends = [point_segment(p, r, s), point_segment(q, r, s), point_segment(r, p, q), point_segment(s, p, q)];
    ends.into_iter().fold(f64::INFINITY, f64::min)
}

fn sub(a: Point, b: Point) -> Point {
    std::array::from_fn(|i| a[i] - b[i])
}

fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn norm(a: Point) -> f64 {
    dot(a, a).sqrt()
}

fn cross(a: Point, b: Point) -> Point {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAT: Corners = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];

    #[test]
    fn triangles_meet_at_faces_edges_and_corners() {
        let above = [[0.2, 0.2, 0.5], [0.3, 2.0, 2.0], [2.0, 0.3, 2.0]];
        assert!((triangle_distance(&FLAT, &above) - 0.5).abs() < 1e-12, "a corner over the inside");
        let beside = [[2.0, 0.0, 0.0], [3.0, 1.0, 0.0], [3.0, 0.0, 0.0]];
        assert!((triangle_distance(&FLAT, &beside) - 1.0).abs() < 1e-12, "corner to corner");
        let crossing = [[0.5, -0.3, -1.0], [0.5, -0.3, 1.0], [0.5, -2.0, 0.0]];
        assert!((triangle_distance(&FLAT, &crossing) - 0.3).abs() < 1e-12, "edge to edge");
    }

    #[test]
    fn parallel_segments_are_measured_at_their_ends() {
        let apart = segment_segment([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], [[3.0, 1.0, 0.0], [2.0, 1.0, 0.0]]);
        assert!((apart - 2f64.sqrt()).abs() < 1e-12);
    }
}
