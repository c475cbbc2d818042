//! A decoded picture.

use crate::Orientation;

/// How pixels lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Three bytes a pixel: red, green, blue.
    Rgb8,
    /// One byte a pixel.
    Luma8,
}

impl Layout {
    /// Bytes of a pixel.
    pub fn channels(self) -> u32 {
        match self {
            Self::Rgb8 => 3,
            Self::Luma8 => 1,
        }
    }

    /// The name that `sensor_msgs/Image` has for it.
    pub fn encoding(self) -> &'static str {
        match self {
            Self::Rgb8 => "rgb8",
            Self::Luma8 => "mono8",
        }
    }
}

/// A whole picture, upright, rows from the top without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels, upright.
    pub width: u32,
    /// Pixels, upright.
    pub height: u32,
    /// How the pixels lie.
    pub layout: Layout,
    /// `height * width * channels` bytes.
    pub data: Vec<u8>,
    /// What was done to the stored pixels so that they stand upright. A calibration is of the pixels as stored.
    pub orientation: Orientation,
    /// Whether programs that know neither EXIF nor what MJPEG leaves out see the same in the file.
    pub is_portable: bool,
}

impl Picture {
    /// Turns rows as stored upright.
    pub(crate) fn upright(size: (u32, u32), layout: Layout, rows: Vec<u8>, orientation: Orientation) -> Self {
        let data = match layout {
            _ if orientation.is_upright() => rows,
            Layout::Rgb8 => orientation.upright::<3>(&rows, size),
            Layout::Luma8 => orientation.upright::<1>(&rows, size),
        };
        let (width, height) = if orientation.swaps_sides() { (size.1, size.0) } else { size };
        Self { width, height, layout, data, orientation, is_portable: orientation.is_upright() }
    }

    /// Bytes of a row.
    pub fn step(&self) -> u32 {
        self.width * self.layout.channels()
    }

    /// Width and height of the pixels as stored.
    pub fn stored_size(&self) -> (u32, u32) {
        let (width, height) = (self.width, self.height);
        if self.orientation.swaps_sides() { (height, width) } else { (width, height) }
    }

    /// The pixels as RGB, `height * width * 3` bytes.
    pub fn into_rgb8(self) -> Vec<u8> {
        match self.layout {
            Layout::Rgb8 => self.data,
            Layout::Luma8 => self.data.into_iter().flat_map(|luma| [luma; 3]).collect(),
        }
    }
}
