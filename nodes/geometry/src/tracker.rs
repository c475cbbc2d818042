//! What TF, odometry and calibration tell about a camera: how its pictures are to be seen, where it is, and what of that
//! the model is told. The same for a live robot and for a bag.
//!
//! Failure modes: a broken transform is an error that names its frames; what is missing leaves a fact unknown, with the
//! reason in the [`CameraReport`]; transforms that have stopped leave the pose unknown.

use std::collections::{BTreeSet, HashSet};

use crate::buffer::{MAX_FRAMES, MAX_NAME_BYTES};
use crate::calibration::CalibrationMessage;
use crate::description::Description;
use crate::frame_names::without_slash;
use crate::history::Inserted;
use crate::{
    CameraClock, CameraReport, CameraView, ExifTurn, GeometryError, Mounting, PlanPose, RigidTransform, StampKind,
    StampedTransform, TrackerSettings, TransformBuffer, frame_named,
};

/// The frame on the floor under a robot (REP-120).
const FOOTPRINT: &str = "base_footprint";
/// A transform may be ahead of the clock by this much.
const FUTURE_NANOS: i64 = 1_000_000_000;

/// Transforms and calibration of a robot's camera, kept up to date.
#[derive(Clone, Debug)]
pub struct CameraTracker {
    settings: TrackerSettings,
    transforms: TransformBuffer,
    /// Frames that odometry moves; TF takes them over where it speaks of them.
    by_odometry: HashSet<String>,
    clock: CameraClock,
    newest_tf_nanos: Option<i64>,
    newest_picture_nanos: i64,
    calibration: Option<CalibrationMessage>,
    image_frame: String,
    view: Option<CameraView>,
    report: CameraReport,
}

impl CameraTracker {
    /// Nothing is known yet.
    pub fn new(settings: TrackerSettings) -> Self {
        Self {
            transforms: TransformBuffer::new(settings.history_secs),
            image_frame: settings.camera_frame.clone(),
            settings,
            by_odometry: HashSet::new(),
            clock: CameraClock::default(),
            newest_tf_nanos: None,
            newest_picture_nanos: 0,
            calibration: None,
            view: None,
            report: CameraReport::default(),
        }
    }

    /// The transforms, for whoever looks for another sensor's.
    pub fn transforms(&self) -> &TransformBuffer {
        &self.transforms
    }

    /// Takes in a transform of TF that arrived at `now_nanos` of the clock that stamps are of; 0 = unknown.
    ///
    /// # Errors
    /// [`GeometryError`] for broken numbers or names, and for a stamp more than a second in the future.
    pub fn take_transform(&mut self, transform: &StampedTransform, now_nanos: i64) -> Result<Inserted, GeometryError> {
        let transform = named(transform);
        self.check_future(&transform, now_nanos)?;
        let inserted = self.transforms.insert(&transform)?;
        self.by_odometry.remove(&transform.child);
        if self.carries_camera(&transform.child) {
            self.note_stamp(transform.stamp_nanos, now_nanos);
        }
        Ok(inserted)
    }

    /// Takes in the pose of odometry, for robots whose TF does not tell how the robot moves. Where the frame that it
    /// speaks of hangs below another one, as `base_link` below `base_footprint` does, that one is moved. Odometry that
    /// names no frame speaks of the robot's base.
    ///
    /// # Errors
    /// As [`Self::take_transform`].
    pub fn take_odometry(&mut self, pose: &StampedTransform, now_nanos: i64) -> Result<Inserted, GeometryError> {
        let mut pose = named(pose);
        if pose.child.is_empty() {
            pose.child = self.resolve(&self.settings.base_frame);
        }
        self.check_future(&pose, now_nanos)?;
        let above = self.transforms.links_above(&pose.child).unwrap_or_default();
        if above.iter().any(|(child, moves)| *moves && !self.by_odometry.contains(*child)) {
            return Ok(Inserted::Kept);
        }
        let fixed = above.iter().take_while(|(_, moves)| !moves).count();
        if fixed > 0
            && let Some(root) = self.top_of_fixed(&pose.child, fixed)
            && root != pose.parent
        {
            let child_from_root = self.transforms.lookup(&pose.child, &root, None)?;
            pose.parent_from_child *= child_from_root;
            pose.child = root;
        }
        let inserted = self.transforms.insert(&pose)?;
        if self.by_odometry.len() >= MAX_FRAMES {
            self.by_odometry.retain(|frame| self.transforms.has_parent(frame));
        }
        self.by_odometry.insert(pose.child);
        self.note_stamp(pose.stamp_nanos, now_nanos);
        Ok(inserted)
    }

