//! VSI-Bench's own wordings (arXiv 2412.14171), brought to those that are read: what they say besides is how distances are
//! measured and directions are named here anyhow.

use msgs::QuestionKind;

use super::Read;

/// What stands before a question.
const BEFORE: [&str; 3] = [
    "question:",
    "measuring from the closest point of each object, ",
    "measuring from the closest points of each object, ",
];
/// What stands within one.
const WITHIN: [&str; 2] = ["(length, width, or height) ", "(length, width or height) "];
/// What the sentence begins with that explains quarters.
const QUARTERS: &str = "the directions refer to the quadrants";
/// Longest name of a thing, words.
const LONGEST_NAME: usize = 4;

/// The question in lower case without what the benchmark adds to it.
pub(super) fn plain(lower: &str) -> String {
    let mut text = lower.trim();
    while let Some(rest) = BEFORE.iter().find_map(|words| text.strip_prefix(words)) {
        text = rest.trim_start();
    }
    let text = text.split(QUARTERS).next().unwrap_or_default().trim_end();
    list_behind(&WITHIN.iter().fold(text.to_owned(), |text, words| text.replace(words, "")))
}

/// "Which of these objects (a, b) is the closest to the c?" as "… closest to the c: a, b?"
fn list_behind(text: &str) -> String {
    let listed = || {
        let (before, rest) = text.split_once("objects (")?;
        let (list, after) = rest.split_once(')')?;
        Some(format!("{before}objects{}: {list}?", after.trim_end_matches('?')))
    };
    listed().unwrap_or_else(|| text.to_owned())
}

/// "You are a robot beginning at the X facing the Y. You want to navigate to the Z. You will perform …": a route, with
/// where it starts, what is faced there, and the goal.
pub(super) fn route(text: &str) -> Option<Read> {
    let rest = text.strip_prefix("you are a robot beginning at the ")?;
    let (start, rest) = rest.split_once(" facing the ")?;
    let (face, rest) = rest.split_once('.')?;
    let (_, rest) = rest.split_once("navigate to the ")?;
    let (goal, _) = rest.split_once('.')?;
    let start = start.trim_end_matches(" and").trim_end_matches(',');
    let objects: Vec<String> = [start, face, goal].map(|name| name.trim().to_owned()).to_vec();
    let is_name = |name: &String| (1..=LONGEST_NAME).contains(&name.split_whitespace().count());
    objects.iter().all(is_name).then_some((QuestionKind::RoutePlanning, objects))
}
