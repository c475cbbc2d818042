//! Times the push of a 1080p frame beside `fast_image_resize` alone, in one run: `cargo run -p frame_ring --example
//! push_time`.

use std::time::Instant;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use frame_ring::{FrameRing, RawFrame, RingSettings};

const ROUNDS: usize = 60;

fn median_ms(mut run: impl FnMut(usize)) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|i| {
            let start = Instant::now();
            run(i);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (w, h) = (1920u32, 1080u32);
    let data: Vec<u8> = (0..w * h * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (ow, oh) in [(112u32, 112u32), (448, 252), (448, 448)] {
        let settings =
            RingSettings { capacity: 8, width: ow, height: oh, frame_rate_hz: None, expected_source: (w, h) };
        let ring = FrameRing::new(settings)?;
        let push = median_ms(|i| {
            let (stamp_nanos, received_at_nanos) = (i as i64, 0);
            let (step, data) = (w * 3, &data[..]);
            let frame = RawFrame { encoding: "bgr8", width: w, height: h, step, data, stamp_nanos, received_at_nanos };
            assert!(ring.push(&frame).is_ok());
        });
        let source = ImageRef::new(w, h, &data, PixelType::U8x3)?;
        let mut output = Image::new(ow, oh, PixelType::U8x3);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
        let mut resizer = Resizer::new();
        let resize = median_ms(|_| assert!(resizer.resize(&source, &mut output, &options).is_ok()));
        println!("{ow}x{oh}: push {push:.2} ms, resize alone {resize:.2} ms, ratio {:.2}", push / resize);
    }
    Ok(())
}
