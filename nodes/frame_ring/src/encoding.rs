//! Names of pixel layouts.

use crate::FrameError;

/// What is understood, as an error says it.
const EXPECTED: &str = "rgb8, bgr8, rgba8, bgra8, mono8, 8UC1, 8UC3, 8UC4, rgb16, bgr16, rgba16, bgra16, mono16, 16UC3, \
                        16UC4, yuv422, uyvy, yuv422_yuy2, yuyv, nv12, nv21, nv24, bayer_ and rggb, bggr, gbrg or grbg \
                        and 8 or 16";

/// Layouts whose one number a pixel is a distance, or may well be.
const DEPTH: [&str; 5] = ["16UC1", "16SC1", "32SC1", "32FC1", "64FC1"];

/// Bytes of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// One byte.
    Byte,
    /// Two bytes. How many of their bits a sensor uses the numbers themselves say: the fewest of 10, 12, 14 and 16 that
    /// hold all that came so far.
    Word,
}

impl Sample {
    /// Bytes of one.
    pub fn bytes(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Word => 2,
        }
    }
}

/// Order of the numbers of one pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// Grey.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// Red, green, blue, alpha; alpha is ignored.
    Rgba,
    /// Blue, green, red, alpha; alpha is ignored.
    Bgra,
}

impl Channels {
    /// Numbers of one pixel.
    pub fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb | Self::Bgr => 3,
            Self::Rgba | Self::Bgra => 4,
        }
    }

    /// Which of a pixel's numbers are red, green and blue.
    pub(crate) fn order(self) -> [usize; 3] {
        match self {
            Self::Grey => [0, 0, 0],
            Self::Rgb | Self::Rgba => [0, 1, 2],
            Self::Bgr | Self::Bgra => [2, 1, 0],
        }
    }
}

/// Which colours the upper left four pixels of a Bayer sensor see, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mosaic {
    /// Red, green, green, blue.
    Rggb,
    /// Blue, green, green, red.
    Bggr,
    /// Green, blue, red, green.
    Gbrg,
    /// Green, red, blue, green.
    Grbg,
}

impl Mosaic {
    /// Column and row of the red one.
    pub(crate) fn red(self) -> (usize, usize) {
        match self {
            Self::Rggb => (0, 0),
            Self::Bggr => (1, 1),
            Self::Gbrg => (0, 1),
            Self::Grbg => (1, 0),
        }
    }
}

/// A pixel layout that the ring converts to RGB. YUV is BT.601, limited range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// All numbers of a pixel together.
    Packed(Channels, Sample),
    /// 4:2:2, bytes Y0 U Y1 V.
    Yuyv,
    /// 4:2:2, bytes U Y0 V Y1.
    Uyvy,
    /// 4:2:0: all Y, then rows of U V, one for two rows and each pair for two columns.
    Nv12,
    /// As [`Encoding::Nv12`] with V U.
    Nv21,
    /// 4:4:4: all Y, then rows of U V, each pair for a pixel.
    Nv24,
    /// What a Bayer sensor saw.
    Bayer(Mosaic, Sample),
}

impl Encoding {
    /// Reads the name used by `sensor_msgs/Image`, in any case of letters. `yuv422` is UYVY, as in ROS; channels without
    /// a name (`8UC3`) are in OpenCV's order, BGR.
    ///
    /// # Errors
    /// [`FrameError::DepthImage`] for what is no picture but distances, [`FrameError::UnknownEncoding`] for every other
    /// name.
    pub fn parse(name: &str) -> Result<Self, FrameError> {
        let is = |known: &&(&str, Self)| known.0.eq_ignore_ascii_case(name);
        if let Some((_, encoding)) = NAMES.iter().find(is) {
            return Ok(*encoding);
        }
        if let Some(found) = DEPTH.iter().find(|depth| depth.eq_ignore_ascii_case(name)) {
            return Err(FrameError::DepthImage { found });
        }
        Err(FrameError::UnknownEncoding { expected: EXPECTED, found: name.chars().take(32).collect() })
    }

    /// Bytes of a row's first plane without padding.
    pub(crate) fn row_bytes(self, width: usize) -> usize {
        match self {
            Self::Packed(channels, sample) => width * channels.count() * sample.bytes(),
            Self::Yuyv | Self::Uyvy => width * 2,
            Self::Nv12 | Self::Nv21 | Self::Nv24 => width,
            Self::Bayer(_, sample) => width * sample.bytes(),
        }
    }

    /// Bytes of `rows` rows with their chroma, `step` bytes from one to the next in the first plane.
    pub(crate) fn data_bytes(self, step: usize, rows: usize) -> usize {
        match self {
            Self::Nv12 | Self::Nv21 => step * (rows + rows.div_ceil(2)),
            Self::Nv24 => step * rows * 3,
            Self::Packed(..) | Self::Yuyv | Self::Uyvy | Self::Bayer(..) => step * rows,
        }
    }

    /// Two pixels of a row share their chroma.
    pub(crate) fn has_column_pairs(self) -> bool {
        matches!(self, Self::Yuyv | Self::Uyvy | Self::Nv12 | Self::Nv21)
    }

    /// The size of a pixel's numbers.
    pub(crate) fn sample(self) -> Sample {
        match self {
            Self::Packed(_, sample) | Self::Bayer(_, sample) => sample,
            Self::Yuyv | Self::Uyvy | Self::Nv12 | Self::Nv21 | Self::Nv24 => Sample::Byte,
        }
    }
}

const NAMES: [(&str, Encoding); 30] = {
    use Channels::{Bgr, Bgra, Grey, Rgb, Rgba};
    use Encoding::{Bayer, Nv12, Nv21, Nv24, Packed, Uyvy, Yuyv};
    use Mosaic::{Bggr, Gbrg, Grbg, Rggb};
    use Sample::{Byte, Word};
    [
        ("rgb8", Packed(Rgb, Byte)),
        ("bgr8", Packed(Bgr, Byte)),
        ("rgba8", Packed(Rgba, Byte)),
        ("bgra8", Packed(Bgra, Byte)),
        ("mono8", Packed(Grey, Byte)),
        ("8UC1", Packed(Grey, Byte)),
        ("8UC3", Packed(Bgr, Byte)),
        ("8UC4", Packed(Bgra, Byte)),
        ("rgb16", Packed(Rgb, Word)),
        ("bgr16", Packed(Bgr, Word)),
        ("rgba16", Packed(Rgba, Word)),
        ("bgra16", Packed(Bgra, Word)),
        ("mono16", Packed(Grey, Word)),
        ("16UC3", Packed(Bgr, Word)),
        ("16UC4", Packed(Bgra, Word)),
        ("yuv422", Uyvy),
        ("uyvy", Uyvy),
        ("yuv422_yuy2", Yuyv),
        ("yuyv", Yuyv),
        ("nv12", Nv12),
        ("nv21", Nv21),
        ("nv24", Nv24),
        ("bayer_rggb8", Bayer(Rggb, Byte)),
        ("bayer_bggr8", Bayer(Bggr, Byte)),
        ("bayer_gbrg8", Bayer(Gbrg, Byte)),
        ("bayer_grbg8", Bayer(Grbg, Byte)),
        ("bayer_rggb16", Bayer(Rggb, Word)),
        ("bayer_bggr16", Bayer(Bggr, Word)),
        ("bayer_gbrg16", Bayer(Gbrg, Word)),
        ("bayer_grbg16", Bayer(Grbg, Word)),
    ]
};
