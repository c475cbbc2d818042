//! The shape of an answer as a grammar: format tags, map dictionary, and a number,
//! an option letter or words in the answer.
//!
//! `<think>…<map>{…}</map></think><answer>…</answer>`, with the map's dictionary as
//! SpaceR writes it, `{"bed": [[4, 5]], "cell_size_m": 0.6, "robot": [[5, 9]]}`, with
//! or without spaces. What is thought may hold anything but `<`.
//!
//! A model that states its answer before it draws the map need not be asked for it
//! again: its grammar ends with `<answer>`, and [`AnswerFormat::stated`] reads what
//! stands there off the thought.

use std::iter;
use std::ops::Range;

use crate::constraint::Grammar;

/// What stands between `<answer>` and `</answer>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerShape {
    /// A number: up to six digits and three decimals.
    Number,
    /// One of the letters `A` to `last`.
    Option {
        /// Letter of the last option.
        last: char,
    },
    /// Up to 200 characters without `<`.
    Words,
    /// The number that the thought ends with: `…; the door 2.4 m away.`
    StatedNumber {
        /// What stands behind the number and a space; may be empty, as in `…; 4 benches.`
        unit: String,
    },
    /// One of these options, which the thought ends with in words and by its letter: `…: left; B.`
    StatedOption {
        /// Their texts, `A` first.
        options: Vec<String>,
    },
}

/// The shape of a whole completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerFormat {
    /// The answer proper.
    pub answer: AnswerShape,
    /// Words that may stand for it, such as "not seen".
    pub abstention: Option<String>,
    /// Whether a map must be drawn; else it may be.
    pub map_required: bool,
}

/// An answer that was stated before the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// What stands between `<answer>` and `</answer>`.
    pub answer: String,
    /// The bytes of the completion that say so.
    pub bytes: Range<usize>,
}

/// A cell, `[4, 5]` on a grid of at most 100 × 100.
const CELL: &str = r"\[(0|[1-9][0-9]?), ?(0|[1-9][0-9]?)\]";
/// A key of the dictionary.
const KEY: &str = r#""[A-Za-z][A-Za-z0-9 _-]{0,39}""#;
/// A number as JSON writes it, without sign and exponent.
const NUMBER: &str = r"(0|[1-9][0-9]{0,5})(\.[0-9]{1,3})?";
const THOUGHT: &str = "[^<]";
/// What follows a stated number, or makes up an abstention.
const WITHOUT_DIGITS: &str = "[^<0-9]";
/// What stands before the colon of a stated option, or makes up an abstention.
const WITHOUT_COLON: &str = "[^<:]";
const THINK: &str = "<think>";
const ANSWER: &str = "<answer>";

impl AnswerFormat {
    /// The format as a regular expression over the whole completion, of stated answers over all up to `<answer>`.
    pub fn regex(&self) -> String {
        match &self.answer {
            AnswerShape::Number => self.then_answered(&format!("-?{NUMBER}")),
            AnswerShape::Option { last } => self.then_answered(&format!("[A-{}]", last.clamp(&'A', &'Z'))),
            AnswerShape::Words => self.then_answered("[^<]{1,200}"),
            AnswerShape::StatedNumber { unit } => {
                let unit = escape(unit);
                self.stating(&format!("{THOUGHT}* {NUMBER} {unit}{WITHOUT_DIGITS}*"), WITHOUT_DIGITS)
            }
            AnswerShape::StatedOption { options } => {
                let option = |(letter, words): (char, &String)| format!("{}; {letter}", escape(words));
                let options: Vec<String> = ('A'..='Z').zip(options).map(option).collect();
                self.stating(&format!(r"{WITHOUT_COLON}+: ({})\.", options.join("|")), WITHOUT_COLON)
            }
        }
    }

    /// The format as a grammar for [`crate::Engine::constraint`].
    pub fn grammar(&self) -> Grammar {
        Grammar::Regex(self.regex())
    }

    /// Whether `<answer>` repeats what was stated before the map.
    pub fn is_stated(&self) -> bool {
        matches!(self.answer, AnswerShape::StatedNumber { .. } | AnswerShape::StatedOption { .. })
    }