    /// The frame `count` fixed links above `frame`.
    fn top_of_fixed(&self, frame: &str, count: usize) -> Option<String> {
        let above = self.transforms.links_above(frame).ok()?;
        match above.get(count) {
            Some((name, _)) => Some((*name).to_owned()),
            None => self.transforms.root_of(frame).ok().map(str::to_owned),
        }
    }

    fn check_future(&self, transform: &StampedTransform, now_nanos: i64) -> Result<(), GeometryError> {
        let Some(found_nanos) = transform.stamp_nanos.filter(|_| now_nanos != 0) else { return Ok(()) };
        // A robot whose clock is ahead of ours is ahead with its pictures, too.
        let expected_nanos = now_nanos.max(self.newest_picture_nanos).saturating_add(FUTURE_NANOS);
        if found_nanos <= expected_nanos {
            return Ok(());
        }
        Err(GeometryError::Future { child: transform.child.clone(), expected_nanos, found_nanos })
    }

    /// Whether a link moves the camera or the robot. What else moves, as wheels and arms do, may have a clock of its own,
    /// and goes on where odometry has stopped.
    fn carries_camera(&self, child: &str) -> bool {
        let base = self.resolve(&self.settings.base_frame);
        let is_above = |frame: &str| {
            let links = self.transforms.links_above(frame).unwrap_or_default();
            links.iter().any(|(name, _)| *name == child)
        };
        is_above(&self.image_frame) || is_above(&base)
    }

    fn note_stamp(&mut self, stamp_nanos: Option<i64>, now_nanos: i64) {
        if let Some(stamp) = stamp_nanos {
            self.clock.note_tf(stamp, now_nanos);
            self.newest_tf_nanos = Some(stamp);
        }
    }

    /// Takes in a calibration.
    pub fn take_calibration(&mut self, message: CalibrationMessage) {
        self.calibration = Some(message);
    }

    /// The stamp of a picture that arrived at `now_nanos`, in TF's clock.
    pub fn read_stamp(&mut self, stamp_nanos: i64, now_nanos: i64) -> (i64, StampKind) {
        let (read, kind) = self.clock.read(stamp_nanos, now_nanos);
        if kind == StampKind::AsSent {
            self.newest_picture_nanos = read;
        }
        (read, kind)
    }

    /// Age of the newest odometry or transform that moves the camera at `now_nanos`, seconds.
    pub fn tf_age_secs(&self, now_nanos: i64) -> Option<f64> {
        self.newest_tf_nanos.map(|newest| now_nanos.saturating_sub(newest) as f64 * 1e-9)
    }

    /// Takes note of a picture of `size` (width, height) in the frame `frame_id`, and says how it is to be seen.
    /// `rectified`: it is straight already; `exif`: what its file says, none of a raw picture. The size is that of the
    /// pixels as stored. The report is brought up to date.
    pub fn see(&mut self, frame_id: &str, size: (u32, u32), rectified: bool, exif: ExifTurn) -> &CameraView {
        let frame = if frame_id.is_empty() { &self.settings.camera_frame } else { frame_id };
        // No frame of TF has a longer name.
        self.image_frame = without_slash(frame).chars().take(MAX_NAME_BYTES).collect();
        let calibration = self.calibration.as_ref().map(|message| message.for_picture(size, rectified));
        let floor = self.floor();
        let mounting = floor.as_ref().map(|(floor_from_image, _)| Mounting::new(floor_from_image, &self.image_frame));
        let view = CameraView::new(
            size,
            calibration.as_ref().and_then(|found| found.as_ref().ok().cloned()),
            mounting.as_ref().ok(),
            exif,
        );
        let description = Description {
            view: &view,
            image_frame: &self.image_frame,
            calibration: calibration.as_ref().map(Result::as_ref),
            mounting: mounting.as_ref().map_err(|error| *error),
            over: floor.as_ref().map_or("", |(_, over)| over),
        };
        self.report = CameraReport { pose: std::mem::take(&mut self.report.pose), ..description.report() };
        self.view.insert(view)
    }

    /// How the newest picture is to be seen; `None` before the first.
    pub fn view(&self) -> Option<&CameraView> {
        self.view.as_ref()
    }

    /// What the model is told about the camera.
    pub fn report(&self) -> &CameraReport {
        &self.report
    }

    /// The frame of the newest picture.
    pub fn image_frame(&self) -> &str {
        &self.image_frame
    }

