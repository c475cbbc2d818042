//! Opening a bag, and finding its topics.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::channel::TopicInfo;
use crate::choice::{Choice, why_no_pictures};
use crate::contents::Contents;
use crate::damage::{Damage, DamageList};
use crate::data_file::DataFile;
use crate::error::{Error, Result};
use crate::files::{self, Found};
use crate::image_choice::{self, candidates, is_picture};
use crate::look::{Looks, look};
use crate::messages::{CompressedImage, Image, Odometry};
use crate::other_choices::{depth_order, is_depth, odometry_order};
use crate::pieces;
use crate::stream::Messages;

/// A recording of whoever made it: a rosbag2 folder, or one file of it, of MCAP or SQLite, plain or compressed by zstd.
pub struct BagReader {
    path: PathBuf,
    files: Vec<DataFile>,
    topics: Vec<TopicInfo>,
    damage: DamageList,
    /// How a user names a topic; `{role}` stands for what it is for.
    naming: &'static str,
    looks: OnceLock<Looks>,
}

impl BagReader {
    /// Opens a folder or a file, for reading only: nothing is written into it or beside it.
    ///
    /// # Errors
    /// When there is no recording, there are several, or none of its files can be opened. Damage within files, and
    /// files of the bag that are not there, are no such error: [`BagReader::damage`] and [`Messages::damage`] tell.
    pub fn open(path: &Path) -> Result<Self> {
        let Found { files: found, undeclared, types, mut damage } = files::find(path)?;
        let mut read: Vec<(PathBuf, Contents)> = Vec::new();
        let mut files = Vec::new();
        let mut first_error = None;
        for path in found {
            let opened = DataFile::new(&path, types.clone()).and_then(|file| Ok((file.contents()?, file)));
            match opened {
                Ok((contents, file)) => {
                    file.unfinished().into_iter().for_each(|unfinished| damage.push(unfinished));
                    read.push((path, contents));
                    files.push(file);
                }
                Err(error) => {
                    damage.push(Damage { path, messages: 0, reason: error.reason() });
                    first_error.get_or_insert(error);
                }
            }
        }
        if let Some(error) = first_error.filter(|_| files.is_empty()) {
            return Err(error);
        }
        if let Some(folder) = undeclared.filter(|folder| !pieces::are_one(folder, &read)) {
            let files: Vec<PathBuf> = read.into_iter().map(|(path, _)| path).collect();
            return Err(Error::several(&folder, &files));
        }
        let mut whole = Contents::default();
        read.iter().for_each(|(_, contents)| whole.extend(contents));
        let (path, naming) = (path.to_owned(), "its name");
        Ok(Self { path, files, topics: whole.topics, damage, naming, looks: OnceLock::new() })
    }

    /// Says in messages how a user of this program names a topic, for instance `--topic {role}=NAME`; `{role}` becomes
    /// `image`, `odom` or what else is looked for.
    #[must_use]
    pub fn named_by(self, naming: &'static str) -> Self {
        Self { naming, ..self }
    }

    /// The topics in the order of their names.
    pub fn topics(&self) -> &[TopicInfo] {
        &self.topics
    }

    /// What is known not to be readable before a message was read: files that are not there, or hold nothing.
    pub fn damage(&self) -> &[Damage] {
        self.damage.as_slice()
    }

    /// The messages of all topics in the order of recording.
    pub fn messages(&self) -> Messages {
        Messages::new(&self.files, self.damage.clone())
    }

    /// The topic of that name, or, where none is named, the camera's; see [`BagReader::image_choice`].
    ///
    /// # Errors
    /// As [`BagReader::image_choice`].
    pub fn image_topic(&self, named: Option<&str>) -> Result<&TopicInfo> {
        self.image_choice(named).map(|choice| choice.topic)
    }

