//! Image messages on their way into the frame ring.

use frame_ring::{FrameError, Pushed, RawFrame};
use perception::{Perception, Pose};
use r2r::NativeMsg;
use r2r::sensor_msgs::msg::Image;

use crate::compressed::Decoded;
use crate::image_message::view;
use crate::transforms::RobotState;

/// Aspects that differ by less are not worth a warning.
const ASPECT_TOLERANCE: f64 = 0.03;

/// Takes images in and remembers what they said about themselves.
#[derive(Debug)]
pub struct FrameIntake {
    /// Optical frame of the newest valid image.
    pub camera_frame: String,
    /// Compressed images that could not be decoded.
    pub undecodable: u64,
    expected_aspect: f64,
    warned_aspect: bool,
    last_error: String,
}

impl FrameIntake {
    /// `camera_frame`: for images without a frame. `size`: width and height that the pipeline expects.
    pub fn new(camera_frame: &str, size: (u32, u32)) -> Self {
        let expected_aspect = f64::from(size.0) / f64::from(size.1.max(1));
        Self {
            camera_frame: camera_frame.to_owned(),
            undecodable: 0,
            expected_aspect,
            warned_aspect: false,
            last_error: String::new(),
        }
    }

    /// Hands a raw image on with the camera's pose as far as `robot` knows it. A refused one is counted by the ring and
    /// logged when the reason is new. True if stamps jumped back.
    pub fn take_image(&mut self, perception: &Perception, message: &NativeMsg<Image>, robot: &RobotState) -> bool {
        let image = view(message);
        let frame = RawFrame {
            encoding: &image.encoding,
            width: image.width,
            height: image.height,
            step: image.step,
            data: image.data,
            stamp_nanos: image.stamp_nanos,
            received_at_nanos: perception.now_nanos(),
        };
        let pushed = perception.push_at(&frame, self.pose(robot, &frame, &image.frame_id));
        self.note_push(pushed, &frame, &image.frame_id)
    }

    /// Hands a decoded image on, as [`FrameIntake::take_image`] does. One that could not be decoded is counted and logged
    /// when the reason is new. True if stamps jumped back.
    pub fn take_decoded(&mut self, perception: &Perception, image: &Decoded, robot: &RobotState) -> bool {
        let picture = match &image.picture {
            Ok(picture) => picture,
            Err(error) => {
                self.undecodable += 1;
                self.note(format!("compressed image: {error}"));
                return false;
            }
        };
        let frame = RawFrame {
            encoding: picture.layout.encoding(),
            width: picture.width,
            height: picture.height,
            step: picture.step(),
            data: &picture.data,
            stamp_nanos: image.stamp_nanos,
            received_at_nanos: image.received_at_nanos,
        };
        let pushed = perception.push_at(&frame, self.pose(robot, &frame, &image.frame_id));
        self.note_push(pushed, &frame, &image.frame_id)
    }

    /// Where the camera of an image was.
    fn pose(&self, robot: &RobotState, frame: &RawFrame<'_>, frame_id: &str) -> Option<Pose> {
        robot.camera_at(if frame_id.is_empty() { &self.camera_frame } else { frame_id }, frame.stamp_nanos)
    }

    fn note_push(&mut self, pushed: Result<Pushed, FrameError>, frame: &RawFrame<'_>, frame_id: &str) -> bool {
        match pushed {
            Ok(Pushed { jump, .. }) => {
                if !frame_id.is_empty() && self.camera_frame != frame_id {
                    self.camera_frame = frame_id.to_owned();
                }
                self.check_aspect(frame);
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

    fn check_aspect(&mut self, frame: &RawFrame<'_>) {
        let aspect = f64::from(frame.width) / f64::from(frame.height);
        if !self.warned_aspect && (aspect / self.expected_aspect - 1.0).abs() > ASPECT_TOLERANCE {
            self.warned_aspect = true;
            let (width, height) = (frame.width, frame.height);
            tracing::warn!(width, height, "images are stretched; set image_width and image_height to the camera's");
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
