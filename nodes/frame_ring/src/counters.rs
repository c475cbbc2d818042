//! What became of every frame.

use crate::FrameError;

/// How many frames were refused, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// The encoding is unknown.
    pub unknown_encoding: u64,
    /// Depth images.
    pub depth_image: u64,
    /// Width or height is zero.
    pub zero_size: u64,
    /// A side exceeds [`crate::MAX_SIDE`].
    pub too_large: u64,
    /// A 4:2:2 frame of odd width.
    pub odd_width: u64,
    /// `step` is shorter than a row, and the length of `data` does not say what is right.
    pub short_step: u64,
    /// `data` is not as long as `step` and `height` say, and its length does not say what is right.
    pub wrong_length: u64,
    /// The pixel map is for pictures of another size.
    pub map_size: u64,
    /// There is no slot for pictures of this size.
    pub no_slot: u64,
}

impl Rejected {
    /// The sum of all reasons.
    pub fn total(&self) -> u64 {
        let frame = self.unknown_encoding + self.depth_image + self.zero_size + self.too_large;
        frame + self.odd_width + self.short_step + self.wrong_length + self.map_size + self.no_slot
    }

    pub(crate) fn count(&mut self, error: &FrameError) {
        let counter = match error {
            FrameError::UnknownEncoding { .. } => &mut self.unknown_encoding,
            FrameError::DepthImage { .. } => &mut self.depth_image,
            FrameError::ZeroSize { .. } => &mut self.zero_size,
            FrameError::TooLarge { .. } => &mut self.too_large,
            FrameError::OddWidth { .. } => &mut self.odd_width,
            FrameError::ShortStep { .. } => &mut self.short_step,
            FrameError::WrongLength { .. } => &mut self.wrong_length,
            FrameError::MapSize { .. } => &mut self.map_size,
            FrameError::NoSlot { .. } => &mut self.no_slot,
        };
        *counter += 1;
    }
}

/// What became of every frame: `received = pushed + skipped_rate + skipped_still + late + rejected.total()`, and of
/// those pushed `dropped_oldest + cleared` are gone again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames handed to [`crate::FrameRing::push`].
    pub received: u64,
    /// Frames that entered the ring.
    pub pushed: u64,
    /// Frames that came sooner than the rate asks for.
    pub skipped_rate: u64,
    /// Frames that came in time and showed nothing new.
    pub skipped_still: u64,
    /// Frames that were older than one that had come.
    pub late: u64,
    /// Of those received, frames whose step or number of rows was wrong beside whole data.
    pub repaired: u64,
    /// Frames dropped to make room for newer ones.
    pub dropped_oldest: u64,
    /// Times that stamps jumped back and the ring was cleared.
    pub stamp_jumps: u64,
    /// Times that pictures came in another size and the ring was cleared and planned anew.
    pub resized: u64,
    /// Frames lost by clearings.
    pub cleared: u64,
    /// Frames refused.
    pub rejected: Rejected,
}
