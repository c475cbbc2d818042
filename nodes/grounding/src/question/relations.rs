//! Questions about more than one object, and about rooms and sizes.
//!
//! Every reader takes the words of a question in lower case, commas, colons and full stops as words of their own.

use msgs::QuestionKind;

use super::{Read, object, strip};

/// The readers of this file, in the order in which they are tried.
pub(super) fn read(words: &[&str]) -> Option<Read> {
    direction(words)
        .or_else(|| order(words))
        .or_else(|| nearest(words))
        .or_else(|| between(words))
        .or_else(|| size(words))
}

/// Whether the words hold any of these.
pub(super) fn has(words: &[&str], any: &[&str]) -> bool {
    words.iter().any(|word| any.contains(word))
}

/// Words up to the first of these, and what follows it.
fn split_at<'a, 'b>(words: &'a [&'b str], at: &[&str]) -> Option<(&'a [&'b str], &'a [&'b str])> {
    let index = words.iter().position(|word| at.contains(word))?;
    Some((&words[..index], &words[index + 1..]))
}

/// Words up to the first of these, all words where there is none.
fn until<'a, 'b>(words: &'a [&'b str], stops: &[&str]) -> &'a [&'b str] {
    split_at(words, stops).map_or(words, |(before, _)| before)
}

/// "Standing at X and facing Y, is Z on my left or on my right?", and routes, which begin alike.
fn direction(words: &[&str]) -> Option<Read> {
    let (before, after) = split_at(words, &["facing", "face"]).or_else(|| {
        let (before, after) = split_at(words, &["look", "looking"])?;
        Some((before, strip(after, &["at", "towards", "toward"])?))
    })?;
    let (_, place) = split_at(before, &["at", "by", "near", "beside"])?;
    let stand = object(until(place, &[",", "and", "i", "to"]))?;
    let face = object(until(after, &[",", ".", "is", "where", "which", "in", "it", "i", "and"]))?;
    if has(words, &["turns", "turn"]) && !has(words, &["left", "right"]) {
        return route(after, vec![stand, face]);
    }
    let (_, asked) = split_at(after, &["is"])?;
    let target = object(until(asked, &DIRECTION_WORDS))?;
    let kind = match () {
        () if has(words, &["front-left", "front-right", "back-left", "back-right", "quadrant"]) => {
            QuestionKind::ObjectRelDirectionHard
        }
        () if has(words, &["back", "behind", "rear"]) => QuestionKind::ObjectRelDirectionMedium,
        () if has(words, &["left", "right"]) => QuestionKind::ObjectRelDirectionEasy,
        () if has(words, &["where"]) => QuestionKind::ObjectRelDirectionHard,
        () => return None,
    };
    Some((kind, vec![stand, face, target]))
}

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

/// "... which turns lead to the X and from there to the Y?"
fn route(after: &[&str], mut objects: Vec<String>) -> Option<Read> {
    let places = after.windows(2).enumerate().filter(|(_, pair)| *pair == ["to", "the"]);
    let named = places.filter_map(|(at, _)| {
        object(until(after.get(at + 1..)?, &["and", ",", ".", "which", "from", "then", "on", "there"]))
    });
    objects.extend(named);
    (objects.len() == 4).then_some((QuestionKind::RoutePlanning, objects))
}

/// "In which order did these come into sight: X, Y, Z?", "what did I see first, X or Y?"
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

/// "Which is nearest to X: Y or Z?", "of Y and Z, which stands closest to X?", "what is next to X?" is not.
fn nearest(words: &[&str]) -> Option<Read> {
    let (before, after) = split_at(words, &["nearest", "closest"])?;
    let to = object(until(strip(after, &["to"])?, &[":", ",", "among", "of"]))?;
    let listed = match before {
        ["of", listed @ ..] | ["among", listed @ ..] => until(listed, &["which", "what"]),
        _ => split_at(after, &[":"]).map_or(&[][..], |(_, listed)| listed),
    };
    let asks = has(before, &["which", "what"]);
    let mut objects = vec![to];
    objects.extend(list(listed).unwrap_or_default());
    asks.then_some((QuestionKind::ObjectRelDistance, objects))
}

/// The objects of "the X, the Y and the Z".
fn list(words: &[&str]) -> Option<Vec<String>> {
    let parts = words.split(|word| [",", "and", "or", "?"].contains(word)).filter(|part| !part.is_empty());
    parts.map(object).collect()
}

/// "How far is X from Y?", "distance between X and Y", "how far apart are X and Y?"
fn between(words: &[&str]) -> Option<Read> {
    let far = strip(words, &["how far apart are", "how far apart is"]).map(|rest| (rest, "and"));
    let far = far.or_else(|| {
        let rest = strip(words, &["how far away", "how far", "how close", "how near"])?;
        let rest = strip(rest, &["is", "are"])?;
        Some((rest, if has(rest, &["from"]) { "from" } else { "to" }))
    });
    let far = far.or_else(|| {
        let (before, rest) = split_at(words, &["between"])?;
        has(before, &["distance", "metres", "meters", "far"]).then_some((rest, "and"))
    });
    let (rest, joint) = far.or_else(|| {
        let (_, rest) = split_at(words, &["distance"])?;
        Some((strip(rest, &["from"])?, "to"))
    })?;
    let (one, other) = split_at(until(rest, &[",", "measured"]), &[joint])?;
    let one = one.strip_suffix(&["away"]).unwrap_or(one);
    Some((QuestionKind::ObjectAbsDistance, vec![object(one)?, object(until(other, &["in"]))?]))
}

/// "How big is the room?", "what is the longest side of the X?"
fn size(words: &[&str]) -> Option<Read> {
    let of_room = has(words, &["room", "floor", "space"]);
    if of_room
        && (has(words, &["area"]) || strip(words, &["how many square metres", "how many square meters"]).is_some())
    {
        return Some((QuestionKind::RoomSizeEstimation, vec![]));
    }
    let rest = strip(words, &["how big is", "how large is", "what size is"]).or_else(|| {
        let (before, rest) = split_at(words, &["side", "dimension", "size"])?;
        let largest = before.is_empty() || has(before, &["longest", "largest", "the"]);
        strip(rest, &["of"]).filter(|_| largest)
    })?;
    let words = until(rest, &[",", "in"]);
    if let ["room"] | [_, "room"] = words {
        return Some((QuestionKind::RoomSizeEstimation, vec![]));
    }
    Some((QuestionKind::ObjectSizeEstimation, vec![object(words)?]))
}
