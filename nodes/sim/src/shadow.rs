//! Shadow maps: what each lamp of a room sees, made once a scene and used by all its frames.
//!
//! A lamp sees in all directions, so its map is the inside of a cube: six square views of 90° with inverse depth. A
//! point is lit as far as the four texels around its direction say that nothing is nearer (percentage-closer filtering,
//! Reeves et al. 1987). Points are first moved off their surface along its normal, so that it doesn't shade itself.

use std::sync::Arc;

use crate::body::{Body, Light};
use crate::raster::{Corner, Outline, inverse_depth_plane};
use crate::view::View;

/// Texels along each side of a face, at most 256.
const SIDE: usize = 192;
/// How much nearer a texel must be to shade, as a factor of inverse depth.
const NEARER: f32 = 1.004;

/// Things closer to a lamp count as being this far away, metres.
const NEAREST_M: f32 = 0.2;

/// The six faces of one lamp's cube, each along its axis: −x, +x, −y, +y, −z, +z of the world.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowMap {
    /// [`step_of`] of the nearest thing; rows of a face run along its second axis.
    faces: [Vec<u16>; 6],
}

/// Inverse depth, 1/m, in steps that fit two bytes.
fn step_of(inverse: f32) -> u16 {
    (inverse * (NEAREST_M * 65535.0)) as u16
}

/// Rotation rows right, down, forward of a face's view. Right and down are the other two axes of the world, in order.
fn axes_of(face: usize) -> [[f32; 3]; 3] {
    let unit = |axis: usize, length: f32| std::array::from_fn(|i| if i == axis { length } else { 0.0 });
    let [right, down] = sides_of(face / 2);
    [unit(right, 1.0), unit(down, 1.0), unit(face / 2, if face.is_multiple_of(2) { -1.0 } else { 1.0 })]
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
            map.into_iter().map(step_of).collect()
        });
        Self { faces }
    }

    /// Share of the lamp's light that arrives at a point `from_lamp` metres from it, world axes.
    pub(crate) fn lit(&self, from_lamp: [f32; 3]) -> f32 {
        let [x, y, z] = from_lamp.map(f32::abs);
        let (major, [a, b]) = match () {
            () if x >= y && x >= z => (0, [from_lamp[1], from_lamp[2]]),
            () if y >= z => (1, [from_lamp[0], from_lamp[2]]),
            () => (2, [from_lamp[0], from_lamp[1]]),
        };
        let face = &self.faces[2 * major + usize::from(from_lamp[major] > 0.0)];
        let inverse = 1.0 / x.max(y).max(z).max(1e-6);
        let (column, row) = (Tap::new(a * inverse), Tap::new(b * inverse));
        let nearest = step_of(inverse * NEARER);
        let open = |texel: u16| if texel <= nearest { 1.0 } else { 0.0 };
        let first = row.first * SIDE + column.first;
        let (Some(top), Some(bottom)) = (face.get(first..first + 2), face.get(first + SIDE..first + SIDE + 2)) else {
            return 1.0;
        };
        let along = |pair: &[u16]| open(pair[0]) + column.share * (open(pair[1]) - open(pair[0]));
        along(top) + row.share * (along(bottom) - along(top))
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
        let first = at as u8;
        Self { first: usize::from(first), share: at - f32::from(first) }
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
