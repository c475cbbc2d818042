//! From a visible sample to linear light: texture, lamps, ambient light, shadows.

use std::sync::LazyLock;

use crate::appearance::{MipTexture, linear_from_srgb};
use crate::body::{Body, Light, Lighting};
use crate::raster::Face;
use crate::shadow::ShadowMap;
use crate::view::{View, cross, dot, sub};

/// How far a point is moved off its surface before asking whether a lamp sees it, metres: two texels of a shadow map at
/// three metres.
const OFFSET_M: f32 = 0.05;
/// Light of a lamp that isn't worth asking whether it arrives.
const LEAST_LIGHT: f32 = 1e-3;

/// Coefficients over samples (x, y, 1).
type Plane = [f32; 3];

/// What one face looks like in one view.
#[derive(Debug, Clone, Copy)]
struct Surface<'a> {
    id: u16,
    /// Attributes over depth: 1, light (without the lamps that have a shadow map) and texture coordinates.
    inverse_depth: Plane,
    light: Plane,
    uv: [Plane; 2],
    colour: [f32; 3],
    texture: Option<&'a MipTexture>,
    emits: bool,
    /// First of its planes in [`Shading::shadowed`].
    shadowed: usize,
    /// The way off the surface to where shadows are looked up, metres, world axes.
    lookup: [f32; 3],
}

/// A lamp.
struct Lamp<'a> {
    /// Camera frame.
    light: Light,
    /// Metres, world frame.
    position: [f32; 3],
    shadow: Option<&'a ShadowMap>,
}

/// The visible faces of one view, each set up on first use.
pub(crate) struct Shading<'a> {
    bodies: &'a [&'a Body],
    faces: &'a [Face],
    view: &'a View,
    ambient: f32,
    lamps: Vec<Lamp<'a>>,
    surface_of_face: &'a mut Vec<u32>,
    surfaces: Vec<Surface<'a>>,
    /// Light over depth of each lamp with a shadow map, surface by surface.
    shadowed: Vec<Plane>,
    tables: &'static Tables,
}

