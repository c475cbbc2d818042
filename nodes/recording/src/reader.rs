//! Opening a bag, and finding its topics.

use std::path::{Path, PathBuf};

use crate::contents::{Contents, TopicInfo};
use crate::error::{Error, Result};
use crate::messages::{CameraInfo, CompressedImage, Image};
use crate::metadata;
use crate::stream::Messages;

/// What `image_transport` puts behind the name of the raw topic.
const COMPRESSED: &str = "/compressed";
/// What the names of depth topics have in common (REP-118 and its users).
const DEPTH: &str = "depth";

/// A rosbag2 folder of MCAP files, or one such file, of whoever recorded it.
pub struct BagReader {
    files: Vec<PathBuf>,
    topics: Vec<TopicInfo>,
}

impl BagReader {
    /// Opens a folder or a file. A folder without `metadata.yaml`, as a crash leaves it, gets a new one where it can
    /// be written.
    ///
    /// # Errors
    /// When there is no bag, it is of another storage, or a file of it can't be opened. Damage within files is no such
    /// error: [`Messages::damage`] tells.
    pub fn open(path: &Path) -> Result<Self> {
        let listed = if path.is_dir() { metadata::read_files(path)? } else { None };
        let found = match (&listed, path.is_dir()) {
            (Some(files), _) => files.clone(),
            (None, true) => mcap_files(path)?,
            (None, false) => vec![path.to_owned()],
        };
        if found.is_empty() || !path.exists() {
            return Err(Error::NoBag(path.to_owned()));
        }
        let mut whole = Contents::default();
        let mut named = Vec::new();
        for file in &found {
            let contents = Contents::of_file(file)?;
            whole.extend(&contents);
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            named.push((name, contents));
        }
        if listed.is_none() && path.is_dir() {
            // The bag reads without; a folder of somebody else stays as it is.
            let _ = metadata::write(path, &named);
        }
        Ok(Self { files: found, topics: whole.topics })
    }

    /// The topics in the order of their names.
    pub fn topics(&self) -> &[TopicInfo] {
        &self.topics
    }

    /// The messages of all topics in the order of recording.
    pub fn messages(&self) -> Messages {
        Messages::new(self.files.iter().cloned())
    }

    /// The topic of that name, or, where none is named, the only topic of colour or grey images; a raw topic goes before
    /// its own compressed one, and a topic with `depth` in its name is none.
    ///
    /// # Errors
    /// [`Error::Topic`] with all topics when the named one is absent or holds no images, or when none is named and
    /// there is not exactly one.
    pub fn image_topic(&self, named: Option<&str>) -> Result<&TopicInfo> {
        let images: Vec<&TopicInfo> = self.topics.iter().filter(|topic| holds_images(topic)).collect();
        if named.is_some()
            && let Some(topic) = self.topic(named, "images", holds_images)?
        {
            return Ok(topic);
        }
        let is_raw = |raw: &str| images.iter().any(|image| image.name == raw);
        let is_copy = |image: &TopicInfo| image.name.strip_suffix(COMPRESSED).is_some_and(is_raw);
        let chosen: Vec<&TopicInfo> =
            images.iter().filter(|image| !is_copy(image) && !image.name.contains(DEPTH)).copied().collect();
        match chosen.as_slice() {
            [topic] => Ok(topic),
            _ => Err(self.wrong_topic("one image topic", &format!("{}; name one", chosen.len()))),
        }
    }

    /// The calibrations of an image topic's camera: `camera_info` beside it, as drivers name it.
    pub fn camera_info_topic(&self, image_topic: &str) -> Option<&TopicInfo> {
        let raw = image_topic.strip_suffix(COMPRESSED).unwrap_or(image_topic);
        let camera = raw.rsplit_once('/').map_or("", |(camera, _)| camera);
        let name = format!("{camera}/camera_info");
        self.topics.iter().find(|topic| topic.name == name && topic.is::<CameraInfo>())
    }

    /// The topic of that name, or, where none is named, the only topic that `fits`; `None` where there is no such topic.
    ///
    /// # Errors
    /// [`Error::Topic`] with all topics when the named one is absent or doesn't fit, or when none is named and several
    /// fit. `what`: what is looked for, in the error's words.
    pub fn topic(
        &self,
        named: Option<&str>,
        what: &str,
        fits: impl Fn(&TopicInfo) -> bool,
    ) -> Result<Option<&TopicInfo>> {
        if let Some(name) = named {
            let found =
                self.topics.iter().find(|topic| topic.name.trim_start_matches('/') == name.trim_start_matches('/'));
            return match found {
                Some(topic) if fits(topic) => Ok(Some(topic)),
                Some(topic) => Err(self.wrong_topic(&format!("{what} on {name}"), &topic.type_name)),
                None => Err(self.wrong_topic(&format!("topic {name}"), "none of that name")),
            };
        }
        let fitting: Vec<&TopicInfo> =
            self.topics.iter().filter(|topic| topic.message_count > 0 && fits(topic)).collect();
        match fitting.as_slice() {
            [] => Ok(None),
            [topic] => Ok(Some(topic)),
            _ => Err(self.wrong_topic(&format!("one topic of {what}"), &format!("{}; name one", fitting.len()))),
        }
    }

    /// The topic of that name, or, where none is named, the only topic of raw images with `depth` in its name.
    ///
    /// # Errors
    /// As [`BagReader::topic`].
    pub fn depth_topic(&self, named: Option<&str>) -> Result<Option<&TopicInfo>> {
        let is_named = named.is_some();
        self.topic(named, "depth images", |topic| topic.is::<Image<'_>>() && (is_named || topic.name.contains(DEPTH)))
    }

    fn wrong_topic(&self, expected: &str, found: &str) -> Error {
        let line =
            |topic: &TopicInfo| format!("  {} [{}] {} messages", topic.name, topic.type_name, topic.message_count);
        let topics: Vec<String> = self.topics.iter().map(line).collect();
        Error::Topic { expected: expected.to_owned(), found: found.to_owned(), topics: topics.join("\n") }
    }
}

fn holds_images(topic: &TopicInfo) -> bool {
    topic.message_count > 0 && (topic.is::<Image<'_>>() || topic.is::<CompressedImage<'_>>())
}

/// The MCAP files of a folder in the order of recording: `bag_10` comes behind `bag_9`.
fn mcap_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "mcap"));
    files.sort_by_cached_key(|path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let number = stem.rsplit_once('_').and_then(|(_, number)| number.parse::<u64>().ok());
        (number, stem)
    });
    Ok(files)
}
