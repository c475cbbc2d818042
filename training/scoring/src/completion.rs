//! Taking a completion apart by the letter of SG-RLVR: stricter than the robot's parser, which forgives missing tags.

/// 1 if the *whole* completion is `<think>…</think>`, optional white space, `<answer>…</answer>`; else 0.
#[must_use]
pub fn format_reward(completion: &str) -> f64 {
    let inside = completion.strip_prefix("<think>").and_then(|rest| rest.strip_suffix("</answer>"));
    let closes = |(at, tag): (usize, &str)| {
        let rest = inside.and_then(|inside| inside.get(at + tag.len()..)).unwrap_or_default();
        rest.trim_start().starts_with("<answer>")
    };
    let matches = inside.is_some_and(|inside| inside.match_indices("</think>").any(closes));
    f64::from(u8::from(matches))
}

/// The text inside the first `<answer>` pair, trimmed; empty without a pair.
#[must_use]
pub fn answer_text(completion: &str) -> &str {
    inside(completion, "<answer>", "</answer>").unwrap_or_default().trim()
}

/// The text inside the first `<map>` pair; `None` without a pair.
#[must_use]
pub fn map_text(completion: &str) -> Option<&str> {
    inside(completion, "<map>", "</map>")
}

/// The text of a record's `solution`: inside its `<answer>` pair, or all of it where it has none. Trimmed.
#[must_use]
pub fn solution_text(solution: &str) -> &str {
    inside(solution, "<answer>", "</answer>").unwrap_or(solution).trim()
}

fn inside<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    rest.split_once(close).map(|(inside, _)| inside)
}
