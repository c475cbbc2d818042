//! From a question's text to its kind, from a model's text to a typed answer.
//!
//! [`parse_question`] is strict about length and lenient about wording, but reads no kind into words that may
//! ask for something else; [`parse_completion`] never fails, and [`told`] says what of it a robot may tell.
//! Training uses the same functions for its rewards and metrics, so that the robot and the trainer read
//! answers alike. [`prompt`] writes the words of the prompt for both. Failure modes: [`QuestionError`] for a
//! question, [`Outcome::Unreadable`] for a completion.

mod answer;
mod error;
mod nouns;
mod number;
pub mod prompt;
mod question;
mod stretch;
mod told;

pub use answer::{MAX_COMPLETION_BYTES, Outcome, ParsedAnswer, outcome, parse_completion};
pub use error::QuestionError;
pub use nouns::{class_name, held_class, plural, singular};
pub use number::{ARTICLES, NUMBER_WORDS, parse_number};
pub use question::{MAX_QUESTION_BYTES, ParsedQuestion, parse_question, parse_question_bytes, with_options};
pub use stretch::stretch_secs;
pub use told::told;
