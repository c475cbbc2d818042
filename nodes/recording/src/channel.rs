//! What a bag says about a topic: name, type, serialization, QoS.

use crate::definitions::short_name;
use crate::messages::RosMessage;
use crate::qos::Qos;

/// Key in a channel's metadata.
pub(crate) const QOS_KEY: &str = "offered_qos_profiles";
/// The serialization that ROS 2 sends and that is read here.
pub(crate) const CDR: &str = "cdr";

/// One topic of a bag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicInfo {
    /// For instance `/spacer/image_raw`.
    pub name: String,
    /// For instance `sensor_msgs/msg/Image`; empty where the bag doesn't say.
    pub type_name: String,
    /// How its messages are serialized: `cdr`, which alone is read; others have `ros1`, `protobuf`, `json`.
    pub serialization: String,
    /// Number of messages.
    pub message_count: u64,
    /// How it was offered, where the bag says.
    pub qos: Option<Qos>,
}

impl TopicInfo {
    /// Whether its messages are of type `M`, in CDR.
    pub fn is<M: RosMessage>(&self) -> bool {
        self.serialization == CDR && short_name(&self.type_name) == short_name(M::TYPE_NAME)
    }

    /// A channel of MCAP, without messages yet. A channel without schema, or one without name, has no type.
    pub(crate) fn of(channel: &mcap::Channel<'_>) -> Self {
        Self {
            name: channel.topic.clone(),
            type_name: channel.schema.as_ref().map(|schema| ros_name(&schema.name)).unwrap_or_default(),
            serialization: channel.message_encoding.clone(),
            message_count: 0,
            qos: channel.metadata.get(QOS_KEY).and_then(|text| Qos::from_yaml(text)),
        }
    }
}

/// The name of a type in ROS: `sensor_msgs/msg/Image` for `sensor_msgs::msg::Image` (IDL), and for
/// `sensor_msgs::msg::dds_::Image_` (DDS). Any other name stays.
pub(crate) fn ros_name(schema_name: &str) -> String {
    let Some((package, message)) = schema_name.rsplit_once("::") else { return schema_name.to_owned() };
    let package = package.replace("::", "/");
    match package.strip_suffix("/dds_") {
        Some(package) => format!("{package}/{}", message.strip_suffix('_').unwrap_or(message)),
        None => format!("{package}/{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_idl_and_dds_are_those_of_ros() {
        for (found, expected) in [
            ("sensor_msgs/msg/Image", "sensor_msgs/msg/Image"),
            ("sensor_msgs/Image", "sensor_msgs/Image"),
            ("sensor_msgs::msg::Image", "sensor_msgs/msg/Image"),
            ("sensor_msgs::msg::dds_::Image_", "sensor_msgs/msg/Image"),
            ("foxglove.CompressedImage", "foxglove.CompressedImage"),
            ("", ""),
        ] {
            assert_eq!(ros_name(found), expected);
        }
    }
}
