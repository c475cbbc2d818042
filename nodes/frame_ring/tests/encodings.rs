//! Promise: a picture looks the same in whatever encoding a driver sends it, and what is no picture is refused.

use frame_ring::{FrameError, FrameRing, RawFrame, RingSettings, SlotSize};
use proptest::prelude::*;

const WIDTH: usize = 64;
const HEIGHT: usize = 48;
const SLOTS: [(u32, u32); 4] = [(64, 48), (32, 24), (16, 12), (96, 72)];

/// The colour at a pixel of a picture of soft colours with two hard edges.
fn colour(x: usize, y: usize) -> [u8; 3] {
    if (20..44).contains(&x) && (12..32).contains(&y) {
        return [210, 60, 30];
    }
    [(40 + 2 * x) as u8, (200 - 3 * y) as u8, (60 + x + 2 * y) as u8]
}

fn pixels() -> impl Iterator<Item = (usize, usize, [u8; 3])> {
    (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y, colour(x, y))))
}

fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let [r, g, b] = [red, green, blue].map(f64::from);
    (16.0 + 0.256_788 * r + 0.504_129 * g + 0.097_906 * b).round() as u8
}

fn chroma([red, green, blue]: [u8; 3]) -> [u8; 2] {
    let [r, g, b] = [red, green, blue].map(f64::from);
    let u = 128.0 - 0.148_223 * r - 0.290_993 * g + 0.439_216 * b;
    let v = 128.0 + 0.439_216 * r - 0.367_788 * g - 0.071_427 * b;
    [u.round() as u8, v.round() as u8]
}

fn grey([red, green, blue]: [u8; 3]) -> u8 {
    let [r, g, b] = [red, green, blue].map(f64::from);
    (0.299 * r + 0.587 * g + 0.114 * b).round() as u8
}

/// Rows of chroma, `across` and `down` pixels to one.
fn chroma_plane(across: usize, down: usize, v_first: bool) -> Vec<u8> {
    let places = (0..HEIGHT).step_by(down).flat_map(|y| (0..WIDTH).step_by(across).map(move |x| (x, y)));
    let pairs = places.map(|(x, y)| chroma(colour(x, y)));
    pairs.flat_map(|[u, v]| if v_first { [v, u] } else { [u, v] }).collect()
}

/// A number of each pixel's colours in the upper bits of two bytes.
fn words(numbers: impl Iterator<Item = u8>, bits: u32, is_bigendian: bool) -> Vec<u8> {
    let word = move |number: u8| (u16::from(number) * 257) >> (16 - bits);
    numbers.map(word).flat_map(|word| if is_bigendian { word.to_be_bytes() } else { word.to_le_bytes() }).collect()
}

/// What a Bayer sensor sees whose upper left pixels have these colours (0 red, 1 green, 2 blue), row by row.
fn mosaic(upper_left: [usize; 4]) -> impl Iterator<Item = u8> {
    pixels().map(move |(x, y, colour)| colour[upper_left[y % 2 * 2 + x % 2]])
}

/// The picture in an encoding of this name.
fn encoded(encoding: &str, bits: u32, is_bigendian: bool) -> Vec<u8> {
    let colours = || pixels().map(|(_, _, colour)| colour);
    let bgr = |[r, g, b]: [u8; 3]| [b, g, r];
    let lumas = || colours().map(luma);
    let word = |numbers: Vec<u8>| words(numbers.into_iter(), bits, is_bigendian);
    let mosaic_of = |name: &str| -> Vec<u8> {
        match name {
            "rggb" => mosaic([0, 1, 1, 2]).collect(),
            "bggr" => mosaic([2, 1, 1, 0]).collect(),
            "gbrg" => mosaic([1, 2, 0, 1]).collect(),
            _ => mosaic([1, 0, 2, 1]).collect(),
        }
    };
    match encoding {
        "rgb8" => colours().flatten().collect(),
        "bgr8" | "8UC3" => colours().flat_map(bgr).collect(),
        "rgba8" => colours().flat_map(|[r, g, b]| [r, g, b, 7]).collect(),
        "bgra8" | "8UC4" => colours().flat_map(|[r, g, b]| [b, g, r, 7]).collect(),
        "mono8" | "8UC1" => colours().map(grey).collect(),
        "rgb16" => word(colours().flatten().collect()),
        "bgr16" | "16UC3" => word(colours().flat_map(bgr).collect()),
        "rgba16" => word(colours().flat_map(|[r, g, b]| [r, g, b, 255]).collect()),
        "bgra16" => word(colours().flat_map(|[r, g, b]| [b, g, r, 255]).collect()),
        "mono16" => word(colours().map(grey).collect()),
        "yuv422" | "uyvy" | "yuyv" | "yuv422_yuy2" => {
            let chroma = chroma_plane(2, 1, false);
            let (lumas, is_uyvy) = (lumas().collect::<Vec<_>>(), encoding == "yuv422" || encoding == "uyvy");
            let pairs = lumas.chunks(2).zip(chroma.chunks(2));
            let packed =
                pairs.flat_map(|(y, c)| if is_uyvy { [c[0], y[0], c[1], y[1]] } else { [y[0], c[0], y[1], c[1]] });
            packed.collect()
        }
        "nv12" | "NV12" => lumas().chain(chroma_plane(2, 2, false)).collect(),
        "nv21" => lumas().chain(chroma_plane(2, 2, true)).collect(),
        "nv24" => lumas().chain(chroma_plane(1, 1, false)).collect(),
        other => match other.trim_start_matches("bayer_").split_at(4) {
            (name, "8") => mosaic_of(name),
            (name, _) => word(mosaic_of(name)),
        },
    }
}

