//! Distances: from the camera to a thing, and between two things.

use msgs::QuestionKind;

use super::Read;
use super::words::{
    VIEWER, asks_yes_or_no, has, is_determined, object, split_at, strip, until, without_marks, without_units,
};

const FAR: [&str; 6] = ["how far away", "how far off", "how far", "how close", "how near", "how distant"];
const METRES: [&str; 4] = ["how many meters away", "how many metres away", "how many meters", "how many metres"];
/// Who is far from something, as the viewer says it.
const VIEWER_IS: [&str; 8] = [
    "am i",
    "are you",
    "are we",
    "is the robot",
    "is the camera",
    "is your camera",
    "is my camera",
    "is the robot's camera",
];
/// Words before "to" or "from" with which a thing is told by another one.
const RELATING: &[&str] = &[
    "adjacent",
    "attached",
    "belonging",
    "bolted",
    "chained",
    "clinging",
    "close",
    "closer",
    "closest",
    "coming",
    "connected",
    "due",
    "fastened",
    "fixed",
    "glued",
    "hanging",
    "hidden",
    "hooked",
    "joined",
    "leading",
    "leaning",
    "linked",
    "listening",
    "looking",
    "mounted",
    "nailed",
    "nearer",
    "nearest",
    "neighboring",
    "neighbouring",
    "next",
    "opposite",
    "parallel",
    "perpendicular",
    "pinned",
    "plugged",
    "related",
    "running",
    "screwed",
    "separated",
    "speaking",
    "sticking",
    "stuck",
    "talking",
    "taped",
    "tied",
    "visible",
    "walking",
    "wired",
];

/// The readers of this file.
pub(super) fn read(words: &[&str]) -> Option<Read> {
    let ego = ego(&without_marks(words)).map(|object| (QuestionKind::EgoDistance, vec![object]));
    ego.or_else(|| between(words))
}

/// "How far is X?", "how far am I from X?", "how far from me is X?", "distance to X".
fn ego(words: &[&str]) -> Option<String> {
    let Some(rest) = strip(words, &FAR).or_else(|| strip(words, &METRES)) else { return distance_to(words) };
    let of_viewer = strip(rest, &VIEWER_IS).and_then(|rest| {
        let rest = strip(rest, &["away", "off", "now"]).unwrap_or(rest);
        thing(trim_viewer(strip(rest, &["from", "to"])?))
    });
    of_viewer.or_else(|| far_from_viewer(rest)).or_else(|| of_thing(rest))
}

/// "... is X (from me)", "... to X", "... from me is X", and as told: "... X is".
fn of_thing(rest: &[&str]) -> Option<String> {
    let behind = skip_viewer(rest);
    match strip(behind, &["is it from here to", "is it to", "is", "are", "to", "away is", "away are"]) {
        Some(rest) => thing(trim_viewer(strip(rest, &["it to"]).unwrap_or(rest))),
        None => {
            let named = trim_viewer(rest);
            thing(named.strip_suffix(&["is"]).or_else(|| named.strip_suffix(&["are"]))?)
        }
    }
}

/// "... from X am I".
fn far_from_viewer(rest: &[&str]) -> Option<String> {
    let rest = strip(rest, &["from", "to"])?;
    let ends = VIEWER_IS.map(|end| end.split(' ').collect::<Vec<_>>());
    thing(ends.iter().find_map(|end| rest.strip_suffix(end.as_slice()))?)
}

/// "What is the distance to X?", "distance between me and X", "distance between X and me".
fn distance_to(words: &[&str]) -> Option<String> {
    let rest = strip(words, &["what is", "give me", "give", "estimate", "measure"]).unwrap_or(words);
    let rest = strip(rest, &["the"]).unwrap_or(rest);
    let rest = skip_viewer(strip(rest, &["distance"])?);
    let to = ["to", "of", "between me and", "between you and", "between us and", "between the robot and"];
    if let Some(object) = strip(rest, &to).and_then(|rest| thing(trim_viewer(rest))) {
        return Some(object);
    }
    let (one, other) = split_at(strip(rest, &["between"])?, &["and"])?;
    let other = strip(other, &["the"]).unwrap_or(other);
    matches!(trim_viewer(other), [viewer] if VIEWER.contains(viewer)).then(|| thing(one)).flatten()
}

