//! Recorded data in one form, whoever recorded it: what a camera saw, where the robot was, what was asked, what is true.
//!
//! Stamps are nanoseconds of the recording's own clock and grow from frame to frame. Poses are those of the robot's
//! base in the odometry's frame (REP-105). Episodes are made from bags ([`crate::bag`]), SpaceR's files
//! ([`crate::spacer`]), simulated clips ([`crate::clips`]) and folders that this crate wrote ([`crate::folder`]).

use std::path::Path;
use std::sync::Arc;

use geometry::{CameraFacts, PlanPose, RigidTransform, rigid_transform};
pub use msgs::ProblemType;
use recording::CellMap;
use serde::{Deserialize, Serialize};

use crate::options;

/// Who says that a label is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelSource {
    /// A published data set.
    Dataset,
    /// The simulator that made the pictures.
    Simulation,
    /// A person or another program, by an `AnswerFeedback` message.
    Feedback,
    /// The robot's odometry.
    Odometry,
    /// A depth image, at the cell where the robot's answer saw the object.
    Depth,
    /// A range finder or laser scanner, at that cell.
    Range,
}

impl LabelSource {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Simulation => "simulation",
            Self::Feedback => "feedback",
            Self::Odometry => "odometry",
            Self::Depth => "depth",
            Self::Range => "range",
        }
    }
}

/// The true answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// What belongs into `<answer>`: an option's letter, a number, words; [`crate::completion::NOT_SEEN`] for what
    /// isn't there.
    pub text: String,
    /// Who says so.
    pub source: LabelSource,
}

impl Label {
    /// A label.
    pub fn new(text: impl Into<String>, source: LabelSource) -> Self {
        Self { text: text.into(), source }
    }
}

/// The frames that a question is about: those with a stamp from `from_nanos` to `until_nanos`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Earliest stamp.
    pub from_nanos: i64,
    /// Newest stamp.
    pub until_nanos: i64,
}

impl Span {
    /// Whether a stamp lies within.
    pub fn holds(&self, stamp_nanos: i64) -> bool {
        (self.from_nanos..=self.until_nanos).contains(&stamp_nanos)
    }
}

/// SpaceR's cognitive map: cells of a 10×10 grid by category.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CognitiveMap {
    /// The cells; with scale and robot where it is ours.
    #[serde(flatten)]
    pub cells: CellMap,
    /// The categories that the prompt names, in its order.
    pub object_list: Vec<String>,
}

impl From<CellMap> for CognitiveMap {
    fn from(cells: CellMap) -> Self {
        Self { object_list: cells.objects.keys().cloned().collect(), cells }
    }
}

/// Something that was or can be asked about an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Of its own within the episode.
    pub id: String,
    /// The words.
    pub text: String,
    /// Options with their letters, `A. left`, of a multiple-choice question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// How it is scored.
    pub problem_type: ProblemType,
    /// Name of its kind, as `msgs::QuestionKind` and VSI-Bench have it; empty where unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// What is true, where anybody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// The frames it is about; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The true map at the newest of these frames, where the episode's own is of another moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<CognitiveMap>,
}

impl Question {
    /// The texts of the options without their letters, see [`options::texts`].
    ///
    /// # Errors
    /// The option as written, with the letter of its place.
    pub fn option_texts(&self) -> Result<Vec<String>, String> {
        options::texts(&self.options)
    }
}

/// A stretch of an episode's frames with what was asked about it.
#[derive(Clone, Debug)]
pub struct Stretch<'a> {
    /// Which frames; all where absent.
    pub span: Option<Span>,
    /// The true map at the newest of them, where known.
    pub map: Option<&'a CognitiveMap>,
    /// The labelled questions.
    pub questions: Vec<&'a Question>,
}

/// Where something was in the frame that the robot moves in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Metres along x, y, z.
    pub position_m: [f64; 3],
    /// Unit quaternion x, y, z, w.
    pub orientation: [f64; 4],
}

impl From<&RigidTransform> for Pose {
    /// Rounded to nine decimals, which text carries there and back unchanged.
    fn from(fixed_from_own: &RigidTransform) -> Self {
        let (at, turn) = (&fixed_from_own.translation.vector, fixed_from_own.rotation.coords);
        let rounded = |value: f64| (value * 1e9).round() / 1e9;
        Self { position_m: [at.x, at.y, at.z].map(rounded), orientation: [turn.x, turn.y, turn.z, turn.w].map(rounded) }
    }
}

