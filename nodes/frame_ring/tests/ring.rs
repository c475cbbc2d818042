//! Promises of the ring: what is kept, what is counted, what is refused.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use std::sync::Arc;

use frame_ring::{
    FrameError, FrameRing, PixelMap, Pose, RawFrame, Resized, RingSettings, Shot, SlotSize, Span, StampJump,
    StillSettings,
};
use proptest::prelude::*;

fn ring(capacity: usize, frame_rate_hz: Option<f64>) -> FrameRing {
    let slot_size = SlotSize::fixed((4, 4));
    FrameRing::new(RingSettings { capacity, slot_size, frame_rate_hz, still: None }).expect("settings")
}

fn grey(data: &[u8], stamp_nanos: i64) -> RawFrame<'_> {
    let received_at_nanos = stamp_nanos + 5;
    let (encoding, is_bigendian) = ("mono8", false);
    RawFrame { encoding, is_bigendian, width: 8, height: 6, step: 8, data, stamp_nanos, received_at_nanos }
}

#[test]
fn keeps_the_last_and_counts_the_dropped() {
    let ring = ring(3, None);
    for i in 0..5 {
        assert!(ring.push(&grey(&[i as u8 * 10; 48], i)).expect("valid").kept);
    }
    let stamps: Vec<i64> = ring.window(9).frames.iter().map(|frame| frame.stamp_nanos).collect();
    assert_eq!(stamps, [2, 3, 4]);
    let newest = ring.window(1).frames;
    assert_eq!((newest[0].rgb.as_slice(), newest[0].received_at_nanos), (&[40u8; 48][..], 9));
    let counters = ring.counters();
    assert_eq!((counters.received, counters.pushed, counters.dropped_oldest), (5, 5, 2));
}

#[test]
fn thins_to_the_rate_and_counts_the_skipped() {
    let ring = ring(100, Some(2.0));
    for i in 0..90 {
        ring.push(&grey(&[0; 48], i * 33_333_333)).expect("valid");
    }
    let counters = ring.counters();
    assert!((6..=7).contains(&counters.pushed), "{counters:?}");
    assert_eq!(counters.pushed + counters.skipped_rate, 90);
}

const STILL: StillSettings = StillSettings { luma: 2.0, move_m: 0.1, turn_deg: 5.0, longest_gap_secs: 10.0 };

fn choosy(still: StillSettings) -> FrameRing<&'static str> {
    let settings = RingSettings { still: Some(still), ..ring(9, Some(1.0)).settings().clone() };
    FrameRing::with_embeds(settings).expect("settings")
}

fn at(x: f64, degrees: f64) -> Option<Pose> {
    let half = degrees.to_radians() / 2.0;
    Some(Pose { position_m: [x, 0.0, 0.0], orientation: [0.0, 0.0, half.sin(), half.cos()] })
}

#[test]
fn a_frame_that_shows_nothing_new_is_skipped_and_counted() {
    let ring = choosy(STILL);
    let kept = |shade: u8, seconds: i64, pose| {
        ring.push_at(&grey(&[shade; 48], seconds * 1_000_000_000), &Shot::at(pose)).expect("valid").kept
    };
    assert!(kept(50, 0, at(0.0, 0.0)));
    assert!(!kept(51, 1, at(0.05, 2.0)), "neither picture nor pose differs");
    assert!(!kept(51, 2, None), "an unknown pose tells nothing");
    assert!(kept(53, 3, at(0.0, 0.0)), "the picture differs from the last kept one");
    assert!(kept(53, 4, at(0.2, 0.0)), "the robot drives");
    assert!(kept(53, 5, at(0.2, 6.0)), "the robot turns");
    assert!(kept(53, 6, at(f64::NAN, 6.0)), "a pose that is no number may be anywhere");
    let counters = ring.counters();
    assert_eq!((counters.pushed, counters.skipped_still, counters.skipped_rate), (5, 2, 0));
}

#[test]
fn a_still_scene_is_kept_again_after_the_longest_gap_by_stamp_or_by_arrival() {
    let ring = choosy(STILL);
    let stamps: Vec<i64> =
        (0..31).filter(|s| ring.push(&grey(&[9; 48], s * 1_000_000_000)).expect("valid").kept).collect();
    assert_eq!(stamps, [0, 9, 18, 27]);
    let slow = |seconds: i64, received_at_nanos: i64| {
        ring.push(&RawFrame { received_at_nanos, ..grey(&[9; 48], seconds * 1_000_000_000) }).expect("valid").kept
    };
    assert!(slow(40, 0) && !slow(41, 8_000_000_000) && slow(42, 9_000_000_000));
}

