//! The layers that both towers share: linear, RMS norm (alone and with the residual sum), gated MLP, rotary tables.

use crate::error::Result;
use crate::external_data::Layout;
use crate::graph::{GraphBuilder, Node};

/// A linear layer by checkpoint name: `prefix.weight` [output, input] and, if it has one, `prefix.bias` [output].
pub(crate) struct Linear<'n> {
    pub prefix: &'n str,
    pub input: usize,
    pub output: usize,
    pub bias: bool,
}

/// A root-mean-square norm by the checkpoint name of its gain [size].
pub(crate) struct Norm<'n> {
    pub name: &'n str,
    pub size: usize,
    pub epsilon: f32,
}

/// A SwiGLU block: `prefix.{gate,up,down}_proj`.
pub(crate) struct GatedMlp<'n> {
    pub prefix: &'n str,
    pub hidden: usize,
    pub intermediate: usize,
    pub bias: bool,
}

impl GraphBuilder<'_> {
    /// `x` [.., input] → [.., output].
    pub fn linear(&mut self, x: &str, layer: &Linear) -> Result<String> {
        let name = format!("{}.weight", layer.prefix);
        let weight = self.weight(&name, &[layer.output, layer.input], Layout::Transposed)?;
        let product = self.op("MatMul", &[x, &weight]);
        if !layer.bias {
            return Ok(product);
        }
        let bias = self.weight(&format!("{}.bias", layer.prefix), &[layer.output], Layout::Kept)?;
        Ok(self.op("Add", &[&product, &bias]))
    }

    /// `x` [.., size] → the same shape. The standard operator, because `onnx.checker` refuses ONNX Runtime's
    /// SimplifiedLayerNormalization, which lives in the standard domain without being standard.
    pub fn rms_norm(&mut self, x: &str, norm: &Norm) -> Result<String> {
        let gain = self.weight(norm.name, &[norm.size], Layout::Kept)?;
        let node = Node::new("RMSNormalization", &[x, &gain]).int("axis", -1).float("epsilon", norm.epsilon);
        Ok(self.add(node))
    }

    /// Adds `delta` to the residual stream `x` [b, s, size]; returns (norm of the sum, the sum).
    pub fn skip_norm(&mut self, x: &str, delta: &str, norm: &Norm) -> Result<(String, String)> {
        let gain = self.weight(norm.name, &[norm.size], Layout::Kept)?;
        let (normed, sum) = (format!("{}.normed", norm.name), format!("{}.residual", norm.name));
        let node = Node::contrib("SkipSimplifiedLayerNormalization", &[x, delta, &gain])
            .float("epsilon", norm.epsilon)
            .named(&[&normed, "", "", &sum]);
        self.add(node);
        Ok((normed, sum))
    }

    /// down(silu(gate(x)) · up(x)), `x` [.., hidden] → the same shape.
    pub fn gated_mlp(&mut self, x: &str, mlp: &GatedMlp) -> Result<String> {
        let GatedMlp { prefix, hidden, intermediate, bias } = *mlp;
        let mut widen = |part: &str| {
            let prefix = format!("{prefix}.{part}_proj");
            self.linear(x, &Linear { prefix: &prefix, input: hidden, output: intermediate, bias })
        };
        let (gate, up) = (widen("gate")?, widen("up")?);
        let sigmoid = self.op("Sigmoid", &[&gate]);
        let silu = self.op("Mul", &[&gate, &sigmoid]);
        let product = self.op("Mul", &[&silu, &up]);
        let down = format!("{prefix}.down_proj");
        self.linear(&product, &Linear { prefix: &down, input: intermediate, output: hidden, bias })
    }
}

/// θ^(−2i / dim) for i < dim / 2, computed in f32 as torch does.
pub(crate) fn inverse_frequencies(theta: f32, dim: usize) -> Vec<f32> {
    (0..dim).step_by(2).map(|i| 1.0 / theta.powf(i as f32 / dim as f32)).collect()
}
