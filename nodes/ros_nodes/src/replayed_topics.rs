//! Under which names the topics of a bag are published again: those that perception listens to.

use std::collections::BTreeMap;

use recording::messages::{CompressedImage, StringMessage, TfMessage};
use recording::spacer_messages::SpatialQuery;
use recording::{BagReader, Qos, TopicInfo};

/// Transforms that are kept for those who come late.
const FIXED_TRANSFORMS: Qos = Qos { reliable: true, transient_local: true, depth: 100 };
/// Of several topics of odometry that of this frame is played.
const BASE_FRAME: &str = "base_link";
const SENSOR_DATA: Qos = Qos { reliable: false, transient_local: false, depth: 10 };
const DEEP: Qos = Qos { reliable: true, transient_local: false, depth: 100 };

/// A topic of the bag on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedTopic {
    /// Relative to the node's namespace, or absolute.
    pub name: &'static str,
    /// For instance `sensor_msgs/msg/Image`.
    pub type_name: String,
    /// How it is offered.
    pub qos: Qos,
    /// Whether it carries the images.
    pub is_images: bool,
}

/// Topics by their names in the bag: images, calibration, odometry and transforms; with `questions` also those.
///
/// # Errors
/// When `image_topic` is not in the bag, or none is named and there is not exactly one camera.
pub fn replayed_topics(
    bag: &BagReader,
    image_topic: Option<&str>,
    questions: bool,
) -> recording::Result<BTreeMap<String, ReplayedTopic>> {
    let images = bag.image_topic(image_topic)?;
    let infos = bag.camera_info_topic(&images.name);
    let odometry = bag.odometry_choice(None, &images.name, BASE_FRAME)?.map(|choice| choice.topic);
    let is = |topic: &TopicInfo, chosen: Option<&TopicInfo>| chosen.is_some_and(|chosen| chosen.name == topic.name);
    let place = |topic: &TopicInfo| {
        let (name, qos) = if topic.name == images.name {
            (if topic.is::<CompressedImage<'_>>() { "image_raw/compressed" } else { "image_raw" }, SENSOR_DATA)
        } else if is(topic, infos) {
            ("camera_info", SENSOR_DATA)
        } else if is(topic, odometry) {
            ("odom", DEEP)
        } else if topic.is::<TfMessage>() {
            if topic.name.ends_with("tf_static") { ("/tf_static", FIXED_TRANSFORMS) } else { ("/tf", DEEP) }
        } else if questions && topic.is::<SpatialQuery>() {
            ("query", DEEP)
        } else if questions && topic.is::<StringMessage>() && topic.name.ends_with("/ask") {
            ("ask", DEEP)
        } else {
            return None;
        };
        Some(ReplayedTopic { name, type_name: topic.type_name.clone(), qos, is_images: topic.name == images.name })
    };
    Ok(bag.topics().iter().filter_map(|topic| Some((topic.name.clone(), place(topic)?))).collect())
}
