//! The shape of an answer as a grammar: format tags, map dictionary, and a number,
//! an option letter or words in the answer.
//!
//! `<think>…<map>{…}</map></think><answer>…</answer>`, with the map's dictionary as
//! SpaceR writes it, `{"bed": [[4, 5]], "cell_size_m": 0.6, "robot": [[5, 9]]}`, with
//! or without spaces. What is thought may hold anything but `<`.

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
    /// One of these options, in words and by its letter, stated at the end of the thought and repeated: `…: left; B.`, then
    /// the map, then `B` as the answer. So the letter is always that of the words.
    StatedOption {
        /// Their texts, `A` first.
        options: Vec<String>,
    },
    /// Up to 200 characters without `<`.
    Words,
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

/// A cell, `[4, 5]` on a grid of at most 100 × 100.
const CELL: &str = r"\[(0|[1-9][0-9]?), ?(0|[1-9][0-9]?)\]";
/// A key of the dictionary.
const KEY: &str = r#""[A-Za-z][A-Za-z0-9 _-]{0,39}""#;
/// A number as JSON writes it, without sign and exponent.
const NUMBER: &str = r"(0|[1-9][0-9]{0,5})(\.[0-9]{1,3})?";
const THOUGHT: &str = "[^<]";
/// What stands before the colon of a stated option.
const UNCOLONED: &str = "[^<:]";

impl AnswerFormat {
    /// The format as a regular expression over the whole completion.
    pub fn regex(&self) -> String {
        let map = self.map_regex();
        if let AnswerShape::StatedOption { options } = &self.answer {
            return self.stated_option_regex(options, &map);
        }
        let thought = match self.map_required {
            true => format!("{THOUGHT}+{map}{THOUGHT}*"),
            false => format!("{THOUGHT}+({map}{THOUGHT}*)?"),
        };
        format!(r"<think>{thought}</think>\n?<answer>({})</answer>", self.answer_regex())
    }

    fn stated_option_regex(&self, options: &[String], map: &str) -> String {
        let map = if self.map_required { map.to_owned() } else { format!("({map})?") };
        let answered = |stated: &str, answer: &str| format!(r"{stated}{map}</think>\n?<answer>{}", escape(answer));
        let option = |(letter, words): (char, &String)| {
            answered(&format!(r"{}; {letter}\.", escape(words)), &letter.to_string())
        };
        let chosen: Vec<String> = ('A'..='Z').zip(options).map(option).collect();
        let mut ways = vec![format!("{UNCOLONED}+: ({})", chosen.join("|"))];
        ways.extend(self.abstention.as_ref().map(|words| answered(&format!("{UNCOLONED}+"), words)));
        format!("<think>({})</answer>", ways.join("|"))
    }

    fn map_regex(&self) -> String {
        let cells = format!(r"\[({CELL}(, ?{CELL})*)?\]");
        let entry = format!(r"{KEY}: ?({cells}|{NUMBER})");
        format!(r"<map>\{{({entry}(, ?{entry})*)?\}}</map>")
    }

    /// The format as a grammar for [`crate::Engine::constraint`].
    pub fn grammar(&self) -> Grammar {
        Grammar::Regex(self.regex())
    }

    fn answer_regex(&self) -> String {
        let answer = match &self.answer {
            AnswerShape::Number => format!("-?{NUMBER}"),
            AnswerShape::Option { last } => format!("[A-{}]", last.clamp(&'A', &'Z')),
            AnswerShape::StatedOption { options } => {
                let letters: Vec<String> = ('A'..='Z').zip(options).map(|(letter, _)| letter.to_string()).collect();
                letters.join("|")
            }
            AnswerShape::Words => "[^<]{1,200}".to_owned(),
        };
        match &self.abstention {
            Some(words) => format!("{answer}|{}", escape(words)),
            None => answer,
        }
    }
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

    #[test]
    fn punctuation_is_escaped_and_an_option_is_a_letter() {
        assert_eq!(escape("not (seen)."), r"not \(seen\)\.");
        let format = AnswerFormat { answer: AnswerShape::Option { last: 'D' }, abstention: None, map_required: false };
        assert_eq!(format.answer_regex(), "[A-D]");
        let format = AnswerFormat { abstention: Some("not seen".into()), ..format };
        assert_eq!(format.answer_regex(), "[A-D]|not seen");
    }

    #[test]
    fn a_stated_option_has_the_letter_of_its_words() {
        let answer = AnswerShape::StatedOption { options: vec!["left".into(), "left (far)".into()] };
        let format = AnswerFormat { answer, abstention: Some("not seen".into()), map_required: false };
        let regex = regex::Regex::new(&format!("^({})$", format.regex())).expect("a regular expression");
        let map = r#"<map>{"bed": [[4, 5]]}</map>"#;
        for right in [
            "<think>I see the bed at +1.0; the bed: left; A.</think><answer>A</answer>".to_owned(),
            format!("<think>I see the bed: left (far); B.{map}</think><answer>B</answer>"),
            format!("<think>I do not see a bed.{map}</think><answer>not seen</answer>"),
        ] {
            assert!(regex.is_match(&right), "{right}");
        }
        for wrong in [
            "<think>I see the bed: left; B.</think><answer>B</answer>",
            "<think>I see the bed: left; A.</think><answer>B</answer>",
            "<think>I see the bed: right; A.</think><answer>A</answer>",
            "<think>I see the bed: left; A.</think><answer>not seen</answer>",
            "<think>I see the bed.</think><answer>A</answer>",
        ] {
            assert!(!regex.is_match(wrong), "{wrong}");
        }
    }
}
