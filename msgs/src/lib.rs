//! The vocabulary of the system: what a robot can ask, what it is told, and what the model imagined.
//!
//! These types mirror the ROS interfaces in `msg/`, `srv/` and `action/` beside this crate and depend on nothing of
//! ours. Lengths are metres, times are seconds or nanoseconds as the name says, angles are radians.

mod answer;
mod causes;
mod definitions;
mod map;
mod problem;
mod question;

pub use answer::{Interval, SpatialAnswer, Status, Timing, TokenCounts};
pub use causes::with_causes;
pub use definitions::DEFINITIONS;
pub use map::{Cell, GRID_SIZE, ImaginedMap, MapObject};
pub use problem::ProblemType;
pub use question::{QuestionKind, SpatialQuery, Unit};
