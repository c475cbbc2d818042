//! Frames on their way into the ring.

use std::time::Instant;

use anyhow::Result;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use frame_ring::{FrameRing, RawFrame, RingSettings, SlotSize};

use super::figure::{Aim, Figure, median};

/// A 1080p camera.
pub(super) const CAMERA: (u32, u32) = (1920, 1080);
/// Slots: a small one, and two that larger checkpoints use.
const SLOTS: [(u32, u32); 3] = [(168, 84), (448, 252), (448, 448)];

/// Push of a camera's frame into the ring, over the resize alone (`fast_image_resize`): for each slot the median of the
/// rounds' ratios; the two take turns.
pub(super) fn measure(rounds: usize) -> Result<Vec<Figure>> {
    SLOTS.iter().map(|slot| ring_push(*slot, rounds)).collect()
}

/// A camera's frame of noise, BGR.
pub(super) fn noise() -> Vec<u8> {
    (0..CAMERA.0 * CAMERA.1 * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// A ring of `capacity` slots for a model's input size.
pub(super) fn ring(capacity: usize, size: (u32, u32)) -> Result<FrameRing> {
    let settings = RingSettings { capacity, slot_size: SlotSize::fixed(size), frame_rate_hz: None, still: None };
    Ok(FrameRing::new(settings)?)
}

/// `data` as the camera's frame number `index`.
pub(super) fn camera_frame(data: &[u8], index: usize) -> RawFrame<'_> {
    RawFrame {
        encoding: "bgr8",
        is_bigendian: false,
        width: CAMERA.0,
        height: CAMERA.1,
        step: CAMERA.0 * 3,
        data,
        stamp_nanos: index as i64,
        received_at_nanos: 0,
    }
}

fn ring_push((width, height): (u32, u32), rounds: usize) -> Result<Figure> {
    let data = noise();
    let ring = ring(8, (width, height))?;
    let source = TypedImageRef::<U8x3>::from_buffer(CAMERA.0, CAMERA.1, &data)?;
    let mut output = TypedImage::<U8x3>::new(width, height);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    let mut resizer = Resizer::new();
    let mut ratios = Vec::with_capacity(rounds);
    // The first frame plans.
    ring.push(&camera_frame(&data, 0))?;
    for round in 1..=rounds {
        let start = Instant::now();
        ring.push(&camera_frame(&data, round))?;
        let push_secs = start.elapsed().as_secs_f64();
        let start = Instant::now();
        resizer.resize_typed(&source, &mut output, &options)?;
        ratios.push(push_secs / start.elapsed().as_secs_f64());
    }
    let name = format!("1080p frame into a {width}x{height} slot, over the resize alone");
    Ok(Figure::new(name, median(ratios), "x").aim(Aim::AtMost(1.5)))
}
