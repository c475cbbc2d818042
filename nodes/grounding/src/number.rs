//! The number in a text, by the rule of SG-RLVR's numerical reward.

const SMALL: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];
const TENS: [&str; 7] = ["thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// The first number word (`zero` to `twenty`, `thirty` to `ninety` by tens, `a` and `an` = 1), else the first decimal
/// number; `None` where there is neither. Always finite.
pub fn parse_number(text: &str) -> Option<f64> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.into_iter().find_map(word_value).or_else(|| first_decimal(text))
}

fn word_value(word: &str) -> Option<f64> {
    if !(1..=9).contains(&word.len()) {
        return None;
    }
    let word = word.to_ascii_lowercase();
    if word == "a" || word == "an" {
        return Some(1.0);
    }
    let small = SMALL.iter().position(|name| *name == word);
    let tens = || TENS.iter().position(|name| *name == word).map(|index| 30 + 10 * index);
    small.or_else(tens).map(|value| value as f64)
}

fn first_decimal(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let start = bytes.iter().position(u8::is_ascii_digit)?;
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = start + digits(start);
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        end += if fraction > 0 { 1 + fraction } else { 0 };
    }
    // ".5" is a half, and a minus counts unless it joins two words or numbers.
    let mut start = start;
    if start > 0 && bytes[start - 1] == b'.' && !bytes[start..end].contains(&b'.') {
        start -= 1;
    }
    let before = start.checked_sub(2).map(|index| bytes[index]);
    if start > 0 && bytes[start - 1] == b'-' && !before.is_some_and(|byte| byte.is_ascii_alphanumeric()) {
        start -= 1;
    }
    text.get(start..end)?.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_the_reward_does() {
        for (text, expected) in [
            ("2.4", Some(2.4)),
            (" about 2.4 m.", Some(2.4)),
            ("3 chairs", Some(3.0)),
            ("Three chairs", Some(3.0)),
            ("seventy", Some(70.0)),
            ("there is a chair", Some(1.0)),
            ("two of the 5", Some(2.0)),
            ("5 of the two", Some(2.0)),
            ("-1.5", Some(-1.5)),
            ("2-3", Some(2.0)),
            (".5", Some(0.5)),
            ("7.", Some(7.0)),
            ("1.2.3", Some(1.2)),
            ("someone", None),
            ("", None),
            ("ｘ２", None),
        ] {
            assert_eq!(parse_number(text), expected, "{text:?}");
        }
        assert_eq!(parse_number(&"9".repeat(400)), None);
    }
}
