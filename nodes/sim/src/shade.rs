//! From a visible sample to linear light: texture, lamps, ambient light.

use crate::appearance::linear_from_srgb;
use crate::body::{Body, Light, Lighting};
use crate::camera::{Camera, Pose};
use crate::raster::{cross, dot, sub};

/// One view in single precision: world to camera, and camera to samples.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// Columns of samples.
    pub width: f32,
    /// Rows of samples.
    pub height: f32,
    focal: f32,
    axes: [[f32; 3]; 3],
    position: [f32; 3],
    lights: Vec<Light>,
    ambient: f32,
}

impl View {
    pub fn new(samples: &Camera, pose: &Pose, lighting: &Lighting) -> Self {
        let mut view = Self {
            width: samples.width as f32,
            height: samples.height as f32,
            focal: samples.focal_px() as f32,
            axes: pose.optical_axes().map(|axis| axis.map(|v| v as f32)),
            position: pose.position.map(|v| v as f32),
            lights: lighting.lights.clone(),
            ambient: lighting.ambient,
        };
        view.lights = lighting.lights.iter().map(|l| Light { position: view.to_camera(l.position), ..*l }).collect();
        view
    }

    pub fn to_camera(&self, world: [f32; 3]) -> [f32; 3] {
        let d = sub(world, self.position);
        self.axes.map(|axis| dot(axis, d))
    }

    fn turn(&self, world: [f32; 3]) -> [f32; 3] {
        self.axes.map(|axis| dot(axis, world))
    }

    /// Sample coordinates of a camera point before the near plane.
    pub fn project(&self, p: [f32; 3]) -> [f32; 2] {
        let scale = self.focal / p[2];
        [p[0] * scale + self.width / 2.0, p[1] * scale + self.height / 2.0]
    }

    /// Turns coefficients over the ray (x/z, y/z, 1) into coefficients over sample coordinates (x, y, 1).
    pub fn over_samples(&self, c: [f32; 3]) -> [f32; 3] {
        let (a, b) = (c[0] / self.focal, c[1] / self.focal);
        [a, b, c[2] - a * self.width / 2.0 - b * self.height / 2.0]
    }

    /// Whether a sphere may reach into the picture.
    pub fn sees(&self, centre: [f32; 3], radius: f32) -> bool {
        let c = self.to_camera(centre);
        let beyond = |across: f32, half: f32| (across * self.focal - c[2] * half) > radius * self.focal.hypot(half);
        c[2] + radius > crate::raster::NEAR_M
            && !beyond(c[0].abs(), self.width / 2.0)
            && !beyond(c[1].abs(), self.height / 2.0)
    }

    /// Light on a camera-space point with a normal that faces the camera.
    fn irradiance(&self, point: [f32; 3], normal: [f32; 3], up: f32) -> f32 {
        let mut total = self.ambient * (0.8 + 0.2 * up);
        for light in &self.lights {
            let to_light = sub(light.position, point);
            let distance2 = dot(to_light, to_light).max(0.04);
            let facing = (dot(to_light, normal) / distance2.sqrt()).max(0.0);
            total += light.strength * facing / (1.0 + distance2 / (light.reach_m * light.reach_m));
        }
        total
    }
}

/// The planes of one face's attributes over depth, for samples (x, y, 1).
#[derive(Debug, Clone, Copy, Default)]
struct Planes {
    inverse_depth: [f32; 3],
    light: [f32; 3],
    u: [f32; 3],
    v: [f32; 3],
}

/// Attribute planes of the visible faces, made on first use.
#[derive(Debug)]
pub(crate) struct Shader {
    slot_of_face: Vec<u32>,
    planes: Vec<Planes>,
    linear: [f32; 257],
}

impl Default for Shader {
    fn default() -> Self {
        let linear = std::array::from_fn(|i| linear_from_srgb(i.min(255) as u8));
        Self { slot_of_face: Vec::new(), planes: Vec::new(), linear }
    }
}

impl Shader {
    /// Forgets the last frame.
    pub fn begin(&mut self, faces: usize) {
        self.slot_of_face.clear();
        self.slot_of_face.resize(faces, u32::MAX);
        self.planes.clear();
    }

