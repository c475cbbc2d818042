//! Half a picture is none, and neither is one that costs more than a camera's.

mod scene;

use image::{ExtendedColorType, ImageFormat};
use pictures::{Error, MAX_PIXELS, MAX_PROGRESSIVE_PIXELS, decode, decode_message};
use rand::{RngExt, SeedableRng};
use scene::{all, encoded, made, segments, without};

#[test]
fn a_file_is_refused_wherever_it_was_cut() {
    for (name, file) in all() {
        // Up to the last byte; of a JPEG up to the last of its blocks.
        let last = if file[0] == 0xFF { file.len() - 4 } else { file.len() - 1 };
        for bytes in 0..=last {
            let error = decode(&file[..bytes]).expect_err(&format!("{name}, {bytes} of {}", file.len()));
            let is_known = matches!(error, Error::Cut { .. } | Error::Format { .. } | Error::Damaged { .. });
            assert!(is_known, "{name}, {bytes}: {error}");
        }
        let half = decode(&file[..file.len() / 2]).expect_err("cut").to_string();
        assert!(half.contains("the picture was cut"), "{name}: {half}");
    }
}

#[test]
fn a_cut_jpeg_is_refused_though_somebody_put_an_end_behind_it() {
    for (name, file) in made() {
        for tenth in 1..10 {
            let cut = &file[..file.len() * tenth / 10];
            for end in [[0xFF, 0xD9].as_slice(), &[0; 400], &[0xFF; 50]] {
                assert!(decode(&[cut, end].concat()).is_err(), "{name}: {tenth} tenths and {end:02x?}");
            }
        }
    }
}

#[test]
fn a_hole_between_restart_markers_is_refused() {
    let file = made().into_iter().find(|(name, _)| name == "restarts_422").expect("made").1;
    let data = segments(&file).last().expect("a scan").2;
    for from in (data..file.len() - 80).step_by(7) {
        let holed = [&file[..from], &file[from + 60..]].concat();
        let error = decode(&holed).expect_err("a hole");
        assert!(matches!(error, Error::Damaged { .. } | Error::Cut { .. }), "{error}");
    }
}

#[test]
fn lost_scans_are_missed() {
    let file = made().into_iter().find(|(name, _)| name == "progressive_420").expect("made").1;
    let scans: Vec<usize> = (0..file.len() - 1).filter(|at| file[*at..at + 2] == [0xFF, 0xDA]).collect();
    assert!(scans.len() > 5);
    for pair in scans.windows(2).skip(1) {
        let lost = [&file[..pair[0]], &file[pair[1]..]].concat();
        assert!(decode(&lost).is_err());
    }
}

#[test]
fn more_scans_than_a_picture_has_are_refused() {
    let file = encoded(ImageFormat::Jpeg);
    let (head, scan) = file[..file.len() - 2].split_at(segments(&file).last().expect("a scan").1);
    let scans = |count: usize| [head, &scan.repeat(count), &[0xFF, 0xD9]].concat();
    let error = decode(&scans(65)).expect_err("65 scans").to_string();
    assert!(error.contains("at most 64 scans"), "{error}");
    assert!(decode(&scans(1)).is_ok());
}

/// The scene's JPEG with another size in its header.
fn claims(file: &[u8], width: u16, height: u16) -> Vec<u8> {
    let (_, at, _) = segments(file).into_iter().find(|(marker, ..)| matches!(marker, 0xC0..=0xC2)).expect("a frame");
    let mut file = file.to_vec();
    file[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    file[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    file
}

#[test]
fn bombs_are_refused_by_their_headers() {
    let mut png = encoded(ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
    let jpeg = claims(&encoded(ImageFormat::Jpeg), 16384, 16384);
    for bomb in [png, jpeg] {
        let error = decode(&bomb).expect_err("a bomb").to_string();
        let expected = format!("expected at most {MAX_PIXELS} pixels, found 16384x16384");
        assert!(error.starts_with(&expected), "{error}");
    }
    let (_, progressive) = made().into_iter().find(|(name, _)| name == "progressive_420").expect("made");
    let error = decode(&claims(&progressive, 8000, 8000)).expect_err("too large").to_string();
    assert!(error.contains(&format!("at most {MAX_PROGRESSIVE_PIXELS} pixels, found 8000x8000")), "{error}");
    assert!(decode(&claims(&encoded(ImageFormat::Jpeg), 0, 48)).is_err());
}

#[test]
fn a_camera_of_64_megapixels_is_read() {
    let (width, height) = (9248, 6944);
    let mut file = std::io::Cursor::new(Vec::new());
    let grey = vec![90; (width * height) as usize];
    image::write_buffer_with_format(&mut file, &grey, width, height, ExtendedColorType::L8, ImageFormat::Png)
        .expect("an encoder in memory");
    assert!(decode(&file.into_inner()).expect("a picture").data == grey);
}

#[test]
fn other_data_are_refused_by_name() {
    let named: [(&str, &[u8], &str); 4] = [
        ("jpeg", b"", "no data"),
        ("h264", b"\0\0\0\x01\x67", "a piece of a video"),
        ("16UC1; compressedDepth", b"\0\0\0\0", "found depth"),
        ("webp", b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
    ];
    for (format, data, name) in named {
        let error = decode_message(format, data).expect_err("no picture").to_string();
        assert!(error.contains(name), "{error}");
    }
    let arithmetic: Vec<u8> = claims(&encoded(ImageFormat::Jpeg), 64, 48);
    let at = segments(&arithmetic).into_iter().find(|(marker, ..)| *marker == 0xC0).expect("a frame").1;
    for (marker, name) in [(0xC9, "arithmetic"), (0xC3, "lossless"), (0xC5, "hierarchy")] {
        let mut other = arithmetic.clone();
        other[at + 1] = marker;
        assert!(decode(&other).expect_err("another kind").to_string().contains(name));
    }
    assert!(decode(&without(&arithmetic, 0xDB)).is_err(), "no quantisation tables");
}

#[test]
fn spoiled_bytes_never_bring_it_down() {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(18);
    for (name, file) in all() {
        for _ in 0..400 {
            let mut spoiled = file.clone();
            for _ in 0..random.random_range(1..6) {
                let at = random.random_range(2..spoiled.len());
                spoiled[at] = random.random();
            }
            if let Ok(picture) = decode(&spoiled) {
                let bytes = picture.step() as usize * picture.height as usize;
                assert_eq!(picture.data.len(), bytes, "{name}");
            }
        }
    }
}
