//! Frames back from what the network reads, so that a server sees the very pictures.

use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use processor::PreprocessorConfig;

use crate::{Error, Result};

/// RGB frames of 8 bits whose rows of patches are `values`, what `processor::pixel_values` was given; a last frame that was
/// repeated to fill a pair is there twice. Each is `w · patch_size` wide and `h · patch_size` high.
///
/// # Errors
/// Where `values` are not as many as the grid (t, h, w) says.
pub fn frames(values: &[f32], [t, h, w]: [usize; 3], config: &PreprocessorConfig) -> Result<Vec<Vec<u8>>> {
    let (patch, merge, pair) = (config.patch_size, config.merge_size, config.temporal_patch_size);
    let row = 3 * pair * patch * patch;
    let pictures = || values.chunks_exact((h * w * row).max(1));
    if values.len() != t * h * w * row {
        let expected = format!("{} values of {t}×{h}×{w} patches", t * h * w * row);
        return Err(candle_core::Error::Msg(format!("expected {expected}, found {}", values.len())).into());
    }
    let (width, height) = (w * patch, h * patch);
    let place = |in_pair: usize, i: usize| {
        let (x, y, channel) = (i / 3 % width, i / 3 / width, i % 3);
        let (grid_x, grid_y) = (x / patch, y / patch);
        let block = grid_y / merge * (w / merge) + grid_x / merge;
        let index = block * merge * merge + grid_y % merge * merge + grid_x % merge;
        index * row + (channel * pair + in_pair) * patch * patch + y % patch * patch + x % patch
    };
    let level = |value: f32, channel: usize| {
        let shade = f64::from(value) * config.image_std[channel] + config.image_mean[channel];
        (shade / config.rescale_factor).round() as u8
    };
    let frame = |rows: &[f32], in_pair: usize| {
        let values =
            (0..width * height * 3).map(|i| rows.get(place(in_pair, i)).map_or(0, |value| level(*value, i % 3)));
        values.collect::<Vec<u8>>()
    };
    Ok(pictures().flat_map(|rows| (0..pair).map(move |in_pair| frame(rows, in_pair))).collect())
}

/// A video as a data URL whose frames stand behind each other, separated by commas, as vLLM reads them. They are PNG: vLLM
/// looks at the bytes, and JPEG would change the pictures.
///
/// # Errors
/// When a frame can't be encoded.
pub fn video_url(frames: &[Vec<u8>], width: usize, height: usize) -> Result<String> {
    let encode = |frame: &Vec<u8>| {
        let mut png = Cursor::new(Vec::new());
        let refuse = |error: image::ImageError| Error::from(candle_core::Error::wrap(error));
        let (width, height) = (width as u32, height as u32);
        PngEncoder::new(&mut png).write_image(frame, width, height, ExtendedColorType::Rgb8).map_err(refuse)?;
        Ok(base64::encode(png.into_inner()))
    };
    let frames: Vec<String> = frames.iter().map(encode).collect::<Result<_>>()?;
    Ok(format!("data:video/jpeg;base64,{}", frames.join(",")))
}

#[cfg(test)]
mod tests {
    use processor::{RgbView, pixel_values};

    use super::*;

    #[test]
    fn frames_come_back_from_their_patches() {
        let config = PreprocessorConfig { patch_size: 2, ..PreprocessorConfig::default() };
        let (width, height) = (8, 4);
        let given: Vec<Vec<u8>> =
            (0..3).map(|f| (0..width * height * 3).map(|i| (i * 7 + f * 50) as u8).collect()).collect();
        let views: Vec<RgbView> = given.iter().map(|data| RgbView { width, height, data }).collect();
        let (values, grid) = pixel_values(&views, &config).unwrap();
        let found = frames(&values, grid, &config).unwrap();
        assert_eq!(grid, [2, 2, 4]);
        assert_eq!((&found[..3], &found[3]), (&given[..], &given[2]));
        assert!(frames(&values[1..], grid, &config).is_err());
    }
}
