//! One scan: its header, and its units one after the other, interval by interval.

use super::bits::Bits;
use super::cursor::{Cursor, damaged};
use super::frame::Frame;
use crate::error::Result;

/// Why data are no whole scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// They end too early.
    Short,
    /// No Huffman code begins so.
    NoCode,
    /// A coefficient behind the last.
    TooFar,
    /// A mean that no pixels of 8 bits have.
    TooBright,
}

/// What a scan consists of.
pub(super) trait Units {
    /// Reads the next unit.
    fn read(&mut self, bits: &mut Bits<'_>) -> std::result::Result<(), Flaw>;

    /// Begins anew behind a restart marker.
    fn restart(&mut self) {}
}

/// A component of a scan, with its tables' numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Which of the frame's components.
    pub(super) index: usize,
    pub(super) dc: usize,
    pub(super) ac: usize,
}

/// What the scan header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) parts: Vec<Part>,
    /// First and last coefficient.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Whether bits are added to what an earlier scan told.
    pub(super) refines: bool,
    /// How many low bits are still left out.
    pub(super) left_out: u8,
}

impl Header {
    /// Reads the segment.
    ///
    /// # Errors
    /// When it doesn't fit `frame`.
    pub(super) fn read(body: &[u8], frame: &Frame) -> Result<Self> {
        let Some((parts, [first, last, bits])) = body.get(1..).and_then(<[u8]>::split_last_chunk) else {
            return Err(damaged(format!("expected a scan header of at least 6 bytes, found {}", body.len())));
        };
        let fits = !parts.is_empty() && parts.len() == 2 * usize::from(body[0]) && body[0] <= 4;
        let is_band = first <= last && *last < 64 && (*first == 0 || parts.len() == 2);
        if !fits || !is_band || (frame.is_progressive && *first == 0 && *last != 0) {
            return Err(damaged(format!("no scan has such a header: {body:02x?}")));
        }
        let parts = parts.chunks_exact(2).map(|bytes| part(bytes, frame)).collect::<Result<Vec<_>>>()?;
        let (first, last) = (usize::from(*first), usize::from(*last));
        Ok(Self { parts, first, last, refines: bits >> 4 > 0, left_out: bits & 15 })
    }

    /// How many units the scan has.
    pub(super) fn units(&self, frame: &Frame) -> usize {
        match self.parts.as_slice() {
            [alone] => frame.blocks(alone.index),
            _ => frame.units(),
        }
    }

    /// Blocks of `part` in a unit.
    pub(super) fn blocks_of(&self, part: &Part, frame: &Frame) -> usize {
        let component = frame.components[part.index];
        if self.parts.len() == 1 { 1 } else { component.across * component.down }
    }
}

fn part(bytes: &[u8], frame: &Frame) -> Result<Part> {
    let index = frame.components.iter().position(|component| component.id == bytes[0]);
    let index = index.ok_or_else(|| damaged(format!("expected a colour of the frame, found {}", bytes[0])))?;
    Ok(Part { index, dc: usize::from(bytes[1] >> 4), ac: usize::from(bytes[1] & 15) })
}

/// Reads `count` units from `cursor` on, with a restart marker behind every `interval` of them where that is not 0, and
/// copies their data to `plain`.
///
/// # Errors
/// When a unit is missing, or restart markers are out of order.
pub(super) fn read_units(
    cursor: &mut Cursor<'_>,
    count: usize,
    interval: usize,
    units: &mut impl Units,
    plain: &mut Vec<u8>,
) -> Result<()> {
    let interval = if interval == 0 { count } else { interval };
    for (number, from) in (0..count).step_by(interval.max(1)).enumerate() {
        if number > 0 {
            let marker = 0xD0 | ((number - 1) % 8) as u8;
            let found = cursor.next_marker()?;
            if found != Some(marker) {
                return Err(cursor.missing(from, count, found));
            }
            plain.extend([0xFF, marker]);
            units.restart();
        }
        let begin = cursor.at;
        let mut bits = Bits::new(cursor.bytes, begin);
        for unit in from..(from + interval).min(count) {
            units.read(&mut bits).map_err(|flaw| cursor.flawed(flaw, unit, count, bits.limit()))?;
        }
        cursor.at = bits.end();
        plain.extend_from_slice(&cursor.bytes[begin..cursor.at]);
    }
    Ok(())
}