#[test]
fn embeds_lie_beside_their_frames_and_leave_with_them() {
    let ring: FrameRing<&str> = FrameRing::with_embeds(ring(3, None).settings().clone()).expect("settings");
    let push = |i: i64| ring.push(&grey(&[i as u8; 48], i * 1_000_000_000)).expect("valid");
    (0..3).for_each(|i| assert!(push(i).kept));
    assert_eq!(ring.held(), 0..3);
    assert!(ring.attach(2, Span::Alone, Arc::new("2")) && ring.attach(0, Span::Pair, Arc::new("01")));
    assert!(!ring.attach(2, Span::Pair, Arc::new("23")), "frame 3 has not come");
    let snapshot = ring.snapshot(0);
    assert_eq!(
        snapshot.embeds.iter().map(|embeds| embeds.as_deref().copied()).collect::<Vec<_>>(),
        [Some("01"), Some("2")]
    );
    assert!(snapshot.window.frames.iter().all(|frame| frame.rgb.is_empty()) && snapshot.missing().next().is_none());
    assert!(push(3).kept);
    assert_eq!(ring.embeds(0, Span::Pair), None, "its first frame has left");
    assert_eq!(ring.snapshot(1).missing().collect::<Vec<_>>(), [(1, Span::Pair), (3, Span::Alone)]);
    assert!(ring.attach(2, Span::Pair, Arc::new("23")));
    assert_eq!((ring.embeds(2, Span::Alone), ring.embeds(2, Span::Pair)), (None, Some(Arc::new("23"))));
    assert_eq!(ring.sum_embeds(|embeds| embeds.len()), 2);
    assert!(push(4).kept);
    assert_eq!([0, 1, 2].map(|i| push(i).jump.is_some()), [false, false, true], "three in a row");
    assert_eq!((ring.held(), ring.sum_embeds(|embeds| embeds.len())), (6..7, 0), "numbers go on, even, after a jump");
    assert!(!ring.attach(4, Span::Alone, Arc::new("late")));
}

#[test]
fn a_stamp_that_jumps_back_clears_the_ring() {
    let ring = ring(4, Some(1.0));
    for stamp in [5_000_000_000, 6_000_000_000, 7_000_000_000] {
        ring.push(&grey(&[0; 48], stamp)).expect("valid");
    }
    for straggler in [6_999_999_999, 1_000, 2_000] {
        let late = ring.push(&grey(&[0; 48], straggler)).expect("valid");
        assert_eq!((late.kept, late.jump, ring.len()), (false, None, 3));
    }
    let pushed = ring.push(&grey(&[0; 48], 3_000)).expect("valid");
    assert_eq!(pushed.jump, Some(StampJump { from_nanos: 7_000_000_000, to_nanos: 3_000 }));
    assert!(pushed.kept);
    let counters = ring.counters();
    assert_eq!((ring.len(), counters.stamp_jumps, counters.cleared, counters.late), (1, 1, 3, 3));
    // Extreme stamps must not overflow.
    ring.push(&grey(&[0; 48], i64::MAX)).expect("valid");
    ring.push(&grey(&[0; 48], i64::MIN)).expect("valid");
}

#[test]
fn refuses_frames_that_lie_and_says_why() {
    let ring = ring(2, None);
    let data = [0u8; 48];
    let good = grey(&data, 0);
    let refused = |frame: RawFrame<'_>| ring.push(&frame).expect_err("refused");
    assert!(matches!(refused(RawFrame { encoding: "jpeg2000", ..good }), FrameError::UnknownEncoding { .. }));
    assert_eq!(refused(RawFrame { width: 0, ..good }), FrameError::ZeroSize { width: 0, height: 6 });
    let short = RawFrame { step: 7, data: &data[..47], ..good };
    assert_eq!(refused(short), FrameError::ShortStep { expected: 8, found: 7 });
    assert_eq!(refused(RawFrame { step: 9, ..short }), FrameError::WrongLength { expected: 54, found: 47 });
    assert_eq!(refused(RawFrame { data: &data[..47], ..good }), FrameError::WrongLength { expected: 48, found: 47 });
    assert!(matches!(refused(RawFrame { height: u32::MAX, ..good }), FrameError::TooLarge { .. }));
    assert_eq!(refused(RawFrame { encoding: "yuyv", width: 3, ..good }), FrameError::OddWidth { found: 3 });
    let rejected = ring.counters().rejected;
    assert_eq!((rejected.total(), rejected.wrong_length, ring.len()), (7, 2, 0));
}

