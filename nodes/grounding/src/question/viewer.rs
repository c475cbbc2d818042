//! Questions about where something is from the camera, and about how the camera itself moved.

use msgs::QuestionKind;

use super::relations::has;
use super::{Read, object, strip};

/// Who may have moved.
const MOVERS: [&str; 6] = ["i", "you", "we", "camera", "robot", "it"];
const MOVED: [&str; 14] = [
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
    "come",
    "went",
    "drove",
];
const TURNED: [&str; 5] = ["turn", "turned", "rotate", "rotated", "spin"];
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

/// The readers of this file.
pub(super) fn read(words: &[&str]) -> Option<Read> {
    motion(words).map(|kind| (kind, vec![])).or_else(|| side(words))
}

/// "How far did I move?", "which way did the camera turn?"; questions about plans ("do I turn") are not.
fn motion(words: &[&str]) -> Option<QuestionKind> {
    let past = has(words, &["did", "has", "have"]) && has(words, &MOVERS);
    let way = has(words, &["way", "direction", "where"]);
    let much = has(words, &["far", "much", "distance", "degrees", "metres", "meters"]);
    match () {
        () if strip(words, &["how far"]).is_some()
            && has(words, &["where"])
            && has(words, &["were", "was", "started"]) =>
        {
            Some(QuestionKind::CameraDistance)
        }
        () if past && has(words, &TURNED) && (way || much) => Some(QuestionKind::CameraTurn),
        () if past && has(words, &MOVED) && way => Some(QuestionKind::CameraDirection),
        () if past && has(words, &MOVED) && much => Some(QuestionKind::CameraDistance),
        () => None,
    }
}

/// "Where is the X?", "on which side of me is the X?", "is the X left of me?", "at what o'clock is the X?"
fn side(words: &[&str]) -> Option<Read> {
    let open = strip(words, &["where is", "where are", "is", "are"]);
    let rest = open.or_else(|| {
        let asks = ["which", "what"].iter().any(|ask| has(words.get(..3).unwrap_or(words), &[ask]));
        let side = has(words, &["side", "direction", "o'clock", "clock"]);
        let index = words.iter().position(|word| ["is", "are"].contains(word))?;
        (asks && side).then(|| words.get(index + 1..)).flatten()
    })?;
    let end = rest.iter().skip(1).position(|word| SIDE_WORDS.contains(word)).map_or(rest.len(), |at| at + 1);
    let (named, tail) = rest.split_at(end);
    // "Is the sofa left of the table?" is about two objects.
    let viewer = tail.iter().all(|word| SIDE_WORDS.contains(word));
    let says =
        strip(words, &["is", "are"]).is_none_or(|_| has(tail, &["left", "right", "front", "behind", "ahead", "back"]));
    (viewer && says).then_some(())?;
    Some((QuestionKind::EgoDirection, vec![object(named)?]))
}
