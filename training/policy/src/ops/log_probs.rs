//! Log-probabilities of given tokens: the loss of supervised training and the quantity of policy gradients.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::{floats, fused, kernels, with_floats};

struct TokenLogProbs {
    targets: Vec<u32>,
}

impl CustomOp1 for TokenLogProbs {
    fn name(&self) -> &'static str {
        "policy-token-log-probs"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, vocab) = layout.shape().dims2()?;
        let logits = floats(logits, layout)?;
        let mut out = vec![0f32; rows];
        kernels::vectorised(
            #[inline(always)]
            || {
                for ((row, &target), out) in logits.chunks_exact(vocab).zip(&self.targets).zip(&mut out) {
                    *out = row[target as usize] - kernels::log_sum_exp(row);
                }
            },
        );
        Ok((CpuStorage::F32(out), rows.into()))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, vocab) = logits.dims2()?;
        let mut out = with_floats(logits, |l| Ok(l.to_vec()))?;
        with_floats(grad, |grad| {
            kernels::vectorised(
                #[inline(always)]
                || {
                    for ((row, &target), &grad) in out.chunks_exact_mut(vocab).zip(&self.targets).zip(grad) {
                        kernels::softmax(row);
                        row.iter_mut().for_each(|p| *p *= -grad);
                        row[target as usize] += grad;
                    }
                },
            );
            Ok(())
        })?;
        Ok(Some(Tensor::from_vec(out, logits.shape(), logits.device())?))
    }
}

/// The natural log-probability of each target token: `logits` `[n, vocab]`, `targets` `[n]` → `[n]`.
///
/// The mean loss over chosen tokens is `−Σ weight · log_prob / Σ weight`; pass only the rows that have a target.
///
/// # Errors
/// When the lengths disagree or a target is not in the vocabulary.
pub fn token_log_probs(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let (rows, vocab) = logits.dims2()?;
    if rows != targets.len() {
        bail!("token_log_probs: expected {rows} targets, found {}", targets.len());
    }
    if let Some(target) = targets.iter().find(|&&target| target as usize >= vocab) {
        bail!("token_log_probs: expected tokens below {vocab}, found {target}");
    }
    if fused(logits) {
        return logits.contiguous()?.apply_op1(TokenLogProbs { targets: targets.to_vec() });
    }
    let index = Tensor::from_slice(targets, (rows, 1), logits.device())?;
    candle_nn::ops::log_softmax(logits, 1)?.gather(&index, 1)?.squeeze(1)
}
