//! The rasteriser: colour, depth and object ids of one view in one pass over a visibility buffer.
//!
//! First every triangle writes its index and inverse depth where it is nearest; then each visible triangle is shaded
//! once per output pixel (`shade.rs`), which makes supersampling cheap. Both sides of a triangle are visible.
//! Inverse depth and all attributes over depth are affine on the picture, so clipping only trims outlines (2D
//! homogeneous rasterisation, Olano and Greer 1997). Buffers are kept between frames.

use crate::body::{Body, Lighting, NOTHING_ID};
use crate::camera::{Camera, Pose};
use crate::shade::{Shader, View};

/// Nothing closer to the optical centre than this along the axis is drawn, metres.
pub const NEAR_M: f32 = 0.05;
const NO_FACE: u32 = u32::MAX;

/// What one view shows. Rows from the top, `width * height` entries each.
#[derive(Debug, Clone, Default)]
pub struct Rendering {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Linear light, 1 = a white surface under unit light.
    pub light: Vec<[f32; 3]>,
    /// Metres along the optical axis; 0 where nothing was drawn.
    pub depth: Vec<f32>,
    /// See [`crate::body`] for the ids.
    pub ids: Vec<u16>,
    /// By id: share of the picture in which the body is visible.
    pub visible: Vec<f32>,
    /// By id: share of the picture that the body would cover if nothing stood before it. Objects only.
    pub unoccluded: Vec<f32>,
}

/// Reusable buffers that turn bodies into a [`Rendering`].
#[derive(Debug, Default)]
pub struct Renderer {
    inverse_depth: Vec<f32>,
    face_at: Vec<u32>,
    touched: Vec<u16>,
    camera_points: Vec<[f32; 3]>,
    faces: Vec<Face>,
    shader: Shader,
    rendering: Rendering,
    width: usize,
}

/// A triangle that reached the picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Face {
    /// Index into the bodies.
    pub body: u32,
    /// Index into the body's triangles.
    pub triangle: u32,
}

/// One view to draw.
#[derive(Debug, Clone, Copy)]
pub struct Shot {
    /// Size and field of view of the result.
    pub camera: Camera,
    /// Where from.
    pub pose: Pose,
    /// Samples per pixel along each axis, 1 or 2.
    pub supersample: usize,
}

