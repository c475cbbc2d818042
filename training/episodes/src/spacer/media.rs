//! Frames of the videos and pictures.

use std::path::Path;

use capture::Capture;

use super::record::DataType;
use crate::episode::{Frame, Picture};
use crate::sampling::FrameSampling;
use crate::{Error, Result};

/// Rate of a video that states none, frames a second.
const DEFAULT_RATE_HZ: f64 = 30.0;

pub(super) fn frames(path: &Path, data_type: DataType, sampling: &FrameSampling) -> Result<Vec<Frame>> {
    match data_type {
        DataType::Image => {
            Ok(vec![Frame { stamp_nanos: 0, pose: None, camera: None, picture: image(path, sampling)? }])
        }
        DataType::Video => video(path, sampling),
    }
}

/// JPEG and PNG files as they are, others as OpenCV decodes them.
fn image(path: &Path, sampling: &FrameSampling) -> Result<Picture> {
    if let Ok(picture) = Picture::read(path) {
        return Ok(picture);
    }
    let frame = Capture::open(&path.to_string_lossy()).and_then(|mut capture| capture.read());
    match frame.map_err(Error::capture(path))? {
        Some(frame) => Picture::of_capture(&frame, sampling.format),
        None => Err(no_frames(path)),
    }
}

fn video(path: &Path, sampling: &FrameSampling) -> Result<Vec<Frame>> {
    let mut capture = Capture::open(&path.to_string_lossy()).map_err(Error::capture(path))?;
    let period_nanos = 1e9 / capture.rate_hz().unwrap_or(DEFAULT_RATE_HZ);
    let mut thinning = sampling.thinning();
    let (mut frames, mut number) = (Vec::new(), 0u32);
    while let Some(frame) = capture.read().map_err(Error::capture(path))? {
        let stamp_nanos = (f64::from(number) * period_nanos).round() as i64;
        number += 1;
        if thinning.takes(stamp_nanos) {
            let picture = Picture::of_capture(&frame, sampling.format)?;
            frames.push(Frame { stamp_nanos, pose: None, camera: None, picture });
        }
    }
    if frames.is_empty() {
        return Err(no_frames(path));
    }
    Ok(sampling.spread(frames))
}

fn no_frames(path: &Path) -> Error {
    Error::Form { path: path.to_owned(), expected: "frames".to_owned(), found: "none that can be decoded".to_owned() }
}
