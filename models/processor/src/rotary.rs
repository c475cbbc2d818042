//! Rotary angles, for graphs that take them as inputs and for those that compute them.
//!
//! Source: `Qwen2_5_VLRotaryEmbedding`, `apply_multimodal_rotary_pos_emb` and `rot_pos_emb` of transformers'
//! `modeling_qwen2_5_vl.py`.

use crate::config::{TextConfig, VisionConfig};
use crate::error::Result;
use crate::mrope::Positions;
use crate::window::vision_positions_merged;

/// θ^(−2i / dim) for i < dim / 2, in f32 as torch computes it.
pub fn inverse_frequencies(theta: f32, dim: usize) -> Vec<f32> {
    (0..dim).step_by(2).map(|i| 1.0 / theta.powf(i as f32 / dim as f32)).collect()
}

/// Angles of the decoder's tokens, `[len, head_dim / 2]`: each frequency at the position (time, height or width) of its
/// mrope section.
pub fn text_angles(positions: &Positions, text: &TextConfig) -> Vec<f32> {
    let frequencies = inverse_frequencies(text.rope_theta as f32, text.head_dim);
    let sections = text.mrope_section.iter().enumerate();
    let axes: Vec<usize> = sections.flat_map(|(axis, &count)| std::iter::repeat_n(axis, count)).collect();
    let length = positions.iter().map(Vec::len).min().unwrap_or(0);
    let of_token = |token: usize| {
        axes.iter().zip(&frequencies).map(move |(&axis, frequency)| positions[axis][token] as f32 * frequency)
    };
    (0..length).flat_map(of_token).collect()
}

/// Angles of a grid's patches, `[t · h · w, head_dim / 2]`: the first half by row, the second by column.
///
/// # Errors
/// [`crate::ProcessorError::Grid`].
pub fn vision_angles(grid: [usize; 3], vision: &VisionConfig) -> Result<Vec<f32>> {
    let frequencies = inverse_frequencies(vision.rope_theta as f32, vision.head_dim() / 2);
    let positions = vision_positions_merged(&[grid], vision.spatial_merge_size)?;
    let coordinates = positions.into_iter().flatten();
    Ok(coordinates.flat_map(|at| frequencies.iter().map(move |frequency| at as f32 * frequency)).collect())
}
