//! What is asked in an exam of a walked scene, apart from its wording.

use msgs::QuestionKind;
use serde::{Deserialize, Serialize};

/// A family of questions with one truth rule and one set of filters; names of VSI-Bench (arXiv 2412.14171) where it
/// has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Instances of a class.
    ObjectCounting,
    /// Closest points of two objects, metres.
    ObjectAbsDistance,
    /// Longest side of an object's box, centimetres.
    ObjectSizeEstimation,
    /// Floor area, m².
    RoomSizeEstimation,
    /// Which of four classes is nearest to an object.
    ObjectRelDistance,
    /// Left or right of somebody who stands at one object and faces another.
    ObjectRelDirectionEasy,
    /// Left, right or back.
    ObjectRelDirectionMedium,
    /// One of four quadrants.
    ObjectRelDirectionHard,
    /// The turns of a route past objects.
    RoutePlanning,
    /// In which order four classes came into sight.
    ObjAppearanceOrder,
    /// Camera's ground point to the closest point of an object, metres.
    EgoDistance,
    /// Front, left, right or back of the camera.
    EgoDirectionSide,
    /// Hour of the clock as seen from the camera; twelve is ahead.
    EgoDirectionClock,
    /// How far the camera is from where it was, metres.
    CameraDistance,
    /// Where it is, as seen from how it stood then.
    CameraDirection,
    /// By how many degrees its heading differs.
    CameraTurn,
    /// To which side, by less or more than a right angle.
    CameraTurnSide,
    /// A plausible class that the room never had.
    AbsentClass,
    /// The only instance of a class, removed before the frames were rendered again.
    RemovedObject,
    /// A video without light.
    BlackVideo,
    /// A video that repeats one frame, which does not show what is asked about.
    FrozenVideo,
}

impl Topic {
    /// All topics, in a fixed order.
    pub const ALL: [Self; 21] = [
        Self::ObjectCounting,
        Self::ObjectAbsDistance,
        Self::ObjectSizeEstimation,
        Self::RoomSizeEstimation,
        Self::ObjectRelDistance,
        Self::ObjectRelDirectionEasy,
        Self::ObjectRelDirectionMedium,
        Self::ObjectRelDirectionHard,
        Self::RoutePlanning,
        Self::ObjAppearanceOrder,
        Self::EgoDistance,
        Self::EgoDirectionSide,
        Self::EgoDirectionClock,
        Self::CameraDistance,
        Self::CameraDirection,
        Self::CameraTurn,
        Self::CameraTurnSide,
        Self::AbsentClass,
        Self::RemovedObject,
        Self::BlackVideo,
        Self::FrozenVideo,
    ];

    /// The name used in files, for instance `route_planning`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ObjectCounting => "object_counting",
            Self::ObjectAbsDistance => "object_abs_distance",
            Self::ObjectSizeEstimation => "object_size_estimation",
            Self::RoomSizeEstimation => "room_size_estimation",
            Self::ObjectRelDistance => "object_rel_distance",
            Self::ObjectRelDirectionEasy => "object_rel_direction_easy",
            Self::ObjectRelDirectionMedium => "object_rel_direction_medium",
            Self::ObjectRelDirectionHard => "object_rel_direction_hard",
            Self::RoutePlanning => "route_planning",
            Self::ObjAppearanceOrder => "obj_appearance_order",
            Self::EgoDistance => "ego_distance",
            Self::EgoDirectionSide => "ego_direction_side",
            Self::EgoDirectionClock => "ego_direction_clock",
            Self::CameraDistance => "camera_distance",
            Self::CameraDirection => "camera_direction",
            Self::CameraTurn => "camera_turn",
            Self::CameraTurnSide => "camera_turn_side",
            Self::AbsentClass => "absent_class",
            Self::RemovedObject => "removed_object",
            Self::BlackVideo => "black_video",
            Self::FrozenVideo => "frozen_video",
        }
    }

    /// Whether the right answer is always that it was not seen.
    pub fn is_absence(self) -> bool {
        matches!(self, Self::AbsentClass | Self::RemovedObject | Self::BlackVideo | Self::FrozenVideo)
    }
}

/// How fine a direction relative to two objects is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Left, right.
    Easy,
    /// Left, right, back.
    Medium,
    /// Front-left, front-right, back-left, back-right.
    Hard,
}

/// One question without its words. Classes are lower case and singular.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// How many instances.
    Count(String),
    /// Closest points of two objects.
    Between([String; 2]),
    /// Longest side of the box.
    Size(String),
    /// Floor area.
    RoomArea,
    /// Which of `among` is nearest to `to`.
    Nearest {
        /// Measured from here.
        to: String,
        /// The classes to choose from.
        among: [String; 4],
    },
    /// Where `target` is for somebody at `stand` who faces `face`.
    Direction {
        /// How fine.
        level: Level,
        /// Where one stands.
        stand: String,
        /// Where one looks.
        face: String,
        /// What is asked about.
        target: String,
    },
    /// The turns of a walk from `start`, facing `face`, to `via` and on to `goal`.
    Route {
        /// Where the walk starts.
        start: String,
        /// Where one looks at first.
        face: String,
        /// End of the first leg.
        via: String,
        /// End of the second leg.
        goal: String,
    },
    /// In which order the classes came into sight.
    Order([String; 4]),
    /// How far from the camera's newest ground point.
    EgoDistance(String),
    /// On which side of the camera.
    EgoSide(String),
    /// At which hour of the clock.
    EgoClock(String),
    /// How far the camera is from where it was so many seconds ago.
    Moved(u32),
    /// Which way, as it stood then.
    MovedWay(u32),
    /// By how many degrees the heading changed.
    Turned(u32),
    /// To which side the heading changed, by less or more than a right angle.
    TurnedSide(u32),
}

