//! Taking a completion apart by the letter of SG-RLVR: stricter than the robot's parser, which forgives missing tags.
//!
//! Tags are lower case and without spaces. Trimmed is what Python calls white space: Unicode's, and U+001C to U+001F.

use crate::reading::{is_space, trim};

/// 1 if the *whole* completion is `<think>…</think>`, optional white space, `<answer>…</answer>`; else 0.
#[must_use]
pub fn format_reward(completion: &str) -> f64 {
    let inside = completion.strip_prefix("<think>").and_then(|rest| rest.strip_suffix("</answer>"));
    let closes = |(at, tag): (usize, &str)| {
        let rest = inside.and_then(|inside| inside.get(at + tag.len()..)).unwrap_or_default();
        rest.trim_start_matches(is_space).starts_with("<answer>")
    };
    let matches = inside.is_some_and(|inside| inside.match_indices("</think>").any(closes));
    f64::from(u8::from(matches))
}

/// The text inside the first `<answer>` pair, trimmed; empty without a pair.
#[must_use]
pub fn answer_text(completion: &str) -> &str {
    trim(inside(completion, "<answer>", "</answer>").unwrap_or_default())
}

/// The text inside the first `<map>` pair, trimmed. `None` where one of the tags is missing; empty where both are there but
/// make no pair, which the released code takes for an empty map.
#[must_use]
pub fn map_text(completion: &str) -> Option<&str> {
    let has_tags = completion.contains("<map>") && completion.contains("</map>");
    has_tags.then(|| trim(inside(completion, "<map>", "</map>").unwrap_or_default()))
}

/// The text of a record's `solution`: inside its `<answer>` pair, or all of it where it has none (the released code takes
/// that for an empty one). Trimmed.
#[must_use]
pub fn solution_text(solution: &str) -> &str {
    trim(inside(solution, "<answer>", "</answer>").unwrap_or(solution))
}

fn inside<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    rest.split_once(close).map(|(inside, _)| inside)
}
