//! Frames from a device, a video file, an image folder or a stream, through OpenCV; and videos, written.

mod error;
mod mp4;

use std::path::{Path, PathBuf};

use opencv::core::{Mat, MatTraitConst, MatTraitConstManual};
use opencv::videoio::{VideoCaptureTrait, VideoCaptureTraitConst};
use opencv::{imgcodecs, videoio};

pub use error::{Error, Result};
pub use mp4::Mp4Writer;

/// File names that count as pictures of a folder.
const PICTURES: [&str; 6] = ["jpg", "jpeg", "png", "bmp", "pgm", "ppm"];

/// One picture, rows packed, blue first.
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
        let device = source.strip_prefix("/dev/video").unwrap_or(source).parse::<i32>();
        let is_url = source.contains("://");
        if device.is_err() && !is_url && !path.exists() {
            return Err(Error::Absent(source.to_owned()));
        }
        let handle = match device {
            Ok(index) => videoio::VideoCapture::new(index, videoio::CAP_ANY)?,
            Err(_) => videoio::VideoCapture::from_file(source, videoio::CAP_ANY)?,
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

    /// The next frame, or `None` at the end.
    ///
    /// # Errors
    /// When a picture can't be decoded; the next call goes on behind it.
    pub fn read(&mut self) -> Result<Option<Bgr8Frame>> {
        let mut picture = Mat::default();
        match self {
            Self::Video { handle, .. } => {
                if !handle.read(&mut picture)? {
                    return Ok(None);
                }
            }
            Self::Folder { files, next } => {
                let Some(file) = files.get(*next) else { return Ok(None) };
                *next += 1;
                picture = imgcodecs::imread(file, imgcodecs::IMREAD_COLOR)?;
                if picture.empty() {
                    return Err(Error::Picture(file.clone()));
                }
            }
        }
        frame(&picture).map(Some)
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
