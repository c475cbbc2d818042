//! A decoded picture.

use crate::Orientation;

/// How pixels lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Three bytes a pixel: red, green, blue.
    Rgb8,
    /// One byte a pixel.
    Luma8,
    /// One byte a pixel, behind a mosaic of colour filters: not a picture to look at yet.
    Bayer8(Mosaic),
}

/// The colours of a mosaic's first two rows of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mosaic {
    /// Red, green; green, blue.
    Rggb,
    /// Blue, green; green, red.
    Bggr,
    /// Green, blue; red, green.
    Gbrg,
    /// Green, red; blue, green.
    Grbg,
}

impl Mosaic {
    /// The mosaic of an encoding of `sensor_msgs/Image`, of 8 or 16 bits.
    pub(crate) fn of_encoding(encoding: &str) -> Option<Self> {
        Some(match encoding.trim_end_matches("16").trim_end_matches('8') {
            "bayer_rggb" => Self::Rggb,
            "bayer_bggr" => Self::Bggr,
            "bayer_gbrg" => Self::Gbrg,
            "bayer_grbg" => Self::Grbg,
            _ => return None,
        })
    }
}

impl Layout {
    /// Bytes of a pixel.
    pub fn channels(self) -> u32 {
        match self {
            Self::Rgb8 => 3,
            Self::Luma8 | Self::Bayer8(_) => 1,
        }
    }

    /// The name that `sensor_msgs/Image` has for it.
    pub fn encoding(self) -> &'static str {
        match self {
            Self::Rgb8 => "rgb8",
            Self::Luma8 => "mono8",
            Self::Bayer8(Mosaic::Rggb) => "bayer_rggb8",
            Self::Bayer8(Mosaic::Bggr) => "bayer_bggr8",
            Self::Bayer8(Mosaic::Gbrg) => "bayer_gbrg8",
            Self::Bayer8(Mosaic::Grbg) => "bayer_grbg8",
        }
    }
}

/// A whole picture, rows from the top without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// How the pixels lie.
    pub layout: Layout,
    /// `height * width * channels` bytes.
    pub data: Vec<u8>,
    /// What is still to be done to the pixels so that they stand upright, by what the file says.
    pub orientation: Orientation,
    /// Whether programs that know neither EXIF nor what MJPEG leaves out see the same in the file.
    pub is_portable: bool,
}

impl Picture {
    /// Rows as stored.
    pub(crate) fn stored((width, height): (u32, u32), layout: Layout, data: Vec<u8>, orientation: Orientation) -> Self {
        Self { width, height, layout, data, orientation, is_portable: orientation.is_upright() }
    }

    /// The picture with everything done that makes it upright.
    pub(crate) fn upright(self) -> Self {
        let Self { orientation, layout, .. } = self;
        if orientation.is_upright() {
            return self;
        }
        let size = (self.width, self.height);
        let data = match layout {
            Layout::Rgb8 => orientation.upright::<3>(&self.data, size),
            Layout::Luma8 | Layout::Bayer8(_) => orientation.upright::<1>(&self.data, size),
        };
        let (width, height) = if orientation.swaps_sides() { (size.1, size.0) } else { size };
        Self { width, height, data, orientation: Orientation::default(), ..self }
    }

    /// Bytes of a row.
    pub fn step(&self) -> u32 {
        self.width * self.layout.channels()
    }

    /// The pixels as RGB, `height * width * 3` bytes; those of a mosaic as grey.
    pub fn into_rgb8(self) -> Vec<u8> {
        match self.layout {
            Layout::Rgb8 => self.data,
            Layout::Luma8 | Layout::Bayer8(_) => self.data.into_iter().flat_map(|luma| [luma; 3]).collect(),
        }
    }
}
