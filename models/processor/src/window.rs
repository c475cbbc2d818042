//! The order in which the vision tower attends, and the rotary positions of its patches.
//!
//! Source: `get_window_index` and `rot_pos_emb` of transformers' `modeling_qwen2_5_vl.py`
//! (`get_vision_window_index` of `vision_utils.py` in version 5).

use crate::config::VisionConfig;
use crate::error::Result;
use crate::mrope::merged_grid;

/// The window order of merge blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowIndex {
    /// Merge block at each place of the window order, `[tokens]`.
    pub index: Vec<u32>,
    /// Bounds of the windows in *patches* of the window order, from 0 to t · h · w of all grids.
    pub cu_window_seqlens: Vec<u32>,
}

impl WindowIndex {
    /// The inverse permutation: place in the window order of each merge block. Undoes the order after the merger.
    pub fn reverse(&self) -> Vec<u32> {
        let mut reverse = vec![0; self.index.len()];
        for (place, &block) in self.index.iter().enumerate() {
            reverse[block as usize] = place as u32;
        }
        reverse
    }
}

/// The window order of one or more grids (t, h, w) in patches.
///
/// A window is `window_size / patch_size / spatial_merge_size` merge blocks wide and high, cut off at the lower and right
/// border, and never spans two grid steps in time.
///
/// # Errors
/// [`crate::ProcessorError::Grid`].
pub fn window_index(grids: &[[usize; 3]], vision: &VisionConfig) -> Result<WindowIndex> {
    let merge = vision.spatial_merge_size;
    let side = (vision.window_size / merge / vision.patch_size).max(1);
    let mut windows = WindowIndex { index: Vec::new(), cu_window_seqlens: vec![0] };
    let mut first = 0;
    for &grid in grids {
        let [t, h, w] = merged_grid(grid, merge)?;
        for step in 0..t {
            for top in (0..h).step_by(side) {
                for left in (0..w).step_by(side) {
                    for y in top..h.min(top + side) {
                        let row = first + (step * h + y) * w;
                        windows.index.extend((left..w.min(left + side)).map(|x| (row + x) as u32));
                    }
                    windows.cu_window_seqlens.push((windows.index.len() * merge * merge) as u32);
                }
            }
        }
        first += t * h * w;
    }
    Ok(windows)
}

/// Bounds in patches within which the full-attention blocks attend: one stretch per grid step in time.
pub fn cu_seqlens(grids: &[[usize; 3]]) -> Vec<u32> {
    let mut bounds = vec![0];
    let mut end = 0;
    for &[t, h, w] in grids {
        for _ in 0..t {
            end += (h * w) as u32;
            bounds.push(end);
        }
    }
    bounds
}

/// The (h, w) position of every patch, `[t · h · w]` of all grids, in the order of the rows of `pixel_values`.
///
/// # Errors
/// [`crate::ProcessorError::Grid`].
pub fn vision_positions_merged(grids: &[[usize; 3]], merge: usize) -> Result<Vec<[u32; 2]>> {
    let mut positions = Vec::with_capacity(grids.iter().map(|[t, h, w]| t * h * w).sum());
    for &grid in grids {
        let [t, block_rows, block_columns] = merged_grid(grid, merge)?;
        for _ in 0..t {
            for block in 0..block_rows * block_columns {
                let (top, left) = (block / block_columns * merge, block % block_columns * merge);
                let patches = (0..merge * merge).map(|i| [(top + i / merge) as u32, (left + i % merge) as u32]);
                positions.extend(patches);
            }
        }
    }
    Ok(positions)
}

/// [`vision_positions_merged`] for this architecture's 2×2 merge blocks; odd sides are an error.
///
/// # Errors
/// [`crate::ProcessorError::Grid`].
pub fn vision_positions(grids: &[[usize; 3]]) -> Result<Vec<[u32; 2]>> {
    vision_positions_merged(grids, 2)
}
