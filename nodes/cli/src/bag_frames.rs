//! The frames of one image topic of a bag, and what the bag tells about the camera that took them.

use std::path::Path;

use anyhow::Result;
use frame_ring::Pose;
use geometry::{Camera, CameraFacts, TransformBuffer, transform_parts};
use recording::messages::{CameraInfo, TfMessage};
use recording::{BagMessage, BagReader, Messages};

use crate::frames::{Frame, Frames};

/// Only the newest mounting counts.
const HISTORY_SECS: f64 = 1.0;

/// Frames of a bag.
pub struct BagFrames {
    name: String,
    messages: Messages,
    image_topic: String,
    info_topic: Option<String>,
    base_frame: String,
    camera_frame: String,
    camera: Option<Camera>,
    transforms: TransformBuffer,
}

impl BagFrames {
    /// Opens a bag; `topic`: the images, needed where there are several such topics.
    pub fn open(path: &Path, topic: Option<&str>, base_frame: &str) -> Result<Self> {
        let bag = BagReader::open(path)?;
        let image_topic = bag.image_topic(topic)?.name.clone();
        Ok(Self {
            name: path.display().to_string(),
            messages: bag.messages(),
            info_topic: bag.camera_info_topic(&image_topic).map(|topic| topic.name.clone()),
            image_topic,
            base_frame: base_frame.to_owned(),
            camera_frame: String::new(),
            camera: None,
            transforms: TransformBuffer::new(HISTORY_SECS),
        })
    }

    /// Learns from what is no image. A message that says nothing usable leaves what is known as it is.
    fn learn(&mut self, message: &BagMessage) -> recording::Result<()> {
        if self.info_topic.as_deref() == Some(message.topic()) {
            let info: CameraInfo = message.decode()?;
            // A driver without calibration sends zeros.
            self.camera = Camera::from_k(&info.k, info.width, info.height).ok().or(self.camera);
        } else if message.is::<TfMessage>() {
            let fixed = message.topic().ends_with("tf_static");
            for transform in message.decode::<TfMessage>()?.transforms {
                // One broken transform leaves its frame unknown, which the camera's facts then say.
                let _ = self.transforms.insert(&transform.stamped(fixed));
            }
        }
        Ok(())
    }

    fn frame(&mut self, message: &BagMessage) -> recording::Result<Frame> {
        let picture = message.picture()?;
        self.camera_frame = picture.frame_id;
        let pose = self.pose(picture.stamp_nanos);
        Ok(Frame {
            encoding: picture.encoding,
            is_bigendian: picture.is_bigendian,
            width: picture.width,
            height: picture.height,
            step: picture.step,
            data: picture.data.into_owned(),
            stamp_nanos: picture.stamp_nanos,
            pose,
        })
    }

    /// Where the camera was, in the frame that the robot moves in.
    fn pose(&self, stamp_nanos: i64) -> Option<Pose> {
        let camera = self.camera_frame.trim_start_matches('/');
        let world = self.transforms.world_of(&self.base_frame)?;
        // A picture often comes before the transforms of its own moment.
        let found = self.transforms.lookup_near(world, camera, stamp_nanos).ok()?;
        let (position_m, orientation) = transform_parts(&found);
        Some(Pose { position_m, orientation })
    }
}

impl Frames for BagFrames {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_frame(&mut self) -> Result<Option<Frame>> {
        while let Some(message) = self.messages.next() {
            if message.topic() != self.image_topic {
                if let Err(error) = self.learn(&message) {
                    eprintln!("left out: {error}");
                }
                continue;
            }
            match self.frame(&message) {
                Ok(frame) => return Ok(Some(frame)),
                Err(error) => eprintln!("skipped a frame: {error}"),
            }
        }
        for damage in self.messages.damage() {
            eprintln!("damaged: {damage}");
        }
        Ok(None)
    }

    fn camera_facts(&self) -> CameraFacts {
        let camera_frame = self.camera_frame.trim_start_matches('/');
        let mounting = self.transforms.lookup(&self.base_frame, camera_frame, None).ok();
        CameraFacts::new(self.camera.as_ref(), mounting.as_ref())
    }
}
