//! Scores of one text against another.

mod porter;
mod rouge;
mod word_error_rate;

pub use rouge::{Rouge, rouge};
pub use word_error_rate::word_error_rate;

/// Longer texts are cut to this many words: no answer is longer, and the scores take time in the square of it.
const MAX_WORDS: usize = 2048;
