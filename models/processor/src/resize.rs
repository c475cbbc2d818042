//! The size a picture is given, and the resampling that gives it.
//!
//! Source: `smart_resize` of transformers' `image_processing_qwen2_vl.py`. Sizes are (height, width) in pixels.
//! Resampling is antialiased bicubic with a = −0.5 (Pillow's and torchvision's), rounded back to 8 bits.

use crate::error::{ProcessorError, Result};
use crate::patches::RgbView;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use std::borrow::Cow;

/// The largest ratio of long to short side.
pub const MAX_ASPECT_RATIO: usize = 200;

/// The (height, width) a picture is resized to: multiples of `factor`, area within the limits where that is
/// possible, aspect ratio kept as well as it can be.
///
/// # Errors
/// [`ProcessorError::EmptyPicture`], [`ProcessorError::AspectRatio`] over 200, [`ProcessorError::PixelLimits`].
pub fn smart_resize(
    height: usize,
    width: usize,
    factor: usize,
    min_pixels: usize,
    max_pixels: usize,
) -> Result<(usize, usize)> {
    if height == 0 || width == 0 {
        return Err(ProcessorError::EmptyPicture { width, height });
    }
    if factor == 0 || min_pixels == 0 || min_pixels > max_pixels {
        return Err(ProcessorError::PixelLimits { factor, min_pixels, max_pixels });
    }
    let (h, w, f) = (height as f64, width as f64, factor as f64);
    if h.max(w) / h.min(w) > MAX_ASPECT_RATIO as f64 {
        return Err(ProcessorError::AspectRatio { width, height, limit: MAX_ASPECT_RATIO });
    }
    let (rounded_h, rounded_w) = ((h / f).round_ties_even() * f, (w / f).round_ties_even() * f);
    let (out_h, out_w) = if rounded_h * rounded_w > max_pixels as f64 {
        let beta = ((h * w) / max_pixels as f64).sqrt();
        (f.max((h / beta / f).floor() * f), f.max((w / beta / f).floor() * f))
    } else if rounded_h * rounded_w < min_pixels as f64 {
        let beta = (min_pixels as f64 / (h * w)).sqrt();
        ((h * beta / f).ceil() * f, (w * beta / f).ceil() * f)
    } else {
        (rounded_h, rounded_w)
    };
    Ok((out_h as usize, out_w as usize))
}

/// Resamples `picture` to (height, width) `to`; packed RGB8. A picture of that size is borrowed, not copied.
///
/// # Errors
/// [`ProcessorError::PictureLength`] or [`ProcessorError::EmptyPicture`] for a picture that lies about itself,
/// [`ProcessorError::Resize`] for a target that the resampler refuses.
pub fn resize<'a>(picture: &RgbView<'a>, to: (usize, usize)) -> Result<Cow<'a, [u8]>> {
    picture.check()?;
    let (height, width) = to;
    if (picture.height, picture.width) == to {
        return Ok(Cow::Borrowed(picture.data));
    }
    let failed = |reason: String| ProcessorError::Resize { width, height, reason };
    let side = |n: usize| u32::try_from(n).map_err(|_| failed(format!("a side of {n} pixels is too long")));
    let source = TypedImageRef::<U8x3>::from_buffer(side(picture.width)?, side(picture.height)?, picture.data)
        .map_err(|e| failed(e.to_string()))?;
    let mut resized = vec![0; width * height * 3];
    let mut target = TypedImage::<U8x3>::from_buffer(side(width)?, side(height)?, &mut resized)
        .map_err(|e| failed(e.to_string()))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom)).use_alpha(false);
    // Of one pixel type: `resize` compiles the kernels of all of them into this crate, for two minutes.
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|e| failed(e.to_string()))?;
    Ok(Cow::Owned(resized))
}
