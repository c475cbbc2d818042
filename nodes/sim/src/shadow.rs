//! Shadow maps: what each lamp of a room sees, made once a scene and used by all its frames.
//!
//! A lamp sees in all directions, so its map is the inside of a cube: six square views of 90° with inverse depth. A
//! point is lit as far as the four texels around its direction say that nothing is nearer (percentage-closer filtering,
//! Reeves et al. 1987). Points are first moved off their surface along its normal, so that it doesn't shade itself.

use std::sync::Arc;

use crate::body::{Body, Light};
use crate::raster::{Corner, Outline, inverse_depth_plane};
use crate::view::View;

/// Texels along each side of a face.
const SIDE: usize = 256;
/// How far a point is moved off its surface, metres: about two texels at three metres.
const OFFSET_M: f32 = 0.04;
/// How much nearer a texel must be to shade, as a factor of inverse depth.
const NEARER: f32 = 1.004;

/// The six faces of one lamp's cube, each along its axis: −x, +x, −y, +y, −z, +z of the world.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowMap {
    /// Inverse depth, 1/m, 0 where there is nothing; rows of a face run along its second axis.
    faces: [Vec<f32>; 6],
}

/// Rotation rows right, down, forward of a face's view. Right and down are the other two axes of the world, in order.
fn axes_of(face: usize) -> [[f32; 3]; 3] {
    let unit = |axis: usize, length: f32| std::array::from_fn(|i| if i == axis { length } else { 0.0 });
    let [right, down] = sides_of(face / 2);
    [unit(right, 1.0), unit(down, 1.0), unit(face / 2, if face % 2 == 0 { -1.0 } else { 1.0 })]
}

/// The two axes across a major axis.
fn sides_of(major: usize) -> [usize; 2] {
    [[1, 2], [0, 2], [0, 1]][major]
}

/// One map a lamp.
pub fn shadow_maps<'a>(bodies: impl Iterator<Item = &'a Body> + Clone, lights: &[Light]) -> Arc<[ShadowMap]> {
    lights.iter().map(|light| ShadowMap::new(bodies.clone(), light)).collect()
}

impl ShadowMap {
    /// What a lamp sees. Bodies that shine by themselves don't stand in the light.
    pub fn new<'a>(bodies: impl Iterator<Item = &'a Body> + Clone, light: &Light) -> Self {
        let mut corners = Vec::new();
        let faces = std::array::from_fn(|face| {
            let mut map = vec![0.0; SIDE * SIDE];
            let side = SIDE as f32;
            let (axes, position) = (axes_of(face), light.position);
            let view = View { width: side, height: side, focal: side / 2.0, axes, position };
            for body in bodies.clone().filter(|body| view.sees(body.centre, body.radius)) {
                corners.clear();
                corners.extend(body.positions.iter().map(|&p| Corner::new(p, &view)));
                draw(&mut map, body, &corners, &view);
            }
            map
        });
        Self { faces }
    }

    /// How far to move a point along its normal before asking whether it is lit, metres.
    pub(crate) fn offset_m(&self) -> f32 {
        OFFSET_M
    }

    /// Share of the lamp's light that arrives at a point `from_lamp` metres from it, world axes.
    pub(crate) fn lit(&self, from_lamp: [f32; 3]) -> f32 {
        let [x, y, z] = from_lamp.map(f32::abs);
        let major = if x >= y && x >= z {
            0
        } else if y >= z {
            1
        } else {
            2
        };
        let face = &self.faces[2 * major + usize::from(from_lamp[major] > 0.0)];
        let inverse = 1.0 / from_lamp[major].abs().max(1e-6);
        let [column, row] = sides_of(major).map(|axis| Tap::new(from_lamp[axis] * inverse));
        let nearest = inverse * NEARER;
        let open = |row: usize, column: usize| f32::from(u8::from(face[row * SIDE + column] <= nearest));
        let along = |at: usize| {
            let (left, right) = (open(at, column.first), open(at, column.first + 1));
            left + column.share * (right - left)
        };
        let (top, bottom) = (along(row.first), along(row.first + 1));
        top + row.share * (bottom - top)
    }
}

/// Two neighbouring texels along one side, and the share of the second.
struct Tap {
    first: usize,
    share: f32,
}

impl Tap {
    /// For a tangent in −1..1.
    fn new(tangent: f32) -> Self {
        let at = ((tangent + 1.0) * (SIDE as f32 / 2.0) - 0.5).clamp(0.0, SIDE as f32 - 1.001);
        let first = (at as usize).min(SIDE - 2);
        Self { first, share: at - first as f32 }
    }
}

fn draw(map: &mut [f32], body: &Body, corners: &[Corner], view: &View) {
    for triangle in &body.triangles {
        if body.skin.finishes[usize::from(triangle.material)].emits {
            continue;
        }
        let corners = triangle.indices.map(|i| corners[i as usize]);
        let Some(outline) = Outline::new(corners, view) else { continue };
        let Some(plane) = inverse_depth_plane(corners.map(|corner| corner.point), view) else { continue };
        outline.scan(view, |row, columns, y| {
            for (texel, x) in map[row * SIDE..][columns.clone()].iter_mut().zip(columns) {
                *texel = texel.max(plane[0] * (x as f32 + 0.5) + plane[1] * y + plane[2]);
            }
        });
    }
}
