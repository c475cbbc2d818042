//! Pictures of a bag, raw or compressed, in the one form that a frame ring takes.

use std::borrow::Cow;
use std::io::Cursor;

use image::{DynamicImage, ImageReader, Limits};

use crate::error::{Error, Result};
use crate::messages::{CompressedImage, Image, RosMessage};
use crate::stream::BagMessage;

/// Most memory that one decoded picture may take.
const MAX_PICTURE_BYTES: u64 = 256 << 20;

/// Rows of pixels as a camera driver would have sent them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture<'a> {
    /// When light hit the sensor, nanoseconds; when it was recorded where the driver left that out.
    pub stamp_nanos: i64,
    /// The optical frame.
    pub frame_id: String,
    /// Pixel layout, for instance `rgb8`. Nothing about a raw picture is checked.
    pub encoding: String,
    /// The first byte of a number of two bytes is the greater one.
    pub is_bigendian: bool,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Bytes of a row.
    pub step: u32,
    /// The rows.
    pub data: Cow<'a, [u8]>,
}

impl BagMessage {
    /// The picture of a message of type `Image` or `CompressedImage` (jpeg, png).
    ///
    /// # Errors
    /// When it is of another type, or not what its type says.
    pub fn picture(&self) -> Result<Picture<'_>> {
        if self.is::<CompressedImage<'_>>() {
            return self.decompressed();
        }
        if !self.is::<Image<'_>>() {
            let expected = format!("{} or {}", Image::TYPE_NAME, CompressedImage::TYPE_NAME);
            let (topic, found) = (self.topic().to_owned(), self.type_name().to_owned());
            return Err(Error::Type { topic, expected, found });
        }
        let Image { header, height, width, encoding, is_bigendian, step, data } = self.decode()?;
        let stamp_nanos = self.stamp_nanos(header.stamp.nanos());
        let (frame_id, is_bigendian, data) = (header.frame_id, is_bigendian != 0, Cow::Borrowed(data));
        Ok(Picture { stamp_nanos, frame_id, encoding, is_bigendian, width, height, step, data })
    }

    /// When light hit the sensor, of a message of type `Image` or `CompressedImage`, nanoseconds; when it was recorded
    /// where the driver left that out. Pixels are not looked at.
    ///
    /// # Errors
    /// As [`BagMessage::picture`].
    pub fn picture_stamp_nanos(&self) -> Result<i64> {
        let header = if self.is::<CompressedImage<'_>>() {
            self.decode::<CompressedImage<'_>>()?.header
        } else {
            self.decode::<Image<'_>>()?.header
        };
        Ok(self.stamp_nanos(header.stamp.nanos()))
    }

    /// `header_nanos`, or the time of recording where that is 0.
    pub fn stamp_nanos(&self, header_nanos: i64) -> i64 {
        if header_nanos == 0 { i64::try_from(self.log_time_nanos()).unwrap_or(i64::MAX) } else { header_nanos }
    }

    fn decompressed(&self) -> Result<Picture<'_>> {
        let CompressedImage { header, format, data } = self.decode()?;
        let picture =
            decode(data).map_err(|source| Error::Picture { topic: self.topic().to_owned(), format, source })?;
        let (width, height) = (picture.width(), picture.height());
        let (encoding, channels, data) = match picture {
            DynamicImage::ImageLuma8(grey) => ("mono8", 1, grey.into_raw()),
            colour => ("rgb8", 3, colour.into_rgb8().into_raw()),
        };
        Ok(Picture {
            stamp_nanos: self.stamp_nanos(header.stamp.nanos()),
            frame_id: header.frame_id,
            encoding: encoding.to_owned(),
            is_bigendian: false,
            width,
            height,
            step: width * channels,
            data: Cow::Owned(data),
        })
    }
}

fn decode(data: &[u8]) -> image::ImageResult<DynamicImage> {
    let mut reader = ImageReader::new(Cursor::new(data)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_PICTURE_BYTES);
    reader.limits(limits);
    reader.decode()
}
