//! The messages of `spacer_msgs` as they are on the wire; `msgs/msg/*.msg` says what the fields mean.
#![allow(missing_docs)]

use serde::{Deserialize, Serialize};

use crate::cdr::{default_where_absent, sequence_of_structs};
use crate::messages::{Header, Pose, Time, ros_types};

ros_types! {
    SpatialQuery => "spacer_msgs/msg/SpatialQuery",
    SpatialAnswer => "spacer_msgs/msg/SpatialAnswer",
    AnswerFeedback => "spacer_msgs/msg/AnswerFeedback",
    ImaginedMap => "spacer_msgs/msg/ImaginedMap",
}

/// `spacer_msgs/SpatialQuery`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpatialQuery {
    pub header: Header,
    pub query_id: String,
    pub text: String,
    #[serde(deserialize_with = "sequence_of_structs")]
    pub options: Vec<String>,
    pub deadline: f64,
}

/// `spacer_msgs/AnswerFeedback`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerFeedback {
    pub header: Header,
    pub query_id: String,
    pub value: f64,
    pub text: String,
}

/// `spacer_msgs/MapObject`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MapObject {
    pub category: String,
    pub x: u8,
    pub y: u8,
    pub pose: Pose,
}

/// `spacer_msgs/ImaginedMap`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImaginedMap {
    pub header: Header,
    pub size: u8,
    pub cell_size_m: f32,
    pub has_robot: bool,
    pub robot_x: u8,
    pub robot_y: u8,
    pub origin: Pose,
    #[serde(deserialize_with = "sequence_of_structs")]
    pub objects: Vec<MapObject>,
    pub registered: bool,
    pub agreement: f32,
}

/// `spacer_msgs/Timing`, seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    pub queue: f64,
    pub vision: f64,
    pub prefill: f64,
    pub first_token: f64,
    pub decode: f64,
    pub total: f64,
}

/// `spacer_msgs/SpatialAnswer`; `status` is the code of [`msgs::Status`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpatialAnswer {
    pub header: Header,
    pub query_id: String,
    pub status: u8,
    pub kind: String,
    pub text: String,
    pub value: f64,
    pub unit: String,
    pub lower: f64,
    pub upper: f64,
    pub coverage: f64,
    pub option: String,
    pub confidence: f32,
    pub thinking: String,
    pub has_map: bool,
    pub map: ImaginedMap,
    pub oldest_stamp: Time,
    pub newest_stamp: Time,
    pub frames_used: u32,
    pub timing: Timing,
    pub prompt_tokens: u32,
    pub cached_tokens: u32,
    pub generated_tokens: u32,
    pub model: String,
    /// Recordings made before it was there end with `model`.
    #[serde(deserialize_with = "default_where_absent")]
    pub camera: String,
}
