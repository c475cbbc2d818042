//! The linear map of a row, with gradients that need no transposed copy.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, D, Layout, Result, Shape, Tensor, bail};

use super::{floats, fused, kernels, with_floats};

struct Linear {
    /// False for inputs that no gradient flows to, such as pixels.
    input_grad: bool,
    /// False for frozen weights.
    weight_grad: bool,
}

impl Linear {
    fn forward(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (outputs, inputs) = wl.shape().dims2()?;
        let rows = xl.shape().elem_count() / inputs;
        let rows_layout = Layout::contiguous_with_offset((rows, inputs), xl.start_offset());
        let out = x.matmul(w, (1, rows, outputs, inputs), &rows_layout, &wl.transpose(0, 1)?)?;
        let mut dims = xl.dims().to_vec();
        if let Some(last) = dims.last_mut() {
            *last = outputs;
        }
        Ok((out, dims.into()))
    }

    fn backward(&self, x: &Tensor, w: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (outputs, inputs) = w.dims2()?;
        let (x_rows, grad_rows) = (x.detach().reshape(((), inputs))?, grad.reshape(((), outputs))?);
        let dw = match self.weight_grad {
            true => Some(grad_rows.t()?.matmul(&x_rows)?),
            false => None,
        };
        let dx = match self.input_grad {
            true => Some(grad_rows.matmul(&w.detach())?.reshape(x.shape())?),
            false => None,
        };
        Ok((dx, dw))
    }
}

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "policy-linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(x, xl, w, wl)
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        self.backward(x, w, grad)
    }
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "policy-linear-bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        b: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (mut out, shape) = self.forward(x, xl, w, wl)?;
        if let CpuStorage::F32(out) = &mut out {
            kernels::add_bias(out, floats(b, bl)?);
        }
        Ok((out, shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = self.backward(x, w, grad)?;
        let db = with_floats(grad, |g| Ok(kernels::sum_rows(g, b.elem_count())))?;
        Ok((dx, dw, Some(Tensor::from_vec(db, b.shape(), b.device())?)))
    }
}

/// `x · weightᵀ + bias`: `x` [.., in], `weight` `[out, in]`, `bias` `[out]` → `[.., out]` in the type of `x`.
///
/// # Errors
/// When the dimensions disagree.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (found, (outputs, expected)) = (x.dim(D::Minus1)?, weight.dims2()?);
    if found != expected {
        bail!("linear: expected rows of {expected}, found {found}");
    }
    if !fused(x) {
        let mut dims = x.dims().to_vec();
        dims[x.rank() - 1] = outputs;
        let out = x.reshape(((), found))?.matmul(&weight.to_dtype(x.dtype())?.t()?)?.reshape(dims)?;
        return match bias {
            Some(bias) => out.broadcast_add(&bias.to_dtype(x.dtype())?),
            None => Ok(out),
        };
    }
    let op = Linear { input_grad: x.track_op(), weight_grad: weight.track_op() };
    let (x, weight) = (x.contiguous()?, weight.contiguous()?);
    match bias {
        Some(bias) => x.apply_op3(&weight, &bias.contiguous()?, op),
        None => x.apply_op2(&weight, op),
    }
}
