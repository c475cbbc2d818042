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
    /// A question of no other kind; its answer is text.
    FreeForm,
    /// "How far is the chair from the table?": metres between the closest points of two objects.
    ObjectAbsDistance,
    /// "How big is the table?": the longest side of its box, centimetres.
    ObjectSizeEstimation,
    /// "How big is the room?": floor area in square metres.
    RoomSizeEstimation,
    /// "Which is nearest to the sofa: the bed, the desk or the door?": one of the classes named.
    ObjectRelDistance,
    /// "Standing at the bed and facing the door, is the desk on my left or on my right?"
    ObjectRelDirectionEasy,
    /// The same, left, right or behind.
    ObjectRelDirectionMedium,
    /// The same, front-left, front-right, back-left or back-right.
    ObjectRelDirectionHard,
    /// "Which turns lead from the bed past the desk to the door?"
    RoutePlanning,
    /// "In what order did you first see the bed, the desk, the door and the sofa?"
    ObjAppearanceOrder,
    /// "Where is the door?", "is the sofa left of me?": a side or an hour of the clock, from the camera at the newest
    /// frame.
    EgoDirection,
    /// "How far did I move?": metres on the floor between the camera's first and newest position.
    CameraDistance,
    /// "Which way did I move?": the newest position as seen from the first one.
    CameraDirection,
    /// "How much did I turn?": degrees between the first and the newest heading, 0..=180.
    CameraTurn,
    /// "Which way did I turn?": a side, and whether by more than a right angle.
    CameraTurnSide,
}

impl QuestionKind {
    /// Every kind, in a fixed order that only grows at its end.
    pub const ALL: [Self; 17] = [
        Self::EgoDistance,
        Self::ObjectCounting,
        Self::FreeForm,
        Self::ObjectAbsDistance,
        Self::ObjectSizeEstimation,
        Self::RoomSizeEstimation,
        Self::ObjectRelDistance,
        Self::ObjectRelDirectionEasy,
        Self::ObjectRelDirectionMedium,
        Self::ObjectRelDirectionHard,
        Self::RoutePlanning,
        Self::ObjAppearanceOrder,
        Self::EgoDirection,
        Self::CameraDistance,
        Self::CameraDirection,
        Self::CameraTurn,
        Self::CameraTurnSide,
    ];

    /// The unit of a numeric answer of this kind; [`Unit::None`] for text.
    pub fn unit(self) -> Unit {
        match self {
            Self::EgoDistance | Self::ObjectAbsDistance | Self::CameraDistance => Unit::Metre,
            Self::ObjectSizeEstimation => Unit::Centimetre,
            Self::RoomSizeEstimation => Unit::SquareMetre,
            Self::CameraTurn => Unit::Degree,
            Self::ObjectCounting => Unit::Count,
            Self::FreeForm
            | Self::ObjectRelDistance
            | Self::ObjectRelDirectionEasy
            | Self::ObjectRelDirectionMedium
            | Self::ObjectRelDirectionHard
            | Self::RoutePlanning
            | Self::ObjAppearanceOrder
            | Self::EgoDirection
            | Self::CameraDirection
            | Self::CameraTurnSide => Unit::None,
        }
    }

    /// The name used in files and in ROS messages, for instance `ego_distance`.
    pub fn name(self) -> &'static str {
        match self {
            Self::EgoDistance => "ego_distance",
            Self::ObjectCounting => "object_counting",
            Self::FreeForm => "free_form",
            Self::ObjectAbsDistance => "object_abs_distance",
            Self::ObjectSizeEstimation => "object_size_estimation",
            Self::RoomSizeEstimation => "room_size_estimation",
            Self::ObjectRelDistance => "object_rel_distance",
            Self::ObjectRelDirectionEasy => "object_rel_direction_easy",
            Self::ObjectRelDirectionMedium => "object_rel_direction_medium",
            Self::ObjectRelDirectionHard => "object_rel_direction_hard",
            Self::RoutePlanning => "route_planning",
            Self::ObjAppearanceOrder => "obj_appearance_order",
            Self::EgoDirection => "ego_direction",
            Self::CameraDistance => "camera_distance",
            Self::CameraDirection => "camera_direction",
            Self::CameraTurn => "camera_turn",
            Self::CameraTurnSide => "camera_turn_side",
        }
    }

    /// The kind of this [name](Self::name); `None` where there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What is asked, in plain words for a person, for instance `distances`.
    pub fn title(self) -> &'static str {
        match self {
            Self::EgoDistance => "distances",
            Self::ObjectCounting => "counts",
            Self::FreeForm => "anything else",
            Self::ObjectAbsDistance => "distances between two things",
            Self::ObjectSizeEstimation => "sizes",
            Self::RoomSizeEstimation => "the size of the room",
            Self::ObjectRelDistance => "what is nearest",
            Self::ObjectRelDirectionEasy => "left or right of somebody else",
            Self::ObjectRelDirectionMedium => "left, right or behind somebody else",
            Self::ObjectRelDirectionHard => "quarters around somebody else",
            Self::RoutePlanning => "the turns of a route",
            Self::ObjAppearanceOrder => "the order of appearance",
            Self::EgoDirection => "directions",
            Self::CameraDistance => "how far the camera moved",
            Self::CameraDirection => "which way it moved",
            Self::CameraTurn => "how much it turned",
            Self::CameraTurnSide => "which way it turned",
        }
    }

    /// A question of this kind, in words that are read as it.
    pub fn example(self) -> &'static str {
        match self {
            Self::EgoDistance => "how far is the door?",
            Self::ObjectCounting => "how many chairs are there?",
            Self::FreeForm => "what do you see?",
            Self::ObjectAbsDistance => "how far is the chair from the table?",
            Self::ObjectSizeEstimation => "how big is the table?",
            Self::RoomSizeEstimation => "how big is the room?",
            Self::ObjectRelDistance => "which is nearest to the sofa: the bed, the desk, the door or the window?",
            Self::ObjectRelDirectionEasy => {
                "standing at the bed and facing the door, is the desk on my left or on my right?"
            }
            Self::ObjectRelDirectionMedium => {
                "standing at the bed and facing the door, is the desk on my left, on my right or at my back?"
            }
            Self::ObjectRelDirectionHard => {
                "standing at the bed and facing the door, is the desk front-left, front-right, back-left or back-right of me?"
            }
            Self::RoutePlanning => {
                "starting at the bed and facing the door, which turns lead to the desk and from there to the sofa?"
            }
            Self::ObjAppearanceOrder => "in what order did you first see the bed, the desk, the door and the sofa?",
            Self::EgoDirection => "where is the door?",
            Self::CameraDistance => "how far did I move in the last 5 seconds?",
            Self::CameraDirection => "which way did I move in the last 5 seconds?",
            Self::CameraTurn => "how much did I turn in the last 5 seconds?",
            Self::CameraTurnSide => "which way did I turn in the last 5 seconds?",
        }
    }
}

/// The unit of a numeric answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// The answer is not a number.
    #[default]
    None,
    /// Metres, written `m`.
    Metre,
    /// A number of instances; written as the empty string.
    Count,
    /// Centimetres, written `cm`.
    Centimetre,
    /// Square metres, written `m2`.
    SquareMetre,
    /// Degrees of angle, written `deg`.
    Degree,
}

impl Unit {
    /// The symbol written in messages: `m`, `cm`, `m2`, `deg`, or the empty string.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Metre => "m",
            Self::Centimetre => "cm",
            Self::SquareMetre => "m2",
            Self::Degree => "deg",
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