fn frame<'a>(encoding: &'a str, data: &'a [u8], is_bigendian: bool) -> RawFrame<'a> {
    RawFrame {
        encoding,
        is_bigendian,
        width: WIDTH as u32,
        height: HEIGHT as u32,
        step: 0,
        data,
        stamp_nanos: 0,
        received_at_nanos: 0,
    }
}

/// The frame as it leaves a ring with slots of this size.
fn pushed(raw: &RawFrame<'_>, slot: (u32, u32)) -> Vec<u8> {
    let settings = RingSettings { capacity: 1, slot_size: SlotSize::fixed(slot), frame_rate_hz: None, still: None };
    let ring = FrameRing::new(settings).expect("settings");
    ring.push(raw).unwrap_or_else(|error| panic!("{}: {error}", raw.encoding));
    ring.window(1).frames.remove(0).rgb
}

fn worst(found: &[u8], expected: &[u8]) -> u8 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(found, expected)| found.abs_diff(*expected)).max().expect("pixels")
}

fn mean(found: &[u8], expected: &[u8]) -> f64 {
    let sum: u64 = found.iter().zip(expected).map(|(found, expected)| u64::from(found.abs_diff(*expected))).sum();
    sum as f64 / found.len() as f64
}

const COLOURED: [&str; 26] = [
    "rgb8",
    "bgr8",
    "8UC3",
    "rgba8",
    "bgra8",
    "8UC4",
    "rgb16",
    "bgr16",
    "16UC3",
    "rgba16",
    "bgra16",
    "yuv422",
    "uyvy",
    "yuyv",
    "yuv422_yuy2",
    "nv12",
    "NV12",
    "nv21",
    "nv24",
    "bayer_rggb8",
    "bayer_bggr8",
    "bayer_gbrg8",
    "bayer_grbg8",
    "bayer_rggb16",
    "bayer_gbrg16",
    "bayer_grbg16",
];

/// How far the picture may be from the original: worst and mean of all numbers, in a slot of half its sides.
fn tolerance(encoding: &str) -> (u8, f64) {
    match encoding {
        // Beside an edge colours are those of the neighbours.
        name if name.starts_with("bayer") => (75, 4.0),
        name if name.starts_with("nv1") || name == "NV12" || name == "nv21" => (75, 4.0),
        name if name.starts_with('y') || name == "uyvy" => (8, 2.0),
        "nv24" => (4, 1.5),
        _ => (2, 0.6),
    }
}

#[test]
fn a_picture_looks_the_same_in_every_encoding() {
    let original = encoded("rgb8", 16, false);
    let expected = pushed(&frame("rgb8", &original, false), (32, 24));
    for encoding in COLOURED {
        for is_bigendian in [false, true] {
            let data = encoded(encoding, 16, is_bigendian);
            let found = pushed(&frame(encoding, &data, is_bigendian), (32, 24));
            let (most, average) = tolerance(encoding);
            let (worst, mean) = (worst(&found, &expected), mean(&found, &expected));
            assert!(worst <= most && mean <= average, "{encoding}: worst {worst}, mean {mean:.2}");
        }
    }
}

#[test]
fn grey_encodings_look_the_same() {
    let expected = pushed(&frame("mono8", &encoded("mono8", 16, false), false), (32, 24));
    for (encoding, bits) in [("8UC1", 8), ("mono16", 16), ("mono16", 14), ("mono16", 12), ("mono16", 10)] {
        let data = encoded(encoding, bits, false);
        let found = pushed(&frame(encoding, &data, false), (32, 24));
        // The brightest number is near the sensor's greatest.
        assert!(worst(&found, &expected) <= 2, "{encoding} of {bits} bits");
    }
}

#[test]
fn downsizing_is_converting_first() {
    for encoding in COLOURED.into_iter().chain(["mono8", "mono16"]) {
        let data = encoded(encoding, 12, true);
        let raw = frame(encoding, &data, true);
        let rgb = raw.to_rgb8().expect(encoding);
        for slot in SLOTS {
            let (found, expected) = (pushed(&raw, slot), pushed(&frame("rgb8", &rgb, false), slot));
            let worst = worst(&found, &expected);
            assert!(worst <= 2, "{encoding} into {slot:?}: worst {worst}");
        }
    }
}

