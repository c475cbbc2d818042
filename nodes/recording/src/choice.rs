//! A topic that was chosen among several, and why a topic that looks as if it were meant is none.

use std::fmt;

use crate::channel::{CDR, TopicInfo};
use crate::definitions::short_name;
use crate::look::{Content, Look, Looks};

/// A topic, and those that it was chosen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The topic.
    pub topic: &'a TopicInfo,
    /// Others that could have been meant; copies of the same are none.
    pub others: Vec<&'a TopicInfo>,
    /// What it is for, for instance `image`.
    pub(crate) role: &'static str,
    /// How a user names another.
    pub(crate) naming: String,
}

impl Choice<'_> {
    /// What a user should know: which topic was taken and how to name another; `None` where there was no choice.
    pub fn note(&self) -> Option<String> {
        (!self.others.is_empty()).then(|| self.to_string())
    }
}

impl fmt::Display for Choice<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, others, role, naming } = self;
        write!(out, "{role}: {}", topic.name)?;
        if !others.is_empty() {
            let others: Vec<&str> = others.iter().map(|other| other.name.as_str()).collect();
            write!(out, ", chosen before {}; another is taken by {naming}", others.join(", "))?;
        }
        Ok(())
    }
}

/// Why a topic that carries pictures by its name or type is not read as such; `None` for any other.
pub(crate) fn why_no_pictures(topic: &TopicInfo, looks: &Looks) -> Option<String> {
    let type_name = short_name(&topic.type_name);
    let kind = type_name.rsplit(['/', '.']).next().unwrap_or_default();
    if topic.message_count == 0 {
        return None;
    }
    if type_name.is_empty() {
        return Some("the bag doesn't state its type; record it again, or convert it with a schema".to_owned());
    }
    let is_theora = type_name.starts_with("theora_image_transport/") && kind == "Packet";
    if is_theora || ["FFMPEGPacket", "CompressedVideo"].contains(&kind) {
        return Some(
            "video packets, no pictures; decode them: play the bag, `ros2 run image_transport republish`, and record the \
             result"
                .to_owned(),
        );
    }
    let is_picture = ["Image", "CompressedImage", "RawImage"].contains(&kind);
    let republish = "publish its pictures as sensor_msgs/msg/CompressedImage and record that";
    match (&*topic.serialization, looks.get(&topic.name)) {
        _ if !is_picture => None,
        ("ros1", _) => {
            Some("serialized as in ROS 1; convert the .bag that it was made of: `rosbags-convert`".to_owned())
        }
        (other, _) if other != CDR => Some(format!("serialized as {other}, not as ROS 2 does ({CDR}); {republish}")),
        (_, Some(Look::Picture { content: Content::Unreadable(form), .. })) => {
            Some(format!("{form}, which are not read here; {republish}, or the raw pictures"))
        }
        (_, Some(Look::Picture { content: Content::Depth, .. })) => Some("depth".to_owned()),
        (_, Some(Look::Picture { content: Content::DepthOrLabels, .. })) => Some("depth or labels".to_owned()),
        _ if !type_name.starts_with("sensor_msgs/") => Some(format!("of another type than ROS's own; {republish}")),
        _ => None,
    }
}
