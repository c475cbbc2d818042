//! Recorded poses and transforms as those of [`geometry`].

use geometry::{CalibrationMessage, RigidTransform, StampedTransform, rigid_transform};

use crate::messages::{CameraInfo, Odometry, Pose, Transform, TransformStamped};

impl From<&Transform> for RigidTransform {
    fn from(transform: &Transform) -> Self {
        let (at, turn) = (&transform.translation, &transform.rotation);
        rigid_transform([at.x, at.y, at.z], [turn.x, turn.y, turn.z, turn.w])
    }
}

impl From<&Pose> for RigidTransform {
    fn from(pose: &Pose) -> Self {
        let (at, turn) = (&pose.position, &pose.orientation);
        rigid_transform([at.x, at.y, at.z], [turn.x, turn.y, turn.z, turn.w])
    }
}

impl TransformStamped {
    /// For a [`geometry::TransformBuffer`]; `fixed`: whether it holds for ever, as those of `/tf_static` do.
    pub fn stamped(&self, fixed: bool) -> StampedTransform {
        StampedTransform {
            parent: self.header.frame_id.trim_start_matches('/').to_owned(),
            child: self.child_frame_id.trim_start_matches('/').to_owned(),
            stamp_nanos: (!fixed).then(|| self.header.stamp.nanos()),
            parent_from_child: RigidTransform::from(&self.transform),
        }
    }
}

impl From<&Odometry> for StampedTransform {
    fn from(odometry: &Odometry) -> Self {
        Self {
            parent: odometry.header.frame_id.trim_start_matches('/').to_owned(),
            child: odometry.child_frame_id.trim_start_matches('/').to_owned(),
            stamp_nanos: Some(odometry.header.stamp.nanos()),
            parent_from_child: RigidTransform::from(&odometry.pose.pose),
        }
    }
}

impl From<CameraInfo> for CalibrationMessage {
    fn from(info: CameraInfo) -> Self {
        let roi = info.roi;
        Self {
            size: (info.width, info.height),
            k: info.k,
            p: info.p,
            distortion_model: info.distortion_model,
            d: info.d,
            binning: (info.binning_x, info.binning_y),
            roi: [roi.x_offset, roi.y_offset, roi.width, roi.height],
        }
    }
}
