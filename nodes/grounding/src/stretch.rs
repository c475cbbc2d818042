//! The time back that a question is about.

/// Units of time in questions, with their seconds.
const UNITS: [(&str, f64); 9] = [
    ("second", 1.0),
    ("seconds", 1.0),
    ("sec", 1.0),
    ("secs", 1.0),
    ("s", 1.0),
    ("minute", 60.0),
    ("minutes", 60.0),
    ("min", 60.0),
    ("mins", 60.0),
];

/// The first time that is written in digits with its unit, as "in the last 5 seconds", in seconds; `None` where there is
/// none.
pub fn stretch_secs(question: &str) -> Option<f64> {
    let lower = question.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| c.is_whitespace() || ",?!;".contains(c)).collect();
    let pairs = words.iter().zip(words.iter().skip(1).map(Some).chain([None]));
    pairs.filter_map(|(word, next)| timed(word, next.copied())).next()
}

fn timed(word: &str, next: Option<&str>) -> Option<f64> {
    let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: f64 = digits.parse().ok().filter(|number: &f64| number.is_finite())?;
    // "5s" and "5-second", or "5 s".
    let joined = word.get(digits.len()..)?.trim_matches(|c: char| c == '-' || c == '.');
    let unit = if joined.is_empty() { next?.trim_end_matches('.') } else { joined };
    UNITS.iter().find(|(name, _)| *name == unit).map(|(_, secs)| number * secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, expected) in [
            ("How far did I move in the last 5 seconds?", Some(5.0)),
            ("how far did I move over the last 13.5 s", Some(13.5)),
            ("did I turn in the last 8s?", Some(8.0)),
            ("how far did I move in a 10-second stretch?", Some(10.0)),
            ("Seen from how you stood 15 seconds ago, which way did you move?", Some(15.0)),
            ("which way did I turn in the last 2 minutes.", Some(120.0)),
            ("how far are the 2 chairs, after 3 sec.", Some(3.0)),
            ("how far did I move?", None),
            ("how far did I move in the last ten seconds?", None),
            ("how far is the door in 5", None),
            ("how many seconds?", None),
            ("٥ seconds, 1e999 s", None),
        ] {
            assert_eq!(stretch_secs(text), expected, "{text}");
        }
    }
}
