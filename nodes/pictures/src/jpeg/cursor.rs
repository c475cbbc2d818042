//! Markers and segments, one after the other, and what is to be said where they end too early.

use super::scan::Flaw;
use crate::error::{Error, Result};
use crate::format::Format;

/// Bytes that may stand ahead of a marker without being anything: some cameras round up.
const MOST_STRAY: usize = 4;

/// Where reading is.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    /// The next marker's second byte; `None` at the end of the data.
    pub(super) fn next_marker(&mut self) -> Result<Option<u8>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let place = rest.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF));
        let stray = &rest[..place.unwrap_or(rest.len())];
        // Any number of FF may lead in a marker.
        let stray = &stray[..stray.iter().rposition(|byte| *byte != 0xFF).map_or(0, |last| last + 1)];
        if stray.len() > MOST_STRAY && stray.iter().any(|byte| *byte != stray[0]) {
            let (at, found) = (self.at, stray.len());
            return Err(damaged(format!("expected a marker at byte {at}, found {found} bytes of something else")));
        }
        self.at += place.map_or(rest.len(), |place| place + 2);
        Ok(place.map(|place| rest[place + 1]))
    }

    /// The segment behind a marker.
    pub(super) fn segment(&mut self) -> Result<&'a [u8]> {
        let length = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<2>());
        let length = length.map(|length| usize::from(u16::from_be_bytes(*length)));
        if length.is_some_and(|length| length < 2) {
            return Err(damaged(format!("expected a segment's length at byte {}, found 0 or 1", self.at)));
        }
        let body = length.and_then(|length| self.bytes.get(self.at + 2..self.at + length));
        let body = body.ok_or_else(|| self.cut("a whole header"))?;
        self.at += 2 + body.len();
        Ok(body)
    }

    pub(super) fn cut(&self, expected: impl Into<String>) -> Error {
        Error::Cut { format: Format::Jpeg, expected: expected.into(), bytes: self.bytes.len() }
    }

    /// What is wrong where unit `unit` of `count` can't be read, and its data end at `end`.
    pub(super) fn flawed(&self, flaw: Flaw, unit: usize, count: usize, end: usize) -> Error {
        match flaw {
            // A lone FF is a marker that was cut.
            Flaw::Short if end + 1 >= self.bytes.len() => {
                self.cut(format!("{count} blocks of pixels (the data end in block {unit})"))
            }
            Flaw::Short => self.missing(unit, count, self.bytes.get(end + 1).copied()),
            Flaw::NoCode => damaged(format!("block {unit} of {count} begins with no code that stands for anything")),
            Flaw::TooFar => damaged(format!("block {unit} of {count} has more than 64 coefficients")),
            Flaw::TooBright => {
                let what = format!("block {unit} of {count} is brighter or darker than 8 bits can be");
                damaged(format!("{what}; a piece of the picture is missing"))
            }
        }
    }

    /// Blocks are missing from `unit` of `count` on: the marker `found` stands there.
    pub(super) fn missing(&self, unit: usize, count: usize, found: Option<u8>) -> Error {
        match found {
            Some(marker) => {
                let what = format!("expected block {unit} of {count}, found marker FF{marker:02X}");
                damaged(format!("{what}; a piece of the picture is missing"))
            }
            None => self.cut(format!("{count} blocks of pixels (the data end in block {unit})")),
        }
    }
}

pub(super) fn damaged(what: String) -> Error {
    Error::damaged(Format::Jpeg, what)
}

pub(super) fn unsupported(expected: &'static str, found: String) -> Error {
    Error::Unsupported { format: Format::Jpeg, expected, found }
}
