//! The number in an answer: number words before digits, as in SG-RLVR's numerical reward.

/// The number words and what they say, in the order in which the released reward of SG-RLVR looks for them.
pub const NUMBER_WORDS: [(&str, f64); 28] = [
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
    ("zero", 0.0),
];

/// Articles, which say 1 where no number word does.
pub const ARTICLES: [&str; 2] = ["a", "an"];

/// The first number word ([`NUMBER_WORDS`]), else 1 for an article, else the first decimal number; `None` where there is
/// none of them. Always finite; may be negative.
pub fn parse_number(text: &str) -> Option<f64> {
    let words = || text.split(|c: char| !c.is_alphanumeric());
    let article = || words().any(is_article).then_some(1.0);
    words().find_map(word_value).or_else(article).or_else(|| first_decimal(text))
}

fn word_value(word: &str) -> Option<f64> {
    NUMBER_WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

fn is_article(word: &str) -> bool {
    ARTICLES.iter().any(|article| word.eq_ignore_ascii_case(article))
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
    fn reads_words_before_articles_before_digits() {
        for (text, expected) in [
            ("2.4", Some(2.4)),
            (" about 2.4 m.", Some(2.4)),
            ("3 chairs", Some(3.0)),
            ("Three chairs", Some(3.0)),
            ("seventy", Some(70.0)),
            ("there is a chair", Some(1.0)),
            ("An armchair", Some(1.0)),
            ("a table and three chairs", Some(3.0)),
            ("I can see a total of three.", Some(3.0)),
            ("a chair 2.5 m away", Some(1.0)),
            ("zero", Some(0.0)),
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
