//! The sensor: from linear light to the bytes of a camera, with exposure, colour cast, blur, noise, gamma and JPEG.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use crate::raster::Rendering;

/// Imperfections of one camera; fixed for a clip or a walk.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensor {
    /// Mean linear level that the exposure aims at.
    pub target_level: f32,
    /// Gains of red, green and blue.
    pub balance: [f32; 3],
    /// Exponent from linear to output, about 1/2.2.
    pub gamma: f32,
    /// Share of each pixel that comes from its four neighbours, 0..0.5.
    pub blur: f32,
    /// Standard deviation of the noise, output levels (0..255).
    pub noise: f32,
    /// Loss of light towards the corners, 0..1.
    pub vignette: f32,
    /// Quality of the JPEG that pictures are stored as and read from, 1..=100.
    pub jpeg_quality: Option<u8>,
    exposure: Option<f32>,
    blurred: Vec<[f32; 3]>,
}

impl Sensor {
    /// A random ordinary camera.
    pub fn generate(rng: &mut ChaCha8Rng) -> Self {
        Self {
            target_level: rng.random_range(0.16..0.34),
            balance: std::array::from_fn(|_| rng.random_range(0.9..1.1)),
            gamma: rng.random_range(0.40..0.52),
            blur: rng.random_range(0.0f32..0.45).powi(2) * 2.0,
            noise: rng.random_range(0.5f32..3.0).powi(2) * 0.7,
            vignette: rng.random_range(0.0..0.25),
            jpeg_quality: None,
            exposure: None,
            blurred: Vec::new(),
        }
    }

    /// A camera that adds nothing: same exposure rule, no noise, no cast, no blur.
    pub fn clean() -> Self {
        Self {
            target_level: 0.25,
            balance: [1.0; 3],
            gamma: 1.0 / 2.2,
            blur: 0.0,
            noise: 0.0,
            vignette: 0.0,
            jpeg_quality: None,
            exposure: None,
            blurred: Vec::new(),
        }
    }

    /// Develops one frame into RGB bytes, three a pixel. Exposure starts at what the first frame needs and follows
    /// slowly.
    pub fn develop(&mut self, rendering: &Rendering, rng: &mut ChaCha8Rng, rgb: &mut Vec<u8>) {
        let gain = self.expose(rendering);
        self.soften(rendering);
        let (width, height) = (rendering.width, rendering.height);
        rgb.clear();
        rgb.reserve(width * height * 3);
        let (cx, cy) = (width as f32 / 2.0, height as f32 / 2.0);
        let radius2 = cx * cx + cy * cy;
        let curve: [f32; 513] = std::array::from_fn(|i| 255.0 * shoulder(i as f32 / 256.0).powf(self.gamma));
        for y in 0..height {
            for x in 0..width {
                let (dx, dy) = (x as f32 - cx, y as f32 - cy);
                let local = gain * (1.0 - self.vignette * (dx * dx + dy * dy) / radius2);
                for (value, balance) in self.blurred[y * width + x].iter().zip(self.balance) {
                    let at = (value * local * balance * 256.0).clamp(0.0, 511.0);
                    let (low, part) = (at as usize, at.fract());
                    let level = curve[low] + (curve[low + 1] - curve[low]) * part + self.noise * gaussian(rng);
                    rgb.push(level.clamp(0.0, 255.0).round() as u8);
                }
            }
        }
        // A picture that JPEG can't hold, which is one with a side over 65,535 pixels, stays as it is.
        if let Some(quality) = self.jpeg_quality
            && let Ok(stored) = through_jpeg(rgb, [width as u32, height as u32], quality)
        {
            *rgb = stored;
        }
    }

    fn expose(&mut self, rendering: &Rendering) -> f32 {
        let sum: f32 = rendering.light.iter().map(|c| (0.3 * c[0] + 0.6 * c[1] + 0.1 * c[2]).min(1.5)).sum();
        let wanted = (self.target_level * rendering.light.len() as f32 / sum.max(1e-3)).clamp(0.2, 8.0);
        let gain = self.exposure.map_or(wanted, |old| old + 0.15 * (wanted - old));
        self.exposure = Some(gain);
        gain
    }

    fn soften(&mut self, rendering: &Rendering) {
        let light = &rendering.light;
        self.blurred.clear();
        self.blurred.extend_from_slice(light);
        if self.blur < 0.01 {
            return;
        }
        let width = rendering.width;
        let (own, side) = (1.0 - self.blur, self.blur / 4.0);
        for y in 1..rendering.height.saturating_sub(1) {
            for x in 1..width.saturating_sub(1) {
                let at = y * width + x;
                self.blurred[at] = std::array::from_fn(|i| {
                    own * light[at][i]
                        + side * (light[at - 1][i] + light[at + 1][i] + light[at - width][i] + light[at + width][i])
                });
            }
        }
    }
}

/// RGB bytes as they come back from a JPEG.
fn through_jpeg(rgb: &[u8], [width, height]: [u32; 2], quality: u8) -> image::ImageResult<Vec<u8>> {
    let mut stored = Vec::new();
    JpegEncoder::new_with_quality(&mut stored, quality).encode(rgb, width, height, ExtendedColorType::Rgb8)?;
    Ok(image::load_from_memory_with_format(&stored, ImageFormat::Jpeg)?.into_rgb8().into_raw())
}

/// Linear up to 0.7, then bends so that 2 is white.
fn shoulder(v: f32) -> f32 {
    if v < 0.7 { v } else { (0.7 + 0.3 * (1.0 - (-(v - 0.7) / 0.3).exp())).min(1.0) }
}

/// About normal: the sum of four bytes.
fn gaussian(rng: &mut ChaCha8Rng) -> f32 {
    let sum: u32 = rng.next_u32().to_le_bytes().into_iter().map(u32::from).sum();
    (sum as f32 - 510.0) / 147.8
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn exposure_meets_its_target_and_noise_has_its_size() {
        let rendering = Rendering { width: 40, height: 30, light: vec![[0.05; 3]; 1200], ..Rendering::default() };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut clean, mut noisy) = (Vec::new(), Vec::new());
        Sensor::clean().develop(&rendering, &mut rng, &mut clean);
        assert!(clean.iter().all(|&v| v == clean[0]));
        let mut sensor = Sensor { noise: 5.0, ..Sensor::clean() };
        sensor.develop(&rendering, &mut rng, &mut noisy);
        let mean = f64::from(clean[0]);
        let variance = noisy.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / noisy.len() as f64;
        assert!((variance.sqrt() - 5.0).abs() < 0.4, "{variance}");
    }

    #[test]
    fn jpeg_costs_detail_by_its_quality() {
        let light = (0..1200).map(|i| if (i / 3 + i / 40) % 2 == 0 { [0.1; 3] } else { [0.3, 0.2, 0.1] }).collect();
        let rendering = Rendering { width: 40, height: 30, light, ..Rendering::default() };
        let developed = |jpeg_quality| {
            let mut rgb = Vec::new();
            let mut sensor = Sensor { jpeg_quality, ..Sensor::clean() };
            sensor.develop(&rendering, &mut ChaCha8Rng::seed_from_u64(1), &mut rgb);
            rgb
        };
        let clean = developed(None);
        let loss = |quality| {
            let squares =
                developed(Some(quality)).into_iter().zip(&clean).map(|(a, &b)| f64::from(a.abs_diff(b)).powi(2));
            squares.sum::<f64>() / clean.len() as f64
        };
        assert!(loss(95) > 0.5 && loss(40) > 2.0 * loss(95), "{} {}", loss(95), loss(40));
    }
}
