//! JPEG: checked block by block, brought into a plain form, then decoded.

mod bits;
mod cursor;
mod frame;
mod huffman;
mod mean;
mod progressive;
mod scan;
mod segments;
mod sequential;
mod standard;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::error::{Error, Result};
use crate::format::Format;
use crate::picture::{Layout, Picture};
use crate::{MAX_PIXELS, Orientation};

/// Most scans of a progressive picture; encoders write about ten.
const MAX_SCANS: usize = 64;

/// Decodes a file that begins with JPEG's start marker.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture> {
    let whole = segments::check(bytes)?;
    let (layout, colours) = match whole.components {
        1 => (Layout::Luma8, ColorSpace::Luma),
        _ => (Layout::Rgb8, ColorSpace::RGB),
    };
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(MAX_PIXELS as usize)
        .set_max_height(MAX_PIXELS as usize)
        .jpeg_set_max_scans(MAX_SCANS)
        .jpeg_set_out_colorspace(colours);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(whole.plain.as_slice()), options);
    let rows = decoder.decode().map_err(|error| Error::damaged(Format::Jpeg, error.to_string()))?;
    let orientation = Orientation::of_exif(whole.exif);
    let picture = Picture::stored(whole.size, layout, rows, orientation);
    Ok(Picture { is_portable: picture.is_portable && whole.is_complete, ..picture })
}
