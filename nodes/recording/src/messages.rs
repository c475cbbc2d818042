//! The standard messages of an episode, field by field as in their ROS definitions; pictures borrow their bytes.
//!
//! Lengths are metres, angles radians, frames REP-103 and REP-105; what a field means is said by its ROS package.

use serde::{Deserialize, Serialize, Serializer};

use crate::cdr::sequence_of_structs;

/// A message with a ROS type.
pub trait RosMessage {
    /// For instance `sensor_msgs/msg/Image`.
    const TYPE_NAME: &'static str;
}

/// Names the ROS type of each struct.
macro_rules! ros_types {
    ($($message:ty => $name:literal,)*) => {
        $(impl crate::messages::RosMessage for $message {
            const TYPE_NAME: &'static str = $name;
        })*
    };
}
pub(crate) use ros_types;

ros_types! {
    StringMessage => "std_msgs/msg/String",
    Image<'_> => "sensor_msgs/msg/Image",
    CompressedImage<'_> => "sensor_msgs/msg/CompressedImage",
    CameraInfo => "sensor_msgs/msg/CameraInfo",
    Odometry => "nav_msgs/msg/Odometry",
    TfMessage => "tf2_msgs/msg/TFMessage",
    Clock => "rosgraph_msgs/msg/Clock",
}

/// `builtin_interfaces/Time`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Time {
    /// Seconds.
    pub sec: i32,
    /// Nanoseconds within the second.
    pub nanosec: u32,
}

impl Time {
    /// Nanoseconds.
    pub fn nanos(self) -> i64 {
        i64::from(self.sec) * 1_000_000_000 + i64::from(self.nanosec)
    }

    /// From nanoseconds; seconds beyond 32 bits are clamped.
    pub fn from_nanos(nanos: i64) -> Self {
        let seconds = nanos.div_euclid(1_000_000_000).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        Self { sec: seconds as i32, nanosec: nanos.rem_euclid(1_000_000_000) as u32 }
    }
}

/// `std_msgs/Header`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// When it was true.
    pub stamp: Time,
    /// The frame it is given in.
    pub frame_id: String,
}

/// `std_msgs/String`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StringMessage {
    /// The text.
    pub data: String,
}

/// `sensor_msgs/Image`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image<'a> {
    /// When light hit the sensor, and the optical frame.
    pub header: Header,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Pixel layout, for instance `rgb8`.
    pub encoding: String,
    /// 1 for big-endian channels of more than a byte.
    pub is_bigendian: u8,
    /// Bytes of a row.
    pub step: u32,
    /// The rows.
    #[serde(serialize_with = "as_bytes")]
    pub data: &'a [u8],
}

/// `sensor_msgs/CompressedImage`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompressedImage<'a> {
    /// When light hit the sensor, and the optical frame.
    pub header: Header,
    /// For instance `jpeg`, or `rgb8; jpeg compressed bgr8`.
    pub format: String,
    /// The file.
    #[serde(serialize_with = "as_bytes")]
    pub data: &'a [u8],
}

/// At once: serde's own way for slices is element by element.
fn as_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// `sensor_msgs/RegionOfInterest`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct RegionOfInterest {
    pub x_offset: u32,
    pub y_offset: u32,
    pub height: u32,
    pub width: u32,
    pub do_rectify: bool,
}

/// `sensor_msgs/CameraInfo`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CameraInfo {
    /// Stamp and optical frame of the image it belongs to.
    pub header: Header,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// For instance `plumb_bob`.
    pub distortion_model: String,
    /// Distortion parameters.
    pub d: Vec<f64>,
    /// Intrinsic matrix, row-major.
    pub k: [f64; 9],
    /// Rectification matrix, row-major.
    pub r: [f64; 9],
    /// Projection matrix, row-major.
    pub p: [f64; 12],
    /// Pixels joined along x; 0 = 1.
    pub binning_x: u32,
    /// Pixels joined along y; 0 = 1.
    pub binning_y: u32,
    /// The part of the sensor that was read.
    pub roi: RegionOfInterest,
}

/// `geometry_msgs/Point` and `Vector3`, which are alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Vector3 {
    pub x: f64,
    pub y: f64,
    pub z: f64,
}

/// `geometry_msgs/Quaternion`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Quaternion {
    pub x: f64,
    pub y: f64,
    pub z: f64,
    pub w: f64,
}

impl Default for Quaternion {
    fn default() -> Self {
        Self { x: 0.0, y: 0.0, z: 0.0, w: 1.0 }
    }
}

/// `geometry_msgs/Pose`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Pose {
    pub position: Vector3,
    pub orientation: Quaternion,
}

/// `geometry_msgs/PoseWithCovariance`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoseWithCovariance {
    /// The pose.
    pub pose: Pose,
    /// Over (x, y, z, roll, pitch, yaw), row by row.
    pub covariance: [[f64; 6]; 6],
}

/// `geometry_msgs/Twist`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Twist {
    /// Metres a second.
    pub linear: Vector3,
    /// Radians a second.
    pub angular: Vector3,
}

/// `geometry_msgs/TwistWithCovariance`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TwistWithCovariance {
    /// The twist.
    pub twist: Twist,
    /// Over (x, y, z, roll, pitch, yaw), row by row.
    pub covariance: [[f64; 6]; 6],
}

/// `nav_msgs/Odometry`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Odometry {
    /// Stamp, and the frame of the pose.
    pub header: Header,
    /// The frame of the twist.
    pub child_frame_id: String,
    /// Where the child frame is.
    pub pose: PoseWithCovariance,
    /// How it moves.
    pub twist: TwistWithCovariance,
}

/// `geometry_msgs/Transform`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Transform {
    pub translation: Vector3,
    pub rotation: Quaternion,
}

/// `geometry_msgs/TransformStamped`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransformStamped {
    /// Stamp and parent frame.
    pub header: Header,
    /// The frame that is placed.
    pub child_frame_id: String,
    /// Takes points of the child frame to the parent frame.
    pub transform: Transform,
}

/// `tf2_msgs/TFMessage`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TfMessage {
    /// The transforms.
    #[serde(deserialize_with = "sequence_of_structs")]
    pub transforms: Vec<TransformStamped>,
}

/// `rosgraph_msgs/Clock`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// ROS time.
    pub clock: Time,
}
