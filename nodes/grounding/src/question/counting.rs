//! "How many?"

use msgs::QuestionKind;

use super::Read;
use super::words::{are_all, has, object, strip};

/// Words that end the object of "how many ...".
const AFTER_OBJECT: [&str; 18] = [
    "are",
    "is",
    "do",
    "does",
    "did",
    "can",
    "could",
    "have",
    "were",
    "was",
    "in",
    "there",
    "exist",
    "you",
    "i",
    "visible",
    "altogether",
    "total",
];
/// All that may stand behind the object: anything else asks for less than all that is to be seen, or for
/// something else.
const TAIL: &[&str] = &[
    "all",
    "altogether",
    "apartment",
    "are",
    "around",
    "at",
    "camera",
    "can",
    "could",
    "count",
    "counted",
    "currently",
    "detect",
    "did",
    "do",
    "does",
    "entire",
    "exist",
    "find",
    "flat",
    "found",
    "frame",
    "frames",
    "from",
    "have",
    "here",
    "house",
    "i",
    "image",
    "images",
    "in",
    "is",
    "me",
    "moment",
    "my",
    "now",
    "our",
    "picture",
    "pictures",
    "place",
    "please",
    "recognise",
    "recognize",
    "right",
    "robot",
    "room",
    "scene",
    "see",
    "seen",
    "spot",
    "the",
    "there",
    "this",
    "total",
    "us",
    "video",
    "view",
    "visible",
    "was",
    "we",
    "were",
    "whole",
    "you",
    "your",
];
/// "How many metres wide", "how many steps long".
const MEASURES: [&str; 10] =
    ["metres", "meters", "centimetres", "centimeters", "degrees", "steps", "times", "seconds", "minutes", "square"];

/// The reader of this file; the words hold no marks.
pub(super) fn read(words: &[&str]) -> Option<Read> {
    let rest = strip(words, &["how many of the", "how many", "count all the", "count the", "count all", "count"]);
    let (rest, is_number) = match rest {
        Some(rest) => (rest, false),
        None => {
            let rest = strip(words, &["what is", "give me", "give"]).unwrap_or(words);
            (strip(rest, &["the number of", "number of"])?, true)
        }
    };
    let end = rest.iter().position(|word| AFTER_OBJECT.contains(word)).unwrap_or(rest.len());
    let (named, tail) = rest.split_at(end);
    let asked = object(named)?;
    // "The number of the bus" is no count.
    let is_several = !is_number || named.last().is_some_and(|head| !asked.ends_with(head)) || asked.contains(" of ");
    let counts = is_several && are_all(tail, TAIL) && !has(named, &MEASURES);
    counts.then(|| (QuestionKind::ObjectCounting, vec![asked]))
}
