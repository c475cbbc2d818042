//! From a question's text to its kind and objects.

mod relations;
mod viewer;

use msgs::QuestionKind;

use crate::QuestionError;
use crate::nouns::class_name;

/// Longest accepted question, bytes.
pub const MAX_QUESTION_BYTES: usize = 1000;

const MAX_OBJECT_WORDS: usize = 4;
const ARTICLES: [&str; 8] = ["the", "a", "an", "my", "this", "that", "our", "your"];
const VIEWER: [&str; 5] = ["me", "us", "here", "you", "robot"];
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
/// Marks that matter to readers of lists.
const MARKS: [&str; 3] = [",", ":", "."];
/// Heads that ask for something else than instances of a class.
const NO_CLASS: [&str; 13] = [
    "kind",
    "type",
    "sort",
    "number",
    "room",
    "color",
    "colour",
    "thing",
    "degree",
    "metre",
    "meter",
    "centimetre",
    "centimeter",
];

/// A question that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedQuestion {
    /// What is asked.
    pub kind: QuestionKind,
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
    let lower =
        text.to_lowercase().replace("what's", "what is").replace("how's", "how is").replace("where's", "where is");
    let with_marks = tokens(&lower);
    let plain: Vec<&str> = with_marks.iter().copied().filter(|word| !MARKS.contains(word)).collect();
    let (words, with_marks) = (skip_politeness(&plain), skip_politeness(&with_marks));
    let read = distance_object(words).map(|object| (QuestionKind::EgoDistance, vec![object]));
    let read = read.or_else(|| counted_object(words).map(|object| (QuestionKind::ObjectCounting, vec![object])));
    let read = read.or_else(|| relations::read(with_marks)).or_else(|| viewer::read(with_marks));
    let (kind, objects) = read.unwrap_or((QuestionKind::FreeForm, Vec::new()));
    let mut classes = objects.iter().map(|object| class_name(object));
    Ok(ParsedQuestion { kind, object: classes.next(), others: classes.collect(), text, options: Vec::new() })
}

/// Words, and the marks that part them, as slices of the text.
fn tokens(text: &str) -> Vec<&str> {
    let in_word = |c: char| c.is_alphanumeric() || c == '-' || c == '\'';
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| in_word(c) || ",:.".contains(c)) {
        rest = &rest[start..];
        let end = rest.find(|c: char| !in_word(c)).unwrap_or(rest.len()).max(1);
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// The question with its options written below it, `A. left` a line; as it is where there are none. What is asked is
/// then [`QuestionKind::FreeForm`], because the answer is a letter.
pub fn with_options(question: &ParsedQuestion, options: &[String]) -> ParsedQuestion {
    if options.is_empty() {
        return question.clone();
    }
    let options: Vec<String> = options.iter().map(|option| clean(option)).collect();
    let mut text = question.text.clone();
    for (letter, option) in ('A'..='Z').zip(&options) {
        text.push_str(&format!("\n{letter}. {option}"));
    }
    ParsedQuestion { kind: QuestionKind::FreeForm, object: None, others: Vec::new(), text, options }
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

fn skip_politeness<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    let polite =
        ["please", "hey", "hi", "hello", "robot", "so", "and", "ok", "okay", "tell", "me", "now", ",", ".", ":"];
    let start = words.iter().position(|word| !polite.contains(word)).unwrap_or(words.len());
    &words[start..]
}

fn strip<'a, 'b>(words: &'a [&'b str], prefixes: &[&str]) -> Option<&'a [&'b str]> {
    prefixes.iter().find_map(|prefix| {
        let length = prefix.split(' ').count();
        let (head, rest) = words.split_at_checked(length)?;
        head.iter().zip(prefix.split(' ')).all(|(word, expected)| *word == expected).then_some(rest)
    })
}

fn distance_object(words: &[&str]) -> Option<String> {
    let far = ["how far away", "how far off", "how far", "how close", "how near", "how distant"];
    let units = ["how many meters away", "how many metres away", "how many meters", "how many metres"];
    let rest = if let Some(rest) = strip(words, &far).or_else(|| strip(words, &units)) {
        let rest = skip_viewer(rest);
        strip(rest, &["is", "are", "is it to", "to", "was", "away is", "away are"]).filter(|_| !rest.is_empty())?
    } else {
        let rest = strip(words, &["what is", "give me", "estimate", "measure"]).unwrap_or(words);
        let rest = strip(rest, &["the"]).unwrap_or(rest);
        let rest = skip_viewer(strip(rest, &["distance"])?);
        strip(rest, &["to", "of", "between me and", "between you and", "between us and"])?
    };
    let rest = strip(rest, &["it to"]).unwrap_or(rest);
    object(trim_viewer(rest))
}

/// Skips "from me", "from the robot" before the verb.
fn skip_viewer<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    strip(words, &["from me", "from us", "from you", "from here", "from the robot", "from the camera"]).unwrap_or(words)
}

/// Removes "away", "from me", "in metres" and the like from the end.
fn trim_viewer<'a, 'b>(mut words: &'a [&'b str]) -> &'a [&'b str] {
    let tails: [&[&str]; 12] = [
        &["from", "the", "robot"],
        &["from", "the", "camera"],
        &["to", "the", "robot"],
        &["in", "meters"],
        &["in", "metres"],
        &["right", "now"],
        &["away"],
        &["off"],
        &["now"],
        &["please"],
        &["approximately"],
        &["roughly"],
    ];
    loop {
        let before = words.len();
        words = tails.iter().find_map(|tail| words.strip_suffix(*tail)).unwrap_or(words);
        if let [rest @ .., "from" | "to", viewer] = words
            && VIEWER.contains(viewer)
        {
            words = rest;
        }
        if words.len() == before {
            return words;
        }
    }
}

fn counted_object(words: &[&str]) -> Option<String> {
    let rest =
        strip(words, &["how many", "count the", "count all the", "count all", "count", "number of"]).or_else(|| {
            let rest = strip(words, &["what is", "give me"])?;
            strip(rest, &["the number of"])
        })?;
    let end = rest.iter().position(|word| AFTER_OBJECT.contains(word)).unwrap_or(rest.len());
    // "How many chairs are near the table?" asks for less than all chairs.
    let narrowing = ["near", "on", "under", "behind", "next", "beside", "left", "right", "between", "above", "than"];
    if rest[end..].iter().any(|word| narrowing.contains(word)) {
        return None;
    }
    object(&rest[..end])
}

fn object(words: &[&str]) -> Option<String> {
    let words = match words {
        [article, rest @ ..] if ARTICLES.contains(article) => rest,
        words => words,
    };
    let joining = ["from", "to", "and", "or", "between", "near", "on", "with", "than", "that", "which", "it"];
    let plain = !words.iter().any(|word| joining.contains(word)) && (1..=MAX_OBJECT_WORDS).contains(&words.len());
    let singular = crate::nouns::singular(&words.join(" "));
    let head = singular.split(" of ").next().and_then(|head| head.split(' ').next_back()).unwrap_or_default();
    (plain && !NO_CLASS.contains(&head) && !VIEWER.contains(&head)).then_some(singular)
}
