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
    let mut clock = FrameClock::new(capture.rate_hz());
    let mut thinning = sampling.thinning();
    let mut frames = Vec::new();
    while let Some(frame) = next_whole(&mut capture) {
        let stamp_nanos = clock.stamp_nanos(capture.shown_at_secs());
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

/// When frames were taken, from the first one on: as the video says of each, for phones and browsers record at a rate that
/// changes. Where it says nothing, as OpenCV of the frames that a decoder still holds at the end, the step before is made
/// again; where it says what does not grow, a period of its rate.
struct FrameClock {
    period_nanos: i64,
    step_nanos: i64,
    first_secs: Option<f64>,
    last_nanos: Option<i64>,
}

impl FrameClock {
    fn new(rate_hz: Option<f64>) -> Self {
        let period_nanos = (1e9 / rate_hz.unwrap_or(DEFAULT_RATE_HZ)).round() as i64;
        Self { period_nanos, step_nanos: period_nanos, first_secs: None, last_nanos: None }
    }

    fn stamp_nanos(&mut self, shown_at_secs: Option<f64>) -> i64 {
        let first_secs = *self.first_secs.get_or_insert(shown_at_secs.unwrap_or(0.0));
        let stated = shown_at_secs.map(|secs| ((secs - first_secs) * 1e9).round() as i64);
        let stamp_nanos = match (self.last_nanos, stated) {
            (None, _) => 0,
            (Some(last), Some(stated)) if stated > last => {
                self.step_nanos = stated - last;
                stated
            }
            (Some(last), _) if shown_at_secs.is_none_or(|secs| secs == 0.0) => last + self.step_nanos,
            (Some(last), _) => last + self.period_nanos,
        };
        self.last_nanos = Some(stamp_nanos);
        stamp_nanos
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_stamped_as_their_video_says() {
        let stamps = |stated: &[Option<f64>]| -> Vec<i64> {
            let mut clock = FrameClock::new(Some(10.0));
            stated.iter().map(|secs| clock.stamp_nanos(*secs) / 1_000_000).collect()
        };
        assert_eq!(stamps(&[Some(0.5), Some(0.6), Some(2.5), Some(2.52)]), [0, 100, 2000, 2020]);
        assert_eq!(stamps(&[None, None, None]), [0, 100, 200]);
        assert_eq!(stamps(&[Some(0.0), Some(0.0), Some(0.0)]), [0, 100, 200], "a source that knows no times");
        assert_eq!(stamps(&[Some(0.0), Some(1.0), Some(0.2), Some(1.3)]), [0, 1000, 1100, 1300]);
        assert_eq!(stamps(&[Some(0.0), Some(1.0), Some(0.0), Some(0.0)]), [0, 1000, 2000, 3000], "held at the end");
    }
}
