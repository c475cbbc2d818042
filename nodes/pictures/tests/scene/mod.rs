//! One scene, encoded in many ways, and the tools to spoil it.
#![allow(dead_code, reason = "every test file uses another part")]

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::pnm::{PnmEncoder, PnmSubtype, SampleEncoding};
use image::{ExtendedColorType, ImageFormat};
use pictures::Picture;

pub const WIDTH: u32 = 64;
pub const HEIGHT: u32 = 48;

/// Slopes of red, green and blue with a red box in them, RGB.
pub fn rgb() -> Vec<u8> {
    let pixel = |x: u32, y: u32| match (x, y) {
        (16..32, 12..24) => [200, 40, 30],
        _ => [4 * x, 5 * y, 2 * (x + y)].map(|level| level as u8),
    };
    (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| pixel(x, y))).collect()
}

/// The scene as a file of a format that the crate `image` writes.
pub fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    match format {
        ImageFormat::Jpeg => {
            JpegEncoder::new_with_quality(&mut file, 92).encode(&rgb(), WIDTH, HEIGHT, ExtendedColorType::Rgb8)
        }
        // Left to itself it writes PAM.
        ImageFormat::Pnm => PnmEncoder::new(&mut file).with_subtype(PnmSubtype::Pixmap(SampleEncoding::Binary)).encode(
            rgb().as_slice(),
            WIDTH,
            HEIGHT,
            ExtendedColorType::Rgb8,
        ),
        _ => image::write_buffer_with_format(&mut file, &rgb(), WIDTH, HEIGHT, ExtendedColorType::Rgb8, format),
    }
    .expect("an encoder in memory");
    file.into_inner()
}

/// The JPEGs that `data/make.py` made, by name.
pub fn made() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let paths = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|kind| kind == "jpg")).collect();
    paths.sort();
    assert_eq!(paths.len(), 8);
    let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read(path).expect("a file"))).collect()
}

/// Every file there is, by name.
pub fn all() -> Vec<(String, Vec<u8>)> {
    let mut files = made();
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Pnm] {
        files.push((format!("{format:?}"), encoded(format)));
    }
    files
}

/// How far a picture is from the scene: mean difference of its bytes.
pub fn difference(picture: &Picture) -> f64 {
    assert_eq!((picture.width, picture.height), (WIDTH, HEIGHT));
    let is_grey = picture.layout == pictures::Layout::Luma8;
    let luma = |rgb: &[u8]| {
        let [r, g, b] = [0, 1, 2].map(|channel| f64::from(rgb[channel]));
        vec![(0.299 * r + 0.587 * g + 0.114 * b).round() as u8; 3]
    };
    let scene = rgb();
    let scene = if is_grey { scene.chunks(3).flat_map(luma).collect() } else { scene };
    mean_difference(&picture.clone().into_rgb8(), &scene)
}

/// Mean difference of bytes.
pub fn mean_difference(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / one.len() as f64
}

/// A JPEG's segments ahead of its first scan's data: the marker's place and the segment's end.
pub fn segments(jpeg: &[u8]) -> Vec<(u8, usize, usize)> {
    let (mut at, mut segments) = (2, Vec::new());
    loop {
        let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        segments.push((jpeg[at + 1], at, end));
        if jpeg[at + 1] == 0xDA {
            return segments;
        }
        at = end;
    }
}

/// A JPEG without its segments of one kind.
pub fn without(jpeg: &[u8], marker: u8) -> Vec<u8> {
    let mut rest = jpeg.to_vec();
    for (found, from, until) in segments(jpeg).into_iter().rev() {
        if found == marker {
            rest.drain(from..until);
        }
    }
    rest
}

/// A TIFF structure that says nothing but an orientation, most significant byte first.
pub fn exif(orientation: u8) -> Vec<u8> {
    let entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
    [b"MM\0*\0\0\0\x08\0\x01".as_slice(), &entry, &[0; 4]].concat()
}

/// A JPEG with one more segment behind its start.
pub fn with_segment(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xFF, marker], &length, body, &jpeg[2..]].concat()
}

/// A PNG with one more chunk behind its header.
pub fn with_chunk(png: &[u8], kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let behind_header = 8 + 25;
    let named = [kind.as_slice(), data].concat();
    let length = (data.len() as u32).to_be_bytes();
    let check = crc32(&named).to_be_bytes();
    [&png[..behind_header], &length, &named, &check, &png[behind_header..]].concat()
}

/// PNG's checksum.
fn crc32(bytes: &[u8]) -> u32 {
    let fold = |rest: u32, byte: &u8| {
        (0..8).fold(rest ^ u32::from(*byte), |rest, _| rest >> 1 ^ if rest & 1 == 1 { 0xEDB8_8320 } else { 0 })
    };
    !bytes.iter().fold(u32::MAX, fold)
}
