//! From a question's text to its kind and objects.

mod asked;
mod benchmark;
mod counting;
mod distance;
mod relations;
mod size;
mod viewer;
mod words;

use msgs::QuestionKind;

use crate::QuestionError;
use crate::nouns::class_name;

use asked::{asked, skip_politeness};
use words::{tokens, without_marks};

/// Longest accepted question, bytes.
pub const MAX_QUESTION_BYTES: usize = 16_384;

/// A question that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedQuestion {
    /// What is asked: the form of the answer. [`QuestionKind::FreeForm`] where there are options, for the
    /// answer is a letter.
    pub kind: QuestionKind,
    /// What the words ask, with options or without.
    pub asked: QuestionKind,
    /// The class asked about: lower case, singular, synonyms replaced; `None` where the kind has none. The first named
    /// one where there are several.
    pub object: Option<String>,
    /// The other classes, in the order named.
    pub others: Vec<String>,
    /// The question with control characters removed and white space collapsed; below it its options, as
    /// [`with_options`] writes them.
    pub text: String,
    /// What a multiple-choice question lets one choose from, `A` first; empty for an open one.
    pub options: Vec<String>,
}

/// Reads a question as it came over the wire.
///
/// # Errors
/// [`QuestionError`] if it is not UTF-8, and as [`parse_question`].
pub fn parse_question_bytes(bytes: &[u8]) -> Result<ParsedQuestion, QuestionError> {
    check_length(bytes.len())?;
    let text = std::str::from_utf8(bytes).map_err(|error| QuestionError::NotUtf8 { found: error.valid_up_to() })?;
    parse_question(text)
}

/// What a reader found: the kind and the objects as written, in the order of the kind's own words.
type Read = (QuestionKind, Vec<String>);

/// Reads a question. "How far (away) is the X?" is [`QuestionKind::EgoDistance`], "how many Xs are there?"
/// [`QuestionKind::ObjectCounting`], "where is the X?" [`QuestionKind::EgoDirection`]; [`QuestionKind`] has an example of
/// every kind. What none of them fits is [`QuestionKind::FreeForm`].
///
/// # Errors
/// [`QuestionError`] if it is empty or longer than [`MAX_QUESTION_BYTES`].
pub fn parse_question(text: &str) -> Result<ParsedQuestion, QuestionError> {
    check_length(text.len())?;
    let text = clean(text);
    if !text.chars().any(char::is_alphanumeric) {
        return Err(QuestionError::Empty);
    }
    let (kind, objects) = read(&text.to_lowercase()).unwrap_or((QuestionKind::FreeForm, Vec::new()));
    let mut classes = objects.iter().map(|object| class_name(object));
    let (object, others) = (classes.next(), classes.collect());
    Ok(ParsedQuestion { kind, asked: kind, object, others, text, options: Vec::new() })
}

/// The kind of a question in lower case, where it is one of those that have readers.
fn read(lower: &str) -> Option<Read> {
    let lower = lower.replace('’', "'").replace("what's", "what is").replace("how's", "how is");
    let lower = benchmark::plain(&lower.replace("where's", "where is").replace("(s)", "s"));
    if let Some(route) = benchmark::route(&lower) {
        return Some(route);
    }
    let all = tokens(asked(&lower)?);
    let words = skip_politeness(&all);
    let plain = without_marks(words);
    distance::read(words)
        .or_else(|| counting::read(&plain))
        .or_else(|| size::read(words))
        .or_else(|| relations::read(words))
        .or_else(|| viewer::read(words))
}

/// The question with its options written below it, `A. left` a line; as it is where there are none. Its kind
/// is then [`QuestionKind::FreeForm`], because the answer is a letter.
pub fn with_options(question: &ParsedQuestion, options: &[String]) -> ParsedQuestion {
    if options.is_empty() {
        return question.clone();
    }
    let options: Vec<String> = options.iter().map(|option| clean(option)).collect();
    let mut text = question.text.clone();
    for (letter, option) in ('A'..='Z').zip(&options) {
        text.push_str(&format!("\n{letter}. {option}"));
    }
    ParsedQuestion { kind: QuestionKind::FreeForm, text, options, ..question.clone() }
}

fn check_length(found: usize) -> Result<(), QuestionError> {
    match found > MAX_QUESTION_BYTES {
        true => Err(QuestionError::TooLong { expected: MAX_QUESTION_BYTES, found }),
        false => Ok(()),
    }
}

fn clean(text: &str) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}
