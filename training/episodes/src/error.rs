//! What can go wrong while episodes are read or written, and samples made.

use std::path::{Path, PathBuf};

/// The error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tokenizer library refused something.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The processor refused a frame or a prompt.
    #[error(transparent)]
    Processor(#[from] processor::ProcessorError),
    /// A template file has no phrasing for a kind of question.
    #[error("prompts.toml: expected at least one phrasing for {expected}, found none")]
    NoPhrasing {
        /// The kind's name.
        expected: &'static str,
    },
    /// The templates could not be read.
    #[error("{path}: {reason}")]
    Prompts {
        /// The file.
        path: PathBuf,
        /// Line, key, what was expected.
        reason: String,
    },
    /// The furniture could not be read.
    #[error(transparent)]
    Furniture(#[from] sim::catalogue::PackError),
    /// A vision tower that is not trained refused patches.
    #[error("vision tower: {0}")]
    Tower(String),
    /// A text was tokenised in a way that training can't use.
    #[error("expected {expected}, found {found}")]
    Tokens {
        /// What training needs.
        expected: String,
        /// What the tokenizer gave.
        found: String,
    },
    /// The robot would refuse a question.
    #[error(transparent)]
    Question(#[from] grounding::QuestionError),
    /// The bundled wording of questions is damaged.
    #[error(transparent)]
    Wording(#[from] sim::questions::wording::WordingError),
    /// A label doesn't fit its question.
    #[error("label of question {question:?}: expected {expected}, found {found:?}")]
    Label {
        /// The question's id.
        question: String,
        /// What fits.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A line of a JSON-lines file is not what it should be.
    #[error("{}:{line}: field {field}: expected {expected}, found {found}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// The field; `record` for all of it.
        field: String,
        /// What it should be.
        expected: String,
        /// What is there, shortened.
        found: String,
    },
    /// A file or folder is of another form.
    #[error("{}: expected {expected}, found {found}", path.display())]
    Form {
        /// The file or folder.
        path: PathBuf,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Frames lie too far apart for a video at a steady rate.
    #[error(
        "stamps: expected at most {expected} moments of {rate_hz} Hz for {frames} frames, found {found}; was the clock set?"
    )]
    Span {
        /// Most moments.
        expected: u64,
        /// The rate of the video.
        rate_hz: f64,
        /// How many frames there are.
        frames: usize,
        /// Moments from the first to the last.
        found: u64,
    },
    /// Something is no picture.
    #[error("picture: expected {expected}, found {found}")]
    Picture {
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A picture that can't be decoded, or not whole.
    #[error("picture: {0}")]
    Broken(#[from] pictures::Error),
    /// A picture file that can't be decoded, or not whole.
    #[error("{}: {source}", path.display())]
    BrokenFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pictures::Error,
    },
    /// A camera's frame lies about itself.
    #[error(transparent)]
    Frame(#[from] frame_ring::FrameError),
    /// A model directory asks for frames of a size that none can have.
    #[error(transparent)]
    FrameSize(#[from] frame_ring::SettingsError),
    /// A video or picture can't be read or written.
    #[error("{}: {source}", path.display())]
    Capture {
        /// The file.
        path: PathBuf,
        /// What OpenCV said.
        source: capture::Error,
    },
    /// A bag can't be read.
    #[error(transparent)]
    Bag(#[from] recording::Error),
    /// A parquet file can't be written.
    #[error("{}: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: parquet::errors::ParquetError,
    },
}

impl Error {
    /// The recordings of a folder that was taken for one.
    pub fn recordings(&self) -> Option<&[PathBuf]> {
        match self {
            Self::Bag(recording::Error::Several { recordings, .. }) => Some(recordings),
            _ => None,
        }
    }

    /// Whether it is about the place where results go, and not about one episode.
    pub fn is_of_output(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Capture { .. } | Self::Parquet { .. })
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn capture(path: &Path) -> impl FnOnce(capture::Error) -> Self + '_ {
        |source| Self::Capture { path: path.to_owned(), source }
    }

    /// Names the file of a broken picture.
    pub(crate) fn of_file(self, path: &Path) -> Self {
        match self {
            Self::Broken(source) => Self::BrokenFile { path: path.to_owned(), source },
            other => other,
        }
    }

    pub(crate) fn parquet(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self + '_ {
        |source| Self::Parquet { path: path.to_owned(), source }
    }
}

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
