//! What can be wrong with a camera or a transform.

use thiserror::Error;

/// Why a camera or a transform could not be used or found.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// A focal length or a size is not positive and finite (an uncalibrated camera says 0).
    #[error("camera {name}: expected a positive finite number, found {found}")]
    Camera {
        /// Which number: `fx`, `fy`, `cx`, `cy`, `width` or `height`.
        name: &'static str,
        /// What was found.
        found: f64,
    },
    /// A transform holds numbers that are not finite, or a rotation of no length.
    #[error("transform {parent} from {child}: expected finite numbers and a unit rotation")]
    InvalidTransform {
        /// Parent frame.
        parent: String,
        /// Child frame.
        child: String,
    },
    /// A frame's name is empty, too long, or its own parent.
    #[error("frame names: expected two different names of 1 to {expected} bytes, found {parent:?} and {child:?}")]
    FrameNames {
        /// The longest accepted name, bytes.
        expected: usize,
        /// Parent frame, shortened.
        parent: String,
        /// Child frame, shortened.
        child: String,
    },
    /// The buffer holds as many frames as it may.
    #[error("too many frames: expected at most {expected}, {found:?} would be one more")]
    TooManyFrames {
        /// The limit.
        expected: usize,
        /// The new frame.
        found: String,
    },
    /// Nothing was ever heard about a frame.
    #[error("unknown frame {found:?}")]
    UnknownFrame {
        /// The frame asked for.
        found: String,
    },
    /// Both frames are known, but no chain joins them.
    #[error("frames {target:?} and {source_frame:?} are not connected")]
    NotConnected {
        /// Target frame.
        target: String,
        /// Source frame.
        source_frame: String,
    },
    /// Parents lead back to where they started.
    #[error("the parents of frame {found:?} form a circle")]
    Circle {
        /// The frame whose chain was walked.
        found: String,
    },
    /// The stamp lies outside what is held about a frame.
    #[error("frame {child:?}: expected a stamp in {earliest_nanos}..={latest_nanos} ns, found {found_nanos} ns")]
    Extrapolation {
        /// The frame.
        child: String,
        /// Oldest stamp held, nanoseconds.
        earliest_nanos: i64,
        /// Newest stamp held, nanoseconds.
        latest_nanos: i64,
        /// Stamp asked for, nanoseconds.
        found_nanos: i64,
    },
    /// The picture's size has nothing to do with the calibration's.
    #[error(
        "camera_info is of {}x{}, sent as {}x{}; found pictures of {}x{}, of another shape",
        calibrated.0, calibrated.1, sent.0, sent.1, found.0, found.1
    )]
    PictureSize {
        /// Width and height of the calibration, pixels.
        calibrated: (u32, u32),
        /// Width and height of what its region and binning leave, pixels.
        sent: (u32, u32),
        /// Width and height of the picture, pixels.
        found: (u32, u32),
    },
    /// Nothing says how the robot moves: neither TF nor odometry.
    #[error("neither TF nor odometry moves {found}")]
    NotMoving {
        /// The robot's frame.
        found: String,
    },
    /// A transform's stamp lies in the future.
    #[error(
        "frame {child:?}: expected a stamp of at most {expected_nanos} ns (now and a second), found {found_nanos} ns"
    )]
    Future {
        /// The frame.
        child: String,
        /// The latest believed stamp, nanoseconds.
        expected_nanos: i64,
        /// The stamp found, nanoseconds.
        found_nanos: i64,
    },
}
