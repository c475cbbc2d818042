//! What can be wrong with a source of frames.

use std::path::PathBuf;

use thiserror::Error;

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why there is no frame.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing is there.
    #[error("source: expected a device, file, folder or URL, found nothing at {0:?}")]
    Absent(String),
    /// OpenCV has no way to read it.
    #[error("source: OpenCV can't open {0:?} (not a video, or no codec or driver for it)")]
    NotOpened(String),
    /// A folder can't be listed.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A folder holds no picture.
    #[error("source: expected pictures ({kinds}) in {}, found none", folder.display())]
    NoPictures {
        /// The folder.
        folder: PathBuf,
        /// File names that count.
        kinds: String,
    },
    /// A file of a folder can't be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file is no picture, or half of one.
    #[error("{}: {source}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why it is refused.
        source: pictures::Error,
    },
    /// No thread to read on.
    #[error("source: no thread to read it on: {0}")]
    Thread(std::io::Error),
    /// A picture has another type than 8-bit colour.
    #[error("expected 8-bit pictures of 3 channels, found OpenCV type {0}")]
    Format(i32),
    /// A video can't be begun.
    #[error("{}: OpenCV can't write {width}x{height} pixels at {rate_hz} Hz there (no encoder, or no such folder)", path.display())]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Frames a second.
        rate_hz: f64,
    },
    /// A picture doesn't fit its video.
    #[error("{}: expected RGB pictures of {}x{} pixels, found {}x{} of {bytes} bytes", path.display(), expected.0, expected.1, found.0, found.1)]
    Size {
        /// The video.
        path: PathBuf,
        /// Width and height of the video.
        expected: (u32, u32),
        /// Width and height of the picture.
        found: (u32, u32),
        /// Its bytes.
        bytes: usize,
    },
    /// A video was written and isn't there.
    #[error("{}: expected a written video, found an empty file or none (a full disk?)", .0.display())]
    Empty(PathBuf),
    /// OpenCV failed.
    #[error(transparent)]
    OpenCv(#[from] opencv::Error),
}
