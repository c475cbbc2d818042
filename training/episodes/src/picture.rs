//! Pictures of episodes, from and to pixels.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use capture::Bgr8Frame;
use frame_ring::RawFrame;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};

use crate::episode::{Picture, PictureFile, PictureFormat};
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
        Ok(Self { format, file: PictureFile::Memory(file.into_inner().into()) })
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
        Ok(Self { format, file: PictureFile::Memory(bytes.into()) })
    }

    /// Takes a file as it is where that is a whole picture that everybody sees alike, upright, as JPEG or PNG; else the
    /// picture encoded as `format`.
    ///
    /// # Errors
    /// When it is broken, or of a format that isn't read.
    pub fn of_file_bytes(bytes: &[u8], format: PictureFormat) -> Result<Self> {
        let picture = pictures::decode(bytes)?;
        match Self::portable(&picture, bytes) {
            Some(as_it_is) => Ok(as_it_is),
            None => Self::encode(picture.width, picture.height, &picture.into_rgb8(), format),
        }
    }

    /// The picture of a `CompressedImage` that says `message_format` about itself, as [`Picture::of_file_bytes`] takes it,
    /// but for its pixels: they are as stored, and beside them is what would make them upright.
    ///
    /// # Errors
    /// As [`Picture::of_file_bytes`], and when the message says that it holds no picture.
    pub fn of_message(
        message_format: &str,
        bytes: &[u8],
        format: PictureFormat,
    ) -> Result<(Self, pictures::Orientation)> {
        let picture = pictures::decode_message(message_format, bytes)?;
        if let Some(as_it_is) = Self::portable(&picture, bytes) {
            return Ok((as_it_is, picture.orientation));
        }
        let raw = RawFrame {
            encoding: picture.layout.encoding(),
            is_bigendian: false,
            width: picture.width,
            height: picture.height,
            step: picture.step(),
            data: &picture.data,
            stamp_nanos: 0,
            received_at_nanos: 0,
        };
        Ok((Self::of_raw(&raw, format)?, picture.orientation))
    }

    /// The file as it is, where everybody sees `picture` in it.
    fn portable(picture: &pictures::Picture, bytes: &[u8]) -> Option<Self> {
        if picture.is_portable { Self::from_file_bytes(bytes.to_vec()).ok() } else { None }
    }

    /// Reads a picture file, which stays on the disk.
    ///
    /// # Errors
    /// When it can't be read, is neither JPEG nor PNG, or is broken.
    pub fn read(path: &Path) -> Result<Self> {
        let picture = Self::from_file_bytes(std::fs::read(path).map_err(Error::io(path))?)?;
        // Decoded once, so that who shows it later need not fear.
        picture.decode()?;
        Ok(Self { file: PictureFile::Disk(path.into()), ..picture })
    }

    /// The file.
    ///
    /// # Errors
    /// When it lies on the disk and can't be read any more.
    pub fn bytes(&self) -> Result<Arc<[u8]>> {
        match &self.file {
            PictureFile::Memory(bytes) => Ok(Arc::clone(bytes)),
            PictureFile::Disk(path) => Ok(std::fs::read(path).map_err(Error::io(path))?.into()),
        }
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

    /// The pixels, upright.
    ///
    /// # Errors
    /// When the file is broken: cut, damaged, too large.
    pub fn decode(&self) -> Result<RgbImage> {
        let picture = pictures::decode(&self.bytes()?)?;
        let (width, height) = (picture.width, picture.height);
        let expected = || refusal(&"rows of another length");
        RgbImage::from_raw(width, height, picture.into_rgb8()).ok_or_else(expected)
    }
}

impl PartialEq for Picture {
    fn eq(&self, other: &Self) -> bool {
        let same = |other: Arc<[u8]>| self.bytes().is_ok_and(|own| own == other);
        self.format == other.format && other.bytes().is_ok_and(same)
    }
}

fn refusal(found: &dyn std::fmt::Display) -> Error {
    Error::Picture { expected: "a JPEG or PNG".to_owned(), found: found.to_string() }
}
