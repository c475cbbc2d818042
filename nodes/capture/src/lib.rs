//! Frames from a device, a video file, an image folder or a stream; and videos, written.
//!
//! Devices, videos and streams are OpenCV's; pictures of a folder are decoded by [`pictures`], so that a cut one is no frame.
//! Frames stand upright: pictures as EXIF says, videos as their display matrix does.

mod error;
mod mp4;
mod watched;

use std::path::{Path, PathBuf};

use opencv::core::{Mat, MatTraitConst, MatTraitConstManual, Vector};
use opencv::videoio;
use opencv::videoio::{VideoCaptureTrait, VideoCaptureTraitConst};

pub use error::{Error, Result};
pub use mp4::Mp4Writer;
pub use watched::{Absence, Event, Watched};

/// File names that count as pictures of a folder.
const PICTURES: [&str; 6] = ["jpg", "jpeg", "png", "bmp", "pgm", "ppm"];

/// How long a stream may take to open, and to send its next picture, milliseconds.
const STREAM_LIMIT_MILLIS: i32 = 5000;

/// One picture, rows packed, blue first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bgr8Frame {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `height · width · 3` bytes.
    pub data: Vec<u8>,
}

/// Where frames come from.
pub enum Capture {
    /// A device, file or URL that OpenCV opens.
    Video {
        /// OpenCV's handle.
        handle: videoio::VideoCapture,
        /// What it was opened with.
        source: String,
    },
    /// The pictures of a folder in the order of their names.
    Folder {
        /// The pictures.
        files: Vec<PathBuf>,
        /// The next one.
        next: usize,
    },
}

impl Capture {
    /// Opens `source`: a folder, `/dev/video<N>` or a number, a file, or a URL such as `rtsp://…`.
    ///
    /// # Errors
    /// When it is absent, holds no picture, or OpenCV has no way to read it.
    pub fn open(source: &str) -> Result<Self> {
        let path = Path::new(source);
        if path.is_dir() {
            return open_folder(path);
        }
        let handle = match device_number(source) {
            Some(index) => videoio::VideoCapture::new(index, videoio::CAP_ANY)?,
            None if is_url(source) => open_stream(source)?,
            None if !path.exists() => return Err(Error::Absent(source.to_owned())),
            None => videoio::VideoCapture::from_file(source, videoio::CAP_ANY)?,
        };
        if !handle.is_opened()? {
            return Err(Error::NotOpened(source.to_owned()));
        }
        Ok(Self::Video { handle, source: source.to_owned() })
    }

    /// The source's own rate in hertz, where it states a believable one.
    pub fn rate_hz(&self) -> Option<f64> {
        match self {
            Self::Video { handle, .. } => {
                handle.get(videoio::CAP_PROP_FPS).ok().filter(|rate| (0.1..=1000.0).contains(rate))
            }
            Self::Folder { .. } => None,
        }
    }

    /// When the frame that was read last is shown, seconds from the beginning of the video, where it says so.
    pub fn shown_at_secs(&self) -> Option<f64> {
        match self {
            Self::Video { handle, .. } => {
                let secs = handle.get(videoio::CAP_PROP_POS_MSEC).ok()? / 1e3;
                (secs.is_finite() && secs >= 0.0).then_some(secs)
            }
            Self::Folder { .. } => None,
        }
    }

    /// Whether the source says how many frames it has: it ends where a stream would only have broken off.
    pub fn has_end(&self) -> bool {
        match self {
            Self::Video { handle, .. } => handle.get(videoio::CAP_PROP_FRAME_COUNT).is_ok_and(|frames| frames >= 1.0),
            Self::Folder { .. } => true,
        }
    }

