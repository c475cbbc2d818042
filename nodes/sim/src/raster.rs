//! The rasteriser: colour, depth and object ids of one view in one pass over a visibility buffer.
//!
//! First every triangle writes its index and inverse depth where it is nearest; then each visible triangle is shaded
//! once per output pixel (`shade.rs`), which makes supersampling cheap. Both sides of a triangle are visible.
//! Inverse depth and all attributes over depth are affine on the grid of samples, so clipping only trims outlines (2D
//! homogeneous rasterisation, Olano and Greer 1997). Buffers are kept between frames.
//!
//! A lens with distortion is looked through from behind: the grid is that of a pinhole with a margin, and every sample
//! of the picture is shaded where its ray meets that grid (`raster/warp.rs`). Colour, depth and ids bend as one.

mod outline;
mod resolve;
mod warp;

use crate::body::{Body, Lighting, NOTHING_ID};
use crate::camera::{Camera, Pose};
pub use crate::view::NEAR_M;
use crate::view::View;
pub(crate) use outline::{Corner, Outline, inverse_depth_plane};
use warp::Warp;

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
    grid: Grid,
    corners: Vec<Corner>,
    faces: Vec<Face>,
    surface_of_face: Vec<u32>,
    warp: Option<Warp>,
    rendering: Rendering,
}

/// One entry a sample.
#[derive(Debug, Default)]
struct Grid {
    columns: usize,
    inverse_depth: Vec<f32>,
    face_at: Vec<u32>,
    touched: Vec<u16>,
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
    /// Size, field of view and lens of the result.
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
        self.look_through(&samples);
        let size = self.warp.as_ref().map_or([samples.width, samples.height], Warp::grid_size);
        let view = View::new(size, samples.focal_px(), &shot.pose);
        let bodies: Vec<&Body> = bodies.collect();
        let ids = bodies.iter().map(|body| usize::from(body.id) + 1).max().unwrap_or(1);
        self.clear(size, ids);
        let picture = (samples.width * samples.height) as f32;
        for (index, body) in bodies.iter().enumerate() {
            if view.sees(body.centre, body.radius) {
                let covered = self.draw(index as u32, body, &view);
                self.rendering.unoccluded[usize::from(body.id)] += covered as f32 / picture;
            }
        }
        self.resolve(&bodies, &view, light, (shot.camera, factor));
        &self.rendering
    }

    /// The result of the last [`Renderer::render`].
    pub fn rendering(&self) -> &Rendering {
        &self.rendering
    }

    fn look_through(&mut self, samples: &Camera) {
        if samples.distortion.is_none() {
            self.warp = None;
        } else if self.warp.as_ref().is_none_or(|warp| !warp.fits(samples)) {
            self.warp = Some(Warp::new(samples));
        }
    }

    fn clear(&mut self, [columns, rows]: [usize; 2], ids: usize) {
        self.grid.columns = columns;
        reset(&mut self.grid.inverse_depth, columns * rows, 0.0);
        reset(&mut self.grid.face_at, columns * rows, NO_FACE);
        reset(&mut self.grid.touched, columns * rows, NOTHING_ID);
        reset(&mut self.rendering.visible, ids, 0.0);
        reset(&mut self.rendering.unoccluded, ids, 0.0);
        self.faces.clear();
    }

    /// Draws one body; returns how many samples of the picture it covers, hidden or not.
    fn draw(&mut self, index: u32, body: &Body, view: &View) -> u32 {
        self.corners.clear();
        self.corners.extend(body.positions.iter().map(|&p| Corner::new(p, view)));
        let mut covered = 0;
        for (triangle, t) in body.triangles.iter().enumerate() {
            let corners = t.indices.map(|i| self.corners[i as usize]);
            let Some(outline) = Outline::new(corners, view) else { continue };
            let Some(plane) = inverse_depth_plane(corners.map(|corner| corner.point), view) else { continue };
            let stamp = Stamp { face: self.faces.len() as u32, id: body.id, plane };
            self.faces.push(Face { body: index, triangle: triangle as u32 });
            covered += self.grid.fill(&outline, stamp, view, self.warp.as_ref());
        }
        covered
    }
}

/// What a triangle leaves in the grid.
#[derive(Clone, Copy)]
struct Stamp {
    face: u32,
    id: u16,
    /// Coefficients of inverse depth over samples (x, y, 1).
    plane: [f32; 3],
}

impl Grid {
    /// Writes the samples inside the outline; returns how many the body touched for the first time.
    fn fill(&mut self, outline: &Outline, stamp: Stamp, view: &View, warp: Option<&Warp>) -> u32 {
        let mut fresh = 0;
        let plane = stamp.plane;
        outline.scan(view, |row, columns, y| {
            let mut inverse = plane[0] * (columns.start as f32 + 0.5) + plane[1] * y + plane[2];
            let range = row * self.columns + columns.start..row * self.columns + columns.end;
            let depths = &mut self.inverse_depth[range.clone()];
            let faces = &mut self.face_at[range.clone()];
            let touched = &mut self.touched[range.clone()];
            match warp {
                None => fresh += touched.iter().map(|&id| u32::from(id != stamp.id)).sum::<u32>(),
                Some(warp) => fresh += warp.fresh(range, touched, stamp.id),
            }
            touched.fill(stamp.id);
            for (depth, face) in depths.iter_mut().zip(faces) {
                if inverse > *depth {
                    *depth = inverse;
                    *face = stamp.face;
                }
                inverse += plane[0];
            }
        });
        fresh
    }
}

fn reset<T: Clone>(buffer: &mut Vec<T>, count: usize, value: T) {
    buffer.clear();
    buffer.resize(count, value);
}
