//! A frame as it arrives, and the checks that it must pass.

use crate::convert::Converter;
use crate::layout::Claim;
use crate::source::Source;
use crate::{Encoding, FrameError};

/// Longest accepted side of a source frame or a slot, in pixels.
pub const MAX_SIDE: u32 = 16_384;

/// A frame as a driver hands it over, with the fields of `sensor_msgs/Image`. Nothing in it is trusted.
#[derive(Clone, Copy, Debug)]
pub struct RawFrame<'a> {
    /// Name of the pixel layout, for instance `rgb8`.
    pub encoding: &'a str,
    /// The first byte of a number of two bytes is the greater one.
    pub is_bigendian: bool,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes from one row to the next, of the first plane where there are several.
    pub step: u32,
    /// `step * height` bytes, and the chroma where that has planes of its own.
    pub data: &'a [u8],
    /// When light hit the sensor, nanoseconds.
    pub stamp_nanos: i64,
    /// When we got it, nanoseconds of the caller's clock.
    pub received_at_nanos: i64,
}

impl<'a> RawFrame<'a> {
    /// Checks the frame's claims about itself and returns its encoding. A wrong step or number of rows beside whole data
    /// is no error where the length of the data says what is right.
    ///
    /// # Errors
    /// A [`FrameError`] that names what was expected and what was found.
    pub fn validate(&self) -> Result<Encoding, FrameError> {
        self.source().map(|source| source.encoding)
    }

    /// The checked pixels.
    pub(crate) fn source(&self) -> Result<Source<'a>, FrameError> {
        let encoding = Encoding::parse(self.encoding)?;
        let (width, height) = (self.width, self.height);
        if width == 0 || height == 0 {
            return Err(FrameError::ZeroSize { width, height });
        }
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(FrameError::TooLarge { expected: MAX_SIDE, width, height });
        }
        if encoding.has_column_pairs() && width % 2 == 1 {
            return Err(FrameError::OddWidth { found: width });
        }
        let (width, height, step) = (width as usize, height as usize, self.step as usize);
        let claim = Claim { encoding, width, height, step };
        let Some(layout) = claim.layout(self.data.len()) else { return Err(self.refusal(&claim)) };
        Ok(Source { encoding, width, height, layout, data: self.data, is_bigendian: self.is_bigendian })
    }

    /// Why no layout fits the data.
    fn refusal(&self, claim: &Claim) -> FrameError {
        if claim.step < claim.row_bytes() {
            return FrameError::ShortStep { expected: claim.row_bytes() as u64, found: u64::from(self.step) };
        }
        FrameError::WrongLength { expected: claim.data_bytes(claim.step) as u64, found: self.data.len() as u64 }
    }

    /// The whole picture as RGB, `width * height * 3` bytes, rows from the top.
    ///
    /// # Errors
    /// As [`RawFrame::validate`].
    pub fn to_rgb8(&self) -> Result<Vec<u8>, FrameError> {
        let source = self.source()?;
        let mut rgb = vec![0; source.width * source.height * 3];
        Converter::default().write_rgb(&source, source.word_bits(), &mut rgb);
        Ok(rgb)
    }
}
