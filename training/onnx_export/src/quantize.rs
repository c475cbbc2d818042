//! Quantising a block of weights of one row.
//!
//! A weight is `(q - zero) · scale`. Three schemes: [`Scheme::Centered`], ONNX Runtime's MatMulNBits without zero points
//! (the zero is 2^(bits−1), the scale may be negative, so that the largest weight may take the longer end);
//! [`Scheme::ZeroPoint`], the same with a zero point for each block; [`Scheme::Signed`], DequantizeLinear as TensorRT
//! takes it (zero 0, positive scale, two's complement).
//!
//! Eight bits span the block's range. With four bits a narrower range, which clamps the few largest weights, often has the
//! smaller squared error: several are tried, each with the scale that fits its integers best in the least-squares sense,
//! and the best is kept. On normally distributed weights that takes 5 to 6 % off the root of the mean squared error.

use half::f16;

/// Weights that share a scale, unless the engine wants other blocks.
pub(crate) const BLOCK: usize = 32;
/// Smallest positive f16; a scale is at least that.
const LEAST_SCALE: f32 = 1.0 / 16_777_216.0;
/// Steps by which the longer end of the levels is taken to be longer or shorter than it is, without zero points.
const STRETCHES: [f32; 7] = [-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9];
/// Fractions of the block's range that the levels span, with zero points.
const FRACTIONS: [f32; 8] = [1.05, 1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7];
/// Sums kept side by side, so that the compiler may take one instruction for all.
const LANES: usize = 8;
/// Added and subtracted, it rounds an f32 of less than 2^22 to the nearest integer.
const ROUND: f32 = 12_582_912.0;

/// How integers stand for weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Unsigned about 2^(bits−1).
    Centered,
    /// Unsigned about a zero point of each block.
    ZeroPoint,
    /// Signed about 0.
    Signed,
}

/// Integers of `bits` bits by `scheme`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quantizer {
    /// 4 or 8.
    pub bits: usize,
    pub scheme: Scheme,
    /// Weights of a row that share a scale; none for all of them.
    pub block: Option<usize>,
    /// Are scales stored as f16? They are rounded before the weights are divided by them.
    pub half_scales: bool,
}

/// What a block's integers are read with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BlockScale {
    pub scale: f32,
    pub zero: u8,
}

impl Quantizer {
    /// Scale and zero for `block`.
    pub fn fit(&self, block: &[f32]) -> BlockScale {
        let (low, high) = ends(block);
        if self.bits == 8 {
            return self.span(low, high, 0.0);
        }
        let mut best = (f32::INFINITY, self.span(low, high, 0.0));
        let mut consider = |candidate| {
            let (error, fitted) = self.refine(block, candidate);
            if error < best.0 {
                best = (error, fitted);
            }
        };
        match self.scheme {
            Scheme::ZeroPoint => FRACTIONS.iter().for_each(|part| consider(self.span(low * part, high * part, 0.0))),
            Scheme::Centered | Scheme::Signed => {
                STRETCHES.iter().for_each(|part| consider(self.span(low, high, *part)))
            }
        }
        best.1
    }

    /// Quantises `block` by `fit` into `out`, one integer a byte (its low `bits` bits).
    pub fn round(&self, block: &[f32], fit: BlockScale, out: &mut [u8]) {
        let (low, high) = self.levels(fit.zero);
        let mask = (1i32 << self.bits) - 1;
        for (value, q) in block.iter().zip(out) {
            let level = nearest(bounded(value / fit.scale, low, high)) as i32 + i32::from(fit.zero);
            *q = (level & mask) as u8;
        }
    }

