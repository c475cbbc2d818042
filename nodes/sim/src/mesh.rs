//! Triangle meshes and their textures, as the rasteriser reads them.
//!
//! Object frame: metres, x to the right (width), y from front to back (the front looks along
//! −y), z up; the origin is the centre of the footprint at the bottom (`z = 0`).
//! Triangles carry no winding convention: whoever draws them must treat both sides as visible.

use std::sync::Arc;

/// Longest side of a texture, pixels.
pub const MAX_TEXTURE_SIDE: u32 = 128;

/// An indexed triangle mesh in its own object frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mesh {
    /// Vertex positions, metres, object frame.
    pub positions: Vec<[f32; 3]>,
    /// Unit normals, one a vertex, or empty: then shade each triangle by its own plane.
    pub normals: Vec<[f32; 3]>,
    /// Texture coordinates, one a vertex, or empty if no material has a texture. `(0, 0)` is
    /// the top left corner of the picture, u to the right, v down; whole numbers wrap.
    pub uvs: Vec<[f32; 2]>,
    /// Triangles, visible from both sides.
    pub triangles: Vec<Triangle>,
    /// What [`Triangle::material`] points into.
    pub materials: Vec<Material>,
    /// What [`Material::texture`] points into; models share equal pictures.
    pub textures: Vec<Arc<Texture>>,
}

/// Three vertices and a material.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Triangle {
    /// Indices into [`Mesh::positions`].
    pub indices: [u32; 3],
    /// Index into [`Mesh::materials`].
    pub material: u16,
}

/// A surface: plain, or a texture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// sRGB. For a textured material this is the texture's mean, to use from afar; the texture
    /// is not multiplied by it.
    pub colour: [u8; 3],
    /// Index into [`Mesh::textures`].
    pub texture: Option<u16>,
}

/// An RGB picture with sides that are powers of two, at most [`MAX_TEXTURE_SIDE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texture {
    /// Columns, a power of two.
    pub width: u32,
    /// Rows, a power of two.
    pub height: u32,
    /// sRGB, three bytes a pixel, rows from the top, no padding.
    pub rgb: Vec<u8>,
}

impl Mesh {
    /// Lower and upper corner of the tightest axis-aligned box, metres, object frame.
    /// An empty mesh gives two zero corners.
    pub fn bounds(&self) -> ([f32; 3], [f32; 3]) {
        let Some(&first) = self.positions.first() else {
            return ([0.0; 3], [0.0; 3]);
        };
        self.positions.iter().fold((first, first), |(low, high), p| {
            (std::array::from_fn(|axis| low[axis].min(p[axis])), std::array::from_fn(|axis| high[axis].max(p[axis])))
        })
    }

    /// Half the width, depth and height of [`Mesh::bounds`], metres.
    pub fn half_extents(&self) -> [f32; 3] {
        let (low, high) = self.bounds();
        std::array::from_fn(|axis| (high[axis] - low[axis]) / 2.0)
    }

    /// The three corners of a triangle, metres, object frame.
    ///
    /// # Panics
    /// If the triangle points past the vertices, which no mesh of the catalogue does.
    pub fn corners(&self, triangle: &Triangle) -> [[f32; 3]; 3] {
        triangle.indices.map(|index| self.positions[index as usize])
    }
}

impl Texture {
    /// The pixel under `uv`, sRGB, nearest neighbour; coordinates outside 0…1 wrap.
    pub fn sample(&self, uv: [f32; 2]) -> [u8; 3] {
        let column = wrap(uv[0], self.width);
        let row = wrap(uv[1], self.height);
        let at = (row * self.width as usize + column) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Mean colour, sRGB.
    pub fn mean(&self) -> [u8; 3] {
        let pixels = (self.rgb.len() / 3).max(1) as u64;
        std::array::from_fn(|channel| {
            let sum: u64 = self.rgb.iter().skip(channel).step_by(3).map(|&v| u64::from(v)).sum();
            (sum / pixels) as u8
        })
    }
}

/// Index of the texel at `coordinate` in a row of `side` texels, a power of two.
fn wrap(coordinate: f32, side: u32) -> usize {
    ((coordinate * side as f32).floor() as i64 & (i64::from(side) - 1)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_nothing_are_zero() {
        assert_eq!(Mesh::default().bounds(), ([0.0; 3], [0.0; 3]));
    }

    #[test]
    fn half_extents_are_half_the_box() {
        let mesh = Mesh { positions: vec![[-1.0, -0.5, 0.0], [1.0, 0.5, 3.0]], ..Mesh::default() };
        assert_eq!(mesh.half_extents(), [1.0, 0.5, 1.5]);
    }

    #[test]
    fn texture_coordinates_wrap_on_both_sides() {
        let texture = Texture { width: 2, height: 1, rgb: vec![1, 2, 3, 4, 5, 6] };
        assert_eq!(texture.sample([0.25, 0.5]), [1, 2, 3]);
        assert_eq!(texture.sample([0.75, 7.5]), [4, 5, 6]);
        assert_eq!(texture.sample([-0.25, -0.5]), [4, 5, 6]);
        assert_eq!(texture.mean(), [2, 3, 4]);
    }
}
