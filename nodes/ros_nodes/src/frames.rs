//! Image messages on their way into the frame ring.

use std::time::{Duration, Instant};

use frame_ring::{FrameError, Pushed, RawFrame, Shot};
use geometry::ExifTurn;
use perception::Perception;
use r2r::NativeMsg;
use r2r::sensor_msgs::msg::Image;

use crate::compressed::Decoded;
use crate::image_message::view;
use crate::transforms::{PictureHeader, RobotState};

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
        // One that lies about itself says nothing about a camera or its clock, and its compressed copy may be a picture.
        if frame.validate().is_err() {
            return self.note_push(perception.push_at(&frame, &Shot::default()));
        }
        self.raw_came_at = Some(Instant::now());
        let frame = RawFrame { stamp_nanos: robot.read_stamp(image.stamp_nanos, now_nanos), ..frame };
        self.push(perception, &frame, (&*image.frame_id, ExifTurn::default()), robot);
    }

    /// Whether a compressed image that comes now is a copy of a raw one; it is counted then, and not to be decoded.
    pub fn is_copy(&mut self) -> bool {
        let is_copy = self.raw_came_at.is_some_and(|came_at| came_at.elapsed() < RAW_SILENCE);
        self.copies += u64::from(is_copy);
        is_copy
    }

    /// Hands a decoded image on, as [`FrameIntake::take_image`] does. One that could not be decoded is counted and logged
    /// when the reason is new.
    pub fn take_decoded(&mut self, perception: &Perception, image: &Decoded, robot: &mut RobotState, now_nanos: i64) {
        let picture = match &image.picture {
            Ok(picture) => picture,
            Err(error) => {
                self.undecodable += 1;
                let why = format!("compressed image: {error}");
                perception.note_refused(why.clone());
                return self.note(why);
            }
        };
        let frame = RawFrame {
            encoding: picture.layout.encoding(),
            is_bigendian: false,
            width: picture.width,
            height: picture.height,
            step: picture.step(),
            data: &picture.data,
            stamp_nanos: robot.read_stamp(image.stamp_nanos, now_nanos),
            received_at_nanos: image.received_at_nanos,
        };
        let exif = ExifTurn::new(picture.orientation.quarter_turns(), picture.orientation.is_mirrored());
        self.push(perception, &frame, (&*image.frame_id, exif), robot);
    }

    /// Hands a picture on that is what it says, in TF's time.
    fn push(
        &mut self,
        perception: &Perception,
        frame: &RawFrame<'_>,
        (frame_id, exif): (&str, ExifTurn),
        robot: &mut RobotState,
    ) {
        let (size, stamp_nanos) = ((frame.width, frame.height), frame.stamp_nanos);
        let shot = robot.shot(&PictureHeader { frame_id, size, stamp_nanos, exif });
        self.note_push(perception.push_at(frame, &shot));
    }

    fn note_push(&mut self, pushed: Result<Pushed, FrameError>) {
        match pushed {
            Ok(Pushed { jump, resized, .. }) => {
                if let Some(resized) = resized {
                    let (from, to) = (resized.from, resized.to);
                    tracing::warn!(?from, ?to, "images come in another size; the window starts anew");
                }
                if let Some(jump) = jump {
                    let back_secs = jump.from_nanos.saturating_sub(jump.to_nanos) as f64 * 1e-9;
                    tracing::warn!(back_secs, "the camera's clock went back; the window starts anew");
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
