//! The robot's pipeline from frames and a question to a typed answer, free of ROS.
//!
//! [`Perception`] owns the frame ring, a bounded queue of questions (`reject_new`), one worker thread with the model, and
//! one, `spacer-vision`, on which frame pairs are encoded as they come, also while a question is decoded; pairs wait for
//! it in a bounded queue (`keep_last`), and one that is dropped is encoded when it is needed. Embeds lie beside their
//! frames in the ring. While nobody asks, the worker reads the window's prompt in slices of a pair, so that a question
//! waits for one slice at most.
//!
//! Every question gets exactly one [`msgs::SpatialAnswer`] through the [`Sink`], whatever happens: a refused
//! one, one that the model was not taught to answer (`UNSUPPORTED`, whether there are frames or not), one
//! whose deadline passed, one that met a broken model, and those that wait when the pipeline is dropped. A
//! question whose deadline passes in the queue is answered when its turn comes, after at most the deadline of
//! the one before it.

mod answerer;
mod clock;
mod constraints;
mod deadlines;
mod error;
mod keep_last;
mod model_watch;
mod network;
pub mod parity;
mod perception;
mod query;
mod queue;
mod reading;
mod reply;
mod room;
mod settings;
mod shared;
mod taught;
mod vision;
mod vlm_answerer;
mod windows;
mod worker;

pub use answerer::{Answerer, Completion, Finish, Progress, Ready, Request, RunsOn, View};
pub use clock::{Clock, SystemClock};
pub use constraints::answer_format;
pub use error::{AnswerError, QueryError, StartError};
pub use frame_ring::{PixelMap, Pose, Shot, StillSettings, ViewMap};
pub use network::providers;
pub use perception::{Perception, Sink};
pub use query::read_query;
pub use settings::{Device, Settings};
pub use shared::{Diagnostics, ModelState};
pub use taught::repertoire;
pub use vision::{PairEncoder, VisionCounters};
pub use vlm_answerer::VlmAnswerer;
