//! Judges a model directory as the robot runs it: camera-sized frames through the ring, the question's words through
//! grounding, the exported graphs through ONNX Runtime.
//!
//! ```text
//! seed ▸ exam (clips, questions, truths) ▸ judge (perception's answerer) ▸ report ◂ baselines
//!                                                                        ▸ judged ▸ page, gate
//!                                                                        ▸ calibrate
//! ```

pub mod baselines;
pub mod calibrate;
mod error;
pub mod exam;
pub mod gate;
pub mod judge;
pub mod judged;
pub mod page;
pub mod report;
pub mod statistics;

pub use error::{Error, Result};
