//! Frames as they leave the robot's ring.

use episodes::clips::optical;
use frame_ring::{FrameRing, Pose, RawFrame, RingSettings, Shot, SlotSize, Window};
use geometry::transform_parts;
use processor::PreprocessorConfig;
use sim::camera::Pose as CameraPose;

use crate::Result;

/// Time between the sheets of an exam, nanoseconds.
const SHEET_NANOS: i64 = 60_000_000_000;

/// Width and height of a camera's pictures, pixels.
pub(crate) type Size = (usize, usize);

/// A simulated camera's pose as the ring has it.
pub(crate) fn ring_pose(pose: &CameraPose) -> Pose {
    let (position_m, orientation) = transform_parts(&optical(pose));
    Pose { position_m, orientation }
}

/// Lays frames, RGB and oldest first, with their poses, as far as there are any, into a ring of the model's input size and takes them out again. No two sheets
/// begin at the same stamp, as no two moments do: the answerer keeps what it has encoded by stamp.
pub(crate) fn window(
    frames: &[impl AsRef<[u8]>],
    poses: &[Pose],
    (width, height): Size,
    (sheet, frame_rate_hz): (usize, f64),
    preprocessor: &PreprocessorConfig,
) -> Result<Window> {
    let (rows, columns) = preprocessor.video_size(height, width)?;
    let slot_size = SlotSize::fixed((columns as u32, rows as u32));
    let capacity = frames.len().max(1);
    let ring = FrameRing::new(RingSettings { capacity, slot_size, frame_rate_hz: None, still: None })?;
    for (index, data) in frames.iter().enumerate() {
        let stamp_nanos = (sheet as i64 + 1) * SHEET_NANOS + (index as f64 / frame_rate_hz * 1e9) as i64;
        let raw = RawFrame {
            encoding: "rgb8",
            is_bigendian: false,
            width: width as u32,
            height: height as u32,
            step: 3 * width as u32,
            data: data.as_ref(),
            stamp_nanos,
            received_at_nanos: stamp_nanos,
        };
        ring.push_at(&raw, &Shot::at(poses.get(index).copied()))?;
    }
    Ok(ring.window(frames.len()))
}

#[cfg(test)]
mod tests {
    use geometry::{PlanPose, rigid_transform};

    use super::*;

    #[test]
    fn a_camera_in_the_ring_stands_and_faces_as_in_the_room() {
        let camera = CameraPose { position: [1.0, 2.0, 1.2], yaw: 2.5, pitch: -0.3, roll: 0.4, stamp_secs: 0.0 };
        let Pose { position_m, orientation } = ring_pose(&camera);
        let plan = PlanPose::of_camera(&rigid_transform(position_m, orientation));
        assert_eq!((plan.x, plan.y), (1.0, 2.0));
        assert!((plan.yaw_rad - 2.5).abs() < 1e-12, "{plan:?}");
    }
}
