//! Which topic of a bag plays which role.

use std::collections::BTreeMap;
use std::str::FromStr;

use recording::messages::{CameraInfo, RosMessage, StringMessage};
use recording::range_messages::{LaserScan, Range};
use recording::spacer_messages::{AnswerFeedback, SpatialAnswer, SpatialQuery};
use recording::{BagReader, Choice, TopicInfo, is_sim_truth};

use super::BagSettings;
use crate::Result;

/// What a topic is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Role {
    Image,
    CameraInfo,
    Odometry,
    Depth,
    Range,
    Ask,
    Query,
    Answer,
    Feedback,
    Truth,
}

const ROLES: [(&str, Role); 10] = [
    ("image", Role::Image),
    ("camera_info", Role::CameraInfo),
    ("odom", Role::Odometry),
    ("depth", Role::Depth),
    ("range", Role::Range),
    ("ask", Role::Ask),
    ("query", Role::Query),
    ("answer", Role::Answer),
    ("feedback", Role::Feedback),
    ("truth", Role::Truth),
];

impl Role {
    /// As users write it.
    fn name(self) -> &'static str {
        ROLES.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let role = ROLES.iter().find(|(name, _)| *name == text).map(|(_, role)| *role);
        let names = ROLES.map(|(name, _)| name).join(", ");
        role.ok_or_else(|| format!("role: expected one of {names}, found {text:?}"))
    }
}

/// Names of topics by role, where they are not to be found by their types; an empty name = none.
pub type TopicNames = BTreeMap<Role, String>;

/// The topics of one bag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Topics {
    pub image: String,
    pub camera_info: Option<String>,
    pub odometry: Option<String>,
    pub depth: Option<String>,
    /// Laser scans and range finders: each measures what it sees.
    pub ranges: Vec<String>,
    pub ask: Option<String>,
    pub query: Option<String>,
    pub answer: Option<String>,
    pub feedback: Option<String>,
    pub truth: Option<String>,
}

impl Topics {
    /// Finds the topics: those named, else the camera's, the odometry and depth that fit it best, and the only one of
    /// the type of all others, for `ask` and `truth` also of that name; of laser scans and range finders all. Says in
    /// words where several could have been meant.
    pub fn find(bag: &BagReader, settings: &BagSettings) -> Result<(Self, Vec<String>)> {
        let names = &settings.topics;
        let named = |role: Role| names.get(&role).map(String::as_str);
        let chosen = bag.image_choice(named(Role::Image))?;
        let image = chosen.topic.name.clone();
        let is_none = |role: Role| named(role) == Some("");
        let odometry = if is_none(Role::Odometry) {
            None
        } else {
            bag.odometry_choice(named(Role::Odometry), &image, &settings.base_frame)?
        };
        let depth = if is_none(Role::Depth) { None } else { bag.depth_choice(named(Role::Depth), &image)? };
        let choices = [Some(&chosen), odometry.as_ref(), depth.as_ref()];
        let notes = choices.into_iter().flatten().filter_map(Choice::note).collect();
        let find = |role: Role, what: &str, fits: &dyn Fn(&TopicInfo) -> bool| {
            if is_none(role) {
                return Ok(None);
            }
            bag.topic(named(role), (role.name(), what), fits).map(|topic| topic.map(|topic| topic.name.clone()))
        };
        let camera_info = match named(Role::CameraInfo) {
            None => bag.camera_info_topic(&image).map(|topic| topic.name.clone()),
            Some(_) => find(Role::CameraInfo, CameraInfo::TYPE_NAME, &|topic| topic.is::<CameraInfo>())?,
        };
        let is_named = |role| named(role).is_some();
        let measures = |topic: &TopicInfo| topic.is::<LaserScan>() || topic.is::<Range>();
        let ranges = match named(Role::Range) {
            Some(_) => find(Role::Range, "ranges", &measures)?.into_iter().collect(),
            None => bag.topics().iter().filter(|topic| measures(topic)).map(|topic| topic.name.clone()).collect(),
        };
        let name_of = |choice: Option<Choice<'_>>| choice.map(|choice| choice.topic.name.clone());
        let found = Self {
            camera_info,
            odometry: name_of(odometry),
            depth: name_of(depth).filter(|name| *name != image),
            ranges,
            ask: find(Role::Ask, StringMessage::TYPE_NAME, &|topic| {
                topic.is::<StringMessage>() && (is_named(Role::Ask) || topic.name.ends_with("/ask"))
            })?,
            query: find(Role::Query, SpatialQuery::TYPE_NAME, &|topic| topic.is::<SpatialQuery>())?,
            answer: find(Role::Answer, SpatialAnswer::TYPE_NAME, &|topic| topic.is::<SpatialAnswer>())?,
            feedback: find(Role::Feedback, AnswerFeedback::TYPE_NAME, &|topic| topic.is::<AnswerFeedback>())?,
            truth: find(Role::Truth, StringMessage::TYPE_NAME, &|topic| {
                topic.is::<StringMessage>() && (is_named(Role::Truth) || is_sim_truth(topic))
            })?,
            image,
        };
        Ok((found, notes))
    }
}
