//! The means of blocks, which are told as differences (ITU T.81, F.1.2.1).
//!
//! Where a piece of the data is missing, codes are soon read as ones again, but differences add up to what no picture has.

use super::bits::Bits;
use super::huffman::Table;
use super::scan::Flaw;

/// Largest coefficient of a block's mean, either way: 8 pixels' worth of half of 8 bits, and what a hasty encoder adds.
const LARGEST: i32 = 8 * 128 + 64;

/// The mean of a component's last block.
pub(super) struct Mean<'a> {
    pub(super) table: &'a Table,
    /// What one step of a difference is worth.
    pub(super) step: i32,
    pub(super) steps: i32,
}

impl<'a> Mean<'a> {
    /// Begins a scan; `step`: the first number of the quantisation table, times what the scan leaves out.
    pub(super) fn new(table: &'a Table, step: i32) -> Self {
        Self { table, step, steps: 0 }
    }

    /// Reads one difference.
    pub(super) fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), Flaw> {
        let size = u32::from(self.table.read(bits)?);
        if size > 15 {
            return Err(Flaw::NoCode);
        }
        let number = bits.take(size)? as i32;
        // A number whose first bit is 0 is negative.
        let is_negative = size > 0 && number >> (size - 1) == 0;
        self.steps += if is_negative { number - (1 << size) + 1 } else { number };
        // The encoder rounds to whole steps.
        let mean = self.steps.saturating_mul(self.step).saturating_abs();
        if mean > LARGEST.saturating_add(self.step) { Err(Flaw::TooBright) } else { Ok(()) }
    }
}
