//! `metadata.yaml`, the file that makes a folder a rosbag2 bag.
//!
//! Written at version 5, which Humble and everything since reads.

use std::fs::File;
use std::path::Path;

use serde::Serialize;

use crate::channel::CDR;
use crate::contents::Contents;
use crate::error::{Error, Result};

/// Its name in the bag's folder.
pub(crate) const FILE_NAME: &str = "metadata.yaml";
const VERSION: u32 = 5;
const STORAGE: &str = "mcap";

#[derive(Serialize)]
struct Document {
    rosbag2_bagfile_information: Information,
}

#[derive(Serialize)]
struct Information {
    version: u32,
    storage_identifier: &'static str,
    duration: Duration,
    starting_time: StartingTime,
    message_count: u64,
    topics_with_message_count: Vec<TopicWithCount>,
    compression_format: &'static str,
    compression_mode: &'static str,
    relative_file_paths: Vec<String>,
    files: Vec<FileInformation>,
}

#[derive(Serialize)]
struct Duration {
    nanoseconds: u64,
}

#[derive(Serialize)]
struct StartingTime {
    nanoseconds_since_epoch: u64,
}

#[derive(Serialize)]
struct TopicWithCount {
    topic_metadata: TopicMetadata,
    message_count: u64,
}

#[derive(Serialize)]
struct TopicMetadata {
    name: String,
    r#type: String,
    serialization_format: &'static str,
    offered_qos_profiles: String,
}

#[derive(Serialize)]
struct FileInformation {
    path: String,
    starting_time: StartingTime,
    duration: Duration,
    message_count: u64,
}

/// Writes the file: whole or not at all. `files`: names within `folder`, with what is in them.
///
/// # Errors
/// When the folder can't be written.
pub(crate) fn write(folder: &Path, files: &[(String, Contents)]) -> Result<()> {
    let path = folder.join(FILE_NAME);
    let document = document(files).map_err(|source| Error::Metadata { path: path.clone(), source })?;
    let text = serde_yaml_ng::to_string(&document).map_err(|source| Error::Metadata { path: path.clone(), source })?;
    let unfinished = folder.join("metadata.yaml.part");
    let written = std::fs::write(&unfinished, text)
        .and_then(|()| File::open(&unfinished)?.sync_all())
        .and_then(|()| std::fs::rename(&unfinished, &path));
    written.map_err(|source| {
        // What is left of it is of no use to anybody, and the first error is the one to tell.
        let _ = std::fs::remove_file(&unfinished);
        Error::io(&path)(source)
    })?;
    sync(folder)
}

/// Brings the names in a folder onto the disk.
pub(crate) fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io(folder))
}

fn document(files: &[(String, Contents)]) -> std::result::Result<Document, serde_yaml_ng::Error> {
    let mut whole = Contents::default();
    for (_, contents) in files {
        whole.extend(contents);
    }
    let topics = whole.topics.iter().map(|topic| {
        Ok(TopicWithCount {
            topic_metadata: TopicMetadata {
                name: topic.name.clone(),
                r#type: topic.type_name.clone(),
                serialization_format: CDR,
                offered_qos_profiles: topic.qos.map(|qos| qos.to_yaml()).transpose()?.unwrap_or_default(),
            },
            message_count: topic.message_count,
        })
    });
    Ok(Document {
        rosbag2_bagfile_information: Information {
            version: VERSION,
            storage_identifier: STORAGE,
            duration: duration(&whole),
            starting_time: starting_time(&whole),
            message_count: whole.message_count(),
            topics_with_message_count: topics.collect::<std::result::Result<_, serde_yaml_ng::Error>>()?,
            compression_format: "",
            compression_mode: "",
            relative_file_paths: files.iter().map(|(name, _)| name.clone()).collect(),
            files: files.iter().map(|(name, contents)| file_information(name, contents)).collect(),
        },
    })
}

fn file_information(name: &str, contents: &Contents) -> FileInformation {
    FileInformation {
        path: name.to_owned(),
        starting_time: starting_time(contents),
        duration: duration(contents),
        message_count: contents.message_count(),
    }
}

fn starting_time(contents: &Contents) -> StartingTime {
    StartingTime { nanoseconds_since_epoch: contents.log_times_nanos.map_or(0, |(first, _)| first) }
}

fn duration(contents: &Contents) -> Duration {
    Duration { nanoseconds: contents.log_times_nanos.map_or(0, |(first, last)| last - first) }
}
