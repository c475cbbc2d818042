//! Which topics `recorder_node` listens to, and how.

use anyhow::{Context, bail};
use recording::Qos;

use crate::subscriptions::Topic;

/// Messages that DDS holds of a topic while the node is busy with others.
const DEPTH: u32 = 1000;
/// Pictures that DDS holds; each has the size of many other messages.
const PICTURE_DEPTH: u32 = 30;

/// A topic to listen to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedTopic {
    /// Relative to the node's namespace, or absolute.
    pub name: String,
    /// For instance `sensor_msgs/msg/Image`.
    pub type_name: String,
    /// How it is offered as a rule: what the bag says until a publisher is known. The depth is what DDS holds of it.
    pub qos: Qos,
}

impl RecordedTopic {
    fn new(name: &str, type_name: &str) -> Self {
        let is_picture = matches!(type_name, "sensor_msgs/msg/Image" | "sensor_msgs/msg/CompressedImage");
        let reliable = !type_name.starts_with("sensor_msgs/");
        let transient_local = ["tf_static", "imagined_map", "sim/truth"].iter().any(|latched| name.ends_with(latched));
        let depth = if is_picture { PICTURE_DEPTH } else { DEPTH };
        Self { name: name.to_owned(), type_name: type_name.to_owned(), qos: Qos { reliable, transient_local, depth } }
    }

    /// How it is listened to at first: nobody is missed, nor what was kept from before.
    pub fn listening(&self) -> Topic {
        let topic = Topic::new(&self.name, &self.type_name, self.qos.depth as usize);
        match self.qos {
            Qos { transient_local: true, .. } => topic.latched(),
            // What is subscribed to anew misses what comes meanwhile, so it begins as publishers are as a rule.
            Qos { reliable: true, .. } => topic.reliable(),
            _ => topic,
        }
    }
}

/// What an episode consists of; what nobody publishes stays empty.
fn episode() -> Vec<RecordedTopic> {
    let topics = [
        ("image_raw", "sensor_msgs/msg/Image"),
        ("image_raw/compressed", "sensor_msgs/msg/CompressedImage"),
        ("camera_info", "sensor_msgs/msg/CameraInfo"),
        ("depth/image_raw", "sensor_msgs/msg/Image"),
        ("depth/camera_info", "sensor_msgs/msg/CameraInfo"),
        ("scan", "sensor_msgs/msg/LaserScan"),
        ("range", "sensor_msgs/msg/Range"),
        ("odom", "nav_msgs/msg/Odometry"),
        ("/tf", "tf2_msgs/msg/TFMessage"),
        ("/tf_static", "tf2_msgs/msg/TFMessage"),
        ("ask", "std_msgs/msg/String"),
        ("query", "spacer_msgs/msg/SpatialQuery"),
        ("answer", "spacer_msgs/msg/SpatialAnswer"),
        ("feedback", "spacer_msgs/msg/AnswerFeedback"),
        ("imagined_map", "spacer_msgs/msg/ImaginedMap"),
        ("sim/truth", "std_msgs/msg/String"),
    ];
    topics.iter().map(|(name, type_name)| RecordedTopic::new(name, type_name)).collect()
}

/// The topics of the parameter `topics`: `name:type` parted by spaces; empty for those of an episode.
///
/// # Errors
/// When a part is of another form.
pub fn recorded_topics(parameter: &str) -> anyhow::Result<Vec<RecordedTopic>> {
    if parameter.trim().is_empty() {
        return Ok(episode());
    }
    let parse = |part: &str| {
        let (name, type_name) =
            part.split_once(':').with_context(|| format!("topics: expected name:type, found {part:?}"))?;
        if name.is_empty() || type_name.split('/').count() != 3 {
            bail!("topics: expected name:package/msg/Type, found {part:?}");
        }
        Ok(RecordedTopic::new(name, type_name))
    };
    parameter.split_whitespace().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_those_of_an_episode_or_as_written() {
        assert_eq!(recorded_topics(" ").unwrap(), episode());
        let own = "/front/rgb:sensor_msgs/msg/Image  odom:nav_msgs/msg/Odometry /scan:sensor_msgs/msg/LaserScan";
        let own = recorded_topics(own).unwrap();
        let found: Vec<(&str, bool)> = own.iter().map(|topic| (topic.name.as_str(), topic.qos.reliable)).collect();
        assert_eq!(found, [("/front/rgb", false), ("odom", true), ("/scan", false)]);
        for wrong in ["odom", ":nav_msgs/msg/Odometry", "odom:Odometry"] {
            let text = recorded_topics(wrong).unwrap_err().to_string();
            assert!(text.contains("expected") && text.contains(wrong), "{text}");
        }
    }
}