    /// Scale and zero with which the levels span `low` to `high`, the longer end taken to be `stretch` levels longer.
    fn span(&self, low: f32, high: f32, stretch: f32) -> BlockScale {
        let half = (1u32 << (self.bits - 1)) as f32;
        match self.scheme {
            // −half is out of reach unless the levels are stretched to it.
            Scheme::Signed => {
                BlockScale { scale: self.stored(high.max(-low) / (half - 1.0 + stretch.max(0.0))), zero: 0 }
            }
            Scheme::Centered => {
                let largest = if -low >= high { -low } else { -high };
                BlockScale { scale: self.stored(largest / (half + stretch)), zero: half as u8 }
            }
            Scheme::ZeroPoint => {
                let top = 2.0 * half - 1.0;
                let scale = self.stored((high - low) / top);
                BlockScale { scale, zero: nearest((top - (high + low) / scale) / 2.0).clamp(0.0, top) as u8 }
            }
        }
    }

    /// The scale that fits the integers of `fit` best, and the squared error less that of all zeros.
    fn refine(&self, block: &[f32], fit: BlockScale) -> (f32, BlockScale) {
        let (low, high) = self.levels(fit.zero);
        let inverse = 1.0 / fit.scale;
        let (mut crosses, mut squares) = ([0.0; LANES], [0.0; LANES]);
        let mut add = |lanes: &[f32; LANES]| {
            for ((value, cross), square) in lanes.iter().zip(&mut crosses).zip(&mut squares) {
                let level = nearest(bounded(value * inverse, low, high));
                *cross += value * level;
                *square += level * level;
            }
        };
        let (whole, rest) = block.as_chunks::<LANES>();
        whole.iter().for_each(&mut add);
        if !rest.is_empty() {
            // Zeros are exact and add nothing.
            let mut padded = [0.0; LANES];
            padded.iter_mut().zip(rest).for_each(|(lane, value)| *lane = *value);
            add(&padded);
        }
        let (cross, square): (f32, f32) = (crosses.iter().sum(), squares.iter().sum());
        let scale = if square > 0.0 { self.stored(cross / square) } else { fit.scale };
        (scale * (scale * square - 2.0 * cross), BlockScale { scale, ..fit })
    }

    /// Smallest and largest integer, less the zero.
    fn levels(&self, zero: u8) -> (f32, f32) {
        let top = ((1u32 << self.bits) - 1) as f32;
        match self.scheme {
            Scheme::Signed => (-(top + 1.0) / 2.0, (top - 1.0) / 2.0),
            Scheme::Centered | Scheme::ZeroPoint => (-f32::from(zero), top - f32::from(zero)),
        }
    }

    /// The scale as it will be read back; never 0.
    fn stored(&self, scale: f32) -> f32 {
        let rounded = if self.half_scales { f16::from_f32(scale).to_f32() } else { scale };
        if rounded.abs() < LEAST_SCALE { LEAST_SCALE } else { rounded }
    }
}

/// Smallest and largest of the weights and 0.
fn ends(block: &[f32]) -> (f32, f32) {
    let (mut lows, mut highs) = ([0.0f32; LANES], [0.0f32; LANES]);
    for lanes in block.chunks(LANES) {
        for ((value, low), high) in lanes.iter().zip(&mut lows).zip(&mut highs) {
            *low = if *value < *low { *value } else { *low };
            *high = if *value > *high { *value } else { *high };
        }
    }
    (lows.into_iter().fold(0.0, f32::min), highs.into_iter().fold(0.0, f32::max))
}

/// A finite value within bounds; unlike `clamp` it is one instruction for each bound.
fn bounded(value: f32, low: f32, high: f32) -> f32 {
    let value = if value > low { value } else { low };
    if value < high { value } else { high }
}

/// The nearest integer to a value of less than 2^22.
fn nearest(value: f32) -> f32 {
    (value + ROUND) - ROUND
}

