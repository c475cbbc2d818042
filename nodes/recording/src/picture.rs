//! Pictures of a bag, raw or compressed, in the one form that a frame ring takes.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::messages::{CompressedImage, Image, RosMessage};
use crate::stream::BagMessage;

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
    /// What would make a compressed picture upright, by what its file says; the rows are as stored, and so is what a
    /// calibration is of.
    pub orientation: pictures::Orientation,
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
        Ok(Picture {
            stamp_nanos,
            frame_id: header.frame_id,
            encoding,
            is_bigendian: is_bigendian != 0,
            width,
            height,
            step,
            orientation: pictures::Orientation::default(),
            data: Cow::Borrowed(data),
        })
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
        let picture = pictures::decode_message(&format, data).map_err(|source| Error::Picture {
            topic: self.topic().to_owned(),
            format,
            source,
        })?;
        Ok(Picture {
            stamp_nanos: self.stamp_nanos(header.stamp.nanos()),
            frame_id: header.frame_id,
            encoding: picture.layout.encoding().to_owned(),
            is_bigendian: false,
            width: picture.width,
            height: picture.height,
            step: picture.step(),
            orientation: picture.orientation,
            data: Cow::Owned(picture.data),
        })
    }
}
