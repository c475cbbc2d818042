//! Pictures of episodes, from and to pixels.

use std::io::Cursor;
use std::path::Path;

use capture::Bgr8Frame;
use frame_ring::RawFrame;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};

use crate::episode::{Picture, PictureFormat};
use crate::{Error, Result};

/// Quality of JPEGs, of 100.
const JPEG_QUALITY: u8 = 95;

impl Picture {
    /// Encodes RGB, `width * height * 3` bytes, rows from the top.
    ///
    /// # Errors
    /// When there are not as many bytes, or a side is too long for the format.
    pub fn encode(width: u32, height: u32, rgb: &[u8], format: PictureFormat) -> Result<Self> {
        let expected = width as usize * height as usize * 3;
        if rgb.len() != expected {
            let expected = format!("{expected} bytes of {width}x{height} RGB");
            return Err(Error::Picture { expected, found: format!("{} bytes", rgb.len()) });
        }
        let mut file = Cursor::new(Vec::new());
        let written = match format {
            PictureFormat::Jpeg => JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY).encode(
                rgb,
                width,
                height,
                image::ExtendedColorType::Rgb8,
            ),
            PictureFormat::Png => image::write_buffer_with_format(
                &mut file,
                rgb,
                width,
                height,
                image::ExtendedColorType::Rgb8,
                ImageFormat::Png,
            ),
        };
        written.map_err(|error| refusal(&error))?;
        Ok(Self { format, bytes: file.into_inner().into() })
    }

    /// Takes a file as it is, where it is a picture of a known format.
    ///
    /// # Errors
    /// When it is neither JPEG nor PNG.
    pub fn from_file_bytes(bytes: Vec<u8>) -> Result<Self> {
        let format = match image::guess_format(&bytes) {
            Ok(ImageFormat::Jpeg) => PictureFormat::Jpeg,
            Ok(ImageFormat::Png) => PictureFormat::Png,
            Ok(other) => return Err(refusal(&format!("{other:?}"))),
            Err(error) => return Err(refusal(&error)),
        };
        Ok(Self { format, bytes: bytes.into() })
    }

    /// Reads a picture file.
    ///
    /// # Errors
    /// When it can't be read, or is neither JPEG nor PNG.
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_file_bytes(std::fs::read(path).map_err(Error::io(path))?)
    }

    /// Encodes a camera's frame of any encoding that the robot reads.
    ///
    /// # Errors
    /// When the frame lies about itself.
    pub fn of_raw(frame: &RawFrame<'_>, format: PictureFormat) -> Result<Self> {
        Self::encode(frame.width, frame.height, &frame.to_rgb8()?, format)
    }

    /// Encodes a frame that OpenCV read.
    ///
    /// # Errors
    /// As [`Picture::encode`].
    pub fn of_capture(frame: &Bgr8Frame, format: PictureFormat) -> Result<Self> {
        let (width, height) = (frame.width, frame.height);
        let raw = RawFrame {
            encoding: "bgr8",
            is_bigendian: false,
            width,
            height,
            step: width * 3,
            data: &frame.data,
            stamp_nanos: 0,
            received_at_nanos: 0,
        };
        Self::of_raw(&raw, format)
    }

    /// The pixels.
    ///
    /// # Errors
    /// When the file is broken.
    pub fn decode(&self) -> Result<RgbImage> {
        let decoded = image::load_from_memory(&self.bytes).map_err(|error| refusal(&error))?;
        Ok(decoded.into_rgb8())
    }
}

fn refusal(found: &dyn std::fmt::Display) -> Error {
    Error::Picture { expected: "a JPEG or PNG".to_owned(), found: found.to_string() }
}
