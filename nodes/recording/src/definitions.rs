//! Definitions of message types: the `ros2msg` schema that a channel carries, with every type that it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Between the definitions of one schema (<https://mcap.dev/spec/registry#ros2msg>).
const SEPARATOR: &str = "================================================================================";
const STANDARD: &str = include_str!("standard.ros2msg");
/// Types without a definition of their own.
const PRIMITIVES: [&str; 17] = [
    "bool", "byte", "char", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64",
    "uint64", "string", "wstring", "time", "duration",
];

/// Where definitions come from: the prefixes of a ROS installation, then those built in.
pub struct Definitions {
    prefixes: Vec<PathBuf>,
    built_in: BTreeMap<&'static str, &'static str>,
}

impl Definitions {
    /// `ament_prefix_path`: as in the environment, prefixes joined by colons; empty for those built in only.
    pub fn new(ament_prefix_path: &str) -> Self {
        let standard = STANDARD.split("MSG: ").filter_map(|section| section.split_once('\n'));
        Self {
            prefixes: ament_prefix_path.split(':').filter(|part| !part.is_empty()).map(PathBuf::from).collect(),
            built_in: standard.chain(msgs::DEFINITIONS).collect(),
        }
    }

    /// The schema of a type, for instance `sensor_msgs/msg/Image`.
    ///
    /// # Errors
    /// [`Error::Definition`] when it or a type that it uses is unknown.
    pub fn schema(&self, type_name: &str) -> Result<String> {
        let root = short_name(type_name);
        let mut schema = self.find(&root).ok_or_else(|| missing(type_name, &root))?;
        let mut seen = BTreeSet::from([root.clone()]);
        let mut open = dependencies(&root, &schema);
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let text = self.find(&name).ok_or_else(|| missing(type_name, &name))?;
            open.extend(dependencies(&name, &text));
            schema = format!("{}\n{SEPARATOR}\nMSG: {name}\n{text}", schema.trim_end());
        }
        Ok(schema)
    }

    fn find(&self, name: &str) -> Option<String> {
        let (package, message) = name.split_once('/')?;
        let relative = Path::new("share").join(package).join("msg").join(format!("{message}.msg"));
        let installed = self.prefixes.iter().find_map(|prefix| std::fs::read_to_string(prefix.join(&relative)).ok());
        installed.or_else(|| self.built_in.get(name).map(|text| (*text).to_owned()))
    }
}

fn missing(type_name: &str, missing: &str) -> Error {
    Error::Definition { type_name: type_name.to_owned(), missing: missing.to_owned() }
}

/// `sensor_msgs/Image` for `sensor_msgs/msg/Image`; both are in use.
pub(crate) fn short_name(type_name: &str) -> String {
    type_name.replacen("/msg/", "/", 1)
}

/// The types, without primitives, of the fields of one definition.
fn dependencies(name: &str, text: &str) -> Vec<String> {
    let package = name.split('/').next().unwrap_or_default();
    let types = text.lines().filter_map(|line| line.split('#').next()?.split_whitespace().next());
    let elements = types.map(|field| field.split(['[', '<']).next().unwrap_or(field));
    let complex = elements.filter(|element| !PRIMITIVES.contains(element));
    complex
        .map(|element| if element.contains('/') { short_name(element) } else { format!("{package}/{element}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_holds_every_type_that_it_uses_once() {
        let schema = Definitions::new("").schema("spacer_msgs/msg/SpatialAnswer").unwrap();
        let names: Vec<&str> = schema.lines().filter_map(|line| line.strip_prefix("MSG: ")).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        let expected = [
            "builtin_interfaces/Time",
            "geometry_msgs/Point",
            "geometry_msgs/Pose",
            "geometry_msgs/Quaternion",
            "spacer_msgs/ImaginedMap",
            "spacer_msgs/MapObject",
            "spacer_msgs/Timing",
            "std_msgs/Header",
        ];
        assert_eq!(sorted, expected);
        assert_eq!(schema.matches(SEPARATOR).count(), expected.len());
    }

    #[test]
    fn every_type_of_an_episode_is_built_in() {
        let definitions = Definitions::new("");
        for name in definitions.built_in.keys() {
            assert!(definitions.schema(name).is_ok_and(|schema| !schema.is_empty()), "{name}");
        }
    }

    #[test]
    fn an_installation_is_asked_first_and_the_unknown_is_named() {
        let prefix = tempfile::tempdir().unwrap();
        let folder = prefix.path().join("share/my_msgs/msg");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            folder.join("A.msg"),
            "int8 X=1 # no/Type\nstring<=5[<=3] names\nB[2] pair\nstd_msgs/Header h\n",
        )
        .unwrap();
        let definitions = Definitions::new(&format!("/nowhere:{}", prefix.path().display()));
        let error = definitions.schema("my_msgs/msg/A").unwrap_err();
        assert_eq!(error.to_string(), "my_msgs/msg/A: expected a definition of my_msgs/B, found none");
        std::fs::write(folder.join("B.msg"), "float64 x\n").unwrap();
        assert!(definitions.schema("my_msgs/msg/A").unwrap().contains("MSG: my_msgs/B\nfloat64 x"));
    }
}
