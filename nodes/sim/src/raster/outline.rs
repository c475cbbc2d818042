//! A triangle on the grid of samples.

use std::ops::Range;

use crate::view::{NEAR_M, View, cross, dot, sub};

/// Coefficients of inverse depth over sample coordinates (x, y, 1); `None` for a triangle seen edge on.
pub fn inverse_depth_plane(corners: [[f32; 3]; 3], view: &View) -> Option<[f32; 3]> {
    let [a, b, c] = corners;
    let normal = cross(sub(b, a), sub(c, a));
    let offset = dot(normal, a);
    if offset.abs() < 1e-9 {
        return None;
    }
    Some(view.over_samples(normal.map(|v| v / offset)))
}

/// A corner in the camera frame and, if it is before the near plane, on the grid.
#[derive(Debug, Clone, Copy, Default)]
pub struct Corner {
    /// Metres, camera frame.
    pub point: [f32; 3],
    /// Sample coordinates; meaningless behind the near plane.
    pub sample: [f32; 2],
}

impl Corner {
    /// Brings a world point into the view.
    pub fn new(world: [f32; 3], view: &View) -> Self {
        let point = view.to_camera(world);
        Self { point, sample: view.project(point) }
    }

    fn in_front(&self) -> bool {
        self.point[2] > NEAR_M
    }
}

/// A triangle on the grid, trimmed at the near plane: three or four corners.
#[derive(Debug, Clone, Copy)]
pub struct Outline {
    corners: [[f32; 2]; 4],
    count: usize,
}

impl Outline {
    /// `None` for a triangle behind the near plane or beside the grid.
    pub fn new(corners: [Corner; 3], view: &View) -> Option<Self> {
        let mut outline = Self { corners: [[0.0; 2]; 4], count: 0 };
        if corners.iter().all(Corner::in_front) {
            let [a, b, c] = corners.map(|corner| corner.sample);
            outline = Self { corners: [a, b, c, a], count: 3 };
        } else {
            outline.trim(corners, view);
        }
        let ((left, right), (top, bottom)) = (outline.extent(0), outline.extent(1));
        let inside = right > 0.0 && left < view.width && bottom > 0.0 && top < view.height;
        inside.then_some(outline)
    }

    fn trim(&mut self, corners: [Corner; 3], view: &View) {
        for i in 0..3 {
            let (from, to) = (corners[i], corners[(i + 1) % 3]);
            if from.in_front() {
                self.push(from.sample);
            }
            if from.in_front() != to.in_front() {
                let (a, b) = (from.point, to.point);
                let t = (NEAR_M - a[2]) / (b[2] - a[2]);
                self.push(view.project([a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), NEAR_M]));
            }
        }
    }

    fn push(&mut self, corner: [f32; 2]) {
        if self.count < 4 {
            self.corners[self.count] = corner;
            self.count += 1;
        }
    }

    fn extent(&self, axis: usize) -> (f32, f32) {
        let corners = &self.corners[..self.count];
        corners.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), c| (l.min(c[axis]), h.max(c[axis])))
    }

    /// Calls `fill` with each row that has sample centres inside, their columns, and the height of the centres.
    pub fn scan(&self, view: &View, mut fill: impl FnMut(usize, Range<usize>, f32)) {
        let edges = self.edges();
        let (top, bottom) = self.extent(1);
        for row in first_centre(top, view.height)..first_centre(bottom, view.height) {
            let y = row as f32 + 0.5;
            let columns = span(&edges[..self.count], y, view.width);
            if !columns.is_empty() {
                fill(row, columns, y);
            }
        }
    }

    /// The edges, upper end first, so that neighbours compute the same crossings and leave no gap.
    fn edges(&self) -> [Edge; 4] {
        std::array::from_fn(|i| {
            let (a, b) = (self.corners[i], self.corners[if i + 1 < self.count { i + 1 } else { 0 }]);
            if a[1] < b[1] { (a, b) } else { (b, a) }
        })
    }
}

/// Upper and lower end.
type Edge = ([f32; 2], [f32; 2]);

/// The columns whose centres lie between the edges at height `y`.
fn span(edges: &[Edge], y: f32, width: f32) -> Range<usize> {
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for (a, b) in edges {
        if a[1] <= y && y < b[1] {
            let x = a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
            low = low.min(x);
            high = high.max(x);
        }
    }
    first_centre(low, width)..first_centre(high, width)
}

/// The first of `count` cells whose centre is at `v` or beyond.
fn first_centre(v: f32, count: f32) -> usize {
    let v = (v - 0.5).clamp(0.0, count);
    let whole = v as u32;
    (whole + u32::from((whole as f32) < v)) as usize
}
