//! A picture's numbers where a driver put them.

use crate::Encoding;
use crate::encoding::Sample;
use crate::layout::Layout;

/// Bits that sensors have behind numbers of two bytes.
const BITS: [u32; 4] = [10, 12, 14, 16];

/// A checked picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub encoding: Encoding,
    pub width: usize,
    pub height: usize,
    pub layout: Layout,
    pub data: &'a [u8],
    pub is_bigendian: bool,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers {
    Bytes,
    /// Two bytes of which the sensor uses the lower ones, `shift` bits less than all.
    Words {
        shift: u32,
        is_bigendian: bool,
    },
}

/// Rows of numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plane<'a> {
    data: &'a [u8],
    /// Bytes from one row to the next.
    step: usize,
    /// Numbers of a row.
    pub count: usize,
    /// Each row stands for this many rows of the picture.
    rows_each: usize,
    pub numbers: Numbers,
}

impl<'a> Source<'a> {
    /// An RGB picture of ours.
    pub fn rgb(data: &'a [u8], (width, height): (usize, usize)) -> Self {
        let encoding = Encoding::Packed(crate::encoding::Channels::Rgb, Sample::Byte);
        let layout = Layout { step: width * 3, rows: height, repaired: false };
        Self { encoding, width, height, layout, data, is_bigendian: false }
    }

    /// Bits that the sensor has behind numbers of two bytes, as far as this picture tells: the fewest that hold its
    /// largest number.
    pub fn word_bits(&self) -> u32 {
        if self.encoding.sample() == Sample::Byte {
            return BITS[0];
        }
        let largest = (0..self.height).map(|row| largest_word(self.row(row), self.is_bigendian)).max().unwrap_or(0);
        BITS.into_iter().find(|bits| u32::from(largest) >> bits == 0).unwrap_or(u16::BITS)
    }

    /// Row `row` of the first plane.
    pub fn row(&self, row: usize) -> &'a [u8] {
        let at = row * self.layout.step;
        &self.data[at..at + self.encoding.row_bytes(self.width)]
    }

    /// The first plane; numbers of two bytes have `word_bits` bits.
    pub fn plane(&self, word_bits: u32) -> Plane<'a> {
        let numbers = match self.encoding.sample() {
            Sample::Byte => Numbers::Bytes,
            Sample::Word => Numbers::Words { shift: u16::BITS - word_bits, is_bigendian: self.is_bigendian },
        };
        let count = self.encoding.row_bytes(self.width) / self.encoding.sample().bytes();
        Plane { data: self.data, step: self.layout.step, count, rows_each: 1, numbers }
    }

    /// The plane of chroma, for those that have one: U V U V … or V U V U …
    pub fn chroma(&self) -> Option<Plane<'a>> {
        let (Layout { step, rows, .. }, width, numbers) = (self.layout, self.width, Numbers::Bytes);
        let data = self.data.get(step * rows..).unwrap_or_default();
        match self.encoding {
            Encoding::Nv12 | Encoding::Nv21 => Some(Plane { data, step, count: width, rows_each: 2, numbers }),
            Encoding::Nv24 => Some(Plane { data, step: 2 * step, count: 2 * width, rows_each: 1, numbers }),
            Encoding::Packed(..) | Encoding::Yuyv | Encoding::Uyvy | Encoding::Bayer(..) => None,
        }
    }
}

impl<'a> Plane<'a> {
    /// The bytes of what stands for row `row` of the picture, from number `from` on.
    pub fn row(&self, row: usize, from: usize) -> &'a [u8] {
        let bytes = match self.numbers {
            Numbers::Bytes => 1,
            Numbers::Words { .. } => 2,
        };
        let at = row / self.rows_each * self.step;
        &self.data[at + from * bytes..at + self.count * bytes]
    }
}

/// A number of two bytes, all bits used: the sensor's bits are shifted up.
#[inline(always)]
pub(crate) fn word(bytes: [u8; 2], shift: u32, is_bigendian: bool) -> u16 {
    let number = if is_bigendian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
    number << shift
}

fn largest_word(row: &[u8], is_bigendian: bool) -> u16 {
    let (pairs, _) = row.as_chunks::<2>();
    pairs.iter().map(|pair| word(*pair, 0, is_bigendian)).max().unwrap_or(0)
}
