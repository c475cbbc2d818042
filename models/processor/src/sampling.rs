//! Which frames of a recording the model sees.
//!
//! Source: `sample_frames` of transformers' `video_processing_qwen2_vl.py`.

use crate::error::{ProcessorError, Result};

/// How densely a recording is sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplingRule {
    /// Frames per second to aim at.
    pub fps: f64,
    /// Fewest frames, where the recording has as many.
    pub min_frames: usize,
    /// Most frames.
    pub max_frames: usize,
    /// The count is a multiple of this.
    pub temporal_patch_size: usize,
}

impl Default for SamplingRule {
    /// Qwen2.5-VL's: 2 frames per second, 4 to 768 frames, an even count.
    fn default() -> Self {
        Self { fps: 2.0, min_frames: 4, max_frames: 768, temporal_patch_size: 2 }
    }
}

/// The outcome of sampling.
#[derive(Clone, Debug, PartialEq)]
pub struct SampledFrames {
    /// Indices into the recording, ascending.
    pub indices: Vec<usize>,
    /// Frames per second that the chosen frames have: give it to `Processor::video`.
    pub sampled_fps: f64,
}

/// Chooses frames of a recording of `total` frames at `source_fps` frames per second.
///
/// The count is total / source_fps · fps, clamped to [min_frames, min(max_frames, total)] and floored to a multiple of
/// the temporal patch. A recording shorter than that multiple gives all its frames (the reference divides by zero).
///
/// # Errors
/// [`ProcessorError::NoFrames`], [`ProcessorError::FrameRate`].
pub fn sample_frames(total: usize, source_fps: f64, rule: &SamplingRule) -> Result<SampledFrames> {
    if total == 0 {
        return Err(ProcessorError::NoFrames);
    }
    for fps in [source_fps, rule.fps] {
        if !(fps.is_finite() && fps > 0.0) {
            return Err(ProcessorError::FrameRate(fps));
        }
    }
    let multiple = rule.temporal_patch_size.max(1);
    let most = rule.max_frames.min(total) / multiple * multiple;
    let wanted = (total as f64 / source_fps * rule.fps).max(rule.min_frames as f64).min(most as f64);
    let mut count = wanted as usize / multiple * multiple;
    if count == 0 {
        count = total.min(multiple);
    }
    let step = total as f64 / count as f64;
    // The reference holds the products in 32 bits before it truncates.
    let indices = (0..count).map(|i| ((i as f64 * step) as f32 as usize).min(total - 1)).collect();
    Ok(SampledFrames { indices, sampled_fps: count as f64 / total as f64 * source_fps })
}