impl Renderer {
    /// Empty buffers; the first frame sizes them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Draws bodies. The result stays valid until the next call.
    pub fn render<'a>(
        &mut self,
        bodies: impl Iterator<Item = &'a Body> + Clone,
        light: &Lighting,
        shot: &Shot,
    ) -> &Rendering {
        let factor = shot.supersample.clamp(1, 2);
        let samples = shot.camera.resized(shot.camera.width * factor, shot.camera.height * factor);
        let view = View::new(&samples, &shot.pose, light);
        let ids = bodies.clone().map(|body| usize::from(body.id) + 1).max().unwrap_or(1);
        self.clear(&samples, ids);
        for (index, body) in bodies.clone().enumerate() {
            if view.sees(body.centre, body.radius) {
                self.draw(index as u32, body, &view);
            }
        }
        self.resolve(bodies, &view, shot.camera, factor);
        &self.rendering
    }

    /// The result of the last [`Renderer::render`].
    pub fn rendering(&self) -> &Rendering {
        &self.rendering
    }

    fn clear(&mut self, samples: &Camera, ids: usize) {
        let count = samples.width * samples.height;
        self.width = samples.width;
        reset(&mut self.inverse_depth, count, 0.0);
        reset(&mut self.face_at, count, NO_FACE);
        reset(&mut self.touched, count, NOTHING_ID);
        reset(&mut self.rendering.visible, ids, 0.0);
        reset(&mut self.rendering.unoccluded, ids, 0.0);
        self.faces.clear();
    }

    fn draw(&mut self, index: u32, body: &Body, view: &View) {
        self.camera_points.clear();
        self.camera_points.extend(body.positions.iter().map(|&p| view.to_camera(p)));
        let mut covered = 0u32;
        for (triangle, t) in body.triangles.iter().enumerate() {
            let corners = t.indices.map(|i| self.camera_points[i as usize]);
            let Some(plane) = inverse_depth_plane(corners, view) else { continue };
            let face = self.faces.len() as u32;
            let outline = Outline::new(corners, view);
            if outline.outside(view) {
                continue;
            }
            self.faces.push(Face { body: index, triangle: triangle as u32 });
            covered += self.fill(&outline, plane, Stamp { face, id: body.id }, view);
        }
        self.rendering.unoccluded[usize::from(body.id)] += covered as f32 / (view.width * view.height);
    }

    /// Writes the samples inside the outline; returns how many the body touched for the first time.
    fn fill(&mut self, outline: &Outline, plane: [f32; 3], stamp: Stamp, view: &View) -> u32 {
        let mut fresh = 0;
        let (first, last) = outline.rows(view.height);
        for row in first..last {
            let y = row as f32 + 0.5;
            let (from, to) = outline.span(y, view.width);
            if from >= to {
                continue;
            }
            let start = row * self.width;
            let mut inverse = plane[0] * (from as f32 + 0.5) + plane[1] * y + plane[2];
            let range = start + from..start + to;
            let depths = &mut self.inverse_depth[range.clone()];
            let faces = &mut self.face_at[range.clone()];
            let touched = &mut self.touched[range];
            for ((depth, face), touch) in depths.iter_mut().zip(faces).zip(touched) {
                if inverse > *depth {
                    *depth = inverse;
                    *face = stamp.face;
                }
                fresh += u32::from(*touch != stamp.id);
                *touch = stamp.id;
                inverse += plane[0];
            }
        }
        fresh
    }

    /// Shades every pixel and averages its samples.
    fn resolve<'a>(&mut self, bodies: impl Iterator<Item = &'a Body>, view: &View, camera: Camera, factor: usize) {
        let out = &mut self.rendering;
        (out.width, out.height) = (camera.width, camera.height);
        let count = camera.width * camera.height;
        reset(&mut out.light, count, [0.0; 3]);
        reset(&mut out.depth, count, 0.0);
        reset(&mut out.ids, count, NOTHING_ID);
        let bodies: Vec<&Body> = bodies.collect();
        self.shader.begin(self.faces.len());
        let mut pixel = Pixel::default();
        for y in 0..camera.height {
            for x in 0..camera.width {
                pixel.clear();
                for sy in y * factor..(y + 1) * factor {
                    for sx in x * factor..(x + 1) * factor {
                        let at = sy * self.width + sx;
                        pixel.add(self.face_at[at], [sx as f32 + 0.5, sy as f32 + 0.5], self.inverse_depth[at]);
                    }
                }
                let at = y * camera.width + x;
                let share = 1.0 / (factor * factor) as f32;
                let mut votes = Votes::default();
                for part in pixel.parts() {
                    let face = self.faces[part.face as usize];
                    let body = bodies[face.body as usize];
                    let colour =
                        self.shader.shade(part.face as usize, face.triangle as usize, body, view, part.centre());
                    for (total, value) in out.light[at].iter_mut().zip(colour) {
                        *total += value * part.count * share;
                    }
                    out.visible[usize::from(body.id)] += part.count * share / count as f32;
                    votes.add(body.id, part);
                }
                (out.ids[at], out.depth[at]) = votes.winner();
            }
        }
    }
}

fn reset<T: Clone>(buffer: &mut Vec<T>, count: usize, value: T) {
    buffer.clear();
    buffer.resize(count, value);
}

#[derive(Clone, Copy)]
struct Stamp {
    face: u32,
    id: u16,
}

/// The samples of one pixel, gathered by face.
#[derive(Default)]
struct Pixel {
    parts: [Part; 4],
    used: usize,
}

#[derive(Default, Clone, Copy)]
struct Part {
    face: u32,
    count: f32,
    sum: [f32; 2],
    inverse_depth: f32,
}

impl Part {
    fn centre(&self) -> [f32; 2] {
        self.sum.map(|v| v / self.count)
    }
}

impl Pixel {
    fn clear(&mut self) {
        self.used = 0;
    }

