//! The crate's one error type: every variant says what was expected and what was found.

use std::path::PathBuf;

/// What can go wrong between raw frames and text on one side and model inputs on the other.
#[derive(Debug, thiserror::Error)]
pub enum ProcessorError {
    /// A file of the model directory could not be read, or is not the one that the manifest lists.
    #[error(transparent)]
    File(#[from] model_dir::Error),
    /// A file of the model directory is not JSON.
    #[error("{} is not valid JSON: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The parser's reason, with line and column.
        source: serde_json::Error,
    },
    /// A value in a configuration file is missing, of the wrong type, or describes another architecture.
    #[error("{file}: {key}: expected {expected}, found {found}")]
    Config {
        /// File name.
        file: String,
        /// Dotted key inside the file.
        key: String,
        /// What this crate can work with.
        expected: String,
        /// What the file says.
        found: String,
    },
    /// The model directory holds none of the files that could carry a part.
    #[error("{}: expected one of {expected}, found none", dir.display())]
    MissingFile {
        /// The model directory.
        dir: PathBuf,
        /// File names that would do.
        expected: &'static str,
    },
    /// `tokenizer.json` would do something else to text than split it, or says how a way that has no bound.
    #[error("{}: {key}: expected {expected}, found {found}", path.display())]
    TokenizerForm {
        /// The file.
        path: PathBuf,
        /// Dotted key.
        key: String,
        /// What is accepted.
        expected: String,
        /// What the file says.
        found: String,
    },
    /// `tokenizer.json` could not be loaded, or text could not be encoded or decoded.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The chat template does not compile or does not render.
    #[error("chat template: {0}")]
    Template(#[from] minijinja::Error),
    /// The chat template has a part that is not run, because the text that it builds has no bound.
    #[error(
        "chat template: line {line}: expected conditions, loops, and text that is joined only where it is written, \
         found {found}"
    )]
    TemplateForm {
        /// Line of the template.
        line: u16,
        /// The part.
        found: String,
    },
    /// The chat template in this file can't be used.
    #[error("{}: {source}", path.display())]
    TemplateFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<ProcessorError>,
    },
    /// A picture without pixels.
    #[error("expected a picture with pixels, found {width}×{height}")]
    EmptyPicture {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// A picture whose data is longer or shorter than its size says.
    #[error("expected {expected} bytes for a packed RGB8 picture of {width}×{height}, found {found}")]
    PictureLength {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// width · height · 3.
        expected: String,
        /// Bytes given.
        found: usize,
    },
    /// A picture too long and thin to resize (the reference implementation refuses it, too).
    #[error("expected an aspect ratio of at most {limit}, found {width}×{height}")]
    AspectRatio {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// The largest ratio of long to short side.
        limit: usize,
    },
    /// Pixel limits that no size can meet.
    #[error("expected factor > 0 and 0 < min_pixels ≤ max_pixels, found factor {factor}, {min_pixels}, {max_pixels}")]
    PixelLimits {
        /// Side lengths are multiples of this.
        factor: usize,
        /// Smallest area in pixels.
        min_pixels: usize,
        /// Largest area in pixels.
        max_pixels: usize,
    },
    /// The resampler refused.
    #[error("resize to {width}×{height}: {reason}")]
    Resize {
        /// Target width in pixels.
        width: usize,
        /// Target height in pixels.
        height: usize,
        /// The resampler's reason.
        reason: String,
    },
    /// A video without frames.
    #[error("expected at least one frame, found none")]
    NoFrames,
    /// A frame that differs in size from the first of its video, or does not divide into patches.
    #[error("frame {index}: expected {expected}, found {found_width}×{found_height}")]
    FrameSize {
        /// Position in the video.
        index: usize,
        /// The size, or the divisor, that was expected.
        expected: String,
        /// Width in pixels.
        found_width: usize,
        /// Height in pixels.
        found_height: usize,
    },
    /// A frame rate that is not a positive number.
    #[error("expected a positive, finite frame rate in frames per second, found {0}")]
    FrameRate(f64),
    /// A grid that does not divide into merge blocks or is empty.
    #[error("expected a grid (t, h, w) > 0 with h and w multiples of {merge}, found {grid:?}")]
    Grid {
        /// Patches per merge block's side.
        merge: usize,
        /// The grid in patches.
        grid: [usize; 3],
    },
    /// More or fewer placeholders in the text than pictures or videos given.
    #[error("{kind}: expected {expected} placeholders in the text, one for each given, found {found}")]
    Placeholders {
        /// `image` or `video`.
        kind: &'static str,
        /// Inputs given.
        expected: usize,
        /// Placeholders, or runs of them, in the text.
        found: usize,
    },
    /// A run of placeholder tokens that does not fit its grid.
    #[error("{kind} at token {at}: expected a run of {expected} placeholder tokens, found {found}")]
    PlaceholderRun {
        /// `image` or `video`.
        kind: &'static str,
        /// Index of the run's first token.
        at: usize,
        /// t · h · w / merge².
        expected: usize,
        /// Tokens in the run.
        found: usize,
    },
    /// A vision input of the wrong kind: a video needs its seconds per grid step.
    #[error("video {index}: expected second_per_grid > 0, found {found:?}")]
    SecondPerGrid {
        /// Position among the videos.
        index: usize,
        /// What was given.
        found: Option<f32>,
    },
}

/// `Result` with this crate's error.
pub type Result<T, E = ProcessorError> = std::result::Result<T, E>;
