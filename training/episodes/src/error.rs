//! What can go wrong while samples are made.

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
        path: std::path::PathBuf,
        /// Line, key, what was expected.
        reason: String,
    },
    /// The furniture could not be read.
    #[error(transparent)]
    Furniture(#[from] sim::catalogue::PackError),
    /// A text was tokenised in a way that training can't use.
    #[error("expected {expected}, found {found}")]
    Tokens {
        /// What training needs.
        expected: String,
        /// What the tokenizer gave.
        found: String,
    },
}

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
