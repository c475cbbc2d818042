//! The topics of one camera, as drivers and `image_transport` name them beside each other.
//!
//! Whoever remaps `image_raw` to a driver's topic means its compressed copy and its calibration as well, unless these are
//! remapped themselves.

use crate::topic_names::TopicNames;

/// Names that `perception_node` listens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraTopics {
    /// Raw pictures.
    pub image: String,
    /// Compressed ones.
    pub compressed: String,
    /// Calibrations.
    pub info: String,
    /// What the pictures are remapped to, compressed or not; empty where they are not.
    target: String,
}

impl CameraTopics {
    /// Follows the node's remapping rules.
    pub fn new(names: &TopicNames) -> Self {
        let target = |name: &str| Some(names.resolve(name)).filter(|full| *full != names.expand(name));
        // Of a camera that sends compressed pictures only, these are remapped.
        let compressed = || Some(target("image_raw/compressed")?.strip_suffix("/compressed")?.to_owned());
        let image = target("image_raw").or_else(compressed);
        let beside = |name: &str, neighbour: fn(&str) -> String| match (&image, target(name)) {
            (Some(image), None) => neighbour(image),
            _ => name.to_owned(),
        };
        Self {
            image: "image_raw".to_owned(),
            compressed: beside("image_raw/compressed", |image| format!("{image}/compressed")),
            info: beside("camera_info", |image| match image.rsplit_once('/') {
                Some((camera, _)) => format!("{camera}/camera_info"),
                None => "camera_info".to_owned(),
            }),
            target: image.unwrap_or_default(),
        }
    }

    /// Whether the pictures are straight already, as `image_proc` names those.
    pub fn is_rectified(&self) -> bool {
        geometry::is_rectified(&self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(arguments: &[&str]) -> CameraTopics {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        CameraTopics::new(&TopicNames::new("/spacer", "perception_node", arguments))
    }

    #[test]
    fn a_driver_s_topics_come_together() {
        let found = topics(&["perception_node", "--ros-args", "-r", "image_raw:=/front/rgb/image_raw"]);
        assert_eq!(found.compressed, "/front/rgb/image_raw/compressed");
        assert_eq!(found.info, "/front/rgb/camera_info");
        assert!(!found.is_rectified());
        let named = topics(&["--ros-args", "-r", "image_raw:=/front/image_rect", "-r", "camera_info:=/other/info"]);
        assert_eq!((named.info.as_str(), named.is_rectified()), ("camera_info", true), "remapped by itself");
        let compressed = topics(&["--ros-args", "-r", "image_raw/compressed:=/front/image_rect/compressed"]);
        assert_eq!((compressed.info.as_str(), compressed.is_rectified()), ("/front/camera_info", true));
        assert_eq!(compressed.compressed, "image_raw/compressed", "remapped by itself");
    }

    #[test]
    fn without_rules_names_are_the_node_s_own() {
        let found = topics(&["perception_node", "--ros-args", "-p", "model_dir:=models/rect"]);
        let names = (found.image.as_str(), found.compressed.as_str(), found.info.as_str());
        assert_eq!(names, ("image_raw", "image_raw/compressed", "camera_info"));
        assert!(!found.is_rectified());
    }
}
