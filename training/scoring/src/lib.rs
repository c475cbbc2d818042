//! Reward and metric functions: the same code judges while training and while evaluating.
//!
//! Formulas of SG-RLVR (arXiv 2504.01805) and VSI-Bench (arXiv 2412.14171). Answers are read with the robot's own
//! parser, `grounding`. No function fails or panics: what can't be read scores 0.

mod answers;
mod map_score;
mod numbers;

pub use answers::{AbstentionCounts, accuracy, numeric_accuracy};
pub use map_score::{MapScoreSettings, map_score};
pub use numbers::{mean_relative_accuracy, median, regression_accuracy, relative_error};
