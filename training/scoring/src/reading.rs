//! White space, letters and numbers as SG-RLVR's released Python takes them.

use grounding::{ARTICLES, NUMBER_WORDS};

/// First digits of the runs of ten that Unicode calls decimal digits (category Nd), in ascending order.
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0,
    0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60,
    0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// Unicode's white space and the four separators of ASCII.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The text without white space at its ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Whether a character is part of a word: letters and digits of any script, and the underscore.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The value of a decimal digit of any script.
pub(crate) fn digit(c: char) -> Option<u32> {
    let code = u32::from(c);
    let run = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    ZEROS.get(run).map(|zero| code - zero).filter(|value| *value < 10)
}

/// A text that is one number and nothing else, as Python's `float` reads it: digits of any script, single underscores
/// between them, an exponent, `inf` and `nan`; no thousands commas, units or fractions.
pub(crate) fn float(text: &str) -> Option<f64> {
    let chars: Vec<char> = trim(text).chars().collect();
    let is_digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| digit(*c).is_some());
    let mut plain = String::with_capacity(chars.len());
    for (at, c) in chars.iter().enumerate() {
        match digit(*c).and_then(|value| char::from_digit(value, 10)) {
            Some(ascii) => plain.push(ascii),
            None if *c == '_' && is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)) => {}
            None => plain.push(*c),
        }
    }
    plain.parse().ok()
}

/// A label that is one finite number and nothing else; `None` for all other labels, whose answers all score 0.
///
/// Read as Python's `float` does: `2.5`, `.5`, `1.2e3`, digits of other scripts; not `1,200`, `1/2`, `2.5 m`, `three`,
/// and not `nan` or `inf`.
#[must_use]
pub fn label_number(label: &str) -> Option<f64> {
    float(label).filter(|value| value.is_finite())
}

/// A decimal number in a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decimal {
    /// Digits with or without a fraction, and without a sign; infinite where it has hundreds of digits.
    pub magnitude: f64,
    /// The character before it.
    pub before: Option<char>,
    /// The character before that.
    pub long_before: Option<char>,
}

impl Decimal {
    /// The number, negative behind a hyphen.
    pub fn signed(self) -> f64 {
        if self.before == Some('-') { -self.magnitude } else { self.magnitude }
    }

    /// The number, negative behind a minus that joins no words.
    fn meant(self) -> f64 {
        let minus = matches!(self.before, Some('-' | '−')) && !self.long_before.is_some_and(is_word);
        if minus { -self.magnitude } else { self.magnitude }
    }
}

/// The decimal numbers of a text in its order: digits, and a fraction only where digits follow the point.
pub(crate) fn decimals(text: &str) -> Vec<Decimal> {
    let chars: Vec<char> = text.chars().collect();
    let value = |at: usize| chars.get(at).and_then(|c| digit(*c)).and_then(|value| char::from_digit(value, 10));
    let run = |from: usize| (from..).map_while(value).collect::<String>();
    let before = |at: usize, back: usize| at.checked_sub(back).and_then(|at| chars.get(at)).copied();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        let mut digits = run(at);
        let start = at;
        at += digits.len();
        if digits.is_empty() {
            at += 1;
            continue;
        }
        if chars.get(at) == Some(&'.') && value(at + 1).is_some() {
            let fraction = run(at + 1);
            at += 1 + fraction.len();
            digits = format!("{digits}.{fraction}");
        }
        if let Ok(magnitude) = digits.parse() {
            found.push(Decimal { magnitude, before: before(start, 1), long_before: before(start, 2) });
        }
    }
    found
}

/// The number that an answer states: the number word that stands first in [`NUMBER_WORDS`], wherever it stands in the
/// text, else 1 for an article, else the first decimal number. Its sign is passed over, but where `signed`.
pub(crate) fn stated_number(answer: &str, signed: bool) -> Option<f64> {
    let lower = answer.to_lowercase();
    let words: Vec<&str> = lower.split(|c| !is_word(c)).collect();
    let articles = ARTICLES.iter().map(|article| (*article, 1.0));
    let mut named = NUMBER_WORDS.into_iter().chain(articles);
    let word = named.find(|(name, _)| words.contains(name)).map(|(_, value)| value);
    let first = || decimals(&lower).first().map(|decimal| if signed { decimal.meant() } else { decimal.magnitude });
    word.or_else(first).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_texts_are_read_as_python_does() {
        for (text, expected) in [
            (" 2.5\n", Some(2.5)),
            ("\u{a0}2.5\u{1f}", Some(2.5)),
            ("+2.5", Some(2.5)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1.2E3", Some(1200.0)),
            ("1_0.2_5", Some(10.25)),
            ("٢.٥", Some(2.5)),
            ("１２", Some(12.0)),
            ("-2", Some(-2.0)),
            ("Infinity", Some(f64::INFINITY)),
            ("1__0", None),
            ("_10", None),
            ("10_", None),
            ("1,200", None),
            ("1/2", None),
            ("50%", None),
            ("−2", None),
            ("²", None),
            ("2.5 m", None),
            ("0x10", None),
            ("", None),
        ] {
            assert_eq!(float(text), expected, "{text:?}");
        }
        assert!(float("nan").is_some_and(f64::is_nan));
        assert_eq!([label_number("nan"), label_number("inf"), label_number("1e999")], [None; 3]);
        assert_eq!(label_number("1e300"), Some(1e300));
    }

    #[test]
    fn decimals_are_found_in_any_text() {
        let found = |text| decimals(text).into_iter().map(Decimal::signed).collect::<Vec<_>>();
        assert_eq!(found("[2.5.1, -3] 4-5 −6 7. .8 x9y"), [2.5, 1.0, -3.0, 4.0, -5.0, 6.0, 7.0, 8.0, 9.0]);
        assert_eq!(found("٢.٥ 𝟛 ²"), [2.5, 3.0]);
        assert_eq!(decimals(&"9".repeat(400)).first().map(|decimal| decimal.magnitude), Some(f64::INFINITY));
    }
}
