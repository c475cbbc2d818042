//! Where the frames of `spacer ask` come from.

use anyhow::Result;
use capture::Capture;
use frame_ring::Shot;
use geometry::{CameraReport, Fact};

/// The rate of a video that states none, frames per second.
const DEFAULT_RATE_HZ: f64 = 30.0;

/// Rows of pixels, as [`frame_ring::RawFrame`] takes them.
pub struct Frame {
    /// Pixel layout.
    pub encoding: String,
    /// The first byte of a number of two bytes is the greater one.
    pub is_bigendian: bool,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Bytes of a row.
    pub step: u32,
    /// The rows.
    pub data: Vec<u8>,
    /// When light hit the sensor, nanoseconds of the source's own clock.
    pub stamp_nanos: i64,
    /// Where the camera was then, and how the picture is made upright and straight.
    pub shot: Shot,
}

/// A recorded sequence of frames.
pub trait Frames {
    /// What it was opened with.
    fn name(&self) -> &str;

    /// The next frame; `None` at the end. Broken ones are skipped, and standard error says so.
    fn next_frame(&mut self) -> Result<Option<Frame>>;

    /// Why the last one that was skipped could not be read; `None` where none was.
    fn last_skipped(&self) -> Option<&str>;

    /// What the source tells about its camera, as far as it was read.
    fn camera(&self) -> CameraReport;
}

/// Frames that OpenCV reads.
pub struct CaptureFrames {
    name: String,
    capture: Capture,
    period_nanos: f64,
    count: u32,
    size: Option<(u32, u32)>,
    last_skipped: String,
}

impl CaptureFrames {
    /// Opens a video, device, URL or folder; `rate_hz`: frames a second, where the source's own is not to count.
    pub fn open(source: &str, rate_hz: Option<f64>) -> Result<Self> {
        let capture = Capture::open(source)?;
        let rate_hz = rate_hz.or(capture.rate_hz()).unwrap_or(DEFAULT_RATE_HZ);
        Ok(Self {
            name: source.to_owned(),
            capture,
            period_nanos: 1e9 / rate_hz,
            count: 0,
            size: None,
            last_skipped: String::new(),
        })
    }

    /// Says a reason once, until another one comes.
    fn note_skipped(&mut self, why: String) {
        if self.last_skipped != why {
            eprintln!("skipped a frame: {why}");
            self.last_skipped = why;
        }
    }
}

impl Frames for CaptureFrames {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_frame(&mut self) -> Result<Option<Frame>> {
        loop {
            match self.capture.read() {
                Ok(Some(frame)) => {
                    let stamp_nanos = (f64::from(self.count) * self.period_nanos) as i64;
                    self.count += 1;
                    self.size = Some((frame.width, frame.height));
                    return Ok(Some(Frame {
                        encoding: "bgr8".to_owned(),
                        is_bigendian: false,
                        width: frame.width,
                        height: frame.height,
                        step: frame.width * 3,
                        data: frame.data,
                        stamp_nanos,
                        shot: Shot::default(),
                    }));
                }
                Ok(None) => return Ok(None),
                Err(error) => self.note_skipped(error.to_string()),
            }
        }
    }

    fn last_skipped(&self) -> Option<&str> {
        (!self.last_skipped.is_empty()).then_some(&*self.last_skipped)
    }

    fn camera(&self) -> CameraReport {
        let unknown = || Fact::unknown("not said by this source");
        CameraReport {
            picture: self.size,
            fov: unknown(),
            height: unknown(),
            pitch: unknown(),
            lens: "unknown".to_owned(),
            ..CameraReport::default()
        }
    }
}
