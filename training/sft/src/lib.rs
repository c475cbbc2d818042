//! Supervised fine-tuning of the policy on streamed clips.
//!
//! ```text
//! episodes (clip ▸ tokens, targets) ▸ batch ▸ network (policy ▸ loss + auxiliary) ▸ optimiser (update, checkpoint)
//! ```
//! Data-parallel threads each render and learn from their share of a step's clips; their gradients are added. Clips
//! are a function of the recipe's seed and the step, so a run is repeatable and resumes where its checkpoint ends.

pub mod auxiliary;
pub mod batch;
mod beginning;
pub mod config;
mod error;
pub mod loss;
pub mod network;
pub mod probe;
pub mod trainer;

pub use config::Recipe;
pub use error::{Error, Result};
pub use trainer::{StepReport, Trainer};
