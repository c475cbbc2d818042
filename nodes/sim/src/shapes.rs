//! Meshes built from quads and boxes.

use crate::mesh::{Material, Mesh, Triangle};

/// An empty mesh with so many materials, to be painted by a skin.
pub(crate) fn painted_mesh(materials: usize) -> Mesh {
    Mesh { materials: vec![Material { colour: [128; 3], texture: None }; materials], ..Mesh::default() }
}

/// Adds two triangles.
pub(crate) fn quad(mesh: &mut Mesh, corners: [[f64; 3]; 4], uvs: [[f64; 2]; 4], material: u16) {
    let first = mesh.positions.len() as u32;
    mesh.positions.extend(corners.map(|p| p.map(|v| v as f32)));
    mesh.uvs.extend(uvs.map(|t| t.map(|v| v as f32)));
    for indices in [[first, first + 1, first + 2], [first, first + 2, first + 3]] {
        mesh.triangles.push(Triangle { indices, material });
    }
}

/// Adds a box from `low` to `high`, metres.
pub(crate) fn cuboid(mesh: &mut Mesh, low: [f64; 3], high: [f64; 3], material: u16) {
    let corner = |i: usize| std::array::from_fn(|axis| if i >> axis & 1 == 0 { low[axis] } else { high[axis] });
    let uvs = [[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]];
    for face in [[0, 1, 5, 4], [3, 2, 6, 7], [2, 0, 4, 6], [1, 3, 7, 5], [4, 5, 7, 6], [2, 3, 1, 0]] {
        quad(mesh, face.map(corner), uvs, material);
    }
}
