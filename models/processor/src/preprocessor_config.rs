//! What a model directory says about turning pictures into patches.

use crate::error::{ProcessorError, Result};
use crate::json::{self, Fields};
use crate::sampling::SamplingRule;
use model_dir::Files;
use std::path::Path;

/// Most pixels that every picture is enlarged to: a picture of 4K.
const MOST_MIN_PIXELS: usize = 1 << 23;

/// The area of a resized picture, or of one resized frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelLimits {
    /// Smallest area in pixels.
    pub min_pixels: usize,
    /// Largest area in pixels.
    pub max_pixels: usize,
}

/// How pictures and videos become patches.
#[derive(Clone, Debug, PartialEq)]
pub struct PreprocessorConfig {
    /// Limits of an image.
    pub image: PixelLimits,
    /// Limits of each frame of a video.
    pub video: PixelLimits,
    /// Factor from 8-bit levels to 0..1.
    pub rescale_factor: f64,
    /// Mean of red, green and blue, of 0..1.
    pub image_mean: [f64; 3],
    /// Standard deviation of red, green and blue, of 0..1.
    pub image_std: [f64; 3],
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Patches per merge block's side.
    pub merge_size: usize,
    /// Frames per patch.
    pub temporal_patch_size: usize,
    /// How a recording is sampled.
    pub sampling: SamplingRule,
}

impl Default for PreprocessorConfig {
    /// The hub's values for Qwen2.5-VL-7B-Instruct.
    fn default() -> Self {
        let limits = PixelLimits { min_pixels: 3136, max_pixels: 12_845_056 };
        Self {
            image: limits,
            video: limits,
            rescale_factor: 1.0 / 255.0,
            image_mean: [0.48145466, 0.4578275, 0.40821073],
            image_std: [0.26862954, 0.26130258, 0.27577711],
            patch_size: 14,
            merge_size: 2,
            temporal_patch_size: 2,
            sampling: SamplingRule::default(),
        }
    }
}

impl PreprocessorConfig {
    /// Reads `processor_config.json` (transformers 5: one object each for images and videos) or `preprocessor_config.json`
    /// (the hub's: one for both, with videos optionally in `video_preprocessor_config.json`).
    ///
    /// # Errors
    /// As [`PreprocessorConfig::from_files`].
    pub fn from_dir(dir: &Path) -> Result<Self> {
        Self::from_files(&Files::unverified(dir))
    }

    /// As [`PreprocessorConfig::from_dir`], of a model directory's files.
    ///
    /// # Errors
    /// [`ProcessorError::MissingFile`], [`ProcessorError::File`], [`ProcessorError::Json`], [`ProcessorError::Config`].
    pub fn from_files(files: &Files) -> Result<Self> {
        let joint = "processor_config.json";
        if files.has(joint) {
            let value = json::read(files, joint)?;
            let root = Fields::root(joint, &value)?;
            if let Some(image) = root.object("image_processor")? {
                return Self::from_fields(&image, root.object("video_processor")?.as_ref());
            }
        }
        let (image_file, video_file) = ("preprocessor_config.json", "video_preprocessor_config.json");
        if !files.has(image_file) {
            let expected = "processor_config.json with image_processor, preprocessor_config.json";
            return Err(ProcessorError::MissingFile { dir: files.folder().to_owned(), expected });
        }
        let image = json::read(files, image_file)?;
        let video = files.has(video_file).then(|| json::read(files, video_file)).transpose()?;
        let video = video.as_ref().map(|value| Fields::root(video_file, value)).transpose()?;
        Self::from_fields(&Fields::root(image_file, &image)?, video.as_ref())
    }

