//! The texts of the ROS messages beside this crate, for recordings that must explain themselves.

/// Name and definition of each message of `spacer_msgs`.
pub const DEFINITIONS: [(&str, &str); 6] = [
    ("spacer_msgs/AnswerFeedback", include_str!("../msg/AnswerFeedback.msg")),
    ("spacer_msgs/ImaginedMap", include_str!("../msg/ImaginedMap.msg")),
    ("spacer_msgs/MapObject", include_str!("../msg/MapObject.msg")),
    ("spacer_msgs/SpatialAnswer", include_str!("../msg/SpatialAnswer.msg")),
    ("spacer_msgs/SpatialQuery", include_str!("../msg/SpatialQuery.msg")),
    ("spacer_msgs/Timing", include_str!("../msg/Timing.msg")),
];
