//! A ring of camera frames that never allocates after planning.
//!
//! [`FrameRing::push_at`] takes a frame as a driver hands it over, trusts nothing in it, converts it to RGB, straightens it
//! and turns it upright where a [`PixelMap`] says how, downsizes it (Catmull-Rom, antialiased) to the model's input size
//! and keeps the newest few (`keep_last`, drops counted) of those that come in time and show something new:
//! [`StillSettings`]. [`FrameRing::window`] copies the newest frames out. What is made of a frame and the one after it lies
//! beside them and leaves with them: [`FrameRing::attach`], [`FrameRing::snapshot`]. Failure modes: a frame that lies about
//! itself is a typed, counted [`FrameError`]; stamps that jump back and pictures of another size empty the ring, which is
//! counted and reported.
//!
//! ```
//! use frame_ring::{FrameRing, RawFrame, RingSettings, SlotSize};
//!
//! let slot_size = SlotSize::new(|(width, height)| Ok((width / 2, height / 2)));
//! let ring = FrameRing::new(RingSettings { capacity: 4, slot_size, frame_rate_hz: Some(2.0), still: None })?;
//! let data = vec![128; 64 * 48 * 3];
//! ring.push(&RawFrame {
//!     encoding: "rgb8",
//!     is_bigendian: false,
//!     width: 64,
//!     height: 48,
//!     step: 64 * 3,
//!     data: &data,
//!     stamp_nanos: 0,
//!     received_at_nanos: 0,
//! })?;
//! let window = ring.window(4);
//! assert_eq!((window.frames.len(), window.width, window.height), (1, 32, 24));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod axis;
mod convert;
mod counters;
mod demosaic;
mod encoding;
mod error;
mod frame;
mod horizontal;
mod intake;
mod layout;
mod order;
mod pace;
mod pixel_map;
mod resample;
mod ring;
mod settings;
mod shot;
mod sight;
mod slots;
mod source;
mod still;
mod vertical;
mod view_map;
mod window;
mod yuv;

pub use counters::{Counters, Rejected};
pub use encoding::{Channels, Encoding, Mosaic, Sample};
pub use error::{FrameError, PixelMapError, SettingsError};
pub use frame::{MAX_SIDE, RawFrame};
pub use pixel_map::PixelMap;
pub use ring::{FrameRing, Pushed, Resized, StampJump};
pub use settings::{RingSettings, SlotSize};
pub use shot::{Pose, Shot};
pub use sight::Sight;
pub use still::StillSettings;
pub use view_map::ViewMap;
pub use window::{Frame, Snapshot, Span, Window};
