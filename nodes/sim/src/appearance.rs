//! What surfaces look like: textures with smaller copies for distant views, colours, tints.
//!
//! Textures stay in sRGB bytes; colours that leave this module are linear light, 1 = a white surface.

use crate::mesh::{Material, Mesh, Texture};

/// Linear light of an sRGB byte.
pub fn linear_from_srgb(byte: u8) -> f32 {
    let v = f32::from(byte) / 255.0;
    if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

/// A texture with all its halvings.
#[derive(Debug, Clone)]
pub struct MipTexture {
    levels: Vec<Level>,
}

#[derive(Debug, Clone)]
struct Level {
    width: usize,
    height: usize,
    texels: Vec<[u8; 4]>,
}

impl MipTexture {
    /// Halves a texture down to one texel. The sides must be powers of two.
    pub fn new(texture: &Texture) -> Self {
        let texels = texture.rgb.chunks_exact(3).map(|p| [p[0], p[1], p[2], 255]).collect();
        let mut levels = vec![Level { width: texture.width as usize, height: texture.height as usize, texels }];
        while let Some(next) = levels.last().and_then(Level::halved) {
            levels.push(next);
        }
        Self { levels }
    }

    /// Sides of the full texture, texels.
    pub fn sides(&self) -> [f32; 2] {
        [self.levels[0].width as f32, self.levels[0].height as f32]
    }

    /// Bilinear sample at `uv` (wrapping) of the level that is `2^level` times smaller; sRGB, 0..=255.
    pub fn sample(&self, uv: [f32; 2], level: usize) -> [f32; 3] {
        let level = &self.levels[level.min(self.levels.len() - 1)];
        let (x0, fx) = whole_and_part((uv[0] - whole_and_part(uv[0]).0 as f32) * level.width as f32 - 0.5);
        let (y0, fy) = whole_and_part((uv[1] - whole_and_part(uv[1]).0 as f32) * level.height as f32 - 0.5);
        let columns = [x0, x0.wrapping_add(1)].map(|x| x as usize & (level.width - 1));
        let [top, bottom] = [y0, y0.wrapping_add(1)].map(|y| {
            let row = (y as usize & (level.height - 1)) * level.width;
            mix(level.texel(row + columns[0]), level.texel(row + columns[1]), fx)
        });
        let [r, g, b, _] = mix(top, bottom, fy);
        [r, g, b]
    }
}

/// The largest whole number that isn't greater, and what is left, for numbers of ordinary size.
fn whole_and_part(v: f32) -> (i32, f32) {
    let toward_zero = v as i32;
    let whole = toward_zero - i32::from((toward_zero as f32) > v);
    (whole, v - whole as f32)
}

/// All four lanes, so that they go through one register.
fn mix(a: [f32; 4], b: [f32; 4], share: f32) -> [f32; 4] {
    std::array::from_fn(|i| a[i] + share * (b[i] - a[i]))
}

impl Level {
    fn texel(&self, at: usize) -> [f32; 4] {
        self.texels[at].map(f32::from)
    }

    fn halved(&self) -> Option<Self> {
        if self.width * self.height <= 1 {
            return None;
        }
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        let (sx, sy) = (self.width / width, self.height / height);
        let mut texels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let mut sum = [0u32; 3];
                for (dy, dx) in [(0, 0), (0, sx - 1), (sy - 1, 0), (sy - 1, sx - 1)] {
                    let texel = self.texels[(y * sy + dy) * self.width + x * sx + dx];
                    for (total, value) in sum.iter_mut().zip(texel) {
                        *total += u32::from(value);
                    }
                }
                let [r, g, b] = sum.map(|total| ((total + 2) / 4) as u8);
                texels.push([r, g, b, 255]);
            }
        }
        Some(Self { width, height, texels })
    }
}

/// How one material of a body is painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finish {
    /// Linear colour: of the surface, or the factor on its texture.
    pub colour: [f32; 3],
    /// Index into [`Skin::textures`].
    pub texture: Option<u16>,
    /// Shines by itself: lamps, and the sky behind a window. The colour is then radiance.
    pub emits: bool,
}

/// The finishes and textures of one body.
#[derive(Debug, Clone, Default)]
pub struct Skin {
    /// One a material of the mesh.
    pub finishes: Vec<Finish>,
    /// What [`Finish::texture`] points into.
    pub textures: Vec<MipTexture>,
}

impl Skin {
    /// Paints a mesh with its own materials, each colour times the linear factor `tint`.
    pub fn of_mesh(mesh: &Mesh, tint: [f32; 3]) -> Self {
        let finish = |material: &Material| Finish {
            colour: match material.texture {
                Some(_) => tint,
                None => std::array::from_fn(|i| (linear_from_srgb(material.colour[i]) * tint[i]).min(1.0)),
            },
            texture: material.texture,
            emits: false,
        };
        Self {
            finishes: mesh.materials.iter().map(finish).collect(),
            textures: mesh.textures.iter().map(|texture| MipTexture::new(texture)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_level_is_the_mean() {
        let rgb = (0..4 * 2).flat_map(|i| [i * 10, 0, 200]).collect();
        let mip = MipTexture::new(&Texture { width: 4, height: 2, rgb });
        let [r, g, b] = mip.sample([0.3, 0.9], 99);
        assert!((r - 35.0).abs() <= 1.5 && g == 0.0 && b == 200.0);
    }

    #[test]
    fn texel_centres_are_exact() {
        let mip = MipTexture::new(&Texture { width: 2, height: 1, rgb: vec![10, 0, 0, 90, 0, 0] });
        assert_eq!(mip.sample([0.25, 0.5], 0)[0], 10.0);
        assert_eq!(mip.sample([-0.25, 0.5], 0)[0], 90.0);
        assert_eq!(mip.sample([0.5, 0.5], 0)[0], 50.0);
    }
}
