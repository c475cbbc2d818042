//! Between rows of tokens and matrices of heads, rotating on the way.

use candle_core::CpuStorage;

use super::attention::Segment;
use super::kernels;
use super::rotary::Rotary;

/// Where one head group lies in a row of `[tokens, width]`.
#[derive(Clone, Copy)]
pub(super) struct Heads<'a> {
    pub(super) segment: Segment,
    pub(super) width: usize,
    pub(super) first: usize,
    pub(super) heads: usize,
    pub(super) head_dim: usize,
    /// Rotation and factor to apply; none for values.
    pub(super) rotary: Option<(&'a Rotary, f32)>,
}

impl Heads<'_> {
    /// Calls `f(token, offset in the row-major side, offset in the head-major side)` for every head of every token.
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        let Segment { start, count, len } = self.segment;
        for sequence in 0..count {
            for i in 0..len {
                let token = start + sequence * len + i;
                for head in 0..self.heads {
                    let row = token * self.width + self.first + head * self.head_dim;
                    f(token, row, ((sequence * self.heads + head) * len + i) * self.head_dim);
                }
            }
        }
    }

    /// Rows → `[count, heads, len, head_dim]`, rotated and scaled.
    pub(super) fn split(&self, rows: &[f32]) -> CpuStorage {
        let d = self.head_dim;
        let mut out = vec![0f32; self.segment.count * self.segment.len * self.heads * d];
        kernels::vectorised(
            #[inline(always)]
            || {
                self.each(
                    #[inline(always)]
                    |token, row, head| copy(&rows[row..row + d], &mut out[head..head + d], self.rotary, token, 1.0),
                )
            },
        );
        CpuStorage::F32(out)
    }

    /// The transpose of [`Self::split`]: `[count, heads, len, head_dim]` → rows.
    pub(super) fn merge(&self, heads: &[f32], rows: &mut [f32]) {
        let d = self.head_dim;
        kernels::vectorised(
            #[inline(always)]
            || {
                self.each(
                    #[inline(always)]
                    |token, row, head| copy(&heads[head..head + d], &mut rows[row..row + d], self.rotary, token, -1.0),
                )
            },
        );
    }
}

/// Copies one head, rotated by the token's angles times `direction` and scaled.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32], rotary: Option<(&Rotary, f32)>, token: usize, direction: f32) {
    let Some((rotary, scale)) = rotary else { return to.copy_from_slice(from) };
    let (cos, sin) = rotary.token(token);
    let n = cos.len();
    let ((from_a, from_b), (to_a, to_b)) = (from.split_at(n), to.split_at_mut(n));
    let (sin, from_b, to_b) = (&sin[..n], &from_b[..n], &mut to_b[..n]);
    for i in 0..n {
        let (c, s) = (cos[i] * scale, sin[i] * scale * direction);
        to_a[i] = from_a[i] * c - from_b[i] * s;
        to_b[i] = from_b[i] * c + from_a[i] * s;
    }
}