impl<'a> Shading<'a> {
    /// Faces of bodies, not yet set up; `surface_of_face` is a buffer to reuse.
    pub fn new(
        bodies: &'a [&'a Body],
        faces: &'a [Face],
        (view, lighting): (&'a View, &'a Lighting),
        surface_of_face: &'a mut Vec<u32>,
    ) -> Self {
        surface_of_face.clear();
        surface_of_face.resize(faces.len(), u32::MAX);
        let in_camera = |light: &Light| Light { position: view.to_camera(light.position), ..*light };
        let shadow = |index: usize| lighting.shadows.as_ref().and_then(|maps| maps.get(index));
        let lamps = lighting.lights.iter().enumerate();
        let lamp = |(index, light): (usize, &Light)| Lamp {
            light: in_camera(light),
            position: light.position,
            shadow: shadow(index),
        };
        let lamps = lamps.map(lamp).collect();
        let (surfaces, shadowed) = (Vec::with_capacity(faces.len()), Vec::new());
        let (ambient, tables) = (lighting.ambient, Tables::get());
        Self { bodies, faces, view, ambient, lamps, surface_of_face, surfaces, shadowed, tables }
    }

    /// Id and linear light of a face at a sample position.
    pub fn shade(&mut self, face: u32, at: [f32; 2]) -> (u16, [f32; 3]) {
        let surface = self.surface(face);
        let row = Row::new(&surface, at[1]);
        (surface.id, self.light(&surface, &row, at[0], self.past_shadows(&surface, &row, at[0])))
    }

    /// Shades the samples of one face from column and row `first` on; returns its id. Two neighbours share their
    /// shadows, looked up between them.
    pub fn shade_run(&mut self, face: u32, first: [usize; 2], out: &mut [[f32; 3]]) -> u16 {
        let surface = self.surface(face);
        let row = Row::new(&surface, first[1] as f32 + 0.5);
        for (pair, lights) in out.chunks_mut(2).enumerate() {
            let x = (first[0] + 2 * pair) as f32 + 0.5;
            let lamps = self.past_shadows(&surface, &row, x + 0.5 * (lights.len() - 1) as f32);
            for (light, x) in lights.iter_mut().zip([x, x + 1.0]) {
                *light = self.light(&surface, &row, x, lamps);
            }
        }
        surface.id
    }

    /// Inverse depth of a face's plane at a sample position.
    pub fn inverse_depth(&mut self, face: u32, at: [f32; 2]) -> f32 {
        Line::new(self.surface(face).inverse_depth, at[1]).at(at[0])
    }

    fn surface(&mut self, face: u32) -> Surface<'a> {
        let known = &mut self.surface_of_face[face as usize];
        if let Some(surface) = self.surfaces.get(*known as usize) {
            return *surface;
        }
        *known = self.surfaces.len() as u32;
        let surface = self.set_up(self.faces[face as usize]);
        self.surfaces.push(surface);
        surface
    }

    fn set_up(&mut self, face: Face) -> Surface<'a> {
        let body = self.bodies[face.body as usize];
        let triangle = &body.triangles[face.triangle as usize];
        let finish = body.skin.finishes[usize::from(triangle.material)];
        let indices = triangle.indices.map(|i| i as usize);
        let points = indices.map(|i| self.view.to_camera(body.positions[i]));
        let flat = facing(points);
        let planes = Planes::new(points, self.view);
        let shadowed = self.shadowed.len();
        let normals = indices.map(|i| self.smooth(body, i, flat));
        let openness = indices.map(|i| body.openness.get(i).copied().unwrap_or(1.0));
        let mut lit: [f32; 3] = std::array::from_fn(|corner| self.ambient_on(normals[corner]));
        for lamp in &self.lamps {
            let from_lamp: [f32; 3] = std::array::from_fn(|i| irradiance(&lamp.light, points[i], normals[i]));
            if lamp.shadow.is_some() {
                self.shadowed.push(planes.through(std::array::from_fn(|i| from_lamp[i] * openness[i])));
            } else {
                lit = std::array::from_fn(|i| lit[i] + from_lamp[i]);
            }
        }
        let uv = indices.map(|i| body.uvs.get(i).copied().unwrap_or_default());
        Surface {
            id: body.id,
            inverse_depth: planes.through([1.0; 3]),
            light: planes.through(std::array::from_fn(|i| lit[i] * openness[i])),
            uv: [0, 1].map(|axis| planes.through(uv.map(|t| t[axis]))),
            colour: finish.colour,
            texture: finish.texture.map(|texture| &body.skin.textures[usize::from(texture)]),
            emits: finish.emits,
            shadowed,
            lookup: self.view.turn_back(flat).map(|v| v * OFFSET_M),
        }
    }

    /// The normal at a vertex, on the side of `flat`, camera frame.
    fn smooth(&self, body: &Body, vertex: usize, flat: [f32; 3]) -> [f32; 3] {
        let Some(&smooth) = body.normals.get(vertex) else { return flat };
        let turned = self.view.turn(smooth);
        if dot(turned, flat) < 0.0 { turned.map(|v| -v) } else { turned }
    }

    fn ambient_on(&self, normal: [f32; 3]) -> f32 {
        let axes = &self.view.axes;
        let up = axes[0][2] * normal[0] + axes[1][2] * normal[1] + axes[2][2] * normal[2];
        self.ambient * (0.8 + 0.2 * up)
    }

    /// Linear light of a sample on which `lamps` falls besides the light that nothing shadows.
    #[inline]
    fn light(&self, surface: &Surface, row: &Row, x: f32, lamps: f32) -> [f32; 3] {
        let depth = 1.0 / row.inverse_depth.at(x);
        let light = if surface.emits { 1.0 } else { (row.light.at(x) * depth + lamps).max(0.0) };
        let Some(texture) = surface.texture else { return surface.colour.map(|v| v * light) };
        let uv = [row.uv[0].at(x) * depth, row.uv[1].at(x) * depth];
        let level = self.tables.mip_level(texel_area(surface, uv, depth, texture.sides()));
        let texel = texture.sample(uv, level);
        std::array::from_fn(|i| self.tables.linear(texel[i]) * surface.colour[i] * light)
    }

    /// What arrives from the lamps that have a shadow map.
    fn past_shadows(&self, surface: &Surface, row: &Row, x: f32) -> f32 {
        if self.shadowed.is_empty() {
            return 0.0;
        }
        let at = [x, row.y];
        let depth = 1.0 / row.inverse_depth.at(x);
        let ray = self.view.turn_back(self.view.unproject(at, depth));
        let point: [f32; 3] = std::array::from_fn(|i| self.view.position[i] + ray[i] + surface.lookup[i]);
        let mut planes = self.shadowed[surface.shadowed..].iter();
        let mut total = 0.0;
        for lamp in &self.lamps {
            let Some(map) = lamp.shadow else { continue };
            let Some(plane) = planes.next() else { break };
            let light = (plane[0] * at[0] + plane[1] * at[1] + plane[2]) * depth;
            if light > LEAST_LIGHT {
                total += light * map.lit(sub(point, lamp.position));
            }
        }
        total
    }
}

