//! What `metadata.yaml` says about a bag, as far as it can be understood.
//!
//! Read at any version, and only for what the files may not say themselves: their order, and types of topics. A bag
//! whose file is missing, empty or damaged is read without; paths in it never lead out of its folder.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::metadata::FILE_NAME;
use crate::regular;

/// Endings of files that were compressed as a whole.
pub(crate) const PACKED_ENDS: [&str; 2] = [".zstd", ".zst"];
/// More of the file is not looked at.
const MOST_BYTES: u64 = 16 << 20;

#[derive(Deserialize)]
struct Document {
    rosbag2_bagfile_information: Information,
}

#[derive(Deserialize)]
struct Information {
    #[serde(default)]
    relative_file_paths: Vec<PathBuf>,
    #[serde(default)]
    topics_with_message_count: Vec<Topic>,
}

#[derive(Deserialize)]
struct Topic {
    topic_metadata: TopicMetadata,
}

#[derive(Deserialize)]
struct TopicMetadata {
    name: String,
    r#type: String,
}

/// What the file says; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Files in the order of recording, as written.
    pub files: Vec<PathBuf>,
    /// Types by topic.
    pub types: BTreeMap<String, String>,
}

impl Listed {
    /// Reads a folder's file.
    pub fn of(folder: &Path) -> Self {
        let mut text = String::new();
        let file = regular::open(&folder.join(FILE_NAME));
        let read = file.and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
        let document = read.ok().and_then(|_| serde_yaml_ng::from_str::<Document>(&text).ok());
        let Some(Document { rosbag2_bagfile_information: information }) = document else { return Self::default() };
        let topics = information.topics_with_message_count.into_iter().map(|topic| topic.topic_metadata);
        Self { files: information.relative_file_paths, types: topics.map(|topic| (topic.name, topic.r#type)).collect() }
    }
}

/// A listed file where it lies in the folder, packed or unpacked since; `None` where it doesn't.
pub(crate) fn locate(folder: &Path, listed: &Path) -> Option<PathBuf> {
    let stays = listed.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let inside = stays.then(|| folder.join(listed));
    // The earliest versions put the folder's own name in front; folders move.
    let moved = listed.file_name().map(|name| folder.join(name));
    let whole = inside.iter().chain(moved.iter());
    whole.flat_map(|path| forms(path)).find(|path| path.is_file())
}

/// A path unpacked, as it is, and packed.
fn forms(path: &Path) -> Vec<PathBuf> {
    let unpacked = unpacked_name(path);
    let packed = PACKED_ENDS.iter().map(|end| {
        let mut name = unpacked.clone().into_os_string();
        name.push(end);
        PathBuf::from(name)
    });
    [unpacked.clone()].into_iter().chain(packed).collect()
}

/// A path without the ending that compression as a whole gave it.
pub(crate) fn unpacked_name(path: &Path) -> PathBuf {
    let is_packed = path.extension().is_some_and(|end| PACKED_ENDS.iter().any(|packed| packed[1..] == *end));
    if is_packed { path.with_extension("") } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_file_is_found_in_its_folder_and_nowhere_else() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("bag");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(scratch.path().join("secret.mcap"), "").unwrap();
        for name in ["bag_0.mcap", "bag_1.mcap.zstd"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let found = |listed: &str| {
            locate(&folder, Path::new(listed)).map(|path| path.strip_prefix(&folder).unwrap().to_owned())
        };
        let is = |listed: &str, expected: &str| assert_eq!(found(listed), Some(PathBuf::from(expected)), "{listed}");
        is("bag_0.mcap", "bag_0.mcap");
        is("bag_0.mcap.zstd", "bag_0.mcap");
        is("bag_1.mcap", "bag_1.mcap.zstd");
        is("bag/bag_0.mcap", "bag_0.mcap");
        is("/home/robot/bag/bag_0.mcap", "bag_0.mcap");
        is("../elsewhere/bag_0.mcap", "bag_0.mcap");
        for outside in ["../secret.mcap", "/etc/passwd", "..", "", "bag_7.mcap"] {
            assert_eq!(found(outside), None, "{outside}");
        }
        let absolute = scratch.path().join("secret.mcap");
        assert_eq!(locate(&folder, &absolute), None);
    }
}
