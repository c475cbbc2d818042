//! From luma and chroma to RGB: BT.601, limited range.

use crate::axis::multiply;
use crate::vertical::ROWS;

/// The numbers of a pixel, all bytes.
pub(crate) fn to_rgb(luma: u8, [u, v]: [u8; 2]) -> [u8; 3] {
    let (y, u, v) = (1.164_383 * (f32::from(luma) - 16.0), f32::from(u) - 128.0, f32::from(v) - 128.0);
    // `as` saturates.
    [y + 1.596_027 * v, y - 0.391_762 * u - 0.812_968 * v, y + 2.017_232 * u].map(|value| (value + 0.5) as u8)
}

/// A value of each row of a band.
type Column = [i16; ROWS];

/// The same for values of a band, 128 parts around 128; what is far out of range is clipped.
#[inline(always)]
fn column_to_rgb(luma: &Column, u: &Column, v: &Column) -> [Column; 3] {
    let mut rgb = [[0; ROWS]; 3];
    for i in 0..ROWS {
        let (u, v) = (u[i], v[i]);
        // Factors in parts of 2^16, or of 2^15 and doubled; luma 16 is black: 1.164383 * 112 - 128, in 128 parts.
        let grey = luma[i].saturating_add(multiply(luma[i], 10_773)).saturating_add(309);
        rgb[0][i] = grey.saturating_add(v).saturating_add(2 * multiply(v, 19_531));
        rgb[1][i] = grey.saturating_sub(multiply(u, 25_675)).saturating_sub(2 * multiply(v, 26_639));
        rgb[2][i] = grey.saturating_add(u).saturating_add(u).saturating_add(multiply(u, 1129));
    }
    rgb
}

/// Where the numbers of two neighbouring pixels lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    /// In the band of luma.
    pub luma: [usize; 2],
    /// U and V of each, in that of chroma.
    pub chroma: [[usize; 2]; 2],
}

/// A band of RGB from bands of `N` luma and `M` chroma numbers for each two pixels.
#[inline(always)]
pub(crate) fn band_to_rgb<const N: usize, const M: usize>(luma: &[i16], chroma: &[i16], rgb: &mut [i16], pair: &Pair) {
    let (luma, _) = luma.as_chunks::<ROWS>();
    let (chroma, _) = chroma.as_chunks::<ROWS>();
    let (rgb, _) = rgb.as_chunks_mut::<ROWS>();
    let pairs = luma.as_chunks::<N>().0.iter().zip(chroma.as_chunks::<M>().0);
    for ((luma, chroma), rgb) in pairs.zip(rgb.as_chunks_mut::<6>().0) {
        for (pixel, rgb) in rgb.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let [u, v] = pair.chroma[pixel];
            *rgb = column_to_rgb(&luma[pair.luma[pixel]], &chroma[u], &chroma[v]);
        }
    }
}
