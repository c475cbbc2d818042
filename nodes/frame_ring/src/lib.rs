//! A ring of camera frames that never allocates after start.
//!
//! [`FrameRing::push`] takes a frame as a driver hands it over, trusts nothing in it, converts it to RGB, downsizes it
//! (Catmull-Rom, antialiased) to the model's input size and keeps the newest few (`keep_last`, drops counted) of those
//! that come in time and show something new: [`StillSettings`]. [`FrameRing::window`] copies the newest frames out.
//! What is made of a frame and the one after it lies beside them and leaves with them: [`FrameRing::attach`],
//! [`FrameRing::snapshot`]. Failure modes: a frame that lies about itself is a typed, counted [`FrameError`]; stamps that
//! jump back empty the ring, which is counted and reported.
//!
//! ```
//! use frame_ring::{FrameRing, RawFrame, RingSettings};
//!
//! let ring = FrameRing::new(RingSettings {
//!     capacity: 4,
//!     width: 28,
//!     height: 28,
//!     frame_rate_hz: Some(2.0),
//!     still: None,
//!     expected_source: (64, 48),
//! })?;
//! let data = vec![128; 64 * 48 * 3];
//! let (width, height, step) = (64, 48, 64 * 3);
//! ring.push(&RawFrame { encoding: "rgb8", width, height, step, data: &data, stamp_nanos: 0, received_at_nanos: 0 })?;
//! assert_eq!(ring.window(4).frames.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod counters;
mod error;
mod frame;
mod resample;
mod ring;
mod settings;
mod slots;
mod still;
mod window;

pub use counters::{Counters, Rejected};
pub use error::{FrameError, SettingsError};
pub use frame::{Encoding, MAX_SIDE, RawFrame};
pub use ring::{FrameRing, Pushed, StampJump};
pub use settings::RingSettings;
pub use still::{Pose, StillSettings};
pub use window::{Frame, Snapshot, Span, Window};
