//! What can go wrong in a run.

use std::path::PathBuf;

/// The error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// An update or a checkpoint failed.
    #[error(transparent)]
    Optimiser(#[from] optimiser::Error),
    /// Ranks could not speak to each other.
    #[error(transparent)]
    Ranks(#[from] parallel::Error),
    /// A scene could not be made.
    #[error(transparent)]
    Episode(#[from] episodes::Error),
    /// The processor refused a model directory or a token.
    #[error(transparent)]
    Processor(#[from] processor::ProcessorError),
    /// The sampler refused a setting or a logit.
    #[error(transparent)]
    Sampler(#[from] vlm::Error),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A recipe is not as expected.
    #[error("{path}: {reason}")]
    Recipe {
        /// The file.
        path: PathBuf,
        /// Line, key, what was expected, what was found.
        reason: String,
    },
    /// A prompt can't be used.
    #[error("scene {scene}: expected {expected}, found {found}")]
    Prompt {
        /// Its index in the split.
        scene: u64,
        /// What is needed.
        expected: String,
        /// What there is.
        found: String,
    },
    /// A server did not do its part.
    #[error("server {url}: expected {expected}, found {found}")]
    Server {
        /// Its address.
        url: String,
        /// What is needed.
        expected: String,
        /// What it did.
        found: String,
    },
    /// A prompt can't be put to a server.
    #[error("expected a prompt of turns in ChatML with at most one video each, found {found:?}")]
    Conversation {
        /// How the odd part begins.
        found: String,
    },
    /// No group of completions differs in reward, so that there is nothing to learn from.
    #[error(
        "step {step}: {tried} scenes in a row whose completions all have the same reward; expected some that differ"
    )]
    NoSignal {
        /// The step.
        step: u64,
        /// Scenes tried.
        tried: usize,
    },
    /// The loss left the finite numbers.
    #[error(
        "step {step}: the gradient's norm is {norm}; expected a finite one: lower the learning rate, and go on from the last checkpoint"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// The norm found.
        norm: f64,
    },
}

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
