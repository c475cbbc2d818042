//! Quantising a block of weights of one row, round to nearest.
//!
//! A weight is `(q - zero) · scale`. Three schemes: [`Scheme::Centered`], ONNX Runtime's MatMulNBits without zero points
//! (the zero is 2^(bits−1), the scale may be negative, so that the largest weight is met exactly);
//! [`Scheme::ZeroPoint`], the same with a zero point for each block; [`Scheme::Signed`], DequantizeLinear as TensorRT
//! takes it (zero 0, positive scale, two's complement).

use half::f16;

/// Weights that share a scale.
pub(crate) const BLOCK: usize = 32;
/// Smallest positive f16; a scale is at least that.
const LEAST_SCALE: f32 = 1.0 / 16_777_216.0;

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
    /// Quantises `block` into `out`, one integer a byte (its low `bits` bits).
    pub fn quantize(&self, block: &[f32], out: &mut [u8]) -> BlockScale {
        let half = 1i32 << (self.bits - 1);
        let (scale, zero) = self.range(block);
        let scale = self.stored(scale);
        let (low, high) = match self.scheme {
            Scheme::Signed => (-half, half - 1),
            Scheme::Centered | Scheme::ZeroPoint => (0, 2 * half - 1),
        };
        let mask = (2 * half - 1) as u8;
        for (value, q) in block.iter().zip(out) {
            let level = (value / scale).round() as i32 + zero;
            *q = (level.clamp(low, high) as u8) & mask;
        }
        BlockScale { scale, zero: zero as u8 }
    }

    /// Scale and zero of a block, before the scale is rounded to its stored type.
    fn range(&self, block: &[f32]) -> (f32, i32) {
        let half = 1i32 << (self.bits - 1);
        let low = block.iter().copied().fold(0.0f32, f32::min);
        let high = block.iter().copied().fold(0.0f32, f32::max);
        match self.scheme {
            Scheme::Signed => (high.max(-low) / (half - 1) as f32, 0),
            Scheme::Centered => {
                let largest = if -low >= high { -low } else { -high };
                (largest / half as f32, half)
            }
            Scheme::ZeroPoint => {
                let top = 2 * half - 1;
                let scale = self.stored((high - low) / top as f32);
                (scale, ((-low / scale).round() as i32).clamp(0, top))
            }
        }
    }

    /// The scale as it will be read back; never 0.
    fn stored(&self, scale: f32) -> f32 {
        let rounded = if self.half_scales { f16::from_f32(scale).to_f32() } else { scale };
        if rounded.abs() < LEAST_SCALE { LEAST_SCALE } else { rounded }
    }
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

    fn round_trip(quantizer: &Quantizer, block: &[f32]) -> Vec<f32> {
        let mut levels = vec![0; block.len()];
        let BlockScale { scale, zero } = quantizer.quantize(block, &mut levels);
        let signed =
            |level: u8| if quantizer.bits == 4 { i32::from((level << 4) as i8 >> 4) } else { i32::from(level as i8) };
        let integer = |level: u8| if quantizer.scheme == Scheme::Signed { signed(level) } else { i32::from(level) };
        levels.iter().map(|&level| (integer(level) - i32::from(zero)) as f32 * scale).collect()
    }

    #[test]
    fn every_scheme_is_within_half_a_step_but_for_the_clamped_end() {
        let block: Vec<f32> = (0..32).map(|i| ((i * 37 % 32) as f32 - 9.3) * 0.011).collect();
        let largest = block.iter().fold(0.0f32, |top, value| top.max(value.abs()));
        for bits in [4, 8] {
            for scheme in [Scheme::Centered, Scheme::ZeroPoint, Scheme::Signed] {
                for half_scales in [false, true] {
                    let quantizer = Quantizer { bits, scheme, half_scales };
                    // Centered clamps the end opposite to its largest weight by up to one step.
                    let step = largest / ((1 << (bits - 1)) - 1) as f32;
                    for (read, value) in round_trip(&quantizer, &block).iter().zip(&block) {
                        assert!((read - value).abs() <= step * 1.01, "{quantizer:?}: {value} read as {read}");
                    }
                }
            }
        }
    }

    #[test]
    fn zeros_stay_zeros_and_tiny_weights_do_not_divide_by_zero() {
        for scheme in [Scheme::Centered, Scheme::ZeroPoint, Scheme::Signed] {
            let quantizer = Quantizer { bits: 4, scheme, half_scales: true };
            assert_eq!(round_trip(&quantizer, &[0.0; 32]), [0.0; 32]);
            assert!(round_trip(&quantizer, &[1e-30; 32]).iter().all(|value| value.abs() < 1e-7));
        }
    }

    #[test]
    fn the_largest_weight_is_exact_without_zero_points() {
        let quantizer = Quantizer { bits: 4, scheme: Scheme::Centered, half_scales: false };
        assert_eq!(round_trip(&quantizer, &[0.8, -0.1, 0.0])[0], 0.8);
        assert_eq!(round_trip(&quantizer, &[-0.8, 0.1, 0.0])[0], -0.8);
    }

    #[test]
    fn signed_scales_are_positive_as_tensorrt_demands() {
        let quantizer = Quantizer { bits: 4, scheme: Scheme::Signed, half_scales: true };
        for block in [[-0.8, 0.1], [0.8, -0.1], [0.0, 0.0]] {
            assert!(quantizer.quantize(&block, &mut [0; 2]).scale > 0.0);
        }
    }

    #[test]
    fn nibbles_are_packed_low_first() {
        let mut packed = Vec::new();
        pack(&[1, 2, 3], 4, &mut packed);
        assert_eq!(packed, [0x21, 0x03]);
    }
}