impl Pose {
    /// The transform from its own frame to the fixed one.
    pub fn transform(&self) -> RigidTransform {
        rigid_transform(self.position_m, self.orientation)
    }
}

/// The encoding of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureFormat {
    /// Small, and a little false.
    #[default]
    Jpeg,
    /// As it was, to the pixel.
    Png,
}

impl PictureFormat {
    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
}

/// An encoded picture. Two are equal where their files are.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its encoding.
    pub format: PictureFormat,
    pub(crate) file: PictureFile,
}

/// Where a picture's file is. What lies on the disk stays there: a data set has more pictures than memory.
#[derive(Clone, Debug)]
pub(crate) enum PictureFile {
    Memory(Arc<[u8]>),
    Disk(Arc<Path>),
}

/// What the camera saw at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// When light hit the sensor.
    pub stamp_nanos: i64,
    /// Where the robot's base was then, where known.
    pub pose: Option<Pose>,
    /// Where the camera's optical frame was then, where known.
    pub camera: Option<Pose>,
    /// The picture.
    pub picture: Picture,
}

/// A recording and what was asked about it. Splits are by episode, never by frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Episode {
    /// Of its own within a set; letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// Where it is from: `SR_dataset` and the like, `bag`, `simulation`.
    pub data_source: String,
    /// What is known about the camera.
    pub camera: CameraFacts,
    /// The frames, oldest first.
    pub frames: Vec<Frame>,
    /// What was asked, labelled or not.
    pub questions: Vec<Question>,
    /// The true map of the whole episode.
    pub map: Option<CognitiveMap>,
}

impl Episode {
    /// The frames that a question is about.
    pub fn frames_of(&self, question: &Question) -> impl Iterator<Item = &Frame> {
        let span = question.span;
        self.frames.iter().filter(move |frame| span.is_none_or(|span| span.holds(frame.stamp_nanos)))
    }

    /// Where the camera was at the newer one of each two of `frames`; `None` where one is not known.
    pub fn cameras(frames: &[&Frame]) -> Option<Vec<PlanPose>> {
        let plan = |pair: &[&Frame]| Some(PlanPose::of_camera(&pair.last()?.camera?.transform()));
        frames.chunks(2).map(plan).collect()
    }

    /// The labelled questions, by the frames and the map that they are about, in the order of their first ones.
    pub fn stretches(&self) -> Vec<Stretch<'_>> {
        let mut stretches: Vec<Stretch<'_>> = Vec::new();
        for question in self.questions.iter().filter(|question| question.label.is_some()) {
            let (span, map) = (question.span, self.map_of(question));
            match stretches.iter_mut().find(|stretch| stretch.span == span && stretch.map == map) {
                Some(stretch) => stretch.questions.push(question),
                None => stretches.push(Stretch { span, map, questions: vec![question] }),
            }
        }
        stretches
    }

    /// The true map for a question.
    pub fn map_of<'a>(&'a self, question: &'a Question) -> Option<&'a CognitiveMap> {
        question.map.as_ref().or(self.map.as_ref())
    }
}

/// Longest name of a file that is made of a text, bytes: what is put behind it has room in the 255 of a file system.
const LONGEST_NAME: usize = 150;

/// A name for files made of any text: what is no letter, digit, `-`, `_` or `.` becomes `_`. Of a text in another script,
/// or a very long one, a number that is made of all of it takes the place of what is lost.
pub fn file_safe(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let safe: String = text.chars().map(|c| if is_safe(c) { c } else { '_' }).collect();
    let safe = safe.trim_matches(|c| c == '_' || c == '.');
    if text.is_ascii() && !safe.is_empty() && safe.len() <= LONGEST_NAME {
        return safe.to_owned();
    }
    let kept = safe.get(..safe.len().min(LONGEST_NAME - 30)).unwrap_or_default();
    let kept = kept.trim_matches(|c| c == '_' || c == '.');
    format!("{kept}{}{:016x}", if kept.is_empty() { "" } else { "-" }, hash(text))
}

/// Of a text, the same everywhere (FNV-1a).
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// A number as labels write it: three decimals at most.
pub fn number_text(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_taken_off_options_in_order_only() {
        let texts = |options: [&str; 2]| {
            Question { options: options.map(str::to_owned).into(), ..Question::default() }.option_texts()
        };
        assert_eq!(texts(["A. left", "B. right"]).unwrap(), ["left", "right"]);
        assert_eq!(texts(["left", "right"]).unwrap(), ["left", "right"]);
        assert!(texts(["B. left", "A. right"]).unwrap_err().contains("B. left"));
    }
}
