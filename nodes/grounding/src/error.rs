//! What can be wrong with a question.

use thiserror::Error;

/// Why a question could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QuestionError {
    /// Nothing but white space or control characters.
    #[error("empty question: expected at least one letter, found none")]
    Empty,
    /// Longer than [`crate::MAX_QUESTION_BYTES`].
    #[error("question too long: expected at most {expected} bytes, found {found}")]
    TooLong {
        /// The limit, bytes.
        expected: usize,
        /// The length found, bytes.
        found: usize,
    },
    /// The bytes are not UTF-8.
    #[error("question is not UTF-8: expected text, found a broken character at byte {found}")]
    NotUtf8 {
        /// Offset of the first broken byte.
        found: usize,
    },
}
