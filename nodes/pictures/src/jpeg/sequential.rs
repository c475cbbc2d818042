//! Blocks whose coefficients all come at once (ITU T.81, F.1.2).

use super::bits::Bits;
use super::huffman::Table;
use super::mean::Mean;
use super::scan::{Flaw, Units};

/// Units of a sequential scan.
pub(super) struct Sequential<'a> {
    /// By component: blocks of a unit, their mean, and the table of the other coefficients.
    pub(super) parts: Vec<(usize, Mean<'a>, &'a Table)>,
}

impl Units for Sequential<'_> {
    fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), Flaw> {
        for (blocks, mean, ac) in &mut self.parts {
            for _ in 0..*blocks {
                mean.read(bits)?;
                skip_ac(bits, ac)?;
            }
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.parts.iter_mut().for_each(|(_, mean, _)| mean.steps = 0);
    }
}

fn skip_ac(bits: &mut Bits<'_>, table: &Table) -> Result<(), Flaw> {
    let mut next = 1;
    while next < 64 {
        let symbol = table.read(bits)?;
        let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (zeros, size) {
            (15, 0) => next += 16,
            (_, 0) => return Ok(()),
            _ if next + zeros > 63 => return Err(Flaw::TooFar),
            _ => {
                bits.skip(size)?;
                next += zeros + 1;
            }
        }
    }
    Ok(())
}
