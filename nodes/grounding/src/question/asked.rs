//! The part of a text that asks: without greetings and wishes before it, and without what says behind it how to answer.
//!
//! Failure mode: a text that asks twice, or says more of what is meant, has no such part.

use super::words::{has, strip, tokens, without_marks};

/// What a sentence behind the question may begin with: it says how to answer, and asks nothing.
const INSTRUCTIONS: [&str; 10] = ["please", "answer", "give", "use", "add", "measure", "round", "state", "reply", "if"];
/// Thanks, longest first.
const THANKS: [&str; 6] =
    ["thank you very much", "thank you so much", "thanks a lot", "thanks in advance", "thank you", "thanks"];
/// Words that ask or order; a sentence with one of them does more than say how to answer.
const ASKING: &[&str] = &[
    "about", "also", "both", "come", "compare", "count", "describe", "drive", "else", "explain", "find", "for",
    "forget", "go", "how", "ignore", "instead", "list", "move", "name", "show", "stop", "tell", "then", "too", "turn",
    "well", "what", "when", "where", "whether", "which", "who", "whose", "why",
];
/// What may follow "the", "a" or "of" where an answer is spoken of; any other word there names a thing.
const OF_ANSWERS: &[&str] = &[
    "answer",
    "average",
    "brief",
    "category",
    "center",
    "centimeters",
    "centimetres",
    "centre",
    "choices",
    "closest",
    "combined",
    "comma",
    "decimal",
    "degrees",
    "digit",
    "digits",
    "distance",
    "each",
    "estimate",
    "few",
    "figure",
    "first",
    "following",
    "format",
    "given",
    "instance",
    "instances",
    "integer",
    "its",
    "largest",
    "last",
    "letter",
    "meter",
    "meters",
    "metre",
    "metres",
    "multiple",
    "nearest",
    "number",
    "numeral",
    "object",
    "objects",
    "option",
    "option's",
    "options",
    "phrase",
    "plain",
    "point",
    "points",
    "question",
    "result",
    "room",
    "rooms",
    "scene",
    "sentence",
    "several",
    "short",
    "shortest",
    "single",
    "size",
    "smallest",
    "space",
    "sum",
    "their",
    "them",
    "total",
    "unit",
    "units",
    "value",
    "video",
    "whole",
    "word",
    "words",
];

/// The sentence that asks: up to the first question mark, where behind it stands at most how to answer. `None` where more
/// is said there, which may change what is meant or ask for something else.
pub(super) fn asked(text: &str) -> Option<&str> {
    let Some((asked, rest)) = text.split_once('?') else { return Some(text) };
    let rest = rest.trim_start_matches(['?', '!', '.', ' ']);
    let says_how = !rest.contains('?') && without_options(rest).split(['.', '!', ';']).all(says_how_to_answer);
    says_how.then_some(asked)
}

/// The text before a list of options.
fn without_options(rest: &str) -> &str {
    let is_title = |at: &usize| rest[..*at].trim_end().is_empty() || rest[..*at].trim_end().ends_with(['.', '!', ':']);
    let title = rest.find("options").filter(is_title);
    let listed = ["a. ", "a) ", "(a) "].iter().filter_map(|mark| match rest.starts_with(mark) {
        true => None,
        false => rest.find(&format!(" {mark}")),
    });
    rest.get(..listed.chain(title).min().unwrap_or(rest.len())).unwrap_or(rest)
}

/// Whether a sentence, which may be empty, only thanks or says how to answer.
fn says_how_to_answer(sentence: &str) -> bool {
    let all = tokens(sentence);
    let words = without_marks(&all);
    let words = strip(&words, &THANKS).map_or(&words[..], |rest| strip(rest, &["robot", "again"]).unwrap_or(rest));
    let Some(first) = words.first() else { return true };
    // "An object is to my back if I would have to turn ...", as VSI-Bench explains its sides.
    let explains = strip(words, &["an object is to my"]).is_some();
    explains || INSTRUCTIONS.contains(first) && !has(words, ASKING) && !names_a_thing(words)
}

/// Whether "the", "a" or "of" is followed by anything but what an answer is made of.
fn names_a_thing(words: &[&str]) -> bool {
    let articles = ["the", "a", "an", "of", "my", "your", "this", "that"];
    words.windows(2).any(|pair| {
        articles.contains(&pair[0]) && !articles.contains(&pair[1]) && {
            let is_number = pair[1].bytes().all(|byte| byte.is_ascii_digit());
            !is_number && !OF_ANSWERS.contains(&pair[1])
        }
    })
}

/// Words of courtesy before a question.
const POLITE: &[&str] = &[
    "please",
    "kindly",
    "hey",
    "hi",
    "hello",
    "dear",
    "robot",
    "so",
    "and",
    "ok",
    "okay",
    "well",
    "tell",
    "me",
    "us",
    "now",
    "good",
    "morning",
    "afternoon",
    "evening",
    "excuse",
    "sorry",
    "pardon",
    "thanks",
    ",",
    ".",
    ":",
];
/// Wishes to be told.
const WISHES: &[&str] = &[
    "do you know",
    "do you happen to know",
    "i want to know",
    "i need to know",
    "i would like to know",
    "i'd like to know",
    "we want to know",
    "we'd like to know",
    "i wonder",
    "i was wondering",
    "i am wondering",
    "i'm wondering",
    "may i ask",
    "can i ask",
    "let me know",
    "would you mind telling me",
    "hi there",
    "hello there",
    "hey there",
    "thank you",
];

/// Skips greetings and wishes to be told, however many there are.
pub(super) fn skip_politeness<'a, 'b>(mut words: &'a [&'b str]) -> &'a [&'b str] {
    loop {
        let before = words.len();
        words = strip(words, WISHES).or_else(|| request(words)).unwrap_or(words);
        if let [first, rest @ ..] = words
            && words.len() == before
            && POLITE.contains(first)
        {
            words = rest;
        }
        if words.len() == before {
            return words;
        }
    }
}

/// What "could you please tell me" asks for, and what "could you please" orders.
fn request<'a, 'b>(words: &'a [&'b str]) -> Option<&'a [&'b str]> {
    let rest = strip(words, &["can you", "could you", "would you", "will you"])?;
    let rest = strip(rest, &["please", "kindly", "just"]).unwrap_or(rest);
    let is_order = strip(rest, &["give me", "estimate", "measure", "count"]).is_some();
    strip(rest, &["tell me", "tell us", "let me know", "say"]).or(is_order.then_some(rest))
}
