//! What only the pushing side touches: conversion and downsizing of one frame after another.

use crate::convert::Converter;
use crate::order::StampOrder;
use crate::pace::Pace;
use crate::resample::Resampler;
use crate::sight::FreezeWatch;
use crate::slots::rgb_bytes;
use crate::source::Source;
use crate::still::Look;
use crate::{Encoding, FrameError, PixelMap};

#[derive(Debug)]
pub(crate) struct Intake {
    resampler: Resampler,
    converter: Converter,
    /// Bits of the sensor behind numbers of two bytes, as far as pictures of this size told.
    word_bits: u32,
    /// Width and height of the upright pictures that are planned for, pixels.
    planned: Option<(u32, u32)>,
    /// The slot being written; swapped with the oldest one when it is ready.
    pub scratch: Vec<u8>,
    /// The picture as it was sent, RGB; used with a pixel map and for Bayer pictures.
    sent: Vec<u8>,
    /// The straightened, upright one; used with a pixel map.
    upright: Vec<u8>,
    pub order: StampOrder,
    /// `None` keeps every frame.
    pub pace: Option<Pace>,
    pub last_kept: Option<Look>,
    pub freeze: FreezeWatch,
}

impl Intake {
    /// An intake that keeps so many frames a second, or all.
    pub fn new(frame_rate_hz: Option<f64>) -> Self {
        Self {
            resampler: Resampler::new(),
            converter: Converter::default(),
            word_bits: 0,
            planned: None,
            scratch: Vec::new(),
            sent: Vec::new(),
            upright: Vec::new(),
            order: StampOrder::default(),
            pace: frame_rate_hz.map(Pace::new),
            last_kept: None,
            freeze: FreezeWatch::default(),
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
        self.word_bits = 0;
        self.planned = Some(upright);
        self.start_anew();
    }

    /// Forgets the frames that came before: the next one is in time and shows something new.
    pub fn start_anew(&mut self) {
        self.pace.iter_mut().for_each(Pace::start_anew);
        self.last_kept = None;
    }

    /// Writes a picture of the planned size into `scratch`.
    pub fn convert(&mut self, source: &Source<'_>, pixel_map: Option<&PixelMap>) {
        self.word_bits = self.word_bits.max(source.word_bits());
        if pixel_map.is_none() && !matches!(source.encoding, Encoding::Bayer(..)) {
            return self.resampler.run(source, self.word_bits, &mut self.scratch);
        }
        let size = (source.width, source.height);
        self.sent.resize(size.0 * size.1 * 3, 0);
        self.converter.write_rgb(source, self.word_bits, &mut self.sent);
        let sent = Source::rgb(&self.sent, size);
        let Some(map) = pixel_map else { return self.resampler.run(&sent, self.word_bits, &mut self.scratch) };
        self.upright.resize(rgb_bytes(map.output()), 0);
        map.apply(&self.sent, &mut self.upright);
        let (width, height) = map.output();
        let upright = Source::rgb(&self.upright, (width as usize, height as usize));
        self.resampler.run(&upright, self.word_bits, &mut self.scratch);
    }
}

/// Width and height of a picture once it is upright, pixels.
///
/// # Errors
/// [`FrameError::MapSize`] where the map is for pictures of another size.
pub(crate) fn upright_size(source: &Source<'_>, pixel_map: Option<&PixelMap>) -> Result<(u32, u32), FrameError> {
    let (width, height) = (source.width as u32, source.height as u32);
    match pixel_map {
        None => Ok((width, height)),
        Some(map) if map.source() == (width, height) => Ok(map.output()),
        Some(map) => Err(FrameError::MapSize { width, height, found: map.source() }),
    }
}