    fn from_fields(image: &Fields, video: Option<&Fields>) -> Result<Self> {
        let default = Self::default();
        let image_limits = limits(image, default.image)?;
        let mut config = Self {
            image: image_limits,
            video: video.map_or(Ok(image_limits), |fields| limits(fields, image_limits))?,
            rescale_factor: image.opt("rescale_factor", "a number")?.unwrap_or(default.rescale_factor),
            image_mean: image.opt("image_mean", "three numbers")?.unwrap_or(default.image_mean),
            image_std: image.opt("image_std", "three numbers")?.unwrap_or(default.image_std),
            patch_size: image.opt_size("patch_size")?.unwrap_or(default.patch_size),
            merge_size: image.opt_size("merge_size")?.unwrap_or(default.merge_size),
            temporal_patch_size: image.opt_size("temporal_patch_size")?.unwrap_or(default.temporal_patch_size),
            sampling: default.sampling,
        };
        image.expect_at_most(&[
            ("patch_size", config.patch_size, 1 << 10),
            ("merge_size", config.merge_size, 1 << 4),
            ("temporal_patch_size", config.temporal_patch_size, 1 << 4),
        ])?;
        if config.image_std.iter().any(|std| *std <= 0.0) {
            return Err(image.mismatch("image_std", "numbers over 0", format!("{:?}", config.image_std)));
        }
        for fields in std::iter::once(image).chain(video) {
            expect_bicubic(fields)?;
        }
        if let Some(video) = video {
            config.expect_same_patches(video)?;
            config.sampling.fps = video.opt("fps", "a number")?.unwrap_or(config.sampling.fps);
            config.sampling.min_frames = video.opt_size("min_frames")?.unwrap_or(config.sampling.min_frames);
            config.sampling.max_frames = video.opt_size("max_frames")?.unwrap_or(config.sampling.max_frames);
        }
        config.sampling.temporal_patch_size = config.temporal_patch_size;
        Ok(config)
    }

    /// Height and width that a video frame of this size is resized to, pixels.
    ///
    /// # Errors
    /// As [`crate::smart_resize`].
    pub fn video_size(&self, height: usize, width: usize) -> Result<(usize, usize)> {
        crate::smart_resize(height, width, self.factor(), self.video.min_pixels, self.video.max_pixels)
    }

    /// The side of a merged token in pixels; sides of resized pictures are multiples of it.
    pub fn factor(&self) -> usize {
        self.patch_size * self.merge_size
    }

    fn expect_same_patches(&self, video: &Fields) -> Result<()> {
        for (key, expected) in [
            ("patch_size", self.patch_size),
            ("merge_size", self.merge_size),
            ("temporal_patch_size", self.temporal_patch_size),
        ] {
            match video.opt_size(key)? {
                Some(found) if found != expected => return Err(video.mismatch(key, expected, found)),
                _ => {}
            }
        }
        for (key, expected) in [("image_mean", self.image_mean), ("image_std", self.image_std)] {
            match video.opt::<[f64; 3]>(key, "three numbers")? {
                Some(found) if found != expected => {
                    return Err(video.mismatch(key, format!("{expected:?} as for images"), format!("{found:?}")));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// `min_pixels` and `max_pixels`, or the older spelling's `size.shortest_edge` and `size.longest_edge` (areas, too).
fn limits(fields: &Fields, default: PixelLimits) -> Result<PixelLimits> {
    let size = fields.object("size")?;
    let edge = |key: &str| size.as_ref().map_or(Ok(None), |size| size.opt_size(key));
    let min_pixels = fields.opt_size("min_pixels")?.or(edge("shortest_edge")?).or(edge("min_pixels")?);
    let max_pixels = fields.opt_size("max_pixels")?.or(edge("longest_edge")?).or(edge("max_pixels")?);
    let (min_pixels, max_pixels) = (min_pixels.unwrap_or(default.min_pixels), max_pixels.unwrap_or(default.max_pixels));
    if min_pixels > MOST_MIN_PIXELS {
        return Err(fields.mismatch("min_pixels", format!("at most {MOST_MIN_PIXELS}"), min_pixels));
    }
    if min_pixels > max_pixels {
        return Err(fields.mismatch("max_pixels", format!("at least min_pixels = {min_pixels}"), max_pixels));
    }
    Ok(PixelLimits { min_pixels, max_pixels })
}

/// 3 is Pillow's number of the bicubic filter.
fn expect_bicubic(fields: &Fields) -> Result<()> {
    match fields.opt::<u32>("resample", "3 (bicubic)")? {
        Some(found) if found != 3 => Err(fields.mismatch("resample", "3 (bicubic)", found)),
        _ => Ok(()),
    }
}