impl Ask {
    /// The topic that words it.
    pub fn topic(&self) -> Topic {
        match self {
            Self::Count(_) => Topic::ObjectCounting,
            Self::Between(_) => Topic::ObjectAbsDistance,
            Self::Size(_) => Topic::ObjectSizeEstimation,
            Self::RoomArea => Topic::RoomSizeEstimation,
            Self::Nearest { .. } => Topic::ObjectRelDistance,
            Self::Direction { level: Level::Easy, .. } => Topic::ObjectRelDirectionEasy,
            Self::Direction { level: Level::Medium, .. } => Topic::ObjectRelDirectionMedium,
            Self::Direction { level: Level::Hard, .. } => Topic::ObjectRelDirectionHard,
            Self::Route { .. } => Topic::RoutePlanning,
            Self::Order(_) => Topic::ObjAppearanceOrder,
            Self::EgoDistance(_) => Topic::EgoDistance,
            Self::EgoSide(_) => Topic::EgoDirectionSide,
            Self::EgoClock(_) => Topic::EgoDirectionClock,
            Self::Moved(_) => Topic::CameraDistance,
            Self::MovedWay(_) => Topic::CameraDirection,
            Self::Turned(_) => Topic::CameraTurn,
            Self::TurnedSide(_) => Topic::CameraTurnSide,
        }
    }

    /// The kind that a robot reads from its words.
    pub fn kind(&self) -> QuestionKind {
        match self {
            Self::Count(_) => QuestionKind::ObjectCounting,
            Self::Between(_) => QuestionKind::ObjectAbsDistance,
            Self::Size(_) => QuestionKind::ObjectSizeEstimation,
            Self::RoomArea => QuestionKind::RoomSizeEstimation,
            Self::Nearest { .. } => QuestionKind::ObjectRelDistance,
            Self::Direction { level: Level::Easy, .. } => QuestionKind::ObjectRelDirectionEasy,
            Self::Direction { level: Level::Medium, .. } => QuestionKind::ObjectRelDirectionMedium,
            Self::Direction { level: Level::Hard, .. } => QuestionKind::ObjectRelDirectionHard,
            Self::Route { .. } => QuestionKind::RoutePlanning,
            Self::Order(_) => QuestionKind::ObjAppearanceOrder,
            Self::EgoDistance(_) => QuestionKind::EgoDistance,
            Self::EgoSide(_) | Self::EgoClock(_) => QuestionKind::EgoDirection,
            Self::Moved(_) => QuestionKind::CameraDistance,
            Self::MovedWay(_) => QuestionKind::CameraDirection,
            Self::Turned(_) => QuestionKind::CameraTurn,
            Self::TurnedSide(_) => QuestionKind::CameraTurnSide,
        }
    }

    /// The classes that it names, in the order of its fields.
    pub fn classes(&self) -> Vec<&str> {
        let each: Vec<&String> = match self {
            Self::Count(one) | Self::Size(one) | Self::EgoDistance(one) | Self::EgoSide(one) | Self::EgoClock(one) => {
                vec![one]
            }
            Self::Between(two) => two.iter().collect(),
            Self::Nearest { to, among } => std::iter::once(to).chain(among).collect(),
            Self::Direction { stand, face, target, .. } => vec![stand, face, target],
            Self::Route { start, face, via, goal } => vec![start, face, via, goal],
            Self::Order(four) => four.iter().collect(),
            Self::RoomArea | Self::Moved(_) | Self::MovedWay(_) | Self::Turned(_) | Self::TurnedSide(_) => vec![],
        };
        each.into_iter().map(String::as_str).collect()
    }
}

/// The true answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// In the unit of the kind.
    Number(f64),
    /// One of the options, in words.
    Words(String),
    /// The video does not show it.
    NotSeen,
}

/// Which pictures go with a question. Frames count from the start of the watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Video {
    /// The walk as it was.
    Walk,
    /// The walk, rendered again without the object of this id.
    Without(u16),
    /// As many frames, all black.
    Black,
    /// This frame again and again.
    Frozen(usize),
}

/// A question before it is worded.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Where it is counted.
    pub topic: Topic,
    /// What is asked.
    pub ask: Ask,
    /// The truth.
    pub answer: Answer,
    /// The pictures.
    pub video: Video,
    /// What of the answer somebody might guess without pictures, where that isn't the answer itself: drawn evenly.
    pub guess: Option<usize>,
}

impl Draft {
    /// A question about the walk as it was.
    pub fn walk(ask: Ask, answer: Answer) -> Self {
        Self { topic: ask.topic(), ask, answer, video: Video::Walk, guess: None }
    }
}