/// Unit normal of a triangle towards the camera, camera frame.
fn facing(points: [[f32; 3]; 3]) -> [f32; 3] {
    let flat = cross(sub(points[1], points[0]), sub(points[2], points[0]));
    let side = if dot(flat, points[0]) > 0.0 { -1.0 } else { 1.0 };
    let length = dot(flat, flat).sqrt().max(1e-12);
    flat.map(|v| v * side / length)
}

/// Light of a lamp on a point with a normal, all in one frame.
fn irradiance(light: &Light, point: [f32; 3], normal: [f32; 3]) -> f32 {
    let to_light = sub(light.position, point);
    let distance2 = dot(to_light, to_light).max(0.04);
    let facing = (dot(to_light, normal) / distance2.sqrt()).max(0.0);
    light.strength * facing / (1.0 + distance2 / (light.reach_m * light.reach_m))
}

/// Makes planes of what is known at the corners of a triangle.
struct Planes<'a> {
    inverse: [[f32; 3]; 3],
    determinant: f32,
    view: &'a View,
}

impl<'a> Planes<'a> {
    fn new(points: [[f32; 3]; 3], view: &'a View) -> Self {
        let inverse = [cross(points[1], points[2]), cross(points[2], points[0]), cross(points[0], points[1])];
        Self { inverse, determinant: dot(points[0], inverse[0]), view }
    }

    fn through(&self, values: [f32; 3]) -> Plane {
        let inverse = &self.inverse;
        let row = std::array::from_fn(|i| {
            (values[0] * inverse[0][i] + values[1] * inverse[1][i] + values[2] * inverse[2][i]) / self.determinant
        });
        self.view.over_samples(row)
    }
}

/// A plane along one row of samples.
#[derive(Clone, Copy)]
struct Line {
    slope: f32,
    of_row: f32,
    offset: f32,
}

impl Line {
    fn new(plane: Plane, y: f32) -> Self {
        Self { slope: plane[0], of_row: plane[1] * y, offset: plane[2] }
    }

    fn at(&self, x: f32) -> f32 {
        self.slope * x + self.of_row + self.offset
    }
}

/// A surface along one row of samples.
struct Row {
    y: f32,
    inverse_depth: Line,
    light: Line,
    uv: [Line; 2],
}

impl Row {
    fn new(surface: &Surface, y: f32) -> Self {
        Self {
            y,
            inverse_depth: Line::new(surface.inverse_depth, y),
            light: Line::new(surface.light, y),
            uv: surface.uv.map(|plane| Line::new(plane, y)),
        }
    }
}

/// What is looked up for every sample.
struct Tables {
    /// Linear light of each sRGB byte, and the step to the next.
    linear: [(f32, f32); 256],
    /// Least area of a sample, in texels of the full texture, at which each level from the first smaller one on is taken.
    mip_areas: [f32; 15],
}

impl Tables {
    fn get() -> &'static Self {
        static TABLES: LazyLock<Tables> = LazyLock::new(|| {
            let at = |byte: usize| linear_from_srgb(byte.min(255) as u8);
            Tables {
                linear: std::array::from_fn(|byte| (at(byte), at(byte + 1) - at(byte))),
                mip_areas: std::array::from_fn(least_area),
            }
        });
        &TABLES
    }

    /// Linear light of an sRGB level between bytes, 0..=255.
    fn linear(&self, srgb: f32) -> f32 {
        let byte = srgb as u8;
        let (base, step) = self.linear[usize::from(byte)];
        base + step * (srgb - f32::from(byte))
    }

    /// The level for samples of an area in texels.
    fn mip_level(&self, area: f32) -> usize {
        self.mip_areas.iter().take_while(|&&least| area >= least).count()
    }
}

/// The least area whose level, by the logarithm, is above `level`.
fn least_area(level: usize) -> f32 {
    // Between two positive numbers, order is that of their bits.
    let (mut low, mut high) = (1e-12f32.to_bits(), 1e12f32.to_bits());
    while low + 1 < high {
        let middle = low.midpoint(high);
        let above = (0.5 * f32::from_bits(middle).log2() + 0.3) as usize > level;
        if above { high = middle } else { low = middle }
    }
    f32::from_bits(high)
}

/// Area of a sample in texels of the full texture.
fn texel_area(surface: &Surface, uv: [f32; 2], depth: f32, sides: [f32; 2]) -> f32 {
    let rate = |axis: usize| {
        let du = (surface.uv[0][axis] - uv[0] * surface.inverse_depth[axis]) * depth * sides[0];
        let dv = (surface.uv[1][axis] - uv[1] * surface.inverse_depth[axis]) * depth * sides[1];
        du * du + dv * dv
    };
    let (along, down) = (rate(0), rate(1));
    // Between the longer and the shorter axis of the footprint: sharper than either alone is honest.
    (along * down).sqrt().max(along.max(down) * 0.1)
}
