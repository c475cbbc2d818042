//! Image messages on their way into the frame ring.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use frame_ring::{FrameError, Pushed, RawFrame, Shot};
use opencv::core::{Mat, MatTraitConst, MatTraitConstManual, Vector};
use opencv::imgcodecs;
use perception::Perception;
use r2r::NativeMsg;
use r2r::sensor_msgs::msg::{CompressedImage, Image};

use crate::image_message::view;
use crate::time::nanos_from_time;
use crate::transforms::{PictureHeader, RobotState};

/// Largest compressed picture that is looked at, bytes.
const MAX_COMPRESSED_BYTES: usize = 64 << 20;

/// While raw images come, compressed ones are copies of them; they are taken when no raw one has come for so long.
const RAW_SILENCE: Duration = Duration::from_secs(2);

/// Takes images in and remembers what they said about themselves.
#[derive(Debug, Default)]
pub struct FrameIntake {
    /// Compressed images that could not be decoded.
    pub undecodable: u64,
    /// Compressed images that were copies of raw ones.
    pub copies: u64,
    raw_came_at: Option<Instant>,
    last_error: String,
}

impl FrameIntake {
    /// Hands a raw image, which came at `now_nanos` of ROS time, on with what `robot` knows of its camera. A refused one
    /// is counted by the ring and logged when the reason is new.
    pub fn take_image(
        &mut self,
        perception: &Perception,
        message: &NativeMsg<Image>,
        robot: &mut RobotState,
        now_nanos: i64,
    ) {
        self.raw_came_at = Some(Instant::now());
        let image = view(message);
        let frame = RawFrame {
            encoding: &image.encoding,
            width: image.width,
            height: image.height,
            step: image.step,
            data: image.data,
            stamp_nanos: robot.read_stamp(image.stamp_nanos, now_nanos),
            received_at_nanos: perception.now_nanos(),
        };
        self.push(perception, &frame, &image.frame_id, robot);
    }

    /// Decodes a compressed image and hands it on, as [`FrameIntake::take_image`] does; not while raw ones come.
    pub fn take_compressed(
        &mut self,
        perception: &Perception,
        message: &CompressedImage,
        robot: &mut RobotState,
        now_nanos: i64,
    ) {
        if self.raw_came_at.is_some_and(|came_at| came_at.elapsed() < RAW_SILENCE) {
            self.copies += 1;
            return;
        }
        let picture = match decode(&message.data) {
            Ok(picture) => picture,
            Err(error) => {
                self.undecodable += 1;
                return self.note(format!("compressed image ({}): {error:#}", message.format));
            }
        };
        let (width, height, data) = &picture;
        let frame = RawFrame {
            encoding: "bgr8",
            width: *width,
            height: *height,
            step: width * 3,
            data,
            stamp_nanos: robot.read_stamp(nanos_from_time(&message.header.stamp), now_nanos),
            received_at_nanos: perception.now_nanos(),
        };
        self.push(perception, &frame, &message.header.frame_id, robot);
    }

    fn push(&mut self, perception: &Perception, frame: &RawFrame<'_>, frame_id: &str, robot: &mut RobotState) {
        // What lies about its size says nothing about a camera.
        let shot = match frame.validate() {
            Ok(_) => {
                let (size, stamp_nanos) = ((frame.width, frame.height), frame.stamp_nanos);
                robot.shot(&PictureHeader { frame_id, size, stamp_nanos })
            }
            Err(_) => Shot::default(),
        };
        let pushed = perception.push_at(frame, &shot);
        self.note_push(pushed);
    }

    fn note_push(&mut self, pushed: Result<Pushed, FrameError>) {
        match pushed {
            Ok(Pushed { jump, resized, .. }) => {
                if let Some(resized) = resized {
                    let (from, to) = (resized.from, resized.to);
                    tracing::warn!(?from, ?to, "images come in another size; the window starts anew");
                }
                if let Some(jump) = jump {
                    let (from, to) = (jump.from_nanos, jump.to_nanos);
                    tracing::warn!(from, to, "stamps jumped back; the window starts anew");
                }
            }
            Err(error) => self.note(error.to_string()),
        }
    }

    /// Logs a reason once, until another one comes.
    fn note(&mut self, error: String) {
        if self.last_error != error {
            tracing::warn!("frame refused: {error}");
            self.last_error = error;
        }
    }
}

/// Width, height and packed BGR.
fn decode(data: &[u8]) -> anyhow::Result<(u32, u32, Vec<u8>)> {
    if data.is_empty() || data.len() > MAX_COMPRESSED_BYTES {
        bail!("expected 1 to {MAX_COMPRESSED_BYTES} bytes, found {}", data.len());
    }
    let picture = imgcodecs::imdecode(&Vector::<u8>::from_slice(data), imgcodecs::IMREAD_COLOR).context("OpenCV")?;
    if picture.empty() {
        bail!("OpenCV can't decode these {} bytes", data.len());
    }
    let packed: Mat = picture.try_clone()?;
    Ok((u32::try_from(packed.cols())?, u32::try_from(packed.rows())?, packed.data_bytes()?.to_vec()))
}
