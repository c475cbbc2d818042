//! Training samples: clips, questions in words, completions in tokens.
//!
//! ```text
//! seed ▸ sim::Clip ▸ questions ▸ phrasing + completion ▸ processor ▸ ClipSample (tokens, targets, patches)
//! ```
//! Everything goes through the robot's own [`processor`] and prompt templates, so training and robot can't disagree.

pub mod completion;
pub mod distance_grid;
mod error;
pub mod maker;
pub mod patch_targets;
pub mod sample;
pub mod vocabulary;

pub use error::{Error, Result};
pub use maker::{SampleMaker, SampleSettings};
pub use sample::{ClipSample, Label, Part, PatchTargets, Segment, Target, Tokens};
pub use sim::world::RoomSplit as Split;
