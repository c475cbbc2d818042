//! The words of a question, and the names of things among them.
//!
//! Every reader takes words in lower case; commas, colons and full stops are words of their own where a
//! reader of lists needs them.

/// Longest name, words.
const MAX_NAME_WORDS: usize = 4;
/// What may stand before a name and is no part of it.
const DETERMINERS: [&str; 8] = ["the", "a", "an", "my", "this", "that", "our", "your"];
/// Who asks, and who is asked.
pub(super) const VIEWER: [&str; 5] = ["me", "us", "here", "you", "robot"];
/// Marks that matter to readers of lists.
const MARKS: [&str; 3] = [",", ":", "."];

/// Words that stand in no name: with one of them, a phrase says more than what thing is meant.
const NO_NAME: &[&str] = &[
    ",", ":", ".", "about", "above", "across", "after", "against", "ago", "along", "am", "and", "are", "around", "as",
    "at", "away", "be", "because", "been", "before", "behind", "being", "below", "beside", "between", "but", "by",
    "compared", "could", "did", "do", "does", "far", "for", "from", "had", "has", "have", "here", "how", "if", "in",
    "inside", "into", "is", "it", "must", "near", "no", "not", "on", "or", "outside", "relative", "should", "so",
    "than", "that", "then", "there", "through", "to", "too", "toward", "towards", "under", "until", "very", "was",
    "were", "what", "when", "where", "which", "while", "who", "whose", "why", "with", "without", "would",
];
/// Heads of phrases that name no class of things.
const NO_CLASS: &[&str] = &[
    // Nothing in particular.
    "all",
    "anybody",
    "anyone",
    "anything",
    "both",
    "each",
    "either",
    "everybody",
    "everyone",
    "everything",
    "furniture",
    "he",
    "her",
    "him",
    "item",
    "nobody",
    "nothing",
    "object",
    "one",
    "other",
    "she",
    "somebody",
    "someone",
    "something",
    "stuff",
    "them",
    "these",
    "they",
    "thing",
    "those",
    // What things have.
    "color",
    "colour",
    "kind",
    "number",
    "sort",
    "type",
    // Places and directions.
    "back",
    "ceiling",
    "down",
    "east",
    "floor",
    "forward",
    "front",
    "ground",
    "left",
    "north",
    "out",
    "place",
    "rear",
    "right",
    "room",
    "side",
    "south",
    "space",
    "up",
    "way",
    "west",
    // Measures and times.
    "angle",
    "centimeter",
    "centimetre",
    "day",
    "degree",
    "feet",
    "foot",
    "hour",
    "inch",
    "inches",
    "kilometer",
    "kilometre",
    "meter",
    "metre",
    "mile",
    "minute",
    "now",
    "percent",
    "second",
    "step",
    "time",
    "yard",
    // How things are.
    "clear",
    "closed",
    "empty",
    "facing",
    "free",
    "full",
    "going",
    "locked",
    "moving",
    "occupied",
    "open",
    "opened",
    "pointing",
    "shut",
    "turning",
];
/// What a measure is asked in.
const IN_UNITS: &[&str] = &[
    "in",
    "square",
    "centimetre",
    "centimetres",
    "centimeter",
    "centimeters",
    "cm",
    "metre",
    "metres",
    "meter",
    "meters",
    "m",
    "m2",
    "approximately",
    "roughly",
    "about",
    "measured",
    "between",
    "their",
    "closest",
    "points",
    "please",
    ",",
];

/// Words, and the marks that part them, as slices of the text.
pub(super) fn tokens(text: &str) -> Vec<&str> {
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

/// The words without marks.
pub(super) fn without_marks<'b>(words: &[&'b str]) -> Vec<&'b str> {
    words.iter().copied().filter(|word| !MARKS.contains(word)).collect()
}

/// What stands behind the first of these phrases that the words begin with.
pub(super) fn strip<'a, 'b>(words: &'a [&'b str], prefixes: &[&str]) -> Option<&'a [&'b str]> {
    prefixes.iter().find_map(|prefix| {
        let length = prefix.split(' ').count();
        let (head, rest) = words.split_at_checked(length)?;
        head.iter().zip(prefix.split(' ')).all(|(word, expected)| *word == expected).then_some(rest)
    })
}

/// Whether the words hold any of these.
pub(super) fn has(words: &[&str], any: &[&str]) -> bool {
    words.iter().any(|word| any.contains(word))
}

/// Whether the words are all of these.
pub(super) fn are_all(words: &[&str], of: &[&str]) -> bool {
    words.iter().all(|word| of.contains(word))
}

/// Words up to the first of these, and what follows it.
pub(super) fn split_at<'a, 'b>(words: &'a [&'b str], at: &[&str]) -> Option<(&'a [&'b str], &'a [&'b str])> {
    let index = words.iter().position(|word| at.contains(word))?;
    Some((&words[..index], &words[index + 1..]))
}

/// Words up to the first of these, all words where there is none.
pub(super) fn until<'a, 'b>(words: &'a [&'b str], stops: &[&str]) -> &'a [&'b str] {
    split_at(words, stops).map_or(words, |(before, _)| before)
}

/// Whether the question is to be answered by yes or no.
pub(super) fn asks_yes_or_no(words: &[&str]) -> bool {
    let verbs = ["is", "are", "am", "was", "were", "do", "does", "did", "has", "have", "can", "could", "will", "would"];
    words.first().is_some_and(|word| verbs.contains(word) || *word == "should")
}

/// Whether a name follows a word such as "the".
pub(super) fn is_determined(words: &[&str]) -> bool {
    words.first().is_some_and(|word| DETERMINERS.contains(word))
}

/// The thing that words name: "the red chairs" is `red chair`. `None` where they name none, or say more than
/// a name does.
pub(super) fn object(words: &[&str]) -> Option<String> {
    let words = if is_determined(words) { &words[1..] } else { words };
    let before = std::iter::once(&"").chain(words);
    // "the edge of the table", but not "the door the window".
    let is_part = |(word, before): (&&str, &&str)| !DETERMINERS.contains(word) || *before == "of";
    let is_name = !has(words, NO_NAME) && words.iter().zip(before).all(is_part);
    let singular = crate::nouns::singular(&words.join(" "));
    let head = singular.split(" of ").next().and_then(|head| head.split(' ').next_back()).unwrap_or_default();
    let is_class = !NO_CLASS.contains(&head) && !VIEWER.contains(&head);
    (is_name && is_class && (1..=MAX_NAME_WORDS).contains(&words.len())).then_some(singular)
}

/// Words without the unit that is asked for behind them.
pub(super) fn without_units<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    let name = until(words, &[",", "in", "measured"]);
    if are_all(&words[name.len()..], IN_UNITS) { name } else { words }
}
