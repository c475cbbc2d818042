//! The second reading of a bag: the pictures that are kept, the camera, and what distance sensors saw beside answers.

use std::collections::{BTreeMap, BTreeSet};

use frame_ring::{RawFrame, ViewMap};
use geometry::{Camera, CameraFacts, CameraTracker, ExifTurn, RigidTransform, TrackerSettings, is_rectified};
use recording::messages::{CameraInfo, CompressedImage, Header, Image, TfMessage};
use recording::range_messages::{LaserScan, Range};
use recording::{BagMessage, BagReader};

use super::BagSettings;
use super::left_out::LeftOut;
use super::logbook::Logbook;
use super::ranging::{Cloud, Target, depth_points, range_points, scan_points};
use super::topics::Topics;
use super::track::Track;
use crate::episode::{Frame, LabelSource, Picture, Pose};

/// As tf2's.
const HISTORY_SECS: f64 = 10.0;

/// What the second reading finds.
pub(super) struct Pictures<'a> {
    topics: &'a Topics,
    settings: &'a BagSettings,
    track: &'a Track,
    /// The robot's, as TF calls it.
    base_frame: &'a str,
    /// Stamps of the frames that are kept and not yet found.
    open: BTreeSet<i64>,
    targets: Vec<Target>,
    /// By topic of calibrations.
    cameras: BTreeMap<String, Camera>,
    depth_info: Option<String>,
    tracker: CameraTracker,
    map: ViewMap,
    camera_frame: String,
    frames: Vec<Frame>,
    left_out: LeftOut,
}

/// Frames in the order of their stamps, facts about the camera, targets with what was measured, and what could not be
/// read.
pub(super) struct Found {
    pub frames: Vec<Frame>,
    pub camera: CameraFacts,
    pub targets: Vec<Target>,
    pub left_out: LeftOut,
}

impl<'a> Pictures<'a> {
    pub fn new(topics: &'a Topics, settings: &'a BagSettings, log: &'a Logbook) -> Self {
        let base_frame = log.base_frame.as_deref().unwrap_or(settings.base_frame.trim_start_matches('/'));
        let of_robot = TrackerSettings {
            base_frame: base_frame.to_owned(),
            history_secs: HISTORY_SECS,
            ..TrackerSettings::default()
        };
        Self {
            topics,
            settings,
            track: &log.track,
            base_frame,
            open: BTreeSet::new(),
            targets: Vec::new(),
            cameras: BTreeMap::new(),
            depth_info: None,
            tracker: CameraTracker::new(of_robot),
            map: ViewMap::default(),
            camera_frame: String::new(),
            frames: Vec::new(),
            left_out: LeftOut::default(),
        }
    }

    /// Reads the frames with the stamps `kept`, and measures `targets`.
    pub fn read(mut self, bag: &BagReader, kept: &[i64], targets: Vec<Target>) -> Found {
        self.open = kept.iter().copied().collect();
        self.targets = targets;
        let depth = self.topics.depth.as_deref();
        self.depth_info = depth.and_then(|depth| bag.camera_info_topic(depth)).map(|topic| topic.name.clone());
        for message in bag.messages() {
            if let Err(reason) = self.note(&message) {
                self.left_out.push(reason);
            }
        }
        self.frames.sort_by_key(|frame| frame.stamp_nanos);
        let camera = self.tracker.report().facts();
        Found { frames: self.frames, camera, targets: self.targets, left_out: self.left_out }
    }

    fn note(&mut self, message: &BagMessage) -> Result<(), String> {
        let topic = message.topic();
        let text = |error: recording::Error| error.to_string();
        if topic == self.topics.image {
            return self.frame(message);
        }
        let infos = [self.topics.camera_info.as_deref(), self.depth_info.as_deref()];
        let is_range = self.topics.ranges.iter().any(|name| name == topic);
        if infos.contains(&Some(topic)) {
            let info: CameraInfo = message.decode().map_err(text)?;
            // A driver without calibration sends zeros.
            if let Ok(camera) = Camera::from_k(&info.k, info.width, info.height) {
                self.cameras.insert(topic.to_owned(), camera);
            }
            if self.topics.camera_info.as_deref() == Some(topic) {
                self.tracker.take_calibration(info.into());
            }
        } else if message.is::<TfMessage>() {
            for link in message.decode::<TfMessage>().map_err(text)?.transforms {
                // One broken transform leaves its frame unknown.
                let _ = self.tracker.take_transform(&link.stamped(topic.ends_with("tf_static")), 0);
            }
        } else if Some(topic) == self.topics.depth.as_deref() {
            let image: Image<'_> = message.decode().map_err(text)?;
            let camera = self.depth_camera(&image);
            self.measure(&image.header, LabelSource::Depth, |base_from_sensor| {
                let camera = camera.ok_or("depth: expected a calibration of its camera, found none")?;
                depth_points(&image, &camera, base_from_sensor)
            })?;
        } else if is_range && message.is::<LaserScan>() {
            let scan: LaserScan = message.decode().map_err(text)?;
            self.measure(&scan.header, LabelSource::Range, |base_from_sensor| {
                Ok(scan_points(&scan, base_from_sensor))
            })?;
        } else if is_range {
            let range: Range = message.decode().map_err(text)?;
            self.measure(&range.header, LabelSource::Range, |base_from_sensor| {
                Ok(range_points(&range, base_from_sensor))
            })?;
        }
        Ok(())
    }

