//! Copies of frames, as they leave the ring.

use std::sync::Arc;

use crate::{Pose, Sight};

/// One frame of a window: RGB, row by row from the top left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// `height * width * 3` bytes.
    pub rgb: Vec<u8>,
    /// When light hit the sensor, nanoseconds.
    pub stamp_nanos: i64,
    /// When we got it, nanoseconds of the caller's clock.
    pub received_at_nanos: i64,
    /// Where the camera was then, as far as known.
    pub pose: Option<Pose>,
}

/// A copy of successive frames, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// The frames.
    pub frames: Vec<Frame>,
    /// Width of each, pixels.
    pub width: u32,
    /// Height of each, pixels.
    pub height: u32,
}

/// Which frames embeds were made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// A frame that has no partner yet.
    Alone,
    /// A frame and the one after it.
    Pair,
}

impl Span {
    /// Of `frames` frames: a pair, unless there is only one.
    pub fn of(frames: usize) -> Self {
        if frames == 1 { Self::Alone } else { Self::Pair }
    }

    /// Number of frames.
    pub fn frames(self) -> usize {
        match self {
            Self::Alone => 1,
            Self::Pair => 2,
        }
    }
}

/// The frames from a number on, taken two by two, with what was made of them.
#[derive(Clone, Debug)]
pub struct Snapshot<E> {
    /// Number of the first frame.
    pub first: u64,
    /// What the frames show, as pictures.
    pub sight: Sight,
    /// The frames. Where the embeds of its pair are held, a frame comes without pixels: `rgb` is empty.
    pub window: Window,
    /// For each two frames, and for the odd one at the end, the embeds, where they are held.
    pub embeds: Vec<Option<Arc<E>>>,
}

impl<E> Snapshot<E> {
    /// The frames without embeds: for each two, or the odd one at the end, the number of the first, and which they are.
    pub fn missing(&self) -> impl Iterator<Item = (u64, Span)> {
        let chunks = (self.first..).step_by(2).zip(self.window.frames.chunks(2)).zip(&self.embeds);
        let missing = chunks.filter(|(_, embeds)| embeds.is_none());
        missing.map(|((number, frames), _)| (number, Span::of(frames.len())))
    }
}
