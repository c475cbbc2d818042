//! What a robot can ask.

use serde::{Deserialize, Serialize};

/// The kind of a question, which fixes the type and the unit of its answer.
///
/// Names of VSI-Bench (arXiv 2412.14171) where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuestionKind {
    /// "How far is the door?": plan distance in metres from the camera's ground point at the newest frame to the
    /// closest point of the object.
    EgoDistance,
    /// "How many chairs are there?": number of instances seen in the window.
    ObjectCounting,
    /// A question of no kind above; its answer is text.
    FreeForm,
}

impl QuestionKind {
    /// Every kind, in a fixed order.
    pub const ALL: [Self; 3] = [Self::EgoDistance, Self::ObjectCounting, Self::FreeForm];

    /// The unit of a numeric answer of this kind; [`Unit::None`] for text.
    pub fn unit(self) -> Unit {
        match self {
            Self::EgoDistance => Unit::Metre,
            Self::ObjectCounting => Unit::Count,
            Self::FreeForm => Unit::None,
        }
    }

    /// The name used in files and in ROS messages, for instance `ego_distance`.
    pub fn name(self) -> &'static str {
        match self {
            Self::EgoDistance => "ego_distance",
            Self::ObjectCounting => "object_counting",
            Self::FreeForm => "free_form",
        }
    }
}

/// The unit of a numeric answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// The answer is not a number.
    None,
    /// Metres, written `m`.
    Metre,
    /// A number of instances; written as the empty string.
    Count,
}

impl Unit {
    /// The symbol written in messages: `m`, or the empty string.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Metre => "m",
            Self::None | Self::Count => "",
        }
    }
}

/// One question, as it arrives over ROS, zenoh or the command line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpatialQuery {
    /// Chosen by the asker; copied into the answer. Empty = the node makes one.
    pub query_id: String,
    /// The question, in words.
    pub text: String,
    /// The texts of a multiple-choice question; empty for an open one.
    pub options: Vec<String>,
    /// Seconds after arrival at which the asker no longer wants an answer; 0 = the node's own limit.
    pub deadline_secs: f64,
}
