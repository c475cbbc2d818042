//! What can go wrong in a training run.

use std::path::PathBuf;

/// The error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Ranks could not speak to each other.
    #[error(transparent)]
    Ranks(#[from] parallel::Error),
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// An update or a checkpoint failed.
    #[error(transparent)]
    Optimiser(#[from] optimiser::Error),
    /// A sample could not be made.
    #[error(transparent)]
    Episode(#[from] episodes::Error),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A configuration file is not as expected.
    #[error("{path}: {reason}")]
    Config {
        /// The file.
        path: PathBuf,
        /// The parser's reason: line, key, what was expected.
        reason: String,
    },
    /// The loss or its gradients left the finite numbers.
    #[error(
        "step {step}: the loss is {loss}, the gradient's norm {norm}; expected finite ones: lower the learning rate or raise the warm-up, and go on from the last checkpoint"
    )]
    Diverged {
        /// The optimiser step.
        step: u64,
        /// The loss found.
        loss: f32,
        /// The L2 norm of the gradients found.
        norm: f64,
    },
}

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