    /// The topic of that name, or, where none is named, the only camera's: pictures that can be read and are no depth
    /// by their first message, colour before grey, raw before copies, what a camera sent before what programs made of
    /// it, the left of a stereo pair, the least processed of one camera.
    ///
    /// # Errors
    /// [`Error::Topic`] with all topics when the named one is absent or holds no images, or when none is named and
    /// there are none, or several cameras.
    pub fn image_choice(&self, named: Option<&str>) -> Result<Choice<'_>> {
        let holds_images = |topic: &TopicInfo| {
            topic.message_count > 0 && (topic.is::<Image<'_>>() || topic.is::<CompressedImage<'_>>())
        };
        if let Some(topic) = named.map(|name| self.named(name, "images", holds_images)).transpose()? {
            return Ok(self.choice("image", topic, Vec::new()));
        }
        let looks = self.looks();
        match candidates(&self.topics, looks).as_slice() {
            [topic] => {
                let of = image_choice::base_name(&topic.name);
                let is_other = |other: &&TopicInfo| image_choice::base_name(&other.name) != of;
                let others = self.topics.iter().filter(|other| is_picture(other, looks)).filter(is_other).collect();
                Ok(self.choice("image", topic, others))
            }
            several => {
                let one = if several.is_empty() { "an image topic" } else { "one image topic" };
                Err(self.wrong_topic(one, &self.found(several.len(), "image")))
            }
        }
    }

    /// The calibrations of an image topic's camera: `camera_info` beside it, as drivers name it.
    pub fn camera_info_topic(&self, image_topic: &str) -> Option<&TopicInfo> {
        image_choice::camera_info(&self.topics, image_topic)
    }

    /// The topic of that name, or, where none is named, the only topic that `fits`; `None` where there is no such
    /// topic. `role` and `what`: what it is for and what is looked for, in the error's words.
    ///
    /// # Errors
    /// [`Error::Topic`] with all topics when the named one is absent or doesn't fit, or when none is named and several
    /// fit.
    pub fn topic(
        &self,
        named: Option<&str>,
        (role, what): (&'static str, &str),
        fits: impl Fn(&TopicInfo) -> bool,
    ) -> Result<Option<&TopicInfo>> {
        if let Some(name) = named {
            return self.named(name, what, fits).map(Some);
        }
        match self.fitting(fits).as_slice() {
            [] => Ok(None),
            [topic] => Ok(Some(topic)),
            several => Err(self.wrong_topic(&format!("one topic of {what}"), &self.found(several.len(), role))),
        }
    }

    /// The topic of that name, or, where none is named, that of raw images of depth (by their encoding) which fits the
    /// images of `image_topic` best: in their pixels, in their frame, of their camera.
    ///
    /// # Errors
    /// [`Error::Topic`] when the named one is absent or holds no raw images.
    pub fn depth_choice(&self, named: Option<&str>, image_topic: &str) -> Result<Option<Choice<'_>>> {
        if let Some(name) = named {
            let topic = self.named(name, "depth images", |topic| topic.is::<Image<'_>>())?;
            return Ok(Some(self.choice("depth", topic, Vec::new())));
        }
        let raw = self.fitting(|topic| topic.is::<Image<'_>>() && topic.name != image_topic);
        if raw.is_empty() {
            return Ok(None);
        }
        let looks = self.looks();
        let depth = raw.into_iter().filter(|topic| is_depth(topic, looks)).collect();
        Ok(self.first("depth", depth_order(depth, looks, image_topic)))
    }

    /// The topic of that name, or, where none is named, that of odometry which tells best where the robot is whose
    /// images are on `image_topic`: that places its `base_frame`, is of its name space, fused of several sensors.
    ///
    /// # Errors
    /// [`Error::Topic`] when the named one is absent or holds no odometry.
    pub fn odometry_choice(
        &self,
        named: Option<&str>,
        image_topic: &str,
        base_frame: &str,
    ) -> Result<Option<Choice<'_>>> {
        if let Some(name) = named {
            let topic = self.named(name, "nav_msgs/msg/Odometry", |topic| topic.is::<Odometry>())?;
            return Ok(Some(self.choice("odom", topic, Vec::new())));
        }
        let odometry = self.fitting(|topic| topic.is::<Odometry>());
        if odometry.len() < 2 {
            return Ok(self.first("odom", odometry));
        }
        Ok(self.first("odom", odometry_order(odometry, self.looks(), image_topic, base_frame)))
    }

    fn looks(&self) -> &Looks {
        self.looks.get_or_init(|| look(&self.topics, self.messages()))
    }

    fn fitting(&self, fits: impl Fn(&TopicInfo) -> bool) -> Vec<&TopicInfo> {
        self.topics.iter().filter(|topic| topic.message_count > 0 && fits(topic)).collect()
    }

    fn named(&self, name: &str, what: &str, fits: impl Fn(&TopicInfo) -> bool) -> Result<&TopicInfo> {
        let found = self.topics.iter().find(|topic| topic.name.trim_start_matches('/') == name.trim_start_matches('/'));
        match found {
            Some(topic) if fits(topic) => Ok(topic),
            Some(topic) => Err(self.wrong_topic(&format!("{what} on {name}"), &of_type(topic))),
            None => Err(self.wrong_topic(&format!("topic {name}"), "none of that name")),
        }
    }

    fn choice<'a>(&self, role: &'static str, topic: &'a TopicInfo, others: Vec<&'a TopicInfo>) -> Choice<'a> {
        Choice { topic, others, role, naming: self.naming(role) }
    }

    fn first<'a>(&self, role: &'static str, mut ordered: Vec<&'a TopicInfo>) -> Option<Choice<'a>> {
        let topic = (!ordered.is_empty()).then(|| ordered.remove(0))?;
        Some(self.choice(role, topic, ordered))
    }

    fn naming(&self, role: &str) -> String {
        self.naming.replace("{role}", role)
    }

    fn found(&self, count: usize, role: &str) -> String {
        if count == 0 { "none".to_owned() } else { format!("{count}; choose one by {}", self.naming(role)) }
    }

    fn wrong_topic(&self, expected: &str, found: &str) -> Error {
        let topics = if self.topics.is_empty() { self.why_empty() } else { self.listed() };
        Error::Topic { path: self.path.clone(), expected: expected.to_owned(), found: found.to_owned(), topics }
    }

    fn listed(&self) -> String {
        let looks = self.looks();
        let line = |topic: &TopicInfo| {
            let why = why_no_pictures(topic, looks).map(|why| format!(": {why}")).unwrap_or_default();
            format!("\n  {} [{}] {} messages{why}", topic.name, topic.type_name, topic.message_count)
        };
        let lines: String = self.topics.iter().map(line).collect();
        format!("topics of the bag:{lines}")
    }

    fn why_empty(&self) -> String {
        let mut messages = self.messages();
        messages.by_ref().for_each(drop);
        let damage: String = messages.damage().iter().map(|damage| format!("\n  {damage}")).collect();
        if damage.is_empty() {
            "the bag has no topics: nothing was recorded".to_owned()
        } else {
            format!("the bag has no topics that could be read:{damage}")
        }
    }
}

fn of_type(topic: &TopicInfo) -> String {
    match topic.message_count {
        0 => format!("{} without messages", topic.type_name),
        _ => topic.type_name.clone(),
    }
}