    /// What `<answer>` repeats of a completion that ends with it; `None` where the shape has nothing stated, and of a
    /// completion that was cut short.
    pub fn stated(&self, completion: &str) -> Option<Stated> {
        let thought = thought(completion)?;
        let (found, abstains) = match &self.answer {
            AnswerShape::Number | AnswerShape::Option { .. } | AnswerShape::Words => return None,
            AnswerShape::StatedNumber { unit } => {
                let number = last_number(thought, unit).map(|at| (thought[at.clone()].to_owned(), at));
                (number, !thought.contains(|c: char| c.is_ascii_digit()))
            }
            AnswerShape::StatedOption { options } => {
                let option = option(thought, options).map(|(letter, at)| (letter.to_string(), at));
                (option, !thought.contains(':'))
            }
        };
        let abstention = || self.abstention.clone().filter(|_| abstains).map(|words| (words, 0..thought.len()));
        let (answer, Range { start, end }) = found.or_else(abstention)?;
        Some(Stated { answer, bytes: THINK.len() + start..THINK.len() + end })
    }

    /// A thought with its map, then an answer of the regular expression `answer`.
    fn then_answered(&self, answer: &str) -> String {
        let map = map_regex();
        let thought = match self.map_required {
            true => format!("{THOUGHT}+{map}{THOUGHT}*"),
            false => format!("{THOUGHT}+({map}{THOUGHT}*)?"),
        };
        let abstention = self.abstention.iter().map(|words| format!("|{}", escape(words)));
        let answer: String = iter::once(answer.to_owned()).chain(abstention).collect();
        format!(r"{THINK}{thought}</think>\n?{ANSWER}({answer})</answer>")
    }

    /// A thought that states an answer, or one of the characters `abstaining` alone, then its map.
    fn stating(&self, answer: &str, abstaining: &str) -> String {
        let abstention = self.abstention.iter().map(|_| format!("|{abstaining}+"));
        let thought: String = iter::once(answer.to_owned()).chain(abstention).collect();
        let map = if self.map_required { map_regex() } else { format!("({})?", map_regex()) };
        format!(r"{THINK}({thought}){map}</think>\n?{ANSWER}")
    }
}

fn map_regex() -> String {
    let cells = format!(r"\[({CELL}(, ?{CELL})*)?\]");
    let entry = format!(r"{KEY}: ?({cells}|{NUMBER})");
    format!(r"<map>\{{({entry}(, ?{entry})*)?\}}</map>")
}

/// What is thought before the map; `None` of a completion that does not end with `<answer>`.
fn thought(completion: &str) -> Option<&str> {
    let text = completion.strip_suffix(ANSWER)?.trim_end().strip_suffix("</think>")?.strip_prefix(THINK)?;
    if !text.ends_with("</map>") {
        return Some(text);
    }
    text.rfind("<map>").map(|map| &text[..map])
}

/// The bytes of the last number that stands between a space and the unit.
fn last_number(thought: &str, unit: &str) -> Option<Range<usize>> {
    let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok();
    thought.rmatch_indices(&format!(" {unit}")).find_map(|(end, _)| {
        let start = thought[..end].rfind(' ')? + 1;
        is_number(&thought[start..end]).then_some(start..end)
    })
}

/// The letter of `…: left; B.` and the bytes of its words. The letter is that of the words, whatever is written.
fn option(thought: &str, options: &[String]) -> Option<(char, Range<usize>)> {
    let start = thought.find(": ")? + 2;
    let (words, written) = thought.strip_suffix('.')?.get(start..)?.rsplit_once("; ")?;
    let of_words = || ('A'..='Z').zip(options).filter(|(_, option)| *option == words).map(|(letter, _)| letter);
    let letter = of_words().find(|letter| written.chars().eq([*letter])).or_else(|| of_words().next())?;
    Some((letter, start..start + words.len()))
}

