//! Videos, written.

use std::path::{Path, PathBuf};

use opencv::core::{Mat, Size, Vec3b};
use opencv::videoio::{self, VideoWriter, VideoWriterTrait, VideoWriterTraitConst};

use crate::error::{Error, Result};

/// Codecs by preference: H.264, and MPEG-4 where OpenCV's FFmpeg can't encode that.
const CODECS: [[char; 4]; 2] = [['a', 'v', 'c', '1'], ['m', 'p', '4', 'v']];

/// An mp4 file being written, 4:2:0 as players want it, so both sides are even.
pub struct Mp4Writer {
    writer: VideoWriter,
    path: PathBuf,
    width: u32,
    height: u32,
    codec: &'static str,
}

impl Mp4Writer {
    /// Begins a file of `width` × `height` pixels, less one where that is odd.
    ///
    /// # Errors
    /// When OpenCV can't write it.
    pub fn create(path: &Path, rate_hz: f64, width: u32, height: u32) -> Result<Self> {
        let (width, height) = (width & !1, height & !1);
        let refuse = || Error::NotWritten { path: path.to_owned(), width, height, rate_hz };
        let size = Size::new(i32::try_from(width).map_err(|_| refuse())?, i32::try_from(height).map_err(|_| refuse())?);
        for (letters, codec) in CODECS.iter().zip(["h264", "mpeg4"]) {
            let [a, b, c, d] = *letters;
            let fourcc = VideoWriter::fourcc(a, b, c, d)?;
            let writer = VideoWriter::new_with_backend(path, videoio::CAP_FFMPEG, fourcc, rate_hz, size, true)?;
            if writer.is_opened()? {
                return Ok(Self { writer, path: path.to_owned(), width, height, codec });
            }
        }
        Err(refuse())
    }

    /// Name of the codec, as FFmpeg has it.
    pub fn codec(&self) -> &'static str {
        self.codec
    }

    /// Pixels of the video: width and height.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Adds a picture, RGB, `width * height * 3` bytes, rows from the top; what an odd side has too much is cut off.
    ///
    /// # Errors
    /// When it is of another size than the file, or there are not as many bytes.
    pub fn write(&mut self, width: u32, height: u32, rgb: &[u8]) -> Result<()> {
        let is_size = (width & !1, height & !1) == (self.width, self.height);
        let row = width as usize * 3;
        if !is_size || rgb.len() != row * height as usize {
            let (expected, bytes) = ((self.width, self.height), rgb.len());
            return Err(Error::Size { path: self.path.clone(), expected, found: (width, height), bytes });
        }
        let rows = rgb.chunks_exact(row.max(1)).take(self.height as usize);
        let pixels = rows.flat_map(|row| row.chunks_exact(3).take(self.width as usize));
        let bgr: Vec<u8> = pixels.flat_map(|pixel| pixel.iter().rev().copied()).collect();
        let picture = Mat::new_rows_cols_with_bytes::<Vec3b>(self.height as i32, self.width as i32, &bgr)?;
        Ok(self.writer.write(&picture)?)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When nothing was written of it.
    pub fn finish(mut self) -> Result<()> {
        self.writer.release()?;
        // OpenCV doesn't say when the disk was full.
        match std::fs::metadata(&self.path) {
            Ok(file) if file.len() > 0 => Ok(()),
            _ => Err(Error::Empty(self.path)),
        }
    }
}
