//! Judges a model directory as the robot runs it: camera-sized frames through the ring, the question's words and
//! options through the robot's own reading of a query, the exported graphs through ONNX Runtime.
//!
//! ```text
//! seed ▸ clips, walks     ▸ exam (frames, questions, truths) ▸ judge (perception's answerer) ▸ judged ▸ report ▸ page
//! logged episodes ▸ logged                                                                   ▸ calibrate ▸ gate
//! ```
//! The same questions on black frames and the best constant answer (`baselines`) stand beside every score.

pub mod baselines;
pub mod calibrate;
pub mod clips;
mod error;
pub mod exam;
pub mod gate;
pub mod judge;
pub mod judged;
pub mod logged;
pub mod page;
mod quota;
pub mod report;
pub mod statistics;
pub mod vsi;
pub mod walks;
mod window;

pub use clips::RoomSettings;
pub use error::{Error, Result};
pub use exam::Exam;

use sim::world::RoomSplit;

/// The name of a split in reports.
fn split_name(split: RoomSplit) -> &'static str {
    match split {
        RoomSplit::Train => "train",
        RoomSplit::Heldout => "heldout",
        RoomSplit::Novel => "novel",
        RoomSplit::Calibration => "calibration",
    }
}
