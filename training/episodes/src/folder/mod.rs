//! Episodes as a folder of JSON lines and pictures: what trainers read.
//!
//! ```text
//! OUT/
//!   format.json        {"format": "spacer-episodes", "version": 1}
//!   episodes.jsonl     one episode a line: id, data_source, camera, frames, questions with a label, map
//!   unlabelled.jsonl   one question a line that nobody knows the answer of: the episode's id and the question
//!   media/<id>/<number>.jpg|png
//! ```
//! A frame is `{"stamp_nanos", "file", "pose", "camera"}` with the file relative to `OUT`; the poses, of the robot's base
//! and of the camera's optical frame, are `{"position_m", "orientation"}` (x, y, z, w) or null. Questions and maps are [`crate::episode::Question`] and
//! [`crate::episode::CognitiveMap`]. A version is read by its own number only; what a field means never changes within
//! one. `episodes.jsonl` is written as episodes come, so that a broken-off run leaves whole lines.

mod reader;
mod writer;

use geometry::CameraFacts;
use serde::{Deserialize, Serialize};

use crate::episode::{CognitiveMap, Pose, Question};

pub use reader::{EpisodeFolder, Episodes};
pub use writer::FolderWriter;

/// Name of the format in `format.json`.
pub const FORMAT: &str = "spacer-episodes";
/// Version that is written and read.
pub const VERSION: u32 = 1;

const FORMAT_FILE: &str = "format.json";
const EPISODES_FILE: &str = "episodes.jsonl";
const UNLABELLED_FILE: &str = "unlabelled.jsonl";
const MEDIA_FOLDER: &str = "media";

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FormatFile {
    format: String,
    version: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EpisodeLine {
    id: String,
    data_source: String,
    camera: CameraFacts,
    frames: Vec<FrameLine>,
    questions: Vec<Question>,
    #[serde(default)]
    map: Option<CognitiveMap>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrameLine {
    stamp_nanos: i64,
    file: String,
    #[serde(default)]
    pose: Option<Pose>,
    #[serde(default)]
    camera: Option<Pose>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnlabelledLine {
    episode: String,
    question: Question,
}
