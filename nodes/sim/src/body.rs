//! Anything that can be drawn: a mesh brought into the world and painted. And the lights that fall on it.

use std::sync::Arc;

use crate::appearance::Skin;
use crate::mesh::{Mesh, Triangle};
use crate::shadow::ShadowMap;

/// The id of a pixel where nothing was drawn.
pub const NOTHING_ID: u16 = 0;
/// The id of the floor.
pub const FLOOR_ID: u16 = 1;
/// The id of the ceiling.
pub const CEILING_ID: u16 = 2;
/// The id of all walls.
pub const WALL_ID: u16 = 3;
/// The id of the first object; the others follow without gaps.
pub const FIRST_OBJECT_ID: u16 = 4;

/// A mesh in the world, ready to be drawn.
#[derive(Debug, Clone)]
pub struct Body {
    /// What the id picture shows.
    pub id: u16,
    /// Vertices, metres, world frame.
    pub positions: Vec<[f32; 3]>,
    /// Unit normals, one a vertex, or empty for flat shading.
    pub normals: Vec<[f32; 3]>,
    /// Texture coordinates, one a vertex, or empty.
    pub uvs: Vec<[f32; 2]>,
    /// Light that reaches each vertex in 0..=1 (dark near corners and under furniture), or empty for 1.
    pub openness: Vec<f32>,
    /// Triangles, visible from both sides.
    pub triangles: Vec<Triangle>,
    /// One finish a material.
    pub skin: Skin,
    /// Centre of a sphere around all vertices, metres.
    pub centre: [f32; 3],
    /// Radius of that sphere, metres.
    pub radius: f32,
}

/// Where a mesh is put: scaled along its own axes, turned about z, moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Where the mesh's origin goes, metres, world frame.
    pub position: [f64; 3],
    /// Rotation about z, radians, counter-clockwise.
    pub yaw: f64,
    /// Factors along the object's x, y and z.
    pub scale: [f64; 3],
}

impl Placement {
    /// An object-frame point in the world.
    pub fn apply(&self, p: [f32; 3]) -> [f64; 3] {
        let local: [f64; 3] = std::array::from_fn(|i| f64::from(p[i]) * self.scale[i]);
        let (s, c) = self.yaw.sin_cos();
        [
            self.position[0] + c * local[0] - s * local[1],
            self.position[1] + s * local[0] + c * local[1],
            self.position[2] + local[2],
        ]
    }

    /// An object-frame normal in the world, unit length.
    fn apply_normal(&self, n: [f32; 3]) -> [f32; 3] {
        let local: [f64; 3] = std::array::from_fn(|i| f64::from(n[i]) / self.scale[i]);
        let length = local.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-9);
        let (s, c) = self.yaw.sin_cos();
        let turned = [c * local[0] - s * local[1], s * local[0] + c * local[1], local[2]];
        turned.map(|v| (v / length) as f32)
    }
}

impl Body {
    /// Puts a mesh into the world.
    pub fn new(id: u16, mesh: &Mesh, skin: Skin, placement: &Placement) -> Self {
        let positions: Vec<[f32; 3]> = mesh.positions.iter().map(|&p| placement.apply(p).map(|v| v as f32)).collect();
        let (centre, radius) = bounding_sphere(&positions);
        Self {
            id,
            normals: mesh.normals.iter().map(|&n| placement.apply_normal(n)).collect(),
            uvs: mesh.uvs.clone(),
            openness: Vec::new(),
            triangles: mesh.triangles.clone(),
            skin,
            centre,
            radius,
            positions,
        }
    }
}

fn bounding_sphere(positions: &[[f32; 3]]) -> ([f32; 3], f32) {
    let fold = |f: fn(f32, f32) -> f32, start: f32| {
        positions.iter().fold([start; 3], |acc, p| std::array::from_fn(|i| f(acc[i], p[i])))
    };
    if positions.is_empty() {
        return ([0.0; 3], 0.0);
    }
    let (low, high) = (fold(f32::min, f32::INFINITY), fold(f32::max, f32::NEG_INFINITY));
    let centre: [f32; 3] = std::array::from_fn(|i| (low[i] + high[i]) / 2.0);
    let radius2 = positions.iter().map(|p| (0..3).map(|i| (p[i] - centre[i]).powi(2)).sum::<f32>());
    (centre, radius2.fold(0.0, f32::max).sqrt())
}

/// A point light.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    /// Metres, world frame.
    pub position: [f32; 3],
    /// Irradiance on a facing surface close by; halves at `reach_m`.
    pub strength: f32,
    /// Distance at which the light has half its strength, metres.
    pub reach_m: f32,
}

/// All light in a room.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lighting {
    /// Light from everywhere, onto every surface.
    pub ambient: f32,
    /// The lamps.
    pub lights: Vec<Light>,
    /// One a lamp, or none: then no lamp casts shadows. See [`crate::shadow`].
    pub shadows: Option<Arc<[ShadowMap]>>,
}
