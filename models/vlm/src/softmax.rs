//! The largest of a vocabulary's logits and the softmax probability of one: every token pays for a walk over 150,000
//! values, so the walks are written for vector instructions. As many values are worked on side by side whatever the
//! processor has, so the sums are the same on all of them.

use std::f32::consts::LOG2_E;

use pulp::{Arch, NullaryFnOnce};

/// Values that are worked on side by side.
const LANES: usize = 16;
/// Values whose exponentials are added up in f32; sums of such blocks are added up in f64.
const BLOCK: usize = 4096;

/// The largest value; `None` if one is NaN or +∞, −∞ of none.
pub(crate) fn largest(values: &[f32]) -> Option<f32> {
    let (mut tops, mut sound) = ([f32::NEG_INFINITY; LANES], [true; LANES]);
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            sound[lane] &= chunk[lane] < f32::INFINITY;
            tops[lane] = if chunk[lane] > tops[lane] { chunk[lane] } else { tops[lane] };
        }
    }
    let sound = sound.iter().all(|lane| *lane) && rest.iter().all(|value| *value < f32::INFINITY);
    sound.then(|| tops.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max))
}

/// log softmax(logits)\[id\], to about 1e-7; −∞ past the vocabulary.
pub(crate) fn log_prob(logits: &[f32], id: u32) -> f64 {
    let (top, sum) = Arch::new().dispatch(TopAndSum(logits));
    logits.get(id as usize).map_or(f64::NEG_INFINITY, |&value| f64::from(value - top) - sum.ln())
}

/// The largest of the values and Σ exp(value − largest).
struct TopAndSum<'a>(&'a [f32]);

impl NullaryFnOnce for TopAndSum<'_> {
    type Output = (f32, f64);

    #[inline(always)]
    fn call(self) -> (f32, f64) {
        let top = self.0.iter().copied().fold(f32::NEG_INFINITY, |top, value| if value > top { value } else { top });
        (top, self.0.chunks(BLOCK).map(|block| f64::from(sum_of_exp(block, top))).sum())
    }
}

/// Σ exp(value − top).
#[inline(always)]
fn sum_of_exp(values: &[f32], top: f32) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += exp(chunk[lane] - top);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|value| exp(value - top)).sum::<f32>()
}

/// eˣ for x ≤ 0, relative error below 3e-7; 1.6e-38 for everything under −87.
///
/// x = n ln 2 + r, |r| ≤ ln 2 / 2; 2ⁿ by its bits, eʳ by its series.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// 1.5 · 2²³: what is added to it is rounded to a whole number, which its lowest bits hold.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first short enough that n times it is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = if x > -87.0 { x } else { -87.0 };
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let series = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r / 720.0)))));
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    series * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_that_of_the_library() {
        for i in 0..870_000 {
            let x = -(i as f32) * 1e-4;
            let (found, expected) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((found / expected - 1.0).abs() < 3e-7, "{x}: {found} {expected}");
        }
        assert!(exp(f32::NEG_INFINITY) < 2e-38);
    }

    #[test]
    fn the_largest_is_found_wherever_it_stands_and_nan_and_infinity_are_refused() {
        for at in [0, 15, 16, 31, 36] {
            let mut values = vec![-1.0; 37];
            values[at] = 2.0;
            assert_eq!(largest(&values), Some(2.0));
            for bad in [f32::NAN, f32::INFINITY] {
                values[at] = bad;
                assert_eq!(largest(&values), None);
            }
        }
        assert_eq!(largest(&[f32::NEG_INFINITY; 20]), Some(f32::NEG_INFINITY));
        assert_eq!(largest(&[]), Some(f32::NEG_INFINITY));
    }

    #[test]
    fn log_prob_of_a_large_vocabulary_is_that_of_f64() {
        let logits: Vec<f32> = (0..151_936u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 1e6).collect();
        let top = logits.iter().copied().fold(f32::MIN, f32::max);
        let sum: f64 = logits.iter().map(|&value| f64::from(value - top).exp()).sum();
        for id in [0, 77_777, 151_935] {
            let expected = f64::from(logits[id] - top) - sum.ln();
            assert!((log_prob(&logits, id as u32) - expected).abs() < 1e-6);
        }
        assert_eq!(log_prob(&[0.0, f32::NEG_INFINITY], 1), f64::NEG_INFINITY);
        assert_eq!(log_prob(&[0.0], 7), f64::NEG_INFINITY);
    }
}