/// A ring whose slots have half the sides of the pictures, of sizes that are no multiple of four.
fn halving() -> FrameRing {
    let slot_size = SlotSize::new(|(width, height)| match (width % 4, height % 4) {
        (0, 0) => Err("expected no multiple of four".to_owned()),
        _ => Ok((width / 2, height / 2)),
    });
    FrameRing::new(RingSettings { slot_size, ..ring(4, None).settings().clone() }).expect("settings")
}

#[test]
fn the_ring_plans_itself_by_the_pictures_and_no_window_has_two_sizes() {
    let (ring, data) = (halving(), [0; 60]);
    let push = |width: u32, height: u32, stamp_nanos: i64| {
        let data = &data[..(width * height) as usize];
        ring.push(&RawFrame { width, height, step: width, data, ..grey(&[], stamp_nanos) })
    };
    let seen = || {
        let window = ring.window(9);
        assert!(window.frames.iter().all(|frame| frame.rgb.len() as u32 == window.width * window.height * 3));
        (window.frames.len(), window.width, window.height)
    };
    assert_eq!(seen(), (0, 0, 0));
    for stamp in 0..2 {
        assert_eq!(push(8, 6, stamp).expect("valid").resized, None);
    }
    assert_eq!((seen(), ring.held()), ((2, 4, 3), 0..2));
    assert_eq!(push(6, 10, 2).expect("valid").resized, Some(Resized { from: (8, 6), to: (6, 10) }));
    assert_eq!((seen(), ring.held()), ((1, 3, 5), 2..3));
    let no_slot = FrameError::NoSlot { width: 4, height: 8, reason: "expected no multiple of four".to_owned() };
    assert_eq!(push(4, 8, 3), Err(no_slot));
    assert!(matches!(push(1, 2, 3), Err(FrameError::NoSlot { .. })), "a slot of no width");
    assert_eq!((seen(), push(6, 10, 4).expect("valid").resized), ((1, 3, 5), None));
    let counters = ring.counters();
    assert_eq!((counters.resized, counters.cleared, counters.rejected.no_slot, counters.received), (1, 2, 2, 6));
}

#[test]
fn a_pixel_map_straightens_the_picture_before_it_is_downsized() {
    // Rows of 10, 20, …, hung on its side: the sent picture's columns are the upright one's rows.
    let data: Vec<u8> = (0..48u8).map(|i| i % 8 * 10 + 10).collect();
    let map = PixelMap::new((8, 6), (6, 8), |[x, y]| [y, 6.0 - x]).expect("sizes");
    let shot = Shot { pose: None, pixel_map: Some(Arc::new(map)) };
    let settings = RingSettings { slot_size: SlotSize::new(Ok), ..ring(2, None).settings().clone() };
    let ring = FrameRing::new(settings).expect("settings");
    ring.push_at(&grey(&data, 0), &shot).expect("valid");
    let window = ring.window(1);
    assert_eq!((window.width, window.height), (6, 8));
    let rows: Vec<u8> = window.frames[0].rgb.chunks(18).map(|row| row[0]).collect();
    assert_eq!(rows, [10, 20, 30, 40, 50, 60, 70, 80]);
    assert!(window.frames[0].rgb.chunks(18).all(|row| row.iter().all(|byte| *byte == row[0])));
    let other = RawFrame { width: 6, height: 8, step: 6, ..grey(&data, 1) };
    assert_eq!(ring.push_at(&other, &shot), Err(FrameError::MapSize { width: 6, height: 8, found: (8, 6) }));
    assert_eq!((ring.len(), ring.counters().rejected.map_size), (1, 1));
    assert_eq!(ring.push(&other).expect("valid").resized, None, "upright it is the same size");
}

#[test]
fn refuses_settings_out_of_range() {
    let good = ring(1, None).settings().clone();
    assert!(FrameRing::new(RingSettings { capacity: 0, ..good.clone() }).is_err());
    assert!(FrameRing::new(RingSettings { frame_rate_hz: Some(f64::NAN), ..good.clone() }).is_err());
    assert!(FrameRing::new(RingSettings { frame_rate_hz: Some(0.0), ..good.clone() }).is_err());
    for still in [
        StillSettings { luma: f64::NAN, ..StillSettings::default() },
        StillSettings { turn_deg: -1.0, ..StillSettings::default() },
        StillSettings { longest_gap_secs: 0.0, ..StillSettings::default() },
    ] {
        assert!(FrameRing::new(RingSettings { still: Some(still), ..good.clone() }).is_err(), "{still:?}");
    }
}

