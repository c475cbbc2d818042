//! What can go wrong.

use thiserror::Error;

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a clip was not recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The furniture can't be read.
    #[error(transparent)]
    Furniture(#[from] sim::catalogue::PackError),
    /// The bag can't be written.
    #[error(transparent)]
    Recording(#[from] recording::Error),
    /// The prompts have no wording for a kind of question.
    #[error("prompts: expected at least one phrasing for {expected}, found none")]
    NoPhrasing {
        /// The kind's name.
        expected: &'static str,
    },
    /// The truth is no JSON: a number is not finite.
    #[error("truth: {0}")]
    Truth(#[from] serde_json::Error),
}
