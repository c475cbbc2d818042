//! Questions about more than one object.

use msgs::QuestionKind;

use super::Read;
use super::words::{are_all, has, object, split_at, strip, until};

/// What ends the object whose direction is asked.
const DIRECTION_WORDS: [&str; 14] = [
    ",",
    ":",
    "on",
    "to",
    "at",
    "in",
    "left",
    "right",
    "back",
    "behind",
    "front-left",
    "front-right",
    "back-left",
    "back-right",
];
/// What else may stand behind it: with any other word something else is asked.
const DIRECTION_TAIL: [&str; 19] = [
    "my", "the", "or", "of", "me", "you", "your", "side", "hand", "front", "rear", "which", "means", "a", "turn",
    "135", "degrees", "more", ".",
];
/// What may stand between the object that is faced and "is".
const DIRECTION_LEAD: [&str; 8] = [",", ".", "and", "in", "on", "which", "quadrant", "where"];
/// What may stand between "which" and "nearest".
const WHICH: [&str; 21] = [
    "which",
    "what",
    "of",
    "these",
    "those",
    "the",
    "them",
    "one",
    "is",
    "are",
    "stands",
    "stand",
    "lies",
    "sits",
    "thing",
    "things",
    "object",
    "objects",
    "item",
    "following",
    ",",
];

/// The readers of this file, in the order in which they are tried.
pub(super) fn read(words: &[&str]) -> Option<Read> {
    direction(words).or_else(|| order(words)).or_else(|| nearest(words))
}

/// "Standing at X and facing Y, is Z on my left or on my right?", and routes, which begin alike.
fn direction(words: &[&str]) -> Option<Read> {
    let (before, after) = split_at(words, &["facing", "face"]).or_else(|| {
        let (before, after) = split_at(words, &["look", "looking"])?;
        Some((before, strip(after, &["at", "towards", "toward"])?))
    })?;
    let (_, place) = split_at(before, &["at", "by", "near", "beside"])?;
    let stand = object(until(place, &[",", "and", "i", "to"]))?;
    let faced = until(after, &[",", ".", "is", "where", "which", "in", "it", "i", "and"]);
    let face = object(faced)?;
    if has(words, &["turns", "turn"]) && !has(words, &["left", "right"]) {
        return route(after, vec![stand, face]);
    }
    let (lead, asked) = split_at(after.get(faced.len()..)?, &["is"])?;
    let named = until(asked, &DIRECTION_WORDS);
    // "To the left or the right of the X", which is faced.
    let is_told = |word: &&str| DIRECTION_WORDS.contains(word) || DIRECTION_TAIL.contains(word) || faced.contains(word);
    if !are_all(lead, &DIRECTION_LEAD) || !asked.iter().skip(named.len()).all(is_told) {
        return None;
    }
    Some((quarter(words)?, vec![stand, face, object(named)?]))
}

/// How fine a direction is to be told.
fn quarter(words: &[&str]) -> Option<QuestionKind> {
    match () {
        () if has(words, &["front-left", "front-right", "back-left", "back-right", "quadrant"]) => {
            Some(QuestionKind::ObjectRelDirectionHard)
        }
        () if has(words, &["back", "behind", "rear"]) => Some(QuestionKind::ObjectRelDirectionMedium),
        () if has(words, &["left", "right"]) => Some(QuestionKind::ObjectRelDirectionEasy),
        () if has(words, &["where"]) => Some(QuestionKind::ObjectRelDirectionHard),
        () => None,
    }
}

/// "... which turns lead to the X and from there to the Y?"
fn route(after: &[&str], mut objects: Vec<String>) -> Option<Read> {
    let places = after.windows(2).enumerate().filter(|(_, pair)| *pair == ["to", "the"]);
    let named = places.filter_map(|(at, _)| {
        object(until(after.get(at + 1..)?, &["and", ",", ".", "which", "from", "then", "on", "there"]))
    });
    objects.extend(named);
    (objects.len() == 4).then_some((QuestionKind::RoutePlanning, objects))
}

/// "In which order did these come into sight: X, Y, Z?", "in what order did you first see X and Y?"
fn order(words: &[&str]) -> Option<Read> {
    let first = has(words, &["order"]) && has(words, &["first", "appear", "appearance", "sight", "see", "saw", "seen"]);
    let listed = split_at(words, &[":"]).or_else(|| split_at(words, &["see", "saw"]));
    let listed = listed.or_else(|| {
        let (_, rest) = split_at(words, &["appearance", "appear"])?;
        Some((rest, strip(rest, &["of"]).unwrap_or(rest)))
    });
    let objects = list(listed?.1)?;
    (first && objects.len() >= 2).then_some((QuestionKind::ObjAppearanceOrder, objects))
}

/// "Which is nearest to X: Y or Z?", "of Y and Z, which stands closest to X?"; "which door is nearest to X?"
/// asks for a door.
fn nearest(words: &[&str]) -> Option<Read> {
    let (before, after) = split_at(words, &["nearest", "closest"])?;
    let to = object(until(strip(after, &["to"])?, &[":", ",", "among", "of"]))?;
    let (listed, which) = match before {
        ["of" | "among", rest @ ..] => {
            let listed = until(rest, &["which", "what"]);
            (listed, rest.get(listed.len()..)?)
        }
        _ => (split_at(after, &[":"]).map_or(&[][..], |(_, listed)| listed), before),
    };
    let asks = has(which, &["which", "what"]) && are_all(which, &WHICH);
    let mut objects = vec![to];
    objects.extend(list(listed).unwrap_or_default());
    asks.then_some((QuestionKind::ObjectRelDistance, objects))
}

/// The objects of "the X, the Y and the Z".
fn list(words: &[&str]) -> Option<Vec<String>> {
    let parts = words.split(|word| [",", "and", "or", "?"].contains(word)).filter(|part| !part.is_empty());
    parts.map(object).collect()
}