/// Packs integers of `bits` bits, the first in the low bits.
pub(crate) fn pack(levels: &[u8], bits: usize, out: &mut Vec<u8>) {
    match bits {
        4 => out.extend(levels.chunks(2).map(|pair| pair[0] | pair.get(1).map_or(0, |high| high << 4))),
        _ => out.extend_from_slice(levels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: [Scheme; 3] = [Scheme::Centered, Scheme::ZeroPoint, Scheme::Signed];

    fn quantizer(bits: usize, scheme: Scheme, half_scales: bool) -> Quantizer {
        Quantizer { bits, scheme, block: Some(BLOCK), half_scales }
    }

    fn read(quantizer: &Quantizer, block: &[f32], fit: BlockScale) -> Vec<f32> {
        let mut levels = vec![0; block.len()];
        quantizer.round(block, fit, &mut levels);
        let signed =
            |level: u8| if quantizer.bits == 4 { i32::from((level << 4) as i8 >> 4) } else { i32::from(level as i8) };
        let integer = |level: u8| if quantizer.scheme == Scheme::Signed { signed(level) } else { i32::from(level) };
        levels.iter().map(|&level| (integer(level) - i32::from(fit.zero)) as f32 * fit.scale).collect()
    }

    fn round_trip(quantizer: &Quantizer, block: &[f32]) -> Vec<f32> {
        read(quantizer, block, quantizer.fit(block))
    }

    fn squared_error(read: &[f32], block: &[f32]) -> f32 {
        read.iter().zip(block).map(|(read, value)| (read - value).powi(2)).sum()
    }

    /// About normally distributed.
    fn blocks() -> Vec<Vec<f32>> {
        let mut state = 1u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..500).map(|_| (0..BLOCK).map(|_| (0..12).map(|_| uniform()).sum::<f32>() * 0.02).collect()).collect()
    }

    #[test]
    fn eight_bits_are_within_half_a_step() {
        for scheme in SCHEMES {
            for half_scales in [false, true] {
                let quantizer = quantizer(8, scheme, half_scales);
                for block in blocks() {
                    let step = quantizer.fit(&block).scale.abs();
                    // The end opposite to the largest weight is one level short without zero points.
                    let read = round_trip(&quantizer, &block);
                    let errors = read.iter().zip(&block).map(|(read, value)| (read - value).abs());
                    assert!(errors.fold(0.0, f32::max) <= step * 1.1, "{quantizer:?}");
                }
            }
        }
    }

    #[test]
    fn the_fit_of_four_bits_beats_the_whole_range() {
        for (scheme, gain) in SCHEMES.into_iter().zip([0.90, 0.93, 0.93]) {
            let quantizer = quantizer(4, scheme, false);
            let (mut fitted, mut spanned) = (0.0, 0.0);
            for block in blocks() {
                let (low, high) = block.iter().fold((0.0f32, 0.0f32), |(low, high), &v| (low.min(v), high.max(v)));
                fitted += squared_error(&round_trip(&quantizer, &block), &block);
                spanned += squared_error(&read(&quantizer, &block, quantizer.span(low, high, 0.0)), &block);
            }
            assert!(fitted <= gain * spanned, "{scheme:?}: {} of it", fitted / spanned);
        }
    }

    #[test]
    fn zeros_stay_zeros_and_tiny_weights_do_not_divide_by_zero() {
        for scheme in SCHEMES {
            for bits in [4, 8] {
                let quantizer = quantizer(bits, scheme, true);
                assert_eq!(round_trip(&quantizer, &[0.0; 32]), [0.0; 32]);
                assert!(round_trip(&quantizer, &[1e-30; 32]).iter().all(|value| value.abs() < 1e-6));
            }
        }
    }

    #[test]
    fn signed_scales_are_positive_as_tensorrt_demands() {
        let quantizer = quantizer(4, Scheme::Signed, true);
        for block in [[-0.8, 0.1], [0.8, -0.1], [0.0, 0.0]] {
            assert!(quantizer.fit(&block).scale > 0.0);
        }
    }

    #[test]
    fn nibbles_are_packed_low_first() {
        let mut packed = Vec::new();
        pack(&[1, 2, 3], 4, &mut packed);
        assert_eq!(packed, [0x21, 0x03]);
    }
}
