//! What of a model's answer a robot may tell: no length as an angle, no number as a side.

use msgs::{QuestionKind, Unit};

use crate::answer::{Outcome, ParsedAnswer};
use crate::question::ParsedQuestion;

/// The words of each unit that a question can ask for.
const UNITS: [(Unit, &[&str]); 4] = [
    (Unit::Metre, &["m", "metre", "metres", "meter", "meters"]),
    (Unit::Centimetre, &["cm", "centimetre", "centimetres", "centimeter", "centimeters"]),
    (Unit::SquareMetre, &["m2", "m²", "sqm", "square", "metre", "metres", "meter", "meters"]),
    (Unit::Degree, &["deg", "degree", "degrees", "°"]),
];
/// The words of units that none asks for.
const FOREIGN: [&str; 17] = [
    "mm",
    "millimetre",
    "millimetres",
    "km",
    "kilometre",
    "kilometres",
    "ft",
    "foot",
    "feet",
    "inch",
    "inches",
    "mile",
    "miles",
    "seconds",
    "minutes",
    "o'clock",
    "%",
];

/// The outcome of an answer as a robot may tell it: [`Outcome::Unreadable`] where the text is no answer to
/// such a question.
///
/// That is a number in another unit, a broken count, the "a" of a sentence where a measure is asked for, a
/// bare number where words are, and a letter that no option has. Rewards and scores of data sets read more
/// leniently, by the rule of the paper.
pub fn told(answer: &ParsedAnswer, question: &ParsedQuestion) -> Outcome {
    let is_told = match &answer.outcome {
        Outcome::Number(value) => is_in_unit(&answer.answer_text, *value, question.kind.unit()),
        // The options of a question in free words may stand in its text.
        Outcome::Option(_) if question.options.is_empty() => question.kind == QuestionKind::FreeForm,
        Outcome::Option(letter) => ('A'..='Z').zip(&question.options).any(|(offered, _)| offered == *letter),
        Outcome::Text => question.kind == QuestionKind::FreeForm || !is_bare_number(&answer.answer_text),
        Outcome::NotSeen | Outcome::Unreadable => true,
    };
    if is_told { answer.outcome.clone() } else { Outcome::Unreadable }
}

/// Whether the number of a text is one of this unit.
fn is_in_unit(text: &str, value: f64, unit: Unit) -> bool {
    let text = text.to_lowercase();
    let words = words(&text);
    let own = own_words(unit);
    let is_other = |word: &&str| is_unit(word) && !own.contains(word);
    if words.iter().any(is_other) {
        return false;
    }
    let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    match unit {
        Unit::Count => value.fract() == 0.0,
        // "There is a door at 2.4 m" states no 1 m; "a metre" does.
        _ => match words.iter().position(|word| ["a", "an"].contains(word)) {
            Some(at) => !has_digits && words.get(at + 1).is_some_and(|next| own.contains(next)),
            None => true,
        },
    }
}

/// Whether a text is a number and units, and nothing else.
fn is_bare_number(text: &str) -> bool {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.to_lowercase();
    let words = words(&text);
    words.iter().any(|word| is_number(word)) && words.iter().all(|word| is_number(word) || is_measure(word))
}

/// Runs of digits, and words with the digit that belongs to them (`m2`).
fn words(text: &str) -> Vec<&str> {
    let in_word = |c: char| c.is_alphanumeric() || "'°%".contains(c);
    let mut words = Vec::new();
    for mut run in text.split(|c: char| !in_word(c)).filter(|run| !run.is_empty()) {
        let digits = run.find(|c: char| !c.is_ascii_digit()).unwrap_or(run.len());
        if digits > 0 {
            words.push(&run[..digits]);
            run = &run[digits..];
        }
        words.extend(Some(run).filter(|rest| !rest.is_empty()));
    }
    words
}

fn own_words(unit: Unit) -> &'static [&'static str] {
    UNITS.iter().find(|(of, _)| *of == unit).map_or(&[], |(_, words)| words)
}

fn is_measure(word: &str) -> bool {
    UNITS.iter().any(|(_, words)| words.contains(&word))
}

fn is_unit(word: &str) -> bool {
    is_measure(word) || FOREIGN.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{parse_completion, parse_question, with_options};

    fn read(question: &str, options: &[&str], answer: &str) -> Outcome {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let question = with_options(&parse_question(question).expect("a question"), &options);
        told(&parse_completion(&format!("<answer>{answer}</answer>"), question.kind), &question)
    }

    #[test]
    fn answers_of_the_kind_pass() {
        for (question, answer, value) in [
            ("how far is the door?", "2.4", 2.4),
            ("how far is the door?", "about 2.4 m", 2.4),
            ("how far is the door?", "2.4m", 2.4),
            ("how far is the door?", "a metre", 1.0),
            ("how far is the door?", "The door is 2.4 meters away, in front of me.", 2.4),
            ("how many chairs are there?", "3 chairs", 3.0),
            ("how many chairs are there?", "there is a chair", 1.0),
            ("how many chairs are there?", "2.0", 2.0),
            ("how big is the table?", "120 cm", 120.0),
            ("how big is the room?", "21.5 m2", 21.5),
            ("how big is the room?", "21.5 square metres", 21.5),
            ("how much did I turn?", "30°", 30.0),
        ] {
            assert_eq!(read(question, &[], answer), Outcome::Number(value), "{question} {answer}");
        }
        assert_eq!(read("where is the door?", &[], "at 3 o'clock"), Outcome::Text);
        assert_eq!(read("what do you see?", &[], "1"), Outcome::Text);
        assert_eq!(read("what do you see?", &[], "B"), Outcome::Option('B'));
        assert_eq!(read("where is the door?", &["left", "right"], "B. right"), Outcome::Option('B'));
        assert_eq!(read("how far is the door?", &[], "not seen"), Outcome::NotSeen);
    }

    #[test]
    fn answers_of_another_kind_do_not() {
        for (question, answer) in [
            ("how far is the door?", "240 cm"),
            ("how far is the door?", "30 degrees"),
            ("how far is the door?", "8 feet"),
            ("how far is the door?", "there is a door on the left"),
            ("how far is the door?", "There is a door 2.4 m away"),
            ("how far is the door?", "3 o'clock"),
            ("how many chairs are there?", "2.4"),
            ("how many chairs are there?", "2 m"),
            ("how big is the room?", "30 degrees"),
            ("how much did I turn?", "1.2 m"),
            ("where is the door?", "2.4 m"),
            ("where is the door?", "1"),
            ("where is the door?", "B"),
            ("which way did I turn?", "45 degrees"),
        ] {
            assert_eq!(read(question, &[], answer), Outcome::Unreadable, "{question} {answer}");
        }
        assert_eq!(read("where is the door?", &["left", "right"], "C"), Outcome::Unreadable);
    }
}