    fn frame(&mut self, message: &BagMessage) -> Result<(), String> {
        // One without a stamp was named by the first reading.
        let Ok(stamp_nanos) = message.picture_stamp_nanos() else { return Ok(()) };
        if !self.open.remove(&stamp_nanos) {
            return Ok(());
        }
        let pose = self.track.at(stamp_nanos).map(|pose| Pose::from(&pose));
        let (picture, exif) = self.picture(message)?;
        let picture = self.upright(picture, exif)?;
        let camera = self.camera(stamp_nanos);
        self.frames.push(Frame { stamp_nanos, pose, camera, picture });
        Ok(())
    }

    /// The picture as the robot sees it: upright and straight. As it is where it is so already. `exif`: what its file said.
    fn upright(&mut self, picture: Picture, exif: ExifTurn) -> Result<Picture, String> {
        let topic = &self.topics.image;
        let rgb = picture.decode().map_err(|error| format!("{topic}: {error}"))?;
        let view = self.tracker.see(&self.camera_frame, rgb.dimensions(), is_rectified(topic), exif);
        let Some(map) = self.map.get(view).map_err(|error| format!("{topic}: {error}"))? else { return Ok(picture) };
        let Some(straight) = map.straighten(rgb.as_raw()) else {
            return Err(format!("{topic}: expected a picture of {:?} pixels, found another size", map.source()));
        };
        let (width, height) = map.output();
        let encoded = Picture::encode(width, height, &straight, self.settings.sampling.format);
        encoded.map_err(|error| format!("{topic}: {error}"))
    }

    /// Where the camera was: where the robot was then, and as it is mounted.
    fn camera(&self, stamp_nanos: i64) -> Option<Pose> {
        let fixed_from_robot = self.track.at(stamp_nanos)?;
        let of_odometry = self.track.frame();
        let placed = of_odometry.and_then(|frame| self.placed(frame, &self.camera_frame, Some(stamp_nanos)));
        let robot_from_camera = placed.or_else(|| self.mounting(&self.camera_frame, Some(stamp_nanos)))?;
        let turned = self.tracker.view().map(|view| view.image_frame_from_optical).unwrap_or_default();
        Some(Pose::from(&(fixed_from_robot * robot_from_camera * turned)))
    }

    /// A compressed picture as it is, where everybody sees it alike; a raw one encoded. The pixels are as stored; beside
    /// them is the turn that their file asks for. The frame of a whole picture is noted.
    fn picture(&mut self, message: &BagMessage) -> Result<(Picture, ExifTurn), String> {
        let text = |error: recording::Error| error.to_string();
        if message.is::<CompressedImage<'_>>() {
            let CompressedImage { header, format, data } = message.decode().map_err(text)?;
            let picture = Picture::of_message(&format, data, self.settings.sampling.format);
            let (picture, told) = picture.map_err(|error| format!("{}: {error}", message.topic()))?;
            self.camera_frame = header.frame_id;
            return Ok((picture, ExifTurn::new(told.quarter_turns(), told.is_mirrored())));
        }
        let picture = message.picture().map_err(text)?;
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
        let encoded = Picture::of_raw(&raw, self.settings.sampling.format);
        let encoded = encoded.map_err(|error| format!("{}: {error}", message.topic()))?;
        self.camera_frame.clone_from(&picture.frame_id);
        Ok((encoded, ExifTurn::default()))
    }

    /// The depth image's own camera; that of the pictures where it has none and is as large as they.
    fn depth_camera(&self, image: &Image<'_>) -> Option<Camera> {
        let of = |topic: &Option<String>| topic.as_ref().and_then(|topic| self.cameras.get(topic)).copied();
        let is_as_large = |camera: &Camera| (camera.width, camera.height) == (image.width, image.height);
        of(&self.depth_info).or_else(|| of(&self.topics.camera_info).filter(is_as_large))
    }

    /// Where a sensor is on the robot: at that time, else as last known.
    fn mounting(&self, sensor_frame: &str, stamp_nanos: Option<i64>) -> Option<RigidTransform> {
        self.placed(self.base_frame, sensor_frame, stamp_nanos)
    }

    fn placed(&self, frame: &str, sensor_frame: &str, stamp_nanos: Option<i64>) -> Option<RigidTransform> {
        let sensor = sensor_frame.trim_start_matches('/');
        let transforms = self.tracker.transforms();
        let at = transforms.lookup(frame, sensor, stamp_nanos);
        at.or_else(|_| transforms.lookup(frame, sensor, None)).ok()
    }

    fn measure(
        &mut self,
        header: &Header,
        source: LabelSource,
        points: impl FnOnce(&RigidTransform) -> Result<Vec<nalgebra::Point3<f64>>, String>,
    ) -> Result<(), String> {
        let stamp_nanos = header.stamp.nanos();
        if !self.targets.iter().any(|target| target.is_near(stamp_nanos)) {
            return Ok(());
        }
        let Some(base_from_sensor) = self.mounting(&header.frame_id, Some(stamp_nanos)) else {
            let base = self.base_frame;
            return Err(format!("TF: expected a transform from {base} to {}, found none", header.frame_id));
        };
        let camera = self.mounting(&self.camera_frame, Some(stamp_nanos)).unwrap_or(base_from_sensor);
        let ground_m = [camera.translation.x, camera.translation.y];
        let cloud = Cloud { stamp_nanos, points: points(&base_from_sensor)?, source };
        self.targets.iter_mut().for_each(|target| target.measure(&cloud, ground_m));
        Ok(())
    }
}
