//! The horizontal pass: from a band to finished pixels of its output rows.

use crate::axis::{Axis, multiply};
use crate::vertical::ROWS;

/// Sums are in parts of two to this power.
const PARTS: u32 = 6;

/// Writes the rows of `out`, RGB and [`ROWS`] at most. The band has pixels of `W / ROWS` numbers; `order` picks red,
/// green and blue among them. `done`: room for a byte for each value of the output's columns.
#[inline(always)]
pub(crate) fn run<const W: usize>(x: &Axis, band: &[i16], done: &mut [u8], out: &mut [u8], order: [usize; 3]) {
    let parts = PARTS - x.coarser();
    // 128 and a half, for rounding.
    let middle = (257 << parts) >> 1;
    let (pixels, _) = band.as_chunks::<W>();
    let (done, _) = done.as_chunks_mut::<W>();
    for (o, done) in done.iter_mut().enumerate().take(x.outputs()) {
        let taps = x.taps(o);
        let mut sums = [middle + taps.lost(); W];
        for (values, weight) in pixels[taps.start..].iter().zip(taps.weights) {
            for i in 0..W {
                sums[i] = sums[i].wrapping_add(multiply(values[i], *weight));
            }
        }
        for i in 0..W {
            done[i] = (sums[i] >> parts).clamp(0, 255) as u8;
        }
    }
    for (row, line) in out.chunks_exact_mut(x.outputs() * 3).enumerate() {
        let (line, _) = line.as_chunks_mut::<3>();
        for (pixel, done) in line.iter_mut().zip(done.iter()) {
            *pixel = order.map(|channel| done[channel * ROWS + row]);
        }
    }
}
