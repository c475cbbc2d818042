//! The gated activation of the MLP (<https://arxiv.org/abs/2002.05202>; `Qwen2MLP` of `modeling_qwen2_5_vl.py`).

use candle_core::{CpuStorage, CustomOp1, D, Layout, Result, Shape, Tensor, bail};

use super::{composed, floats, fused, kernels, with_floats};

struct SwiGlu {
    width: usize,
}

impl CustomOp1 for SwiGlu {
    fn name(&self) -> &'static str {
        "policy-swiglu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut dims = xl.dims().to_vec();
        if let Some(last) = dims.last_mut() {
            *last = self.width;
        }
        Ok((CpuStorage::F32(kernels::swiglu(floats(x, xl)?, self.width)), dims.into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let dx = with_floats(x, |xs| with_floats(grad, |gs| Ok(kernels::swiglu_backward(xs, gs, self.width))))?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}

/// `silu(gate) · up` where the last dimension holds the gate, then the up projection: [.., 2n] → [.., n].
///
/// # Errors
/// When the last dimension is odd.
pub fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
    let last = gate_up.dim(D::Minus1)?;
    if last % 2 != 0 {
        bail!("swiglu: expected an even last dimension, found {last}");
    }
    if !fused(gate_up) {
        return composed::swiglu(gate_up);
    }
    gate_up.contiguous()?.apply_op1(SwiGlu { width: last / 2 })
}
