//! Bits of entropy-coded data: up to the next marker, with stuffed zeros taken out.

use super::scan::Flaw;

/// Reads bits, the highest of a byte first. Nothing is made up where they end.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// Where the next byte is read.
    at: usize,
    /// The lowest `count` bits are still to be read.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// Begins at `at`.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, held: 0, count: 0 }
    }

    /// The next 16 bits, zeros where there are fewer.
    pub(super) fn peek_16(&mut self) -> u32 {
        if self.count < 16 {
            self.fill();
        }
        let bits = if self.count < 16 { self.held << (16 - self.count) } else { self.held >> (self.count - 16) };
        (bits & 0xFFFF) as u32
    }

    /// Leaves out `number` bits, at most 16.
    pub(super) fn skip(&mut self, number: u32) -> Result<(), Flaw> {
        if self.count < number {
            self.fill();
        }
        self.count = self.count.checked_sub(number).ok_or(Flaw::Short)?;
        Ok(())
    }

    /// The next `number` bits, at most 16.
    pub(super) fn take(&mut self, number: u32) -> Result<u32, Flaw> {
        let bits = self.peek_16() >> (16 - number);
        self.skip(number)?;
        Ok(bits)
    }

    /// Where the first byte of which no bit was read lies; bits that fill up a byte are left out.
    pub(super) fn end(&self) -> usize {
        let mut end = self.at;
        for _ in 0..self.count / 8 {
            let is_stuffed = end >= 2 && self.bytes[end - 2..end] == [0xFF, 0];
            end -= if is_stuffed { 2 } else { 1 };
        }
        end
    }

    /// Where no more bytes could be read, once there are too few bits: a marker, or the end.
    pub(super) fn limit(&self) -> usize {
        self.at
    }

    fn fill(&mut self) {
        while self.count <= 56
            && let Some(byte) = self.next_byte()
        {
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next byte; `None` at a marker and at the end.
    fn next_byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        if byte == 0xFF {
            // What follows a stuffed zero is data, all else a marker.
            self.bytes.get(self.at + 1).filter(|next| **next == 0)?;
            self.at += 1;
        }
        self.at += 1;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_end_at_a_marker_and_stuffed_zeros_are_no_data() {
        let mut bits = Bits::new(&[0b1010_0000, 0xFF, 0, 0x0F, 0xFF, 0xD9], 0);
        assert_eq!(bits.take(3), Ok(0b101));
        assert_eq!(bits.end(), 1);
        assert_eq!(bits.take(13), Ok(0xFF));
        assert_eq!(bits.end(), 3);
        assert_eq!((bits.take(8), bits.end()), (Ok(0x0F), 4));
        assert_eq!((bits.peek_16(), bits.take(1)), (0, Err(Flaw::Short)));
    }
}
