//! The messages of distance sensors, field by field as in `sensor_msgs`. Metres, radians, seconds.
#![allow(missing_docs)]

use serde::{Deserialize, Serialize};

use crate::messages::{Header, ros_types};

ros_types! {
    LaserScan => "sensor_msgs/msg/LaserScan",
    Range => "sensor_msgs/msg/Range",
}

/// `sensor_msgs/LaserScan`: beams in the x-y plane of its frame, from `angle_min` on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaserScan {
    pub header: Header,
    pub angle_min: f32,
    pub angle_max: f32,
    pub angle_increment: f32,
    pub time_increment: f32,
    pub scan_time: f32,
    pub range_min: f32,
    pub range_max: f32,
    pub ranges: Vec<f32>,
    pub intensities: Vec<f32>,
}

/// `sensor_msgs/Range`: one distance along the x axis of its frame. What newer distributions put behind it is not read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Range {
    pub header: Header,
    pub radiation_type: u8,
    pub field_of_view: f32,
    pub min_range: f32,
    pub max_range: f32,
    pub range: f32,
}
