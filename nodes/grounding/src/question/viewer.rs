//! Questions about where something is from the camera, and about how the camera itself moved.

use msgs::QuestionKind;

use super::Read;
use super::words::{are_all, has, is_determined, object, split_at, strip};

/// Who may have moved.
const MOVERS: [&str; 5] = ["i", "you", "we", "camera", "robot"];
const MOVED: [&str; 13] = [
    "move",
    "moved",
    "travel",
    "travelled",
    "traveled",
    "walk",
    "walked",
    "go",
    "gone",
    "drive",
    "driven",
    "went",
    "drove",
];
const TURNED: [&str; 5] = ["turn", "turned", "rotate", "rotated", "spin"];
/// All else that questions about one's own motion are made of; with any other word something else is asked,
/// such as how far one has still to go.
const MOTION_WORDS: &[&str] = &[
    "a",
    "ago",
    "all",
    "altogether",
    "am",
    "and",
    "angle",
    "are",
    "beginning",
    "by",
    "degrees",
    "did",
    "direction",
    "distance",
    "during",
    "far",
    "first",
    "five",
    "few",
    "for",
    "frame",
    "from",
    "has",
    "have",
    "how",
    "in",
    "is",
    "it",
    "last",
    "many",
    "meters",
    "metres",
    "minute",
    "minutes",
    "more",
    "much",
    "my",
    "of",
    "or",
    "over",
    "overall",
    "past",
    "right",
    "s",
    "second",
    "seconds",
    "seen",
    "side",
    "since",
    "so",
    "standing",
    "start",
    "started",
    "stood",
    "ten",
    "than",
    "that",
    "the",
    "three",
    "to",
    "total",
    "two",
    "was",
    "way",
    "were",
    "what",
    "where",
    "which",
    "within",
    "your",
    ",",
    ".",
    ":",
];
/// What may stand behind the object of "where is the X".
const SIDE_WORDS: [&str; 34] = [
    "in",
    "on",
    "to",
    "at",
    "of",
    "the",
    "my",
    "your",
    "our",
    "me",
    "you",
    "us",
    "robot",
    "camera",
    "front",
    "left",
    "right",
    "behind",
    "back",
    "ahead",
    "side",
    "hand",
    "or",
    ",",
    "from",
    "here",
    "now",
    "clock",
    "with",
    "12",
    "straight",
    "left-hand",
    "right-hand",
    "dial",
];
/// What a question for a side is made of before its verb.
const SIDE_ASKED: [&str; 20] = [
    "which",
    "what",
    "on",
    "in",
    "at",
    "to",
    "side",
    "direction",
    "way",
    "o'clock",
    "clock",
    "position",
    "hour",
    "of",
    "me",
    "you",
    "us",
    "the",
    "robot",
    "camera",
];

/// The readers of this file.
pub(super) fn read(words: &[&str]) -> Option<Read> {
    motion(words).map(|kind| (kind, vec![])).or_else(|| side(words))
}

/// "How far did I move?", "which way did the camera turn?"; questions about plans ("do I turn") are not.
fn motion(words: &[&str]) -> Option<QuestionKind> {
    let is_of_motion = |word: &&str| {
        let is_number = || word.bytes().all(|byte| byte.is_ascii_digit());
        [&MOVERS[..], &MOVED, &TURNED, MOTION_WORDS].iter().any(|known| known.contains(word)) || is_number()
    };
    let is_plan = words.windows(2).any(|pair| matches!(pair, ["have" | "has", "to"]));
    if is_plan || !words.iter().all(is_of_motion) {
        return None;
    }
    let past = has(words, &["did", "has", "have"]) && has(words, &MOVERS);
    let way = has(words, &["way", "direction", "side", "where"]);
    let much = has(words, &["far", "much", "distance", "degrees", "metres", "meters"]);
    let since = strip(words, &["how far"]).is_some() && has(words, &["where"]) && has(words, &MOVERS);
    match (past && has(words, &TURNED), past && has(words, &MOVED)) {
        _ if since && has(words, &["were", "was", "started"]) => Some(QuestionKind::CameraDistance),
        (true, false) if way => Some(QuestionKind::CameraTurnSide),
        (true, false) if much => Some(QuestionKind::CameraTurn),
        // One answer is not both.
        (false, true) if way != much => {
            Some(if way { QuestionKind::CameraDirection } else { QuestionKind::CameraDistance })
        }
        _ => None,
    }
}

/// "Where is the X?", "on which side of me is the X?", "is the X left of me?", "at what o'clock is the X?"
fn side(words: &[&str]) -> Option<Read> {
    let yes_or_no = strip(words, &["is", "are"]);
    let open = strip(words, &["where is", "where are"]).or(yes_or_no);
    let rest = open.or_else(|| asked_side(words))?;
    let end = rest.iter().skip(1).position(|word| SIDE_WORDS.contains(word)).map_or(rest.len(), |at| at + 1);
    let (named, tail) = rest.split_at(end);
    // "Is the sofa left of the table?" is about two objects, "is a sofa left of me?" about whether there is
    // one.
    let viewer = are_all(tail, &SIDE_WORDS);
    let says = yes_or_no.is_none()
        || !matches!(named, ["a" | "an", ..]) && has(tail, &["left", "right", "front", "behind", "ahead", "back"]);
    (viewer && says).then_some(())?;
    Some((QuestionKind::EgoDirection, vec![object(named)?]))
}

/// What follows "on which side of me is", "at what o'clock is", "which way is".
fn asked_side<'a, 'b>(words: &'a [&'b str]) -> Option<&'a [&'b str]> {
    let (before, rest) = split_at(words, &["is", "are"])?;
    let hour = has(before, &["clock"]) && has(before, &["position", "hour"]);
    let side = has(before, &["side", "direction", "way", "o'clock"]) || hour;
    let asks = has(before, &["which", "what"]) && are_all(before, &SIDE_ASKED);
    (asks && side && is_determined(rest)).then_some(rest)
}
