//! ROS 2 shells: each executable turns topics into calls of a ROS-free crate and back, and decides nothing itself.
//!
//! | executable | shell around |
//! |---|---|
//! | `perception_node` | `perception`: frames and questions in, typed answers and maps out |
//! | `camera_node` | OpenCV's capture: device, video file, image folder, stream |
//! | `sim_node` | `sim`: a furnished room, a walking camera, exact truth |
//! | `recorder_node` | `recording`: episodes as rosbag2 folders |
//! | `replay_node` | `recording`: what a bag's robot sensed, at its own pace, with `/clock` |
//!
//! A node never panics on a message; what can't be used is counted, logged and answered with a status. That holds for
//! what reaches the node: what DDS loses on its way, as in a flood of questions, is known to DDS alone.

pub mod action_server;
pub mod asking;
pub mod camera;
pub mod camera_info;
pub mod camera_topics;
pub mod compressed;
pub mod convert;
pub mod dds_profile;
pub mod diagnostics;
pub mod duplicates;
pub mod executor;
pub mod frames;
pub mod goals;
pub mod image_message;
pub mod log_line;
pub mod logging;
pub mod model_news;
pub mod offers;
pub mod outbox;
pub mod parameter_services;
pub mod parameters;
pub mod perception_parameters;
pub mod perception_publishers;
pub mod perception_shell;
pub mod placed_map;
pub mod recorded_topics;
pub mod recorder;
pub mod repeats;
pub mod replay;
pub mod replayed_topics;
pub mod rosout;
pub mod sim_messages;
pub mod simulation;
pub mod stopping;
pub mod subscriptions;
pub mod text_message;
pub mod time;
pub mod topic_names;
pub mod transforms;
