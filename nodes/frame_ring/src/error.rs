//! What can be wrong with a frame or with a ring's settings.

use thiserror::Error;

/// Why a frame was refused. Each reason has its own counter in [`crate::Rejected`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The pixel encoding is none that the ring converts.
    #[error("unknown encoding: expected one of {expected}, found {found:?}")]
    UnknownEncoding {
        /// The encodings that are understood.
        expected: &'static str,
        /// What the frame said, shortened to 32 characters.
        found: String,
    },
    /// What came is no picture but distances.
    #[error(
        "a depth image: expected a colour or grey picture, found encoding {found:?}: take the camera's picture topic"
    )]
    DepthImage {
        /// What the frame said.
        found: &'static str,
    },
    /// Width or height is zero.
    #[error("empty frame: expected width and height of at least 1, found {width}x{height}")]
    ZeroSize {
        /// Width found, pixels.
        width: u32,
        /// Height found, pixels.
        height: u32,
    },
    /// A side is longer than [`crate::MAX_SIDE`].
    #[error("frame too large: expected sides of at most {expected}, found {width}x{height}")]
    TooLarge {
        /// The limit, pixels.
        expected: u32,
        /// Width found, pixels.
        width: u32,
        /// Height found, pixels.
        height: u32,
    },
    /// Pixels share their chroma by twos, and the width is odd.
    #[error("odd width: expected an even width where two pixels share their chroma, found {found}")]
    OddWidth {
        /// Width found, pixels.
        found: u32,
    },
    /// A row is shorter than its pixels, and the data's length does not say what is right.
    #[error("row step too short: expected at least {expected} bytes, found {found}, and data of another length")]
    ShortStep {
        /// Bytes that the pixels of a row need.
        expected: u64,
        /// The `step` found.
        found: u64,
    },
    /// `data` is not as long as `step` and `height` say, and its length does not say what is right.
    #[error("data length: expected {expected} bytes (step * height, and chroma of its own), found {found}")]
    WrongLength {
        /// Bytes that step and height promise.
        expected: u64,
        /// Bytes that arrived.
        found: u64,
    },
    /// The pixel map is for pictures of another size.
    #[error(
        "pixel map: expected one for pictures of {width}x{height}, found one for {}x{}: make it for the size that is sent",
        found.0,
        found.1
    )]
    MapSize {
        /// Width of the frame, pixels.
        width: u32,
        /// Height of the frame, pixels.
        height: u32,
        /// Width and height that the map is for, pixels.
        found: (u32, u32),
    },
    /// There is no slot for pictures of this size.
    #[error("no slot for pictures of {width}x{height}: {reason}")]
    NoSlot {
        /// Width of the upright picture, pixels.
        width: u32,
        /// Height of the upright picture, pixels.
        height: u32,
        /// What was expected and found.
        reason: String,
    },
}

/// Why a ring could not be started.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A number that must be at least one is zero.
    #[error("{name}: expected at least 1, found 0")]
    Zero {
        /// The setting's name.
        name: &'static str,
    },
    /// The rate is no positive, finite number.
    #[error("frame_rate_hz: expected a positive finite number, found {found}")]
    FrameRate {
        /// The rate found.
        found: f64,
    },
    /// A limit of stillness is out of range.
    #[error("{name}: expected {expected}, found {found}")]
    Still {
        /// The setting's name.
        name: &'static str,
        /// The accepted range.
        expected: &'static str,
        /// The number found.
        found: f64,
    },
}

/// Why a pixel map could not be made: a side of its pictures is zero or too long.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("pixel map: expected pictures with sides of 1 to {expected}, found {width}x{height}")]
pub struct PixelMapError {
    /// The limit, pixels.
    pub expected: u32,
    /// Width found, pixels.
    pub width: u32,
    /// Height found, pixels.
    pub height: u32,
}
