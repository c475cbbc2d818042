//! From packed RGB8 pictures to rows of patches.
//!
//! A row is one patch of `temporal_patch_size` frames, ordered (channel, frame, y, x); rows are ordered
//! (t, h / merge, w / merge, merge, merge), so the `merge²` patches that become one token stand together.
//! Source: `_preprocess` of transformers' `image_processing_qwen2_vl.py`.

use crate::config::PreprocessorConfig;
use crate::error::{ProcessorError, Result};

/// A borrowed picture: packed RGB8, rows from the top, no padding.
#[derive(Clone, Copy, Debug)]
pub struct RgbView<'a> {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `height · width · 3` bytes.
    pub data: &'a [u8],
}

impl<'a> RgbView<'a> {
    /// A checked view.
    ///
    /// # Errors
    /// As [`RgbView::check`].
    pub fn new(width: usize, height: usize, data: &'a [u8]) -> Result<Self> {
        let view = Self { width, height, data };
        view.check()?;
        Ok(view)
    }

    /// Is the data as long as the size says?
    ///
    /// # Errors
    /// [`ProcessorError::EmptyPicture`], [`ProcessorError::PictureLength`].
    pub fn check(&self) -> Result<()> {
        let Self { width, height, data } = *self;
        if width == 0 || height == 0 {
            return Err(ProcessorError::EmptyPicture { width, height });
        }
        let expected = width.checked_mul(height).and_then(|n| n.checked_mul(3));
        if expected != Some(data.len()) {
            let expected = expected.map_or_else(|| "more than memory holds".to_owned(), |n| n.to_string());
            return Err(ProcessorError::PictureLength { width, height, expected, found: data.len() });
        }
        Ok(())
    }
}

/// One image or one video, ready for the vision tower.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionInput {
    /// Rows of patches, `[t · h · w, channels · temporal_patch_size · patch_size²]`, normalised.
    pub pixel_values: Vec<f32>,
    /// Patches in time, height and width: (t, h, w).
    pub grid_thw: [usize; 3],
    /// Seconds from one grid step in time to the next; `None` for an image.
    pub second_per_grid: Option<f32>,
}

impl VisionInput {
    /// Patches, the rows of `pixel_values`: t · h · w.
    pub fn patches(&self) -> usize {
        self.grid_thw.iter().product()
    }
}

/// Rows of patches of frames that already have their final size, and the grid (t, h, w).
///
/// The last frame is repeated until `temporal_patch_size` divides the count, so an image is its frame twice.
///
/// # Errors
/// [`ProcessorError::NoFrames`], [`ProcessorError::FrameSize`], and those of [`RgbView::check`].
pub fn pixel_values(frames: &[RgbView], config: &PreprocessorConfig) -> Result<(Vec<f32>, [usize; 3])> {
    let last = frames.last().ok_or(ProcessorError::NoFrames)?;
    let (patch, merge, pair) = (config.patch_size, config.merge_size, config.temporal_patch_size);
    check_sizes(frames, patch * merge)?;
    let [t, h, w] = [frames.len().div_ceil(pair), last.height / patch, last.width / patch];
    let row = 3 * pair * patch * patch;
    let mut values = vec![0.0; t * h * w * row];
    let table = normalised_levels(config);
    for slot in 0..t * pair {
        let frame = frames.get(slot).unwrap_or(last);
        let rows = &mut values[slot / pair * h * w * row..][..h * w * row];
        let layout = Layout { patch, merge, grid_w: w, row, frame_in_pair: slot % pair, pair };
        write_frame(frame, &table, &layout, rows);
    }
    Ok((values, [t, h, w]))
}

fn check_sizes(frames: &[RgbView], factor: usize) -> Result<()> {
    let (width, height) = (frames[0].width, frames[0].height);
    for (index, frame) in frames.iter().enumerate() {
        frame.check()?;
        let expected = if (frame.width, frame.height) != (width, height) {
            format!("{width}×{height} like the first frame")
        } else if width % factor != 0 || height % factor != 0 {
            format!("sides that are multiples of {factor}")
        } else {
            continue;
        };
        let (found_width, found_height) = (frame.width, frame.height);
        return Err(ProcessorError::FrameSize { index, expected, found_width, found_height });
    }
    Ok(())
}

/// What each of the 256 levels becomes in each channel.
fn normalised_levels(config: &PreprocessorConfig) -> [[f32; 256]; 3] {
    std::array::from_fn(|channel| {
        let (mean, std) = (config.image_mean[channel], config.image_std[channel]);
        std::array::from_fn(|level| ((level as f64 * config.rescale_factor - mean) / std) as f32)
    })
}

struct Layout {
    patch: usize,
    merge: usize,
    grid_w: usize,
    row: usize,
    frame_in_pair: usize,
    pair: usize,
}

/// Writes one frame into its places of the rows of its pair.
fn write_frame(frame: &RgbView, table: &[[f32; 256]; 3], layout: &Layout, rows: &mut [f32]) {
    let Layout { patch, merge, grid_w, row, frame_in_pair, pair } = *layout;
    let channel_step = pair * patch * patch;
    for (y, line) in frame.data.chunks_exact(frame.width * 3).enumerate() {
        let (grid_y, in_y) = (y / patch, y % patch);
        for (grid_x, pixels) in line.chunks_exact(patch * 3).enumerate() {
            let block = grid_y / merge * (grid_w / merge) + grid_x / merge;
            let index = block * merge * merge + grid_y % merge * merge + grid_x % merge;
            let start = index * row + frame_in_pair * patch * patch + in_y * patch;
            for (channel, levels) in table.iter().enumerate() {
                let target = &mut rows[start + channel * channel_step..][..patch];
                for (value, pixel) in target.iter_mut().zip(pixels.chunks_exact(3)) {
                    *value = levels[usize::from(pixel[channel])];
                }
            }
        }
    }
}
