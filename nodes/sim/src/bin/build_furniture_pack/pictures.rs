//! Textures: any picture of the source becomes a small power-of-two RGB.

use anyhow::Result;
use image::imageops::FilterType;
use sim::mesh::{MAX_TEXTURE_SIDE, Texture};

/// Decodes and shrinks a picture. Transparent pixels take the mean of the opaque ones, because
/// the rasteriser draws no transparency.
pub fn texture(bytes: &[u8]) -> Result<Texture> {
    let mut picture = image::load_from_memory(bytes)?.into_rgba8();
    fill_transparent(&mut picture);
    let (width, height) = (side(picture.width()), side(picture.height()));
    let small = image::imageops::resize(&picture, width, height, FilterType::Triangle);
    let rgb = small.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    Ok(Texture { width, height, rgb })
}

/// The nearest power of two from 4 to the limit.
fn side(pixels: u32) -> u32 {
    let exponent = f64::from(pixels.max(1)).log2().round() as u32;
    (1 << exponent.min(16)).clamp(4, MAX_TEXTURE_SIDE)
}

fn fill_transparent(picture: &mut image::RgbaImage) {
    let mut sum = [0_u64; 4];
    for pixel in picture.pixels() {
        let alpha = u64::from(pixel[3]);
        for channel in 0..3 {
            sum[channel] += u64::from(pixel[channel]) * alpha;
        }
        sum[3] += alpha;
    }
    for pixel in picture.pixels_mut() {
        let alpha = u64::from(pixel[3]);
        for channel in 0..3 {
            let mean = sum[channel] / sum[3].max(1);
            pixel[channel] = ((u64::from(pixel[channel]) * alpha + mean * (255 - alpha)) / 255) as u8;
        }
        pixel[3] = 255;
    }
}
