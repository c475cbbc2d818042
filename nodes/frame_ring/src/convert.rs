//! Whole pictures as RGB, for those that need every pixel.

use crate::demosaic::Demosaic;
use crate::encoding::{Channels, Sample};
use crate::source::{Source, word};
use crate::{Encoding, yuv};

/// Converts pictures, with room that is kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Converter {
    demosaic: Demosaic,
}

impl Converter {
    /// Writes `source` as RGB, `width * height * 3` bytes. Numbers of two bytes have `word_bits` bits.
    pub fn write_rgb(&mut self, source: &Source<'_>, word_bits: u32, rgb: &mut [u8]) {
        if let Encoding::Bayer(mosaic, _) = source.encoding {
            return self.demosaic.run(source, mosaic, word_bits, rgb);
        }
        let chroma = source.chroma();
        for (row, out) in rgb.chunks_exact_mut(source.width * 3).enumerate() {
            let (bytes, chroma) = (source.row(row), chroma.map(|chroma| chroma.row(row, 0)).unwrap_or_default());
            match source.encoding {
                Encoding::Packed(channels, Sample::Byte) => pick_bytes(channels, bytes, out),
                Encoding::Packed(channels, Sample::Word) => {
                    let byte = |number: [u8; 2]| {
                        let number = word(number, u16::BITS - word_bits, source.is_bigendian);
                        // 255 is 65535: one part in 256 less.
                        ((u32::from(number - (number >> 8)) + 128) >> 8) as u8
                    };
                    pick(channels, bytes.as_chunks::<2>().0, out, byte);
                }
                Encoding::Yuyv => packed_yuv(bytes, out, [0, 1, 2, 3]),
                Encoding::Uyvy => packed_yuv(bytes, out, [1, 0, 3, 2]),
                Encoding::Nv12 => planar_yuv(bytes, chroma, out, |pixel| [pixel & !1, pixel | 1]),
                Encoding::Nv21 => planar_yuv(bytes, chroma, out, |pixel| [pixel | 1, pixel & !1]),
                Encoding::Nv24 => planar_yuv(bytes, chroma, out, |pixel| [2 * pixel, 2 * pixel + 1]),
                Encoding::Bayer(..) => {}
            }
        }
    }
}

fn pick_bytes(channels: Channels, row: &[u8], out: &mut [u8]) {
    match channels {
        Channels::Rgb => out.copy_from_slice(row),
        _ => pick(channels, row, out, |byte| byte),
    }
}

/// Red, green and blue of each pixel's numbers.
fn pick<T: Copy>(channels: Channels, row: &[T], out: &mut [u8], byte: impl Fn(T) -> u8) {
    let order = channels.order();
    for (numbers, pixel) in row.chunks_exact(channels.count()).zip(out.as_chunks_mut::<3>().0) {
        *pixel = order.map(|channel| byte(numbers[channel]));
    }
}

/// Pairs of pixels; `order`: where Y0 U Y1 V are among its bytes.
fn packed_yuv(row: &[u8], out: &mut [u8], [first, u, second, v]: [usize; 4]) {
    for (pair, out) in row.as_chunks::<4>().0.iter().zip(out.as_chunks_mut::<6>().0) {
        let chroma = [pair[u], pair[v]];
        for (luma, pixel) in [pair[first], pair[second]].into_iter().zip(out.as_chunks_mut::<3>().0) {
            *pixel = yuv::to_rgb(luma, chroma);
        }
    }
}

/// `chroma_of`: where a pixel's U and V are in its row of chroma.
fn planar_yuv(row: &[u8], chroma: &[u8], out: &mut [u8], chroma_of: impl Fn(usize) -> [usize; 2]) {
    for (index, (luma, pixel)) in row.iter().zip(out.as_chunks_mut::<3>().0).enumerate() {
        *pixel = yuv::to_rgb(*luma, chroma_of(index).map(|at| chroma[at]));
    }
}
