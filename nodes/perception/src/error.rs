//! What can be wrong with settings, a model, or one run of it.

use std::path::PathBuf;

use grounding::QuestionError;
use thiserror::Error;

use crate::query::{MAX_OPTION_BYTES, MAX_OPTIONS};

/// Why a pipeline could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting is out of range.
    #[error("{name}: expected {expected}, found {found}")]
    Setting {
        /// The setting's name.
        name: &'static str,
        /// The accepted range.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// The frame ring refused its settings.
    #[error(transparent)]
    Ring(#[from] frame_ring::SettingsError),
    /// The operating system gave no thread.
    #[error("can't start the worker thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The deadline is no time.
    #[error("deadline_secs: expected a finite number of at least 0, found {found}")]
    Deadline {
        /// Seconds.
        found: f64,
    },
    /// The question itself can't be read.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// Too many options, or too long ones.
    #[error(
        "options: expected at most {MAX_OPTIONS} of {MAX_OPTION_BYTES} bytes in all, found {found} of {bytes} bytes"
    )]
    Options {
        /// Options.
        found: usize,
        /// Bytes of all of them.
        bytes: usize,
    },
}

/// Why a model could not be loaded or failed on one question. The texts name file, expected and found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The model directory was refused.
    #[error(transparent)]
    ModelDir(#[from] model_dir::Error),
    /// Preprocessing failed.
    #[error(transparent)]
    Processor(#[from] processor::ProcessorError),
    /// The engine could not be loaded, or failed.
    #[error(transparent)]
    Engine(#[from] vlm::Error),
    /// The manifest states no parity.
    #[error("{}: manifest.toml: expected [parity], found none: export the model again", .0.display())]
    NoParity(PathBuf),
    /// A golden prompt is spelt with other tokens than at export.
    #[error("{}: golden prompt {case:?}: expected the {expected} tokens of the export, found {found} tokens that differ: tokenizer, template or preprocessor have changed", model.display())]
    ParityTokens {
        /// The model directory.
        model: PathBuf,
        /// The golden prompt.
        case: String,
        /// Tokens at export.
        expected: usize,
        /// Tokens now.
        found: usize,
    },
    /// The graphs do not compute what the checkpoint does.
    #[error("{}: golden prompt {case:?}: expected logits within {tolerance:.1e} of the checkpoint's, found {found:.1e}", model.display())]
    Parity {
        /// The model directory.
        model: PathBuf,
        /// The golden prompt.
        case: String,
        /// The manifest's tolerance.
        tolerance: f64,
        /// Largest difference over the largest reference logit.
        found: f64,
    },
    /// The wording lists a kind of questions that does not exist.
    #[error(
        "prompts.toml: kinds: expected names of kinds such as \"ego_distance\" (SpatialAnswer.msg lists them), found {found:?}"
    )]
    UnknownKind {
        /// The name.
        found: String,
    },
    /// The wording names no kind of questions, so that the model would refuse whatever it is asked.
    #[error(
        "prompts.toml: [kinds]: expected the kinds that the model was taught, or [kinds.free_form] for one that answers \
         whatever it is asked, found none"
    )]
    NoKinds,
    /// The calibration's operating point of "not seen" is not of this tokenizer.
    #[error("calibration.toml, abstention.token {token:?}: expected one token, found {found}")]
    Abstention {
        /// The token as text.
        token: String,
        /// Tokens that spell it.
        found: usize,
    },
    /// The window that the model asks for does not fit into memory.
    #[error(
        "prompts.toml, preprocessor_config.json: expected a window that takes at most {most_mb} MB, half of the memory that \
         is free, found {frames} frames of at least {pixels} pixels, for which it takes {needed_mb} MB to see"
    )]
    Room {
        /// Frames of the window.
        frames: usize,
        /// Smallest frame that the preprocessor makes.
        pixels: usize,
        /// What that takes, in megabytes.
        needed_mb: u64,
        /// Half of the memory that is free, in megabytes.
        most_mb: u64,
    },
    /// The window's frames do not fit the model.
    #[error("frames: expected {expected}, found {found}")]
    Frames {
        /// What the model takes.
        expected: String,
        /// What the window holds.
        found: String,
    },
    /// Any other reason, of an answerer that is not ours.
    #[error("{0}")]
    Other(String),
}
