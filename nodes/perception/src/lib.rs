//! The robot's pipeline from frames and a question to a typed answer, free of ROS.
//!
//! [`Perception`] owns the frame ring, a bounded queue of questions (`reject_new`) and one worker thread with the model.
//! Every question gets exactly one [`msgs::SpatialAnswer`] through the [`Sink`], whatever happens: a refused one, one
//! whose deadline passed, one that met a broken model, and those that wait when the pipeline is dropped. A question whose
//! deadline passes in the queue is answered when its turn comes, after at most the deadline of the one before it.

mod answerer;
mod clock;
mod error;
pub mod parity;
mod perception;
mod queue;
mod reply;
mod settings;
mod vision_cache;
mod vlm_answerer;
mod worker;

pub use answerer::{Answerer, Completion, Finish, Progress, Request, RunsOn, View};
pub use clock::{Clock, SystemClock};
pub use error::{AnswerError, StartError};
pub use perception::{Diagnostics, ModelState, Perception, Sink};
pub use settings::{Device, Settings};
pub use vlm_answerer::VlmAnswerer;
