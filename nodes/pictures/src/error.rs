//! Why a picture is refused.

use thiserror::Error;

use crate::format::Format;

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a picture is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are of no format that is read.
    #[error("expected a JPEG or PNG (BMP, PGM and PPM are read too), found {found}")]
    Format {
        /// What they are, or how they begin.
        found: String,
    },
    /// The message says that it holds no picture.
    #[error("expected a picture (jpeg or png), found {what} (format {format:?}); {advice}")]
    NoPicture {
        /// What it holds.
        what: &'static str,
        /// What the message says about itself.
        format: String,
        /// Where a picture is to be had.
        advice: &'static str,
    },
    /// Too many pixels.
    #[error("expected at most {limit} pixels, found {width}x{height}; have the camera send smaller pictures")]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Most pixels.
        limit: u64,
    },
    /// No pixels.
    #[error("expected a picture with pixels, found {width}x{height}")]
    Empty {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The data end before the picture does.
    #[error("{format}: expected {expected}, found the end of the {bytes} bytes; the picture was cut")]
    Cut {
        /// The format.
        format: Format,
        /// What was to come.
        expected: String,
        /// How many bytes there are.
        bytes: usize,
    },
    /// The data contradict themselves, as where a piece in the middle is missing.
    #[error("{format}: damaged: {what}")]
    Damaged {
        /// The format.
        format: Format,
        /// Where, what was expected, what was found.
        what: String,
    },
    /// A kind of the format that isn't read.
    #[error("{format}: expected {expected}, found {found}")]
    Unsupported {
        /// The format.
        format: Format,
        /// What is read.
        expected: &'static str,
        /// What this is.
        found: String,
    },
}

impl Error {
    pub(crate) fn damaged(format: Format, what: impl Into<String>) -> Self {
        Self::Damaged { format, what: what.into() }
    }
}
