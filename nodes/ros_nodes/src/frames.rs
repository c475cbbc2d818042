//! Image messages on their way into the frame ring.

use anyhow::{Context, bail};
use frame_ring::{FrameError, Pushed, RawFrame, Shot};
use opencv::core::{Mat, MatTraitConst, MatTraitConstManual, Vector};
use opencv::imgcodecs;
use perception::{Perception, Pose};
use r2r::NativeMsg;
use r2r::sensor_msgs::msg::{CompressedImage, Image};

use crate::image_message::view;
use crate::time::nanos_from_time;
use crate::transforms::RobotState;

/// Largest compressed picture that is looked at, bytes.
const MAX_COMPRESSED_BYTES: usize = 64 << 20;

/// Takes images in and remembers what they said about themselves.
#[derive(Debug)]
pub struct FrameIntake {
    /// Optical frame of the newest valid image.
    pub camera_frame: String,
    /// Compressed images that could not be decoded.
    pub undecodable: u64,
    last_error: String,
}

impl FrameIntake {
    /// `camera_frame`: for images without a frame.
    pub fn new(camera_frame: &str) -> Self {
        Self { camera_frame: camera_frame.to_owned(), undecodable: 0, last_error: String::new() }
    }

    /// Hands a raw image on with the camera's pose as far as `robot` knows it. A refused one is counted by the ring and
    /// logged when the reason is new. True if stamps jumped back.
    pub fn take_image(&mut self, perception: &Perception, message: &NativeMsg<Image>, robot: &RobotState) -> bool {
        let image = view(message);
        let frame = RawFrame {
            encoding: &image.encoding,
            is_bigendian: image.is_bigendian,
            width: image.width,
            height: image.height,
            step: image.step,
            data: image.data,
            stamp_nanos: image.stamp_nanos,
            received_at_nanos: perception.now_nanos(),
        };
        let pushed = perception.push_at(&frame, &Shot::at(self.pose(robot, &frame, &image.frame_id)));
        self.note_push(pushed, &image.frame_id)
    }

    /// Decodes a compressed image and hands it on, as [`FrameIntake::take_image`] does. True if stamps jumped back.
    pub fn take_compressed(&mut self, perception: &Perception, message: &CompressedImage, robot: &RobotState) -> bool {
        let picture = match decode(&message.data) {
            Ok(picture) => picture,
            Err(error) => {
                self.undecodable += 1;
                self.note(format!("compressed image ({}): {error:#}", message.format));
                return false;
            }
        };
        let (width, height, data) = &picture;
        let frame = RawFrame {
            encoding: "bgr8",
            is_bigendian: false,
            width: *width,
            height: *height,
            step: width * 3,
            data,
            stamp_nanos: nanos_from_time(&message.header.stamp),
            received_at_nanos: perception.now_nanos(),
        };
        let pushed = perception.push_at(&frame, &Shot::at(self.pose(robot, &frame, &message.header.frame_id)));
        self.note_push(pushed, &message.header.frame_id)
    }

    /// Where the camera of an image was.
    fn pose(&self, robot: &RobotState, frame: &RawFrame<'_>, frame_id: &str) -> Option<Pose> {
        robot.camera_at(if frame_id.is_empty() { &self.camera_frame } else { frame_id }, frame.stamp_nanos)
    }

    fn note_push(&mut self, pushed: Result<Pushed, FrameError>, frame_id: &str) -> bool {
        match pushed {
            Ok(Pushed { jump, resized, .. }) => {
                if !frame_id.is_empty() && self.camera_frame != frame_id {
                    self.camera_frame = frame_id.to_owned();
                }
                if let Some(resized) = resized {
                    let (from, to) = (resized.from, resized.to);
                    tracing::warn!(?from, ?to, "images come in another size; the window starts anew");
                }
                if let Some(jump) = jump {
                    let (from, to) = (jump.from_nanos, jump.to_nanos);
                    tracing::warn!(from, to, "stamps jumped back; the window starts anew");
                }
                jump.is_some()
            }
            Err(error) => {
                self.note(error.to_string());
                false
            }
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