    /// The upright picture's optical frame in the fixed frame at a picture's stamp. The report says whether it is known.
    ///
    /// # Errors
    /// [`GeometryError`] where TF does not tell, or has stopped.
    pub fn camera_at(&mut self, stamp_nanos: i64) -> Result<RigidTransform, GeometryError> {
        let found = self.find_camera(stamp_nanos);
        self.report.pose = match &found {
            Ok((fixed, _)) => format!("pose in {fixed}"),
            Err(GeometryError::Extrapolation { child, found_nanos, latest_nanos, .. })
                if found_nanos > latest_nanos =>
            {
                format!("pose unknown ({child} has stopped)")
            }
            Err(GeometryError::Extrapolation { child, .. }) => format!("pose unknown ({child} begins later)"),
            Err(error) => format!("pose unknown ({error})"),
        };
        found.map(|(_, fixed_from_optical)| fixed_from_optical)
    }

    fn find_camera(&self, stamp_nanos: i64) -> Result<(String, RigidTransform), GeometryError> {
        let fixed = self.fixed_frame()?;
        let oldest_nanos = (self.settings.oldest_pose_secs.max(0.0) * 1e9) as i64;
        let fixed_from_image = self.transforms.lookup_near(&fixed, &self.image_frame, stamp_nanos, oldest_nanos)?;
        let turned = self.view.as_ref().map(|view| view.image_frame_from_optical);
        Ok((fixed, fixed_from_image * turned.unwrap_or_default()))
    }

    fn fixed_frame(&self) -> Result<String, GeometryError> {
        if let Some(frame) = &self.settings.fixed_frame {
            return Ok(self.resolve(frame));
        }
        let base = self.resolve(&self.settings.base_frame);
        let world = self.transforms.world_of(&base).or_else(|| self.transforms.world_of(&self.image_frame));
        world.map(str::to_owned).ok_or(GeometryError::NotMoving { found: base })
    }

    /// The robot's pose in the fixed frame at a stamp, where TF knows it for that very moment.
    pub fn robot_at(&self, stamp_nanos: i64) -> Option<PlanPose> {
        let (fixed, base) = (self.fixed_frame().ok()?, self.resolve(&self.settings.base_frame));
        let fixed_from_base = self.transforms.lookup(&fixed, &base, Some(stamp_nanos)).ok()?;
        Some(PlanPose::from_transform(&fixed_from_base))
    }

    /// `frame`, or the only frame of that name behind a robot's prefix where TF does not know it without.
    fn resolve(&self, frame: &str) -> String {
        let frame = without_slash(frame);
        if self.transforms.knows(frame) {
            return frame.to_owned();
        }
        let known: BTreeSet<&str> = self.transforms.frames().collect();
        frame_named(known.iter().copied(), frame).unwrap_or(frame).to_owned()
    }

    /// Where the image's frame is over the floor, and what the floor was taken from.
    fn floor(&self) -> Result<(RigidTransform, String), GeometryError> {
        let base = self.resolve(&self.settings.base_frame);
        if self.settings.base_height_m.is_none() {
            let footprint = match base.rsplit_once('/') {
                Some((prefix, _)) => format!("{prefix}/{FOOTPRINT}"),
                None => FOOTPRINT.to_owned(),
            };
            if let Ok(found) = self.transforms.lookup(&footprint, &self.image_frame, None) {
                return Ok((found, format!("TF, over {footprint}")));
            }
        }
        let mut found = self.transforms.lookup(&base, &self.image_frame, None)?;
        let height_m = self.settings.base_height_m.unwrap_or(0.0);
        found.translation.z += height_m;
        let over = match self.settings.base_height_m {
            Some(_) => format!("TF, over {base}, which is {height_m} m over the floor"),
            None => format!("TF, over {base}, taken to lie on the floor"),
        };
        Ok((found, over))
    }
}

fn named(transform: &StampedTransform) -> StampedTransform {
    StampedTransform {
        parent: without_slash(&transform.parent).to_owned(),
        child: without_slash(&transform.child).to_owned(),
        ..transform.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odometry_of_ever_other_frames_takes_no_more_room() {
        let mut tracker = CameraTracker::new(TrackerSettings::default());
        for number in 0..3 * MAX_FRAMES as i64 {
            let pose = StampedTransform {
                parent: "odom".to_owned(),
                child: format!("base_{number}"),
                stamp_nanos: Some(number + 1),
                parent_from_child: RigidTransform::identity(),
            };
            tracker.take_odometry(&pose, 0).expect("valid");
        }
        assert!(tracker.by_odometry.len() <= MAX_FRAMES, "{}", tracker.by_odometry.len());
    }
}
