//! What can be wrong with settings, a model, or one run of it.

use thiserror::Error;

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
    /// The calibration's operating point of "not seen" is not of this tokenizer.
    #[error("calibration.toml, abstention.token {token:?}: expected one token, found {found}")]
    Abstention {
        /// The token as text.
        token: String,
        /// Tokens that spell it.
        found: usize,
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
