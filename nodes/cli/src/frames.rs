//! Where the frames of `spacer ask` come from.

use anyhow::Result;
use capture::Capture;
use frame_ring::Pose;
use geometry::CameraFacts;

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
    /// Where the camera was then, as far as known.
    pub pose: Option<Pose>,
}

/// A recorded sequence of frames.
pub trait Frames {
    /// What it was opened with.
    fn name(&self) -> &str;

    /// The next frame; `None` at the end. Broken ones are skipped, and standard error says so.
    fn next_frame(&mut self) -> Result<Option<Frame>>;

    /// What the source tells about its camera, as far as it was read.
    fn camera_facts(&self) -> CameraFacts;
}

/// Frames that OpenCV reads.
pub struct CaptureFrames {
    name: String,
    capture: Capture,
    period_nanos: f64,
    count: u32,
}

impl CaptureFrames {
    /// Opens a video, device, URL or folder; `rate_hz`: frames a second, where the source's own is not to count.
    pub fn open(source: &str, rate_hz: Option<f64>) -> Result<Self> {
        let capture = Capture::open(source)?;
        let rate_hz = rate_hz.or(capture.rate_hz()).unwrap_or(DEFAULT_RATE_HZ);
        Ok(Self { name: source.to_owned(), capture, period_nanos: 1e9 / rate_hz, count: 0 })
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
                    return Ok(Some(Frame {
                        encoding: "bgr8".to_owned(),
                        is_bigendian: false,
                        width: frame.width,
                        height: frame.height,
                        step: frame.width * 3,
                        data: frame.data,
                        stamp_nanos,
                        pose: None,
                    }));
                }
                Ok(None) => return Ok(None),
                // The first frame says whether this is a source of frames at all.
                Err(error) if self.count == 0 => return Err(error.into()),
                Err(error) => eprintln!("skipped a frame: {error}"),
            }
        }
    }

    fn camera_facts(&self) -> CameraFacts {
        CameraFacts::default()
    }
}
