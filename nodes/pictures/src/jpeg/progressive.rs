//! Blocks whose coefficients come scan by scan (ITU T.81, G.1.2).

use super::bits::Bits;
use super::huffman::Table;
use super::mean::Mean;
use super::scan::{Flaw, Units};

/// Units of a scan of DC coefficients.
pub(super) struct Dc<'a> {
    /// By component: blocks of a unit, and their mean.
    pub(super) parts: Vec<(usize, Mean<'a>)>,
}

impl Units for Dc<'_> {
    fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), Flaw> {
        for (blocks, mean) in &mut self.parts {
            for _ in 0..*blocks {
                mean.read(bits)?;
            }
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.parts.iter_mut().for_each(|(_, mean)| mean.steps = 0);
    }
}

/// Units of a scan that adds a bit to DC coefficients: so many blocks.
pub(super) struct DcBit(pub(super) usize);

impl Units for DcBit {
    fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), Flaw> {
        bits.skip(self.0 as u32)
    }
}

/// Units of a scan of a band of AC coefficients: blocks of one component.
pub(super) struct Ac<'a> {
    pub(super) table: &'a Table,
    /// First and last coefficient of the band.
    pub(super) band: (usize, usize),
    /// Whether bits are added to what an earlier scan told.
    pub(super) refines: bool,
    /// Coefficients that are not zero, a bit each, by block.
    pub(super) known: &'a mut [u64],
    /// The next block.
    pub(super) block: usize,
    /// Blocks, from the next one on, that have no more new coefficients.
    pub(super) ended: u32,
}

impl Units for Ac<'_> {
    fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), Flaw> {
        let mut known = self.known.get(self.block).copied().unwrap_or_default();
        let mut next = self.band.0;
        if self.ended == 0 {
            next = self.read_new(bits, &mut known)?;
        }
        if self.ended > 0 {
            if self.refines {
                self.skip_known(bits, known, &mut next, usize::MAX)?;
            }
            self.ended -= 1;
        }
        if let Some(kept) = self.known.get_mut(self.block) {
            *kept = known;
        }
        self.block += 1;
        Ok(())
    }

    fn restart(&mut self) {
        self.ended = 0;
    }
}

impl Ac<'_> {
    /// Reads codes up to the band's end, or to one that ends blocks; tells where it stopped.
    fn read_new(&mut self, bits: &mut Bits<'_>, known: &mut u64) -> Result<usize, Flaw> {
        let mut next = self.band.0;
        while next <= self.band.1 {
            let symbol = self.table.read(bits)?;
            let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 && zeros < 15 {
                self.ended = (1 << zeros) + bits.take(zeros as u32)?;
                break;
            }
            // A new coefficient has all its bits in a first scan, and its sign in a later one.
            bits.skip(if self.refines { size.min(1) } else { size })?;
            if self.refines {
                self.skip_known(bits, *known, &mut next, zeros)?;
            } else {
                next += zeros;
            }
            if size > 0 {
                if next > self.band.1 {
                    return Err(Flaw::TooFar);
                }
                *known |= 1 << next;
            }
            next += 1;
        }
        Ok(next)
    }

    /// Goes over `zeros` coefficients that are zero and to the next such one, with a bit for each that is not.
    fn skip_known(&self, bits: &mut Bits<'_>, known: u64, next: &mut usize, zeros: usize) -> Result<(), Flaw> {
        let mut left = zeros;
        while *next <= self.band.1 {
            if known >> *next & 1 == 1 {
                bits.skip(1)?;
            } else if left == 0 {
                break;
            } else {
                left -= 1;
            }
            *next += 1;
        }
        Ok(())
    }
}
