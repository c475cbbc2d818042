//! SpaceR-151k's files (arXiv 2504.01805): JSON lines of questions, `cognitive_map.jsonl`, a list of excluded videos,
//! and the videos and pictures that they name.
//!
//! Questions about one file make one [`Episode`](crate::episode::Episode). Its map is the one whose `video_id` is the
//! file's stem, name or path. The list of excluded videos (VSI-Bench's own) is a text file with one id or path a line, `#` before a
//! comment; whatever has such a stem is left out.

mod maps;
mod media;
mod reader;
mod record;
mod writer;

pub use reader::{Records, SpacerEpisodes, SpacerFiles};
pub use writer::SpacerWriter;

/// `data_source` of the part with maps, which gets the map prompt.
pub const SR_DATASET: &str = "SR_dataset";
/// Cells along each side of SpaceR's grid.
const GRID: u64 = msgs::GRID_SIZE as u64;
/// Name of the file of maps.
const MAPS_FILE: &str = "cognitive_map.jsonl";
/// Names of the files of questions that are written.
const QUESTIONS_FILE: &str = "questions.jsonl";
const UNLABELLED_FILE: &str = "unlabelled.jsonl";
