//! Encoded pictures, decoded by one set of rules for the robot, its bags and its training.
//!
//! A picture comes out whole and in RGB, grey or a mosaic of 8 bits, or it is refused by name. Its size is read and bounded
//! before anything of that size is allocated. JPEG data are checked block by block ahead of the decoder, because decoders
//! fill up with grey what a cut file leaves out: a robot that is shown such a picture measures the grey.
//!
//! | read | refused by name |
//! |---|---|
//! | JPEG: sequential and progressive, grey, colour, CMYK; without Huffman tables as USB cameras send it; without end marker | cut, holes, arithmetic, lossless, 12 bits |
//! | PNG: every kind; transparency over white; colours of 16 bits as 8 | cut, grey of 16 bits that nobody called `mono16` or Bayer (depth) |
//! | BMP, PGM, PPM | cut |
//!
//! EXIF's orientation (JPEG and PNG) is applied to files. Messages come out as stored, because calibration and TF are of
//! the pixels as stored; [`Picture::orientation`] says what would make them upright.

mod bitmap;
mod error;
mod format;
mod jpeg;
mod orientation;
mod picture;

mod png;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use error::{Error, Result};
pub use format::Format;
pub use orientation::Orientation;
pub use picture::{Layout, Mosaic, Picture};

/// Most pixels of a picture: those of a camera of 64 megapixels and a little.
pub const MAX_PIXELS: u64 = 1 << 26;

/// Most pixels of a progressive JPEG, whose coefficients are all held until the last scan.
pub const MAX_PROGRESSIVE_PIXELS: u64 = 1 << 25;

/// Decodes the file `bytes`, whatever follows behind its end. The picture is upright.
///
/// # Errors
/// When it is of no known format, too large, cut or damaged.
pub fn decode(bytes: &[u8]) -> Result<Picture> {
    Ok(decode_as(bytes, Grey16::Refused)?.upright())
}

/// Decodes the data of a `sensor_msgs/CompressedImage` that calls itself `format`. The pixels are as stored; grey that
/// was a mosaic of colour filters is handed on as that.
///
/// # Errors
/// As [`decode`]; also when `format` says that this is depth or a piece of a video.
pub fn decode_message(format: &str, bytes: &[u8]) -> Result<Picture> {
    let layout = format::of_message(format)?;
    let mosaic = Mosaic::of_encoding(layout);
    let grey16 = if layout == "mono16" || mosaic.is_some() { Grey16::Picture } else { Grey16::Refused };
    let picture = decode_as(bytes, grey16)?;
    // Some compressors join the colours to grey and say so behind.
    let is_joined = format.trim_end().ends_with("mono8");
    Ok(match mosaic {
        Some(mosaic) if picture.layout == Layout::Luma8 && !is_joined => {
            Picture { layout: Layout::Bayer8(mosaic), is_portable: false, ..picture }
        }
        _ => picture,
    })
}

/// What grey of 16 bits is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grey16 {
    /// Brightness.
    Picture,
    /// Depth, as nearly always.
    Refused,
}

fn decode_as(bytes: &[u8], grey16: Grey16) -> Result<Picture> {
    let format = Format::of(bytes)?;
    // Decoders index by what strangers wrote; one that panics has refused the picture.
    let decoded = catch_unwind(AssertUnwindSafe(|| match format {
        Format::Jpeg => jpeg::decode(bytes),
        Format::Png => png::decode(bytes, grey16),
        Format::Bmp | Format::Pnm => bitmap::decode(bytes, format),
    }));
    decoded.unwrap_or_else(|_| Err(Error::damaged(format, "data that make no sense to the decoder")))
}

/// Refuses a size before anything of that size is allocated.
fn check_size(width: u32, height: u32, limit: u64) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    match pixels {
        0 => Err(Error::Empty { width, height }),
        _ if pixels > limit => Err(Error::TooLarge { width, height, limit }),
        _ => Ok(()),
    }
}
