//! The vertical pass: from rows of numbers to a band of output rows.
//!
//! Numbers become values of sixteen bits around zero: `(number - 128) * 256`, and half as fine after the pass. A band
//! holds [`ROWS`] output rows with their columns together: `[number][row]`, so that the horizontal pass works on all of
//! them at once. A block of columns of all source rows of a band is unpacked once and stays in the first-level cache
//! while the band's rows are summed.

use std::hint::black_box;
use std::ops::Range;

use crate::axis::{Axis, Taps, multiply};
use crate::source::{Numbers, Plane, word};

/// Output rows of a band.
pub(crate) const ROWS: usize = 8;
/// Columns that are unpacked and summed at once.
const BLOCK: usize = 256;
/// Bytes that come into a cache together.
const CACHE_LINE: usize = 64;

type Row = [i16; BLOCK];

/// Room for the pass, kept from one picture to the next.
#[derive(Debug)]
pub(crate) struct Vertical {
    /// The source rows of a band, a block of columns of each.
    unpacked: Vec<Row>,
    /// Its output rows.
    sums: [Row; ROWS],
}

/// Values that a band of `count` numbers a row has, with room for a whole last block.
pub(crate) fn band_len(count: usize) -> usize {
    count.next_multiple_of(BLOCK) * ROWS
}

/// The source rows that output rows of an axis need.
fn source_rows(y: &Axis, outputs: &Range<usize>) -> Range<usize> {
    y.taps(outputs.start).start..y.taps(outputs.end - 1).end()
}

impl Vertical {
    /// Room for nothing yet.
    pub fn new() -> Self {
        Self { unpacked: Vec::new(), sums: [[0; BLOCK]; ROWS] }
    }

    /// Takes the room that pictures of this axis need.
    pub fn plan(&mut self, y: &Axis) {
        let bands = (0..y.outputs()).step_by(ROWS);
        let rows = bands.map(|first| source_rows(y, &(first..(first + ROWS).min(y.outputs()))).len()).max();
        self.unpacked.resize(rows.unwrap_or(0), [0; BLOCK]);
    }

    /// Writes the band of output rows `outputs`, [`ROWS`] at most. Rows after `read` have not been read before.
    #[inline(always)]
    pub fn run(&mut self, plane: &Plane<'_>, y: &Axis, outputs: Range<usize>, read: &mut usize, band: &mut [i16]) {
        let rows = source_rows(y, &outputs);
        fetch(plane, *read..rows.end);
        *read = rows.end;
        let blocks = (0..plane.count).step_by(BLOCK).zip(band.chunks_exact_mut(BLOCK * ROWS));
        for (from, band) in blocks {
            for (row, unpacked) in rows.clone().zip(&mut self.unpacked) {
                unpack(plane, row, from, unpacked);
            }
            for (output, sums) in outputs.clone().zip(&mut self.sums) {
                let taps = y.taps(output);
                sum(&self.unpacked[taps.start - rows.start..], &taps, sums);
                sums.iter_mut().for_each(|sum| *sum <<= y.coarser());
            }
            transpose(&self.sums, band);
        }
    }
}

/// Brings rows into the cache in the order in which they lie in memory: blocks of columns jump from row to row, and wait
/// for each.
#[inline(always)]
fn fetch(plane: &Plane<'_>, rows: Range<usize>) {
    for row in rows {
        black_box(plane.row(row, 0).iter().step_by(CACHE_LINE).fold(0, |all, byte| all ^ byte));
    }
}

/// Columns from `from` on of a row as values; what lies behind the last one stays as it was.
#[inline(always)]
fn unpack(plane: &Plane<'_>, row: usize, from: usize, out: &mut Row) {
    let bytes = plane.row(row, from);
    match plane.numbers {
        Numbers::Bytes => match bytes.first_chunk::<BLOCK>() {
            Some(whole) => unpack_bytes(whole, out),
            None => unpack_bytes(bytes, out),
        },
        Numbers::Words { shift, is_bigendian } => {
            let (words, _) = bytes.as_chunks::<2>();
            for (value, bytes) in out.iter_mut().zip(words) {
                let number = word(*bytes, shift, is_bigendian);
                // 255 is 65535: one part in 256 less.
                *value = (i32::from(number - (number >> 8)) - 32_768) as i16;
            }
        }
    }
}

#[inline(always)]
fn unpack_bytes(bytes: &[u8], out: &mut Row) {
    for (value, byte) in out.iter_mut().zip(bytes) {
        *value = (i16::from(*byte) - 128) << 8;
    }
}

/// The weighted sum of the first rows of `rows`. It never leaves sixteen bits; `wrapping_add` spares a check of that.
#[inline(always)]
fn sum(rows: &[Row], taps: &Taps<'_>, sums: &mut Row) {
    *sums = [taps.lost(); BLOCK];
    let rows = &rows[..taps.weights.len()];
    let ((fours, rest), (weights, last)) = (rows.as_chunks::<4>(), taps.weights.as_chunks::<4>());
    for ([a, b, c, d], [e, f, g, h]) in fours.iter().zip(weights) {
        for i in 0..BLOCK {
            let upper = multiply(a[i], *e).wrapping_add(multiply(b[i], *f));
            let lower = multiply(c[i], *g).wrapping_add(multiply(d[i], *h));
            sums[i] = sums[i].wrapping_add(upper).wrapping_add(lower);
        }
    }
    for (row, weight) in rest.iter().zip(last) {
        for i in 0..BLOCK {
            sums[i] = sums[i].wrapping_add(multiply(row[i], *weight));
        }
    }
}

/// From rows of columns to columns of rows.
#[inline(always)]
fn transpose([a, b, c, d, e, f, g, h]: &[Row; ROWS], band: &mut [i16]) {
    let (columns, _) = band.as_chunks_mut::<ROWS>();
    for (i, column) in columns.iter_mut().enumerate().take(BLOCK) {
        *column = [a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]];
    }
}