#[test]
fn every_encoding_gives_the_same_red() {
    let pixels: [(&str, &[u8]); 6] = [
        ("rgb8", &[200, 40, 10]),
        ("bgr8", &[10, 40, 200]),
        ("rgba8", &[200, 40, 10, 9]),
        ("bgra8", &[10, 40, 200, 9]),
        ("8UC3", &[10, 40, 200]),
        ("yuyv", &[88, 92, 88, 201]),
    ];
    for (encoding, pixel) in pixels {
        let ring = ring(1, None);
        let bytes = if encoding == "yuyv" { 2 } else { pixel.len() };
        let data: Vec<u8> = pixel.iter().copied().cycle().take(48 * bytes).collect();
        let step = 8 * bytes as u32;
        ring.push(&RawFrame { encoding, step, data: &data, ..grey(&[], 0) }).expect(encoding);
        for (found, expected) in ring.window(1).frames[0].rgb.iter().zip([200u8, 40, 10].iter().cycle()) {
            assert!(found.abs_diff(*expected) <= 3, "{encoding}: expected {expected}, found {found}");
        }
    }
}

/// A picture with edges, gradients and a little texture, as cameras see.
fn scene(width: usize, height: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let edge = if (x / 37 + y / 53) % 2 == 0 { 180 } else { 60 };
            data.extend([edge, (x * 255 / width) as u8, (30 + y * 190 / height + (x * y) % 7) as u8]);
        }
    }
    data
}

#[test]
fn matches_fast_image_resize() {
    for ((w, h), (ow, oh)) in [((641u32, 479u32), (112u32, 84u32)), ((1920, 1080), (448, 252)), ((20, 30), (56, 56))] {
        let data = scene(w as usize, h as usize);
        let slot_size = SlotSize::fixed((ow, oh));
        let settings = RingSettings { capacity: 1, slot_size, frame_rate_hz: None, still: None };
        let ring = FrameRing::new(settings).expect("settings");
        let (stamp_nanos, received_at_nanos) = (0, 0);
        let frame = RawFrame {
            encoding: "rgb8",
            is_bigendian: false,
            width: w,
            height: h,
            step: w * 3,
            data: &data,
            stamp_nanos,
            received_at_nanos,
        };
        ring.push(&frame).expect("valid");
        let source = TypedImageRef::<U8x3>::from_buffer(w, h, &data).expect("source");
        let mut resized = vec![0; (ow * oh * 3) as usize];
        let mut output = TypedImage::<U8x3>::from_buffer(ow, oh, &mut resized).expect("output");
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
        Resizer::new().resize_typed(&source, &mut output, &options).expect("resize");
        let worst = ring.window(1).frames[0].rgb.iter().zip(&resized).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(2), "{w}x{h} to {ow}x{oh}: worst difference {worst:?}");
    }
}

proptest! {
    #[test]
    fn no_frame_whatever_panics(
        encoding in prop_oneof!["rgb8", "bgra8", "mono8", "yuyv", "nv12", "nv24", "bayer_grbg8", "rgb16", "mono16", ".*"],
        (width, height, step) in (0u32..40, 0u32..40, 0u32..200),
        data in proptest::collection::vec(any::<u8>(), 0..4000),
        exact in 0u32..4,
        stamp_nanos in any::<i64>(),
    ) {
        let settings = RingSettings { still: Some(STILL), ..ring(2, Some(3.0)).settings().clone() };
        let ring = FrameRing::new(settings).expect("settings");
        let mut data = data;
        if exact > 0 {
            // As long as one, one and a half or three planes are.
            data.resize((step * height * [0, 2, 3, 6][exact as usize] / 2) as usize, 7);
        }
        let frame = RawFrame { encoding: &encoding, width, height, step, data: &data, ..grey(&[], stamp_nanos) };
        let _ = ring.push(&frame);
        let counters = ring.counters();
        prop_assert_eq!(counters.received, counters.pushed + counters.skipped_rate + counters.skipped_still + counters.late + counters.rejected.total());
    }
}
