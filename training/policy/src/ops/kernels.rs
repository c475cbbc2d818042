//! Row kernels over `f32` slices, compiled once per instruction set and chosen at run time (through `pulp`).
//!
//! Reductions run in [`LANES`] independent sums, so that they vectorise without reassociating floats.

use pulp::Arch;

/// Independent partial sums of a reduction: one AVX-512 register.
const LANES: usize = 16;

/// Runs `kernel` compiled for the widest vector unit of this machine.
#[inline(always)]
pub(super) fn vectorised<R>(kernel: impl FnOnce() -> R) -> R {
    struct Op<F>(F);
    impl<R, F: FnOnce() -> R> pulp::WithSimd for Op<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, simd: S) -> R {
            simd.vectorize(Thunk(self.0))
        }
    }
    struct Thunk<F>(F);
    impl<R, F: FnOnce() -> R> pulp::NullaryFnOnce for Thunk<F> {
        type Output = R;
        #[inline(always)]
        fn call(self) -> R {
            (self.0)()
        }
    }
    Arch::new().dispatch(Op(kernel))
}

/// eˣ within 2 ulp for x in [-80, 88]: e⁸⁸ above, and 0 below, because subnormal probabilities slow down matrix products.
/// Cephes' `expf`, branch-free.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³: adding it leaves the rounded integer in the low mantissa bits
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let vanishes = x < -80.0;
    let x = x.clamp(-80.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let mut p = 1.987_569_1e-4;
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_6e-1, 0.5] {
        p = p * r + c;
    }
    let value = (p * r * r + r + 1.0) * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if vanishes { 0.0 } else { value }
}

/// Σ f(a, b) over two equally long rows.
#[inline(always)]
fn sum2(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0f32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for i in 0..LANES {
            lanes[i] += f(a[i], b[i]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(&a, &b)| f(a, b)).sum();
    lanes.iter().sum::<f32>() + rest
}

/// The largest value of a row, −∞ if it is empty.
#[inline(always)]
fn max(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for i in 0..LANES {
            lanes[i] = if block[i] > lanes[i] { block[i] } else { lanes[i] };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |m, &x| if x > m { x } else { m })
}

/// Softmax of a row in place. A row that is −∞ throughout becomes zero.
#[inline(always)]
pub(super) fn softmax(row: &mut [f32]) {
    let top = max(row);
    if top == f32::NEG_INFINITY {
        return row.fill(0.0);
    }
    row.iter_mut().for_each(|x| *x = exp(*x - top));
    let scale = 1.0 / sum2(row, row, |x, _| x);
    row.iter_mut().for_each(|x| *x *= scale);
}

/// Gradient of softmax in place: `grad ← p · (grad − Σ p · grad)`.
#[inline(always)]
pub(super) fn softmax_backward(p: &[f32], grad: &mut [f32]) {
    let dot = sum2(p, grad, |p, g| p * g);
    grad.iter_mut().zip(p).for_each(|(g, p)| *g = p * (*g - dot));
}

/// The natural logarithm of Σ eˣ of a row.
#[inline(always)]
pub(super) fn log_sum_exp(row: &[f32]) -> f32 {
    let top = max(row);
    top + sum2(row, row, |x, _| exp(x - top)).ln()
}

/// 1 / √(mean of squares + eps).
#[inline(always)]
fn inverse_rms(x: &[f32], eps: f32) -> f32 {
    1.0 / (sum2(x, x, |a, b| a * b) / x.len() as f32 + eps).sqrt()
}

/// Root-mean-square norm of every row of `x` times `weight`.
pub(super) fn rms_norm(x: &[f32], weight: &[f32], eps: f32) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    vectorised(
        #[inline(always)]
        || {
            for (x, out) in x.chunks_exact(weight.len()).zip(out.chunks_exact_mut(weight.len())) {
                let inv = inverse_rms(x, eps);
                out.iter_mut().zip(x).zip(weight).for_each(|((o, x), w)| *o = x * inv * w);
            }
        },
    );
    out
}

/// Gradients of [`rms_norm`] with respect to `x` and `weight`.
pub(super) fn rms_norm_backward(x: &[f32], weight: &[f32], grad: &[f32], eps: f32) -> (Vec<f32>, Vec<f32>) {
    let n = weight.len();
    let (mut dx, mut dw, mut weighted) = (vec![0.0; x.len()], vec![0.0; n], vec![0.0; n]);
    vectorised(
        #[inline(always)]
        || {
            let rows = x.chunks_exact(n).zip(grad.chunks_exact(n)).zip(dx.chunks_exact_mut(n));
            for ((x, g), dx) in rows {
                let inv = inverse_rms(x, eps);
                weighted.iter_mut().zip(g).zip(weight).for_each(|((o, g), w)| *o = g * w);
                let c = sum2(x, &weighted, |a, b| a * b) * inv * inv * inv / n as f32;
                dx.iter_mut().zip(x).zip(&weighted).for_each(|((o, x), gw)| *o = gw * inv - x * c);
                dw.iter_mut().zip(g).zip(x).for_each(|((o, g), x)| *o += g * x * inv);
            }
        },
    );
    (dx, dw)
}

/// Adds `bias` to every row.
pub(super) fn add_bias(rows: &mut [f32], bias: &[f32]) {
    vectorised(
        #[inline(always)]
        || rows.chunks_exact_mut(bias.len()).for_each(|row| row.iter_mut().zip(bias).for_each(|(x, b)| *x += b)),
    );
}

/// The sum of all rows of width `n`.
pub(super) fn sum_rows(rows: &[f32], n: usize) -> Vec<f32> {
    let mut sum = vec![0.0; n];
    vectorised(
        #[inline(always)]
        || rows.chunks_exact(n).for_each(|row| sum.iter_mut().zip(row).for_each(|(s, x)| *s += x)),
    );
    sum
}

/// silu(gate) · up over rows `[gate (n), up (n)]`, giving rows of width n.
pub(super) fn swiglu(gate_up: &[f32], n: usize) -> Vec<f32> {
    let mut out = vec![0.0; gate_up.len() / 2];
    vectorised(
        #[inline(always)]
        || {
            for (row, out) in gate_up.chunks_exact(2 * n).zip(out.chunks_exact_mut(n)) {
                let (gate, up) = row.split_at(n);
                out.iter_mut().zip(gate).zip(up).for_each(|((o, g), u)| *o = g * u / (1.0 + exp(-g)));
            }
        },
    );
    out
}

/// Gradient of [`swiglu`] with respect to its rows.
pub(super) fn swiglu_backward(gate_up: &[f32], grad: &[f32], n: usize) -> Vec<f32> {
    let mut out = vec![0.0; gate_up.len()];
    vectorised(
        #[inline(always)]
        || {
            let rows = gate_up.chunks_exact(2 * n).zip(grad.chunks_exact(n)).zip(out.chunks_exact_mut(2 * n));
            for ((row, grad), out) in rows {
                let (gate, up) = row.split_at(n);
                let (d_gate, d_up) = out.split_at_mut(n);
                for i in 0..n {
                    let s = 1.0 / (1.0 + exp(-gate[i]));
                    d_gate[i] = grad[i] * up[i] * s * (1.0 + gate[i] * (1.0 - s));
                    d_up[i] = grad[i] * gate[i] * s;
                }
            }
        },
    );
    out
}
