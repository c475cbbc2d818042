//! Huffman tables: ITU T.81, annexes C and F.2.2.3.

use super::bits::Bits;
use super::cursor::damaged;
use super::scan::Flaw;
use crate::error;

/// Codes of at most so many bits are looked up at once.
const LOOKUP_BITS: u32 = 9;

/// Codes and what they stand for.
#[derive(Clone)]
pub(super) struct Table {
    /// Length and symbol by the next [`LOOKUP_BITS`] bits; length 0 where the code is longer.
    lookup: Vec<(u8, u8)>,
    /// By length: one more than its largest code, shifted to 16 bits.
    limits: [u32; 17],
    /// By length: what to add to a code for the place of its symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

/// Those of one class, by their numbers.
pub(super) type Tables = [Option<Table>; 4];

/// The table that a scan names.
pub(super) fn table(tables: &Tables, number: usize) -> error::Result<&Table> {
    let table = tables.get(number).and_then(Option::as_ref);
    table.ok_or_else(|| damaged(format!("expected Huffman table {number}, found none")))
}

impl Table {
    /// `counts`: how many codes there are of 1 to 16 bits; `symbols`: what they stand for. `None` where such codes can't be.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table = Self {
            lookup: vec![(0, 0); 1 << LOOKUP_BITS],
            limits: [0; 17],
            offsets: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut first) = (0u32, 0usize);
        for (length, count) in (1..=16u32).zip(counts) {
            let count = usize::from(*count);
            table.offsets[length as usize] = first as i32 - code as i32;
            for symbol in symbols.get(first..first + count)? {
                table.enter(code, length, *symbol);
                code += 1;
            }
            if code > 1 << length {
                return None;
            }
            table.limits[length as usize] = code << (16 - length);
            first += count;
            code <<= 1;
        }
        Some(table)
    }

    fn enter(&mut self, code: u32, length: u32, symbol: u8) {
        if let Some(free) = LOOKUP_BITS.checked_sub(length) {
            let from = (code << free) as usize;
            for entry in self.lookup.iter_mut().skip(from).take(1 << free) {
                *entry = (length as u8, symbol);
            }
        }
    }

    /// Reads one code.
    pub(super) fn read(&self, bits: &mut Bits<'_>) -> Result<u8, Flaw> {
        let ahead = bits.peek_16();
        let (length, symbol) = self.lookup[(ahead >> (16 - LOOKUP_BITS)) as usize];
        if length > 0 {
            bits.skip(u32::from(length))?;
            return Ok(symbol);
        }
        self.read_long(bits, ahead)
    }

    fn read_long(&self, bits: &mut Bits<'_>, ahead: u32) -> Result<u8, Flaw> {
        let length = (LOOKUP_BITS as usize + 1..=16).find(|length| ahead < self.limits[*length]);
        let Some(length) = length else {
            // Bits that are made up behind the end of the data are no code either.
            bits.skip(16)?;
            return Err(Flaw::NoCode);
        };
        bits.skip(length as u32)?;
        let place = (ahead >> (16 - length)) as i32 + self.offsets[length];
        self.symbols.get(place as usize).copied().ok_or(Flaw::NoCode)
    }
}