/// `text` as a regular expression that matches nothing else.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(answer: AnswerShape) -> AnswerFormat {
        AnswerFormat { answer, abstention: Some("not seen".into()), map_required: false }
    }

    /// The thoughts that `format` lets a model write, with what they state.
    fn check(format: &AnswerFormat, right: &[(&str, &str, &str)], wrong: &[&str]) {
        let regex = regex::Regex::new(&format!("^({})$", format.regex())).expect("a regular expression");
        for map in ["", r#"<map>{"bed": [[4, 5]], "cell_size_m": 0.6}</map>"#] {
            let completion = |thought: &str| format!("<think>{thought}{map}</think><answer>");
            for (thought, answer, words) in right {
                let text = completion(thought);
                assert!(regex.is_match(&text), "{text}");
                let stated = format.stated(&text).expect("a stated answer");
                assert_eq!((stated.answer.as_str(), &text[stated.bytes]), (*answer, *words), "{text}");
                assert_eq!(format.stated(&text[..text.len() - 3]), None);
            }
            for thought in wrong {
                assert!(!regex.is_match(&completion(thought)), "{thought}");
            }
        }
    }

    #[test]
    fn punctuation_is_escaped_and_an_option_is_a_letter() {
        assert_eq!(escape("not (seen)."), r"not \(seen\)\.");
        let letter = format(AnswerShape::Option { last: 'D' });
        assert!(letter.regex().ends_with("<answer>([A-D]|not seen)</answer>"));
        assert!(AnswerFormat { abstention: None, ..letter }.regex().ends_with("<answer>([A-D])</answer>"));
    }

    #[test]
    fn a_stated_number_is_the_last_one_in_its_unit() {
        let metres = format(AnswerShape::StatedNumber { unit: "m".into() });
        check(
            &metres,
            &[
                ("I see the door at +2.2-1.1; the door 2.4 m away.", "2.4", "2.4"),
                ("I see the tv at +0.3+1.5, the bed at +1.0+0.0; the tv 1.35 m from the mirror.", "1.35", "1.35"),
                ("I do not see a door.", "not seen", "I do not see a door."),
            ],
            &["I see the door at +2.2-1.1.", "I see the door 2.4 m away, or 3.", "I see 12345678 m."],
        );
        let count = format(AnswerShape::StatedNumber { unit: String::new() });
        check(
            &count,
            &[("I see benches at -1.5-0.9, +0.3-2.1; 2 benches.", "2", "2"), ("I see 1 bench.", "1", "1")],
            &["I see benches at -1.5-0.9.", ""],
        );
        let area = format(AnswerShape::StatedNumber { unit: "m2".into() });
        check(&area, &[("I see a room of 36 m2.", "36", "36")], &["I see a room of 36 m."]);
    }

    #[test]
    fn a_stated_option_has_the_letter_of_its_words() {
        let options = ["left", "left (far)", "near: B; A.", "<5 m"].map(str::to_owned).to_vec();
        check(
            &format(AnswerShape::StatedOption { options }),
            &[
                ("I see the bed at +1.0; the bed: left; A.", "A", "left"),
                ("I see the bed: left (far); B.", "B", "left (far)"),
                ("I see the bed: near: B; A.; C.", "C", "near: B; A."),
                ("I see the bed: <5 m; D.", "D", "<5 m"),
                ("I do not see a bed.", "not seen", "I do not see a bed."),
            ],
            &[
                "I see the bed: left; B.",
                "I see the bed: right; A.",
                "I see the bed: left; A",
                "I see: the bed: left; A.",
            ],
        );
    }

    /// As a model that is not held to the format may write.
    #[test]
    fn free_words_count_and_garbage_is_no_abstention() {
        let of = |format: &AnswerFormat, thought: &str| {
            format.stated(&format!("<think>{thought}</think>\n<answer>")).map(|stated| stated.answer)
        };
        let side = format(AnswerShape::StatedOption { options: ["left", "right", "left"].map(str::to_owned).to_vec() });
        assert_eq!(of(&side, "the bed: right; A.").as_deref(), Some("B"));
        assert_eq!(of(&side, "the bed: left; C.").as_deref(), Some("C"));
        assert_eq!(of(&side, "the bed: behind; A."), None);
        let metres = format(AnswerShape::StatedNumber { unit: "m".to_owned() });
        assert_eq!(of(&metres, "I see the bed at +1.0-0.5."), None);
        assert_eq!(of(&metres, "I do not see it.").as_deref(), Some("not seen"));
    }

    #[test]
    fn other_shapes_state_nothing() {
        assert_eq!(format(AnswerShape::Number).stated("<think>I see it 2 m away.</think><answer>"), None);
    }
}
