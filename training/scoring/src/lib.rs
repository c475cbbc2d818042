//! Reward and metric functions: the same code judges while training and while evaluating.
//!
//! Formulas of SG-RLVR (arXiv 2504.01805) and VSI-Bench (arXiv 2412.14171). Answers to the robot's own kinds of questions
//! ([`accuracy`]) are read with the robot's parser, `grounding`; answers to a record's problem ([`problem_accuracy`],
//! [`stated_map_score`], [`format_reward`]) as SG-RLVR's released code reads them, with few exceptions, which stand with
//! these functions. No function fails or panics: what can't be read scores 0.

mod answers;
mod completion;
mod group;
mod interval;
mod map_reward;
mod map_score;
mod matching;
mod numbers;
mod problem;
mod reading;
mod stated_map;
mod text;

pub use answers::{AbstentionCounts, AbstentionReward, accuracy, numeric_accuracy, numeric_reward};
pub use completion::{answer_text, format_reward, map_text, solution_text};
pub use group::{OverlongShaping, length_bonus, temporal_bonus};
pub use interval::{interval_reward, stated_interval};
pub use map_reward::{accuracy_with_map, stated_map, stated_map_score};
pub use map_score::{MapScoreSettings, map_score};
pub use matching::Matching;
pub use msgs::ProblemType;
pub use numbers::{mean_relative_accuracy, median, regression_accuracy, relative_error};
pub use problem::problem_accuracy;
pub use reading::label_number;
pub use stated_map::MapPoints;
pub use text::{Rouge, rouge, word_error_rate};
