//! Rotary position tables (<https://arxiv.org/abs/2104.09864>), computed once per batch for all layers.

use std::sync::Arc;

/// Cosines and sines of every token, `[tokens, head_dim / 2]`; both halves of a head share them (rotate-half).
#[derive(Clone, Debug)]
pub struct Rotary {
    pub(super) cos: Arc<Vec<f32>>,
    pub(super) sin: Arc<Vec<f32>>,
    /// Half of the head's width.
    pub half: usize,
}

impl Rotary {
    /// The table of given angles, `[tokens · half]`.
    #[must_use]
    pub fn from_angles(angles: &[f32], half: usize) -> Self {
        let (sin, cos) = angles.iter().map(|a| a.sin_cos()).unzip();
        Self { cos: Arc::new(cos), sin: Arc::new(sin), half }
    }

    /// The vision tower's: the first half of the angles follows the row, the second the column of each patch (`[tokens]`,
    /// in the order of the tokens). Source: `Qwen2_5_VisionRotaryEmbedding` and `rot_pos_emb`.
    #[must_use]
    pub fn vision(positions: &[[u32; 2]], head_dim: usize, theta: f64) -> Self {
        let half = head_dim / 2;
        let inverse = inverse_frequencies(half, theta);
        let mut angles = Vec::with_capacity(positions.len() * half);
        for position in positions {
            for &p in position {
                angles.extend(inverse.iter().map(|f| p as f32 * f));
            }
        }
        Self::from_angles(&angles, half)
    }

    /// The decoder's mrope: `sections` (summing to `head_dim / 2`) say how many frequencies follow time, row and column;
    /// `positions` are those three, a value per token. Source: `apply_multimodal_rotary_pos_emb` of `modeling_qwen2_5_vl.py`.
    #[must_use]
    pub fn mrope(positions: [&[i64]; 3], sections: &[usize], head_dim: usize, theta: f64) -> Self {
        let half = head_dim / 2;
        let inverse = inverse_frequencies(head_dim, theta);
        let axes: Vec<usize> = sections.iter().enumerate().flat_map(|(i, &n)| std::iter::repeat_n(i % 3, n)).collect();
        let mut angles = Vec::with_capacity(positions[0].len() * half);
        let [times, rows, columns] = positions;
        for ((&time, &row), &column) in times.iter().zip(rows).zip(columns) {
            let position = [time, row, column];
            angles.extend(inverse.iter().zip(&axes).map(|(f, &axis)| position[axis] as f32 * f));
        }
        Self::from_angles(&angles, half)
    }

    /// Number of tokens.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.cos.len() / self.half.max(1)
    }

    /// Cosines and sines of one token, `[half]` each.
    #[inline(always)]
    pub(super) fn token(&self, token: usize) -> (&[f32], &[f32]) {
        let range = token * self.half..(token + 1) * self.half;
        (&self.cos[range.clone()], &self.sin[range])
    }
}

/// θ^(−2i / width) for i in 0..width / 2, in `f32` as the reference computes it.
fn inverse_frequencies(width: usize, theta: f64) -> Vec<f32> {
    (0..width / 2).map(|i| 1.0 / (theta as f32).powf(2.0 * i as f32 / width as f32)).collect()
}
