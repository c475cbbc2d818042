//! Multimodal rotary position ids: one row each for time, height and width.
//!
//! Convention of transformers 4.49, which SpaceR was trained with: the time index of grid step i of a video is
//! trunc(i · second_per_grid · tokens_per_second), and the text after a picture or video starts at the maximum over all
//! three rows, plus 1. Later versions differ for videos.
//! Source: `get_rope_index` of transformers 4.49 `modeling_qwen2_5_vl.py`.

use crate::error::{ProcessorError, Result};

/// Position ids `[3][len]`: time, height, width.
pub type Positions = [Vec<i64>; 3];

/// What position ids depend on besides the tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MropeConfig {
    /// Time ids per second of video.
    pub tokens_per_second: f32,
    /// Patches per merge block's side.
    pub spatial_merge_size: usize,
    /// Id of `<|image_pad|>`.
    pub image_token_id: u32,
    /// Id of `<|video_pad|>`.
    pub video_token_id: u32,
}

/// Position ids of a prompt, and the `rope_delta` to add to a later token's index to get its position.
///
/// `image_grids` and `video_grids` are (t, h, w) in patches, in order of appearance; `second_per_grid` has one value for
/// each video.
///
/// # Errors
/// [`ProcessorError::Placeholders`] and [`ProcessorError::PlaceholderRun`] where tokens and grids disagree,
/// [`ProcessorError::Grid`], [`ProcessorError::SecondPerGrid`].
pub fn position_ids(
    input_ids: &[u32],
    image_grids: &[[usize; 3]],
    video_grids: &[[usize; 3]],
    second_per_grid: &[f32],
    config: &MropeConfig,
) -> Result<(Positions, i64)> {
    let mut images = image_grids.iter().map(|&grid| (grid, 0.0));
    let intervals = video_intervals(video_grids, second_per_grid)?;
    let mut videos = video_grids.iter().copied().zip(intervals);
    let mut rows: Positions = std::array::from_fn(|_| Vec::with_capacity(input_ids.len()));
    let (mut at, mut next, mut found) = (0, 0, [0, 0]);
    while at < input_ids.len() {
        let id = input_ids[at];
        let (kind, vision) = if id == config.image_token_id {
            found[0] += 1;
            ("image", images.next())
        } else if id == config.video_token_id {
            found[1] += 1;
            ("video", videos.next())
        } else {
            rows.iter_mut().for_each(|row| row.push(next));
            (at, next) = (at + 1, next + 1);
            continue;
        };
        let Some((grid, seconds)) = vision else {
            let expected = if kind == "image" { image_grids.len() } else { video_grids.len() };
            return Err(ProcessorError::Placeholders { kind, expected, found: expected + 1 });
        };
        let block = Block { grid: merged_grid(grid, config.spatial_merge_size)?, seconds, start: next };
        let expected = block.grid.iter().product();
        let run = input_ids[at..].iter().take(expected).take_while(|&&other| other == id).count();
        if run != expected {
            return Err(ProcessorError::PlaceholderRun { kind, at, expected, found: run });
        }
        next = block.append(&mut rows, config.tokens_per_second);
        at += expected;
    }
    for (kind, expected, found) in [("image", image_grids.len(), found[0]), ("video", video_grids.len(), found[1])] {
        if expected != found {
            return Err(ProcessorError::Placeholders { kind, expected, found });
        }
    }
    Ok((rows, next - input_ids.len() as i64))
}

fn video_intervals(video_grids: &[[usize; 3]], second_per_grid: &[f32]) -> Result<Vec<f32>> {
    (0..video_grids.len())
        .map(|index| match second_per_grid.get(index).copied() {
            Some(seconds) if seconds.is_finite() && seconds > 0.0 => Ok(seconds),
            found => Err(ProcessorError::SecondPerGrid { index, found }),
        })
        .collect()
}

/// The grid (t, h, w) of merged tokens of a grid of patches.
pub(crate) fn merged_grid(grid: [usize; 3], merge: usize) -> Result<[usize; 3]> {
    let [t, h, w] = grid;
    if t * h * w == 0 || merge == 0 || h % merge != 0 || w % merge != 0 {
        return Err(ProcessorError::Grid { merge, grid });
    }
    Ok([t, h / merge, w / merge])
}

/// A picture's or video's block of tokens.
struct Block {
    grid: [usize; 3],
    seconds: f32,
    start: i64,
}

impl Block {
    /// Appends the block's ids and returns the position of what follows it.
    fn append(&self, rows: &mut Positions, tokens_per_second: f32) -> i64 {
        let [t, h, w] = self.grid;
        let mut last = self.start;
        for step in 0..t {
            // In 32 bits and in this order, as the reference multiplies.
            let time = (step as f32 * self.seconds * tokens_per_second) as i64;
            for y in 0..h as i64 {
                for x in 0..w as i64 {
                    let ids = [time, y, x].map(|offset| self.start.saturating_add(offset));
                    rows.iter_mut().zip(ids).for_each(|(row, id)| row.push(id));
                    last = last.max(ids[0]).max(ids[1]).max(ids[2]);
                }
            }
        }
        last.saturating_add(1)
    }
}
