//! Options of multiple-choice questions, and the labels that choose one, as people write them.

/// Most options: one for each letter.
pub const MOST_OPTIONS: usize = 26;

/// The texts of options without their letters: `A. left`, `(A) left`, `A) left`, `[A] left`, `A: left`, `a. left` and
/// `A - left` are all `left`. Options without letters stay as they are.
///
/// # Errors
/// The option whose letter is not its place's.
pub fn texts(options: &[String]) -> Result<Vec<String>, String> {
    let marked = options.iter().filter(|option| marker(option).is_some()).count();
    let mut texts = Vec::with_capacity(options.len());
    for (place, option) in ('A'..='Z').zip(options) {
        texts.push(match marker(option) {
            Some((letter, text)) if letter == place => text.to_owned(),
            // A lone "I: …" or "a - …" is a text; letters throughout that are in another order are a mistake.
            Some((letter, _)) if marked == options.len() || option.starts_with(&format!("{letter}.")) => {
                return Err(format!("{option:?} at place {place}"));
            }
            _ => option.clone(),
        });
    }
    // Letters that somebody put before letters.
    let again = texts.iter().zip('A'..).all(|(text, place)| marker(text).is_some_and(|(letter, _)| letter == place));
    if again && texts.len() > 1 { self::texts(&texts) } else { Ok(texts) }
}

/// The option that a label chooses among `texts`: by its letter (`B`, `b`, `B.`, `(B)`, `B. right`), or by its own text
/// where one option alone has it.
pub fn chosen(label: &str, texts: &[String]) -> Option<char> {
    let label = label.trim();
    let known = |letter: char| ('A'..='Z').zip(texts).any(|(own, _)| own == letter).then_some(letter);
    let bare = label.trim_matches(|c: char| "()[]{}.:".contains(c));
    if let (Some(letter), 1) = (bare.chars().next().filter(char::is_ascii_alphabetic), bare.chars().count()) {
        return known(letter.to_ascii_uppercase());
    }
    let same = |a: &str, b: &str| a.trim().trim_end_matches('.').eq_ignore_ascii_case(b.trim().trim_end_matches('.'));
    let by_text = |wanted: &str| {
        let mut found = ('A'..='Z').zip(texts).filter(|(_, text)| same(text, wanted)).map(|(letter, _)| letter);
        found.next().filter(|_| found.next().is_none())
    };
    by_text(label).or_else(|| {
        let (letter, text) = marker(label)?;
        // "B. right" is B only where B is "right".
        known(letter).filter(|letter| by_text(text).is_none_or(|by_text| by_text == *letter))
    })
}

/// A letter before a text, in upper case, and the text.
fn marker(option: &str) -> Option<(char, &str)> {
    let option = option.trim_start();
    let (is_open, inner) = match option.strip_prefix(['(', '[', '{']) {
        Some(inner) => (true, inner),
        None => (false, option),
    };
    let mut chars = inner.chars();
    let letter = chars.next().filter(char::is_ascii_alphabetic)?.to_ascii_uppercase();
    let rest = chars.as_str();
    let text = if is_open {
        rest.strip_prefix([')', ']', '}'])?
    } else {
        rest.strip_prefix(['.', ')', ':', ']']).or_else(|| rest.strip_prefix(" - "))?
    };
    // "a.m." and "U.S." are no options A and U.
    let is_word = text.starts_with(|c: char| c.is_alphanumeric()) && text.chars().nth(1) == Some('.');
    (!is_word).then(|| (letter, text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(options: &[&str]) -> Vec<String> {
        options.iter().map(|&option| option.to_owned()).collect()
    }

    #[test]
    fn letters_are_taken_off_in_every_style() {
        for options in [
            ["A. left", "B. right"],
            ["A) left", "B) right"],
            ["(A) left", "(B) right"],
            ["[A] left", "[B] right"],
            ["A: left", "B: right"],
            ["a. left", "b. right"],
            ["(a)left", "(b)right"],
            ["A.left", "B.right"],
            ["A - left", "B - right"],
            ["A. A. left", "B. B. right"],
            ["left", "right"],
            [" A.  left ", "B. right"],
        ] {
            assert_eq!(texts(&owned(&options)).unwrap(), ["left", "right"], "{options:?}");
        }
        let texts_of = |options: &[&str]| texts(&owned(options)).unwrap();
        assert_eq!(
            texts_of(&["A big chair", "I see: a bed", "e.g. a lamp"]),
            ["A big chair", "I see: a bed", "e.g. a lamp"]
        );
        assert_eq!(texts_of(&["A", "B"]), ["A", "B"]);
        assert_eq!(texts_of(&["A. A", "B. B"]), ["A", "B"]);
        for wrong in [["B. left", "A. right"], ["(B) left", "(A) right"]] {
            assert!(texts(&owned(&wrong)).unwrap_err().contains("at place A"), "{wrong:?}");
        }
    }

    #[test]
    fn labels_choose_by_letter_or_text() {
        let texts = owned(&["left", "right", "A bed."]);
        for label in ["B", "b", " B. ", "(B)", "B)", "[b]", "B. right", "(B) right", "B: right", "right", "Right."] {
            assert_eq!(chosen(label, &texts), Some('B'), "{label}");
        }
        assert_eq!(chosen("a bed", &texts), Some('C'));
        for label in ["D", "up", "", "B. left", "AB", "right left", "2"] {
            assert_eq!(chosen(label, &texts), None, "{label}");
        }
        assert_eq!(chosen("left", &owned(&["left", "left"])), None);
    }
}
