//! Frames of the videos and pictures.

use std::path::Path;

use capture::{Bgr8Frame, Capture};

use super::record::DataType;
use crate::episode::{Frame, Picture};
use crate::sampling::FrameSampling;
use crate::{Error, Result};

/// Rate of a video that states none, frames a second.
const DEFAULT_RATE_HZ: f64 = 30.0;
/// So many broken frames in a row, and a video is taken to be at its end.
const MOST_BROKEN: usize = 100;

pub(super) fn frames(path: &Path, data_type: DataType, sampling: &FrameSampling) -> Result<Vec<Frame>> {
    match data_type {
        DataType::Image => {
            Ok(vec![Frame { stamp_nanos: 0, pose: None, camera: None, picture: image(path, sampling)? }])
        }
        DataType::Video => video(path, sampling),
    }
}

/// JPEG and PNG files as they are, upright, others as OpenCV decodes them. A broken one is an error whatever OpenCV makes of it.
fn image(path: &Path, sampling: &FrameSampling) -> Result<Picture> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    if pictures::Format::of(&bytes).is_ok() {
        let picture = Picture::of_file_bytes(&bytes, sampling.format);
        return picture.map_err(|error| error.of_file(path));
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
    while let Some(frame) = next_whole(&mut capture) {
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

/// The next frame that can be decoded; broken ones are as good as never taken.
fn next_whole(capture: &mut Capture) -> Option<Bgr8Frame> {
    for _ in 0..MOST_BROKEN {
        if let Ok(frame) = capture.read() {
            return frame;
        }
    }
    None
}

fn no_frames(path: &Path) -> Error {
    Error::Form { path: path.to_owned(), expected: "frames".to_owned(), found: "none that can be decoded".to_owned() }
}
