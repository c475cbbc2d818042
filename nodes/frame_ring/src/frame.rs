//! A frame as it arrives, and the checks that it must pass.

use crate::FrameError;
use crate::convert::to_rgb;
use crate::resample::Source;

/// Longest accepted side of a source frame or a slot, in pixels.
pub const MAX_SIDE: u32 = 16_384;

const ENCODINGS: &str = "rgb8, bgr8, rgba8, bgra8, mono8, 8UC1, 8UC3, yuv422_yuy2, yuyv";

/// A pixel layout that the ring converts to RGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Red, green, blue.
    Rgb8,
    /// Blue, green, red.
    Bgr8,
    /// Red, green, blue, alpha; alpha is ignored.
    Rgba8,
    /// Blue, green, red, alpha; alpha is ignored.
    Bgra8,
    /// One grey byte.
    Mono8,
    /// Packed 4:2:2, bytes Y0 U Y1 V (BT.601, limited range).
    Yuyv,
}

impl Encoding {
    /// Reads the name used by `sensor_msgs/Image` (`8UC3` is taken as OpenCV's order, BGR).
    ///
    /// # Errors
    /// [`FrameError::UnknownEncoding`] for every other name.
    pub fn parse(name: &str) -> Result<Self, FrameError> {
        match name {
            "rgb8" => Ok(Self::Rgb8),
            "bgr8" | "8UC3" => Ok(Self::Bgr8),
            "rgba8" => Ok(Self::Rgba8),
            "bgra8" | "8UC4" => Ok(Self::Bgra8),
            "mono8" | "8UC1" => Ok(Self::Mono8),
            "yuv422_yuy2" | "yuyv" => Ok(Self::Yuyv),
            _ => Err(FrameError::UnknownEncoding { expected: ENCODINGS, found: name.chars().take(32).collect() }),
        }
    }

    /// Bytes of one pixel in `data`.
    pub fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Rgb8 | Self::Bgr8 => 3,
            Self::Rgba8 | Self::Bgra8 => 4,
            Self::Mono8 => 1,
            Self::Yuyv => 2,
        }
    }
}

/// A frame as a driver hands it over, with the fields of `sensor_msgs/Image`. Nothing in it is trusted.
#[derive(Clone, Copy, Debug)]
pub struct RawFrame<'a> {
    /// Name of the pixel layout, for instance `rgb8`.
    pub encoding: &'a str,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes from one row to the next.
    pub step: u32,
    /// `step * height` bytes.
    pub data: &'a [u8],
    /// When light hit the sensor, nanoseconds.
    pub stamp_nanos: i64,
    /// When we got it, nanoseconds of the caller's clock.
    pub received_at_nanos: i64,
}

impl RawFrame<'_> {
    /// Checks the frame's claims about itself and returns its encoding.
    ///
    /// # Errors
    /// A [`FrameError`] that names what was expected and what was found.
    pub fn validate(&self) -> Result<Encoding, FrameError> {
        let encoding = Encoding::parse(self.encoding)?;
        let (width, height) = (self.width, self.height);
        if width == 0 || height == 0 {
            return Err(FrameError::ZeroSize { width, height });
        }
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(FrameError::TooLarge { expected: MAX_SIDE, width, height });
        }
        if encoding == Encoding::Yuyv && width % 2 == 1 {
            return Err(FrameError::OddWidth { found: width });
        }
        let row = u64::from(width) * encoding.bytes_per_pixel() as u64;
        if u64::from(self.step) < row {
            return Err(FrameError::ShortStep { expected: row, found: u64::from(self.step) });
        }
        let expected = u64::from(self.step) * u64::from(height);
        if self.data.len() as u64 != expected {
            return Err(FrameError::WrongLength { expected, found: self.data.len() as u64 });
        }
        Ok(encoding)
    }

    /// The pixels, once validated.
    pub(crate) fn source(&self, encoding: Encoding) -> Source<'_> {
        let (width, height, step) = (self.width as usize, self.height as usize, self.step as usize);
        Source { encoding, width, height, step, data: self.data }
    }

    /// The whole picture as RGB, `width * height * 3` bytes, rows from the top.
    ///
    /// # Errors
    /// As [`RawFrame::validate`].
    pub fn to_rgb8(&self) -> Result<Vec<u8>, FrameError> {
        let encoding = self.validate()?;
        let (width, height) = (self.width as usize, self.height as usize);
        let mut rgb = vec![0; width * height * 3];
        to_rgb(&self.source(encoding), &mut rgb);
        Ok(rgb)
    }
}
