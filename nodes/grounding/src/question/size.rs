//! Sizes of things and of the room.

use msgs::QuestionKind;

use super::Read;
use super::words::{object, strip, until, without_units};

const SIZE: [&str; 15] = [
    "how big is",
    "how large is",
    "what size is",
    "what is the size of",
    "the size of",
    "size of",
    "what is the largest dimension of",
    "what is the longest dimension of",
    "what is the longest side of",
    "what is the largest side of",
    "how long is the longest side of",
    "how long is the largest side of",
    "longest side of",
    "what is the length of the longest dimension of",
    "the length of the longest dimension of",
];
const AREA: [&str; 5] =
    ["what is the floor area of", "what is the area of", "the floor area of", "floor area of", "area of"];
const SQUARE_METRES: [&str; 2] = ["how many square metres", "how many square meters"];
/// What has a floor area.
const ROOMS: [&str; 5] = ["room", "floor", "space", "flat", "apartment"];

/// The readers of this file.
pub(super) fn read(words: &[&str]) -> Option<Read> {
    if is_of_room(words) {
        return Some((QuestionKind::RoomSizeEstimation, vec![]));
    }
    let named = strip(words, &SIZE)?;
    Some((QuestionKind::ObjectSizeEstimation, vec![object(without_units(named))?]))
}

/// "How big is the room?", "what is the floor area of the room?", "how many square metres does this room
/// have?" What stands behind a comma says which rooms are meant.
fn is_of_room(words: &[&str]) -> bool {
    if let Some(rest) = strip(words, &SIZE).or_else(|| strip(words, &AREA)) {
        return is_room(without_units(until(rest, &[","])));
    }
    let Some(rest) = strip(words, &SQUARE_METRES) else { return false };
    let rest = until(strip(rest, &["does", "do", "has", "is", "are"]).unwrap_or(rest), &[","]);
    is_room(["have", "has", "measure", "cover"].iter().find_map(|verb| rest.strip_suffix(&[*verb])).unwrap_or(rest))
}

fn is_room(words: &[&str]) -> bool {
    match words {
        [room] | ["the" | "this" | "my" | "our" | "your", room] => ROOMS.contains(room),
        _ => false,
    }
}