/// Skips "from me", "from the robot" before the verb.
fn skip_viewer<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    strip(words, &["from me", "from us", "from you", "from here", "from the robot", "from the camera"]).unwrap_or(words)
}

/// Removes "away", "from me", "in metres" and the like from the end.
fn trim_viewer<'a, 'b>(mut words: &'a [&'b str]) -> &'a [&'b str] {
    let tails: [&[&str]; 19] = [
        &["from", "the", "robot"],
        &["from", "the", "camera"],
        &["to", "the", "robot"],
        &["to", "the", "camera"],
        &["from", "where", "i", "am"],
        &["from", "where", "i", "stand"],
        &["from", "where", "you", "are"],
        &["from", "where", "we", "are"],
        &["from", "my", "position"],
        &["from", "your", "position"],
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

/// "How far is X from Y?", "how far is it from X to Y?", "distance between X and Y", "how far apart are X and
/// Y?"; with the viewer as X or Y it is a distance from the camera.
fn between(words: &[&str]) -> Option<Read> {
    if asks_yes_or_no(words) {
        return None;
    }
    let apart = strip(words, &["how far apart are", "how far apart is"]).map(|rest| (rest, "and"));
    let joined = [apart, far_pair(words), distance_pair(words)].into_iter().flatten();
    joined.into_iter().find_map(|(rest, joint)| {
        let (one, other) = split_at(rest, &[joint])?;
        let sides = (one.strip_suffix(&["away"]).unwrap_or(one), trim_viewer(without_units(other)));
        match (is_viewer(sides.0), is_viewer(sides.1)) {
            (true, true) => None,
            (true, false) => Some((QuestionKind::EgoDistance, vec![thing(sides.1)?])),
            (false, true) => Some((QuestionKind::EgoDistance, vec![thing(sides.0)?])),
            (false, false) => pair(sides, joint).map(|pair| (QuestionKind::ObjectAbsDistance, pair)),
        }
    })
}

/// Whether the words mean who asks, who is asked, or the camera that sees.
fn is_viewer(words: &[&str]) -> bool {
    let words = strip(words, &["the", "your", "my", "our", "this"]).unwrap_or(words);
    match words {
        [viewer] => VIEWER.contains(viewer) || *viewer == "camera",
        ["robot's", "camera"] | ["camera", "of", "the", "robot"] => true,
        _ => false,
    }
}

/// The thing that words name, which is not the camera that sees.
fn thing(words: &[&str]) -> Option<String> {
    (!is_viewer(words)).then(|| object(words)).flatten()
}

/// The things on both sides of the joint.
fn pair((one, other): (&[&str], &[&str]), joint: &str) -> Option<Vec<String>> {
    // "How close is the door to opening?" names one thing.
    let are_alike = joint != "to" || is_determined(one) == is_determined(other);
    // "How far is the person next to the window?" names one thing, too.
    let is_clause = joint != "and" && one.last().is_some_and(|word| RELATING.contains(word));
    (are_alike && !is_clause).then_some(vec![thing(one)?, thing(other)?])
}

/// What follows "how far", and the word between the two things.
fn far_pair<'a, 'b>(words: &'a [&'b str]) -> Option<(&'a [&'b str], &'static str)> {
    let rest = strip(words, &FAR).or_else(|| strip(words, &METRES))?;
    if let Some(rest) = strip(rest, &["is it from", "is the way from"]) {
        return Some((rest, "to"));
    }
    if let Some(rest) = strip(rest, &["from"]) {
        let joint = if has(rest, &["is"]) { "is" } else { "to" };
        return Some((rest, joint));
    }
    let rest = strip(rest, &["is", "are"])?;
    Some((rest, if has(rest, &["from"]) { "from" } else { "to" }))
}

/// What follows "distance between", "distance from", "distance of", and the word between the two things.
fn distance_pair<'a, 'b>(words: &'a [&'b str]) -> Option<(&'a [&'b str], &'static str)> {
    if let Some((before, rest)) = split_at(words, &["between"])
        && has(before, &["distance", "metres", "meters", "far"])
    {
        return Some((rest, "and"));
    }
    let (_, rest) = split_at(words, &["distance"])?;
    if let Some(rest) = strip(rest, &["from"]) {
        return Some((rest, "to"));
    }
    let rest = strip(rest, &["of"])?;
    Some((rest, if has(until(rest, &[","]), &["from"]) { "from" } else { "to" }))
}
