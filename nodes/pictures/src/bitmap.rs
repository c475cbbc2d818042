//! BMP, PGM and PPM: pixels in a row behind a short header.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::pnm::PnmDecoder;
use image::{DynamicImage, ImageDecoder, ImageError};

use crate::error::{Error, Result};
use crate::format::Format;
use crate::picture::{Layout, Picture};
use crate::{MAX_PIXELS, Orientation, check_size};

/// Decodes a file that begins as `format` does.
pub(crate) fn decode(bytes: &[u8], format: Format) -> Result<Picture> {
    let refuse = |error| refusal(error, format, bytes.len());
    let file = Cursor::new(bytes);
    let (size, decoded) = match format {
        Format::Bmp => pixels(BmpDecoder::new(file).map_err(refuse)?, format, bytes.len()),
        _ => pixels(PnmDecoder::new(file).map_err(refuse)?, format, bytes.len()),
    }?;
    let (layout, rows) = match decoded {
        DynamicImage::ImageLuma8(grey) => (Layout::Luma8, grey.into_raw()),
        DynamicImage::ImageLuma16(_) => {
            let (expected, found) = ("8 bits", "grey of 16 bits, which is depth as a rule".to_owned());
            return Err(Error::Unsupported { format, expected, found });
        }
        colour => (Layout::Rgb8, colour.into_rgb8().into_raw()),
    };
    Ok(Picture::stored(size, layout, rows, Orientation::default()))
}

fn pixels(decoder: impl ImageDecoder, format: Format, bytes: usize) -> Result<((u32, u32), DynamicImage)> {
    let size = decoder.dimensions();
    check_size(size.0, size.1, MAX_PIXELS)?;
    let decoded = DynamicImage::from_decoder(decoder).map_err(|error| refusal(error, format, bytes))?;
    Ok((size, decoded))
}

fn refusal(error: ImageError, format: Format, bytes: usize) -> Error {
    match error {
        ImageError::IoError(_) => Error::Cut { format, expected: "all rows".to_owned(), bytes },
        other => Error::damaged(format, other.to_string()),
    }
}
