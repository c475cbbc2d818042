//! The linear layers of the network, each with what a LoRA adapter adds to it.

use candle_core::{D, Result, Shape, Tensor};
use candle_nn::VarBuilder;

use crate::lora::Adapter;
use crate::ops;

/// Where a network's weights come from: a checkpoint or variables, and perhaps an adapter over them.
#[derive(Clone)]
pub struct Weights<'a> {
    vb: VarBuilder<'a>,
    adapter: Option<&'a Adapter>,
}

impl<'a> Weights<'a> {
    /// Weights of `vb`, below its prefix, with what `adapter` adds.
    #[must_use]
    pub fn new(vb: VarBuilder<'a>, adapter: Option<&'a Adapter>) -> Self {
        Self { vb, adapter }
    }

    /// Those below `name`.
    pub(crate) fn pp(&self, name: impl ToString) -> Self {
        Self { vb: self.vb.pp(name), adapter: self.adapter }
    }

    /// One weight.
    pub(crate) fn get(&self, shape: impl Into<Shape>, name: &str) -> Result<Tensor> {
        self.vb.get(shape, name)
    }

    /// A layer without a bias.
    pub(crate) fn linear(&self, outputs: usize, inputs: usize) -> Result<Projection> {
        let low_rank = self.adapter.and_then(|adapter| adapter.low_rank(&self.vb.prefix()));
        Ok(Projection { weight: self.get((outputs, inputs), "weight")?, bias: None, low_rank })
    }

    /// A layer with a bias.
    pub(crate) fn affine(&self, outputs: usize, inputs: usize) -> Result<Projection> {
        Ok(Projection { bias: Some(self.get(outputs, "bias")?), ..self.linear(outputs, inputs)? })
    }
}

/// What an adapter adds to a layer: `scale · b · a`.
#[derive(Clone, Debug)]
pub(crate) struct LowRank {
    /// [rank, in].
    pub(crate) a: Tensor,
    /// [out, rank].
    pub(crate) b: Tensor,
    pub(crate) scale: f64,
}

impl LowRank {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::linear(&ops::linear(x, &self.a, None)?, &self.b, None)? * self.scale
    }
}

/// A linear layer.
pub(crate) struct Projection {
    /// [out, in].
    weight: Tensor,
    bias: Option<Tensor>,
    low_rank: Option<LowRank>,
}

impl Projection {
    /// A layer over a weight that belongs to somebody else.
    pub(crate) fn shared(weight: Tensor) -> Self {
        Self { weight, bias: None, low_rank: None }
    }

    /// `x` [.., in] → [.., out].
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let out = ops::linear(x, &self.weight, self.bias.as_ref())?;
        match &self.low_rank {
            Some(low_rank) => out + low_rank.forward(x)?,
            None => Ok(out),
        }
    }

    /// Several layers that read the same `x` as one product, their outputs side by side.
    pub(crate) fn fused(layers: &[Self], x: &Tensor) -> Result<Tensor> {
        let weights: Vec<&Tensor> = layers.iter().map(|layer| &layer.weight).collect();
        let biases: Option<Vec<&Tensor>> = layers.iter().map(|layer| layer.bias.as_ref()).collect();
        let bias = biases.map(|biases| Tensor::cat(&biases, 0)).transpose()?;
        let out = ops::linear(x, &Tensor::cat(&weights, 0)?, bias.as_ref())?;
        if layers.iter().all(|layer| layer.low_rank.is_none()) {
            return Ok(out);
        }
        let (mut parts, mut start) = (Vec::with_capacity(layers.len()), 0);
        for layer in layers {
            let outputs = layer.weight.dim(0)?;
            let part = out.narrow(D::Minus1, start, outputs)?;
            parts.push(match &layer.low_rank {
                Some(low_rank) => (part + low_rank.forward(x)?)?,
                None => part,
            });
            start += outputs;
        }
        Tensor::cat(&parts, D::Minus1)
    }
}
