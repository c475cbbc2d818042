//! Procedural textures. Their tone is to be multiplied with a colour.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::appearance::MipTexture;
use crate::mesh::Texture;

const SIDE: usize = 64;

/// Sky over ground.
pub(crate) fn outside(rng: &mut ChaCha8Rng) -> MipTexture {
    let horizon = rng.random_range(0.45..0.85);
    let sky = [rng.random_range(150.0..215.0), 205.0, rng.random_range(215.0..255.0)];
    let ground = [rng.random_range(50.0..120.0), rng.random_range(80.0..130.0), 60.0];
    let salt = rng.random();
    paint(|u, v| {
        let ragged = horizon + 0.1 * (noise(salt, u * 8.0, 0.0, 8) - 0.5);
        let base: [f64; 3] = if v < ragged { sky } else { ground };
        let cloud = 40.0 * (noise(salt ^ 1, u * 4.0, v * 8.0, 8) - 0.4);
        base.map(|c| c + cloud)
    })
}

/// Wooden boards, to be coloured.
pub(crate) fn planks(salt: u64) -> MipTexture {
    paint(move |u, v| {
        let row = (v * 8.0).floor();
        let shift = noise(salt, row, 7.0, 8);
        let piece = (u + shift).fract();
        let gap = (v * 8.0).fract() < 0.08 || piece < 0.015;
        let tone = 150.0
            + 80.0 * noise(salt ^ 3, row, ((u + shift) * 2.0).floor(), 8)
            + 40.0 * noise(salt ^ 5, u * 8.0, v * 32.0, 32);
        [if gap { tone * 0.55 } else { tone }; 3]
    })
}

/// `count` tiles a side with joints, to be coloured.
pub(crate) fn tiles(salt: u64, count: u32) -> MipTexture {
    let count = f64::from(count);
    paint(move |u, v| {
        let (x, y) = (u * count, v * count);
        let joint = x.fract() < 0.06 || y.fract() < 0.06;
        let tone =
            190.0 + 40.0 * noise(salt, x.floor(), y.floor(), 64) + 20.0 * noise(salt ^ 9, u * 16.0, v * 16.0, 16);
        [if joint { 130.0 } else { tone }; 3]
    })
}

/// Fine and coarse noise, to be coloured.
pub(crate) fn grain(salt: u64, contrast: f64) -> MipTexture {
    paint(move |u, v| {
        let fine = noise(salt, u * 64.0, v * 64.0, 64) - 0.5;
        let coarse = noise(salt ^ 2, u * 8.0, v * 8.0, 8) - 0.5;
        [215.0 + contrast * (fine + 0.5 * coarse); 3]
    })
}

/// `count` upright stripes, to be coloured.
pub(crate) fn stripes(salt: u64, count: u32) -> MipTexture {
    let dark = 150.0 + 70.0 * noise(salt, 1.0, 2.0, 8);
    let share = 0.2 + 0.6 * noise(salt, 3.0, 4.0, 8);
    paint(move |u, _| [if (u * f64::from(count)).fract() < share { dark } else { 235.0 }; 3])
}

/// A chequered board, `count` pairs a side, to be coloured.
pub(crate) fn checks(salt: u64, count: u32) -> MipTexture {
    let dark = 90.0 + 70.0 * noise(salt, 5.0, 6.0, 8);
    let count = f64::from(2 * count);
    paint(move |u, v| {
        let (x, y) = ((u * count).floor(), (v * count).floor());
        let tone = if (x + y).rem_euclid(2.0) < 1.0 { dark } else { 225.0 };
        [tone + 20.0 * (noise(salt ^ 4, u * 32.0, v * 32.0, 32) - 0.5); 3]
    })
}

/// `count` dots a side, to be coloured.
pub(crate) fn dots(salt: u64, count: u32) -> MipTexture {
    let dark = 120.0 + 70.0 * noise(salt, 1.0, 2.0, 8);
    let radius = 0.15 + 0.25 * noise(salt, 3.0, 4.0, 8);
    let off = |v: f64| (v * f64::from(count)).fract() - 0.5;
    paint(move |u, v| [if off(u).hypot(off(v)) < radius { dark } else { 235.0 }; 3])
}

fn paint(colour: impl Fn(f64, f64) -> [f64; 3]) -> MipTexture {
    let mut rgb = Vec::with_capacity(SIDE * SIDE * 3);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let texel = colour((x as f64 + 0.5) / SIDE as f64, (y as f64 + 0.5) / SIDE as f64);
            rgb.extend(texel.map(|v| v.clamp(0.0, 255.0) as u8));
        }
    }
    MipTexture::new(&Texture { width: SIDE as u32, height: SIDE as u32, rgb })
}

/// Smooth value noise in 0..=1 that repeats every `period`.
fn noise(salt: u64, x: f64, y: f64, period: i64) -> f64 {
    let at = |x: f64, y: f64| {
        let (x, y) = ((x as i64).rem_euclid(period) as u64, (y as i64).rem_euclid(period) as u64);
        let mut h = salt ^ x.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ y.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        h = (h ^ (h >> 31)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        (h >> 40) as f64 / (1u64 << 24) as f64
    };
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (x - x0, y - y0);
    let (top, bottom) =
        (at(x0, y0) * (1.0 - fx) + at(x0 + 1.0, y0) * fx, at(x0, y0 + 1.0) * (1.0 - fx) + at(x0 + 1.0, y0 + 1.0) * fx);
    top * (1.0 - fy) + bottom * fy
}
