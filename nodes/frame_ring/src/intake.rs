//! What only the pushing side touches: conversion and downsizing of one frame after another.

use crate::convert::to_rgb;
use crate::frame::Encoding;
use crate::resample::{Resampler, Source};
use crate::slots::rgb_bytes;
use crate::still::Look;
use crate::{FrameError, PixelMap, RawFrame};

#[derive(Debug)]
pub(crate) struct Intake {
    resampler: Resampler,
    /// Width and height of the upright pictures that are planned for, pixels.
    planned: Option<(u32, u32)>,
    /// The slot being written; swapped with the oldest one when it is ready.
    pub scratch: Vec<u8>,
    /// The picture as it was sent and the straightened, upright one, RGB; used with a pixel map only.
    sent: Vec<u8>,
    upright: Vec<u8>,
    pub newest_seen_nanos: Option<i64>,
    /// Stamp of the last frame that came in time, kept or not.
    pub last_timely_nanos: Option<i64>,
    pub last_kept: Option<Look>,
}

impl Intake {
    pub fn new() -> Self {
        Self {
            resampler: Resampler::new(),
            planned: None,
            scratch: Vec::new(),
            sent: Vec::new(),
            upright: Vec::new(),
            newest_seen_nanos: None,
            last_timely_nanos: None,
            last_kept: None,
        }
    }

    /// Width and height of the upright pictures that are planned for, pixels; `None` before the first.
    pub fn planned(&self) -> Option<(u32, u32)> {
        self.planned
    }

    /// Plans for upright pictures of size `upright` to become frames of size `slot`.
    pub fn plan(&mut self, upright: (u32, u32), slot: (u32, u32)) {
        let sides = |size: (u32, u32)| (size.0 as usize, size.1 as usize);
        self.resampler.plan(sides(upright), sides(slot));
        self.scratch.resize(rgb_bytes(slot), 0);
        (self.sent, self.upright) = (Vec::new(), Vec::new());
        self.planned = Some(upright);
        self.start_anew();
    }

    /// Forgets the frames that came before: the next one is in time and shows something new.
    pub fn start_anew(&mut self) {
        (self.last_timely_nanos, self.last_kept) = (None, None);
    }

    /// Writes a validated frame of the planned size into `scratch`.
    pub fn convert(&mut self, raw: &RawFrame<'_>, encoding: Encoding, pixel_map: Option<&PixelMap>) {
        let source = raw.source(encoding);
        let Some(map) = pixel_map else { return self.resampler.run(&source, &mut self.scratch) };
        let (width, height) = map.output();
        self.sent.resize(rgb_bytes(map.source()), 0);
        self.upright.resize(rgb_bytes((width, height)), 0);
        to_rgb(&source, &mut self.sent);
        map.apply(&self.sent, &mut self.upright);
        let (width, height) = (width as usize, height as usize);
        let upright = Source { encoding: Encoding::Rgb8, width, height, step: width * 3, data: &self.upright };
        self.resampler.run(&upright, &mut self.scratch);
    }
}

/// Width and height of a validated frame once it is upright, pixels.
///
/// # Errors
/// [`FrameError::MapSize`] where the map is for pictures of another size.
pub(crate) fn upright_size(raw: &RawFrame<'_>, pixel_map: Option<&PixelMap>) -> Result<(u32, u32), FrameError> {
    let (width, height) = (raw.width, raw.height);
    match pixel_map {
        None => Ok((width, height)),
        Some(map) if map.source() == (width, height) => Ok(map.output()),
        Some(map) => Err(FrameError::MapSize { width, height, found: map.source() }),
    }
}
