//! Whole pictures as RGB, for those that need every pixel.

use crate::frame::Encoding;
use crate::resample::Source;

/// Writes `source`, which must have been validated, as RGB, `width * height * 3` bytes.
pub(crate) fn to_rgb(source: &Source<'_>, rgb: &mut [u8]) {
    let row_bytes = source.width * source.encoding.bytes_per_pixel();
    let rows = source.data.chunks(source.step).take(source.height);
    for (row, out) in rows.zip(rgb.chunks_exact_mut(source.width * 3)) {
        row_to_rgb(source.encoding, &row[..row_bytes], out);
    }
}

fn row_to_rgb(encoding: Encoding, row: &[u8], out: &mut [u8]) {
    match encoding {
        Encoding::Rgb8 => out.copy_from_slice(row),
        Encoding::Bgr8 => pick::<3>(row, out, [2, 1, 0]),
        Encoding::Rgba8 => pick::<4>(row, out, [0, 1, 2]),
        Encoding::Bgra8 => pick::<4>(row, out, [2, 1, 0]),
        Encoding::Mono8 => pick::<1>(row, out, [0, 0, 0]),
        Encoding::Yuyv => {
            for (pair, out) in row.chunks_exact(4).zip(out.chunks_exact_mut(6)) {
                let chroma = [pair[1], pair[3]];
                for (luma, pixel) in [pair[0], pair[2]].into_iter().zip(out.chunks_exact_mut(3)) {
                    let rgb = yuv_to_rgb(f32::from(luma), chroma.map(f32::from));
                    // `as` saturates.
                    pixel.copy_from_slice(&rgb.map(|value| (value + 0.5) as u8));
                }
            }
        }
    }
}

/// Pixels of `N` bytes; `order` picks red, green and blue among them.
fn pick<const N: usize>(row: &[u8], out: &mut [u8], order: [usize; 3]) {
    for (from, to) in row.chunks_exact(N).zip(out.chunks_exact_mut(3)) {
        for (byte, channel) in to.iter_mut().zip(order) {
            *byte = from[channel];
        }
    }
}

/// BT.601, limited range.
#[inline(always)]
pub(crate) fn yuv_to_rgb(luma: f32, [u, v]: [f32; 2]) -> [f32; 3] {
    let (y, u, v) = (1.164_383 * (luma - 16.0), u - 128.0, v - 128.0);
    [y + 1.596_027 * v, y - 0.391_762 * u - 0.812_968 * v, y + 2.017_232 * u]
}
