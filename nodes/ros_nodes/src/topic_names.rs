//! Under which names the graph knows the topics of this node: relative names in its namespace, remapped as
//! the command line says. rcl resolves them where it subscribes; whoever asks the graph about a topic has to
//! do the same.

/// Name and remappings of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicNames {
    namespace: String,
    node: String,
    /// For which node (empty = every one), from, to.
    rules: Vec<(String, String, String)>,
}

impl TopicNames {
    /// For the node `node` in `namespace`, started with `arguments`.
    pub fn new(namespace: &str, node: &str, arguments: impl Iterator<Item = String>) -> Self {
        let mut names = Self { namespace: namespace.to_owned(), node: node.to_owned(), rules: Vec::new() };
        let (mut is_ros, mut is_rule) = (false, false);
        for argument in arguments {
            match argument.as_str() {
                "--ros-args" => is_ros = true,
                "--" => is_ros = false,
                "-r" | "--remap" if is_ros => {
                    is_rule = true;
                    continue;
                }
                rule if is_rule => names.rules.extend(parsed(rule)),
                _ => {}
            }
            is_rule = false;
        }
        names
    }

    /// The full name of `topic`, for instance `/spacer/image_raw`.
    pub fn resolve(&self, topic: &str) -> String {
        let full = self.expand(topic);
        let applies = |(node, from, _): &&(String, String, String)| {
            (node.is_empty() || *node == self.node) && self.expand(from) == full
        };
        self.rules.iter().find(applies).map_or(full.clone(), |(_, _, to)| self.expand(to))
    }

    /// As it would be without remappings.
    pub fn expand(&self, topic: &str) -> String {
        let namespace = self.namespace.trim_end_matches('/');
        if topic.starts_with('/') {
            topic.to_owned()
        } else if let Some(own) = topic.strip_prefix('~') {
            format!("{namespace}/{}{own}", self.node)
        } else {
            format!("{namespace}/{topic}")
        }
    }
}

/// `from:=to`, `node:from:=to` and `rostopic://from:=to`; rules for other things (`__ns`, services) are none
/// of a topic.
fn parsed(rule: &str) -> Option<(String, String, String)> {
    let (from, to) = rule.split_once(":=")?;
    let scheme_less = from.strip_prefix("rostopic://");
    let (node, from) = scheme_less.map_or_else(|| from.split_once(':').unwrap_or(("", from)), |from| ("", from));
    let is_topic = !from.starts_with("__") && !from.starts_with("//");
    is_topic.then(|| (node.to_owned(), from.to_owned(), to.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> TopicNames {
        TopicNames::new("/robot", "perception_node", arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn names_are_those_of_the_graph() {
        let plain = names(&["perception_node"]);
        assert_eq!(plain.resolve("odom"), "/robot/odom");
        assert_eq!(plain.resolve("/tf"), "/tf");
        assert_eq!(plain.resolve("~/state"), "/robot/perception_node/state");
        assert_eq!(TopicNames::new("/", "n", std::iter::empty()).resolve("odom"), "/odom");
    }

    #[test]
    fn remappings_of_the_command_line_are_followed() {
        let names = names(&[
            "perception_node",
            "-r",
            "odom:=/not/ros",
            "--ros-args",
            "-r",
            "__ns:=/robot",
            "-r",
            "odom:=/odom",
            "--remap",
            "image_raw:=front/rgb",
            "-r",
            "camera_node:scan:=/theirs",
            "-r",
            "perception_node:scan:=/mine",
            "-r",
            "rostopic://range:=/sonar",
            "-r",
            "/tf:=tf",
            "-p",
            "model_dir:=x",
            "--",
            "-r",
            "range:=/none",
        ]);
        for (topic, expected) in [
            ("odom", "/odom"),
            ("image_raw", "/robot/front/rgb"),
            ("/robot/image_raw", "/robot/front/rgb"),
            ("image_raw/compressed", "/robot/image_raw/compressed"),
            ("scan", "/mine"),
            ("range", "/sonar"),
            ("/tf", "/robot/tf"),
        ] {
            assert_eq!(names.resolve(topic), expected, "{topic}");
        }
    }
}