    /// Linear light of a face at a sample position.
    pub fn shade(&mut self, face: usize, triangle: usize, body: &Body, view: &View, at: [f32; 2]) -> [f32; 3] {
        if self.slot_of_face[face] == u32::MAX {
            self.slot_of_face[face] = self.planes.len() as u32;
            self.planes.push(planes_of(triangle, body, view));
        }
        let planes = self.planes[self.slot_of_face[face] as usize];
        let on = |p: [f32; 3]| p[0] * at[0] + p[1] * at[1] + p[2];
        let depth = 1.0 / on(planes.inverse_depth);
        let finish = body.skin.finishes[usize::from(body.triangles[triangle].material)];
        let light = if finish.emits { 1.0 } else { (on(planes.light) * depth).max(0.0) };
        let surface = match finish.texture {
            None => finish.colour,
            Some(texture) => {
                let texture = &body.skin.textures[usize::from(texture)];
                let uv = [on(planes.u) * depth, on(planes.v) * depth];
                let texel = texture.sample(uv, mip_level(&planes, uv, depth, texture.sides()));
                std::array::from_fn(|i| self.decode(texel[i]) * finish.colour[i])
            }
        };
        surface.map(|v| v * light)
    }

    fn decode(&self, srgb: f32) -> f32 {
        let base = srgb as usize;
        let (a, b) = (self.linear[base.min(255)], self.linear[(base + 1).min(256)]);
        a + (b - a) * (srgb - base as f32)
    }
}

/// The level whose texels are about as large as a sample.
fn mip_level(planes: &Planes, uv: [f32; 2], depth: f32, sides: [f32; 2]) -> usize {
    let rate = |axis: usize| {
        let du = (planes.u[axis] - uv[0] * planes.inverse_depth[axis]) * depth * sides[0];
        let dv = (planes.v[axis] - uv[1] * planes.inverse_depth[axis]) * depth * sides[1];
        du * du + dv * dv
    };
    // Between the longer and the shorter axis of the footprint: sharper than either alone is honest.
    let area = (rate(0) * rate(1)).sqrt().max(rate(0).max(rate(1)) * 0.1);
    (0.5 * area.max(1e-12).log2() + 0.3).clamp(0.0, 15.0) as usize
}

fn planes_of(triangle: usize, body: &Body, view: &View) -> Planes {
    let indices = body.triangles[triangle].indices.map(|i| i as usize);
    let points = indices.map(|i| view.to_camera(body.positions[i]));
    let flat = cross(sub(points[1], points[0]), sub(points[2], points[0]));
    let side = if dot(flat, points[0]) > 0.0 { -1.0 } else { 1.0 };
    let length = dot(flat, flat).sqrt().max(1e-12);
    let flat = flat.map(|v| v * side / length);
    let inverse = [cross(points[1], points[2]), cross(points[2], points[0]), cross(points[0], points[1])];
    let determinant = dot(points[0], inverse[0]);
    let plane = |values: [f32; 3]| {
        let row = std::array::from_fn(|i| {
            (values[0] * inverse[0][i] + values[1] * inverse[1][i] + values[2] * inverse[2][i]) / determinant
        });
        view.over_samples(row)
    };
    let lit: [f32; 3] = std::array::from_fn(|corner| {
        let mut normal = flat;
        if let Some(&smooth) = body.normals.get(indices[corner]) {
            let turned = view.turn(smooth);
            normal = if dot(turned, flat) < 0.0 { turned.map(|v| -v) } else { turned };
        }
        let up = view.axes[0][2] * normal[0] + view.axes[1][2] * normal[1] + view.axes[2][2] * normal[2];
        view.irradiance(points[corner], normal, up) * body.openness.get(indices[corner]).copied().unwrap_or(1.0)
    });
    let uv = indices.map(|i| body.uvs.get(i).copied().unwrap_or_default());
    Planes { inverse_depth: plane([1.0; 3]), light: plane(lit), u: plane(uv.map(|t| t[0])), v: plane(uv.map(|t| t[1])) }
}