#[test]
fn a_sensors_bits_are_remembered_so_that_dark_frames_do_not_flicker() {
    let settings = RingSettings { capacity: 9, slot_size: SlotSize::new(Ok), frame_rate_hz: None, still: None };
    let ring = FrameRing::new(settings).expect("settings");
    let shade = |level: u16, stamp_nanos: i64| {
        let data: Vec<u8> = level.to_le_bytes().into_iter().cycle().take(WIDTH * HEIGHT * 2).collect();
        ring.push(&RawFrame { stamp_nanos, ..frame("mono16", &data, false) }).expect("valid");
        ring.window(1).frames.remove(0).rgb.first().copied().expect("a pixel")
    };
    assert_eq!([shade(1000, 0), shade(4000, 1), shade(1000, 2), shade(0, 3)], [249, 249, 62, 0]);
}

#[test]
fn depth_images_and_unknown_encodings_are_refused_by_name() {
    let data = vec![0; WIDTH * HEIGHT * 4];
    for encoding in ["16UC1", "32FC1", "16SC1", "64FC1"] {
        let error = frame(encoding, &data, false).validate().expect_err(encoding);
        assert_eq!(error, FrameError::DepthImage { found: encoding });
        assert!(error.to_string().contains("a depth image"), "{error}");
    }
    for encoding in ["", "jpeg", "8UC2", "bayer_rggb12", "rgb8 "] {
        let error = frame(encoding, &data, false).validate().expect_err(encoding);
        assert!(matches!(error, FrameError::UnknownEncoding { .. }), "{error}");
    }
}

#[test]
fn a_wrong_step_or_rows_too_many_beside_whole_data_are_repaired_and_counted() {
    let settings = RingSettings { capacity: 9, slot_size: SlotSize::new(Ok), frame_rate_hz: None, still: None };
    let ring = FrameRing::new(settings).expect("settings");
    let (rgb, nv12) = (encoded("rgb8", 16, false), encoded("nv12", 16, false));
    let shown = |raw: RawFrame<'_>| {
        ring.push(&raw).expect("whole");
        ring.window(1).frames.remove(0).rgb
    };
    let expected = shown(RawFrame { step: 192, ..frame("rgb8", &rgb, false) });
    assert_eq!(ring.counters().repaired, 0);
    for (stamp_nanos, step) in (1..).zip([0, 3, 64]) {
        assert_eq!(shown(RawFrame { step, stamp_nanos, ..frame("rgb8", &rgb, false) }), expected, "step {step}");
    }
    let behind = [rgb.as_slice(), &[0; 8 * 192]].concat();
    assert_eq!(shown(RawFrame { step: 192, stamp_nanos: 4, ..frame("rgb8", &behind, false) }), expected);
    let yuv = shown(RawFrame { step: 64, stamp_nanos: 5, ..frame("nv12", &nv12, false) });
    assert_eq!(ring.counters().repaired, 4);
    // Rows behind the luma lie before the chroma.
    let behind = [&nv12[..WIDTH * HEIGHT], &[9; 8 * WIDTH], &nv12[WIDTH * HEIGHT..], &[9; 4 * WIDTH]].concat();
    assert_eq!(shown(RawFrame { step: 64, stamp_nanos: 6, ..frame("nv12", &behind, false) }), yuv);
    let short = RawFrame { step: 0, stamp_nanos: 7, ..frame("rgb8", &rgb[..rgb.len() - 100], false) };
    assert_eq!(ring.push(&short), Err(FrameError::ShortStep { expected: 192, found: 0 }));
    assert_eq!((ring.counters().repaired, ring.counters().rejected.short_step), (5, 1));
}

proptest! {
    #[test]
    fn any_size_and_padding_is_read_alike(
        encoding in prop_oneof!["yuyv", "nv12", "nv24", "bayer_gbrg8", "mono16", "rgba8"],
        (width, height) in (1usize..24, 1usize..24),
        padding in 0usize..5,
        seed in any::<u32>(),
    ) {
        let width = if matches!(encoding.as_str(), "yuyv" | "nv12") { 2 * width } else { width };
        let (bytes, planes) = match encoding.as_str() {
            "yuyv" | "mono16" => (2, height),
            "rgba8" => (4, height),
            "nv12" => (1, height + height.div_ceil(2)),
            "nv24" => (1, 3 * height),
            _ => (1, height),
        };
        let step = width * bytes + padding;
        let data: Vec<u8> = (0..step * planes).map(|i| (i as u32).wrapping_mul(seed | 1).to_be_bytes()[0] / 2 + 60).collect();
        let raw = RawFrame { width: width as u32, height: height as u32, step: step as u32, ..frame(&encoding, &data, false) };
        let rgb = raw.to_rgb8().expect("valid");
        prop_assert_eq!(rgb.len(), width * height * 3);
        let same = pushed(&raw, (width as u32, height as u32));
        prop_assert!(worst(&same, &rgb) <= 2);
    }
}
