//! PNG: its chunks first, then its pixels.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use crate::error::{Error, Result};
use crate::format::Format;
use crate::picture::{Layout, Picture};
use crate::{Grey16, MAX_PIXELS, Orientation, check_size};

/// Bytes of the signature.
const SIGNATURE: usize = 8;
/// Most bytes of the decoder's own, beside rows and pixels: palettes, profiles.
const CHUNK_BYTES: usize = 4 << 20;
/// Bits that sensors have behind numbers of two bytes, as the ring of frames reads raw ones.
const SENSOR_BITS: [u32; 4] = [10, 12, 14, 16];
/// Bytes of a row's pixel at most, 4 channels of 16 bits; a decoder holds a few rows.
const ROW_BYTES: usize = 8 * 16;

/// Decodes a file that begins with PNG's signature.
pub(crate) fn decode(bytes: &[u8], grey16: Grey16) -> Result<Picture> {
    let (width, height) = check_chunks(bytes)?;
    check_size(width, height, MAX_PIXELS)?;
    let limits = Limits { bytes: CHUNK_BYTES + ROW_BYTES * width as usize };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(refusal)?;
    let info = reader.info();
    let is_grey16 = info.bit_depth == BitDepth::Sixteen && info.color_type == ColorType::Grayscale;
    if is_grey16 && grey16 == Grey16::Refused {
        let expected = "8 bits, or grey of 16 bits in a message of format mono16";
        let found = "grey of 16 bits, which is depth as a rule".to_owned();
        return Err(Error::Unsupported { format: Format::Png, expected, found });
    }
    let orientation = Orientation::of_exif(info.exif_metadata.as_deref());
    let size = reader.output_buffer_size().ok_or_else(|| Error::damaged(Format::Png, "rows of no length"))?;
    let mut rows = vec![0; size];
    let frame = reader.next_frame(&mut rows).map_err(refusal)?;
    rows.truncate(frame.buffer_size());
    if frame.bit_depth == BitDepth::Sixteen {
        to_bytes(&mut rows, frame.color_type);
    }
    let layout = match frame.color_type {
        ColorType::Grayscale => Layout::Luma8,
        ColorType::GrayscaleAlpha => over_white::<2>(&mut rows, Layout::Luma8),
        ColorType::Rgba => over_white::<4>(&mut rows, Layout::Rgb8),
        ColorType::Rgb | ColorType::Indexed => Layout::Rgb8,
    };
    let picture = Picture::stored((width, height), layout, rows, orientation);
    // Others show the upper bytes of 16 bits.
    let is_portable = picture.is_portable && frame.bit_depth != BitDepth::Sixteen;
    Ok(Picture { is_portable, ..picture })
}

/// The size that the header tells; refused unless every chunk up to the end chunk is there.
fn check_chunks(bytes: &[u8]) -> Result<(u32, u32)> {
    let cut = |expected: &str| Error::Cut { format: Format::Png, expected: expected.to_owned(), bytes: bytes.len() };
    let mut size = None;
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    loop {
        let Some((length, behind)) = rest.split_first_chunk() else { return Err(cut("the end chunk IEND")) };
        let Some((kind, behind)) = behind.split_first_chunk::<4>() else { return Err(cut("a chunk's name")) };
        let length = u32::from_be_bytes(*length) as usize;
        // Four bytes of checksum, which the decoder compares.
        let Some((data, behind)) = behind.split_at_checked(length).filter(|(_, behind)| behind.len() >= 4) else {
            return Err(cut(&format!("a chunk {} of {length} bytes", kind.escape_ascii())));
        };
        match (kind, size, data.first_chunk::<8>()) {
            (b"IHDR", None, Some(&[a, b, c, d, e, f, g, h])) => {
                size = Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])));
            }
            (_, None, _) => return Err(Error::damaged(Format::Png, "expected the header IHDR first")),
            (b"IEND", Some(size), _) => return Ok(size),
            _ => {}
        }
        rest = &behind[4..];
    }
}

/// Makes bytes of numbers of two bytes, the greater byte first, in place. Colours have the fewest bits of a sensor that
/// hold the largest of them; opacity has all 16.
fn to_bytes(rows: &mut Vec<u8>, kind: ColorType) {
    let channels = kind.samples();
    let colours = match kind {
        ColorType::GrayscaleAlpha | ColorType::Rgba => channels - 1,
        ColorType::Grayscale | ColorType::Rgb | ColorType::Indexed => channels,
    };
    let number = |rows: &[u8], at: usize| u16::from_be_bytes([rows[2 * at], rows[2 * at + 1]]);
    let count = rows.len() / 2;
    let largest = (0..count).filter(|at| at % channels < colours).map(|at| number(rows, at)).max().unwrap_or(0);
    let bits = SENSOR_BITS.into_iter().find(|bits| u32::from(largest) >> bits == 0).unwrap_or(u16::BITS);
    for at in 0..count {
        let bits = if at % channels < colours { bits } else { u16::BITS };
        rows[at] = (number(rows, at) >> (bits - 8)) as u8;
    }
    rows.truncate(count);
}

/// Lays pixels whose last of `N` channels is opacity over white, in place.
fn over_white<const N: usize>(rows: &mut Vec<u8>, layout: Layout) -> Layout {
    let colours = N - 1;
    let pixels = rows.len() / N;
    for pixel in 0..pixels {
        let opacity = u32::from(rows[pixel * N + colours]);
        for channel in 0..colours {
            let colour = u32::from(rows[pixel * N + channel]);
            let mixed = (colour * opacity + 255 * (255 - opacity) + 127) / 255;
            rows[pixel * colours + channel] = mixed as u8;
        }
    }
    rows.truncate(pixels * colours);
    layout
}

fn refusal(error: png::DecodingError) -> Error {
    Error::damaged(Format::Png, error.to_string())
}
