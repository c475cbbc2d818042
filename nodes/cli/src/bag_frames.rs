//! The frames of one image topic of a bag, and what the bag tells about the camera that took them.

use std::path::Path;

use anyhow::Result;
use frame_ring::{Pose, RawFrame, Shot};
use geometry::{
    CameraReport, CameraTracker, ExifTurn, StampKind, StampedTransform, TrackerSettings, is_rectified, transform_parts,
};
use perception::ViewMap;
use recording::messages::{CameraInfo, Odometry, TfMessage};
use recording::{BagMessage, BagReader, Choice, Messages, Picture};

use crate::frames::{Frame, Frames};

/// Frames of a bag.
pub struct BagFrames {
    name: String,
    messages: Messages,
    image_topic: String,
    info_topic: Option<String>,
    odometry_topic: Option<String>,
    tracker: CameraTracker,
    map: ViewMap,
    said: String,
    last_skipped: Option<String>,
}

/// The topics of a bag that a user names.
#[derive(Clone, Copy, Debug, Default)]
pub struct NamedTopics<'a> {
    /// The images; needed where the bag has several cameras.
    pub image: Option<&'a str>,
    /// Where the robot was.
    pub odometry: Option<&'a str>,
}

impl BagFrames {
    /// Opens a bag. Standard error says which topics were taken where others could have been meant. `settings`: the
    /// robot's frames.
    pub fn open(path: &Path, named: NamedTopics<'_>, settings: TrackerSettings) -> Result<Self> {
        let bag = BagReader::open(path)?.named_by("--topic NAME");
        let choice = bag.image_choice(named.image)?;
        choice.note().into_iter().for_each(|note| eprintln!("{note}"));
        let image_topic = choice.topic.name.clone();
        let bag = bag.named_by("--odom NAME");
        let odometry = bag.odometry_choice(named.odometry, &image_topic, &settings.base_frame)?;
        odometry.iter().filter_map(Choice::note).for_each(|note| eprintln!("{note}"));
        Ok(Self {
            name: path.display().to_string(),
            messages: bag.messages(),
            info_topic: bag.camera_info_topic(&image_topic).map(|topic| topic.name.clone()),
            odometry_topic: odometry.map(|choice| choice.topic.name.clone()),
            image_topic,
            tracker: CameraTracker::new(settings),
            map: ViewMap::default(),
            said: String::new(),
            last_skipped: None,
        })
    }

    /// Learns from what is no image. A message that says nothing usable leaves what is known as it is.
    fn learn(&mut self, message: &BagMessage) -> recording::Result<()> {
        let now_nanos = log_time(message);
        if self.info_topic.as_deref() == Some(message.topic()) {
            self.tracker.take_calibration(message.decode::<CameraInfo>()?.into());
        } else if message.is::<TfMessage>() {
            let fixed = message.topic().ends_with("tf_static");
            for transform in message.decode::<TfMessage>()?.transforms {
                let taken = self.tracker.take_transform(&transform.stamped(fixed), now_nanos);
                self.say(taken.err().map(|error| format!("left out: {error}")));
            }
        } else if self.odometry_topic.as_deref() == Some(message.topic()) {
            let pose = StampedTransform::from(&message.decode::<Odometry>()?);
            let taken = self.tracker.take_odometry(&pose, now_nanos);
            self.say(taken.err().map(|error| format!("left out: {error}")));
        }
        Ok(())
    }

    fn frame(&mut self, message: &BagMessage) -> recording::Result<Frame> {
        let picture = message.picture()?;
        let raw = RawFrame {
            encoding: &picture.encoding,
            is_bigendian: picture.is_bigendian,
            width: picture.width,
            height: picture.height,
            step: picture.step,
            data: &picture.data,
            stamp_nanos: picture.stamp_nanos,
            received_at_nanos: 0,
        };
        // What lies about itself says nothing about a camera or its clock. The ring refuses it by name.
        let (stamp_nanos, shot) = if raw.validate().is_ok() {
            let stamp_nanos = self.stamp(&picture, log_time(message));
            (stamp_nanos, self.shot(&picture, stamp_nanos))
        } else {
            (picture.stamp_nanos, Shot::default())
        };
        Ok(Frame {
            encoding: picture.encoding,
            is_bigendian: picture.is_bigendian,
            width: picture.width,
            height: picture.height,
            step: picture.step,
            data: picture.data.into_owned(),
            stamp_nanos,
            shot,
        })
    }

    /// When the picture was taken, nanoseconds of TF's clock.
    fn stamp(&mut self, picture: &Picture<'_>, now_nanos: i64) -> i64 {
        let (stamp_nanos, kind) = self.tracker.read_stamp(picture.stamp_nanos, now_nanos);
        if let StampKind::Moved(by) = kind {
            let secs = by as f64 * 1e-9;
            self.say(Some(format!("the camera's clock is not TF's: its stamps are moved by {secs:.3} s")));
        }
        stamp_nanos
    }

    /// Where the camera was, and how the picture is made upright and straight.
    fn shot(&mut self, picture: &Picture<'_>, stamp_nanos: i64) -> Shot {
        let rectified = is_rectified(&self.image_topic);
        let exif = ExifTurn::new(picture.orientation.quarter_turns(), picture.orientation.is_mirrored());
        let view = self.tracker.see(&picture.frame_id, (picture.width, picture.height), rectified, exif);
        let pixel_map = self.map.get(view).unwrap_or_default();
        let pose = self.tracker.camera_at(stamp_nanos).ok().map(|fixed_from_optical| {
            let (position_m, orientation) = transform_parts(&fixed_from_optical);
            Pose { position_m, orientation }
        });
        Shot { pose, pixel_map }
    }

    /// Says something on standard error, once until something else is said.
    fn say(&mut self, text: Option<String>) {
        if let Some(text) = text.filter(|text| *text != self.said) {
            eprintln!("{text}");
            self.said = text;
        }
    }
}

/// When a message was recorded, nanoseconds.
fn log_time(message: &BagMessage) -> i64 {
    i64::try_from(message.log_time_nanos()).unwrap_or(i64::MAX)
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
                Err(error) => {
                    eprintln!("skipped a frame: {error}");
                    self.last_skipped = Some(error.to_string());
                }
            }
        }
        for damage in self.messages.damage() {
            eprintln!("damaged: {damage}");
        }
        Ok(None)
    }

    fn last_skipped(&self) -> Option<&str> {
        self.last_skipped.as_deref()
    }

    fn camera(&self) -> CameraReport {
        self.tracker.report().clone()
    }
}
