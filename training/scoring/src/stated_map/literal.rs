//! Python's literals as `ast.literal_eval` takes them: numbers, texts, lists, tuples, sets and dictionaries.

mod scalars;

use crate::reading::is_word;

/// Brackets nest no deeper, as in Python's tokenizer.
const MAX_DEPTH: usize = 200;

/// The value of a literal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    /// A whole or decimal number; `True` and `False` are 1 and 0.
    Number(f64),
    /// A text.
    Text(String),
    /// `[…]`.
    List(Vec<Literal>),
    /// `(…)`.
    Tuple(Vec<Literal>),
    /// `{…: …}`, equal keys included.
    Dictionary(Vec<(Literal, Literal)>),
    /// `{…}` without colons.
    Set,
    /// `None`, `...`, bytes and imaginary numbers.
    Other,
}

impl Literal {
    fn is_hashable(&self) -> bool {
        match self {
            Self::Number(_) | Self::Text(_) | Self::Other => true,
            Self::Tuple(items) => items.iter().all(Self::is_hashable),
            Self::List(_) | Self::Dictionary(_) | Self::Set => false,
        }
    }
}

/// The literal that is the whole text, which begins with `{` and ends with `}`; `None` for all other texts.
pub(super) fn read(text: &str) -> Option<Literal> {
    if !(text.starts_with('{') && text.ends_with('}')) || text.contains('\0') {
        return None;
    }
    let mut reader = Reader { rest: text, depth: 0 };
    let literal = reader.value()?;
    reader.skip_space();
    reader.rest.is_empty().then_some(literal)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Steps over a character.
    fn take_char(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    /// Steps over a piece of text, if it comes next.
    fn take(&mut self, piece: &str) -> bool {
        let rest = self.rest.strip_prefix(piece);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Steps over the characters that `belongs` holds for.
    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// White space, comments and continued lines.
    fn skip_space(&mut self) {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if self.take("#") {
                self.take_while(|c| !matches!(c, '\n' | '\r'));
            } else if !(self.take("\\\r\n") || self.take("\\\n")) {
                return;
            }
        }
    }

    fn value(&mut self) -> Option<Literal> {
        self.skip_space();
        match self.peek()? {
            '{' => self.braces(),
            '[' => self.items("[", "]").map(|(items, _)| Literal::List(items)),
            '(' => {
                let (mut items, has_comma) = self.items("(", ")")?;
                // A value in brackets is itself.
                if items.len() == 1 && !has_comma { items.pop() } else { Some(Literal::Tuple(items)) }
            }
            '"' | '\'' => self.texts(""),
            '+' => self.after_sign(1.0),
            '-' => self.after_sign(-1.0),
            '.' if self.take("...") => Some(Literal::Other),
            c if c == '.' || c.is_ascii_digit() => self.number(),
            c if is_word(c) => self.word(),
            _ => None,
        }
    }

    fn after_sign(&mut self, sign: f64) -> Option<Literal> {
        self.take_char();
        self.skip_space();
        // Neither a second sign nor `True`.
        let is_number = self.peek().is_some_and(|c| c.is_ascii_digit() || matches!(c, '.' | '('));
        match self.value().filter(|_| is_number)? {
            Literal::Number(value) => Some(Literal::Number(sign * value)),
            _ => None,
        }
    }

    /// What stands between two brackets, and whether a comma follows the last of it.
    fn items(&mut self, open: &str, close: &str) -> Option<(Vec<Literal>, bool)> {
        let (mut items, mut has_comma) = (Vec::new(), false);
        self.enter(open)?;
        loop {
            self.skip_space();
            if self.leave(close) {
                return Some((items, has_comma));
            }
            if !items.is_empty() && !has_comma {
                return None;
            }
            items.push(self.value()?);
            self.skip_space();
            has_comma = self.take(",");
        }
    }

    fn braces(&mut self) -> Option<Literal> {
        self.enter("{")?;
        let (mut entries, mut members, mut has_comma) = (Vec::new(), 0, true);
        loop {
            self.skip_space();
            if self.leave("}") {
                return Some(if members == 0 { Literal::Dictionary(entries) } else { Literal::Set });
            }
            let key = self.value().filter(|key| has_comma && key.is_hashable())?;
            self.skip_space();
            if self.take(":") {
                entries.push((key, self.value()?));
                self.skip_space();
            } else {
                members += 1;
            }
            if members > 0 && !entries.is_empty() {
                return None;
            }
            has_comma = self.take(",");
        }
    }

    fn enter(&mut self, open: &str) -> Option<()> {
        self.depth += 1;
        (self.depth <= MAX_DEPTH && self.take(open)).then_some(())
    }

    fn leave(&mut self, close: &str) -> bool {
        let leaves = self.take(close);
        self.depth -= usize::from(leaves);
        leaves
    }

    /// A name, or the letters before a text.
    fn word(&mut self) -> Option<Literal> {
        let word = self.take_while(is_word);
        match word {
            "None" => Some(Literal::Other),
            "True" => Some(Literal::Number(1.0)),
            "False" => Some(Literal::Number(0.0)),
            "set" => {
                self.skip_space();
                self.items("(", ")").filter(|(items, _)| items.is_empty()).map(|_| Literal::Set)
            }
            _ if matches!(self.peek(), Some('"' | '\'')) => self.texts(word),
            _ => None,
        }
    }
}
