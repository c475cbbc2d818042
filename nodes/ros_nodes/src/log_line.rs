//! One line of a node's log: foreign text in it is escaped and cut, so that it can neither forge lines nor
//! flood a disk.

use std::fmt::{self, Write};

/// Characters of a line; more are cut off.
pub const LINE_CHARS: usize = 600;

/// Collects text on one line: what ends or hides lines is escaped, what is beyond the limit is counted and
/// left out.
#[derive(Debug)]
pub struct LineWriter {
    text: String,
    chars_left: usize,
    cut_bytes: usize,
}

impl LineWriter {
    /// An empty line of at most so many characters.
    pub fn new(limit_chars: usize) -> Self {
        Self { text: String::new(), chars_left: limit_chars, cut_bytes: 0 }
    }

    /// The line, with a note of what was cut.
    pub fn finish(mut self) -> String {
        if self.cut_bytes > 0 {
            let _ = write!(self.text, "… ({} bytes more)", self.cut_bytes);
        }
        self.text
    }
}

impl Write for LineWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (at, char) in text.char_indices() {
            if self.chars_left == 0 {
                self.cut_bytes += text.len() - at;
                break;
            }
            self.chars_left -= 1;
            if is_deceptive(char) {
                self.text.extend(char.escape_default());
            } else {
                self.text.push(char);
            }
        }
        Ok(())
    }
}

/// Control characters, line separators, and marks that turn the direction of what is read.
fn is_deceptive(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// `text` on one line of at most [`LINE_CHARS`] characters.
pub fn one_line(text: &str) -> String {
    cut(text, LINE_CHARS)
}

/// `text` on one line of at most `limit_chars` characters.
pub fn cut(text: &str, limit_chars: usize) -> String {
    let mut line = LineWriter::new(limit_chars);
    // Never fails.
    let _ = line.write_str(text);
    line.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_on_its_line() {
        let forged = "x\n2026-11-30T00:00:00Z ERROR all is lost\r\x1b[31m\u{202e}";
        assert_eq!(one_line(forged), r"x\n2026-11-30T00:00:00Z ERROR all is lost\r\u{1b}[31m\u{202e}");
        assert_eq!(one_line("wie weit ist die Tür?"), "wie weit ist die Tür?");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        assert_eq!(cut("ääääää", 4), "ääää… (4 bytes more)");
        let line = one_line(&"y".repeat(2 << 20));
        assert!(line.len() < 700 && line.ends_with(&format!("({} bytes more)", (2 << 20) - LINE_CHARS)), "{line}");
    }
}
