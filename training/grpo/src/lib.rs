//! SG-RLVR (SpaceR, arXiv 2504.01805): GRPO with verifiable rewards and a reward for the imagined map.
//!
//! ```text
//! scene ▸ rollout ▸ reward ▸ advantage ▸ log_probs (policy, reference) ▸ objective ▸ update ▸ optimiser ▸ checkpoint
//! ```
//! One step a file, each a function that is tested with numbers worked by hand; [`trainer`] reads like the algorithm.
//! A run is a function of its recipe: scenes and completions are streams of the seed at the data position, ranks and threads
//! share scenes but results are added in order, so a run that was killed ends bit for bit where an uninterrupted one does,
//! and so does one of another number of processes.

pub mod advantage;
pub mod batch;
pub mod config;
mod error;
pub mod experience;
pub mod importance;
pub mod log_probs;
pub mod objective;
pub mod plan;
pub mod policies;
pub mod report;
pub mod reward;
pub mod rollout;
pub mod scene;
pub mod server;
mod settings;
pub mod simulation;
pub mod threads;
pub mod trainer;
pub mod update;

pub use config::Recipe;
pub use error::{Error, Result};
pub use report::{Evaluation, StepReport};
pub use simulation::Simulation;
pub use trainer::{Progress, Trainer};