    fn add(&mut self, face: u32, at: [f32; 2], inverse_depth: f32) {
        if face == NO_FACE {
            return;
        }
        let found = self.parts[..self.used].iter().position(|part| part.face == face);
        let slot = found.unwrap_or_else(|| {
            self.parts[self.used] = Part { face, ..Part::default() };
            self.used += 1;
            self.used - 1
        });
        let part = &mut self.parts[slot];
        part.count += 1.0;
        part.sum = [part.sum[0] + at[0], part.sum[1] + at[1]];
        part.inverse_depth += inverse_depth;
    }

    fn parts(&self) -> &[Part] {
        &self.parts[..self.used]
    }
}

/// Which body owns a pixel: the one with the most samples, the earlier on a tie.
#[derive(Default)]
struct Votes {
    entries: [(u16, f32, f32); 4],
    used: usize,
}

impl Votes {
    fn add(&mut self, id: u16, part: &Part) {
        let found = self.entries[..self.used].iter().position(|entry| entry.0 == id);
        let slot = found.unwrap_or_else(|| {
            self.entries[self.used] = (id, 0.0, 0.0);
            self.used += 1;
            self.used - 1
        });
        self.entries[slot].1 += part.count;
        self.entries[slot].2 += part.inverse_depth;
    }

    /// Id and depth; the mean inverse depth of a plane's samples is exact at the pixel's centre.
    fn winner(&self) -> (u16, f32) {
        let best = self.entries[..self.used].iter().fold((NOTHING_ID, 0.0, 0.0), |a, &b| if b.1 > a.1 { b } else { a });
        if best.1 > 0.0 { (best.0, best.1 / best.2) } else { (NOTHING_ID, 0.0) }
    }
}

/// Coefficients of inverse depth over sample coordinates (x, y, 1); `None` for a triangle seen edge on.
fn inverse_depth_plane(corners: [[f32; 3]; 3], view: &View) -> Option<[f32; 3]> {
    let [a, b, c] = corners;
    if a[2].max(b[2]).max(c[2]) <= NEAR_M {
        return None;
    }
    let normal = cross(sub(b, a), sub(c, a));
    let offset = dot(normal, a);
    if offset.abs() < 1e-9 {
        return None;
    }
    Some(view.over_samples(normal.map(|v| v / offset)))
}

/// A triangle on the picture, trimmed at the near plane: three or four corners.
struct Outline {
    corners: [[f32; 2]; 4],
    count: usize,
}

impl Outline {
    fn new(corners: [[f32; 3]; 3], view: &View) -> Self {
        let mut outline = Self { corners: [[0.0; 2]; 4], count: 0 };
        for i in 0..3 {
            let (a, b) = (corners[i], corners[(i + 1) % 3]);
            if a[2] > NEAR_M {
                outline.push(view.project(a));
            }
            if (a[2] > NEAR_M) != (b[2] > NEAR_M) {
                let t = (NEAR_M - a[2]) / (b[2] - a[2]);
                let cut = [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), NEAR_M];
                outline.push(view.project(cut));
            }
        }
        outline
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

    fn outside(&self, view: &View) -> bool {
        let ((left, right), (top, bottom)) = (self.extent(0), self.extent(1));
        right <= 0.0 || left >= view.width || bottom <= 0.0 || top >= view.height
    }

    /// The rows whose centres may lie inside.
    fn rows(&self, height: f32) -> (usize, usize) {
        let (top, bottom) = self.extent(1);
        let index = |v: f32| (v - 0.5).ceil().clamp(0.0, height) as usize;
        (index(top), index(bottom))
    }

    /// The columns whose centres lie inside at height `y`.
    fn span(&self, y: f32, width: f32) -> (usize, usize) {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for i in 0..self.count {
            let (a, b) = (self.corners[i], self.corners[(i + 1) % self.count]);
            // Order the ends so that neighbours compute the same crossing and leave no gap.
            let (a, b) = if a[1] < b[1] { (a, b) } else { (b, a) };
            if a[1] <= y && y < b[1] {
                let x = a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
                low = low.min(x);
                high = high.max(x);
            }
        }
        let index = |v: f32| (v - 0.5).ceil().clamp(0.0, width) as usize;
        (index(low), index(high))
    }
}

pub(crate) fn sub(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(crate) fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(crate) fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
