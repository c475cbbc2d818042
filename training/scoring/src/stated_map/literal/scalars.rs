//! Numbers and texts of Python's literals.

use super::{Literal, Reader};
use crate::reading::is_word;

impl<'a> Reader<'a> {
    /// A number in Python's writing; nothing may touch its end.
    pub(super) fn number(&mut self) -> Option<Literal> {
        for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)] {
            if self.take(prefix) {
                let digits = self.take_while(is_word);
                let plain = without_underscores(&format!("0{digits}"), radix).filter(|_| !digits.is_empty())?;
                let add = |sum: f64, c: char| c.to_digit(radix).map(|digit| sum * f64::from(radix) + f64::from(digit));
                return plain.chars().try_fold(0.0, add).map(Literal::Number);
            }
        }
        let is_part = |c: char| c.is_ascii_digit() || c == '_';
        let mut written = self.take_while(is_part).to_owned();
        let has_leading_zero = written.starts_with('0') && written.contains(|c| !matches!(c, '0' | '_'));
        let mut is_float = false;
        if self.take(".") {
            is_float = true;
            written = format!("{written}.{}", self.take_while(is_part));
        }
        if self.take("e") || self.take("E") {
            is_float = true;
            let sign = if self.take("-") { "-" } else { "" };
            self.take("+");
            written = format!("{written}e{sign}{}", self.take_while(is_part));
        }
        let is_imaginary = self.take("j") || self.take("J");
        let value: f64 = without_underscores(&written, 10)?.parse().ok()?;
        if self.peek().is_some_and(is_word) || (has_leading_zero && !is_float && !is_imaginary) {
            return None;
        }
        Some(if is_imaginary { Literal::Other } else { Literal::Number(value) })
    }

    /// One text or several that are joined; `prefix` stands before the first.
    pub(super) fn texts(&mut self, prefix: &'a str) -> Option<Literal> {
        let (mut whole, mut prefix, mut are_bytes) = (String::new(), prefix, None);
        loop {
            let lower = prefix.to_ascii_lowercase();
            let (is_raw, is_bytes) = (lower.contains('r'), lower.contains('b'));
            if !["", "r", "u", "b", "br", "rb"].contains(&lower.as_str())
                || are_bytes.is_some_and(|are| are != is_bytes)
            {
                return None;
            }
            are_bytes = Some(is_bytes);
            let text = self.text(is_raw)?;
            if is_bytes && !text.is_ascii() {
                return None;
            }
            whole.push_str(&text);
            self.skip_space();
            prefix = self.take_while(is_word);
            match self.peek() {
                Some('"' | '\'') => {}
                _ if !prefix.is_empty() => return None,
                _ => return Some(if is_bytes { Literal::Other } else { Literal::Text(whole) }),
            }
        }
    }

    /// What stands between two quotes, or two times three.
    fn text(&mut self, is_raw: bool) -> Option<String> {
        let quote = self.peek()?.to_string();
        let three = quote.repeat(3);
        let is_long = self.take(&three);
        let close = if is_long { three } else { quote };
        if !is_long && !self.take(&close) {
            return None;
        }
        let mut text = String::new();
        while !self.take(&close) {
            let c = self.take_char()?;
            match c {
                '\n' | '\r' if !is_long => return None,
                '\\' if is_raw => {
                    let next = self.take_char()?;
                    text.extend([c, next]);
                }
                '\\' => text.push_str(&self.escape()?),
                _ => text.push(c),
            }
        }
        Some(text)
    }

    /// What a backslash, which is taken, and the characters behind it stand for.
    fn escape(&mut self) -> Option<String> {
        let octal = self.rest.chars().take(3).take_while(|c| c.is_digit(8)).count();
        if octal > 0 {
            return self.code(octal, 8);
        }
        let c = self.take_char()?;
        let stands_for = match c {
            '\n' => "",
            '\\' => "\\",
            '\'' => "'",
            '"' => "\"",
            'a' => "\u{7}",
            'b' => "\u{8}",
            'f' => "\u{c}",
            'n' => "\n",
            'r' => "\r",
            't' => "\t",
            'v' => "\u{b}",
            'x' => return self.code(2, 16),
            'u' => return self.code(4, 16),
            'U' => return self.code(8, 16),
            // By name: nobody writes that.
            'N' => return None,
            _ => return Some(format!("\\{c}")),
        };
        Some(stands_for.to_owned())
    }

    /// The character of a code of so many digits; half of a surrogate pair becomes the replacement character.
    fn code(&mut self, digits: usize, radix: u32) -> Option<String> {
        let code = self.rest.get(..digits).filter(|code| code.chars().all(|c| c.is_digit(radix)))?;
        self.rest = self.rest.get(digits..)?;
        let code = u32::from_str_radix(code, radix).ok().filter(|code| *code <= u32::from(char::MAX))?;
        Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER).to_string())
    }
}

/// A number without its underscores, each of which stands between two digits.
fn without_underscores(written: &str, radix: u32) -> Option<String> {
    let mut parts = written.split('_');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let is_between = plain.ends_with(|c: char| c.is_digit(radix)) && part.starts_with(|c: char| c.is_digit(radix));
        is_between.then(|| plain.push_str(part))?;
    }
    Some(plain)
}
