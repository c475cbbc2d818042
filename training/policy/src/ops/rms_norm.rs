//! Root-mean-square norm (<https://arxiv.org/abs/1910.07467>; `Qwen2RMSNorm` of `modeling_qwen2_5_vl.py`).

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::{composed, floats, fused, kernels, with_floats};

struct RmsNorm {
    eps: f32,
}

impl CustomOp2 for RmsNorm {
    fn name(&self) -> &'static str {
        "policy-rms-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = kernels::rms_norm(floats(x, xl)?, floats(w, wl)?, self.eps);
        Ok((CpuStorage::F32(out), xl.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = with_floats(x, |xs| {
            with_floats(w, |ws| with_floats(grad, |gs| Ok(kernels::rms_norm_backward(xs, ws, gs, self.eps))))
        })?;
        Ok((Some(Tensor::from_vec(dx, x.shape(), x.device())?), Some(Tensor::from_vec(dw, w.shape(), w.device())?)))
    }
}

/// `x / √(mean(x²) + eps) · weight` over the last dimension: `x` [.., n], `weight` `[n]` → [.., n].
///
/// # Errors
/// When the last dimension of `x` is not that of `weight`.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let (found, expected) = (x.dim(candle_core::D::Minus1)?, weight.dims1()?);
    if found != expected {
        candle_core::bail!("rms_norm: expected rows of {expected}, found {found}");
    }
    if !fused(x) {
        return composed::rms_norm(x, weight, eps);
    }
    x.contiguous()?.apply_op2(&weight.contiguous()?, RmsNorm { eps: eps as f32 })
}