    /// The next frame, upright, or `None` at the end.
    ///
    /// # Errors
    /// When a picture can't be decoded; the next call goes on behind it.
    pub fn read(&mut self) -> Result<Option<Bgr8Frame>> {
        match self {
            Self::Video { handle, .. } => {
                let mut picture = Mat::default();
                if !handle.read(&mut picture)? {
                    return Ok(None);
                }
                if is_upside_down(handle) {
                    let turned = picture;
                    picture = Mat::default();
                    opencv::core::rotate(&turned, &mut picture, opencv::core::ROTATE_180)?;
                }
                frame(&picture).map(Some)
            }
            Self::Folder { files, next } => {
                let Some(file) = files.get(*next) else { return Ok(None) };
                *next += 1;
                read_picture(file).map(Some)
            }
        }
    }

    /// Goes back to the first frame.
    ///
    /// # Errors
    /// When a video can't be opened again.
    pub fn rewind(&mut self) -> Result<()> {
        match self {
            Self::Folder { next, .. } => *next = 0,
            Self::Video { source, .. } => {
                let source = source.clone();
                *self = Self::open(&source)?;
            }
        }
        Ok(())
    }
}

/// Whether a source may come and go: a device, or a stream that isn't of this machine's files.
pub fn is_live(source: &str) -> bool {
    let is_file = source.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file://"));
    device_number(source).is_some() || source.starts_with("/dev/") || (is_url(source) && !is_file)
}

/// OpenCV 4.6.0, which Debian 12 and Ubuntu 24.04 have, turns videos of upright phones the wrong way
/// (<https://github.com/opencv/opencv/issues/22088>).
fn is_upside_down(handle: &videoio::VideoCapture) -> bool {
    (opencv::core::CV_VERSION_MAJOR, opencv::core::CV_VERSION_MINOR) == (4, 6)
        && handle.get(videoio::CAP_PROP_ORIENTATION_META).is_ok_and(|degrees| degrees.rem_euclid(180.0) == 90.0)
}

fn is_url(source: &str) -> bool {
    source.contains("://")
}

fn device_number(source: &str) -> Option<i32> {
    source.strip_prefix("/dev/video").unwrap_or(source).parse().ok()
}

/// A stream that hangs is given up, where FFmpeg reads it.
fn open_stream(source: &str) -> Result<videoio::VideoCapture> {
    let limits = [
        videoio::CAP_PROP_OPEN_TIMEOUT_MSEC,
        STREAM_LIMIT_MILLIS,
        videoio::CAP_PROP_READ_TIMEOUT_MSEC,
        STREAM_LIMIT_MILLIS,
    ];
    let limits = Vector::from_slice(&limits);
    let handle = videoio::VideoCapture::from_file_with_params(source, videoio::CAP_FFMPEG, &limits)?;
    if handle.is_opened()? {
        return Ok(handle);
    }
    Ok(videoio::VideoCapture::from_file(source, videoio::CAP_GSTREAMER)?)
}

fn read_picture(file: &Path) -> Result<Bgr8Frame> {
    let bytes = std::fs::read(file).map_err(|source| Error::File { path: file.to_owned(), source })?;
    let picture = pictures::decode(&bytes).map_err(|source| Error::Picture { path: file.to_owned(), source })?;
    let (width, height) = (picture.width, picture.height);
    let mut data = picture.into_rgb8();
    data.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 2));
    Ok(Bgr8Frame { width, height, data })
}

fn open_folder(folder: &Path) -> Result<Capture> {
    let entries = std::fs::read_dir(folder).map_err(|source| Error::Folder { path: folder.to_owned(), source })?;
    let is_picture = |path: &PathBuf| {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        extension.is_some_and(|e| PICTURES.contains(&e.as_str()))
    };
    let mut files: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).filter(is_picture).collect();
    if files.is_empty() {
        return Err(Error::NoPictures { folder: folder.to_owned(), kinds: PICTURES.join(", ") });
    }
    files.sort();
    Ok(Capture::Folder { files, next: 0 })
}

fn frame(picture: &Mat) -> Result<Bgr8Frame> {
    if picture.typ() != opencv::core::CV_8UC3 {
        return Err(Error::Format(picture.typ()));
    }
    let packed = picture.try_clone()?;
    let (width, height) = (packed.cols().unsigned_abs(), packed.rows().unsigned_abs());
    Ok(Bgr8Frame { width, height, data: packed.data_bytes()?.to_vec() })
}
