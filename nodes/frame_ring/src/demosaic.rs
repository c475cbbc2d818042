//! From what a Bayer sensor saw to RGB: a colour that a pixel lacks is the mean of its neighbours that have it.

use crate::encoding::{Mosaic, Sample};
use crate::source::{Source, word};

/// Rows of a mosaic, one byte a pixel, a pixel wider on each side than the picture and one more, so that pixels come in
/// pairs. Edges are mirrored, which keeps the order of colours.
#[derive(Debug, Default)]
pub(crate) struct Demosaic {
    rows: [Vec<u8>; 3],
}

impl Demosaic {
    /// Writes a mosaic as RGB, `width * height * 3` bytes. Numbers of two bytes have `word_bits` bits.
    pub fn run(&mut self, source: &Source<'_>, mosaic: Mosaic, word_bits: u32, rgb: &mut [u8]) {
        let (red_column, red_row) = mosaic.red();
        let last = source.height - 1;
        self.load(source, word_bits, 0);
        for (row, out) in rgb.chunks_exact_mut(source.width * 3).enumerate() {
            self.load(source, word_bits, (row + 1).min(last));
            let above = if row == 0 { 1.min(last) } else { row - 1 };
            let below = if row == last { above } else { row + 1 };
            let [above, here, below] = [above, row, below].map(|row| self.rows[row % 3].as_slice());
            let has_red = row % 2 == red_row;
            let own_column = if has_red { red_column } else { 1 - red_column };
            let rows = [above, here, below];
            match (own_column, has_red) {
                (0, true) => demosaic_row::<0, 0>(rows, out),
                (0, false) => demosaic_row::<0, 2>(rows, out),
                (_, true) => demosaic_row::<1, 0>(rows, out),
                (_, false) => demosaic_row::<1, 2>(rows, out),
            }
        }
    }

    fn load(&mut self, source: &Source<'_>, word_bits: u32, row: usize) {
        let (width, bytes) = (source.width, source.row(row));
        let out = &mut self.rows[row % 3];
        out.resize(width + 3, 0);
        let inside = &mut out[1..=width];
        if source.encoding.sample() == Sample::Byte {
            inside.copy_from_slice(bytes);
        } else {
            let (words, _) = bytes.as_chunks::<2>();
            for (byte, number) in inside.iter_mut().zip(words) {
                *byte = (word(*number, u16::BITS - word_bits, source.is_bigendian) >> 8) as u8;
            }
        }
        out[0] = out[2.min(width)];
        out[width + 1] = out[width.saturating_sub(1).max(1)];
    }
}

/// One row of RGB. Its own colour, red (`OWN` 0) or blue (2), is at every second pixel from `COLUMN` on.
fn demosaic_row<const COLUMN: usize, const OWN: usize>(rows: [&[u8]; 3], out: &mut [u8]) {
    let [above, here, below] = rows.map(|row| row.windows(4).step_by(2));
    for (pair, ((above, here), below)) in out.chunks_mut(6).zip(above.zip(here).zip(below)) {
        for (i, pixel) in pair.chunks_exact_mut(3).enumerate() {
            let [above, here, below] = [above, here, below].map(|row| [0, 1, 2].map(|k| u16::from(row[i + k])));
            let across = here[0] + here[2];
            let along = above[1] + below[1];
            let corners = above[0] + above[2] + below[0] + below[2];
            let (own, green, other) = if i == COLUMN {
                (here[1], (across + along + 2) / 4, (corners + 2) / 4)
            } else {
                (across.div_ceil(2), here[1], along.div_ceil(2))
            };
            (pixel[OWN], pixel[1], pixel[2 - OWN]) = (own as u8, green as u8, other as u8);
        }
    }
}
