//! Which of several topics of odometry or depth is taken, by a stated rule. Both make a recording worth more, so there
//! is always an answer; who means another topic names it.

use std::cmp::Reverse;

use crate::channel::TopicInfo;
use crate::look::{Content, Look, Looks, has_word};

/// Words in the names of odometry that several sensors were fused into.
const FUSED: [&str; 6] = ["filtered", "fused", "ekf", "ukf", "combined", "fusion"];
/// Frames of robots, without a prefix.
const BASE_FRAMES: [&str; 4] = ["base_link", "base_footprint", "base", "body"];
/// Words in the names of depth that was put into the colour camera's pixels.
const ALIGNED: [&str; 4] = ["aligned", "registered", "rgb", "color"];

/// Odometry, the one to take first at the beginning: that places the robot (`child_frame_id` is a base frame, or the
/// one that the robot is said to have), of the same robot as the image topic (the first part of their names), fused of
/// several sensors (`filtered`, `ekf`, …), in the frame `odom`, which does not jump, and called `odom`.
pub(crate) fn odometry_order<'a>(
    mut topics: Vec<&'a TopicInfo>,
    looks: &Looks,
    image_topic: &str,
    base_frame: &str,
) -> Vec<&'a TopicInfo> {
    topics.sort_by_cached_key(|topic| {
        let (frame_id, child) = match looks.get(&topic.name) {
            Some(Look::Odometry { frame_id, child_frame_id }) => (leaf(frame_id), leaf(child_frame_id)),
            _ => ("", ""),
        };
        Reverse((
            child == leaf(base_frame) || BASE_FRAMES.contains(&child),
            first_part(&topic.name) == first_part(image_topic),
            has_word(&topic.name, &FUSED),
            frame_id == "odom",
            leaf(&topic.name) == "odom",
            Reverse(topic.name.clone()),
        ))
    });
    topics
}

/// Depth, the one to take first at the beginning: in an encoding of REP-118, in the pixels of the colour camera by its
/// name (`aligned`, `registered`), in its frame and of its size, of the same camera.
pub(crate) fn depth_order<'a>(mut topics: Vec<&'a TopicInfo>, looks: &Looks, image_topic: &str) -> Vec<&'a TopicInfo> {
    let of = |topic: &str| match looks.get(topic) {
        Some(Look::Picture { frame_id, size, .. }) => (frame_id.as_str(), *size),
        _ => ("", None),
    };
    let (colour_frame, colour_size) = of(image_topic);
    topics.sort_by_cached_key(|topic| {
        let (frame_id, size) = of(&topic.name);
        let may_be_labels =
            matches!(looks.get(&topic.name), Some(Look::Picture { content: Content::DepthOrLabels, .. }));
        Reverse((
            !may_be_labels,
            has_word(&topic.name, &ALIGNED),
            frame_id == colour_frame,
            size == colour_size,
            shared_parts(&topic.name, image_topic),
            Reverse(topic.name.clone()),
        ))
    });
    topics
}

/// Whether a topic of raw pictures holds depth: by its encoding, or where nobody looked by its name.
pub(crate) fn is_depth(topic: &TopicInfo, looks: &Looks) -> bool {
    match looks.get(&topic.name) {
        Some(Look::Picture { content, .. }) => matches!(content, Content::Depth | Content::DepthOrLabels),
        _ => has_word(&topic.name, &["depth"]),
    }
}

fn leaf(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn first_part(name: &str) -> &str {
    name.trim_start_matches('/').split('/').next().unwrap_or(name)
}

fn shared_parts(name: &str, other: &str) -> usize {
    name.split('/').zip(other.split('/')).take_while(|(one, two)| one == two).count()
}
