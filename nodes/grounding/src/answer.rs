//! From what a model wrote to a typed answer.

use msgs::{QuestionKind, Unit};

use crate::number::parse_number;

/// Longer completions are cut here before they are read.
pub const MAX_COMPLETION_BYTES: usize = 262_144;

const NOT_SEEN: [&str; 14] = [
    "not seen",
    "not visible",
    "unseen",
    "none seen",
    "cannot see",
    "can't see",
    "do not see",
    "don't see",
    "not present",
    "not found",
    "no such",
    "not in view",
    "unknown",
    "cannot be determined",
];

/// What an answer's text turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A number, in the kind's unit; finite, and not negative.
    Number(f64),
    /// The model says that it did not see what was asked about.
    NotSeen,
    /// The upper-case letter of an option.
    Option(char),
    /// Text, for a question that asks for text.
    Text,
    /// No answer of the kind can be read.
    Unreadable,
}

/// A completion, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedAnswer {
    /// The text between `<think>` and `</think>` without its map, trimmed.
    pub thinking: String,
    /// The text between `<map>` and `</map>`, where there is one.
    pub map_text: Option<String>,
    /// The text between `<answer>` and `</answer>`; without tags, what follows the thinking. Trimmed.
    pub answer_text: String,
    /// The answer, typed.
    pub outcome: Outcome,
}

/// Takes a completion apart. Lenient: tags may be missing or unclosed, and no text whatever is an error.
pub fn parse_completion(text: &str, kind: QuestionKind) -> ParsedAnswer {
    let mut end = text.len().min(MAX_COMPLETION_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let map_text = between(text, "<map>", "</map>").map(|inner| inner.trim().to_owned());
    let without_map = remove(text, "<map>", "</map>");
    let thinking = between(&without_map, "<think>", "</think>").unwrap_or_default();
    // An unclosed thought may run into the answer.
    let thinking = thinking.split("<answer>").next().unwrap_or_default().trim().to_owned();
    let answer = between(&without_map, "<answer>", "</answer>").map(str::to_owned);
    let answer = answer.unwrap_or_else(|| remove(&without_map, "<think>", "</think>"));
    let answer_text = answer.trim().to_owned();
    let outcome = outcome(&answer_text, kind);
    ParsedAnswer { thinking, map_text, answer_text, outcome }
}

/// The inside of the first pair of tags; to the end where the second is missing.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    Some(rest.split_once(close).map_or(rest, |(inside, _)| inside))
}

/// The text without the first pair of tags and its inside. A missing second tag takes everything up to the answer.
fn remove(text: &str, open: &str, close: &str) -> String {
    let Some((before, rest)) = text.split_once(open) else { return text.to_owned() };
    let after = match rest.split_once(close) {
        Some((_, after)) => after,
        None => rest.find("<answer>").map_or("", |at| &rest[at..]),
    };
    format!("{before}{after}")
}

/// Types an answer's text by the kind of question.
pub fn outcome(answer_text: &str, kind: QuestionKind) -> Outcome {
    let lower = answer_text.trim().to_lowercase();
    // A long text that merely mentions one of the phrases is an answer of its own.
    if lower.len() <= 80 && NOT_SEEN.iter().any(|phrase| lower.contains(phrase)) {
        return Outcome::NotSeen;
    }
    match kind {
        _ if kind.unit() != Unit::None => match parse_number(answer_text) {
            Some(value) if value >= 0.0 => Outcome::Number(value),
            _ => Outcome::Unreadable,
        },
        _ if lower.is_empty() => Outcome::Unreadable,
        _ => option_letter(answer_text.trim()).map_or(Outcome::Text, Outcome::Option),
    }
}

/// `B`, `B.`, `B) the sofa`, `(B)`; not `A sofa`.
fn option_letter(text: &str) -> Option<char> {
    let text = text.strip_prefix('(').unwrap_or(text);
    let mut chars = text.chars();
    let letter = chars.next().filter(char::is_ascii_uppercase)?;
    match chars.next() {
        None | Some('.' | ')' | ':') => Some(letter),
        Some(_) => None,
    }
}
