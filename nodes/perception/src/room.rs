//! Room in memory for what a model's own numbers ask for, told before anything of that size is taken.

use processor::{PreprocessorConfig, Processor};

use crate::AnswerError;

/// Refuses a model whose window, at the smallest size that its preprocessor allows, takes more than half of the memory
/// that is free: the frames, the pixels of a pair, and the attention of its patches to each other.
///
/// # Errors
/// [`AnswerError::Room`].
pub(crate) fn check(processor: &Processor, frames: usize) -> Result<(), AnswerError> {
    let preprocessor = processor.preprocessor();
    let pixels = preprocessor.video.min_pixels;
    let needed =
        ring_bytes(frames, pixels).saturating_add(pair_bytes(preprocessor, processor.config().vision.num_heads));
    let most = most_bytes();
    if needed <= most {
        return Ok(());
    }
    Err(AnswerError::Room { frames, pixels, needed_mb: needed / 1_000_000, most_mb: most / 1_000_000 })
}

/// Whether a ring of `frames` frames of `pixels` pixels takes at most half of the memory that is free.
pub(crate) fn holds_ring(frames: usize, pixels: usize) -> bool {
    ring_bytes(frames, pixels) <= most_bytes()
}

fn most_bytes() -> u64 {
    model_dir::available_memory().map_or(u64::MAX, |free| free / 2)
}

/// Three bytes a pixel.
fn ring_bytes(frames: usize, pixels: usize) -> u64 {
    (frames as u64).saturating_mul(pixels as u64).saturating_mul(3)
}

/// The pixels of two frames as three floats each, two masks of n² floats for n patches, and scores as large for each head.
fn pair_bytes(preprocessor: &PreprocessorConfig, heads: usize) -> u64 {
    let pixels = preprocessor.video.min_pixels as u64;
    let patches = pixels / (preprocessor.patch_size * preprocessor.patch_size).max(1) as u64;
    let attention = patches.saturating_mul(patches).saturating_mul(4 * (2 + heads as u64));
    pixels.saturating_mul(2 * 3 * 4).saturating_add(attention)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_grows_with_frames_and_with_the_square_of_patches() {
        assert_eq!(ring_bytes(4, 100), 1200);
        let config = PreprocessorConfig::default();
        // 16 patches of 14 × 14 pixels.
        assert_eq!(pair_bytes(&config, 5), 3136 * 24 + 16 * 16 * 4 * 7);
        assert!(!holds_ring(768, usize::MAX / 2) && holds_ring(2, 3136));
    }
}
