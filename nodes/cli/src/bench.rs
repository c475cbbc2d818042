//! `spacer bench`.

use std::time::Instant;

use anyhow::Result;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use frame_ring::{FrameRing, RawFrame, RingSettings};
use serde::Serialize;

/// A 1080p camera.
const CAMERA: (u32, u32) = (1920, 1080);
/// Slots: nano's, and two that larger checkpoints use.
const SLOTS: [(u32, u32); 3] = [(168, 84), (448, 252), (448, 448)];

/// Example: `spacer bench --json`
#[derive(clap::Args)]
pub struct Arguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Rounds; the two programs take turns, so that a machine that slows down slows both.
    #[arg(long, default_value_t = 100)]
    rounds: usize,
}

/// One row of the table, medians.
#[derive(Serialize)]
struct Row {
    slot: String,
    push_ms: f64,
    resize_ms: f64,
    /// Median of the rounds' ratios.
    ratio: f64,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let rows = SLOTS.iter().map(|slot| ring_push(*slot, arguments.rounds.max(1))).collect::<Result<Vec<_>>>()?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    println!("push of a {}x{} frame into the ring, beside the resize alone (fast_image_resize)", CAMERA.0, CAMERA.1);
    println!("{:>9} {:>9} {:>10} {:>6}", "slot", "push ms", "resize ms", "ratio");
    for row in rows {
        println!("{:>9} {:>9.2} {:>10.2} {:>6.2}", row.slot, row.push_ms, row.resize_ms, row.ratio);
    }
    Ok(())
}

fn ring_push((width, height): (u32, u32), rounds: usize) -> Result<Row> {
    let data: Vec<u8> = (0..CAMERA.0 * CAMERA.1 * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (frame_rate_hz, still, expected_source) = (None, None, CAMERA);
    let ring = FrameRing::new(RingSettings { capacity: 8, width, height, frame_rate_hz, still, expected_source })?;
    let source = ImageRef::new(CAMERA.0, CAMERA.1, &data, PixelType::U8x3)?;
    let mut output = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    let mut resizer = Resizer::new();
    let (mut push_ms, mut resize_ms) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let start = Instant::now();
        ring.push(&RawFrame {
            encoding: "bgr8",
            width: CAMERA.0,
            height: CAMERA.1,
            step: CAMERA.0 * 3,
            data: &data,
            stamp_nanos: round as i64,
            received_at_nanos: 0,
        })?;
        push_ms.push(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        resizer.resize(&source, &mut output, &options)?;
        resize_ms.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let ratios = push_ms.iter().zip(&resize_ms).map(|(push, resize)| push / resize).collect();
    Ok(Row {
        slot: format!("{width}x{height}"),
        push_ms: median(push_ms),
        resize_ms: median(resize_ms),
        ratio: median(ratios),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
