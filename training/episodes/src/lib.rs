//! Recorded data in one form, and training samples: clips, questions in words, completions in tokens.
//!
//! ```text
//! bags, SpaceR's files, clips ▸ Episode (frames, poses, questions, labels, maps) ▸ folder, SpaceR's files, LeRobot
//! seed ▸ clip, walk ▸ Exercise (question, truth) ▸ completion ▸ processor ▸ ClipSample (tokens, targets, patches)
//! ```
//! Every label says who vouches for it ([`episode::LabelSource`]); questions that nobody knows the answer of are kept
//! apart. Samples go through the robot's own [`processor`] and prompt templates, so training and robot can't disagree.

pub mod bag;
pub mod clips;
pub mod completion;
pub mod drills;
pub mod episode;
mod error;
pub mod evidence;
pub mod exercise;
mod filmed;
pub mod folder;
mod json_lines;
pub mod lerobot;
pub mod logged;
pub mod maker;
pub mod number_grid;
mod number_label;
pub mod options;
pub mod patch_targets;
mod picture;
pub mod sample;
pub mod sampling;
pub mod spacer;
pub mod teacher;
mod text_file;
mod video;
pub mod vocabulary;
pub mod walks;

pub use episode::Episode;
pub use error::{Error, Result};
pub use exercise::Exercise;
pub use filmed::FrozenTower;
pub use maker::{LoggedShare, SampleMaker, SampleSettings};
pub use sample::{ClipSample, Label, Part, PatchTargets, Segment, Target, Tokens};
pub use sim::world::RoomSplit as Split;
